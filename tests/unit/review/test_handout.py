"""What is handed out: opened again it is what the teacher labelled, and it names no patient and no path."""

import json
import re
import runpy
import shutil
import sys
import zipfile
from types import SimpleNamespace
from unittest.mock import MagicMock
from xml.etree import ElementTree

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
import slicerio

from dicom_series import PATIENT, change, write_series
from noisy_student.errors import InputError
from noisy_student.geometry import reorient
from noisy_student.images import read_image, write_image
from noisy_student.organs import FLARE22
from noisy_student.reading.door import read_label_map, read_scan
from noisy_student.review import handout
from noisy_student.review.doubt import OrganDoubt
from noisy_student.review.handout import RECORD, Handout, hand_out, pack, remove_earlier
from noisy_student.review.itksnap import SAVED_IN

ORGANS = FLARE22
LIVER, RIGHT_KIDNEY = ORGANS[:2]
FOUND = [OrganDoubt(LIVER, 2.0, 9.0, (1, 2)), OrganDoubt(RIGHT_KIDNEY, 0.0, 0.0, ())]
RANDOM = np.random.default_rng(3)
RANK = {organ.name: organ.label for organ in ORGANS}.get
# Of many modules of a scan's header. Where it names a maker, writers of segmentations describe its equipment.
TELLING = {
    "Manufacturer": "Roentgen Works", "StationName": "CT4B", "DeviceSerialNumber": "SN77123", "AdmissionID": "STAY8151",
    "PatientBirthTime": "101112", "ResponsiblePerson": "ROE^JANE", "ClinicalTrialSubjectID": "SUBJECT23",
    "ReasonForVisit": "jaundice", "LastMenstrualDate": "20200229", "RequestingService": "Ward 9",
    "ContentCreatorName": "MOE^JIM",
}  # fmt: skip


@pytest.fixture
def handed(tmp_path):
    """A DICOM series of a named patient, its label map, and its folder as it is handed out."""
    source = tmp_path / "secret place/MUELLER"
    for path in write_series(source, RANDOM.integers(0, 2000, (6, 9, 8)).astype(np.int16), (0.7, 0.8, 2.5)):
        change(path, InstitutionName="St. Elsewhere", PatientAge="075Y", StudyDescription="liver of Mr Doe", **TELLING)
    return give(tmp_path, source)


def give(folder, source, private=False):
    scan = read_scan(source)
    labels = RANDOM.integers(0, 14, scan.geometry.size_xyz[::-1]).astype(np.uint8)
    label_map = sitk.GetImageFromArray(labels)
    label_map.CopyInformation(scan.image)
    write_image(scan.image, folder / "converted/a_0000.nii.gz")
    write_image(reorient(label_map, scan.letters), folder / "pseudo_labels/a.nii.gz")
    wanted = Handout(
        "a", folder / "converted/a_0000.nii.gz", source, scan.letters, folder / "pseudo_labels/a.nii.gz", FOUND, 12.0,
        private,
    )  # fmt: skip
    where = hand_out(wanted, folder / "review/a", ORGANS, "pseudo-labels of round 1, model ffff", 1)
    return SimpleNamespace(folder=folder / "review/a", scan=scan, labels=label_map, source=source, where=where)


def canonical(image):
    return sitk.GetArrayFromImage(reorient(image, "LPS"))


@pytest.mark.parametrize("name", ["a.nii.gz", "a.seg.nrrd", "a.dcm"])
def test_a_label_map_comes_back_in_every_voxel_with_its_names(handed, name):
    found = read_label_map(handed.folder / name, handed.scan, RANK)
    np.testing.assert_array_equal(canonical(found.image), canonical(handed.labels))
    assert found.names == {organ.label: organ.name for organ in ORGANS} or name == "a.nii.gz"


def test_other_libraries_read_scan_and_segmentation_on_one_grid(handed):
    scan, segmentation = (read_image(handed.folder / name) for name in ("a_scan.nii.gz", "a.seg.nrrd"))
    assert scan.GetSize() == segmentation.GetSize() and np.allclose(scan.GetOrigin(), segmentation.GetOrigin())
    np.testing.assert_array_equal(canonical(scan), canonical(handed.scan.image))
    named = slicerio.read_segmentation(str(handed.folder / "a.seg.nrrd"))
    assert [segment["name"] for segment in named["segments"]] == [organ.name for organ in ORGANS]
    assert named["segments"][0]["color"] == pytest.approx(
        [int(LIVER.colour[place : place + 2], 16) / 255 for place in (1, 3, 5)], abs=1e-4
    )


def test_nothing_tells_the_patient_or_where_files_lie(handed, tmp_path):
    for path in handed.folder.iterdir():
        content = read_image(path).GetMetaDataKeys() if path.name.endswith(("gz", "nrrd")) else ()
        text = path.read_bytes() + " ".join(content).encode()
        told = (PATIENT, "MUELLER", "ID4711", "19500101", "Elsewhere", "075Y", "Doe", str(tmp_path), "secret")
        for word in (*told, *TELLING.values()):
            assert word.encode() not in text, f"{word} in {path.name}"
    data = pydicom.dcmread(handed.folder / "a.dcm")
    assert data.PatientName == "" and data.PatientID == "" and data.StudyInstanceUID == "1.2.3"
    assert "ContributingEquipmentSequence" not in data and data.Manufacturer == "flare-noisy-student"


def test_of_an_archives_scan_nothing_refers_to_it(tmp_path):
    write_series(tmp_path / "series", np.zeros((4, 5, 6), np.int16))
    handed = give(tmp_path, tmp_path / "series", private=True)
    assert not (handed.folder / "a.dcm").exists() and "DICOM-SEG" not in (handed.folder / "README.txt").read_text()


