"""The recipes of images: what they copy is there, versions are the project's, and a submission's steps label scans."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import environments
from conftest import ROOT
from noisy_student.cohort.scans import embedded_folders, find_scans
from noisy_student.export.model_zip import write_model_zip
from project import BIN

SUBMISSION = ROOT / "containers/submission"
DOCKERFILES = (ROOT / "containers/Dockerfile", SUBMISSION / "Dockerfile")
# Given when the image is built.
GIVEN = "${MODEL}"
# The project's own files in an image.
CALLED = re.compile(r"/opt/flare/[\w/]+|/tmp/\w+\.sh")


def instructions(dockerfile):
    """Pairs of an instruction and what stands behind it."""
    lines = dockerfile.read_text().replace("\\\n", " ").splitlines()
    return [tuple(line.split(maxsplit=1)) for line in lines if line and not line.startswith("#")]


def copied(dockerfile):
    """Where what is copied from the project comes to lie: target → source."""
    copies = [rest.split() for name, rest in instructions(dockerfile) if name == "COPY" and "--from" not in rest]
    return {target + Path(source).name * target.endswith("/"): source for source, target in copies}


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=("workflow", "submission"))
def test_what_is_copied_is_there_and_what_is_called_is_copied(dockerfile):
    places = copied(dockerfile)
    assert all((ROOT / source).exists() for source in places.values() if source != GIVEN)
    called = [path for name, rest in instructions(dockerfile) if name != "COPY" for path in CALLED.findall(rest)]
    assert called
    for path in called:
        (target,) = [target for target in places if path == target or path.startswith(f"{target}/")]
        assert (ROOT / f"{places[target]}{path.removeprefix(target)}").exists(), path


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=("workflow", "submission"))
def test_scripts_are_compiled_once_they_are_copied_since_no_job_may_write_beside_them(dockerfile):
    steps = instructions(dockerfile)
    copies = [number for number, (name, rest) in enumerate(steps) if name == "COPY" and rest.startswith("workflow")]
    compiles = [number for number, (_, rest) in enumerate(steps) if "compileall -q /opt/flare/workflow/scripts" in rest]
    assert len(copies) == len(compiles) == 1 and copies < compiles


def test_images_begin_with_the_python_of_the_environments():
    recipes = [path.read_text() for path in (*DOCKERFILES, ROOT / "containers/workflow.def")]
    bases = {base for text in recipes for base in re.findall(r"(?i)^from:? (python:\S+)", text, re.MULTILINE)}
    assert len(bases) == 1
    assert bases.pop().startswith(f"python:{environments.PYTHON}-")


@pytest.mark.parametrize("recipe", ["Dockerfile", "workflow.def"])
def test_images_in_which_networks_train_have_what_compiling_them_takes(recipe):
    text = (ROOT / "containers" / recipe).read_text()
    assert re.search(r"apt-get install [^&]*\bgcc libc6-dev\b", text)


def test_a_submission_installs_what_labelling_is_pinned_to(tmp_path):
    (step,) = [rest for name, rest in instructions(DOCKERFILES[1]) if name == "RUN" and "nnunet.yaml" in rest]
    sed = step.split(" && ")[0].replace("/opt/nnunet.yaml", f"{ROOT}/envs/nnunet.yaml").replace("/opt", str(tmp_path))
    subprocess.run(sed, shell=True, check=True)
    lock = environments.read_lock(ROOT / "requirements.lock")
    names = environments.closure(environments.ENVIRONMENTS["nnunet"], lock)
    assert (tmp_path / "pins.txt").read_text().splitlines() == [f"{name}=={lock[name]}" for name in names]


@pytest.fixture(scope="module")
def packed(untrained, tmp_path_factory):
    """A model as a round exports it, laid out as in the image."""
    folder = tmp_path_factory.mktemp("image")
    write_model_zip(sorted(untrained.glob("fold_*/checkpoint_final.pth")), "Dataset001_X", "", folder / "model.zip")
    run = step("unpack_model.sh", folder / "model.zip", folder / "model")
    assert run.returncode == 0, run.stderr
    return folder / "model"


def step(name, *arguments, **places):
    """Run a script of the submission in the shell that the challenge calls, with the image's places elsewhere."""
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", **places}
    return subprocess.run(
        ["sh", SUBMISSION / name, *arguments], env=environment, capture_output=True, text=True, check=False
    )


def test_a_submission_labels_each_scan_of_its_inputs(packed, embedded, tmp_path):
    inputs, outputs = tmp_path / "inputs", tmp_path / "outputs"
    inputs.mkdir()
    outputs.mkdir()
    (scan,) = [scan for scan in find_scans(embedded_folders(embedded)) if scan.role == "test"]
    shutil.copy(scan.image, inputs)
    places = {"INPUTS": inputs, "OUTPUTS": outputs, "MODEL": packed, "SCRIPTS": ROOT / "workflow/scripts"}
    run = step("predict.sh", "--device", "cpu", **places)
    assert run.returncode == 0, run.stderr
    assert [path.name for path in outputs.iterdir()] == ["FLARETest_0001.nii.gz"]


@pytest.mark.parametrize("is_found", [True, False])
def test_a_submission_post_processes_as_its_model_says(tmp_path, is_found):
    places = {name: tmp_path / name for name in ("inputs", "outputs", "model", "scripts")}
    for path in places.values():
        path.mkdir()
    for name in ("inputs/scan.nii.gz", "model/trusted.txt", *["model/postprocessing.json"] * is_found):
        (tmp_path / name).touch()
    (places["scripts"] / "label_scan.py").write_text("import sys\nprint(*sys.argv)")
    run = step("predict.sh", "--device", "cpu", **{name.upper(): path for name, path in places.items()})
    expected = f"--postprocessing {places['model']}/postprocessing.json " if is_found else ""
    assert run.stdout.endswith(f"--trust {expected}--device cpu\n") and run.returncode == 0
    assert ("--postprocessing" in run.stdout) == is_found


@pytest.mark.parametrize(
    ("lacking", "said"),
    [
        ("inputs", "There is no folder {inputs}: give the folder of the scans"),
        ("scans", "{inputs} is empty: give the folder of the scans"),
        ("outputs", "There is no folder {outputs}: give one for the label maps"),
        ("model", "There is no model in {model}: build the image again"),
    ],
)
def test_a_submission_says_what_it_lacks(tmp_path, lacking, said):
    places = {name: tmp_path / name for name in ("inputs", "outputs", "model")}
    for path in (path for name, path in places.items() if name != lacking):
        path.mkdir()
    if lacking not in ("inputs", "scans"):
        (places["inputs"] / "scan.nii.gz").touch()
    run = step("predict.sh", **{name.upper(): path for name, path in places.items()})
    assert run.returncode == 2
    assert run.stderr.startswith(said.format(**places))
