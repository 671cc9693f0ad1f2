"""Which round a result table belongs to."""

import re
from collections.abc import Sequence
from pathlib import Path


def round_numbers(paths: Sequence[Path]) -> list[int]:
    """The number in each table's folder name (`round_1/scores.tsv` gives 1); positions from 0 if any has none."""
    matches = [re.fullmatch(r"round_(\d+)", path.absolute().parent.name) for path in paths]
    numbers = [int(match[1]) for match in matches if match]
    return numbers if len(set(numbers)) == len(paths) else list(range(len(paths)))
