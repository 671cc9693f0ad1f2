"""How long corrections took, as people and their spreadsheets write it down."""

import pandas as pd
import pytest

from noisy_student.correct.minutes import read_minutes
from noisy_student.errors import InputError

CORRECTED = pd.DataFrame({"case": ["007", "b"], "reader": ["anna", ""]})


def test_a_spreadsheets_table_is_read(tmp_path):
    path = tmp_path / "minutes.tsv"
    path.write_bytes("\ufeffCase\tReader\tMinutes\r\n007\tanna \t7,5\r\nb\t\t2\r\n\t\t".encode())
    assert read_minutes(path, CORRECTED) == {("007", "anna"): 7.5, ("b", ""): 2}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"case,minutes\nb,2\n", "without case, minutes"),
        (b"case\ttime\nb\t2\n", "without minutes"),
        (b"", "No columns"),
        ("case\tminutes\nb\t2\n".encode("utf-16"), "decode"),
        (b"case\tminutes\nb\tlong\n", "none for b"),
        (b"case\tminutes\nb\t2\nb\t3\n", "several of b"),
        (b"case\tminutes\nc\t2\n", "rows of c"),
    ],
)
def test_another_table_is_refused_and_not_to_be_deleted(tmp_path, content, said):
    path = tmp_path / "minutes.tsv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=said) as error:
        read_minutes(path, CORRECTED)
    assert "delete" not in error.value.remedy
