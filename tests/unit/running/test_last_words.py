import pytest

from noisy_student.errors import InputError
from noisy_student.running.last_words import MOST_LINES, error_in

TRACEBACK = 'Traceback (most recent call last):\n  File "a.py", line 1, in <module>\n    main()\n    ^^^^^^\n'


@pytest.fixture
def log(tmp_path):
    def write(text):
        (tmp_path / "job.log").write_text(text)
        return tmp_path / "job.log"

    return write


def test_an_error_of_ours_is_whole_and_alone(log):
    error = str(InputError("a cohort without errors", "2 error(s)\nerror a: x\n    damaged", "follow each line"))
    assert error_in(log(f"checking: 3 of 3, 9 a minute\n{error}\n")) == error


def test_of_a_traceback_the_message_and_its_notes_are_left(log):
    cause = f"{TRACEBACK}KeyError: 1\n\nThe above exception was the direct cause of the following exception:\n\n"
    end = "OSError: [Errno 28] No space left on device\nwhile a was written, with 3 kB free\nremedy: make room"
    assert error_in(log(f"epoch 3\n{cause}{TRACEBACK}{end}\n")) == end


def test_an_error_of_ours_that_a_worker_raised_is_followed_by_what_came_of_it(log):
    ours = f"{TRACEBACK}noisy_student.errors.InputError: wanted: a\n   got: b\nremedy: c\n"
    assert error_in(log(f"{ours}\n{TRACEBACK}RuntimeError: lost\n")) == "RuntimeError: lost"


def test_a_log_that_ends_in_mid_work_shows_its_end_without_what_a_bar_wrote_over(log):
    lines = "\n".join(f"line {number}" for number in range(100))
    assert error_in(log(f"{lines}\n[#  ] a\r[## ] b")) == "line 96\nline 97\nline 98\nline 99\n[## ] b"


def test_an_empty_log_and_none_are_told(log, tmp_path):
    assert error_in(log("")) == f"nothing was written to {tmp_path / 'job.log'}"
    assert error_in(tmp_path / "none.log") == f"nothing was written to {tmp_path / 'none.log'}"


def test_of_a_long_message_the_beginning_and_the_remedy_stay(log):
    found = "\n".join(f"error case_{number}" for number in range(500))
    lines = error_in(log(f"wanted: a cohort\n   got: 500 error(s)\n{found}\nremedy: mend them\n")).splitlines()
    assert len(lines) == MOST_LINES + 1 and lines[0] == "wanted: a cohort" and lines[-1] == "remedy: mend them"
    assert "473 lines more in" in lines[-2]
