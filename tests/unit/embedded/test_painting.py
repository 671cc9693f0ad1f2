"""Hounsfield units by tissue and phase, blur, noise."""

from itertools import pairwise

import numpy as np
import pytest

from noisy_student.embedded.painting import PHASES_HU, Acquisition, draw_acquisition, paint, scan, tissue_values
from noisy_student.embedded.tissues import Tissue, labels_of
from noisy_student.embedded.variation import BROAD, NARROW, between

NONE, ARTERIAL, PORTAL, LATE = range(4)


def values(phase: float, oral_contrast_hu: float = 0, tissue_sd_hu: float = 0) -> np.ndarray:
    acquisition = Acquisition(phase, 10, 1, oral_contrast_hu)
    return tissue_values(np.random.default_rng(0), acquisition, tissue_sd_hu)


def axes(shape: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    return tuple(np.arange(size) * 3.0 for size in shape)


def test_every_tissue_has_a_value_in_every_phase():
    assert set(PHASES_HU) == set(Tissue)
    assert all(len(row) == 4 for row in PHASES_HU.values())


@pytest.mark.parametrize(
    ("tissue", "phase", "low", "high"),
    [
        (Tissue.LIVER, NONE, 45, 65),
        (Tissue.LIVER, PORTAL, 95, 125),
        (Tissue.AORTA, NONE, 30, 50),
        (Tissue.AORTA, ARTERIAL, 250, 400),
        (Tissue.AORTA, PORTAL, 130, 180),
        (Tissue.IVC, ARTERIAL, 40, 100),
        (Tissue.SPLEEN, PORTAL, 100, 140),
        (Tissue.GALLBLADDER, PORTAL, 0, 20),
        (Tissue.FAT, PORTAL, -115, -90),
        (Tissue.MUSCLE, PORTAL, 50, 70),
        (Tissue.LUNG, PORTAL, -900, -750),
        (Tissue.BONE, NONE, 300, 800),
        (Tissue.AIR, LATE, -1000, -1000),
    ],
)
def test_tissues_have_the_values_of_their_phase(tissue, phase, low, high):
    assert low <= values(phase)[tissue] <= high


def test_the_cortex_stands_out_in_the_arterial_phase_only():
    cortex, medulla = Tissue.RIGHT_KIDNEY, Tissue.RIGHT_MEDULLA
    assert values(ARTERIAL)[cortex] - values(ARTERIAL)[medulla] > 60
    assert abs(values(PORTAL)[cortex] - values(PORTAL)[medulla]) < 40


def test_phases_between_two_are_mixtures():
    assert values(1.5)[Tissue.AORTA] == pytest.approx(np.mean([values(1)[Tissue.AORTA], values(2)[Tissue.AORTA]]))


def test_the_aorta_fades_after_the_arterial_phase():
    course = [values(phase)[Tissue.AORTA] for phase in (ARTERIAL, 1.5, PORTAL, 2.5, LATE)]
    assert all(earlier > later for earlier, later in pairwise(course))


def test_drinking_contrast_brightens_the_stomach_and_nothing_else():
    brighter = np.nonzero(values(PORTAL, oral_contrast_hu=200) - values(PORTAL))[0]
    assert set(brighter) == {Tissue.STOMACH_FLUID, Tissue.DUODENUM_FLUID, Tissue.BOWEL_CONTENT}


def test_both_kidneys_look_alike_in_a_patient():
    drawn = values(PORTAL, tissue_sd_hu=20)
    assert drawn[Tissue.LEFT_KIDNEY] == drawn[Tissue.RIGHT_KIDNEY] != values(PORTAL)[Tissue.RIGHT_KIDNEY]


def test_paint_gives_each_voxel_its_tissues_value_and_a_texture():
    tissues = np.full((20, 24, 24), Tissue.LIVER, np.uint8)
    tissues[:, :12] = Tissue.AIR
    painted = paint(np.random.default_rng(0), tissues, axes(tissues.shape), values(PORTAL))
    assert painted[:, 12:].mean() == pytest.approx(110, abs=2)
    assert 1 < painted[:, 12:].std() < 8
    assert (painted[:, :12] == -1000).all()


def test_a_scan_has_the_noise_and_the_blur_that_were_asked_for():
    flat = np.zeros((20, 40, 40), np.float32)
    flat[:, :, 20:] = 500
    noisy, smooth = (
        scan(np.random.default_rng(0), flat, (5, 3, 3), Acquisition(PORTAL, noise, blur, 0))
        for noise, blur in ((20, 0.01), (0, 3))
    )
    assert noisy.dtype == np.int16
    assert noisy[:, :, :18].std() == pytest.approx(20, rel=0.1)
    assert noisy[:, :, 22:].mean() == pytest.approx(500, abs=3)
    assert 50 < smooth[10, 20, 19] < 250 < smooth[10, 20, 20] < 450


def test_broad_acquisitions_show_all_phases_and_narrow_ones_the_portal_venous():
    def drawn(variation):
        return np.array([draw_acquisition(np.random.default_rng(seed), variation).phase for seed in range(40)])

    assert drawn(NARROW).min() >= 1.8 and drawn(NARROW).max() <= 2.2
    assert drawn(BROAD).min() < 0.7 and drawn(BROAD).max() > 2.5


def test_strength_runs_from_narrow_to_broad():
    assert between(NARROW, BROAD, 0) == NARROW
    assert np.allclose(between(NARROW, BROAD, 1).phase, BROAD.phase)
    assert between(NARROW, BROAD, 0.5).noise_hu[1] == (NARROW.noise_hu[1] + BROAD.noise_hu[1]) / 2


def test_parts_of_organs_count_as_the_organ_and_the_rest_as_background():
    parts = np.array([Tissue.LIVER_VESSEL, Tissue.LEFT_MEDULLA, Tissue.STOMACH_GAS, Tissue.BONE, Tissue.DUODENUM])
    assert labels_of(parts).tolist() == [1, 13, 11, 0, 12]
