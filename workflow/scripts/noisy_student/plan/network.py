"""The network that plans describe."""

import torch
from nnunetv2.utilities.get_network_from_plans import get_network_from_plans
from nnunetv2.utilities.label_handling.label_handling import determine_num_input_channels

from noisy_student.plan.preprocessing import Plan


def labelling_network(plan: Plan) -> torch.nn.Module:
    """The network as it labels, without deep supervision's auxiliary outputs; its weights are yet to be loaded."""
    configuration = plan.configuration
    return get_network_from_plans(
        configuration.network_arch_class_name,
        configuration.network_arch_init_kwargs,
        configuration.network_arch_init_kwargs_req_import,
        determine_num_input_channels(plan.manager, configuration, plan.dataset),
        plan.classes,
        allow_init=False,
        deep_supervision=False,
    ).eval()
