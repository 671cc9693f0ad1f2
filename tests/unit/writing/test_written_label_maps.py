"""Label maps for other programs: read back with our reader and with theirs, in every voxel and every name."""

import xml.etree.ElementTree as ElementTree

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
import slicerio

from dicom_series import write_series
from noisy_student.errors import InputError
from noisy_student.geometry import Geometry, reorient
from noisy_student.organs import FLARE22, Organ
from noisy_student.reading.door import read_label_map
from noisy_student.writing.checksum import of_voxels
from noisy_student.writing.door import write_segmentation
from noisy_student.writing.numbers import OWN, TOTALSEGMENTATOR, numbered, renumbered
from noisy_student.writing.segmentation import Segmentation, codes_of

NAMES = {organ.label: organ.name for organ in FLARE22}
TURNED = (np.cos(0.3), -np.sin(0.3), 0, np.sin(0.3), np.cos(0.3), 0, 0, 0, 1)


def label_map(letters="LPS", direction=(1, 0, 0, 0, 1, 0, 0, 0, 1)):
    """A label map of 6 × 9 × 8 voxels (z, y, x) with seven of the organs."""
    voxels = np.zeros((6, 9, 8), np.uint8)
    voxels[1:5, 2:7, 1:7] = np.random.default_rng(2).integers(0, 8, (4, 5, 6))
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing((0.7, 0.8, 2.5))
    image.SetOrigin((-101.3, 12.7, -843.1))
    image.SetDirection(direction)
    return reorient(image, letters)


def written(path, image, organs=FLARE22, note=""):
    assert write_segmentation(Segmentation(image, organs, "a model", note), path, path) == ()
    return path


@pytest.mark.parametrize("ending", [".nii.gz", ".nii", ".seg.nrrd"])
@pytest.mark.parametrize(
    ("letters", "direction"), [("LPS", np.eye(3).ravel()), ("RAS", np.eye(3).ravel()), ("", TURNED)]
)
def test_our_reader_finds_the_same_voxels_places_and_names(tmp_path, ending, letters, direction):
    image = label_map("LPS", tuple(map(float, direction)))
    image = reorient(image, letters) if letters else image
    found = read_label_map(written(tmp_path / f"x{ending}", image))
    stored = reorient(image, "LPS")
    np.testing.assert_array_equal(sitk.GetArrayFromImage(found.image), sitk.GetArrayFromImage(stored))
    assert found.geometry.offset(Geometry.of(stored)) < 1e-4
    assert found.names == NAMES and found.is_plain == ending.startswith(".nii") and not found.remarks


def test_totalsegmentators_reading_finds_number_name_and_colour_and_simpleitk_the_voxels(tmp_path):
    image = label_map("RAS")
    path = written(tmp_path / "x.nii.gz", image, note="made here")
    content = nibabel.load(path).header.extensions[0].get_content()
    labels = ElementTree.fromstring(content).findall("VolumeInformation/LabelTable/Label")
    assert {int(label.get("Key")): label.text for label in labels} == NAMES
    colours = [
        "".join(f"{round(255 * float(label.get(key))):02x}" for key in ("Red", "Green", "Blue")) for label in labels
    ]
    assert [f"#{colour}" for colour in colours] == [organ.colour for organ in FLARE22]
    again = sitk.ReadImage(str(path))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(again), sitk.GetArrayFromImage(image))
    assert again.GetMetaData("ITK_FileNotes").strip() == f"made here {of_voxels(image)}"


def test_two_files_of_one_label_map_are_the_same_bytes(tmp_path):
    for name in ("x.nii.gz", "x.seg.nrrd"):
        first, second = (written(tmp_path / folder / name, label_map()).read_bytes() for folder in "ab")
        assert first == second


