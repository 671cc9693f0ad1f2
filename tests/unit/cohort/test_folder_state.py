"""A folder's state changes with names and sizes, never with dates or places."""

import json
import os
import shutil

import pytest

from noisy_student.cohort.folder_state import (
    dates_of_label_maps,
    state_of,
    state_of_scans,
    state_of_truths,
    written_since,
)
from noisy_student.cohort.names_beside import names_beside
from noisy_student.configuration.experiment import Cohort


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for name in ("a.nii.gz", "b.nii.gz"):
        (folder / name).write_text(name)
    return folder


def test_a_new_a_missing_a_renamed_and_a_changed_file_are_seen(folder):
    states = [state_of([folder])]
    (folder / "c.nii.gz").write_text("c")
    states.append(state_of([folder]))
    (folder / "a.nii.gz").unlink()
    states.append(state_of([folder]))
    (folder / "b.nii.gz").rename(folder / "d.nii.gz")
    states.append(state_of([folder]))
    (folder / "c.nii.gz").write_text("longer")
    states.append(state_of([folder]))
    assert len(set(states)) == 5


def test_dates_and_places_are_not_looked_at(folder, tmp_path):
    before = state_of([folder])
    os.utime(folder / "a.nii.gz", (1, 1))
    assert state_of([folder]) == before
    assert state_of([shutil.copytree(folder, tmp_path / "copy", copy_function=shutil.copyfile)]) == before


@pytest.mark.parametrize("layout", ["folders", "cases", "table"])
@pytest.mark.parametrize(("name", "is_seen"), [("seg.dcm", True), ("liver.nii", True), ("liver.nii.gz", False)])
def test_a_label_map_that_was_corrected_within_its_size_is_seen(tmp_path, layout, name, is_seen):
    label_map = tmp_path / "labels/case" / name
    label_map.parent.mkdir(parents=True)
    label_map.write_text("one")
    (tmp_path / "scans.tsv").write_text(f"case\timage\tlabel_map\ncase\tct\tlabels/case/{name}\n")
    entry = {
        "folders": {"images": tmp_path / "ct", "label_maps": tmp_path / "labels"},
        "cases": {"cases": tmp_path / "labels", "scan": "ct.nii.gz", "label_maps": name},
        "table": {"table": tmp_path / "scans.tsv"},
    }[layout]
    cohort = Cohort(kind="folders", folders={"labelled": [entry]})
    before, state = dates_of_label_maps(cohort), state_of_scans(cohort, "labelled", 1)
    os.utime(label_map, (1, 1))
    assert (dates_of_label_maps(cohort) != before) == is_seen and state_of_scans(cohort, "labelled", 1) == state


@pytest.mark.parametrize("layout", ["folders", "cases", "table"])
@pytest.mark.parametrize(("name", "is_said"), [("a.nii", True), ("a/IM1.dcm", True), ("a.nii.gz", False)])
def test_a_scan_that_was_written_since_the_check_is_said(lay, layout, name, is_said):
    """Its size is the same, so its state is."""
    folder = lay(f"images/{name}", "labels/a.nii.gz", "cases.tsv")
    image = name.split("/")[0]
    (folder / "scans.tsv").write_text(f"case\timage\tlabel_map\na\timages/{image}\tlabels/a.nii.gz\n")
    entry = {
        "folders": {"images": folder / "images", "label_maps": folder / "labels"},
        "cases": {"cases": folder, "scan": image.replace("a", "images/{case}"), "label_maps": "labels/{case}.nii.gz"},
        "table": {"table": folder / "scans.tsv"},
    }[layout]
    cohort, table = Cohort(kind="folders", folders={"labelled": [entry]}), folder / "cases.tsv"
    os.utime(folder / f"images/{name}", (1, 1))
    assert written_since(cohort, table) == [] == written_since(cohort, folder / "none.tsv")
    os.utime(folder / f"images/{name}", (2**33, 2**33))
    found = written_since(cohort, table)
    assert [one.split("/")[-1] for one in found] == [name.split("/")[-1]] * is_said


def test_notes_beside_scans_are_no_scans_that_were_written_since(lay):
    folder = lay("images/a.nii", "images/notes.txt", "labels/a.nii.gz", "cases.tsv")
    entry = {"images": folder / "images", "label_maps": folder / "labels"}
    os.utime(folder / "images/a.nii", (1, 1))
    os.utime(folder / "images/notes.txt", (2**33, 2**33))
    assert written_since(Cohort(kind="folders", folders={"labelled": [entry]}), folder / "cases.tsv") == []


