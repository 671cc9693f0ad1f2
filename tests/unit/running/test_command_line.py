import os
import sys
from pathlib import Path

import pytest
import yaml
from snakemake.profiles import ProfileConfigFileParser

from conftest import ROOT, script
from noisy_student.running.command_line import misread, missing_profile

SLURM = ("--workflow-profile", "profiles/slurm")
OWN_PROFILES = ("apptainer", "default", "slurm", "venv")


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    """A folder with two configurations, the profiles, and results."""
    for name in ("mine.yaml", "more.yaml", "results/round_1/selection.tsv", "results/run.json", "odd"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("seed: 1")
    (tmp_path / "profiles").symlink_to(ROOT / "profiles")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "words",
    [
        "check --cores 8 --configfile mine.yaml",
        "--configfile mine.yaml more.yaml --cores 8",
        "--cores 8 --configfile=mine.yaml check",
        "--configfile odd --cores 8",
        "--configfile mine.yaml -- check",
        "--cores 8 --config a=b",
        "",
    ],
)
def test_what_snakemake_reads_as_it_was_meant_is_left_alone(words):
    assert misread(words.split()) == ""


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ("--configfile mine.yaml check", "check --configfile mine.yaml"),
        ("--cores 8 --configfiles mine.yaml check -n", "check --cores 8 -n --configfile mine.yaml"),
        (
            "round_1 --configfile mine.yaml check more.yaml results/round_1/selection.tsv",
            "check results/round_1/selection.tsv round_1 --configfile mine.yaml more.yaml",
        ),
        ("--configfile mine.yaml results/run.json", "results/run.json --configfile mine.yaml"),
        ("--configfile mine.yaml profiles", "profiles --configfile mine.yaml"),
        ("--configfile check", "check"),
    ],
)
def test_a_target_behind_the_configuration_is_named_and_put_first(words, command):
    said = misread(words.split())
    assert said.endswith(f": snakemake {command}") and "targets have to stand first" in said
    assert misread(command.split()) == ""


def test_several_options_become_one_in_their_order():
    said = misread(["--configfile", "mine.yaml", "-n", "--configfile=more.yaml", "--", "check"])
    assert said.endswith(": snakemake check -n --configfile mine.yaml more.yaml") and "give all files to one" in said


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a: 1\nb: Größe\n".encode("latin-1"), "bad.yaml is not UTF-8 text (line 2)"),
        ("a: 1\n".encode("utf-16"), "bad.yaml is not UTF-8 text (line 1)"),
        (b"a: [1\nb: 2\n", "bad.yaml is no valid YAML (line 2)"),
        (b"a:\n\tb: 2\n", "bad.yaml is no valid YAML (line 2)"),
        (b"a: \x00\n", "bad.yaml is no valid YAML"),
        (b"", "bad.yaml has no keys: write some"),
        (b"# seed: 1\n", "bad.yaml has no keys: write some"),
        (b"- seed\n", "bad.yaml has no keys: write some"),
    ],
)
def test_a_configuration_that_cannot_be_read_is_named_with_its_line(project, content, words):
    (project / "bad.yaml").write_bytes(content)
    assert words in misread(["check", "--configfile", "mine.yaml", "bad.yaml"])
    (project / "config").mkdir()
    (project / "bad.yaml").rename(project / "config/config.yaml")
    assert words.replace("bad.yaml", "config/config.yaml") in misread([])


@pytest.mark.parametrize("content", ['{\n\t"seed": 1\n}', "\ufeffseed: 1\n", "{}", "a: &x {b: 1}\nc: {<<: *x, b: 2}\n"])
def test_a_configuration_that_snakemake_reads_is_left_alone(project, content):
    (project / "good.yaml").write_text(content, encoding="utf-8")
    assert misread(["check", "--configfile", "good.yaml"]) == ""


def test_a_mistyped_path_is_not_taken_for_a_target(project):
    said = misread(["check", "--configfile", "config/mine"])
    assert said == f"There is no configuration file config/mine (looked for in {project})."


def test_a_configuration_that_is_not_there_is_named(project):
    said = misread(["check", "--configfile", "mine.yaml", "config/mien.yaml"])
    assert said == f"There is no configuration file config/mien.yaml (looked for in {project})."


@pytest.mark.parametrize("given", ["--default-resources slurm_account=lab", "--default-resources=slurm_account=lab"])
def test_an_account_on_the_command_line_would_take_memory_and_run_time_away(given):
    said = misread([*given.split(), *SLURM])
    assert "mem_mb, runtime" in said and "write `slurm_account: lab` there" in said
    assert said.endswith("snakemake --workflow-profile profiles/slurm")


