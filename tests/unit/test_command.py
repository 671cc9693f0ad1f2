import pytest

from noisy_student.command import run
from noisy_student.errors import InputError


def test_an_input_error_is_printed_and_exits_with_2(capsys):
    def main():
        raise InputError("a folder", "a file", "give the folder")

    with pytest.raises(SystemExit) as exit_info:
        run(main)
    assert exit_info.value.code == 2
    assert capsys.readouterr().err == "wanted: a folder\n   got: a file\nremedy: give the folder\n"


def test_other_errors_keep_their_traceback():
    with pytest.raises(ZeroDivisionError):
        run(lambda: 1 / 0)
