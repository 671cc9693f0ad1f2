"""How large a network is, and what one forward pass costs, counted from nnU-Net's plans."""

from typing import Any

import torch
from nnunetv2.utilities.get_network_from_plans import get_network_from_plans
from nnunetv2.utilities.label_handling.label_handling import determine_num_input_channels
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager
from torch.utils.flop_counter import FlopCounterMode


def network_figures(
    plans: dict[str, Any], dataset_json: dict[str, Any], configuration: str = "3d_fullres"
) -> dict[str, int]:
    """`parameters`, and `flops` of one forward pass of one patch by torch's own counter.

    A multiplication and an addition are two operations; only convolutions and matrix products are counted. The
    auxiliary outputs of deep supervision serve training alone and are left out of the pass, not of the parameters.
    Built on torch's meta device, so the network's size costs neither memory nor time.
    """
    manager = PlansManager(plans)
    plan = manager.get_configuration(configuration)
    channels = determine_num_input_channels(manager, plan, dataset_json)
    with torch.device("meta"):
        network = get_network_from_plans(
            plan.network_arch_class_name,
            plan.network_arch_init_kwargs,
            plan.network_arch_init_kwargs_req_import,
            channels,
            manager.get_label_manager(dataset_json).num_segmentation_heads,
            allow_init=False,
            deep_supervision=False,
        )
        patch = torch.empty(1, channels, *plan.patch_size)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network.eval()(patch)
    return {"parameters": parameters, "flops": counter.get_total_flops()}
