"""Numbers known by name: in use, left over, missing, shown once for a source."""

import json

import numpy as np
import pytest
import SimpleITK as sitk

from header_files import write_nrrd
from noisy_student.cohort.case_checks import Standard
from noisy_student.cohort.case_table import make_case_table
from noisy_student.cohort.label_names import Named
from noisy_student.cohort.organ_names import OrganNames
from noisy_student.cohort.scans import Scan
from noisy_student.cohort.stale_names import stale_names
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


def test_a_mask_that_is_left_over_becomes_a_part_of_an_organ_by_an_alias(labelled, write_scan, tmp_path):
    for number, name in enumerate(("liver", "spleen", "left kidney", "kidney_cyst_left"), 1):
        mask = np.broadcast_to((number == COLUMNS).astype(np.uint8), (4, 8, 8))
        folder = write_scan(f"masks/a/{name}.nii.gz", mask, **GEOMETRY).parent
    scan = labelled(label_map=folder)
    _, found = checked(tmp_path, scan)
    assert "`aliases`" in found.remedy.iloc[0] and "`labels`" not in found.remedy.iloc[0]
    organs = (*THREE[:2], Organ(3, "left kidney", aliases=("kidney_cyst_left",)))
    table, findings = make_case_table([scan], Standard(organs, tmp_path / "renumbered"), cores=1)
    assert columns_of(table.label_map[0]) == [0, 1, 2, 3, 3, 0, 0, 0]
    assert "error" not in set(findings.severity) and findings.found.str.contains("one organ under several").any()


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
    (never,) = found[found.found.str.contains("none of")].itertuples()
    assert never.found == "source clinic: none of its label maps names left kidney" and "`organs`" in never.remedy
    assert never.severity == "warning"


def test_a_name_that_stands_in_some_label_maps_in_place_of_an_organ_s_is_warned_of(labelled, slicers, tmp_path):
    always = ("liver", "Spleen", "BODY", "Couch", "PTV50", "SpinalCord", "Bowel")
    kidney = {"a": "Kidney_L", "bb": "LKidney", "ccc": "Kidney_L", "dddd": "LKidney"}
    scans = [labelled(case, label_map=slicers(case, *always, name)) for case, name in kidney.items()]
    _, found = checked(tmp_path, *scans)
    (warning,) = found[found.severity == "warning"].itertuples()
    assert warning.found == (
        "source clinic: left kidney is named in 2 of 4 label maps; bb, dddd instead with LKidney, which those have not"
    )
    assert "`aliases`" in warning.remedy and "column `organs`" in warning.remedy
    assert "left over as background: LKidney, BODY" in found.found[found.severity == "note"].iloc[0]


@pytest.mark.parametrize("others", [(), ("BODY",), ("heart",), ("PTV_2",), ("kidney_cyst",)])
def test_of_an_organ_outside_the_scan_nothing_is_said_where_no_other_name_may_be_its(
    labelled, slicers, tmp_path, others
):
    scans = [
        labelled("a", label_map=slicers("a", "liver", "Spleen", "BODY", "Kidney_L")),
        labelled("bb", label_map=slicers("bb", "liver", "Spleen", *others)),
    ]
    _, found = checked(tmp_path, *scans)
    assert not found.found.str.contains("is named in").any()


def test_names_like_an_organ_s_are_shown_first(labelled, slicers, tmp_path):
    ring = [f"Ring_{letter}" for letter in "abcde"]
    scans = [
        labelled("a", label_map=slicers("a", "liver", "Spleen", "Kidney_L")),
        labelled("bb", label_map=slicers("bb", "Spleen", *ring, "KIDNEYL")),
    ]
    _, found = checked(tmp_path, *scans)
    (said,) = found.found[found.found.str.contains("is named in")]
    kidney = "source clinic: left kidney is named in 1 of 2 label maps; bb instead with KIDNEYL, Ring_a, "
    assert said.startswith(kidney) and "; liver is named in 1 of 2 label maps; bb instead with Ring_a" in said


