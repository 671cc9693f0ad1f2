"""What is looked at whenever the workflow is read: the command line, the configuration's keys, folders and tables."""

import re
import subprocess

import pytest

from conftest import ROOT
from project import VENV, Project

# Every role with a folder and a table.
FOLDERS = {
    "labelled": [{"images": "scans", "label_maps": "maps"}, {"table": "labelled.tsv"}],
    "unlabelled": [{"images": "more_scans", "truth": "truth"}],
    "validation": [{"images": "validation", "label_maps": "maps"}],
    "test": [{"images": "test", "label_maps": "maps"}],
}
SLURM = ("--workflow-profile", "slurm")
TABLE = "case\timage\tlabel_map\na\ta.nii.gz\tb.nii.gz\n"


@pytest.fixture
def project(tmp_path):
    """A project on folders of one's own, with the case table of an earlier run."""
    project = Project(tmp_path / "project", cohort={"kind": "folders", "folders": FOLDERS})
    for name in ("scans", "maps", "more_scans", "truth", "validation", "test", "results/cohort"):
        (project.folder / name).mkdir(parents=True)
    (project.folder / "labelled.tsv").write_text(TABLE)
    (project.folder / "results/cohort/cases.tsv").write_text("case\n")
    return project


def typed(project, *words, profile=VENV):
    """Snakemake as it is typed, without what tests add; the last line that it says."""
    command = [*project.snakemake(), *profile, *words, "--dry-run"]
    run = subprocess.run(command, cwd=project.folder, env=project.environment(), capture_output=True, text=True)
    assert run.returncode and "Traceback" not in run.stderr, run.stdout + run.stderr
    return run.stderr.splitlines()[-1]


@pytest.mark.parametrize("name", ["scans", "labelled.tsv", "more_scans", "validation", "test"])
def test_a_place_that_is_gone_stops_every_run_though_its_results_are_there(project, name):
    place = project.folder / name
    place.rename(place.with_name("elsewhere"))
    run = project.run("--dry-run", "check")
    assert run.returncode and f": {name}: no such" in run.stdout and "cohort.folders." in run.stdout, run.stdout
    assert run.stdout.splitlines()[-1].startswith("remedy: ") and "Job stats" not in run.stdout


def test_places_that_are_there_stop_nothing(project):
    assert project.planned("check")["check"] == 1


def test_the_name_of_the_case_in_a_path_is_no_wildcard(tmp_path):
    entry = {"cases": "d", "scan": "images/{case}/ct.nii.gz", "label_maps": "labels/{case}.nii.gz"}
    folders = {"labelled": [entry], "test": [entry | {"cases": "t"}]}
    project = Project(
        tmp_path / "project", cohort={"kind": "folders", "folders": folders}, rounds=[{"network": "coarse"}]
    )
    for name in ("d/images", "d/labels", "t/images", "t/labels"):
        (project.folder / name).mkdir(parents=True)
    jobs = project.planned()
    assert jobs["case_table"] == jobs["run_record"] == 1


def test_a_cohort_on_which_no_round_could_be_judged_stops_before_anything_is_computed(project):
    project.configure(cohort={"kind": "folders", "folders": {"labelled": FOLDERS["labelled"]}})
    run = project.run("--dry-run", "check")
    assert run.returncode and "Job stats" not in run.stdout, run.stdout
    assert "wanted: validation or test scans" in run.stdout and "unlabelled scans, for " in run.stdout, run.stdout


def test_a_network_that_its_patch_does_not_allow_stops_before_anything_is_computed(tmp_path):
    project = Project(tmp_path / "project", networks={"coarse": {"stages": 6}})
    run = project.run("--dry-run", "check")
    assert run.returncode and "Job stats" not in run.stdout and "Traceback" not in run.stdout, run.stdout
    assert run.stdout.splitlines()[-1] == "remedy: set `stages: 4` or fewer, or use a larger patch", run.stdout


