from dataclasses import replace
from unittest.mock import Mock

import numpy as np
import pandas as pd
import pytest

from noisy_student.errors import InputError
from noisy_student.files import link
from noisy_student.geometry import Geometry, image_like, reorient
from noisy_student.images import read_geometry, read_image, write_image
from noisy_student.model.edited import is_edited
from noisy_student.model.label_files import LabelFiles, Labelled

SCORES = pd.DataFrame(
    {"label": [1, 2], "organ": ["liver", "spleen"], "mean_max_probability": [0.9, None], "volume_ml": [30.0, 0.0]}
)
COUNTS = np.zeros((3, 101), int)
COUNTS[1, [0, 70, 100]] = 1, 2, 3
LABELS = np.arange(6 * 7 * 8).reshape(6, 7, 8).astype(np.uint8) % 14


@pytest.fixture
def scan(write_scan, tmp_path):
    """A scan in RAS, and its converted twin."""
    own = write_scan("a_0000.nii.gz", np.zeros((6, 7, 8), np.int16))
    write_image(reorient(read_image(own), "LPS"), tmp_path / "converted/a_0000.nii.gz")
    return own, tmp_path / "converted/a_0000.nii.gz"


@pytest.fixture
def files(scan, tmp_path):
    files = LabelFiles(tmp_path / "labels", "a")
    files.write(Labelled(LABELS, SCORES), scan[1], "RAS", "model-1")
    return files


def test_the_label_map_lies_on_the_scans_own_grid(files, scan):
    assert Geometry.of(read_image(files.label_map)).differences(read_geometry(scan[0])) == []
    canonical = reorient(read_image(files.label_map), "LPS")
    expected = image_like(LABELS, read_image(scan[1]))
    assert all(canonical[index] == expected[index] for index in [(0, 0, 0), (7, 6, 5), (3, 2, 1)])


def test_so_are_soft_labels(scan, tmp_path):
    files = LabelFiles(tmp_path / "labels", "a", voxels=True, soft=True)
    soft = np.full((3, 2, 3, 4), 60, np.uint8)
    files.write(
        Labelled(LABELS, SCORES, soft[0], soft_labels=soft, confidence_counts=COUNTS), scan[1], "RAS", "model-1"
    )
    assert files.read("model-1") is not None and list(files.by_name())[2] == "soft.b2nd"
    assert LabelFiles(tmp_path / "labels", "a", voxels=True).read("model-1") is not None
    files.soft_labels.unlink()
    assert files.read("model-1") is None


def test_whole_files_of_the_same_model_are_read(files):
    read = files.read("model-1")
    assert read.label.tolist() == [1, 2]
    assert read.mean_max_probability[0] == 0.9 and np.isnan(read.mean_max_probability[1])


def test_another_models_label_map_does_not_count(files):
    assert files.read("model-2") is None


def test_a_label_map_whose_writing_was_cut_short_is_no_edited_one(scan, tmp_path, monkeypatch):
    files = LabelFiles(tmp_path / "labels", "a", voxels=True)
    labelled = Labelled(LABELS, SCORES, np.full((2, 3, 4), 99, np.uint8), confidence_counts=COUNTS)
    files.write(labelled, scan[1], "RAS", "model-1")
    cut_short = Mock(side_effect=OSError)
    monkeypatch.setattr("noisy_student.model.label_files.write_confidence", cut_short)
    with pytest.raises(OSError):
        files.write(replace(labelled, label_map_zyx=LABELS[::-1]), scan[1], "RAS", "model-1")
    assert not is_edited(files.label_map) and files.read("model-1") is None


def test_nor_is_one_that_was_to_be_taken_from_another_folder(files, scan, tmp_path, monkeypatch):
    other = LabelFiles(tmp_path / "other", "a")
    other.write(Labelled(LABELS[::-1], SCORES), scan[1], "RAS", "model-2")

    def cut_short(source, target):
        if source == other.scores:
            raise OSError
        link(source, target)

    monkeypatch.setattr("noisy_student.model.label_files.link", cut_short)
    with pytest.raises(OSError):
        files.take(other)
    assert not is_edited(files.label_map) and files.read("model-1", "model-2") is None


