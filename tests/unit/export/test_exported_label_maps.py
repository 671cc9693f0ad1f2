"""A round's label maps in other programs' formats: which files there are, which are made again, which cannot be."""

import json
import stat
from pathlib import Path

import numpy as np
import pandas as pd
import pydicom
import pytest
import SimpleITK as sitk

from conftest import script
from dicom_series import change, write_series
from enhanced_dicom import write_enhanced
from noisy_student.errors import InputError
from noisy_student.export.label_maps import Export, export, keep_only
from noisy_student.images import write_image
from noisy_student.organs import FLARE22, to_json
from noisy_student.reading.door import checksum, read_label_map, read_scan
from noisy_student.tables import read_table, write_table

VOXELS = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
SCANS = ("a", "b", "c.nii.gz")
ORGANS = to_json(FLARE22, "label", "name", "colour", "snomed")


@pytest.fixture
def run_of(tmp_path):
    """A folder with a DICOM scan, a tilted one and a NIfTI scan, and their predictions: no organ in the tilted one."""
    write_series(tmp_path / "scans/a", VOXELS, (1.0, 1.0, 3.0))
    write_series(tmp_path / "scans/b", VOXELS, (1.0, 1.0, 3.0), tilt_mm=1.0)
    sitk.WriteImage(sitk.GetImageFromArray(VOXELS), str(tmp_path / "scans/c.nii.gz"))
    rows = []
    for case, path in zip("abc", SCANS, strict=True):
        image = read_scan(tmp_path / "scans" / path).image
        label_map = sitk.Cast(image > 30, sitk.sitkUInt8) * (0 if case == "b" else 3)
        write_image(label_map, tmp_path / f"predictions/{case}.nii.gz")
        scan = tmp_path / "scans" / path
        rows.append({"case": case, "role": "test", "image": str(scan), "sha256": checksum(scan)})
    write_table(pd.DataFrame(rows), tmp_path / "cases.tsv")
    scores = [{"case": case, "organ": organ, "model": "f" * 64} for case in "abc" for organ in ("liver", "spleen")]
    write_table(pd.DataFrame(scores), tmp_path / "scores.tsv")
    return tmp_path


def exported(folder, format, expected_status=0, names=()):
    where = ("--cases", folder / "cases.tsv", "--scores", folder / "scores.tsv", "--folder", folder / "predictions")
    how = ("--made-by", "predictions of round 2", "--organs", ORGANS, "--format", format)
    how += ("--names", json.dumps([str(folder / name) for name in names]))
    run = script("export_label_maps.py", *where, *how, "--output", folder / f"out/{format}.tsv")
    assert run.returncode == expected_status, run.stderr
    return run.stderr


def test_each_case_has_a_file_or_the_reason_why_there_is_none(run_of):
    said = exported(run_of, "dicom-seg")
    assert "exporting: 3 of 3" in said and "1 of 3 written" in said and "no file of b: no organ found" in said
    table = read_table(run_of / "out/dicom-seg.tsv").fillna("")
    assert table.file.tolist() == ["a.dcm", "", ""] and table.organs.tolist() == ["spleen", "", "spleen"]
    assert table.why.tolist() == ["", "no organ found", "the scan is no DICOM, which the format refers to"]
    assert [path.name for path in (run_of / "out/dicom-seg").iterdir()] == ["a.dcm"]
    (segment,) = pydicom.dcmread(run_of / "out/dicom-seg/a.dcm").SegmentSequence
    assert segment.SegmentAlgorithmName == "predictions of round 2, model ffffffffffff"


def test_of_a_partly_labelled_scan_a_teachers_labels_are_not_exported(run_of):
    cases = read_table(run_of / "cases.tsv")
    write_table(cases.assign(role=["unlabelled", "unlabelled", "labelled"]), run_of / "cases.tsv")
    exported(run_of, "nii.gz")
    assert read_table(run_of / "out/nii.gz.tsv").case.tolist() == ["a", "b"]
    assert not (run_of / "out/nii.gz/c.nii.gz").exists()


def test_what_was_exported_of_scans_that_left_the_cohort_is_deleted(run_of):
    jobs = [wanted(run_of, case, scan, "nii.gz") for case, scan in zip("abc", SCANS, strict=True)]
    for job in jobs:
        export(job)
    own = run_of / "out/mine.nii.gz"
    own.touch()
    keep_only(run_of / "out", "nii.gz", {"a", "c"})
    assert [job.target.exists() for job in jobs] == [job.record.exists() for job in jobs] == [True, False, True]
    assert own.exists()


def wanted(folder, case, scan, format):
    place = folder / "scans" / scan
    made = {"organs": FLARE22, "made_by": "predictions of round 2", "model": "f" * 64}
    return Export(case, folder / f"predictions/{case}.nii.gz", place, checksum(place), folder / "out", format, **made)


