"""The packages in a user's own folder (`~/.local`), which Python takes before those of a conda environment."""

import os
import site
import sys
from pathlib import Path

VARIABLE = "PYTHONNOUSERSITE"


def leave_out() -> None:
    """Hide them from this process's jobs, and from the pip that makes environments, which would not install theirs.

    A Snakemake that lies there itself, or has a plugin there, needs them on a cluster's nodes: nothing is hidden then.
    """
    folder = Path(site.getusersitepackages())
    parts = [module for name, module in list(sys.modules.items()) if name.startswith("snakemake")]
    files = [file for part in parts if (file := getattr(part, "__file__", None))]
    if not any(Path(file).is_relative_to(folder) for file in files):
        os.environ[VARIABLE] = "1"
