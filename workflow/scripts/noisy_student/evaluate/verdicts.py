"""The evaluation's rules: which DSC and NSD an organ gets, and which rule gave them."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from noisy_student.evaluate.evaluation_modes import Mode
from noisy_student.evaluate.judged_pair import JudgedPair
from noisy_student.evaluate.surface_dice import surface_dice
from noisy_student.evaluate.surfaces import Corners, area_table, mixed_corners, organ_surface
from noisy_student.geometry import Geometry
from noisy_student.organs import Organ
from noisy_student.overlap import dice, slice_overlaps, truth_slices

Z = 2
COMPARED = "compared"
BOTH_EMPTY = "both empty"
TRUTH_EMPTY = "truth empty"
PREDICTION_EMPTY = "prediction empty"
Z_LIMITED = "z-limited"
ONE_SLICE = "z-limited to one slice"
LOW_DSC = "NSD 0 below DSC"
NOT_LABELLED = "not labelled"


class Verdict(NamedTuple):
    """DSC and NSD of one organ, unrounded (NaN of one that is not judged), and how they came about."""

    dsc: float
    nsd: float
    rule: str


NOT_JUDGED = Verdict(np.nan, np.nan, NOT_LABELLED)


class Judgement(NamedTuple):
    """One verdict per organ of the label table, and the voxel counts (truth's label, prediction's label)."""

    verdicts: list[Verdict]
    voxels: np.ndarray


def judge(pair: JudgedPair, mode: Mode, organs: Sequence[Organ], labelled: Collection[int] | None = None) -> Judgement:
    """Judge every organ, or those that are `labelled` in the truth.

    Cuts the z-limited organs out of the pair's arrays in place.
    """
    axis = slice_axis(pair.geometry, mode)
    overlaps = slice_overlaps(pair.truth_zyx, pair.prediction_zyx, len(organs), axis)
    kept = {organ: _kept_slices(overlaps, organ, mode) for organ in organs}
    for organ in (organ for organ in organs if organ.z_limited):
        counts = overlaps[:, organ.label].sum(axis=1), overlaps[:, :, organ.label].sum(axis=1)
        for array, count in zip((pair.truth_zyx, pair.prediction_zyx), counts, strict=True):
            _cut(np.moveaxis(array, axis, 0), np.flatnonzero(count), organ.label, kept[organ])
    surfaces = _Surfaces(pair)
    judged = [organ for organ in organs if labelled is None or organ.label in labelled]
    verdicts = [
        _verdict(organ, overlaps, kept[organ], surfaces, mode) if organ in judged else NOT_JUDGED for organ in organs
    ]
    return Judgement(verdicts, overlaps.sum(axis=0))


def slice_axis(geometry: Geometry, mode: Mode) -> int:
    """The array axis that z-limited organs are cut along: the third one, or where the range is closed, the one
    nearest the patient's long axis."""
    if not mode.closed_z_range:
        return 0
    towards_head = np.abs(geometry.axes[Z])
    return Z - int(np.argmax(towards_head))


def _kept_slices(overlaps: np.ndarray, organ: Organ, mode: Mode) -> slice:
    """All slices, but the truth's own for z-limited organs."""
    if not organ.z_limited or not overlaps[:, organ.label].any():
        return slice(0, len(overlaps))
    return truth_slices(overlaps, organ.label, mode.closed_z_range)


def _cut(slices_first: np.ndarray, occupied: np.ndarray, label: int, kept: slice) -> None:
    """Make `label` background in those of the occupied slices that are not kept."""
    for number in occupied[(occupied < kept.start) | (occupied >= kept.stop)]:
        plane = slices_first[number]
        plane[plane == label] = 0


class _Surfaces:
    """The surfaces of a pair's organs, all found at once."""

    def __init__(self, pair: JudgedPair) -> None:
        self.spacing_mm_xyz = pair.geometry.spacing_mm_xyz
        self.areas_mm2 = area_table(self.spacing_mm_xyz)
        self.corners: tuple[Corners, Corners] = mixed_corners(pair.truth_zyx), mixed_corners(pair.prediction_zyx)

    def dice(self, organ: Organ) -> float:
        truth, prediction = (organ_surface(corners, organ.label, self.areas_mm2) for corners in self.corners)
        return float(surface_dice(truth, prediction, self.spacing_mm_xyz, organ.tolerance_mm))


def _verdict(organ: Organ, overlaps: np.ndarray, kept: slice, surfaces: _Surfaces, mode: Mode) -> Verdict:
    truth_voxels, prediction_voxels = overlaps[:, organ.label].sum(), overlaps[:, :, organ.label].sum()
    if not truth_voxels:
        return Verdict(0.0, 0.0, TRUTH_EMPTY) if prediction_voxels else Verdict(1.0, 1.0, BOTH_EMPTY)
    if not prediction_voxels:
        return Verdict(0.0, 0.0, PREDICTION_EMPTY)
    rule = COMPARED if not organ.z_limited else ONE_SLICE if kept.stop - kept.start == 1 else Z_LIMITED
    dsc = dice(overlaps[kept], organ.label)
    if dsc < mode.nsd_zero_below_dsc:
        return Verdict(dsc, 0.0, f"{rule}, {LOW_DSC} {mode.nsd_zero_below_dsc:g}")
    return Verdict(dsc, surfaces.dice(organ), rule)
