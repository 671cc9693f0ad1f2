"""Commands of this workflow as they are typed: short for a run in its own folder, else right wherever that is."""

import shlex
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
START_ON_SLURM = "workflow/scripts/start_on_slurm.py"


def in_folder(run: Path, *commands: str) -> str:
    """Commands one after the other that work on the results of the folder `run`."""
    there = [] if _is_root(run) else [f"cd {shlex.quote(str(run.absolute()))}"]
    return " && ".join([*there, *commands])


def python(run: Path, script: str, *arguments: str) -> str:
    """The command of a script, named by its path below the workflow's folder, typed in the folder `run`."""
    return shlex.join(["python", script if _is_root(run) else str(ROOT / script), *arguments])


def snakemake(run: Path, *arguments: str) -> str:
    """The command of Snakemake, typed in the folder `run`."""
    return shlex.join(["snakemake", *([] if _is_root(run) else ["--snakefile", str(ROOT / "Snakefile")]), *arguments])


def start_on_slurm(run: Path) -> str:
    """The command that starts and restarts a run in the folder `run` on a cluster."""
    return python(run, START_ON_SLURM, *([] if _is_root(run) else ["--directory", str(run.absolute())]))


def _is_root(run: Path) -> bool:
    return run.resolve() == ROOT
