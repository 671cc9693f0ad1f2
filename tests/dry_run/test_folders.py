"""An experiment is any folder: called from the workflow's own, from a data folder, as a module, from a repository."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from conftest import ROOT
from project import BIN, PARTS, VENV, Checkout, Project, job_counts

EMPTY = {"images": "images", "label_maps": "label_maps"}
# The first job says that there are no scans: quick, and whatever is wrong with the folders shows before.
JUDGED = {"images": "test_images", "label_maps": "test_label_maps"}
FOLDERS = (*EMPTY.values(), *JUDGED.values())
NO_SCANS = {
    "cohort": {"kind": "folders", "folders": {"labelled": [EMPTY], "test": [JUDGED]}},
    "rounds": [{"network": "coarse"}],
}
SHARDS = {"shards": 3}
# What snakedeploy writes, but for the version that it asks for.
DEPLOYED = """
configfile: "config/config.yaml"


module flare:
    snakefile:
        github("lab/flare", path="workflow/Snakefile", tag="v1")
    config:
        config


use rule * from flare
"""


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path / "a run")


def called(folder: Path, *words: str, status: int = 0, **variables: str) -> str:
    """What Snakemake says, called in a folder."""
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", **variables}
    command = [f"{BIN}/snakemake", *words, "--cores", "2"]
    run = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert run.returncode == status, run.stdout[-5000:]
    return run.stdout


def no_scans(run: Path, said: str) -> bool:
    """Whether the first job's script has run in a folder, and its error stands last."""
    last = [line.split(":")[0].strip() for line in said.splitlines()[-3:]]
    return last == ["wanted", "got", "remedy"] and (run / "logs/cohort/case_table.log").exists()


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if "__pycache__" not in path.parts}


def test_called_in_the_workflows_folder_for_another_one_all_lies_there(tmp_path):
    checkout, run = Checkout(tmp_path / "the workflow", **NO_SCANS), tmp_path / "a run"
    for name in FOLDERS:
        (run / name).mkdir(parents=True)
    before = files(checkout.folder)
    words = ("--directory", "../a run", "--workflow-profile", "profiles/venv", "--configfile", "overlay.yaml")
    said = called(checkout.folder, "results/cohort/cases.tsv", *words, status=1)
    assert no_scans(run, said), said
    assert files(checkout.folder) == before
    # As it is typed in the run's folder.
    workflow = ("-s", "../the workflow/Snakefile", "--configfile", "../the workflow/overlay.yaml")
    assert job_counts(called(run, "results/cohort/cases.tsv", "-n", *workflow, *VENV)) == {"case_table": 1}


def test_the_configuration_of_the_runs_folder_goes_over_the_defaults_and_under_what_is_given(project):
    (project.folder / "config").mkdir()
    (project.folder / "config/config.yaml").write_text(yaml.safe_dump(SHARDS))
    assert project.planned()["convert"] == 3
    project.configure(shards=2)
    jobs = project.planned()
    assert jobs["convert"] == 2 and jobs["train"] == 3


def test_a_profile_that_is_not_in_the_folder_of_the_call_ends_in_a_sentence(project):
    run = project.run("--dry-run", profile=("--workflow-profile", "profiles/venv"))
    assert run.returncode and run.stdout.startswith("There is no profile profiles/venv; "), run.stdout
    assert f"--workflow-profile {ROOT}/profiles/venv" in run.stdout


def test_scans_named_from_the_folder_of_the_call_are_told_as_they_have_to_be_written(project):
    scans = {"images": "data/images", "label_maps": "data/label_maps"}
    project.configure(cohort={"kind": "folders", "folders": {"labelled": [scans]}})
    for place in scans.values():
        (project.folder / place).mkdir(parents=True)
    run = project.run("--dry-run", "--directory", "runs/b")
    assert run.returncode and "write ../../data/images" in run.stdout and "write ../../data/label_maps" in run.stdout


MODULE = """
module flare:
    snakefile: "{root}/{snakefile}"
    {given}
use rule * from flare {names}
"""


