"""The report's commands run as they are printed, in the folder and with all that the run was started with."""

import json
import os
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

import finished_run
from conftest import ROOT
from noisy_student.report.commands import commands
from project import BIN, Project, job_counts

SELECTION = "round 1: select again, and what follows in it"
MODULE = f"""
configfile: "overlay.yaml"


module flare:
    snakefile: "{ROOT}/Snakefile"
    config: config


use rule * from flare as flare_*


onstart:
    flare.onstart()
"""
ROUNDS = [
    SimpleNamespace(number=number, name=f"round {number}", folder=Path(f"round_{number}"), is_deployed=False)
    for number in range(2)
]
VENV, SLURM = f"{ROOT}/profiles/venv", f"{ROOT}/profiles/slurm"
OVERLAY = ["--configfile", "overlay.yaml"]
ELSEWHERE = ["-s", f"{ROOT}/Snakefile", "--workflow-profile"]
# From which folder, and with which words, a run is started; RUN is its own folder.
STARTS = {
    "directory": (
        str(ROOT),
        ["--workflow-profile", "profiles/venv", "--directory", "RUN", "--configfile", "RUN/overlay.yaml"],
    ),
    "elsewhere": ("RUN", [*ELSEWHERE, VENV, *OVERLAY]),
    "module": ("RUN", ["--workflow-profile", VENV]),
    # Without conda, which this machine may not have.
    "slurm": ("RUN", [*ELSEWHERE, SLURM, "--software-deployment-method", "env-modules", *OVERLAY]),
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("commands") / "a run")
    finished_run.complete(project, rounds=[{"network": "coarse"}] * 2)
    return project


def shell(project, folder, command):
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("start", STARTS)
def test_commands_of_the_report_are_planned_as_printed(run, start):
    folder, *words = (word.replace("RUN", str(run.folder)) for word in [STARTS[start][0], *STARTS[start][1]])
    (run.folder / "Snakefile").unlink(missing_ok=True)
    if start == "module":
        (run.folder / "Snakefile").write_text(MODULE)
    started = [f"{BIN}/snakemake", "results/cohort/cases.tsv", *words, "--cores", "2", "--touch", "--force"]
    subprocess.run(started, cwd=folder, env=run.environment(), check=True, capture_output=True)
    call = json.loads((run.folder / "results/call.json").read_text())
    assert call["cores"] == 2 and call["called_from"] == folder and call["folder"] == str(run.folder)
    printed = dict(commands(SimpleNamespace(call=call, chain=ROUNDS)))
    # As from another place, in a new terminal.
    said = shell(run, "/", f"{printed['first, in a new terminal']} && {printed[SELECTION]} --dry-run")
    jobs = {name.removeprefix("flare_"): number for name, number in job_counts(said).items()}
    assert jobs["select"] == 1 and jobs["train"] == 1 and "report" not in jobs
