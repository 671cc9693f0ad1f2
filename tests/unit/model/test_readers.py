"""nnU-Net's readers of scans, whose orientation a model from elsewhere follows."""

from types import SimpleNamespace

import numpy as np
import pytest
import SimpleITK as sitk
from nnunetv2.imageio.reader_writer_registry import recursive_find_reader_writer_by_name

from noisy_student.model.kind import OF_THE_GRID, READERS, grid, unsupported
from noisy_student.model.model_folder import Model

CONFIGURATION = {"patch_size": [8, 8, 8], "preprocessor_name": "DefaultPreprocessor"}
DATASET = {"labels": {"background": 0, "liver": 1}, "channel_names": {"0": "CT"}}


def plans(reader, dataset="Dataset007_Abdomen"):
    return {"image_reader_writer": reader, "dataset_name": dataset}


@pytest.mark.parametrize("reader", READERS)
def test_a_model_sees_scans_as_the_reader_that_it_was_trained_with_gives_them(reader, tmp_path):
    image = sitk.GetImageFromArray(np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6))
    image.SetDirection(sitk.DICOMOrientImageFilter.GetDirectionCosinesFromOrientation("PIR"))
    sitk.WriteImage(image, str(tmp_path / "scan.nii.gz"))
    letters = Model(SimpleNamespace(plans=plans(reader)), [], ()).orientation
    read, _ = recursive_find_reader_writer_by_name(reader)().read_images([str(tmp_path / "scan.nii.gz")])
    expected = sitk.GetArrayFromImage(sitk.DICOMOrient(image, letters or "PIR"))
    assert read[0].shape == expected.shape and (read[0] == expected).all()
    assert not unsupported(plans(reader), CONFIGURATION, DATASET)


@pytest.mark.parametrize(
    ("reader", "mirror_axes", "is_so"),
    [("SimpleITKIO", (), True), ("SimpleITKIO", (0, 1), False), ("NibabelIOWithReorient", (), False)],
)
def test_a_model_without_mirroring_knows_one_order_unless_its_reader_turns_scans(reader, mirror_axes, is_so):
    assert Model(SimpleNamespace(plans=plans(reader)), [], mirror_axes).knows_one_order == is_so


def test_a_model_whose_reader_may_turn_scans_in_any_way_is_refused():
    assert unsupported(plans("Tiff3DIO"), CONFIGURATION, DATASET) == "scans read by Tiff3DIO"
    assert not unsupported(plans("Tiff3DIO", "Dataset001_NoisyStudent"), CONFIGURATION, DATASET)


def test_models_vote_only_where_their_readers_turn_scans_otherwise():
    def seen(reader, dataset="Dataset007_Abdomen"):
        configurations = {"3d_fullres": dict.fromkeys(OF_THE_GRID)}
        return grid(plans(reader, dataset) | {"configurations": configurations}, DATASET, "3d_fullres")

    assert seen("SimpleITKIO") == seen("NibabelIO") != seen("NibabelIOWithReorient")
    assert seen("NibabelIOWithReorient") == seen("SimpleITKIOWithReorient")
    assert seen("SimpleITKIO") != seen("SimpleITKIO", "Dataset001_NoisyStudent")