def test_a_file_that_is_whole_stays_and_another_is_made_again(run_of):
    jobs = [wanted(run_of, case, scan, "seg.nrrd") for case, scan in zip("abc", SCANS, strict=True)]
    rows = [export(job) for job in jobs]
    assert [row["file"] for row in rows] == [f"{case}.seg.nrrd" for case in "abc"]
    before = [job.target.stat().st_mtime_ns for job in jobs]
    jobs[1].target.unlink()
    write_image(read_label_map(jobs[2].label_map).image > 0, jobs[2].label_map)
    assert [export(job) for job in jobs][:2] == rows[:2]
    assert jobs[0].target.stat().st_mtime_ns == before[0] and jobs[1].target.exists()
    found = read_label_map(jobs[2].target)
    assert sitk.GetArrayFromImage(found.image).max() == 1 and found.names[1] == "liver"


def test_a_scan_that_changed_since_it_was_checked_is_an_error(run_of):
    job = wanted(run_of, "a", "a", "dicom-seg")
    next(job.scan.iterdir()).unlink()
    with pytest.raises(InputError, match="as it was when it was checked"):
        export(job)


def test_a_series_without_identity_is_a_reason_and_no_error(run_of):
    for path in (run_of / "scans/a").iterdir():
        change(path, FrameOfReferenceUID=None)
    row = export(wanted(run_of, "a", "a", "dicom-seg"))
    assert not row["file"] and "no Frame Of Reference UID" in row["why"]


def test_an_enhanced_scan_in_several_files_is_a_reason_and_no_error(run_of):
    for number, places in enumerate([(0, 1), (2, 3, 4, 5)]):
        stored = np.concatenate([VOXELS, VOXELS])[list(places)] + 1024
        write_enhanced(run_of / f"scans/d/{number}.dcm", stored, [(0.0, 0.0, 3.0 * place) for place in places])
    image = read_scan(run_of / "scans/d").image
    write_image(sitk.Cast(image > 30, sitk.sitkUInt8), run_of / "predictions/d.nii.gz")
    row = export(wanted(run_of, "d", "d", "dicom-seg"))
    assert not row["file"] and "frames in 2 files" in row["why"] and row["organs"] == "liver"


def test_a_round_without_any_dicom_scan_is_told_so(run_of):
    scores = read_table(run_of / "scores.tsv")
    write_table(scores[scores.case == "c"], run_of / "scores.tsv")
    assert "take another format: nii.gz, seg.nrrd" in exported(run_of, "dicom-seg", 2)


@pytest.mark.parametrize("place", ["private", "predictions/../private", "link"])
def test_of_an_archives_scan_nothing_that_names_the_patient_lies_in_results(run_of, place):
    (run_of / "private").mkdir()
    (run_of / "link").symlink_to("private")
    (run_of / "scans").rename(run_of / "private/pacs.series")
    cases = read_table(run_of / "cases.tsv")
    cases["image"] = cases.image.str.replace("/scans/", "/private/pacs.series/")
    write_table(cases, run_of / "cases.tsv")
    for path in (run_of / "private/pacs.series/a").iterdir():
        change(path, PatientName="MUELLER^HANS", PatientID="ID4711")
    cases.loc[cases.case == "a", "sha256"] = checksum(run_of / "private/pacs.series/a")
    write_table(cases, run_of / "cases.tsv")
    for format in ("dicom-seg", "nii.gz"):
        exported(run_of, format, names=[f"{place}/pacs.tsv"])
    folder = run_of / "private/pacs.exported"
    (file,) = folder.rglob("*.dcm")
    assert pydicom.dcmread(file).PatientID == "ID4711" and file.name == "a.dcm"
    assert (stat.S_IMODE(folder.stat().st_mode), stat.S_IMODE(file.stat().st_mode)) == (0o700, 0o600)
    assert Path(read_table(run_of / "out/dicom-seg.tsv").file[0]).samefile(file)
    assert read_table(run_of / "out/dicom-seg.tsv").file[1:].isna().all()
    assert read_table(run_of / "out/nii.gz.tsv").file.tolist() == ["a.nii.gz", "b.nii.gz", "c.nii.gz"]
    for path in filter(Path.is_file, (run_of / "out").rglob("*")):
        assert path.suffix != ".dcm" and b"MUELLER" not in path.read_bytes()


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ({"PatientName": "MUELLER HANS"}, None),
        ({"PatientBirthDate": "1950-01-01"}, "Unable to convert … to 'DA' object"),
        ({"PatientSex": "MUELLER"}, "… is not a valid PatientSexValues"),
    ],
)
def test_what_a_header_says_of_the_patient_stands_in_no_log_and_no_table(run_of, header, why):
    for path in (run_of / "scans/a").iterdir():
        change(path, **header)
    cases = read_table(run_of / "cases.tsv")
    cases.loc[cases.case == "a", "sha256"] = checksum(run_of / "scans/a")
    write_table(cases, run_of / "cases.tsv")
    said = exported(run_of, "dicom-seg")
    found = read_table(run_of / "out/dicom-seg.tsv").why.fillna("")[0]
    assert found.startswith(why) if why else not found
    texts = [path.read_text() for path in (run_of / "out").rglob("*") if path.suffix in (".tsv", ".json")]
    assert len(texts) >= 4 and not any(value in text for value in ("MUELLER", "1950") for text in (said, *texts))
