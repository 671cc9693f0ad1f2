import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import make_training_set
from noisy_student.model.label_files import LabelFiles
from noisy_student.tables import write_table
from noisy_student.train.balance import balanced_bound, organ_bounds

VOLUMES = st.lists(st.integers(0, 1000), min_size=101, max_size=101).map(np.array)
ORGANS = ["liver", "spleen", "aorta"]


@given(VOLUMES, st.floats(1.01, 5))
def test_of_an_organ_that_grows_no_more_is_kept_than_expected_and_as_much_as_a_per_cent_allows(volumes, growth):
    expected = volumes.sum() / growth
    percent = round(100 * balanced_bound(volumes, expected))
    assert volumes[percent:].sum() <= expected or percent == 100
    assert percent == 0 or volumes[percent - 1 :].sum() > expected


@given(VOLUMES, st.floats(0, 1000))
def test_of_an_organ_that_is_found_seldom_nothing_is_left_out(volumes, lacking):
    assert balanced_bound(volumes, volumes.sum() + lacking) == 0


@pytest.fixture
def kept(tmp_path):
    """Two scans with 100 ml of liver, half of it sure; the spleen is masked in one, whose teacher marks no aorta."""
    (tmp_path / "scores").mkdir()
    half_sure, sure = np.zeros((2, 101), int)
    half_sure[[50, 99]], sure[100] = 30, 7
    counts = {"liver": half_sure.tolist(), "spleen": sure.tolist(), "aorta": sure.tolist()}
    volumes = {"liver": 100.0, "spleen": 10.0, "aorta": 20.0}
    for case, organs in (("a", ORGANS), ("b", ORGANS[:2])):
        record = {
            "scores": [{"organ": organ, "volume_ml": volumes[organ]} for organ in organs],
            "voxels_by_confidence": {organ: counts[organ] for organ in organs},
        }
        (tmp_path / f"scores/{case}.json").write_text(json.dumps(record))
    return [(LabelFiles(tmp_path, "a"), ()), (LabelFiles(tmp_path, "b"), ("spleen",))]


def test_an_organs_bound_is_of_all_scans_together_in_which_it_is_marked_and_not_masked(kept):
    table = organ_bounds(kept, ORGANS, "balanced", {"liver": 60.0, "spleen": 10.0, "aorta": 19.0})
    assert table.columns.tolist() == ["organ", "expected_ml", "found_ml", "bound"]
    # All of the aorta is as sure as can be: nothing less than all could be left out, so it stays.
    assert table.to_numpy().tolist() == [
        ["liver", 120.0, 200.0, 0.51],
        ["spleen", 10.0, 10.0, 0.0],
        ["aorta", 19.0, 20.0, 1.0],
    ]


def test_one_bound_for_all_organs_is_listed_too(kept):
    table = organ_bounds(kept, ORGANS, 0.5)
    assert table.bound.tolist() == [0.5] * 3 and table.expected_ml.isna().all()
    assert table.found_ml.tolist() == [200, 10, 20]
    assert organ_bounds([], ORGANS, "balanced", {}).bound.tolist() == [0] * 3


def test_labelled_scans_without_an_organ_count_with_none_of_it(tmp_path):
    measures = pd.DataFrame({"organ": ["liver"] * 2 + ["spleen"] * 2, "volume_ml": [1000, 1500, 0, 300]})
    write_table(measures, tmp_path / "measures.tsv")
    assert make_training_set.mean_volumes_ml(tmp_path / "measures.tsv") == {"liver": 1250, "spleen": 150}
