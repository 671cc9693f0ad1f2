"""What the source of a scan is called: its entry's name, or the part of the path that tells the entry apart."""

from collections.abc import Iterable
from pathlib import Path

from noisy_student.cohort.case_paths import home
from noisy_student.configuration.archive import Archive
from noisy_student.configuration.experiment import Labelled, ScanTable, Unlabelled
from noisy_student.configuration.layouts import Cases, NnunetFolder

Entry = Labelled | Unlabelled


def place_of(entry: Entry) -> Path:
    """The folder, table or archive of an entry's scans, or of a dataset as a whole."""
    if isinstance(entry, Archive):
        return entry.archive
    if isinstance(entry, NnunetFolder):
        return entry.nnunet
    if isinstance(entry, Cases):
        return home(entry.cases, entry.scan)
    return entry.table if isinstance(entry, ScanTable) else entry.images


def source_names(entries: Iterable[Entry]) -> dict[Path, str]:
    """A name for the place of each entry that has none: the shortest end of its path that no other place has."""
    entries = list(entries)
    taken = {entry.name for entry in entries if entry.name}
    places = {place_of(entry): place_of(entry).absolute().parts for entry in entries}
    return {place: _shortest(parts, set(places.values()) - {parts}, taken) for place, parts in places.items()}


def _shortest(parts: tuple[str, ...], others: Iterable[tuple[str, ...]], taken: Iterable[str]) -> str:
    ends = ["/".join(parts[-length:]) for length in range(1, len(parts))]
    is_free = (end not in taken and not any("/".join(other).endswith(f"/{end}") for other in others) for end in ends)
    return next((end for end, free in zip(ends, is_free, strict=True) if free), ends[-1])
