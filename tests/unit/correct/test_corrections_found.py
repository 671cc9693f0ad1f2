"""What lies in the folder of corrections: by case, reader and round; what lies elsewhere is refused."""

import os

import pytest

from noisy_student.cohort import names_beside
from noisy_student.correct.found import corrections_in, refuse_misplaced, state, states
from noisy_student.errors import InputError

CASES = {"a", "b", "c__d"}
DESCRIPTION, COLOURS = '1 255 0 0 1 1 1 "liver"\n', "# Color table file\n1 liver 0 0 0 255\n"
TABLES = {".txt": DESCRIPTION, ".label": DESCRIPTION, ".ctbl": COLOURS, ".csv": "LabelValue,Name\n1,liver\n"}


def lay(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def test_a_label_map_is_named_by_its_case_and_may_be_by_its_reader(tmp_path):
    lay(
        tmp_path,
        "a.seg.nrrd",
        "b__anna.nii.gz",
        "b__ben.dcm",
        "c__d.nii.gz",
        "minutes.tsv",
        ".a.nii.gz",
        "e__eve/liver.nii.gz",
    )
    found = [(each.case, each.reader, each.path.name) for each in corrections_in(tmp_path, CASES)]
    assert found == [
        ("a", "", "a.seg.nrrd"), ("b", "anna", "b__anna.nii.gz"), ("b", "ben", "b__ben.dcm"),
        ("c__d", "", "c__d.nii.gz"), ("e", "eve", "e__eve"),
    ]  # fmt: skip


def test_only_rounds_with_label_maps_have_corrections(tmp_path):
    lay(tmp_path, "round_1/a.nii.gz", "round_2/minutes.tsv", "round_3/b.nii.gz", "README.txt")
    assert list(states(tmp_path, 4)) == [1, 3]
    refuse_misplaced(tmp_path, 4)


@pytest.mark.parametrize("name", ["a.nii.gz", "round_0/a.nii.gz", "round_3/a.nii.gz", "anna/a.seg.nrrd"])
def test_label_maps_in_no_rounds_folder_are_refused(tmp_path, name):
    lay(tmp_path, "round_1/a.nii.gz", name)
    with pytest.raises(InputError, match=name.partition("/")[0]) as error:
        refuse_misplaced(tmp_path, 3)
    assert "round_1 to round_2" in str(error.value) and "round_<k>/<case>.nii.gz" in error.value.remedy


@pytest.mark.parametrize("name", ["Case_1.zip", "anna/Case_1/Case_1.nii.gz", "mine/Case_1.7z", "minutes.tsv"])
def test_what_may_hold_label_maps_elsewhere_is_refused_however_deep_it_lies(tmp_path, name):
    lay(tmp_path, "round_1/a.nii.gz", name)
    with pytest.raises(InputError, match="1 in other places: "):
        refuse_misplaced(tmp_path, 3)


@pytest.mark.parametrize(
    "name", ["a.zip", "review_round_1/a/a.nii.gz", "a.img", "a.mrb", "a.nii.gz.part", "Minutes.txt"]
)
def test_what_nobody_would_read_of_a_round_is_refused(tmp_path, name):
    lay(tmp_path, "round_1/b.nii.gz", f"round_1/{name}")
    with pytest.raises(InputError, match=f"nobody would read: round_1/{name.split('/')[0]}"):
        refuse_misplaced(tmp_path, 3)


def test_what_systems_and_viewers_leave_is_neither_refused_nor_counted(tmp_path):
    before = state(lay(tmp_path, "round_1/b.nii.gz", "round_1/c.nhdr").joinpath("round_1"))
    lay(tmp_path, "README.txt", "__MACOSX/round_1/._b.nii.gz", "desktop.ini", "Thumbs.db")
    names = ("Thumbs.db", "._b.nii.gz", ".DS_Store", "b.itksnap", "labels.txt", "open_in_slicer.py", "minutes.tsv")
    lay(tmp_path, *(f"round_1/{name}" for name in names))
    refuse_misplaced(tmp_path, 2)
    assert state(tmp_path / "round_1") == before


def test_names_that_lie_beside_a_label_map_under_its_own_are_part_of_it(tmp_path):
    folder = lay(tmp_path / "round_1", "a.nii.gz", "b.nii.gz", "b.txt")
    before, _ = state(folder)
    names_beside._tables_in.cache_clear()
    (folder / "b_ColorTable.ctbl").write_text(COLOURS)
    with_names, _ = state(folder)
    assert with_names != before
    names_beside._tables_in.cache_clear()
    (folder / "b_ColorTable.ctbl").write_text("# Color table file\n2 liver 0 0 0 255\n")
    assert state(folder)[0] not in (before, with_names)


@pytest.mark.parametrize("ending", names_beside.ENDINGS)
def test_a_table_of_names_beside_a_correction_is_not_refused(tmp_path, ending):
    folder = lay(tmp_path, "round_1/a.nii.gz") / "round_1"
    (folder / f"a{ending}").write_text(TABLES[ending])
    assert names_beside.own_names(folder / "a.nii.gz").names == {1: "liver"}
    refuse_misplaced(tmp_path, 2)


def test_the_voxels_of_a_header_are_its_own(tmp_path):
    (lay(tmp_path, "round_1/c.raw") / "round_1/c.nhdr").write_text("NRRD0004\ndata file: c.raw\n")
    refuse_misplaced(tmp_path, 2)
    before, _ = state(tmp_path / "round_1")
    (tmp_path / "round_1/c.raw").write_text("other voxels")
    assert state(tmp_path / "round_1")[0] != before


def test_a_folder_in_results_is_no_folder_of_corrections(tmp_path, monkeypatch):
    monkeypatch.chdir(lay(tmp_path, "results/mine/round_1/a.nii.gz"))
    with pytest.raises(InputError, match="belongs to the workflow"):
        refuse_misplaced(tmp_path / "results/mine", 3)


def test_a_folder_that_is_not_there_is_no_empty_one(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        refuse_misplaced(tmp_path / "corrections", 3)


def test_the_state_of_a_round_follows_its_label_maps_alone(tmp_path):
    assert state(tmp_path / "round_1") == ("", "")
    folder = lay(tmp_path / "round_1", "a.nii.gz", "minutes.tsv")
    before, dated = state(folder)
    (folder / "minutes.tsv").write_text("another")
    assert state(folder) == (before, dated)
    os.utime(folder / "a.nii.gz", (1, 1))
    assert state(folder)[0] == before and state(folder)[1] != dated
    (folder / "organs.tsv").write_text("case\torgans\na\tliver\n")
    assert state(folder)[0] != before
    (folder / "organs.tsv").unlink()
    lay(folder, "b.nii.gz")
    assert state(folder)[0] != before
    (folder / "b.nii.gz").unlink()
    assert state(folder)[0] == before
