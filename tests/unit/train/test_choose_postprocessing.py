import os

import numpy as np
import pytest
import SimpleITK as sitk

from noisy_student.errors import InputError
from noisy_student.geometry import image_like
from noisy_student.images import read_image, write_image
from noisy_student.train.postprocessing import choose_steps
from sparse_labels import plan_of

SHAPE = (8, 20, 20)
LIVER, SPLEEN = 1, 3
LABELLED = dict.fromkeys(("a", "b"), range(1, 14))


@pytest.fixture
def judged(tmp_path, write_scan):
    """Paths of label maps and truths: liver and spleen, and what the label maps of two cases have besides."""

    def make(stray_liver=0, second_spleen=0):
        grid = read_image(write_scan("grid.nii.gz", np.zeros(SHAPE, np.int16)))
        paths = {"label_maps": {}, "truths": {}}
        for case in ("a", "b"):
            truth = np.zeros(SHAPE, np.uint8)
            truth[2:6, 2:8, 2:8], truth[2:6, 12:18, 12:18] = LIVER, SPLEEN
            # The true spleen is in two pieces, the larger one below.
            truth[2:3, 2:4, 12:16] = SPLEEN
            found = truth.copy()
            found[7, 19, :stray_liver] = LIVER
            found[2:3, 2:4, 12:16] = SPLEEN if second_spleen else 0
            for kind, array in (("truths", truth), ("label_maps", found)):
                paths[kind][case] = tmp_path / kind / f"{case}.nii.gz"
                write_image(image_like(array, grid), paths[kind][case])
        return paths["label_maps"], paths["truths"]

    return make


def test_an_organ_with_stray_pieces_keeps_its_largest_and_one_that_is_really_in_two_keeps_both(judged, plan):
    chosen = choose_steps(*judged(stray_liver=9, second_spleen=1), LABELLED, plan, cores=1)
    assert chosen["steps"] == [[LIVER]]
    liver, spleen = (chosen["organs"][name] for name in ("liver", "spleen"))
    assert liver["before"] < liver["after"] == 1 and spleen["before"] == spleen["after"] == 1
    assert chosen["organs"]["aorta"] == {"before": None, "after": None}


def test_where_nothing_is_gained_nothing_is_removed(judged, plan):
    assert choose_steps(*judged(), LABELLED, plan, cores=1)["steps"] == []


@pytest.mark.parametrize(("labelled", "steps"), [(False, []), (True, [[1, 2]])])
def test_a_piece_where_nobody_labelled_says_nothing(write_scan, tmp_path, labelled, steps):
    grid = read_image(write_scan("grid.nii.gz", np.zeros(SHAPE, np.int16)))
    truth = np.zeros(SHAPE, np.uint8)
    truth[2:6, 2:8, 2:8], truth[2:6, 12:18, 12:18] = 1, 2
    found = truth.copy()
    found[7, 19, :9] = 1
    truth[7] = 0 if labelled else 3
    write_image(image_like(truth, grid), tmp_path / "truth.nii.gz")
    write_image(image_like(found, grid), tmp_path / "found.nii.gz")
    files = {"a": tmp_path / "found.nii.gz"}, {"a": tmp_path / "truth.nii.gz"}
    chosen = choose_steps(*files, {"a": {1, 2}}, plan_of(), cores=1)
    assert chosen["steps"] == steps and chosen["organs"]["liver"]["after"] == 1


def test_half_a_label_map_is_not_judged(judged, plan):
    label_maps, truths = judged()
    half = label_maps["b"]
    os.truncate(half, half.stat().st_size // 2)
    with pytest.raises(InputError, match=rf"{half}[\s\S]*damaged"):
        choose_steps(label_maps, truths, LABELLED, plan, cores=1)


def test_an_organ_says_nothing_where_it_is_not_labelled(judged, plan):
    """The liver's stray piece is in both scans; so is a piece of the spleen, which the truth does not have."""
    label_maps, truths = judged(stray_liver=9)
    for path in label_maps.values():
        image = read_image(path)
        array = sitk.GetArrayFromImage(image)
        array[0, :4, :4] = SPLEEN
        write_image(image_like(array, image), path)
    nowhere = choose_steps(label_maps, truths, {"a": [LIVER], "b": [LIVER]}, plan, cores=1)
    assert nowhere["steps"] == [[LIVER]] and nowhere["organs"]["spleen"] == {"before": None, "after": None}
    somewhere = choose_steps(label_maps, truths, {"a": [LIVER], "b": [LIVER, SPLEEN]}, plan, cores=1)
    assert somewhere["steps"] == [[LIVER], [SPLEEN]]
    everywhere = choose_steps(label_maps, truths, LABELLED, plan, cores=1)
    assert everywhere["organs"]["spleen"] == pytest.approx(somewhere["organs"]["spleen"])


def test_a_label_map_is_not_blamed_for_an_organ_that_the_truth_does_not_label(judged, plan):
    label_maps, truths = judged()
    empty = image_like(np.zeros(SHAPE, np.uint8), read_image(truths["b"]))
    write_image(empty, truths["b"])
    only_a = choose_steps(label_maps, truths, {"a": [LIVER], "b": [SPLEEN]}, plan, cores=1)
    assert only_a["organs"]["liver"]["before"] == 1
