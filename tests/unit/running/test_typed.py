"""Commands that are printed: those of the README for a run in the workflow's own folder, else right from anywhere."""

import subprocess

import pytest

from conftest import ROOT
from noisy_student.running import banner, typed

SCRIPTS = f"{ROOT}/workflow/scripts"


@pytest.fixture
def run(tmp_path):
    return tmp_path / "a run"


def test_in_the_workflows_own_folder_they_are_the_readmes():
    readme = (ROOT / "README.md").read_text()
    assert f"`{banner.rebuild(ROOT)}`" in readme
    assert typed.start_on_slurm(ROOT) == "python workflow/scripts/start_on_slurm.py"


def test_in_another_folder_they_go_there_and_name_what_they_run_by_its_whole_path(run):
    assert banner.rebuild(run) == f"cd '{run}' && python {SCRIPTS}/draw_examples.py && python {SCRIPTS}/report.py"
    assert typed.start_on_slurm(run) == f"python {SCRIPTS}/start_on_slurm.py --directory '{run}'"


def test_a_shell_goes_where_they_say(run):
    run.mkdir()
    command = typed.in_folder(run, "pwd")
    assert subprocess.run(command, shell=True, capture_output=True, text=True).stdout == f"{run}\n"
