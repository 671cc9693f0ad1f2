"""Which round a result table belongs to."""

import re
from collections.abc import Sequence
from pathlib import Path

# The folder of the student that is made to be deployed, and what it is called in tables.
DEPLOYED, DEPLOY_STUDENT = "round_deploy", "deploy student"


def round_numbers(paths: Sequence[Path]) -> list[int]:
    """The number in each table's folder name (`round_1/scores.tsv` gives 1); positions from 0 if any has none."""
    matches = [re.fullmatch(r"round_(\d+)", path.absolute().parent.name) for path in paths]
    numbers = [int(match[1]) for match in matches if match]
    return numbers if len(set(numbers)) == len(paths) else list(range(len(paths)))


def without_deployed(paths: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """The tables of rounds, and those of the student to be deployed beside them, which is no further round.

    Where all tables are such students', of several experiments, they are what is compared: the second list is empty.
    """
    deployed = _deployed(paths)
    rounds = [path for path in paths if path not in deployed]
    return (rounds, deployed) if rounds else (deployed, [])


def _deployed(paths: Sequence[Path]) -> list[Path]:
    return [path for path in paths if path.absolute().parent.name == DEPLOYED]


def round_names(paths: Sequence[Path]) -> list[str]:
    """ "round 0", "round 1", … by these numbers; of several experiments' students to be deployed, each by position."""
    deployed = _deployed(paths)
    if len(deployed) > 1:
        return [f"round {number}" for number in range(len(paths))]
    numbers = iter(round_numbers([path for path in paths if path not in deployed]))
    return [DEPLOY_STUDENT if path in deployed else f"round {next(numbers)}" for path in paths]
