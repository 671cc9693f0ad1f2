"""How large a network is, and what one forward pass costs, counted from nnU-Net's plans."""

from typing import Any

import torch
from nnunetv2.utilities.label_handling.label_handling import determine_num_input_channels
from torch.utils.flop_counter import FlopCounterMode

from noisy_student.plan.network import labelling_network
from noisy_student.plan.preprocessing import Plan


def network_figures(
    plans: dict[str, Any], dataset_json: dict[str, Any], configuration: str = "3d_fullres"
) -> dict[str, int]:
    """`parameters`, and `flops` of one forward pass of one patch by torch's own counter.

    A multiplication and an addition are two operations; only convolutions and matrix products are counted. The
    auxiliary outputs of deep supervision serve training alone and are left out of the pass, not of the parameters.
    Built on torch's meta device, so the network's size costs neither memory nor time.
    """
    plan = Plan(plans, dataset_json, configuration)
    with torch.device("meta"):
        network = labelling_network(plan)
        channels = determine_num_input_channels(plan.manager, plan.configuration, dataset_json)
        patch = torch.empty(1, channels, *plan.configuration.patch_size)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(patch)
    return {"parameters": parameters, "flops": counter.get_total_flops()}
