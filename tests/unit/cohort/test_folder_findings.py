"""What `check` says about folders, from the files to its last line."""

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from conftest import script
from noisy_student.cohort.folder_findings import folder_findings
from noisy_student.cohort.scans import search
from noisy_student.configuration.experiment import Cohort, Folders, LabelledFolder, ScanFolder, ScanTable
from noisy_student.tables import write_table

SHAPE_ZYX = (6, 10, 10)


@pytest.fixture
def folder(tmp_path, write_scan):
    """A folder of labelled scans as converters and people leave it."""
    random = np.random.default_rng(0)
    for name in ("x.nii.gz", "x_Eq_1.nii.gz", "y.nii.gz", "ya.nii.gz", "b.mhd", "f/ct.nii.gz"):
        write_scan(f"images/{name}", random.integers(-1000, 1000, SHAPE_ZYX).astype(np.int16), (20.0, 20.0, 20.0))
    for name in ("x.json", "d.hdr", "d.img", "more.zip", "._y.nii.gz"):
        (tmp_path / "images" / name).touch()
    array = np.zeros(SHAPE_ZYX, np.uint8)
    array[2:4, 2:4, 4] = 1
    for name in ("x", "y", "ya", "b", "lost"):
        write_scan(f"labels/{name}.nii.gz", array, (20.0, 20.0, 20.0))
    return tmp_path


def folders(folder):
    return Folders(labelled=[LabelledFolder(images=folder / "images", label_maps=folder / "labels")])


def test_every_leaving_is_warned_of_and_what_was_passed_over_is_noted(folder):
    found = folder_findings(search(folders(folder)))
    assert [(finding.severity, finding.case, finding.file.name) for finding in found] == [
        ("warning", "x_Eq_1", "x.nii.gz"),
        ("warning", "ya", "ya.nii.gz"),
        ("note", "all", "images"),
        ("note", "all", "labels"),
    ]
    assert "passed over" in found[0].found and "series of y.nii.gz" in found[1].found
    assert found[2].found.startswith("4 entries are no scans: d.hdr (") and "more.zip (an archive" in found[2].found
    assert "f (a folder with 1 file(s) such as ct.nii.gz" in found[2].found
    assert found[3].found == "1 label map(s) belong to no scan: lost.nii.gz"


def test_moving_what_was_warned_of_ends_the_warnings(folder):
    for finding in folder_findings(search(folders(folder)))[:2]:
        finding.file.unlink()
    assert {finding.severity for finding in folder_findings(search(folders(folder)))} == {"note"}


def test_a_table_that_names_the_uncorrected_scan_is_warned_of(folder):
    table = folder / "scans.tsv"
    table.write_text("case\timage\tlabel_map\na\timages/x.nii.gz\tlabels/x.nii.gz\n")
    (found,) = folder_findings(search(Folders(labelled=[ScanTable(table=table)])))
    assert (found.severity, found.case) == ("warning", "a") and "x_Eq_1.nii.gz" in found.remedy
    table.write_text("case\timage\tlabel_map\na\timages/x_Eq_1.nii.gz\tlabels/x.nii.gz\n")
    assert folder_findings(search(Folders(labelled=[ScanTable(table=table)]))) == []


def test_a_folder_in_two_roles_is_said_once(folder):
    both = folders(folder).model_copy(update={"unlabelled": [ScanFolder(images=folder / "images")]})
    assert len(folder_findings(search(both))) == 4


def test_check_ends_with_what_was_passed_over_and_shows_the_organs(folder):
    cohort = Cohort(kind="folders", folders=folders(folder))
    cases, findings, room = (folder / f"{name}.tsv" for name in ("cases", "findings", "room"))
    made = script(
        "make_case_table.py",
        *("--cohort", cohort.model_dump_json(), "--embedded", folder, "--renumbered", folder / "renumbered"),
        *("--findings", findings, "--output", cases),
    )
    assert made.returncode == 0, made.stderr
    write_table(pd.DataFrame(columns=["case", "file", "severity", "found", "wanted", "remedy"]), room)
    shown = script("show_findings.py", "--cases", cases, "--findings", findings, room)
    assert shown.returncode == 0, shown.stderr
    *lines, last = shown.stdout.splitlines()
    assert "liver: labelled in 4 of 4 scans" in lines
    assert "spleen: labelled in 4 of 4 scans (present in 0)" in lines
    warnings = sum(line.startswith("warning ") for line in lines)
    assert warnings >= 2 and last.startswith(f"4 scans (4 labelled), {warnings} warning(s), no errors; in ")
    assert f"in {folder / 'images'}: 4 entries are no scans: d.hdr (" in last
    assert last.endswith(f"in {folder / 'labels'}: 1 label map(s) belong to no scan: lost.nii.gz")


def test_detached_headers_are_read_with_their_voxels(folder):
    image = sitk.ReadImage(str(folder / "images/b.mhd"))
    assert sitk.GetArrayFromImage(image).shape == SHAPE_ZYX and (folder / "images/b.raw").exists()
