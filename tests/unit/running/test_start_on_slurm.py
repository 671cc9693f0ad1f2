"""The command that starts a run on a cluster: what Snakemake is called with, and whose lock and queue are looked at."""

import os
import subprocess
import sys

import pytest

from conftest import ROOT
from noisy_student.files import only_one

SNAKEMAKE = '#!/bin/sh\npwd >> called\nfor word; do printf "%s\\n" "$word" >> called; done\n'
OWN = ["--snakefile", f"{ROOT}/Snakefile", "--workflow-profile", f"{ROOT}/profiles/slurm"]


@pytest.fixture
def start(tmp_path):
    """Type the command in another folder; what Snakemake was called with, each time, and stderr."""
    for name, text in (("snakemake", SNAKEMAKE), ("squeue", "#!/bin/sh\n")):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    (tmp_path / "a run").mkdir()

    def start(*words):
        command = [sys.executable, f"{ROOT}/workflow/scripts/start_on_slurm.py", *words]
        environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
        run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        called = (tmp_path / "called").read_text() if (tmp_path / "called").exists() else ""
        return [call.splitlines() for call in called.split(f"{tmp_path}\n")[1:]], run.stderr

    return start


def test_from_any_folder_it_is_the_workflow_with_its_own_profile(start, tmp_path):
    assert start("round_1", "--cores", "2") == ([[*OWN, "round_1", "--cores", "2"]], "")
    assert (tmp_path / ".snakemake/start_on_slurm/lock").exists()


def test_a_lock_that_was_left_in_the_runs_folder_is_taken_away_there(start, tmp_path):
    locks = tmp_path / "a run/.snakemake/locks"
    locks.mkdir(parents=True)
    (locks / "0.input.lock").touch()
    words = [*OWN, "--directory", "a run", "round_1"]
    assert start("--directory", "a run", "round_1") == ([[*words, "--unlock"], words], "")
    assert not (tmp_path / ".snakemake").exists()


def test_a_second_one_is_refused_in_the_same_run_alone(start, tmp_path):
    with only_one(tmp_path / "a run/.snakemake/start_on_slurm/lock"):
        calls, said = start("--directory", "a run")
        assert not calls and "for one process alone" in said
        assert len(start("--directory", "another run")[0]) == 1


def test_a_sites_own_profile_and_another_workflow_take_the_place_of_its_own(start):
    given = ["--workflow-profile", "site", "-s", "Snakefile"]
    assert start(*given)[0] == [given]


@pytest.mark.parametrize("word", ["-n", "--dry-run", "--dryrun", "-np", "-pn"])
def test_a_dry_run_looks_at_no_queue_and_takes_no_lock(start, tmp_path, word):
    for name in ("squeue", "scancel"):
        (tmp_path / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/asked\n")
        (tmp_path / name).chmod(0o755)
    assert start("--cancel", "round_1", word) == ([[*OWN, "round_1", word]], "")
    assert not (tmp_path / "asked").exists() and not (tmp_path / ".snakemake").exists()


def test_what_only_looks_like_a_dry_run_is_none(start, tmp_path):
    start("--rerun-incomplete", "-Rtrain", "n", "--nolock")
    assert (tmp_path / ".snakemake/start_on_slurm/lock").exists()
