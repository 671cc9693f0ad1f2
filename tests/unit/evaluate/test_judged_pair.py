import numpy as np
import pytest
import SimpleITK as sitk

from noisy_student.errors import InputError
from noisy_student.evaluate.judged_pair import read_labels, read_pair
from noisy_student.images import write_image

ORGANS = 13


@pytest.fixture
def save(tmp_path):
    def save_as(name, array_zyx, spacing=(1.0, 2.0, 3.0), origin=(0.0, 0.0, 0.0), direction=None):
        image = sitk.GetImageFromArray(array_zyx)
        image.SetSpacing(spacing)
        image.SetOrigin(origin)
        if direction:
            image.SetDirection(direction)
        write_image(image, tmp_path / name)
        return tmp_path / name

    return save_as


def labels(dtype=np.uint8, value=13, shape=(2, 3, 4)):
    array = np.zeros(shape, dtype)
    array[1, 1, 1] = value
    return array


def test_a_pair_of_any_storage_type_is_read_as_uint8(save):
    pair = read_pair(save("truth.nii.gz", labels(np.float64)), save("prediction.nii.gz", labels(np.int16)), ORGANS)
    assert pair.truth_zyx.dtype == pair.prediction_zyx.dtype == np.uint8
    np.testing.assert_array_equal(pair.truth_zyx, labels())
    np.testing.assert_array_equal(pair.prediction_zyx, labels())
    assert pair.geometry.spacing_mm_xyz == (1, 2, 3)


@pytest.mark.parametrize(
    ("change", "values"),
    [
        ({"array_zyx": labels(shape=(2, 3, 5))}, ("(4, 3, 2)", "(5, 3, 2)")),
        ({"spacing": (1.0, 2.0, 3.5)}, ("(1, 2, 3)", "(1, 2, 3.5)")),
        ({"origin": (0.0, 7.0, 0.0)}, ("(0, 0, 0)", "(0, 7, 0)")),
        ({"direction": (-1.0, 0, 0, 0, 1, 0, 0, 0, 1)}, ("origin in mm (0, 0, 0)", " and (-3, ")),
    ],
)
def test_different_grids_stop_with_both_files_and_values(save, change, values):
    truth = save("truth.nii.gz", labels())
    prediction = save("prediction.nii.gz", **{"array_zyx": labels(), **change})
    with pytest.raises(InputError) as error:
        read_pair(truth, prediction, ORGANS)
    for wanted in (str(truth), str(prediction), *values):
        assert wanted in str(error.value)


@pytest.mark.parametrize(
    ("change", "lines"),
    [
        ({"array_zyx": labels().transpose()}, "prediction = SimpleITK.PermuteAxes(prediction, [2, 1, 0])"),
        ({"origin": (0.0, 7.0, 0.0)}, "prediction.CopyInformation(truth)"),
        ({"array_zyx": labels(shape=(2, 3, 5))}, "resample it onto the truth's"),
    ],
)
def test_a_prediction_on_another_grid_comes_with_the_lines_that_mend_it(save, change, lines):
    truth = save("truth.nii.gz", labels())
    prediction = save("prediction.nii.gz", **{"array_zyx": labels(), **change})
    for checked in (True, False) if "array_zyx" in change else (True,):
        with pytest.raises(InputError) as error:
            read_pair(truth, prediction, ORGANS, checked)
        assert lines in error.value.remedy


@pytest.mark.parametrize(
    ("array", "label"),
    [
        (labels(value=14), "label 14"),
        (labels(np.uint16, 257), "label 257"),
        (labels(np.int16, -1), "label -1"),
        (labels(np.float32, 1.5), "labels 1.5"),
    ],
)
def test_labels_outside_the_table_stop_with_the_file(save, array, label):
    path = save("map.nii.gz", array)
    with pytest.raises(InputError, match=label) as error:
        read_labels(path, ORGANS)
    assert str(path) in str(error.value)


def test_a_4d_file_stops(save):
    path = save("truth.nii.gz", labels())
    series = sitk.JoinSeries([sitk.ReadImage(str(path))] * 2)
    sitk.WriteImage(series, str(path.with_name("series.nii.gz")))
    with pytest.raises(InputError, match=r"size \(4, 3, 2, 2\)"):
        read_pair(path, path.with_name("series.nii.gz"), ORGANS)


def test_unchecked_reads_as_the_official_tools_do(save):
    truth = save("truth.nii.gz", labels())
    prediction = save("prediction.nii.gz", labels(np.uint16, 257), origin=(5.0, 0.0, 0.0))
    pair = read_pair(truth, prediction, ORGANS, checked=False)
    np.testing.assert_array_equal(pair.prediction_zyx, labels(value=1))
    assert not read_labels(save("unknown.nii.gz", labels(value=14)), ORGANS, checked=False)[0].any()


def test_unchecked_sizes_must_still_agree(save):
    with pytest.raises(InputError, match="size"):
        read_pair(save("a.nii.gz", labels()), save("b.nii.gz", labels(shape=(2, 2, 2))), ORGANS, checked=False)


def test_a_missing_file_is_named(tmp_path, save):
    with pytest.raises(InputError, match=r"nothing\.nii\.gz"):
        read_pair(tmp_path / "nothing.nii.gz", save("b.nii.gz", labels()), ORGANS)
