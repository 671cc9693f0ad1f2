import sys

import pandas as pd
import pytest
from test_conversion import ARRAY

import convert
from conftest import script
from noisy_student.files import sha256
from noisy_student.images import read_image
from noisy_student.tables import read_table, write_table


@pytest.fixture
def cohort(write_scan, tmp_path):
    """One labelled scan, and the command that converts it; `checked` says that the case table is made first."""
    image, label_map = write_scan("in/a_0000.nii.gz", ARRAY), write_scan("in/a.nii.gz", ARRAY % 3)
    geometry = {f"size_{axis}": [5] for axis in "xyz"} | {f"spacing_{axis}_mm": [1.0] for axis in "xyz"}

    def convert(checked=True, status=0):
        if checked:
            rows = {"case": ["a"], "role": ["labelled"], "image": [image], "label_map": [label_map]}
            rows |= {"sha256": [sha256(image)], "labels_sha256": [sha256(label_map)]}
            write_table(pd.DataFrame(rows | geometry), tmp_path / "cases.tsv")
        run = script(
            "convert.py",
            *("--cases", tmp_path / "cases.tsv", "--folder", tmp_path / "out"),
            *("--shard", 0, "--shards", 1, "--output", tmp_path / "index.tsv"),
        )
        assert run.returncode == status, run.stderr
        if status:
            return run.stderr
        return tmp_path / "out/images/a_0000.nii.gz", pd.read_csv(tmp_path / "index.tsv", sep="\t")

    return convert


def test_what_is_whole_is_not_converted_again(cohort):
    image, first = cohort()
    stamp = image.stat().st_mtime_ns
    assert cohort()[1].equals(first)
    assert image.stat().st_mtime_ns == stamp


def test_a_damaged_result_is_converted_again(cohort):
    image, _ = cohort()
    whole = image.read_bytes()
    image.write_bytes(whole[:-9])
    cohort()
    assert image.read_bytes() == whole


def test_another_scan_under_the_same_name_is_converted_again_and_changes_the_index(cohort, write_scan):
    image, first = cohort()
    write_scan("in/a_0000.nii.gz", ARRAY + 1)
    _, second = cohort()
    assert read_image(image)[0, 0, 0] == ARRAY[0, -1, -1] + 1
    assert first.made_from[0] != second.made_from[0]


@pytest.mark.parametrize("name", ["a_0000.nii.gz", "a.nii.gz"])
def test_a_file_that_changed_since_it_was_checked_stops_and_is_named(cohort, write_scan, name):
    cohort()
    changed = write_scan(f"in/{name}", ARRAY % 2)
    said = cohort(checked=False, status=2)
    assert str(changed) in said and "snakemake -R case_table" in said and "Traceback" not in said


def test_the_index_says_in_which_scans_only_some_voxels_are_labelled(write_scan, tmp_path, monkeypatch):
    image, label_map = write_scan("in/a_0000.nii.gz", ARRAY), write_scan("in/a.nii.gz", ARRAY % 3)
    row = {"case": "a", "role": "labelled", "image": image, "label_map": label_map, "sha256": sha256(image)}
    row |= {f"size_{axis}": 5 for axis in "xyz"} | {f"spacing_{axis}_mm": 1.0 for axis in "xyz"}
    words = ["--shard=0", "--shards=1", f"--folder={tmp_path}/out", f"--output={tmp_path}/index.tsv"]
    monkeypatch.setattr(sys, "argv", ["convert.py", f"--cases={tmp_path}/cases.tsv", *words])
    for share in ({}, {"labelled_share": 0.1}):
        write_table(pd.DataFrame([row | {"labels_sha256": sha256(label_map)} | share]), tmp_path / "cases.tsv")
        convert.main()
        index = read_table(tmp_path / "index.tsv", ["case", "image", "label_map", "made_from"])
        assert index[list(share)].to_dict("records") == [share]
