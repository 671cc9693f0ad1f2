import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noisy_student.errors import InputError
from noisy_student.shards import balance, gather, shard_of, work_of
from noisy_student.tables import write_table


def cases(depths):
    table = pd.DataFrame({"case": [f"c{n:03}" for n in range(len(depths))], "size_z": depths})
    return table.assign(size_x=512, size_y=512, spacing_x_mm=0.8, spacing_y_mm=0.8, spacing_z_mm=2.5)


@given(st.lists(st.integers(1, 900), max_size=60), st.integers(1, 9))
def test_shards_deal_every_case_once_and_evenly(depths, shards):
    table = cases(depths)
    parts = [shard_of(table, shard, shards) for shard in range(shards)]
    assert sorted(case for part in parts for case in part.case) == list(table.case)
    loads = [work_of(part).sum() for part in parts]
    assert max(loads) - min(loads) <= (work_of(table).max() if len(table) else 0) + 1e-6


def test_the_balance_says_a_shards_share_and_the_largest():
    said = balance(cases([300, 100, 100, 100]), 1, 2)
    assert said == "shard 1 of 2: 50.0% of the voxels to predict; the largest shard has 1.00 times an even share"
    assert "shard 0 of 3: 50.0%" in balance(cases([300, 100, 200]), 0, 3)
    assert "has 1.50 times" in balance(cases([300, 100, 200]), 0, 3)
    assert "shard 1 of 2: 0.0%" in balance(cases([5]), 1, 2)
    assert "0.0%" in balance(cases([]), 0, 2)


def test_work_grows_with_the_extent_not_with_the_voxels():
    thin, thick = cases([200]), cases([100])
    thin["spacing_z_mm"] = 1.25
    assert work_of(thin)[0] == pytest.approx(work_of(thick)[0])


@pytest.fixture
def tables(tmp_path):
    def make(*shards):
        paths = [tmp_path / f"{number}.tsv" for number in range(len(shards))]
        for path, shard in zip(paths, shards, strict=True):
            write_table(pd.DataFrame({"case": list(shard), "label": 1}), path)
        return paths

    return make


def test_gathering_returns_every_row_in_order_of_the_cases(tables):
    table = gather(tables("cca", "b", ""), "abc")
    assert list(table.case) == ["a", "b", "c", "c"]


@pytest.mark.parametrize(
    ("shards", "said"),
    [(("a", "b"), "missing: c"), (("ab", "bc"), "more than one shard: b"), (("abc", "x"), "not asked for: x")],
)
def test_gathering_refuses_missing_double_and_foreign_cases(tables, shards, said):
    with pytest.raises(InputError, match=said):
        gather(tables(*shards), "abc")


def test_a_case_with_a_number_for_a_name_stays_text(tables):
    assert list(gather(tables(["007", "7"]), ["007", "7"]).case) == ["007", "7"]
