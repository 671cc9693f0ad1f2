"""How a run was started, so that commands which go on with it can be named as they have to be typed.

`results/call.json` is written when a run starts; `run.json` has what it said when the run ended.
"""

import shlex
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from noisy_student.running.command_line import taken

RECORD = Path("results/call.json")
# What is said of one start alone, with all that it takes.
ONCE = {
    *("--forcerun", "-R", "--force", "-f", "--forceall", "-F", "--until", "-U", "--omit-from", "-O"),
    *("--prioritize", "-P", "--touch", "-t", "--dry-run", "--dryrun", "-n", "--batch", "--allowed-rules"),
}


def record(
    words: Sequence[str],
    targets: Collection[str],
    called_from: Path,
    configuration_files: Sequence[Path | str],
    cores: int | None,
) -> dict[str, Any]:
    """What a start is known by: `words` are those after `snakemake`, `targets` what Snakemake took of them as such."""
    profile = next((group[0] for group in taken(words, ("--workflow-profile",))[0] if group), "default")
    return {
        "command": shlex.join(["snakemake", *words]),
        "options": options(words, targets),
        "called_from": str(called_from.absolute()),
        "folder": str(Path.cwd()),
        "environment": sys.prefix if sys.prefix != sys.base_prefix else None,
        "profile": profile,
        "configuration_files": [str(file) for file in configuration_files],
        "cores": cores,
    }


def options(words: Sequence[str], targets: Collection[str]) -> list[str]:
    """The words that hold for every start: neither targets nor what is said of one start alone."""
    return [word for word in taken(words, ONCE)[1] if word not in {*targets, "--"}]
