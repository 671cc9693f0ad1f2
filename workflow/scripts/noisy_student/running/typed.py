"""Commands of this workflow as they are typed: short for a run in its own folder, else right wherever that is."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[4]
START_ON_SLURM = "workflow/scripts/start_on_slurm.py"


def in_folder(run: Path, *commands: str) -> str:
    """Commands one after the other that work on the results of the folder `run`."""
    there = [] if _is_root(run) else [f"cd {shlex.quote(str(run.absolute()))}"]
    return " && ".join([*there, *commands])


def python(run: Path, script: str, *arguments: str) -> str:
    """The command of a script, named by its path below the workflow's folder, typed in the folder `run`."""
    return shlex.join(["python", script if _is_root(run) else str(ROOT / script), *arguments])


def terminal(call: dict[str, Any]) -> str:
    """What is typed first in a new terminal: the folder of a start, as `call.record` has it, and its environment."""
    activate = [f"source {shlex.quote(call['environment'] + '/bin/activate')}"] if call["environment"] else []
    return " && ".join([f"cd {shlex.quote(call['called_from'])}", *activate])


def as_started(call: dict[str, Any], targets: Sequence[str], again: Sequence[str] = ()) -> str:
    """The command there that makes some targets, from the files `again` on; targets stand before all options."""
    return shlex.join(["snakemake", *targets, *call["options"], *(["-R", *again] if again else [])])


def start_on_slurm(run: Path) -> str:
    """The command that starts and restarts a run in the folder `run` on a cluster."""
    return python(run, START_ON_SLURM, *([] if _is_root(run) else ["--directory", str(run.absolute())]))


def _is_root(run: Path) -> bool:
    return run.resolve() == ROOT
