"""The loop with every rule in its own conda environment, really made from the files of envs/."""

import json
import os
import shutil
from collections import defaultdict
from pathlib import Path

import pytest
import yaml

import conda_channel
import conda_command
import environments
from conftest import ROOT
from project import BIN, Project
from rule_files import rules

TINY = {
    "cohort": {"embedded": {"labelled": 3, "unlabelled": 1, "validation": 1, "test": 1}},
    "training": {"epochs": 2, "iterations_per_epoch": 5, "validation_iterations_per_epoch": 1},
    "networks": {"coarse": {"base_features": 4}},
    # So little training finds few organs; what is tested is the way, not the result.
    "selection": "paper",
    "efficiency": {"scans": 1},
    "rounds": [{"network": "coarse"}] * 2,
    "shards": 1,
}
# As typed by a user; the default profile is found by itself.
AS_TYPED = ("--resources", "gpu=1")

# Put into each environment that was made: its interpreter tells which script it runs.
WITNESS = """import json, sys
scripts = [word for word in sys.orig_argv[1:2] if word.startswith("workflow/scripts/")]
if scripts:
    with open("{seen}", "a") as file:
        print(json.dumps([scripts[0].split("/")[-1], sys.prefix]), file=file)
"""

pytestmark = [
    pytest.mark.skipif(
        conda_channel.SHORT != environments.PYTHON, reason=f"needs Python {environments.PYTHON} to pack"
    ),
    pytest.mark.skipif(conda_channel.SUBDIR == "unsupported", reason="needs a platform that conda-forge knows"),
]


class CondaProject(Project):
    """A project with a conda on its PATH, and Snakemake's own Python found by that command alone."""

    def __init__(self, folder, places) -> None:
        super().__init__(folder, **TINY)
        self.places = places

    def environment(self, **variables: str) -> dict[str, str]:
        path = f"{self.places / 'conda/bin'}:{BIN}:{os.environ['PATH']}"
        return super().environment(PATH=path, CONDA_CHANNELS=str(self.places / "channels"), **variables)

    def as_typed(self, *arguments: str):
        return self.run(*arguments, *AS_TYPED, profile=())


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> CondaProject:
    """The loop with one student, each rule in its environment."""
    places = tmp_path_factory.mktemp("conda")
    conda_channel.build_channel(places / "channels/conda-forge")
    conda_command.install_command(places / "conda")
    project = CondaProject(places / "project", places)
    run = project.as_typed("--conda-create-envs-only")
    assert run.returncode == 0, run.stdout[-5000:]
    for folder in made(project).values():
        (folder / f"lib/python{environments.PYTHON}/site-packages/sitecustomize.py").write_text(
            WITNESS.format(seen=places / "seen")
        )
    # The whole graph, and what is made only when asked for.
    for targets in ((), ("check", "results/round_1/model.zip")):
        run = project.as_typed(*targets)
        assert run.returncode == 0, run.stdout[-5000:]
    yield project
    # Two gigabytes.
    shutil.rmtree(project.folder / ".snakemake/conda")


def made(project: Project) -> dict[str, Path]:
    """The environments that were made: the text of each one's file → its folder."""
    files = (project.folder / ".snakemake/conda").glob("*.yaml")
    return {path.read_text(): path.with_suffix("") for path in files}


def test_each_file_of_envs_is_made_as_it_is(finished):
    expected = {path.read_text() for path in (ROOT / "envs").glob("*.yaml")}
    assert set(made(finished)) == expected
    for text, folder in made(finished).items():
        pins = next(entry["pip"] for entry in yaml.safe_load(text)["dependencies"] if isinstance(entry, dict))
        metadata = folder.glob("lib/python*/site-packages/*.dist-info")
        installed = {environments.canonicalize_name(path.name.split("-")[0]) for path in metadata}
        named = {environments.canonicalize_name(pin.split("==")[0]) for pin in pins}
        # Nothing is missing, and nothing came along that no file names.
        assert installed - {"pip"} == named, folder


def test_the_loop_ends_with_a_report(finished):
    assert (finished.folder / "results/report/report.html").stat().st_size > 10_000
    assert finished.as_typed("--dry-run").stdout.count("Nothing to be done") == 1


def test_each_rule_runs_on_its_own_environments_interpreter(finished):
    seen = defaultdict(set)
    for line in (finished.places / "seen").read_text().splitlines():
        script, prefix = json.loads(line)
        seen[script].add(prefix)
    folders = {text: str(folder.resolve()) for text, folder in made(finished).items()}
    for rule, (environment, scripts) in rules().items():
        own = folders[(ROOT / "envs" / f"{environment}.yaml").read_text()]
        for script in scripts:
            assert seen[script.name] == {own}, f"rule {rule}: {script.name}"
