"""Pseudo-labels that a person has changed where they lie: refused, since that is void or half void there.

Their confidence and scores would still be those of the teacher's label map, and the next labelling replaces it. The
record beside a label map (`LabelFiles`) has its checksum. Without imaging libraries, as Snakemake itself asks this.
"""

import gzip
import json
import os
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from noisy_student.damage import remedy
from noisy_student.errors import InputError
from noisy_student.files import CHUNK_BYTES, sha256
from noisy_student.model.records import ENDING, record_beside

NAMED = 3


def refuse_edited(label_maps: Iterable[Path]) -> None:
    """Raise InputError where label maps are whole but not those of their records."""
    edited = [label_map for label_map in label_maps if is_edited(label_map)]
    if not edited:
        return
    first = edited[0]
    of_round = first.parents[1].name
    named = ", ".join(map(str, edited[:NAMED])) + (f" and {len(edited) - NAMED} more" if len(edited) > NAMED else "")
    raise InputError(
        "pseudo-labels as their teachers made them",
        f"{named}, changed since",
        f"a corrected label map counts from the next round on, once it lies as {of_round}/{first.name} in a folder "
        f"that the configuration names, `corrections: DIR` (docs/corrections.md): move it there. Then {remedy(first)}",
    )


def is_edited(label_map: Path) -> bool:
    """Whether a label map has another checksum than its record says; a damaged one is left to those who read it."""
    try:
        expected = json.loads(record_beside(label_map).read_text())["sha256"][label_map.name]
        return sha256(label_map) != expected and _is_whole(label_map)
    except (OSError, ValueError, KeyError):
        return False


def _is_whole(path: Path) -> bool:
    try:
        with gzip.open(path) as stream:
            while stream.read(CHUNK_BYTES):
                pass
    except (OSError, EOFError, zlib.error):
        return False
    return True


def written_after_their_records(results: Path) -> Iterator[Path]:
    """The pseudo-labels that were written later than their records, which come last: few, if any, and quickly found."""
    for folder in sorted(results.glob("round_*/pseudo_labels")):
        dates = _dates(folder / "scores", ".json")
        for case, date in _dates(folder, ENDING).items():
            if date > dates.get(case, date):
                yield folder / f"{case}{ENDING}"


def _dates(folder: Path, ending: str) -> dict[str, int]:
    """When each visible file of a folder was written, by its name without the ending."""
    if not folder.is_dir():
        return {}
    with os.scandir(folder) as entries:
        return {
            entry.name.removesuffix(ending): entry.stat().st_mtime_ns
            for entry in entries
            if entry.name.endswith(ending) and not entry.name.startswith(".")
        }
