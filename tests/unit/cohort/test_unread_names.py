"""Tables that may name the numbers of label maps and were not read: a note for each folder."""

import json
from pathlib import Path

import pytest

from noisy_student.cohort.names_beside import names_of
from noisy_student.cohort.numbers_by_name import NAMES
from noisy_student.cohort.scans import Scan
from noisy_student.cohort.unread_names import unread_names
from noisy_student.organs import FLARE22, Organ

META = json.dumps({"segmentAttributes": [[{"labelID": 1, "SegmentLabel": "Spleen"}, {"SegmentLabel": "Kidney_Right"}]]})
SIDE_FILE = json.dumps({"Modality": "CT", "ProtocolName": "Liver triphasic", "BodyPartExamined": "ABDOMEN"})
DESCRIPTION = '1 255 0 0 1 1 1 "Spleen"\n2 0 255 0 1 1 1 "Right kidney"\n'
COLOURS = "# Color table file\n1 {} 1 2 3 255\n2 spleen 1 2 3 255\n"


@pytest.fixture
def said(lay):
    """What is said of two label maps by the table's numbers, beside which these files lie."""

    def find(files, organs=FLARE22, row=(), **given):
        folder = lay("labels/a.nii.gz", "labels/b.nii.gz") / "labels"
        for name, text in files.items():
            (folder / name).write_text(text)
        scans = [Scan(case, "labelled", folder / case, folder / f"{case}.nii.gz", **given) for case in "ab"]
        return unread_names(scans, [{"case": scan.case, **dict(row)} for scan in scans], organs)

    return find


@pytest.mark.parametrize("name", ["a.json", "labels.json", "Segmentation-label_ColorTable.csv", "a_ColorTable.xml"])
def test_a_table_of_names_that_is_not_read_is_named_once_a_folder(said, name, tmp_path):
    (note,) = said({name: META})
    assert (note.severity, note.file) == ("note", tmp_path / "labels")
    assert note.found.startswith(f"{name} may name the numbers of 2 label map(s)") and "`labels`" in note.remedy


@pytest.mark.parametrize(
    ("table", "labels", "is_found"),
    [
        ("dataset_0.json", "labelsTr", True),
        ("labelsTr/dataset_0.json", "labelsTr", True),
        ("labels.json", "labelsTr", True),
        ("labelsTr/dataset_0.json", "labelsTr/a", True),
        ("datastore_v2.json", "labels/final", True),
        ("datastore_v2.json", "data/labelsTr", False),
        ("dataset_0.json", "data/labelsTr/a", False),
    ],
)
def test_a_table_may_lie_beside_the_folder_of_the_label_maps_or_above_monai_labels(lay, table, labels, is_found):
    folder = lay(table, *(f"{labels}/{case}.nii.gz" for case in "ab"))
    (folder / table).write_text(META)
    scans = [Scan(case, "labelled", folder / case, folder / labels / f"{case}.nii.gz") for case in "ab"]
    notes = unread_names(scans, [{"case": case} for case in "ab"], FLARE22)
    name = f"{Path(table).name} may name the numbers of 2 label map(s)"
    assert [(note.file, note.found.startswith(name)) for note in notes] == [((folder / table).parent, True)] * is_found


@pytest.mark.parametrize("name", ["labels.label", "organs.label", "labels.txt"])
def test_an_itk_snap_description_beside_the_folder_is_named(lay, name):
    folder = lay(name, "labels/a.nii.gz")
    (folder / name).write_text(DESCRIPTION)
    scan = Scan("a", "labelled", folder / "a", folder / "labels/a.nii.gz")
    (note,) = unread_names([scan], [{"case": "a"}], FLARE22)
    assert note.file == folder and note.found.startswith(f"{name} may name")


def test_tables_that_differ_are_named_where_one_label_map_has_none(said, tmp_path):
    (note,) = said(
        {f"{name}_ColorTable.ctbl": COLOURS.format(organ) for name, organ in (("c", "liver"), ("d", "aorta"))}
    )
    assert (
        note.found.startswith("c_ColorTable.ctbl, d_ColorTable.ctbl")
        and not names_of(tmp_path / "labels/a.nii.gz").names
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", SIDE_FILE),
        ("dataset.json", META),
        ("datastore_v2.json", META),
        ("plans.json", META),
        ("labels.json", "{}"),
        ("labels.pdf", META),
        ("label_dates.csv", "case,date\na,2020\n"),
    ],
)
def test_other_files_are_not_blamed(said, name, text):
    assert said({name: text}) == []


def test_nothing_is_said_where_numbers_are_known(said):
    assert said({"a.json": META}, labels={"liver": 2}) == []
    assert said({"a.json": META}, row=[(NAMES, "taken")]) == []


def test_of_a_table_of_one_organ_one_name_is_enough(said):
    assert len(said({"a.json": SIDE_FILE.replace("Liver", "Spleen")}, organs=[Organ(1, "spleen")])) == 1
