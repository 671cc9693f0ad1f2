"""What lies in the folder of corrections: by case, reader and round; what lies elsewhere is refused."""

import os

import pytest

from noisy_student.correct.found import corrected_rounds, corrections_in, refuse_misplaced, state
from noisy_student.errors import InputError

CASES = {"a", "b", "c__d"}


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
    assert corrected_rounds(tmp_path, 4) == [1, 3]
    refuse_misplaced(tmp_path, 4)


@pytest.mark.parametrize("name", ["a.nii.gz", "round_0/a.nii.gz", "round_3/a.nii.gz", "anna/a.seg.nrrd"])
def test_label_maps_in_no_rounds_folder_are_refused(tmp_path, name):
    lay(tmp_path, "round_1/a.nii.gz", name)
    with pytest.raises(InputError, match=name.partition("/")[0]) as error:
        refuse_misplaced(tmp_path, 3)
    assert "round_1 to round_2" in str(error.value) and "round_<k>/<case>.nii.gz" in error.value.remedy


def test_a_folder_that_is_not_there_is_no_empty_one(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        refuse_misplaced(tmp_path / "corrections", 3)


def test_the_state_of_a_round_follows_its_label_maps_alone(tmp_path):
    assert state(tmp_path / "round_1") == ""
    folder = lay(tmp_path / "round_1", "a.nii.gz", "minutes.tsv")
    before, dated = state(folder), state(folder, dates=True)
    (folder / "minutes.tsv").write_text("another")
    assert state(folder, dates=True) == dated
    os.utime(folder / "a.nii.gz", (1, 1))
    assert state(folder) == before and state(folder, dates=True) != dated
    lay(folder, "b.nii.gz")
    assert state(folder) != before
    (folder / "b.nii.gz").unlink()
    assert state(folder) == before
