"""The loop that all end-to-end tests share ran with each rule in its own conda environment, made from envs/."""

import json
from collections import defaultdict
from pathlib import Path

import pytest
import yaml

import conda_project
import environments
from conftest import ROOT
from rule_files import rules

pytestmark = pytest.mark.skipif(bool(conda_project.why_not()), reason=conda_project.why_not())


# Models from elsewhere, corrections and a student to be deployed are none of this run's.
NOT_HERE = {"take_teachers", "take_first_weights", "corrected", "corrections", "compare_deployed"}
MADE_WHEN_ASKED = (
    "check", "results/round_1/model.zip", "results/round_1/exported/predictions/seg.nrrd.tsv",
    "results/round_1/openvino", "results/round_1/review/review.tsv",
)  # fmt: skip


def test_each_file_of_envs_is_made_as_it_is(finished):
    expected = {path.read_text() for path in (ROOT / "envs").glob("*.yaml")}
    assert set(finished.made()) == expected
    for text, folder in finished.made().items():
        pins = next(entry["pip"] for entry in yaml.safe_load(text)["dependencies"] if isinstance(entry, dict))
        metadata = folder.glob("lib/python*/site-packages/*.dist-info")
        installed = {environments.canonicalize_name(path.name.split("-")[0]) for path in metadata}
        named = {environments.canonicalize_name(pin.split("==")[0]) for pin in pins}
        # Nothing is missing, and nothing came along that no file names.
        assert installed - {"pip"} == named, folder


def test_the_loop_ends_with_a_report(finished):
    assert (finished.folder / "results/report/report.html").stat().st_size > 10_000
    assert finished.as_typed("--dry-run").stdout.count("Nothing to be done") == 1


def test_each_rule_runs_on_its_own_environments_interpreter_without_the_users_own_packages(finished, tmp_path):
    # Python imports this at its start wherever it looks for packages in ~/.local.
    own = tmp_path / f"lib/python{environments.PYTHON}/site-packages/usercustomize.py"
    own.parent.mkdir(parents=True)
    own.write_text("raise SystemExit('looked for packages in ~/.local')")
    run = finished.as_typed(*MADE_WHEN_ASKED, PYTHONUSERBASE=str(tmp_path))
    assert run.returncode == 0, run.stdout[-5000:]
    seen = defaultdict(set)
    for line in finished.seen.read_text().splitlines():
        script, prefix = json.loads(line)
        seen[script].add(str(Path(prefix).resolve()))
    folders = {text: str(folder.resolve()) for text, folder in finished.made().items()}
    for rule, (environment, scripts) in rules().items():
        if rule in NOT_HERE:
            continue
        own = folders[(ROOT / "envs" / f"{environment}.yaml").read_text()]
        for script in scripts:
            assert seen[script.name] == {own}, f"rule {rule}: {script.name}"
