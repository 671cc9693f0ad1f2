"""The inside of organs: filled, never larger than the organ, and gas in front."""

import numpy as np
import pytest

from noisy_student.embedded.interiors import fill_organs
from noisy_student.embedded.tissues import Tissue, labels_of

AXES_MM_ZYX = tuple(np.arange(size) * 3.0 for size in (30, 40, 80))
ORGANS = (Tissue.RIGHT_KIDNEY, Tissue.LIVER, Tissue.STOMACH, Tissue.LEFT_KIDNEY)


def blocks() -> np.ndarray:
    """Four organs beside one another, in fat."""
    tissues = np.full((30, 40, 80), Tissue.FAT, np.uint8)
    for column, organ in enumerate(ORGANS):
        tissues[5:25, 8:32, 20 * column + 2 : 20 * column + 18] = organ
    return tissues


def filled(tissues: np.ndarray, oral_contrast: bool = False, seed: int = 0) -> np.ndarray:
    return fill_organs(np.random.default_rng(seed), tissues, AXES_MM_ZYX, oral_contrast)


def test_no_outline_changes_and_the_given_map_is_left_alone():
    tissues = blocks()
    assert np.array_equal(labels_of(filled(tissues)), labels_of(blocks()))
    assert np.array_equal(tissues, blocks())


@pytest.mark.parametrize("part", [Tissue.RIGHT_MEDULLA, Tissue.LEFT_MEDULLA, Tissue.LIVER_VESSEL, Tissue.STOMACH_FLUID])
def test_organs_have_their_parts(part):
    assert (filled(blocks()) == part).any()


def test_a_kidneys_surface_is_cortex():
    kidney = filled(blocks())[5:25, 8:32, 2:18]
    assert (kidney[0] == Tissue.RIGHT_KIDNEY).all() and (kidney[:, :, -1] == Tissue.RIGHT_KIDNEY).all()


def test_the_stomachs_gas_lies_in_front_of_its_fluid():
    stomach = filled(blocks())
    gas, fluid = (np.nonzero(stomach == part)[1] for part in (Tissue.STOMACH_GAS, Tissue.STOMACH_FLUID))
    assert gas.max() < fluid.min()


def test_who_drank_has_less_gas_in_the_stomach():
    drank, fasted = (
        np.mean([(filled(blocks(), contrast, seed) == Tissue.STOMACH_GAS).mean() for seed in range(8)])
        for contrast in (True, False)
    )
    assert drank < fasted


def test_missing_organs_are_no_error():
    empty = np.full((30, 40, 80), Tissue.FAT, np.uint8)
    assert np.array_equal(filled(empty), empty)