def test_slicerio_finds_each_segment_with_its_name_colour_extent_and_code(tmp_path):
    image = label_map("RAS")
    path = written(tmp_path / "x.seg.nrrd", image, [*FLARE22, Organ(14, "prostate, or uterus", colour="#102030")])
    found = slicerio.read_segmentation(str(path))
    np.testing.assert_array_equal(found["voxels"], sitk.GetArrayFromImage(image).T)
    segments = {segment["labelValue"]: segment for segment in found["segments"]}
    assert {number: segment["name"] for number, segment in segments.items()} == NAMES | {14: "prostate, or uterus"}
    assert len({segment["id"] for segment in found["segments"]}) == 14
    assert np.allclose(segments[14]["color"], np.array([16, 32, 48]) / 255, atol=1e-5)
    assert segments[14]["extent"] == [0, -1, 0, -1, 0, -1] and "terminology" not in segments[14]
    inside = np.argwhere(found["voxels"] == 5)
    assert segments[5]["extent"] == np.column_stack([inside.min(0), inside.max(0)]).ravel().tolist()
    assert segments[2]["terminology"]["type"] == ["SCT", "64033007", "kidney"]
    assert segments[2]["terminology"]["typeModifier"] == ["SCT", "24028007", "Right"]
    assert found["ijkToLPS"] @ [1, 2, 3, 1] == pytest.approx([*image.TransformIndexToPhysicalPoint((1, 2, 3)), 1])


def test_nothing_of_the_patient_gets_into_files_that_are_no_dicom(tmp_path):
    write_series(tmp_path / "case", np.zeros((3, 4, 5), np.int16))
    image = label_map()
    for key in ("0010|0010", "descrip", "ITK_FileNotes"):
        image.SetMetaData(key, "DOE^JOHN")
    for ending in (".nii", ".seg.nrrd", ".nrrd", ".mha"):
        content = written(tmp_path / f"x{ending}", image).read_bytes()
        assert b"DOE" not in content and b"4711" not in content


def test_totalsegmentators_numbers_have_its_names():
    theirs = numbered(FLARE22, TOTALSEGMENTATOR)
    expected = {
        "liver": 5, "kidney_right": 2, "spleen": 1, "pancreas": 7, "aorta": 52, "inferior_vena_cava": 63,
        "adrenal_gland_right": 8, "adrenal_gland_left": 9, "gallbladder": 4, "esophagus": 15, "stomach": 6,
        "duodenum": 19, "kidney_left": 3,
    }  # fmt: skip
    assert {organ.name: organ.label for organ in theirs} == expected
    assert numbered(FLARE22, OWN) == list(FLARE22)
    labels = np.array([[0, 1], [2, 13]])
    np.testing.assert_array_equal(renumbered(labels, FLARE22, theirs), [[0, 5], [2, 3]])


def test_codes_mean_the_same_by_totalsegmentators_names():
    assert list(map(codes_of, numbered(FLARE22, TOTALSEGMENTATOR))) == list(map(codes_of, FLARE22))
    assert codes_of(FLARE22[1]) == [("64033007", "kidney"), ("24028007", "Right")]


def test_an_organ_that_totalsegmentator_lacks_is_refused_by_its_name():
    with pytest.raises(InputError, match=r"got: pancreas tumour\n"):
        numbered([Organ(1, "pancreas"), Organ(2, "pancreas tumour")], TOTALSEGMENTATOR)


def test_of_several_classes_that_fit_an_organ_the_one_of_its_own_name_is_taken_or_none():
    exact = Organ(1, "left rib 4", aliases=("rib_left_5", "rib_left_6"))
    assert [(organ.label, organ.name) for organ in numbered([exact], TOTALSEGMENTATOR)] == [(95, "rib_left_4")]
    lobes = Organ(1, "left lung", aliases=("lung_upper_lobe_left", "lung_lower_lobe_left"))
    with pytest.raises(InputError, match=r"left lung \(lung_upper_lobe_left and lung_lower_lobe_left\)"):
        numbered([lobes, Organ(2, "liver")], TOTALSEGMENTATOR)