@pytest.mark.parametrize("damaged", ["label_map", "scores"])
def test_damaged_or_missing_files_do_not_count(files, damaged):
    path = getattr(files, damaged)
    path.write_bytes(path.read_bytes()[:-10])
    assert files.read("model-1") is None
    path.unlink()
    assert files.read("model-1") is None


def test_the_confidence_of_voxels_is_kept_beside_and_missing_it_the_case_does_not_count(scan, tmp_path):
    files = LabelFiles(tmp_path / "labels", "a", voxels=True)
    confidence = np.full((2, 3, 4), 99, np.uint8)
    files.write(Labelled(LABELS, SCORES, confidence, confidence_counts=COUNTS), scan[1], "RAS", "model-1")
    assert files.read("model-1") is not None
    files.confidence.unlink()
    assert files.read("model-1") is None


def test_an_organs_volume_is_divided_by_confidence_and_a_record_without_that_is_made_anew(scan, tmp_path):
    files = LabelFiles(tmp_path / "results/round_1/pseudo_labels", "a", voxels=True)
    confidence = np.full((2, 3, 4), 99, np.uint8)
    files.write(Labelled(LABELS, SCORES, confidence, confidence_counts=COUNTS), scan[1], "RAS", "model-1")
    found = files.ml_by_confidence()
    assert found["liver"][[0, 70, 100]].tolist() == [5, 10, 15] and found["liver"].sum() == 30
    assert len(found["spleen"]) == 101 and not found["spleen"].any()
    files.write(Labelled(LABELS, SCORES, confidence), scan[1], "RAS", "model-1")
    assert files.read("model-1") is None
    with pytest.raises(InputError, match=r"--force results/round_1/shards/pseudo_label_scores"):
        files.ml_by_confidence()


def test_whole_files_of_the_same_model_are_taken_from_another_folder(scan, tmp_path):
    other, mine = (LabelFiles(tmp_path / name, "a", voxels=True) for name in ("other", "mine"))
    other.write(
        Labelled(LABELS, SCORES, np.full((2, 3, 4), 99, np.uint8), confidence_counts=COUNTS), scan[1], "RAS", "model-1"
    )
    mine.take(other)
    assert mine.read("model-1") is not None and mine.label_map.samefile(other.label_map)


def test_another_models_soft_labels_are_set_aside_though_none_are_wanted_now(scan, tmp_path):
    first = LabelFiles(tmp_path / "labels", "a", voxels=True, soft=True)
    soft = np.full((3, 2, 3, 4), 60, np.uint8)
    labelled = Labelled(LABELS, SCORES, soft[0], soft_labels=soft, confidence_counts=COUNTS)
    first.write(labelled, scan[1], "RAS", "model 1, scan 2")
    second = LabelFiles(tmp_path / "labels", "a", voxels=True)
    assert second.has_soft_labels()
    second.set_aside(tmp_path / "aside", "3")
    assert not first.soft_labels.exists()
    kept = LabelFiles(tmp_path / "aside/1", "a", voxels=True, soft=True)
    assert kept.read("model 1, scan 2") is not None and kept.has_soft_labels()


def test_files_that_are_links_to_those_set_aside_before_are_not_moved_onto_them(scan, tmp_path, monkeypatch):
    """As on a disk without hard links."""
    monkeypatch.setattr("os.link", Mock(side_effect=PermissionError(1, "Operation not permitted")))
    files, kept, other = (LabelFiles(tmp_path / name, "a") for name in ("results/labels", "aside/1", "results/other"))
    files.write(Labelled(LABELS, SCORES), scan[1], "RAS", "model 1, scan 2")
    for _ in range(2):
        files.set_aside(tmp_path / "aside", "3")
        assert not files.label_map.exists() and kept.read("model 1, scan 2") is not None
        files.take(kept)
        assert files.read("model 1, scan 2") is not None
    other.take(files)
    other.set_aside(tmp_path / "elsewhere", "3")
    assert LabelFiles(tmp_path / "elsewhere/1", "a").read("model 1, scan 2") is not None


def test_soft_labels_that_no_record_has_are_none_of_the_label_map(files, tmp_path):
    """As an earlier version left those of another model."""
    files.soft_labels.parent.mkdir()
    files.soft_labels.write_bytes(b"of another model")
    assert not files.has_soft_labels()