def test_a_segmentation_without_any_organ_stops_the_run(labelled, slicers, tmp_path):
    _, found = checked(tmp_path, labelled(label_map=slicers("a", "Segment_1")))
    (error,) = found.itertuples()
    assert error.found == "no name for liver, spleen, left kidney; its header: Segment_1"


def test_a_cell_that_names_no_organ_is_an_error_of_its_case_and_table(labelled, tmp_path):
    _, found = checked(tmp_path, labelled(organs=("spleen", "Leber"), table=tmp_path / "scans.tsv"))
    (error,) = found[found.severity == "error"].itertuples()
    assert (error.case, error.file) == ("a", tmp_path / "scans.tsv")
    assert error.found == "Leber in its column `organs`"


def stale(write_scan, names, volumes_ml, organs, labels=(1, 2)):
    """What is said of a label map with two cubes of so many ml, whose header calls the numbers so."""
    array = np.zeros((20, 20, 40), np.uint8)
    for label, ml, x in zip(labels, volumes_ml, (2, 22), strict=True):
        side = round(ml ** (1 / 3))
        array[1 : 1 + side, 1 : 1 + side, x : x + side] = label
    image = read_image(write_scan("a.nii.gz", array, spacing=(10.0, 10.0, 10.0)))
    found = Named("its header", names)
    taken = [number for number, name in names.items() if OrganNames(organs[:2]).rank(name)]
    return stale_names(found, image, taken, organs)


SIZED = (
    Organ(1, "liver", volume_ml=(500, 3000)),
    Organ(2, "spleen", volume_ml=(50, 900)),
    Organ(3, "left kidney", volume_ml=(50, 900)),
)


@pytest.mark.parametrize(
    ("volumes_ml", "severity"), [((1728, 125), "error"), ((512, 125), "warning"), ((125, 125), "warning")]
)
def test_names_of_earlier_numbers_are_told_with_both_readings_and_are_an_error_where_volumes_say_so(
    write_scan, volumes_ml, severity
):
    names = {1: "spleen", 2: "kidney_left", 5: "liver"}
    (remark,) = stale(write_scan, names, volumes_ml, SIZED)
    both = "by its header 1 is 'spleen', by the label table liver; 2 is 'kidney_left', by the label table spleen"
    assert both in remark.found and remark.severity == severity and "extensions.clear()" in remark.remedy


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        ({1: "liver", 2: "tumour", 3: "spleen"}, (1, 2)),
        ({1: "spleen", 2: "liver", 3: "left kidney"}, (1, 2)),
        ({1: "spleen", 5: "liver", 7: "pancreas"}, (1, 7)),
    ],
)
def test_names_that_say_no_other_organs_or_leave_nothing_over_or_numbers_beyond_the_table_are_right(
    write_scan, names, labels
):
    assert not stale(write_scan, names, (1728, 125), SIZED, labels)


def test_stale_names_of_a_source_are_told_once(labelled, names, tmp_path):
    names("spleen", "heart", "liver", "left kidney")
    _, found = make_case_table([labelled(), labelled("bb")], Standard(THREE, tmp_path / "renumbered"), cores=1)
    (warning,) = found[found.found.str.contains("in use")].itertuples()
    assert "1 is 'spleen', by the label table liver; 3 is 'liver'" in warning.found
    assert "and in 1 more" in warning.found


def test_slicers_colour_tables_number_each_label_map_for_itself_and_may_lack_an_organ(labelled, tmp_path):
    scans = [labelled("a", largest=2), labelled("bb", largest=3)]
    for case, organs in (("a", ("spleen", "liver")), ("bb", ("left_kidney", "heart", "liver"))):
        lines = [f"{number} {organ} 128 174 128 255" for number, organ in enumerate(organs, 1)]
        (tmp_path / f"labelsTr/{case}_ColorTable.ctbl").write_text("\n".join(["# Color table file", *lines]))
    table, found = checked(tmp_path, *scans)
    assert [columns_of(path)[:4] for path in table.label_map] == [[0, 2, 1, 0], [0, 3, 0, 1]]
    assert list(found.severity) == ["note"] and "left over as background: heart" in found.found.iloc[0]
