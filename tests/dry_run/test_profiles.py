"""The ways to run: conda per rule, this Python, a SLURM cluster, a container."""

import json
import os
import re
import shutil

import pytest

import environments
from conftest import ROOT
from project import BIN, Checkout, Project

SLURM = ("--workflow-profile", "slurm")
APPTAINER = ("--workflow-profile", "apptainer")
# The first job says so.
FOLDERS = ("images", "label_maps", "test_images", "test_label_maps")
NO_SCANS = {
    "labelled": [{"images": FOLDERS[0], "label_maps": FOLDERS[1]}],
    "test": [{"images": FOLDERS[2], "label_maps": FOLDERS[3]}],
}


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path / "project")


@pytest.fixture
def conda_answers(tmp_path):
    """A PATH with a `conda` that answers what a dry run asks; it cannot make an environment."""
    conda = tmp_path / "conda/bin/conda"
    conda.parent.mkdir(parents=True)
    answer = {"conda_prefix": str(tmp_path / "conda"), "root_prefix": str(tmp_path / "conda"), "platform": "linux-64"}
    conda.write_text(
        f"""#!/bin/sh
case "$1" in
    info) echo '{json.dumps(answer | {"conda_version": "24.11.0"})}' ;;
    config) echo '{{"get": {{"channel_priority": "strict"}}}}' ;;
    --version) echo conda 24.11.0 ;;
    *) exit 1 ;;
esac
"""
    )
    conda.chmod(0o755)
    return f"{conda.parent}:{BIN}:{os.environ['PATH']}"


def test_all_profiles_plan_the_same_jobs(project, conda_answers):
    here = project.planned()
    assert here["train"] == 3
    assert project.planned("--resources", "gpu=1", profile=(), PATH=conda_answers) == here
    assert project.planned(profile=SLURM, PATH=conda_answers) == here


def test_the_default_profile_would_make_each_environment(project, conda_answers):
    run = project.run("--dry-run", "--resources", "gpu=1", profile=(), PATH=conda_answers)
    assert "profiles/default" in run.stdout
    for name in ("imaging", "nnunet", "evaluation", "report"):
        assert re.search(rf"Conda environment \S*envs/{name}.yaml will be created", run.stdout), run.stdout


def test_without_conda_a_real_run_says_what_to_install_and_the_other_way(project, tmp_path):
    only = tmp_path / "bin"
    only.mkdir()
    for name in ("snakemake", "python"):
        (only / name).symlink_to(f"{BIN}/{name}")
    run = project.run(profile=(), PATH=f"{only}:/usr/bin:/bin")
    if shutil.which("conda", path="/usr/bin:/bin"):
        pytest.skip("conda is installed system-wide here")
    assert run.returncode != 0
    # Snakemake itself names the profile first.
    first, *rest = [line for line in run.stdout.splitlines() if not line.startswith("Using ")]
    assert first.startswith("conda was not found") and "Miniforge" in first and "profiles/venv" in first
    assert not rest
    assert not (project.folder / "results").exists()


def test_apptainer_runs_each_rule_in_the_image_and_what_is_missing_is_said(tmp_path):
    cohort = {"kind": "folders", "folders": NO_SCANS}
    project = Checkout(tmp_path / "project", cohort=cohort, rounds=[{"network": "coarse"}])
    for name in FOLDERS:
        (project.folder / name).mkdir()
    only = tmp_path / "bin"
    only.mkdir()
    image = project.folder / "containers/workflow.sif"

    def said(profile=APPTAINER):
        run = project.run(profile=profile, PATH=f"{only}:{BIN}:/usr/bin:/bin")
        assert run.returncode
        return run.stdout.splitlines()

    assert said()[-1].startswith("apptainer was not found.")
    apptainer = only / "apptainer"
    # It has no images, and runs the command that it is given as it is.
    apptainer.write_text(
        f"""#!/bin/sh
[ "$1" = --version ] && exec echo apptainer version 1.3.4
for command; do :; done
echo "$@" >> {only}/calls
exec bash -c "$command"
"""
    )
    apptainer.chmod(0o755)
    assert said()[-1].endswith("apptainer build containers/workflow.sif containers/workflow.def")
    image.parent.mkdir()
    image.touch()
    copied = shutil.copytree(project.folder / "profiles/apptainer", tmp_path / "site/profiles/apptainer")
    last = said(("--workflow-profile", str(copied)))[-3:]
    assert [line.split(":")[0].strip() for line in last] == ["wanted", "got", "remedy"]
    call = (only / "calls").read_text()
    assert call.startswith("exec ") and f"--nv --bind {project.folder} " in call and f" {image} bash -c " in call
    assert "make_case_table.py" in call


def test_environments_are_derived_from_the_lock():
    for path, text in environments.environments(ROOT).items():
        assert path.read_text() == text, f"{path.name} is out of step: run `make envs`"


def test_every_environment_is_pinned_and_used():
    lock = environments.read_lock(ROOT / "requirements.lock")
    rules = "".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    files = sorted(path.name for path in (ROOT / "envs").glob("*.yaml"))
    assert files == ["evaluation.yaml", "imaging.yaml", "nnunet.yaml", "report.yaml"]
    for name in files:
        assert f"envs/{name}" in rules
        pins = [line.strip(" -") for line in (ROOT / "envs" / name).read_text().splitlines() if "==" in line]
        assert pins and all(lock[pin.split("==")[0]] == pin.split("==")[1] for pin in pins)


def test_what_is_asked_for_is_in_the_lock():
    lock = environments.read_lock(ROOT / "requirements.lock")
    names = [line.split("#")[0].strip() for line in (ROOT / "requirements.in").read_text().splitlines()]
    for requirement in map(environments.Requirement, filter(None, names)):
        version = lock[environments.canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), requirement
