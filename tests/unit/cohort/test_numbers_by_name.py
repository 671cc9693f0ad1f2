"""Numbers known by name: in use, left over, missing, shown once for a source."""

import json

import numpy as np
import pytest
import SimpleITK as sitk

from header_files import write_nrrd
from noisy_student.cohort.case_checks import Standard
from noisy_student.cohort.case_table import make_case_table
from noisy_student.cohort.scans import Scan
from noisy_student.geometry import reorient
from noisy_student.images import read_image
from noisy_student.organs import Organ

THREE = (Organ(1, "liver"), Organ(2, "spleen"), Organ(3, "left kidney", aliases=("Niere links",)))
GEOMETRY = {"spacing": (20.0, 20.0, 50.0), "direction": (1, 0, 0, 0, 1, 0, 0, 0, 1)}
COLUMNS = np.arange(8, dtype=np.uint8)


@pytest.fixture
def labelled(write_scan):
    """Write a scan, and unless one is given a label map with label n in column n up to `largest`; give the case."""

    def make(case="a", largest=3, label_map=None, **given):
        voxels = np.random.default_rng(len(case)).integers(-1000, 1000, (4, 8, 8)).astype(np.int16)
        array = np.broadcast_to(np.where(largest < COLUMNS, 0, COLUMNS), voxels.shape)
        image = write_scan(f"images/{case}.nii.gz", voxels, **GEOMETRY)
        label_map = label_map or write_scan(f"labelsTr/{case}.nii.gz", array, **GEOMETRY)
        return Scan(case, "labelled", image, label_map, source="clinic", **given)

    return make


@pytest.fixture
def names(tmp_path):
    """Write nnU-Net's dataset.json beside the label maps."""

    def write(*names):
        labels = {"background": 0} | {name: number for number, name in enumerate(names, 1)}
        (tmp_path / "dataset.json").write_text(json.dumps({"labels": labels}))

    return write


def checked(tmp_path, *scans, organs=THREE):
    table, findings = make_case_table(list(scans), Standard(organs, tmp_path / "renumbered"), cores=1)
    return table, findings[findings.wanted.str.contains("name") | (findings.severity == "error")]


def columns_of(path):
    return sitk.GetArrayFromImage(reorient(read_image(path), "LPS"))[0, 0].tolist()


def test_numbers_are_taken_by_the_names_beside_them_and_the_rest_is_background(labelled, names, tmp_path):
    names("Niere_links", "heart", "Spleen", "liver", "tumour")
    table, found = checked(tmp_path, labelled(largest=5), labelled("bb", largest=5))
    assert columns_of(table.label_map[0]) == [0, 3, 0, 2, 1, 0, 0, 0]
    (said,) = found.itertuples()
    assert said.found.startswith("source clinic: organs by ")
    assert said.found.endswith(
        "dataset.json: Niere_links is left kidney, Spleen is spleen; left over as background: heart, tumour"
    )
    assert said.severity == "warning" and "tumour is a part of an organ" in said.remedy


def test_a_file_whose_numbers_are_the_tables_stays_in_use_and_nothing_is_said(labelled, names, tmp_path):
    names("liver", "spleen", "left kidney")
    scan = labelled()
    table, found = checked(tmp_path, scan)
    assert table.label_map[0] == scan.label_map and found.empty and not (tmp_path / "renumbered").exists()


def test_a_number_that_the_file_does_not_hold_is_no_reason_to_change_it(labelled, names, tmp_path):
    names("liver", "spleen", "left kidney", "heart")
    scan = labelled()
    table, found = checked(tmp_path, scan)
    assert table.label_map[0] == scan.label_map
    assert list(found.severity) == ["note"] and "heart" in found.found.iloc[0]


@pytest.mark.parametrize(
    ("given", "found", "remedy"),
    [
        (("liver", "spleen", "kidney"), "no name for left kidney; ", "organs: [liver, spleen]"),
        (("foie", "rate", "rein"), "no name for liver, spleen, left kidney; ", "add that to its `aliases`"),
        (("liver", "spleen", "LK", "liv"), "'liver' (1) and 'liv' (4) are liver by ", "liver: [1, 4]"),
        (("liver", "spleen", "LK", ""), "labels [4]", "name them there"),
    ],
)
def test_what_the_names_leave_open_stops_the_run_once_with_both_sides(labelled, names, tmp_path, given, found, remedy):
    names(*given)
    _, findings = checked(tmp_path, *(labelled(case, largest=len(given)) for case in ("a", "bb")))
    (error, *others) = findings[findings.severity == "error"].itertuples()
    assert error.found.startswith(found) and remedy in error.remedy
    assert len(others) == (1 if found.startswith("labels") else 0)


def test_organs_that_are_said_not_to_be_labelled_need_no_name_and_are_left_over(labelled, names, tmp_path):
    names("liver", "spleen", "kidney")
    table, found = checked(tmp_path, labelled(organs=("spleen",)))
    assert columns_of(table.label_map[0]) == [0, 0, 2, 0, 0, 0, 0, 0] and table.organs[0] == "2"
    assert list(found.severity) == ["note"] and "left over as background: liver, kidney" in found.found.iloc[0]


@pytest.fixture
def slicers(tmp_path):
    """Write a segmentation of 3D Slicer with one layer and these names."""

    def write(case, *names):
        fields = ["space: LPS", "space directions: (20,0,0) (0,20,0) (0,0,50)", "space origin: (0,0,0)"]
        for number, name in enumerate(names):
            own = {"ID": name, "LabelValue": number + 1, "Layer": 0, "Name": name}
            fields += [f"Segment{number}_{key}:={value}" for key, value in own.items()]
        array = np.broadcast_to(np.where(len(names) < COLUMNS, 0, COLUMNS), (4, 8, 8))
        path = tmp_path / f"{case}.seg.nrrd"
        return write_nrrd(path, array.tobytes(), fields="\n".join(fields), kind="uchar", sizes="8 8 4")

    return write


def test_a_segmentation_names_what_is_there_and_a_source_that_never_names_an_organ_is_warned_of(
    labelled, slicers, tmp_path
):
    scans = [
        labelled("a", label_map=slicers("a", "Spleen", "Tissue")),
        labelled("bb", label_map=slicers("bb", "liver")),
    ]
    table, found = checked(tmp_path, *scans)
    assert columns_of(table.label_map[0]) == [0, 2, 0, 0, 0, 0, 0, 0]
    assert columns_of(table.label_map[1]) == [0, 1, 0, 0, 0, 0, 0, 0]
    (never,) = found[found.severity == "warning"].itertuples()
    assert never.found == "source clinic: none of its label maps names left kidney" and "`organs`" in never.remedy


def test_a_segmentation_without_any_organ_stops_the_run(labelled, slicers, tmp_path):
    _, found = checked(tmp_path, labelled(label_map=slicers("a", "Segment_1")))
    (error,) = found.itertuples()
    assert error.found == "no name for liver, spleen, left kidney; its header: Segment_1"


def test_a_cell_that_names_no_organ_is_an_error_of_its_case_and_table(labelled, tmp_path):
    _, found = checked(tmp_path, labelled(organs=("spleen", "Leber"), table=tmp_path / "scans.tsv"))
    (error,) = found[found.severity == "error"].itertuples()
    assert (error.case, error.file) == ("a", tmp_path / "scans.tsv")
    assert error.found == "Leber in its column `organs`"
