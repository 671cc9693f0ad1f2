"""A scan and its label maps for the page's viewer: kept in the page, or in a file beside it that the page loads."""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from noisy_student.files import visible, write_text
from noisy_student.organs import FLARE22
from noisy_student.sparse import ignore_label

FOLDER = "volumes"
CASE_BYTES = 2_000_000  # of one case, as text
PAGE_BYTES = 8_000_000  # of all cases in the page
LEAST_BYTES = 200_000  # below, organs are hard to tell
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Volumes:
    """Title → NIfTI, gzipped, base64, the scan first; title → the label map's file; what part of the scan is shown.

    `box_xyz` has the first voxel of each axis, the one after the last, and how many the scan has, in LPS orientation.
    """

    texts: dict[str, str]
    paths: dict[str, str]
    box_xyz: list[list[int]]

    def for_page(self) -> dict[str, Any]:
        """As the viewer reads it: `maps` are title, path and text."""
        maps = [[title, self.paths.get(title, ""), text] for title, text in self.texts.items()]
        return {"box": self.box_xyz, "maps": maps}


@dataclass(frozen=True)
class Wanted:
    """Volumes to make: of which scan and label maps (title → path), and how long their text may be.

    The number `ignore` means what nobody labelled, which no viewer has a colour for.
    """

    case: str
    scan: Path
    label_maps: dict[str, Path]
    limit_bytes: int
    ignore: int

    @property
    def stamp(self) -> str:
        """The first line of the file: what it was made from. As long as that is the same, so is the file.

        The usual table's `ignore` is left out, so that files of earlier versions stay up to date.
        """
        ignore = {} if self.ignore == ignore_label(FLARE22) else {"ignore": self.ignore}
        return "// " + json.dumps({"limit": self.limit_bytes, **ignore, "made from": self._states()})

    def _states(self) -> dict[str, list[int]]:
        paths = [path for path in (self.scan, *self.label_maps.values()) if path.exists()]
        return {str(path): [path.stat().st_size, path.stat().st_mtime_ns] for path in paths}


def file_of(folder: Path, case: str) -> Path:
    """The file that the page loads for a case: a script, since a page on a disk may load nothing else."""
    return folder / f"{case}.js"


def is_made(folder: Path, wanted: Wanted) -> bool:
    """Whether the file is there and was made from what is there now."""
    path = file_of(folder, wanted.case)
    if not path.exists():
        return False
    with path.open() as lines:
        return lines.readline().rstrip("\n") == wanted.stamp


def write_volumes(folder: Path, wanted: Wanted, volumes: Volumes) -> None:
    """Write the file."""
    data = json.dumps(volumes.for_page(), separators=(",", ":"))
    write_text(
        file_of(folder, wanted.case), f"{wanted.stamp}\nwindow.takeVolumes({json.dumps(wanted.case)}, {data});\n"
    )


def keep_only(folder: Path, cases: Collection[str]) -> None:
    """Delete the files of all other cases, which a page would load as if they were of now."""
    kept = {file_of(folder, case) for case in cases}
    for path in visible(folder, ".js"):
        if path not in kept:
            path.unlink(missing_ok=True)


def limit_for(cases: int, total_bytes: int = PAGE_BYTES) -> int:
    """Bytes of text that each of so many cases may take."""
    return min(CASE_BYTES, total_bytes // max(cases, 1))


def fitting(cases: Iterable[str], megabytes: int) -> tuple[list[str], int]:
    """The cases whose volumes fit into so many MB, first ones first, and the bytes that each may take."""
    wanted, total = list(cases), megabytes * MEGABYTE
    limit = max(LEAST_BYTES, limit_for(len(wanted), total))
    return wanted[: total // limit], limit
