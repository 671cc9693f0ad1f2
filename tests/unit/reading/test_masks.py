"""A folder of masks is one label map: names by files, the later organ first, each on the scan's grid."""

import numpy as np
import pytest
import SimpleITK as sitk

from labelled_series import NAMES, array_of, body, rank
from noisy_student.errors import InputError
from noisy_student.reading.door import checksum, read_label_map, read_scan

DRAWN = body()


def write(path, array, origin=(5.0, -7.0, 11.0), letters="LPS"):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = sitk.GetImageFromArray(array)
    image.SetSpacing((2.0, 1.5, 3.0))
    image.SetOrigin(origin)
    sitk.WriteImage(sitk.DICOMOrient(image, letters), str(path))
    return path


@pytest.fixture
def scan(tmp_path):
    return read_scan(write(tmp_path / "case/ct.nii.gz", np.where(DRAWN > 0, 60, -1000).astype(np.int16)))


@pytest.mark.parametrize("within", ["segmentations", "."])
@pytest.mark.parametrize(("inside", "extension"), [(1, "nii.gz"), (255, "nrrd"), (1, "mha")])
def test_masks_beside_their_scan_or_in_a_folder_of_their_own(tmp_path, scan, within, inside, extension):
    for label, name in (NAMES | {9: "heart", 12: "empty"}).items():
        mask = inside * (label == DRAWN).astype(np.uint8)
        write(tmp_path / "case" / within / f"{name}.{extension}", mask, letters="RAS" if label == 1 else "LPS")
    volume = read_label_map(tmp_path / "case", scan, rank)
    assert np.array_equal(array_of(volume), DRAWN) and volume.geometry == scan.geometry
    assert volume.names == {1: "liver", 3: "spleen", 4: "pancreas", 256: "empty", 257: "heart"}
    assert volume.remarks == () and volume.is_by_name and not volume.is_plain


def test_without_a_scan_and_a_rank_masks_are_numbered_by_their_names(tmp_path):
    for label, name in NAMES.items():
        write(tmp_path / f"{name}.nii.gz", (label == DRAWN).astype(np.float32), letters="RAS")
    volume = read_label_map(tmp_path)
    assert volume.names == {1: "liver", 2: "pancreas", 3: "spleen"}
    assert np.array_equal(array_of(volume), np.select([DRAWN == 1, DRAWN == 4, DRAWN == 3], [1, 2, 3]))


def test_masks_that_overlap_and_two_that_are_one_organ(tmp_path, scan):
    for name, mask in (("liver", DRAWN == 1), ("spleen", DRAWN == 3), ("all", DRAWN > 0), ("rest", DRAWN == 4)):
        write(tmp_path / f"{name}.nii.gz", mask.astype(np.uint8))
    volume = read_label_map(tmp_path, scan, {"liver": 2, "spleen": 5, "all": 3, "rest": 5}.get)
    assert np.array_equal(array_of(volume), np.select([np.isin(DRAWN, (3, 4)), DRAWN == 1], [5, 3]))
    assert [remark.kind for remark in volume.remarks] == ["joined", "overlap"]
    assert f"{np.count_nonzero(DRAWN)} voxel(s)" in volume.remarks[1].found
    assert volume.names == {2: "liver", 3: "all", 5: "rest", 256: "spleen"}


@pytest.mark.parametrize(("values", "said"), [([0, 1, 2], "0, 1, 2"), ([0, 7], "0, 7"), ([-1, 0, 1], "-1, 0, 1"),
                                              (range(-3, 30), "-3, -2, -1, 0, 1, … 29")])  # fmt: skip
def test_a_file_of_other_values_is_named(tmp_path, scan, values, said):
    path = write(tmp_path / "liver.nii.gz", np.resize(np.array(values, np.int16), DRAWN.shape))
    with pytest.raises(InputError, match=f"the values {said}") as error:
        read_label_map(tmp_path, scan, rank)
    assert str(path) in error.value.wanted
    assert ("mask > 0" in error.value.remedy) == (said == "0, 7")
    assert not array_of(read_label_map(tmp_path, scan, {}.get)).any()


