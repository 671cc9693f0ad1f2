"""On which series of an archive label maps were drawn: DICOM-SEG and RTSTRUCT files name it in their headers."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from noisy_student.cohort.archive.index import File
from noisy_student.cohort.archive.series import Series, by_series, scan_of
from noisy_student.reading.dicom.identity import LABEL_MAPS

NO_SERIES, ELSEWHERE, SEVERAL, OF_SEVERAL = (
    "refers to no series",
    "its series is not in the archive",
    "one of several of its series",
    "refers to several series",
)
CT = "CT"


class Reference(NamedTuple):
    """A label map, the series that it was drawn on, or all that it may have been drawn on; `why` it is of no scan."""

    file: Path
    series: str
    why: str = ""


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


def references(folder: Path, files: Sequence[File], series: Mapping[str, Sequence[File]]) -> list[Reference]:
    """What the label maps among the files of a folder refer to; `series`: those of the archive.

    A structure set that was drawn on a CT may refer to the PET beside it, too. Where several series are left, nothing
    here says on which of them it was drawn.
    """
    return [
        _reference(folder / file.path, file.header.refers, series)
        for once in by_series(files).values()
        for file in once
        if file.header.modality in LABEL_MAPS
    ]


def _reference(file: Path, refers: Sequence[str], series: Mapping[str, Sequence[File]]) -> Reference:
    if not refers:
        return Reference(file, "", NO_SERIES)
    there = [uid for uid in refers if uid in series]
    if not there:
        return Reference(file, " ".join(refers), ELSEWHERE)
    scans = [uid for uid in there if isinstance(scan_of(series[uid], None), Series)] or there
    drawn_on = [uid for uid in scans if series[uid][0].header.modality == CT] or scans
    return Reference(file, " ".join(drawn_on), OF_SEVERAL if len(drawn_on) > 1 else "")


def drawn_on(
    role: str, found: Sequence[Reference], count: Mapping[str, int], series: Mapping[str, Sequence[File]]
) -> Drawn:
    """Which series label maps refer to; `count`: how many of the role's refer to each."""
    scans = {one.series: scan_of(series[one.series], None) for one in found if not one.why}
    label_maps = list(_label_maps(role, found, count, scans))
    return Drawn({one.series: scans[one.series] for one in label_maps if not one.why}, label_maps)


def _label_maps(
    role: str, found: Sequence[Reference], count: Mapping[str, int], scans: Mapping[str, Series | str]
) -> Iterator[LabelMap]:
    for file, uid, why in found:
        no_scan = f"its series: {scans[uid]}" if isinstance(scans.get(uid), str) else ""
        yield LabelMap(role, file, uid, why or no_scan or (SEVERAL if count[uid] > 1 else ""))
