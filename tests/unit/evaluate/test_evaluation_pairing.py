"""Which file is whose, under the names that programs give."""

import pytest

from noisy_student.errors import InputError
from noisy_student.evaluate.pairing import LabelMaps
from noisy_student.reading.names import EXTENSIONS


@pytest.fixture
def folder(tmp_path):
    def with_files(*names):
        for name in names:
            (tmp_path / name).touch()
        return LabelMaps(tmp_path)

    return with_files


@pytest.mark.parametrize("extension", [*EXTENSIONS, ".NII.GZ", ".Mha"])
@pytest.mark.parametrize("suffix", ["", "_0000"])
def test_a_case_is_found_in_every_format_with_or_without_its_channel(folder, extension, suffix):
    maps = folder(f"a.b_0001{suffix}{extension}", "other.nii")
    assert maps.of("a.b_0001").name == f"a.b_0001{suffix}{extension}"
    assert maps.cases == ["a.b_0001", "other"]


def test_hidden_files_and_those_of_other_formats_are_none(folder):
    maps = folder("._a.nii.gz", ".a.nrrd", "a.npz", "a.pkl", "dataset.json", "a.nii.gz.part")
    assert maps.files == [] and maps.cases == []
    assert not maps.of("a").exists() and maps.of("a").name == "a.nii.gz"


@pytest.mark.parametrize("names", [("a.nii", "a.nii.gz"), ("a.nii.gz", "a_0000.nii.gz")])
def test_two_files_of_one_case_are_refused(folder, names):
    maps = folder(*names, "b.nii.gz")
    assert maps.of("b").exists()
    with pytest.raises(InputError, match=r"one label map of a in .*\n.*" + " and ".join(names)):
        maps.of("a")


def test_a_case_that_is_called_like_a_channel_has_its_own_file(folder):
    maps = folder("a.nii.gz", "a_0000.nii.gz")
    names = {"a", "a_0000"}
    assert [maps.of(case, names).name for case in sorted(names)] == ["a.nii.gz", "a_0000.nii.gz"]


def test_a_folder_with_masks_of_organs_is_of_a_case_whatever_their_names_have_in_common(folder, tmp_path):
    for name in ("a/mask_Liver", "a/mask_BODY", "b/liver", "c/mask_BODY", "c/mask_dose"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.nii.gz").touch()
    assert folder().cases == ["a", "b"]


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        LabelMaps(tmp_path / "predicitons")


def test_the_file_of_one_case_is_not_called_a_missing_folder(folder, tmp_path):
    folder("a.nii.gz")
    with pytest.raises(InputError, match=f"a file\nremedy: name its folder: {tmp_path}"):
        LabelMaps(tmp_path / "a.nii.gz")