def test_a_file_moved_from_one_folder_to_another_is_seen(folder, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    before = state_of([folder, other])
    (folder / "a.nii.gz").rename(other / "a.nii.gz")
    assert state_of([folder, other]) != before


def test_slices_of_a_series_in_a_folder_of_its_own_are_seen(folder):
    (folder / "case/series").mkdir(parents=True)
    (folder / "case/series/IM1.dcm").write_text("slice")
    before = state_of([folder])
    (folder / "case/series/IM1.dcm").write_text("another slice")
    assert state_of([folder]) != before
    (folder / "case/series/IM2.dcm").symlink_to("nowhere")
    state_of([folder])


@pytest.fixture
def cases(lay):
    return lay("data/a/ct.nii.gz", "data/a/masks/liver.nii.gz", "data/a/notes.txt", "data/b/ct.nii.gz")


def of_cases(cases, role="labelled", **given):
    entry = {"cases": cases / "data", "scan": "ct.nii.gz"}
    folders = {"labelled": [entry | {"label_maps": "masks"}], "unlabelled": [entry | {"truth": "masks"}]}
    cohort = Cohort(kind="folders", folders=folders | {role: [folders[role][0] | given]})
    return state_of_scans(cohort, role, 1), state_of_truths(cohort)


@pytest.mark.parametrize("role", ["labelled", "unlabelled"])
def test_of_a_folder_of_cases_what_is_used_is_seen(cases, role):
    """Masks of unlabelled scans are truths, which their labelling knows nothing of."""
    scans, truths = of_cases(cases, role)
    (cases / "data/a/notes.txt").write_text("more")
    assert of_cases(cases, role) == (scans, truths)
    (cases / "data/a/masks/liver.nii.gz").write_text("a mask")
    assert (of_cases(cases, role)[0] == scans) == (role == "unlabelled") and of_cases(cases, role)[1] != truths
    scans, truths = of_cases(cases, role)
    (cases / "data/b").rename(cases / "data/c")
    assert of_cases(cases, role)[0] != scans
    assert of_cases(cases, role, organs=["liver"])[0] != of_cases(cases, role)[0]


def test_of_paths_with_the_name_of_the_case_what_is_used_is_seen(lay):
    folder = lay("d/volume-1.nii", "d/labels-1.nii", "d/other.nii")
    entry = {"cases": folder / "d", "scan": "volume-{case}.nii", "label_maps": "labels-{case}.nii"}
    cohort = Cohort(kind="folders", folders={"labelled": [entry]})
    states, dates = [state_of_scans(cohort, "labelled", 1)], dates_of_label_maps(cohort)
    for name, is_used in (("other.nii", False), ("labels-1.nii", True), ("volume-1.nii", True)):
        (folder / "d" / name).write_text("more")
        states.append(state_of_scans(cohort, "labelled", 1))
        assert (states[-1] != states[-2]) == is_used
    assert dates_of_label_maps(cohort) != dates


def test_other_names_beside_label_maps_are_seen_though_the_file_has_the_same_size(lay):
    folder = lay("d/imagesTr/a_0000.nii.gz", "d/labelsTr/a.nii.gz")
    entries = [{"nnunet": folder / "d"}, {"images": folder / "d/imagesTr", "label_maps": folder / "d/labelsTr"}]
    states = [[], []]
    for labels in ({"liver": 1, "spleen": 2}, {"liver": 2, "spleen": 1}):
        (folder / "d/dataset.json").write_text(json.dumps({"labels": labels}))
        names_beside.cache_clear()
        for entry, found in zip(entries, states, strict=True):
            found.append(state_of_scans(Cohort(kind="folders", folders={"labelled": [entry]}), "labelled", 1))
    assert states[0] == states[1] and len(set(states[0])) == 2


@pytest.mark.parametrize("label_map", ["labels/a.nrrd", "labels/a/a_seg.nrrd"])
def test_colour_tables_of_one_size_that_say_other_organs_are_seen(lay, label_map):
    states = []
    for place, organs in (("one", "liver aorta"), ("two", "aorta liver"), ("three", "liver aorta")):
        folder = lay(f"{place}/images/a.nrrd", f"{place}/{label_map}", f"{place}/labels/b.nrrd") / place
        lines = [f"{number} {organ} 1 2 3 255" for number, organ in enumerate(organs.split(), 1)]
        for path in (folder / label_map, folder / "labels/b.nrrd"):
            path.with_name(f"{path.stem}_ColorTable.ctbl").write_text("\n".join(lines[: 1 + (path.stem != "b")]))
        entry = {"images": folder / "images", "label_maps": folder / "labels"}
        states.append(state_of_scans(Cohort(kind="folders", folders={"labelled": [entry]}), "labelled", 1))
    assert states[0] == states[2] != states[1]
