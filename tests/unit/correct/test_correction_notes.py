"""Tables beside corrections, as people and their spreadsheets write them: wrong ones are found line by line."""

import pytest

from noisy_student.correct.notes import read_minutes, read_organs, refuse_wrong_notes
from noisy_student.errors import InputError
from noisy_student.organs import FLARE22


@pytest.fixture
def place(tmp_path):
    """The folder of a round with three corrections, of which one has a case's name with the reader's mark in it."""
    folder = tmp_path / "round_1"
    folder.mkdir()
    for name in ("007__anna.nii.gz", "b.seg.nrrd", "c__d.nii.gz"):
        (folder / name).touch()
    return folder


def minutes(place, content):
    path = place / "minutes.tsv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_spreadsheets_table_is_read(place):
    path = minutes(place, "\ufeffCase\tReader\tMinutes\r\n007\tanna \t7,5\r\n\t\t\r\nb\t\t2\r\nc\td\t.5\n")
    assert read_minutes(path) == {"007__anna": 7.5, "b": 2, "c__d": 0.5}
    assert read_minutes(minutes(place, "case\tminutes\n007__anna\t3\nc__d\t1\n")) == {"007__anna": 3, "c__d": 1}
    assert read_minutes(place / "nothing.tsv") == {}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("case,minutes\nb,2\n", ": no column case, minutes, but case,minutes"),
        ("case\ttime\nb\t2\n", ": no column minutes, but case, time"),
        ("", ": no column case, minutes, but nothing"),
        ("case\tminutes\nb\t2\n".encode("utf-16"), "decode"),
        ("case\tminutes\nb\tlong\n", ", line 2: long is no number"),
        ("case\tminutes\nb\t-2\n", ", line 2: -2 is no number"),
        ("case\tminutes\nb\tnan\n", ", line 2: nan is no number"),
        ("case\tminutes\nb\n", ", line 2: an empty cell is no number"),
        ("case\tminutes\n\nb\t2\nb\t3\n", ", line 4: b is in line 3 already"),
        ("case\tminutes\n007\t2\n", ", line 2: 007: no such label map"),
        ("case\tminutes\n\t2\n", ", line 2: a row without a case"),
    ],
)
def test_another_table_is_refused_with_its_file_and_line(place, content, said):
    path = minutes(place, content)
    with pytest.raises(InputError) as error:
        refuse_wrong_notes(place.parent, 2, FLARE22)
    assert str(path) in error.value.got and said in error.value.got


def test_what_is_written_while_a_run_goes_on_does_not_stop_it(place, capsys):
    path = minutes(place, "case\tminutes\nb\t2\nnobody\t3\n007__anna\t\n")
    assert read_minutes(path) == {"b": 2}
    said = capsys.readouterr().err
    assert "not counted" in said and "line 3: nobody: no such label map" in said and "line 4" in said
    assert read_minutes(minutes(place, "case")) == {}


def test_organs_are_named_as_in_tables_of_scans_and_those_of_the_label_table(place):
    path = place / "organs.tsv"
    path.write_text("case\treader\torgans\n007\tanna\tpancreas, left kidney\nb\t\t\n")
    assert read_organs(path, FLARE22) == {"007__anna": ("pancreas", "left kidney")}
    path.write_text("case\torgans\nb\tliver, tail\nb\tliver\n")
    with pytest.raises(InputError) as error:
        read_organs(path, FLARE22)
    assert "line 2: tail: no such organ in the label table, whose names are liver, right" in error.value.got
    assert "line 3: b is in line 2 already" in error.value.got


def test_what_is_wrong_in_all_rounds_is_said_at_once_before_a_run_begins(place, tmp_path):
    refuse_wrong_notes(tmp_path, 3, FLARE22)
    minutes(place, "case\tminutes\nb\t2\nnobody\t3\n007__anna\tx\n")
    other = tmp_path / "round_2"
    other.mkdir()
    minutes(other, "case\torgans\nb\tliver\n").rename(other / "organs.tsv")
    with pytest.raises(InputError) as error:
        refuse_wrong_notes(tmp_path, 3, FLARE22)
    first, *lines = error.value.got.splitlines()
    assert first.startswith("3") and [line.rpartition("/round_")[2].partition(": ")[0] for line in lines] == [
        "1/minutes.tsv, line 3", "1/minutes.tsv, line 4", "2/organs.tsv, line 2",
    ]  # fmt: skip
    refuse_wrong_notes(tmp_path, 1, FLARE22)
