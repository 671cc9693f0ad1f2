"""On which series of an archive label maps were drawn: DICOM-SEG and RTSTRUCT files name it in their headers."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from noisy_student.cohort.archive.index import File
from noisy_student.cohort.archive.series import Series, by_series, scan_of
from noisy_student.reading.dicom.identity import LABEL_MAPS

NO_SERIES, ELSEWHERE, SEVERAL = (
    "refers to no series",
    "its series is not in the archive",
    "one of several of its series",
)

# A label map, and the series that it refers to, or an empty text.
Reference = tuple[Path, str]


@dataclass(frozen=True)
class LabelMap:
    """A label map of a role, the series that it refers to, and why it is of no scan; empty if it is of one."""

    role: str
    file: Path
    series: str
    why: str = ""


@dataclass(frozen=True)
class Drawn:
    """The series with a label map, and every label map that was found."""

    series: Mapping[str, Series]
    label_maps: Sequence[LabelMap]

    @property
    def file_of(self) -> dict[str, Path]:
        """The label map of each series."""
        return {found.series: found.file for found in self.label_maps if not found.why}

    @property
    def strays(self) -> Counter[str]:
        """How many label maps are of no scan, by the reason."""
        return Counter(found.why for found in self.label_maps if found.why)


def references(folder: Path, files: Sequence[File]) -> list[Reference]:
    """What the label maps among the files of a folder refer to."""
    return [
        (folder / file.path, uid)
        for once in by_series(files).values()
        for file in once
        if file.header.modality in LABEL_MAPS
        for uid in file.header.refers or ("",)
    ]


def drawn_on(
    role: str, found: Sequence[Reference], count: Mapping[str, int], series: Mapping[str, Sequence[File]]
) -> Drawn:
    """Which series label maps refer to; `count`: how many of the role's refer to each."""
    scans = {uid: scan_of(series[uid], None) for _, uid in found if uid in series}
    label_maps = list(_label_maps(role, found, count, scans))
    return Drawn({one.series: scans[one.series] for one in label_maps if not one.why}, label_maps)


def _label_maps(
    role: str, found: Sequence[Reference], count: Mapping[str, int], scans: Mapping[str, Series | str]
) -> Iterator[LabelMap]:
    for file, uid in found:
        why = SEVERAL if count[uid] > 1 else ""
        if uid not in scans:
            why = ELSEWHERE if uid else NO_SERIES
        elif isinstance(scans[uid], str):
            why = f"its series: {scans[uid]}"
        yield LabelMap(role, file, uid, why)
