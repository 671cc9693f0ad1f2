"""Scans labelled one after the other in one process: what is wrong with one ends that one alone."""

import nibabel
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
import torch

from dicom_series import change, write_series
from noisy_student.configuration.prediction_options import Prediction
from noisy_student.geometry import Geometry, orientation
from noisy_student.images import VOLUME_FORMATS, read_geometry
from noisy_student.label import label_all as module
from noisy_student.label import labeller as labeller_module
from noisy_student.label.jobs import jobs_of
from noisy_student.label.label_all import label_all
from noisy_student.label.labeller import Labeller, spacing_along_patient
from noisy_student.label.scans import find_scans
from noisy_student.label.words import failed_scans, of_all, of_outcome
from noisy_student.model.model_folder import checkpoints_of, read_model
from noisy_student.model.predictor import Predictor
from noisy_student.plan.preprocessing import Plan
from noisy_student.reading.door import read_label_map
from noisy_student.writing.formats import DICOM_SEG, FORMATS, SLICER
from noisy_student.writing.numbers import TOTALSEGMENTATOR, numbered


@pytest.fixture(scope="module")
def labeller(untrained):
    """One fold, on one patch of 192 × 288 × 288 mm."""
    return Labeller(Predictor(read_model(checkpoints_of(untrained, ["0"])), Prediction(), torch.device("cpu")))


@pytest.fixture
def folder(tmp_path):
    """Three scans of 60 × 200 × 200 mm."""
    random = np.random.default_rng(1)
    for name in "abc":
        voxels = np.full((10, 20, 20), -1000.0)
        voxels[:, 4:16, 4:16] = 40
        save(voxels + random.normal(0, 8, voxels.shape), tmp_path / f"scans/{name}.nii.gz")
    return tmp_path / "scans"


def save(voxels_zyx, path, spacing=(10.0, 10.0, 6.0), letters="LPS"):
    image = sitk.GetImageFromArray(voxels_zyx.round().astype(np.int16))
    image.SetSpacing(spacing)
    path.parent.mkdir(exist_ok=True)
    sitk.WriteImage(sitk.DICOMOrient(image, letters), str(path))


def voxels_of(path):
    return sitk.GetArrayFromImage(sitk.ReadImage(str(path))).astype(float)


def outcomes(image, labeller, output="labels/", formats=(), **more):
    place = (image.parent if image.is_file() else image).parent
    jobs = jobs_of(image, find_scans(image), f"{place}/{output}", formats)
    return {outcome.job.case: outcome for outcome in label_all(jobs, labeller, **more)}


def labelled(folder):
    return sorted(path.name for path in folder.parent.glob("labels/*"))


def test_an_unreadable_scan_does_not_end_the_others_wherever_it_stands(folder, labeller):
    for bad in "ac":
        (folder / f"{bad}.nii.gz").write_bytes(b"damaged")
    found = outcomes(folder, labeller)
    assert list(found) == ["a", "b", "c"] and labelled(folder) == ["b.nii.gz"]
    lines = failed_scans(list(found.values()))
    assert lines[0] == "not labelled: 2 of 3"
    assert [str(folder / f"{bad}.nii.gz") in line for bad, line in zip("ac", lines[1:], strict=True)] == [True, True]


def test_a_scan_that_a_gpu_has_no_room_for_is_to_be_labelled_on_the_cpu(folder, labeller, monkeypatch):
    def predict(seen):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(labeller, "predict", predict)
    found = outcomes(folder, labeller)
    assert labelled(folder) == [] and all("--device cpu" in found[case].errors[0].remedy for case in "abc")


def test_a_program_error_in_one_scan_is_shown_and_does_not_end_the_others(folder, labeller, monkeypatch, capsys):
    read = labeller_module.preprocessed_image

    def of_a_faulty_library(image, plan):
        if voxels_of(folder / "a.nii.gz")[0, 0, 0] == sitk.GetArrayViewFromImage(image)[0, 0, 0]:
            raise ValueError("a library's fault")
        return read(image, plan)

    for number, name in enumerate("abc"):
        voxels = voxels_of(folder / f"{name}.nii.gz")
        voxels[0, 0, 0] = -1000 - number
        save(voxels, folder / f"{name}.nii.gz")
    monkeypatch.setattr(labeller_module, "preprocessed_image", of_a_faulty_library)
    found = outcomes(folder, labeller)
    assert [error.found for error in found["a"].errors] == ["ValueError: a library's fault"]
    assert labelled(folder) == ["b.nii.gz", "c.nii.gz"] and "of_a_faulty_library" in capsys.readouterr().err