def test_a_series_that_nothing_can_refer_to_is_handed_out_all_the_same(tmp_path, capsys):
    for path in write_series(tmp_path / "series", np.zeros((4, 5, 6), np.int16)):
        change(path, FrameOfReferenceUID=None)
    handed = give(tmp_path, tmp_path / "series")
    assert {"a.nii.gz", "a.seg.nrrd", RECORD} <= {path.name for path in handed.folder.iterdir()}
    assert not (handed.folder / "a.dcm").exists() and "DICOM-SEG" not in (handed.folder / "README.txt").read_text()
    assert "no DICOM-SEG of a: " in capsys.readouterr().err


def test_the_workspace_finds_its_files_beside_it_with_names_and_window(handed):
    root = ElementTree.parse(handed.folder / "a.itksnap").getroot()
    assert root.find("entry[@key='SaveLocation']").get("value") == SAVED_IN
    layers = root.find("folder[@key='Layers']")
    paths = [layer.find("entry[@key='AbsolutePath']").get("value") for layer in layers]
    assert paths == [f"{SAVED_IN}/a_scan.nii.gz", f"{SAVED_IN}/a.nii.gz"]
    assert all((handed.folder / path.removeprefix(f"{SAVED_IN}/")).exists() for path in paths)
    names = root.findall(".//folder[@key='LabelTable']/folder/entry[@key='Label']")
    assert [name.get("value") for name in names] == [organ.name for organ in ORGANS]
    points = [float(point.get("value")) for point in root.findall(".//entry[@key='tValue']")]
    voxels = sitk.GetArrayFromImage(handed.scan.image)
    ends = [voxels.min() + point * np.ptp(voxels) for point in points]
    assert ends == pytest.approx([-160, 40, 240], abs=0.1)
    rows = re.findall(r'^\s+(\d+)\s+.*"(.+)"$', (handed.folder / "labels.txt").read_text(), re.MULTILINE)
    assert rows == [("0", "Clear Label"), *((str(organ.label), organ.name) for organ in ORGANS)]


def test_the_script_opens_both_files_in_the_window(handed, monkeypatch):
    slicer = MagicMock()
    monkeypatch.setitem(sys.modules, "slicer", slicer)
    runpy.run_path(str(handed.folder / "open_in_slicer.py"))
    slicer.util.loadVolume.assert_called_once_with(str(handed.folder / "a_scan.nii.gz"))
    slicer.util.loadSegmentation.assert_called_once_with(str(handed.folder / "a.seg.nrrd"))
    slicer.util.loadVolume.return_value.GetDisplayNode.return_value.SetWindowLevel.assert_called_once_with(400, 40)


def test_the_readme_says_where_to_look_and_what_to_do_with_the_file(handed):
    text = (handed.folder / "README.txt").read_text()
    assert "liver: 2 ml in doubt of 9 ml, slices 2-3" in text and "right kidney: not found" in text
    assert "round_1/" in text and "a.seg.nrrd" in text and "About 12 minutes" in text
    assert max(map(len, text.splitlines())) <= 120


def test_what_a_person_saved_is_not_removed(handed):
    review = handed.folder.parent
    edited = read_image(handed.folder / "a.nii.gz")
    edited[0, 0, 0] = (edited[0, 0, 0] + 1) % 14
    write_image(edited, handed.folder / "a.nii.gz")
    with pytest.raises(InputError, match=r"a\.nii\.gz changed since"):
        remove_earlier(review)
    assert handed.folder.exists()


def test_a_file_beside_those_handed_out_is_somebodys_work_too(handed):
    (handed.folder / "mine.nii.gz").touch()
    with pytest.raises(InputError, match=r"mine\.nii\.gz"):
        remove_earlier(handed.folder.parent)
    (handed.folder / "mine.nii.gz").unlink()
    remove_earlier(handed.folder.parent)
    assert not handed.folder.exists()


def test_a_folder_among_those_handed_out_is_somebodys_work_too(handed):
    (handed.folder / "scene").mkdir()
    with pytest.raises(InputError, match="scene changed since"):
        remove_earlier(handed.folder.parent)
    assert handed.folder.exists()


def test_what_is_not_handed_out_as_a_whole_is_not_there(tmp_path, monkeypatch):
    write_series(tmp_path / "series", np.zeros((4, 5, 6), np.int16))

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(handout, "workspace", killed)
    monkeypatch.setattr(shutil, "rmtree", lambda *_, **__: None)
    with pytest.raises(KeyboardInterrupt):
        give(tmp_path, tmp_path / "series")
    monkeypatch.undo()
    assert not (tmp_path / "review/a").exists() and len(list((tmp_path / "review").iterdir())) == 1
    remove_earlier(tmp_path / "review")
    assert not list((tmp_path / "review").iterdir())


def test_a_folder_that_was_not_handed_out_is_not_written_into(tmp_path):
    write_series(tmp_path / "series", np.zeros((4, 5, 6), np.int16))
    (tmp_path / "review/a").mkdir(parents=True)
    with pytest.raises(InputError, match=r"review/a before the scan is handed out"):
        give(tmp_path, tmp_path / "series")


def test_all_of_it_lies_in_one_zip_file_that_is_the_same_each_time(handed):
    folder = handed.folder.parent
    pack(folder, ["a"], folder / "review.zip", "review_round_1")
    first = (folder / "review.zip").read_bytes()
    names = zipfile.ZipFile(folder / "review.zip").namelist()
    assert (
        f"review_round_1/a/{RECORD}" in names and len(names) == len(json.loads((folder / "a" / RECORD).read_text())) + 1
    )
    pack(folder, ["a"], folder / "review.zip", "review_round_1")
    assert (folder / "review.zip").read_bytes() == first
