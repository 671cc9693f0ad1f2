"""A folder's state changes with names and sizes, never with dates or places."""

import os
import shutil

import pytest

from noisy_student.cohort.folder_state import state_of


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