def test_resources_of_a_rule_on_the_command_line_would_take_those_of_all_away():
    said = misread([*SLURM, "--set-resources", "train:slurm_partition=gpu"])
    assert "case_table:mem_mb" in said and "write `train:slurm_partition: gpu`" in said


def test_threads_of_a_rule_on_the_command_line_would_leave_one_to_each_other_rule():
    said = misread([*SLURM, "--set-threads", "train=16"])
    assert "case_table" in said and "write `train: 16` there" in said
    assert misread(["--workflow-profile", "profiles/venv", "--set-threads", "train=16"]) == ""


def test_a_list_that_loses_nothing_is_left_alone():
    whole = ("--default-resources", "mem_mib=8000", "runtime=60", "slurm_account=lab")
    assert misread([*SLURM, *whole]) == ""
    venv = ("--workflow-profile", "profiles/venv")
    assert misread([*venv, "--default-resources", "a=1", "--set-resources", "train:mem_mb=1"]) == ""


def test_the_program_that_was_called_is_named_with_its_own_profile():
    said = misread(["--default-resources", "slurm_account=lab"], "python start.py", "slurm")
    assert said.endswith(": python start.py")


def test_the_start_on_a_cluster_looks_before_it_touches_anything(project):
    run = script("start_on_slurm.py", "check", "--directory", "run", "--default-resources", "slurm_account=lab")
    command = f"python {ROOT}/workflow/scripts/start_on_slurm.py --directory run check"
    assert run.returncode and run.stderr.endswith(f": {command}\n"), run.stderr
    assert f"in {ROOT}/profiles/slurm/config.yaml (mem_mb" in run.stderr
    assert not (project / ".snakemake").exists() and not (project / "run").exists()


def test_every_profile_looks_at_the_command_line_in_the_same_way():
    profiles = [yaml.safe_load((ROOT / "profiles" / name / "config.yaml").read_text()) for name in OWN_PROFILES]
    (definitions,) = {profile["__definitions__"][0] for profile in profiles}
    assert all(profile["__use_yte__"] is True for profile in profiles) and "command_line.py" in definitions


@pytest.mark.parametrize("words", ["check --workflow-profile profile/venv", "check --workflow-profile=profiles/vnev"])
def test_a_profile_that_is_not_there_is_named_and_those_that_are(project, words):
    name = words.split("=")[-1].split()[-1]
    said = missing_profile(words.split(), project, ROOT)
    assert f"no profile {name}; there are {', '.join(f'{ROOT}/profiles/{own}' for own in OWN_PROFILES)}. " in said
    assert said.endswith(f"snakemake check --workflow-profile {ROOT}/profiles/venv")
    said = missing_profile(words.split(), ROOT, ROOT)
    assert said.endswith("profiles/venv. For example: snakemake check --workflow-profile profiles/venv")


@pytest.mark.parametrize(
    "words", ["check", "--workflow-profile none", "--workflow-profile profiles/venv", "--workflow-profile venv"]
)
def test_a_profile_that_is_there_and_none_are_no_matter(project, words):
    assert missing_profile(words.split(), project, project / "odd") == ""


def test_profiles_are_looked_for_where_the_call_was_made_and_beside_the_snakefile(tmp_path, project, monkeypatch):
    """With `--directory` the folder of the call is another than the working one, which has no profiles here."""
    (tmp_path / "run").mkdir()
    monkeypatch.chdir(tmp_path / "run")
    words = ["--workflow-profile", "profiles/venv", "--directory", "run"]
    assert missing_profile(words, project, tmp_path / "odd") == ""
    assert "no profile profiles/venv" in missing_profile(words, tmp_path / "run", ROOT)
    assert missing_profile(["--workflow-profile", "venv"], tmp_path / "run", ROOT) == ""


def test_the_configuration_of_the_runs_folder_is_looked_at(project):
    (project / "a run/config").mkdir(parents=True)
    (project / "a run/config/config.yaml").write_text("a: [1")
    assert "The configuration file a run/config/config.yaml is no valid YAML" in misread(["--directory", "a run"])
    assert misread([]) == ""


@pytest.mark.parametrize(("writable", "prefix"), [(True, f"{ROOT}/.snakemake/conda"), (False, ".snakemake/conda")])
@pytest.mark.parametrize("name", ["default", "slurm"])
def test_environments_are_made_once_for_all_runs_where_the_workflow_may_be_written_to(
    monkeypatch, name, writable, prefix
):
    monkeypatch.setattr(sys, "argv", ["snakemake"])
    monkeypatch.setattr(os, "access", lambda path, mode: writable and Path(path) == ROOT and mode == os.W_OK)
    with (ROOT / "profiles" / name / "config.yaml").open() as stream:
        assert ProfileConfigFileParser().parse(stream)["conda-prefix"] == prefix
