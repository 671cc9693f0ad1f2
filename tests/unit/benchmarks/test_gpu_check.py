"""The check on a GPU, rehearsed on a CPU: its steps run to their end and fill their rows. No figure is looked at."""

import subprocess
import sys
import time

from conftest import ROOT
from gpu_check import COLUMNS, OK, OUTCOME, STEPS, Step, page, run_steps
from noisy_student.tables import read_table

PATHS = {"PYTHONPATH": f"{ROOT}/workflow/scripts:{ROOT}/tests"}


def test_every_step_runs_to_its_end_on_a_cpu(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", PATHS["PYTHONPATH"])
    (tmp_path / "gpu.md").write_text("# Page\n<!-- gpu check -->\nold\n<!-- end of gpu check -->\nrest\n")
    where = ("--table", tmp_path / "gpu.tsv", "--page", tmp_path / "gpu.md", "--folder", tmp_path / "check")
    command = [sys.executable, ROOT / "benchmarks/gpu_check.py", "--rehearse", *where]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    table = read_table(tmp_path / "gpu.tsv", COLUMNS)
    outcomes = table[table.what == OUTCOME].set_index("step").value
    assert list(outcomes.index) == [step.name for step in STEPS]
    found = {(row.step, row.what): row.value for row in table.itertuples()}
    for trainer in ("ours", "nnU-Net's"):
        assert float(found[f"training, {trainer}", "s a step"]) > 0
        waiting = "share of time without work for the GPU, waiting for batches"
        assert 0 <= float(found[f"training, {trainer}", waiting]) < 1
        assert float(found[f"labelling, {trainer}", "peak host memory, MB"]) > 100
    assert float(found["training, online", "s a step"]) > 0
    assert "gathered on the host" in found["out of memory", "handled by"]
    assert float(found["out of memory", "share of voxels that differ"]) == 0
    assert float(found["label maps", "share of voxels that differ"]) < 1e-3
    text = (tmp_path / "gpu.md").read_text()
    assert (
        "old" not in text
        and text.startswith("# Page")
        and text.endswith("rest\n")
        and "| label maps | outcome |" in text
    )


class Folder:
    """As much of a check as steps without a GPU need."""

    def __init__(self, folder):
        self.folder = folder


def fail(_):
    raise ValueError("no such\nkernel")


def die(_):
    sys.exit(3)


def hang(_):
    time.sleep(60)


def find(_):
    return {"s": 0.5}


def test_what_fails_or_hangs_is_a_row_and_the_others_go_on(tmp_path):
    steps = [Step("fails", fail, 60), Step("dies", die, 60), Step("hangs", hang, 0.5), Step("finds", find, 60)]
    table = run_steps(steps, Folder(tmp_path))
    outcomes = table[table.what == OUTCOME].set_index("step").value
    assert outcomes["fails"].startswith("failed: ValueError: no such kernel; ")
    assert outcomes["dies"].startswith("failed: exit 3; ")
    assert outcomes["hangs"] == "ended after its limit of 0.5 s"
    assert outcomes["finds"].startswith(OK)
    assert "|  | s | 0.5 |" in page(table, "head")


def test_a_step_for_which_no_time_is_left_is_a_row(tmp_path):
    table = run_steps([Step("hangs", hang, 60), Step("finds", find, 60)], Folder(tmp_path), limit_s=0.3)
    assert list(table.value) == ["ended after its limit of 0.3 s", "not begun: no time left"]