def test_a_disk_that_is_full_ends_all(folder, labeller, monkeypatch):
    def write(segmentation, scan, path):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(module, "write_segmentation", write)
    with pytest.raises(OSError, match="No space"):
        outcomes(folder, labeller)


def test_a_scan_that_is_no_ct_is_labelled_only_if_accepted(folder, labeller):
    scan = folder / "b.nii.gz"
    save(voxels_of(scan) + 1024, scan)
    refused = outcomes(scan, labeller)["b"]
    assert [error.kind for error in refused.errors] == ["not CT"] and labelled(folder) == []
    # Its own option, and no key of a configuration.
    assert "--accept" in refused.errors[0].remedy and "cohort" not in refused.errors[0].remedy
    accepted = outcomes(scan, labeller, accept=True)["b"]
    assert not accepted.errors and labelled(folder) == ["b.nii.gz"]
    assert any(line.startswith("warning b: no Hounsfield units") for line in of_outcome(accepted))


def test_acquisitions_that_alternate_are_labelled_only_if_accepted(folder, labeller):
    voxels = voxels_of(folder / "b.nii.gz").astype(np.int16)
    for number, path in enumerate(write_series(folder.parent / "case", voxels, (10.0, 10.0, 6.0))):
        change(path, AcquisitionNumber=number % 2)
    refused = outcomes(folder.parent / "case", labeller)["case"]
    assert [error.kind for error in refused.errors] == ["acquisitions"] and labelled(folder) == []
    assert "--accept" in refused.errors[0].remedy and "cohort" not in refused.errors[0].remedy
    accepted = outcomes(folder.parent / "case", labeller, accept=True)["case"]
    assert not accepted.errors and labelled(folder) == ["case.nii.gz"]


def test_a_failed_scans_earlier_label_map_is_named(folder, labeller):
    scan = folder / "b.nii.gz"
    outcomes(scan, labeller)
    scan.write_bytes(b"damaged")
    lines = failed_scans(list(outcomes(scan, labeller).values()))
    assert lines[1].endswith("labels/b.nii.gz is left as an earlier run made it")


@pytest.mark.parametrize("letters", ["LPS", "ASL", "PIR"])
def test_a_scan_of_half_the_networks_spacing_is_refused_however_it_is_stored(folder, labeller, letters):
    voxels = voxels_of(folder / "b.nii.gz")
    (folder / "a.nii.gz").unlink()
    save(voxels[:4], folder / "b.nii.gz", spacing=(10.0, 10.0, 1.0), letters=letters)
    save(voxels[:4], folder / "c.nii.gz", spacing=(10.0, 10.0, 1.1), letters=letters)
    found = outcomes(folder, labeller)
    assert [error.found for error in found["b"].errors] == ["an extent of 4 mm, head-foot"]
    assert labelled(folder) == ["c.nii.gz"]
    assert (found["b"].letters, found["c"].letters) == ("", letters)
    geometry = read_geometry(folder.parent / "labels/c.nii.gz")
    assert orientation(geometry.direction) == letters and not geometry.differences(read_geometry(folder / "c.nii.gz"))


def test_thick_slices_and_odd_axes_are_labelled(folder, labeller):
    """One and two slices, coarse axes, sagittal slices, and a scan turned by 30°; each label map on its scan's grid."""
    voxels = voxels_of(folder / "c.nii.gz")
    save(voxels[:1], folder / "a.nii.gz")
    save(voxels[:2], folder / "b.nii.gz", spacing=(10.0, 14.0, 14.0))
    save(voxels, folder / "c.nii.gz", letters="PIR")
    image = sitk.ReadImage(str(folder / "a.nii.gz"))
    image.SetDirection((np.cos(np.pi / 6), -0.5, 0, 0.5, np.cos(np.pi / 6), 0, 0, 0, 1))
    sitk.WriteImage(image, str(folder / "turned.nii.gz"))
    assert not any(outcome.errors for outcome in outcomes(folder, labeller).values())
    for scan in folder.iterdir():
        assert not read_geometry(folder.parent / "labels" / scan.name).differences(read_geometry(scan))


def test_a_scan_without_orientation_is_labelled_with_the_checks_warning(folder, labeller):
    image = nibabel.Nifti1Image(voxels_of(folder / "b.nii.gz").transpose(2, 1, 0).astype(np.int16), None)
    image.header.set_zooms((10, 10, 6))
    nibabel.save(image, folder / "b.nii.gz")
    found = outcomes(folder / "b.nii.gz", labeller)["b"]
    assert not found.errors and labelled(folder) == ["b.nii.gz"]
    assert any(line.startswith("warning b: no orientation in the header") for line in of_outcome(found))


