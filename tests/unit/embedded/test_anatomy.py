"""The random abdomen: all organs, whole, on their sides, in their order and of their size."""

from dataclasses import dataclass
from functools import cache

import cc3d
import numpy as np
import pytest

from noisy_student.embedded import standard_body as standard
from noisy_student.embedded.anatomy import draw_build, draw_space, draw_tissues, torso_of
from noisy_student.embedded.grids import fine_axes
from noisy_student.embedded.surroundings import spine_y_mm
from noisy_student.embedded.tissues import Tissue, labels_of
from noisy_student.embedded.variation import BROAD, NARROW, Variation
from noisy_student.organs import FLARE22

SPACING_MM_ZYX = (5.0, 5.0, 5.0)  # the fine voxels are 2.5 mm wide
SEEDS = range(3)
VARIATIONS = {"narrow": NARROW, "broad": BROAD}
EVERY_BODY = [(name, seed) for name in VARIATIONS for seed in SEEDS]
LABELS = {organ.short: organ.label for organ in FLARE22}

# Volumes in ml that a scan of adults of all sizes may show.
VOLUMES_ML = {
    "Liver": (600, 3200),
    "RK": (70, 420),
    "Spleen": (25, 480),
    "Pancreas": (35, 170),
    "Aorta": (35, 190),
    "IVC": (40, 250),
    "RAG": (4.2, 16),
    "LAG": (4.2, 16),
    "GB": (12, 75),
    "Esoph.": (7, 45),
    "Stomach": (130, 800),
    "Duod.": (35, 200),
    "LK": (70, 420),
}


@dataclass(frozen=True)
class Body:
    """A drawn body: tissues (z, y, x) and the places of its voxels in the patient's mm, in LPS."""

    tissues: np.ndarray
    axes_mm_zyx: tuple[np.ndarray, ...]

    @property
    def labels(self) -> np.ndarray:
        return labels_of(self.tissues)

    def centre_mm_xyz(self, organ: str) -> np.ndarray:
        voxels = np.nonzero(self.labels == LABELS[organ])
        return np.array([axis[at].mean() for axis, at in zip(self.axes_mm_zyx, voxels, strict=True)])[::-1]


def draw_body(seed: int, variation: Variation) -> Body:
    rng = np.random.default_rng(seed)
    build = draw_build(rng, variation)
    along_x, along_y = torso_of(build.fat_mm).outline_mm()
    ends = ((standard.BOTTOM_MM, standard.TOP_MM), along_y, along_x)
    scaled = [(low * scale, high * scale) for (low, high), scale in zip(ends, build.scale_xyz[::-1], strict=True)]
    axes = fine_axes(tuple(scaled), SPACING_MM_ZYX)
    return Body(draw_tissues(rng, draw_space(rng, axes, build, variation), build, variation), axes)


@cache
def body(name: str, seed: int) -> Body:
    return draw_body(seed, VARIATIONS[name])


@pytest.mark.parametrize(("name", "seed"), EVERY_BODY)
def test_every_organ_is_there_in_one_piece(name, seed):
    pieces = {
        organ.name: int(cc3d.connected_components(body(name, seed).labels == organ.label, connectivity=26).max())
        for organ in FLARE22
    }
    assert pieces == {organ.name: 1 for organ in FLARE22}


@pytest.mark.parametrize(("name", "seed"), EVERY_BODY)
def test_organs_have_their_size(name, seed):
    voxel_ml = SPACING_MM_ZYX[0] * 2.5 * 2.5 / 1000
    volumes_ml = np.bincount(body(name, seed).labels.ravel(), minlength=14) * voxel_ml
    wrong = {
        organ: volumes_ml[LABELS[organ]]
        for organ, (low, high) in VOLUMES_ML.items()
        if not low < volumes_ml[LABELS[organ]] < high
    }
    assert not wrong


@pytest.mark.parametrize(("name", "seed"), EVERY_BODY)
def test_right_organs_lie_on_the_patients_right(name, seed):
    x = {organ: body(name, seed).centre_mm_xyz(organ)[0] for organ in LABELS}
    assert max(x["Liver"], x["GB"], x["RK"], x["RAG"], x["IVC"], x["Duod."]) < 0
    assert min(x["Spleen"], x["Stomach"], x["LK"], x["LAG"], x["Aorta"]) > 0
    assert x["RK"] < x["RAG"] < x["IVC"] < x["Aorta"] < x["LAG"] < x["LK"] < x["Spleen"]


@pytest.mark.parametrize(("name", "seed"), EVERY_BODY)
def test_organs_lie_in_order_from_head_to_feet_and_from_front_to_back(name, seed):
    _, y, z = ({organ: body(name, seed).centre_mm_xyz(organ)[axis] for organ in LABELS} for axis in range(3))
    assert z["Esoph."] > z["Stomach"] > z["Pancreas"] > z["Duod."]
    assert z["RAG"] > z["RK"] and z["LAG"] > z["LK"] and z["Liver"] > z["GB"]
    assert max(y["GB"], y["Stomach"]) < y["Pancreas"] < min(y["RK"], y["LK"], y["Spleen"])


@pytest.mark.parametrize(("name", "seed"), EVERY_BODY)
def test_the_aorta_runs_through_all_slices_before_the_spine(name, seed):
    labels = body(name, seed).labels
    assert (labels == LABELS["Aorta"]).any(axis=(1, 2)).all()
    assert body(name, seed).centre_mm_xyz("Aorta")[1] < spine_y_mm(np.float64(0))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_body_is_whole(seed):
    tissues = body("broad", seed).tissues
    assert set(np.unique(tissues)) > {Tissue.AIR, Tissue.SKIN, Tissue.FAT, Tissue.MUSCLE, Tissue.BONE, Tissue.LUNG}
    edges = np.concatenate([tissues[:, edge].ravel() for edge in (0, -1)] + [tissues[..., e].ravel() for e in (0, -1)])
    assert (edges == Tissue.AIR).all()
    lungs_z, kidneys_z = (np.nonzero(np.isin(tissues, kind))[0].mean() for kind in ((Tissue.LUNG,), (2, 13)))
    assert lungs_z > kidneys_z


def test_the_same_seed_gives_the_same_body_and_another_seed_another():
    again = draw_body(0, BROAD).tissues
    assert np.array_equal(again, body("broad", 0).tissues)
    assert again.shape != body("broad", 1).tissues.shape or not np.array_equal(again, body("broad", 1).tissues)


def test_broad_bodies_differ_more_than_narrow_ones():
    def spread(name: str) -> float:
        volumes = [np.log(np.bincount(body(name, seed).labels.ravel(), minlength=14)[1:14]) for seed in SEEDS]
        return float(np.std(volumes, axis=0).mean())

    assert spread("broad") > 1.5 * spread("narrow")