def test_what_the_defaults_students_have_otherwise_is_said_when_a_run_starts(tmp_path):
    project = Project(tmp_path / "project", training={"epochs": 30})
    said = f"training.epochs 30 holds for round 0: rounds 1, 2 of {ROOT}/config/config.yaml go by their own, 20. Write"
    assert said in project.run("--dry-run", "check").stdout
    (project.folder / "config").mkdir()
    (project.folder / "config/config.yaml").write_text("targets: hard")
    assert "\ntargets hard holds for no round: rounds 1, 2 of " in project.run("--dry-run", "check").stdout


def test_a_key_that_stands_twice_stops_the_run_with_its_lines(project):
    overlay = project.folder / "overlay.yaml"
    overlay.write_text("seed: 1\n" + overlay.read_text() + "seed: 2\n")
    run = project.run("--dry-run")
    last = len(overlay.read_text().splitlines())
    assert run.returncode and f"overlay.yaml: `seed` in lines 1 and {last}" in run.stdout, run.stdout


def test_targets_of_rounds_that_are_not_configured_end_in_sentences_that_name_the_keys(tmp_path):
    project = Project(tmp_path / "project", rounds=[{"network": "coarse"}] * 2)
    files = f"{project.folder}/overlay.yaml, {ROOT}/config/config.yaml"
    deploy = "has no student to be deployed. The section `deploy` adds one"
    for target in ("results/round_deploy/model.zip", "round_deploy"):
        said = project.run("--dry-run", target)
        assert said.returncode and "No rule to produce" in said.stdout and "Traceback" not in said.stdout, said.stdout
        assert said.stdout.splitlines()[-1] == f"No {target}: the configuration ({files}) {deploy}", said.stdout
    said = project.run("--dry-run", "round_1", "review_3")
    assert said.returncode and said.stdout.splitlines()[-1].startswith("No review_3: "), said.stdout
    assert "No round_1" not in said.stdout


@pytest.mark.parametrize("profile", [VENV, (), SLURM], ids=["venv", "default", "slurm"])
def test_a_target_behind_the_configuration_ends_in_a_sentence_with_the_right_command(project, profile):
    said = typed(project, "--cores", "2", "--configfile", "overlay.yaml", "check", profile=profile)
    words = ("check", *project.snakemake()[1:], *profile, "--cores 2 --dry-run --configfile overlay.yaml")
    assert said.endswith(": snakemake " + " ".join(words)), said


def test_several_options_for_configurations_end_in_a_sentence_with_or_without_a_profile(project):
    (project.folder / "more.yaml").write_text("seed: 2")
    for profile in (VENV, ("--workflow-profile", "none")):
        said = typed(project, "--configfile", "overlay.yaml", "--configfile", "more.yaml", profile=profile)
        assert said.endswith("--dry-run --configfile overlay.yaml more.yaml"), said


def test_on_slurm_an_account_on_the_command_line_is_sent_to_the_profile(project):
    said = typed(project, "--default-resources", "slurm_account=lab", profile=SLURM)
    assert "write `slurm_account: lab` there" in said, said
    assert f"{ROOT}/profiles/slurm/config.yaml (mem_mb, runtime)" in said, said


def test_on_slurm_an_account_in_a_sites_own_profile_leaves_memory_and_run_time(tmp_path):
    """The profile of the run's folder goes before the workflow's, which may not be written to."""
    project = Project(tmp_path / "project")
    text = (ROOT / "profiles/slurm/config.yaml").read_text()
    assert "  # slurm_account: my_account" in text
    conda = re.compile("^(software-deployment-method|conda-prefix): .*\n", re.MULTILINE)
    profile = project.folder / "profiles/slurm/config.yaml"
    profile.parent.mkdir(parents=True)
    profile.write_text(conda.sub("", text).replace("  # slurm_account: my_account", "  slurm_account: lab #"))
    run = project.run("--dry-run", profile=SLURM)
    resources = [line for line in run.stdout.splitlines() if "    resources: " in line]
    assert run.returncode == 0 and len(resources) > 20, run.stdout
    for line in resources:
        assert "slurm_account=lab" in line and "runtime=" in line and "mem" in line, line