@pytest.mark.parametrize(
    ("transposed", "letters", "expected"),
    [
        ([0, 1, 2], "LPS", (3, 2, 1)),
        ([0, 1, 2], "RAI", (3, 2, 1)),
        ([0, 1, 2], "SLP", (1, 3, 2)),
        ([2, 0, 1], "LPS", (2, 1, 3)),
        ([2, 0, 1], "PSR", (1, 3, 2)),
    ],
)
def test_spacing_is_given_along_the_patients_axes(plan, transposed, letters, expected):
    configurations = {"3d_fullres": plan.plans["configurations"]["3d_fullres"] | {"spacing": [3, 2, 1]}}
    turns = {"transpose_forward": transposed, "transpose_backward": np.argsort(transposed).tolist()}
    turned = Plan(plan.plans | turns | {"configurations": configurations}, plan.dataset)
    assert spacing_along_patient(turned, letters) == expected


def test_a_dicom_scans_label_map_is_the_same_in_all_formats_that_are_wanted(folder, labeller, tmp_path):
    voxels = voxels_of(folder / "a.nii.gz").astype(np.int16)
    write_series(tmp_path / "dicom/case", voxels, (10.0, 10.0, 6.0))
    found = outcomes(tmp_path / "dicom/case", labeller, "x/", list(FORMATS), made_by="round_2/model")["case"]
    assert not found.errors
    in_nifti, in_nrrd = (read_label_map(tmp_path / f"dicom/x/case{FORMATS[name]}") for name in list(FORMATS)[:2])
    assert in_nifti.names == in_nrrd.names == {organ.label: organ.name for organ in labeller.table}
    voxels = sitk.GetArrayFromImage(in_nifti.image)
    np.testing.assert_array_equal(voxels, sitk.GetArrayFromImage(in_nrrd.image))
    written = pydicom.dcmread(tmp_path / "dicom/x/case.dcm")
    present = [organ.name for organ in labeller.table if (voxels == organ.label).any()]
    assert len(present) > 1 and [segment.SegmentLabel for segment in written.SegmentSequence] == present
    assert {segment.SegmentAlgorithmName for segment in written.SegmentSequence} == {"round_2/model"}


def test_organs_may_have_totalsegmentators_numbers(folder, labeller):
    outcomes(folder / "a.nii.gz", labeller, "own.nii.gz")
    outcomes(folder / "a.nii.gz", labeller, "theirs.nii.gz", numbers=TOTALSEGMENTATOR)
    own, theirs = (read_label_map(folder.parent / f"{name}.nii.gz") for name in ("own", "theirs"))
    voxels, theirs_voxels = (sitk.GetArrayFromImage(found.image) for found in (own, theirs))
    table = numbered(labeller.table, TOTALSEGMENTATOR)
    assert voxels.any() and theirs.names == {organ.label: organ.name for organ in table}
    np.testing.assert_array_equal(theirs_voxels, np.array([0, *(organ.label for organ in table)])[voxels])


def test_every_format_holds_the_same_label_map(folder, labeller):
    paths = [folder.parent / f"x{format}" for format in VOLUME_FORMATS]
    for path in paths:
        assert not outcomes(folder / "a.nii.gz", labeller, output=path.name)["a"].errors
    first, *others = (sitk.ReadImage(str(path)) for path in paths)
    assert len(np.unique(sitk.GetArrayFromImage(first))) > 1
    for other in others:
        np.testing.assert_array_equal(sitk.GetArrayFromImage(other), sitk.GetArrayFromImage(first))
        assert not Geometry.of(first).differences(Geometry.of(other))


@pytest.mark.parametrize("formats", [(DICOM_SEG, SLICER), (SLICER, DICOM_SEG)])
def test_a_format_that_cannot_be_written_takes_no_other_along(folder, labeller, tmp_path, formats):
    voxels = voxels_of(folder / "a.nii.gz").astype(np.int16)
    for path in write_series(tmp_path / "dicom/case", voxels, (10.0, 10.0, 6.0)):
        change(path, FrameOfReferenceUID=None)
    found = outcomes(tmp_path / "dicom/case", labeller, "x/", formats)["case"]
    written = tmp_path / "dicom/x/case.seg.nrrd"
    assert [path.name for path in written.parent.iterdir()] == [written.name] and found.written == (written,)
    assert of_all([found]) == [f"1 label map(s) written: {written}"]
    heading, line = failed_scans([found])
    assert heading == "not labelled in every format: 1 of 1"
    assert "no Frame Of Reference UID" in line and "earlier run" not in line
