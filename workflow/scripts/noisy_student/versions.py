"""Versions of the workflow and of what results depend on."""

import platform
from importlib.metadata import PackageNotFoundError, version

from noisy_student import __version__

PROJECT = "flare-noisy-student"
# What a training is computed by.
OF_TRAINING = ("torch", "nnunetv2", "dynamic_network_architectures", "batchgeneratorsv2", "numpy")
PACKAGES = (*OF_TRAINING, "SimpleITK", "scipy", "pandas", "surface-distance", "snakemake")


def versions(packages: tuple[str, ...] = PACKAGES) -> dict[str, str]:
    """Versions of the workflow, of Python and of packages, as far as they are installed."""
    found = {PROJECT: __version__, "python": platform.python_version()}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
