"""Which scans `label_scan.py` is given."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from noisy_student.cohort.passed_over import PassedOver
from noisy_student.cohort.scans import scans_in
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
    which a better corrected one lies beside, `passed_over` whatever else lies in the folder.
    """

    scans: list[Path]
    channels: Sequence[Path] = ()
    superseded: Mapping[Path, Path] = field(default_factory=dict)
    passed_over: Sequence[PassedOver] = ()


def find_scans(image: Path) -> Found:
    """The scan that is named, or all of a folder. A folder with one DICOM series in or below it and no image is one."""
    if not image.exists():
        raise InputError("a scan, or a folder of scans", f"{image}: no such file or folder", REMEDY)
    if not image.is_dir() or _is_case(image):
        return Found([image])
    try:
        found = scans_in(image)
    except InputError as error:
        raise InputError(error.wanted, error.got, REMEDY) from error
    channels = further_channels(found.scans)
    scans = [scan for scan in found.scans if scan not in channels]
    return Found(scans, channels, found.superseded, found.passed_over)


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
