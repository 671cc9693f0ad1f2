"""How often a network can halve its patch: known before nnU-Net plans, and without its packages.

Spacings (mm), sizes and strides are (z, y, x).
"""

from collections.abc import Sequence
from math import prod
from pathlib import Path

from noisy_student.configuration.experiment import Configuration
from noisy_student.configuration.settings import Network
from noisy_student.errors import InputError

SMALLEST_FEATURE_MAP = 4


def strides_of(spacing: Sequence[float], patch_size: Sequence[int]) -> list[list[int]]:
    """The strides of all stages that a patch allows, as nnU-Net's `get_pool_and_conv_props` has them."""
    spacing, size, strides = list(spacing), list(patch_size), [[1] * len(patch_size)]
    while True:
        large = [axis for axis, voxels in enumerate(size) if voxels >= 2 * SMALLEST_FEATURE_MAP]
        finest = min((spacing[axis] for axis in large), default=1.0)
        halved = [axis for axis in large if spacing[axis] / finest < 2]
        if not halved or (len(halved) == 1 and size[halved[0]] < 3 * SMALLEST_FEATURE_MAP):
            return strides
        for axis in halved:
            spacing[axis] *= 2
            size[axis] = -(-size[axis] // 2)
        strides.append([2 if axis in halved else 1 for axis in range(len(size))])


def misfit(
    name: str, network: Network, patch_size: Sequence[int], strides: Sequence[Sequence[int]]
) -> InputError | None:
    """The error where a patch does not allow the stages of a network, or does not halve evenly in them."""
    got, most = f"networks.{name}: patch_size_zyx {list(patch_size)}", len(strides)
    if network.stages and network.stages > most:
        fewer = f"set `stages: {most}` or fewer, or " if most > 1 else ""
        return InputError(
            f"a patch that can be halved often enough for {network.stages} stages",
            f"{got}, which allows {most}",
            f"{fewer}use a larger patch",
        )
    divisors = [prod(of_axis) for of_axis in zip(*strides[: network.stages], strict=True)]
    padded = [-(-size // divisor) * divisor for size, divisor in zip(patch_size, divisors, strict=True)]
    if network.patch_size_zyx and padded != list(patch_size):
        return InputError(
            "a patch that halves evenly in every stage of the network", got, f"use {padded}, or fewer stages"
        )
    return None


def refuse_misfits(configuration: Configuration, plans: Path) -> None:
    """Raise InputError for the networks of rounds whose patch and spacing are configured and do not fit their stages.

    Those with plans in the folder `plans`, which versions before made with fewer stages, are as they are.
    """
    errors = []
    for name in configuration.used_networks:
        network = configuration.networks[name]
        spacing, patch_size = network.spacing_mm_zyx, network.patch_size_zyx
        if spacing and patch_size and not (plans / name / "plans.json").exists():
            errors += filter(None, [misfit(name, network, patch_size, strides_of(spacing, patch_size))])
    if errors:
        raise InputError(*("; ".join(getattr(error, part) for error in errors) for part in ("wanted", "got", "remedy")))
