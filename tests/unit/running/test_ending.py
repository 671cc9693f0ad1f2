import os
import subprocess
import sys

import pytest

from conftest import ROOT

# A process in place of Snakemake's: a run begins, something happens, and Snakemake says something more at its end.
RUN = """
import os, signal, sys, time
from pathlib import Path
from noisy_student.running.ending import Ending
ending = Ending(Path.cwd(), "snakemake check")
ending.begin("snakemake.log")
try:
    {what}
except KeyboardInterrupt:
    pass
print("Snakemake's last words", file=sys.stderr)
"""
SIGNAL = "os.kill(os.getpid(), signal.{}); time.sleep(30)"


def said(what, folder):
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "workflow/scripts")}
    command = [sys.executable, "-c", RUN.format(what=what)]
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return run.stderr


def test_an_interruption_by_the_keyboard_is_said_last(tmp_path):
    lines = said(SIGNAL.format("SIGINT"), tmp_path).splitlines()
    assert lines[0] == "Snakemake's last words" and lines[2] == "Interrupted (Ctrl-C)"
    assert "`snakemake check` goes on where it was" in lines[3]


def test_who_handled_a_signal_before_still_does(tmp_path):
    handled = "signal.signal(signal.SIGTERM, lambda *_: print('handled', file=sys.stderr)); ending.begin('log'); "
    lines = said(handled + "os.kill(os.getpid(), signal.SIGTERM)", tmp_path).splitlines()
    assert lines[0] == "handled" and "Interrupted (SIGTERM)" in lines


def test_an_end_with_an_error_is_said_last(tmp_path):
    text = said("pass", tmp_path)
    assert text.startswith("Snakemake's last words") and "Not finished" in text and "Interrupted" not in text


def test_a_good_end_is_said_once(tmp_path):
    text = said("ending.finish('snakemake')", tmp_path)
    assert "Done" in text and "Not finished" not in text


@pytest.mark.parametrize(
    "what", ["os._exit(0) if not os.fork() else os.wait()", "sys.exit() if not os.fork() else os.wait()"]
)
def test_a_process_that_was_forked_says_nothing(what, tmp_path):
    assert said(what, tmp_path).count("Not finished") == 1
