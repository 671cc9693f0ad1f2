"""The tutorial, typed as it stands: with fewer scans, and an untrained network in place of a trained one."""

import os
import re
import shutil
import subprocess

from conftest import ROOT
from documents import blocks
from noisy_student.model.trust import record
from project import BIN, Checkout

TUTORIAL = ROOT / "docs/tutorial.md"
COUNT = re.compile(r"--(labelled|unlabelled|validation|test) (\d+)")
FEW = {"labelled": 2, "unlabelled": 1, "validation": 1, "test": 1}
# They make the environment, which is there, or follow a training, of which there is none.
LEFT_OUT = ("make ", "source ", "tail ")


def test_the_tutorial_can_be_followed(tmp_path, untrained):
    project = place = Checkout(tmp_path / "project").folder
    said = ""
    for block in blocks(TUTORIAL):
        if block.language == "yaml":
            (project / "runs/mine/config").mkdir(parents=True)
            (project / "runs/mine/config/config.yaml").write_text(block.text)
        for command in block.commands():
            if command.startswith("cd "):
                place = place / command.removeprefix("cd ")
            elif not command.startswith(LEFT_OUT):
                if "label_scan.py" in command:
                    lay_model(untrained, place / "results/round_2/model")
                said += typed(in_short(command), place)
                # A run has trained its own.
                shutil.rmtree(place / "results/round_2", ignore_errors=True)
    assert all(line in said for line in last_words(FEW))
    assert [path.name for path in (project / "runs/mine/label_maps").iterdir()] == ["FLARETest_0001.nii.gz"]
    assert (project / "runs/mine/scores.tsv").exists()


def test_it_shows_what_the_check_says_of_its_scans():
    shown = [block.text for block in blocks(TUTORIAL) if block.language == "text"]
    counts = {role: int(count) for role, count in COUNT.findall(TUTORIAL.read_text())}
    assert shown == ["".join(last_words(counts))]
    assert f"{sum(counts.values())} small ones" in TUTORIAL.read_text()


def last_words(counts):
    """Of the check: the line of the first organ, which stands for all, and the last one."""
    labelled, unlabelled, validation, test = counts.values()
    return [
        f"liver: labelled in {labelled} of {labelled} scans, validation {validation} of {validation}, "
        f"test {test} of {test}\n",
        f"{labelled + unlabelled + validation + test} scans ({labelled} labelled, {unlabelled} unlabelled, "
        f"{validation} validation, {test} test), 0 warning(s), no errors\n",
    ]


def in_short(command):
    """The same without hours: few scans, plans in place of runs."""
    command = COUNT.sub(lambda count: f"--{count[1]} {FEW[count[1]]}", command)
    return f"{command} --dry-run" if re.match("snakemake (?!check)", command) else command


def typed(command, place):
    """What a command says, typed in a shell with the project's environment."""
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    run = subprocess.run(
        command, shell=True, cwd=place, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert run.returncode == 0, f"{command}\n{run.stdout[-5000:]}"
    return run.stdout


def lay_model(untrained, model):
    """Put a model where a run leaves its own, trained there by its record."""
    shutil.copytree(untrained, model)
    for checkpoint in model.glob("fold_*/*.pth"):
        record(checkpoint)