@pytest.mark.parametrize("snakefile", ["Snakefile", "workflow/Snakefile"])
def test_as_a_module_without_a_configuration_it_has_its_own_and_what_the_call_gives(project, snakefile):
    (project.folder / "config").mkdir()
    (project.folder / "config/config.yaml").write_text("of: another workflow")
    (project.folder / "Snakefile").write_text(MODULE.format(root=ROOT, snakefile=snakefile, given="", names=""))
    project.configure(**SHARDS)
    said = called(project.folder, "-n", "--workflow-profile", f"{ROOT}/profiles/venv", "--configfile", "overlay.yaml")
    jobs = job_counts(said)
    assert jobs["convert"] == 3 and jobs["train"] == 3 and jobs["report"] == 1


def test_a_module_fills_its_defaults_into_the_configuration_that_it_is_given(project):
    names = "as flare_*\n\nonstart:\n    flare.onstart()\n"
    module = MODULE.format(root=ROOT, snakefile="Snakefile", given='config: config["flare"]', names=names)
    own = 'configfile: "own.yaml"\n\nrule all:\n    input:\n        "results/cohort/cases.tsv",\n'
    (project.folder / "Snakefile").write_text(own + module)
    (project.folder / "own.yaml").write_text(yaml.safe_dump({"flare": SHARDS, "mine": 1}))
    profile = ("--workflow-profile", f"{ROOT}/profiles/venv")
    said = called(project.folder, "flare_all", "-n", *profile)
    jobs = job_counts(said)
    assert jobs["flare_convert"] == 3 and jobs["flare_train"] == 3 and jobs["flare_report"] == 1
    assert "localrules directive" not in said
    # The other workflow's own rule is made where none is named.
    assert job_counts(called(project.folder, "-n", *profile))["all"] == 1


@pytest.fixture
def repository(tmp_path):
    """The workflow as a repository on GitHub, which git takes from here; and variables that make it so."""
    folder = tmp_path / "repository"
    folder.mkdir()
    for part in (*PARTS, ".gitattributes", ".git_archival.txt"):
        (folder / part).symlink_to(ROOT / part)
    copy = shutil.copytree(folder, tmp_path / "lab/flare", ignore=shutil.ignore_patterns("__pycache__"))
    git = ("git", "-c", "user.name=t", "-c", "user.email=t@example.org")
    for arguments in (("init", "--quiet"), ("add", "."), ("commit", "--quiet", "--message=one"), ("tag", "v1")):
        subprocess.run((*git, *arguments), cwd=copy, check=True)
    return copy, {
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{copy.parent}/.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/lab/",
    }


def test_deployed_from_a_repository_it_has_its_files_on_disk(tmp_path, repository):
    source, variables = repository
    run = tmp_path / "deployed"
    for part in ("config", "profiles"):
        shutil.copytree(source / part, run / part)
    (run / "workflow").mkdir()
    (run / "workflow/Snakefile").write_text(DEPLOYED)
    said = called(run, "-n", "--workflow-profile", "profiles/venv", **variables)
    here = Project(tmp_path / "as it lies").planned()
    assert job_counts(said) == {"default" if name == "all" else name: count for name, count in here.items()}
    (files_on_disk,) = (run / ".snakemake/flare").iterdir()
    commit = subprocess.run(("git", "rev-parse", "HEAD"), cwd=source, capture_output=True, text=True).stdout.strip()
    assert files_on_disk.name == commit == (files_on_disk / ".git_archival.txt").read_text().strip()
    for name in FOLDERS:
        (run / name).mkdir(parents=True)
    (run / "overlay.yaml").write_text(yaml.safe_dump(NO_SCANS))
    words = ("results/cohort/cases.tsv", "--workflow-profile", "profiles/venv", "--configfile", "overlay.yaml")
    said = called(run, *words, status=1, **variables)
    assert "wanted" in said and (run / "logs/cohort/case_table.log").exists(), said
