"""Which scans `--image` means."""

import re
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from dicom_series import write_series
from noisy_student.errors import InputError
from noisy_student.label.jobs import Job, jobs_of
from noisy_student.label.label_all import Outcome
from noisy_student.label.scans import find_scans
from noisy_student.label.words import of_axes, of_others

VOXELS = np.zeros((3, 4, 5), np.int16)


@pytest.fixture
def save(tmp_path):
    def save_as(name, spacing=(2.0, 2.0, 3.0)):
        image = sitk.GetImageFromArray(VOXELS)
        image.SetSpacing(spacing)
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        sitk.WriteImage(image, str(path))
        return path

    return save_as


def names(folder):
    return [path.name for path in find_scans(folder).scans]


@pytest.mark.parametrize("below", ["", "series", "study/series"])
def test_the_folder_of_a_case_is_one_scan_however_deep_its_series_lies(tmp_path, below):
    write_series(tmp_path / "case" / below, VOXELS)
    assert find_scans(tmp_path / "case").scans == [tmp_path / "case"]


def test_a_folder_of_cases_is_many_scans(tmp_path):
    for case in ("a", "b"):
        write_series(tmp_path / "scans" / case / "series", VOXELS)
    assert names(tmp_path / "scans") == ["a", "b"]


def test_an_index_of_a_disk_is_no_slice(tmp_path):
    for case in ("a", "b"):
        write_series(tmp_path / "scans" / case, VOXELS)
    (tmp_path / "scans/DICOMDIR").write_bytes(bytes(128) + b"DICM")
    assert names(tmp_path / "scans") == ["a", "b"]


def test_a_series_beside_files_is_a_scan_among_others(tmp_path, save):
    write_series(tmp_path / "scans/series", VOXELS)
    save("scans/a.nii.gz")
    (tmp_path / "scans/._a.nii.gz").touch()
    assert names(tmp_path / "scans") == ["a.nii.gz", "series"]


def test_further_channels_of_a_case_are_passed_over(tmp_path, save):
    for name in ("a_0000.nii.gz", "a_0001.nii.gz", "a_0002.nrrd", "b_0000.nii.gz", "c_0001.nii.gz", "d.nii.gz"):
        save(f"scans/{name}")
    found = find_scans(tmp_path / "scans")
    assert [path.name for path in found.channels] == ["a_0001.nii.gz", "a_0002.nrrd"]
    assert [path.name for path in found.scans] == ["a_0000.nii.gz", "b_0000.nii.gz", "c_0001.nii.gz", "d.nii.gz"]


def test_a_damaged_channel_is_a_channel(tmp_path, save):
    save("scans/a_0000.nii.gz")
    (tmp_path / "scans/a_0001.nii.gz").write_bytes(b"damaged")
    assert names(tmp_path / "scans") == ["a_0000.nii.gz"]


def test_scans_counted_from_0000_are_no_channels(tmp_path, save):
    for number in range(3):
        save(f"scans/scan_{number:04}.nii.gz", spacing=(2.0, 2.0, 3.0 + number))
    assert names(tmp_path / "scans") == [f"scan_{number:04}.nii.gz" for number in range(3)]


def test_what_is_not_there_and_an_empty_folder_are_errors_with_their_own_remedy(tmp_path):
    with pytest.raises(InputError, match=r"nothing\.nii: no such file[^`]*--image"):
        find_scans(tmp_path / "nothing.nii")
    with pytest.raises(InputError, match="got: none\nremedy: name a scan"):
        find_scans(tmp_path)


def test_what_lies_beside_the_scans_is_said_and_the_corrected_one_is_taken(save, tmp_path):
    for name in ("a.nii.gz", "a_Eq_1.nii.gz", "b.nii.gz"):
        save(name)
    (tmp_path / "old.zip").write_bytes(b"PK")
    (tmp_path / "._b.nii.gz").write_bytes(b"macOS")
    found = find_scans(tmp_path)
    assert [path.name for path in found.scans] == ["a_Eq_1.nii.gz", "b.nii.gz"]
    said = "\n".join(of_others(found))
    assert "a.nii.gz: a_Eq_1.nii.gz is its corrected one" in said
    assert "1 that are no scans: old.zip (an archive: unpack it)" in said


KEYS = re.compile(r"`(cases|archive|images|label_maps)`|cohort|table of scans|config/README")


@pytest.mark.parametrize(
    ("files", "option"),
    [
        (("s1/ct.nii.gz", "s1/segmentations/liver.nii.gz", "s2/ct.nii.gz"), "ct.nii.gz"),
        (("P_1/P_1.nii.gz", "P_1/GT.nii.gz", "P_2/P_2.nii.gz", "P_2/GT.nii.gz"), "'{case}/{case}.nii.gz'"),
        (("a/5_abdomen.nii.gz", "b/3_thorax.nii.gz"), "'*.nii.gz'"),
    ],
)
def test_folders_of_cases_are_an_error_with_the_option_that_labels_them(lay, files, option):
    """A folder that is given as it was downloaded; the remedy is of this command, and following it finds the scans."""
    folder = lay(*(f"d/{file}" for file in files)) / "d"
    with pytest.raises(InputError) as error:
        find_scans(folder)
    assert error.value.remedy.endswith(f"add --scan {option}") and not KEYS.search(str(error.value))
    found = find_scans(folder, option.strip("'"))
    cases = sorted({file.split("/")[0] for file in files})
    assert [job.case for job in jobs_of(folder, found, f"{folder.parent}/out/")] == cases
    assert not KEYS.search("".join(of_others(found)))


def test_a_scan_that_no_case_has_or_several_are_errors_of_this_command(lay):
    folder = lay("d/a/1.nii.gz", "d/a/2.nii.gz", "d/b/1.nii.gz") / "d"
    for scan, said in (("ct.nii.gz", "without"), ("*.nii.gz", "several of 1 case(s)"), ("../a", "a path within")):
        with pytest.raises(InputError) as error:
            find_scans(folder, scan)
        assert said in error.value.got and "--scan" in str(error.value) and not KEYS.search(str(error.value))
    with pytest.raises(InputError, match="leave --scan out"):
        find_scans(folder / "a/1.nii.gz", "ct.nii.gz")


def test_beside_scans_folders_of_cases_are_named_with_the_option_for_them(lay):
    said = of_others(find_scans(lay("d/x.nii.gz", "d/s1/ct.nii.gz", "d/IM1.dcm") / "d"))
    assert "--scan" in said[-1] and not KEYS.search("".join(said))
    said = of_others(find_scans(lay("s1/ct.nii.gz", "s1/segmentations/liver.nii.gz") / "s1"))
    assert "segmentations" in said[0] and "--scan" not in said[-1]


def test_scans_in_several_orders_of_axes_are_counted():
    def outcomes(*letters):
        return [Outcome(Job("a", Path("a.nii.gz"), ()), (), letters=stored) for stored in letters]

    [line] = of_axes(outcomes("RAS", "LPS", "", "RAS"))
    assert "as they are stored, here 2 along RAS, 1 along LPS; give them along" in line
    assert of_axes(outcomes("RAS", "", "RAS")) == [] == of_axes([])
