"""Label maps to be judged whose organs have names: masks, segments, structure sets, and files that name their numbers.

They get the label table's numbers; one that is drawn on a scan is read onto the grid of the label map that it is judged
with, on which it has to lie whole.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import SimpleITK as sitk

from noisy_student.cohort.label_names import NAMED, Named, named
from noisy_student.cohort.numbers_by_name import Taken, numbers_by_name, taken_of
from noisy_student.cohort.organ_names import OrganNames
from noisy_student.cohort.stale_names import numbers_in, stale_names
from noisy_student.cohort.unlabelled_voxels import ambiguous, ignored_numbers, unlabelled_remarks
from noisy_student.configuration.numbering import renumbered
from noisy_student.errors import InputError
from noisy_student.geometry import image_like
from noisy_student.organs import Organ
from noisy_student.reading import masks, nrrd_layers
from noisy_student.reading.dicom.objects import kind_of
from noisy_student.reading.door import read_label_map
from noisy_student.reading.volume import Volume

TRUTH, PREDICTION = "truth", "prediction"
# What tells a label map's place, the surest first: its own grid, that of its masks, one that may be cut, only a scan.
FILE, MASKS, LAYERS, DRAWN = range(4)
SAY_WHICH = (
    "say which organs are labelled in the truths: --labelled, or the case table's column `organs`; an organ of another "
    "name needs that among its `aliases` (--organs); where names are of no use, take them away"
)
GIVE_A_GRID = (
    "instead of --truth give --cases results/cohort/cases.tsv, the case table of `snakemake check`: it has the truths "
    "on their scans' grids; or convert one of both to NIfTI on the scan's grid"
)
OTHER_NUMBERS = (
    'name the numbers in a file beside the label maps, as dataset.json: {"labels": {"liver": 6, …}}; or instead of '
    "--truth give --cases results/cohort/cases.tsv, the case table of a run that has these scans, with `labels`"
)
BEYOND = "beyond"


@dataclass(frozen=True)
class Table:
    """The label table whose numbers label maps get; `labelled` are the labels of the organs that a truth must name.

    `is_truths`: the truth's own numbers are the label table's, whatever its file says of them.
    """

    organs: Sequence[Organ]
    labelled: Collection[int]
    is_truths: bool = False

    def asked_for(self, role: str) -> list[Organ]:
        """The organs whose names are looked for."""
        return [organ for organ in self.organs if role == PREDICTION or organ.label in self.labelled]


class Read(NamedTuple):
    """A label map in the label table's numbers, and by which names it got them; None if it has its own."""

    volume: Volume
    taken: Taken | None


def read_both(truth: Path, prediction: Path, table: Table | None) -> list[Read]:
    """Truth and prediction; the one that may need a grid on that of the other one.

    Without a table numbers are taken as they are. Raises InputError where both are drawn on a scan, or one does not lie
    on the other's grid as a whole.
    """
    (first, one), (second, other) = sorted(((truth, TRUTH), (prediction, PREDICTION)), key=lambda both: _place(both[0]))
    if _place(first) == DRAWN:
        raise InputError("a truth or a prediction with a grid of its own", f"{truth} and {prediction}", GIVE_A_GRID)
    read = {one: read_one(first, one, table)}
    read[other] = read_one(second, other, table, read[one].volume)
    _require_whole(second, read[other].volume, first)
    return [read[TRUTH], read[PREDICTION]]


def read_one(path: Path, role: str, table: Table | None, other: Volume | None = None) -> Read:
    """A label map, on the grid of the other one where it has none of its own.

    Raises InputError where a truth's names lack an organ, or names and numbers do not fit together.
    """
    if table is None:
        return Read(read_label_map(path, other), None)
    organs = table.asked_for(role)
    volume = read_label_map(path, other, OrganNames(table.organs, [organ.label for organ in organs]).rank)
    found = _names_of(path, volume)
    if not found.where or (role == TRUTH and table.is_truths and _place(path) == FILE):
        return Read(volume, None)
    # A prediction need not have a name for every organ.
    numbers, wrong = numbers_by_name(found if role == TRUTH else replace(found, lists_all=False), organs, table.organs)
    if wrong:
        raise InputError(f"{NAMED}, {path}", "; ".join(remark.found for remark in wrong), SAY_WHICH)
    ignored = ignored_numbers(found, {})
    unlabelled = ambiguous(found, numbers, ()) or unlabelled_remarks(volume.image, ignored, False)
    if unlabelled:
        raise InputError(f"{unlabelled[0].wanted}, in {path}", unlabelled[0].found, unlabelled[0].remedy)
    taken = taken_of(found, numbers)
    return Read(volume if volume.is_by_name else _numbered(path, volume, found, numbers, table.organs), taken)


def has_own_grid(path: Path) -> bool:
    """Whether a label map can be read without its scan."""
    return _place(path) in (FILE, MASKS)


def _place(path: Path) -> int:
    if path.is_dir():
        return MASKS if masks.masks_in(path) else DRAWN
    if kind_of(path):
        return DRAWN
    return LAYERS if nrrd_layers.is_segmentation(path) else FILE


def _names_of(path: Path, volume: Volume) -> Named:
    """The names of a label map's numbers; those of segments are none of the label table's, even without names."""
    found = named(path, volume)
    return found if found.names or _place(path) != LAYERS else Named("its segments", {}, False, True)


def _numbered(
    path: Path, volume: Volume, found: Named, numbers: Mapping[str, list[int]], organs: Sequence[Organ]
) -> Volume:
    """A label map with numbers of its own, with the label table's."""
    if unnamed := [number for number in numbers_in(volume.image) if number not in found.names]:
        got = f"label {', '.join(map(str, unnamed[:5]))}"
        raise InputError(f"numbers that have a name in {found.where}, in {path}", got, "name them there")
    remarks = stale_names(found, volume.image, [number for own in numbers.values() for number in own], organs)
    if errors := [remark for remark in remarks if remark.severity == "error"]:
        raise InputError(f"{errors[0].wanted}, {path}", errors[0].found, errors[0].remedy)
    voxels = renumbered(sitk.GetArrayViewFromImage(volume.image), numbers, organs)
    return replace(volume, image=image_like(voxels, volume.image), remarks=(*volume.remarks, *remarks))


def _require_whole(path: Path, volume: Volume, other: Path) -> None:
    """Raise where what is drawn reaches beyond the grid of the label map that it is judged with."""
    if found := next((remark.found for remark in volume.remarks if remark.kind == BEYOND), ""):
        remedy = f"give a label map of the scan that {path.name} was drawn on, or cut both to the same part"
        raise InputError(f"{path} and {other} on one grid", f"{found}, here the grid of {other.name}", remedy)
