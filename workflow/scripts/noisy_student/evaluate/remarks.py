"""What has to be said of the label maps that were judged: once for each kind, however many there are."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from noisy_student.reading.volume import Remark

NAMED = 3


def in_words(remarks: Iterable[tuple[Path, Remark]]) -> list[str]:
    """A line for each kind of remark: in how many files, what was found in three of them, and what to do."""
    by_kind: dict[str, dict[Path, Remark]] = defaultdict(dict)
    for path, remark in remarks:
        by_kind[remark.kind][path] = remark
    return [_line(files) for files in by_kind.values()]


def _line(files: dict[Path, Remark]) -> str:
    first, found = next(iter(files.values())), defaultdict(list)
    for path, remark in list(files.items())[:NAMED]:
        found[remark.found].append(str(path))
    listed = "; ".join(f"{what} ({', '.join(paths)})" for what, paths in found.items())
    return f"warning, {len(files)} file(s): {listed}; wanted {first.wanted}; {first.remedy}"
