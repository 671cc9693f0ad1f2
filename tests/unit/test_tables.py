import pandas as pd
import pytest

from noisy_student.errors import InputError
from noisy_student.tables import read_table, require_table, stacked, write_table


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "cases.tsv"
    write_table(pd.DataFrame({"case": ["007", "NA"], "value": [1.5, None]}), path)
    return path


def test_a_table_comes_back_with_text_as_text(table):
    read = read_table(table, ["case", "value"])
    assert read.case.tolist() == ["007", "NA"] and read.value.isna().tolist() == [False, True]


def test_a_table_without_its_end_is_refused(table):
    table.write_bytes(table.read_bytes()[:-2])
    with pytest.raises(InputError, match=r"a whole table at .*cases\.tsv"):
        read_table(table)


def test_a_missing_table_and_a_missing_column_are_named(table):
    with pytest.raises(InputError, match="without role"):
        read_table(table, ["case", "role"])
    with pytest.raises(InputError, match=r"a table at .*none\.tsv"):
        read_table(table.with_name("none.tsv"))


def test_small_tables_are_stacked_in_their_order():
    tables = [pd.DataFrame({"case": [case] * 2, "label": [1, 2], "score": [0.5, None]}) for case in ("007", "a")]
    table = stacked(iter(tables), ["case"])
    pd.testing.assert_frame_equal(table, pd.concat(tables, ignore_index=True))
    assert list(stacked([], ["case", "label"]).columns) == ["case", "label"]


@pytest.mark.parametrize(
    ("name", "why"),
    [("", "a folder"), ("truth.NII.GZ", "the name of an image"), ("cases.tsv", "an input"), ("link", "an input")],
)
def test_a_table_never_takes_the_place_of_an_input(table, name, why):
    (table.parent / "link").symlink_to(table)
    with pytest.raises(InputError, match=f"which is {why}"):
        require_table(table.parent / name, [table])
    require_table(table.with_name("scores.tsv"), [table])