def test_a_mask_on_another_grid_and_an_organ_in_two_files_are_refused(tmp_path, scan):
    write(tmp_path / "a/liver.nii.gz", (DRAWN == 1).astype(np.uint8), origin=(5.0, -7.0, 14.0))
    with pytest.raises(InputError, match="origin in mm") as error:
        read_label_map(tmp_path / "a", scan, rank)
    assert "mask.CopyInformation(scan)" in error.value.remedy
    write(tmp_path / "c/liver.nii.gz", (DRAWN == 1).astype(np.uint8).transpose())
    with pytest.raises(InputError, match="size") as error:
        read_label_map(tmp_path / "c", scan, rank)
    assert "mask = SimpleITK.PermuteAxes(mask, [2, 1, 0])" in error.value.remedy
    for name in ("liver.nii.gz", "liver.nrrd"):
        write(tmp_path / "b" / name, (DRAWN == 1).astype(np.uint8))
    with pytest.raises(InputError, match=r"liver\.nii\.gz and liver\.nrrd are both 'liver'"):
        read_label_map(tmp_path / "b", scan, rank)


def test_words_that_all_names_have_are_cut_off_and_two_files_never_become_one_organ_unsaid(tmp_path, scan):
    for label, name in {1: "Liver", 3: "Spleen", 4: "Pankreas"}.items():
        write(tmp_path / f"case/mask_{name}.nii.gz", 255 * (label == DRAWN).astype(np.uint8))
    (tmp_path / "case/ct.nii.gz").rename(tmp_path / "case/CT.nii.gz")
    volume = read_label_map(tmp_path / "case", scan, lambda name: rank(name.lower()))
    assert volume.names == {1: "Liver", 3: "Spleen", 256: "Pankreas"} and volume.cut == ("mask",)
    assert np.array_equal(array_of(volume), np.where(DRAWN == 4, 0, DRAWN))
    assert read_label_map(tmp_path / "case").names == {1: "mask_Liver", 2: "mask_Pankreas", 3: "mask_Spleen"}
    write(tmp_path / "case/mask_liv.nii.gz", (DRAWN == 4).astype(np.uint8))
    meaning = {"liver": 1, "liv": 1, "spleen": 3}
    joined = read_label_map(tmp_path / "case", scan, lambda name: meaning.get(name.lower())).remarks
    assert [remark.found for remark in joined] == ["one organ under several names: Liver, liv"]
    write(tmp_path / "case/mask_2-Liver.nii.gz", (DRAWN == 4).astype(np.uint8))
    for path in (tmp_path / "case").glob("mask_[A-Zl]*"):
        path.rename(path.with_name(path.name.replace("mask_", "mask_7-")))
    with pytest.raises(InputError, match=r"mask_2-Liver\.nii\.gz and mask_7-Liver\.nii\.gz are both 'Liver'"):
        read_label_map(tmp_path / "case", scan, lambda name: rank(name.lower()))


def test_of_a_folder_with_masks_of_several_cases_those_count_that_are_named(tmp_path, scan):
    masks = {write(tmp_path / "p0_liver.nii.gz", (DRAWN == 1).astype(np.uint8)): "liver"}
    write(tmp_path / "p1_liver.nii.gz", (DRAWN == 3).astype(np.uint8), origin=(0, 0, 0))
    volume = read_label_map(tmp_path, scan, rank, masks)
    assert np.array_equal(array_of(volume), (DRAWN == 1)) and volume.names == {1: "liver"}


def test_what_is_said_of_several_masks_is_said_once(tmp_path, scan):
    for label, name in NAMES.items():
        write(tmp_path / f"{name}.nii.gz", (label == DRAWN).astype(np.uint8)).rename(tmp_path / f"{name}.nii")
    remarks = read_label_map(tmp_path, scan, rank).remarks
    assert [remark.found for remark in remarks] == [
        "liver.nii and 2 more: compressed, though its name does not say so"
    ]  # fmt: skip


def test_the_checksum_is_that_of_all_masks_with_their_names(tmp_path):
    path = write(tmp_path / "liver.nii.gz", (DRAWN == 1).astype(np.uint8))
    write(tmp_path / "._liver.nii.gz", DRAWN)
    first = checksum(tmp_path)
    path.rename(tmp_path / "spleen.nii.gz")
    second = checksum(tmp_path)
    write(tmp_path / "liver.nii.gz", (DRAWN == 3).astype(np.uint8))
    assert len({first, second, checksum(tmp_path)}) == 3
