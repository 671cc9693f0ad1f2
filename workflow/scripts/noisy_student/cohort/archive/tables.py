"""What is said of an archive: in counts, which anyone may read, and by name in the tables beside the names table."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from noisy_student.cohort.archive.drawn import LabelMap
from noisy_student.cohort.archive.index import File
from noisy_student.cohort.archive.private import Private, add_names, case_of, write_rows
from noisy_student.cohort.archive.series import Series
from noisy_student.cohort.finding import Finding

NAMES = ("case", "role", "patient", "study", "series", "description", "slices", "folder")
LEFT_OUT = ("why", "patient", "study", "series", "modality", "description", "files", "folder")
UNREAD, LABEL_MAPS = ("why", "file"), ("role", "file", "series", "why")


def write_tables(
    own: Private,
    key: bytes,
    scans: Iterable[tuple[str, Mapping[str, Series]]],
    left_out: Mapping[str, tuple[str, Sequence[File]]],
    files: Iterable[File],
    label_maps: Sequence[LabelMap],
) -> None:
    """Write who is behind each case, with its role, and what was left out and why, for the owner's eyes alone."""
    names = [
        {"case": case_of(key, uid), "role": role, "slices": len(scan.heights_mm), **_of_header(scan.files[0])}
        for role, found in scans
        for uid, scan in found.items()
    ]
    add_names(own.names, NAMES, names)
    rows = ({"why": why, "files": len(those), **_of_header(those[0])} for why, those in left_out.values())
    write_rows(own.left_out, LEFT_OUT, sorted(rows, key=lambda row: (row["why"], row["patient"])))
    write_rows(own.unread, UNREAD, ({"why": file.problem, "file": file.path} for file in files if file.problem))
    if label_maps:
        write_rows(own.label_maps, LABEL_MAPS, map(vars, label_maps))


def _of_header(file: File) -> dict[str, str]:
    return {**file.header._asdict(), "folder": str(Path(file.path).parent)}


def note(
    archive: Path, own: Private, left_out: Iterable[str], files: Iterable[File], strays: Mapping[str, int]
) -> Finding | None:
    """How much of an archive was left out, and why, in counts; None if nothing was."""
    series, unread = Counter(left_out), Counter(file.problem for file in files if file.problem)
    parts = [
        f"{sum(counts.values())} {what} left out: {_listed(counts)}"
        for what, counts in (("series", series), ("file(s)", unread), ("label map(s)", Counter(strays)))
        if counts
    ]
    wanted = "what the archive's entry asks for"
    remedy = f"nothing; {own.beside('*.tsv')} name each, for you alone"
    return Finding("all", archive, "note", "; ".join(parts), wanted, remedy) if parts else None


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {why}" for why, count in counts.most_common())
