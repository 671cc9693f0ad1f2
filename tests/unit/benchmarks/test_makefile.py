"""What the Makefile's study would run, how its environment is built, and what `make clean` leaves."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def make(*words, folder=ROOT):
    """Call make in a folder, with the Makefile of the project and nothing of a make that runs these tests."""
    environment = {
        name: value for name, value in os.environ.items() if name != "LABEL_MAPS" and not name.startswith("MAKE")
    }
    command = ["make", "--file", ROOT / "Makefile", "--directory", folder, *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("study", ["study", "study-clinic", "study-partial", "study-review"])
def test_generated_and_painted_scans_are_studied_apart(study):
    folders = set()
    for words in ([], ["LABEL_MAPS=label_maps"]):
        planned = make("--dry-run", study, *words)
        assert planned.returncode == 0, planned.stderr
        assert f"label_maps={ROOT}/label_maps" in planned.stdout or not words
        assert (f"--configfile benchmarks/study/{study[6:]}.yaml" in planned.stdout) == (study != "study")
        [folder] = set(re.findall(rf"{ROOT}/results/study/(\w+)", planned.stdout))
        folders.add(folder)
    assert len(folders) == 2


@pytest.mark.parametrize(
    ("study", "words", "refused"),
    [("study-choice_painted", [], ["LABEL_MAPS=maps"]), ("study-choice", ["LABEL_MAPS=maps"], [])],
)
def test_presets_are_chosen_on_the_scans_that_are_meant(study, words, refused):
    planned = make("--dry-run", study, *words)
    assert planned.returncode and "LABEL_MAPS" in planned.stderr and "--snakefile" not in planned.stdout
    planned = make("--dry-run", study, *refused)
    assert planned.returncode == 0 and f"results/study/{study[6:]}/tables" in planned.stdout


# As Debian's without python3-venv: an interpreter is left that has no pip.
PYTHON3 = """#!/bin/sh
test "$1" = -c && exit 0
echo "$@" >> calls
mkdir -p .venv/bin
printf '#!/bin/sh\\necho "$@" >> calls\\ntest -e ensurepip' > .venv/bin/python
chmod +x .venv/bin/python
test -e ensurepip
"""


def test_an_environment_without_pip_is_built_again(tmp_path):
    python = tmp_path / "python3"
    python.write_text(PYTHON3)
    python.chmod(0o755)
    (tmp_path / "requirements.lock").touch()
    words = (".venv/.installed", f"PYTHON3={python}")
    assert make(*words, folder=tmp_path).returncode and not (tmp_path / ".venv/.installed").exists()
    (tmp_path / "ensurepip").touch()
    (tmp_path / ".venv/bin/python").write_text("#!/bin/sh\nexit 1")
    assert make(*words, folder=tmp_path).returncode == 0
    calls = (tmp_path / "calls").read_text().splitlines()
    assert calls[:2] == ["-m venv --clear .venv"] * 2 and calls[2].startswith("-m pip install ")
    assert len(calls) == 3 and "up to date" in make(*words, folder=tmp_path).stdout


def test_clean_leaves_what_is_no_result(tmp_path):
    for name in ("README.md", "report/README.md", ".store/items", "round_0/model/fold_0/checkpoint.pth", "run.json"):
        (tmp_path / "results" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "results" / name).touch()
    (tmp_path / "logs").mkdir()
    for _ in range(2):
        assert make("clean", folder=tmp_path).returncode == 0
        assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")] == ["results", "results/README.md"]


def test_clean_leaves_the_files_under_results_that_are_kept_in_git():
    lines = (ROOT / ".gitignore").read_text().splitlines()
    assert [line for line in lines if line.startswith("!/results/")] == ["!/results/README.md"]
