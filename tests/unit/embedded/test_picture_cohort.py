"""The picture of the embedded cohort: which way round slices are shown, and what is drawn over them."""

import numpy as np
import pytest

from make_cohort import list_cases, make_cohort
from noisy_student.organs import FLARE22
from picture_cohort import OVERLAY, overlay, picture, views

COUNTS = {"labelled": 1, "unlabelled": 1, "validation": 0, "test": 0}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cohort")
    list(make_cohort(list_cases(COUNTS), folder, seed=1, strength=1.0, cores=1))
    return folder


def test_slices_show_the_patients_right_on_the_left_and_the_front_or_the_head_on_top(cohort):
    folder = cohort / "Training/FLARE22_LabeledCase50"
    axial, coronal = views(folder / "images/FLARE22_Tr_0001_0000.nii.gz", folder / "labels/FLARE22_Tr_0001.nii.gz")
    (_, liver_x), (_, spleen_x) = (np.nonzero(axial.labels == label) for label in (1, 3))
    assert liver_x.mean() < axial.labels.shape[1] / 2 < spleen_x.mean()
    (stomach_y, _), (kidney_y, _) = (np.nonzero(axial.labels == label) for label in (11, 13))
    assert stomach_y.mean() < kidney_y.mean()
    (kidney_z, right_x), (spleen_z, _) = (np.nonzero(coronal.labels == label) for label in (2, 3))
    assert spleen_z.mean() < kidney_z.mean()
    assert right_x.mean() < coronal.labels.shape[1] / 2
    assert coronal.aspect > axial.aspect == 1


def test_organs_have_their_colours_and_the_background_is_clear():
    colours = overlay(np.arange(14).reshape(2, 7))
    assert colours[0, 0].tolist() == [0, 0, 0, 0]
    assert len({tuple(colour) for colour in colours.reshape(-1, 4)}) == len(FLARE22) + 1
    assert (colours[..., 3].ravel()[1:] == OVERLAY).all()


def test_there_is_a_row_for_each_scan_and_a_legend_of_all_organs(cohort):
    figure = picture(cohort, unlabelled=1)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert len(titles) == 8 and titles[0] == "labelled" and titles[4] == "unlabelled"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [organ.name for organ in FLARE22]
