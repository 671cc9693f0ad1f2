"""What only a GPU can show, in at most eight minutes, as one table: docs/gpu.tsv, and on the page docs/gpu.md.

Each step runs in a process of its own and has a time limit. One that fails is a row that says so, and the others go
on; the exit status is then 1. Nothing is downloaded, nothing is needed but the environment of `make run`.

    make gpu-check

On a CPU, with everything tiny:

    PYTHONPATH=workflow/scripts:tests python benchmarks/gpu_check.py --rehearse --table gpu.tsv --page gpu.md
"""

import argparse
import json
import multiprocessing
import os
import shutil
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

import pandas as pd

import gpu_steps
from gpu_steps import FULL, TINY, Check, Found
from measured_run import ROOT, machine, put_into
from noisy_student.efficiency.gpu_memory import Gpu
from noisy_student.efficiency.meter import kill_session
from noisy_student.files import write_text
from noisy_student.tables import write_table
from noisy_student.visible_gpus import GPU_OF_JOB

LIMIT_S = 480
COLUMNS = ["step", "what", "value"]
OUTCOME, OK, FAILED = "outcome", "ok", "failed"
SECTION = "gpu check"


@dataclass(frozen=True)
class Step:
    """What is done, what it is called, and how long it may take."""

    name: str
    do: Callable[[Check], Found]
    limit_s: float


# First what others need, then what is asked most; what is last is left out first where time is short.
STEPS = (
    Step("preparation", gpu_steps.prepare, 150),
    Step("training, ours", gpu_steps.train_ours, 120),
    Step("training, nnU-Net's", gpu_steps.train_stock, 120),
    Step("labelling, ours", gpu_steps.label_ours, 100),
    Step("out of memory", gpu_steps.run_out_of_memory, 40),
    Step("training, online", gpu_steps.train_online, 120),
    Step("windows", gpu_steps.windows_plain, 30),
    Step("windows, channels_last", gpu_steps.windows_channels_last, 30),
    Step("windows, compile", gpu_steps.windows_compiled, 90),
    Step("tests", gpu_steps.run_tests, 60),
    Step("labelling, nnU-Net's", gpu_steps.label_stock, 240),
    Step("label maps", gpu_steps.compare, 30),
)


def run_steps(steps: Sequence[Step], check: Check, limit_s: float = LIMIT_S) -> pd.DataFrame:
    """The table: of each step how it ended, and what it found."""
    end, rows = perf_counter() + limit_s, []
    for step in steps:
        left_s = end - perf_counter()
        outcome, found = _run(step, check, min(step.limit_s, left_s)) if left_s > 0 else ("not begun: no time left", {})
        print(f"{step.name}: {outcome}", file=sys.stderr, flush=True)
        rows += [(step.name, OUTCOME, outcome), *((step.name, what, value) for what, value in found.items())]
    return pd.DataFrame(rows, columns=COLUMNS)


def _run(step: Step, check: Check, limit_s: float) -> tuple[str, Found]:
    """How a step ended, and what it found."""
    name = step.name.replace(" ", "_").replace(",", "").replace("'", "")
    log, result = check.folder / f"{name}.log", check.folder / f"{name}.json"
    start = perf_counter()
    # What this process has imported need not be imported again; it has not touched the GPU.
    process = multiprocessing.get_context("fork").Process(target=_do, args=(step, check, log, result))
    process.start()
    process.join(limit_s)
    in_time = not process.is_alive()
    kill_session(process.pid)
    process.join()
    seconds = perf_counter() - start
    if not in_time:
        return f"ended after its limit of {limit_s:.3g} s", {}
    found = json.loads(result.read_text()) if result.exists() else {FAILED: f"exit {process.exitcode}"}
    if FAILED in found:
        return f"failed: {found[FAILED]}; {log} says more", {}
    return f"{OK}, {seconds:.0f} s", found


def _do(step: Step, check: Check, log: Path, result: Path) -> None:
    """In the step's process, which leads a session of its own."""
    os.setsid()
    with log.open("w") as stream:
        for number in (1, 2):
            os.dup2(stream.fileno(), number)
    try:
        found = step.do(check)
    except Exception as error:
        traceback.print_exception(error)
        found = {FAILED: f"{type(error).__name__}: {' '.join(str(error).split())}"}
    write_text(result, json.dumps(found, default=float))


def page(table: pd.DataFrame, head: str) -> str:
    """The table in Markdown, a step's name in its first row alone."""
    lines = [head, "", "| step | what | value |", "|---|---|---|"]
    for row in table.itertuples():
        lines.append(f"| {row.step if row.what == OUTCOME else ''} | {row.what} | {_short(row.value)} |")
    return "\n".join(lines)


def _short(value: Any) -> str:
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value).replace("|", "/")


def main() -> None:
    """Do every step, write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rehearse", action="store_true", help="on a CPU, with everything tiny: no figure means much")
    parser.add_argument("--table", type=Path, default=ROOT / "docs/gpu.tsv", help="the table (%(default)s)")
    parser.add_argument(
        "--page", type=Path, default=ROOT / "docs/gpu.md", help="page that it is put into (%(default)s)"
    )
    parser.add_argument(
        "--folder", type=Path, default=ROOT / "runs/gpu_check", help="emptied; logs of the steps (%(default)s)"
    )
    options = parser.parse_args()
    gpu = Gpu.open(0)
    if not gpu and not options.rehearse:
        sys.exit("There is no GPU that nvidia-smi knows. To see the steps run on a CPU: --rehearse")
    if options.rehearse:
        os.environ.update(CUDA_VISIBLE_DEVICES="", TORCHDYNAMO_DISABLE="1")
    else:
        os.environ[GPU_OF_JOB] = gpu.name
    head = (
        f"{'a rehearsal without a GPU' if options.rehearse else gpu.name}; {machine()}; "
        f"torch {version('torch')}, nnU-Net {version('nnunetv2')}."
    )
    shutil.rmtree(options.folder, ignore_errors=True)
    options.folder.mkdir(parents=True)
    table = run_steps(STEPS, Check(options.folder, TINY if options.rehearse else FULL))
    write_table(table, options.table)
    text = page(table, head)
    if options.page.exists():
        put_into(options.page, SECTION, text)
    print(text)
    outcomes = table[table.what == OUTCOME].value
    sys.exit(0 if outcomes.str.startswith(OK).all() else 1)


if __name__ == "__main__":
    main()
