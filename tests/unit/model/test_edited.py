"""Pseudo-labels that were changed where they lie: found by their dates, known by their checksums."""

import gzip
import json
import os

import pytest

from noisy_student.errors import InputError
from noisy_student.files import sha256
from noisy_student.model.edited import is_edited, refuse_edited, written_after_their_records


@pytest.fixture
def label_map(tmp_path):
    """A pseudo-label with its record, which was written last."""
    folder = tmp_path / "results/round_2/pseudo_labels"
    (folder / "scores").mkdir(parents=True)
    path = folder / "a.nii.gz"
    path.write_bytes(gzip.compress(b"the teacher's"))
    (folder / "scores/a.json").write_text(json.dumps({"sha256": {"a.nii.gz": sha256(path)}}))
    return path


def suspected(label_map):
    return list(written_after_their_records(label_map.parents[2]))


def test_what_was_not_touched_is_not_even_read(label_map):
    assert suspected(label_map) == [] and not is_edited(label_map)


def test_a_copy_with_new_dates_is_no_edit(label_map):
    os.utime(label_map, (2e9, 2e9))
    assert suspected(label_map) == [label_map]
    refuse_edited(suspected(label_map))


def test_an_edited_label_map_is_refused_with_the_place_where_it_counts(label_map):
    label_map.write_bytes(gzip.compress(b"a person's"))
    os.utime(label_map, (2e9, 2e9))
    with pytest.raises(InputError, match="changed since") as error:
        refuse_edited(suspected(label_map))
    assert str(label_map) in error.value.got
    assert "round_2/a.nii.gz" in error.value.remedy and "corrections: DIR" in error.value.remedy
    assert "snakemake --force results/round_2/shards/pseudo_label_scores_*.tsv" in error.value.remedy


def test_a_damaged_label_map_is_left_to_those_who_read_it(label_map):
    os.truncate(label_map, label_map.stat().st_size - 9)
    assert not is_edited(label_map)
