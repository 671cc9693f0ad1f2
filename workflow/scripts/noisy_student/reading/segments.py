"""Segments that have names instead of numbers: which are read, as which number, and what is to be said of it."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import numpy as np

from noisy_student.errors import InputError
from noisy_student.geometry import image_like
from noisy_student.organs import LARGEST_LABEL, plain
from noisy_student.reading.volume import Remark, Volume

# The label of the organ that a name means; None for a name that is none of the organs.
Rank = Callable[[str], int | None]


@dataclass(frozen=True)
class Segment:
    """A segment as its file knows it: by `key`; `where` says it to a user, `names` what it is called, best first.

    `label`: the text that its author gave it, where other names say more. `contradiction`: what is said of it twice and
    differently, behind `where`; empty if nothing.
    """

    key: Hashable
    where: str
    names: tuple[str, ...]
    label: str = ""
    contradiction: str = ""

    def shown(self, name: str) -> str:
        """The name by which it is known, with its label where that is another."""
        return f"{name} ({self.where}, {self.label!r})" if self.is_of_kind(name) else name

    def is_of_kind(self, name: str) -> bool:
        """Whether a name is none of its label."""
        return bool(self.label) and name not in (self.label, self.names[0])


@dataclass
class Roll:
    """Key → number of the segments that are read, number → name of all, and remarks.

    Numbers are those of `rank`, and names of what is not read come behind all labels; without a `rank` all are read, by
    their order. Further segments of one organ have its number, and are named behind, too.
    """

    numbers: dict[Hashable, int]
    names: dict[int, str]
    remarks: list[Remark] = field(default_factory=list)

    @property
    def kind(self) -> np.dtype:
        """The smallest type for the numbers."""
        return np.min_scalar_type(max(self.numbers.values(), default=0))

    def volume(self, drawn_zyx: np.ndarray, scan: Volume, overlaps: int) -> Volume:
        """The label map that was drawn on a scan's grid."""
        remarks = (*self.remarks, *([_overlap(overlaps)] if overlaps else []))
        image = image_like(np.ascontiguousarray(drawn_zyx), scan.image)
        return Volume(image, scan.letters, remarks, names=self.names, is_by_name=True)


def roll_of(path: Path, segments: Sequence[Segment], rank: Rank | None) -> Roll:
    """Which segments are read. Raises InputError where two of them have one name, or one is said to be two things."""
    known = [(segment, *_known(segment, rank, place)) for place, segment in enumerate(segments, 1)]
    read = {segment.key: number for segment, _, number in known if number is not None}
    _require_once(path, [segment for segment in segments if segment.key in read])
    _require_clear(path, [segment for segment in segments if segment.key in read])
    names, behind = {}, count(LARGEST_LABEL + 1)
    for _, name, number in known:
        names[number if number is not None and number not in names else next(behind)] = name
    return Roll(read, dict(sorted(names.items())), [*_by_kind(known), *_joined(known)])


def _known(segment: Segment, rank: Rank | None, place: int) -> tuple[str, int | None]:
    """The name by which a segment is known, and its number, if it is read."""
    if rank is None:
        return segment.names[0], place
    return next(((name, label) for name in segment.names if (label := rank(name))), (segment.names[0], None))


def _require_once(path: Path, read: Sequence[Segment]) -> None:
    by_name = defaultdict(list)
    for segment in read:
        name = segment.names[0]
        by_name[plain(name) or name].append(segment)
    if same := next((same for same in by_name.values() if same[1:]), []):
        twice = f"{' and '.join(segment.where for segment in same)} are both {same[0].names[0]!r}"
        remedy = "leave the one that counts, or give the other another name"
        raise InputError(f"each organ once in {path}", twice, remedy)


def _require_clear(path: Path, read: Sequence[Segment]) -> None:
    if said := "; ".join(f"{segment.where}, {segment.contradiction}" for segment in read if segment.contradiction):
        remedy = "look which one it is, and correct the other: the label, or the property type and its modifier"
        raise InputError(f"one side for each segment in {path}", said, remedy)


def _by_kind(known: Sequence[tuple[Segment, str, int | None]]) -> list[Remark]:
    """A remark on segments whose labels say nothing, and which were read by their property type."""
    found = ", ".join(
        segment.shown(name) for segment, name, number in known if number is not None and segment.is_of_kind(name)
    )
    remedy = "nothing, if that is right; else give the segments labels, which go before their types"
    return (
        [Remark("property type", f"segments known by their property type: {found}", "labels that name organs", remedy)]
        if found
        else []
    )


def _joined(known: Sequence[tuple[Segment, str, int | None]]) -> list[Remark]:
    """Remarks on segments that are one organ by several names."""
    by_number = defaultdict(list)
    for segment, name, number in known:
        if number is not None:
            by_number[number].append(segment.shown(name))
    remedy = "nothing, if they are its parts: read as one; else leave the one that counts"
    return [
        Remark("joined", f"one organ under several names: {', '.join(names)}", "one segment of each organ", remedy)
        for names in by_number.values()
        if len(names) > 1
    ]


def _overlap(voxels: int) -> Remark:
    remedy = "nothing: the organ that comes later in the label table has them"
    return Remark("overlap", f"{voxels} voxel(s) in two segments", "each voxel in one", remedy)
