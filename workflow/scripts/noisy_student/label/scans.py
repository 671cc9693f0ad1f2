"""Which scans `label_scan.py` is given."""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from pydantic import ValidationError

from noisy_student.cohort import case_folders
from noisy_student.cohort.likely_layout import of_case_folders
from noisy_student.cohort.passed_over import PassedOver
from noisy_student.cohort.scans import scans_in
from noisy_student.configuration.layouts import ScanCases
from noisy_student.errors import InputError
from noisy_student.images import read_geometry
from noisy_student.reading.dicom.files import is_dicom, visible_files, visible_names
from noisy_student.reading.names import EXTENSIONS, stem_of

CHANNEL = re.compile(r"(.+)_(\d{4})")
FIRST = "0000"
REMEDY = "name a scan (a file, or the folder of a DICOM series), or a folder of scans: --image"


@dataclass(frozen=True)
class Found:
    """What there is to label; what is not.

    `channels` are further channels of these scans, which a network of one channel does not see, `superseded` scans of
    which a better corrected one lies beside, `passed_over` whatever else lies in the folder. `cases` are the names of
    scans that are not called after their file, as of a folder for each case.
    """

    scans: list[Path]
    channels: Sequence[Path] = ()
    superseded: Mapping[Path, Path] = field(default_factory=dict)
    passed_over: Sequence[PassedOver] = ()
    cases: Mapping[Path, str] = field(default_factory=dict)


def find_scans(image: Path, scan: str = "") -> Found:
    """The scan that is named, or all of a folder. A folder with one DICOM series in or below it and no image is one.

    `scan`: where the scan of each case lies, from its folder or, with `{case}` for its name, from `image` on.
    """
    if not image.exists():
        raise InputError("a scan, or a folder of scans", f"{image}: no such file or folder", REMEDY)
    if scan:
        return _of_cases(image, scan)
    if not image.is_dir() or _is_case(image):
        return Found([image])
    try:
        found = scans_in(image)
    except InputError as error:
        raise InputError(error.wanted, error.got, _of_each(image) or REMEDY) from error
    channels = further_channels(found.scans)
    scans = [scan for scan in found.scans if scan not in channels]
    return Found(scans, channels, found.superseded, found.passed_over)


def _of_cases(folder: Path, scan: str) -> Found:
    if not folder.is_dir():
        raise InputError("a folder of cases, in which --scan lies", f"{folder}, a file", "leave --scan out")
    remedy = _of_each(folder) or "correct --scan, or name one scan, or a folder of scans, with --image alone"
    try:
        entry = ScanCases(cases=folder, scan=scan)
    except ValidationError as error:
        said = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise InputError("the path of each case's scan with --scan", f"{scan}: {said}", remedy) from error
    try:
        found, scans = case_folders.contents(entry), case_folders.scans_of(entry)
    except InputError as error:
        raise InputError(f"one scan of each case by --scan '{scan}' in {folder}", error.got, remedy) from error
    return Found(found.scans, passed_over=found.passed_over, cases={path: case for case, path in scans.items()})


def _of_each(folder: Path) -> str:
    """The option that names the scan in each case's folder, if that can be told."""
    layout = of_case_folders(folder)
    return f"to label the scan in the folder of each case, add --scan {shlex.quote(layout.scan)}" if layout else ""


def _is_case(folder: Path) -> bool:
    """Whether slices lie in the folder itself, or all below one of its folders, and no images anywhere."""
    if any(name.lower().endswith(EXTENSIONS) for name in visible_names(folder)):
        return False
    entries = [path for path in folder.iterdir() if not path.name.startswith(".")]
    if any(path.is_file() and is_dicom(path) for path in entries):
        return True
    return len(list(islice(_with_slices(entries), 2))) == 1


def _with_slices(entries: list[Path]) -> Iterator[Path]:
    return (path for path in entries if path.is_dir() and any(map(is_dicom, visible_files(path))))


def further_channels(scans: list[Path]) -> list[Path]:
    """Files `<case>_0001` and so on beside `<case>_0000` on its grid, as nnU-Net names a case's channels.

    On another grid it is no channel: people also count their scans from 0000.
    """
    numbered = {scan: CHANNEL.fullmatch(stem_of(scan)) for scan in scans if scan.is_file()}
    firsts = {match[1]: scan for scan, match in numbered.items() if match and match[2] == FIRST}
    return [
        scan
        for scan, match in numbered.items()
        if match and match[2] != FIRST and match[1] in firsts and _may_share_grid(firsts[match[1]], scan)
    ]


def _may_share_grid(first: Path, other: Path) -> bool:
    """Whether two files have the same grid, as far as their headers can be read."""
    try:
        grids = read_geometry(first), read_geometry(other)
    except InputError:
        return True
    return grids[0].size_xyz == grids[1].size_xyz and (
        len(grids[0].size_xyz) != 3 or not grids[0].differences(grids[1])
    )
