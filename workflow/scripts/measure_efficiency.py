"""Measure time, memory and both efficiency areas of a command, per case in a fresh process.

measure_efficiency.py --cases cases.tsv --roles test --limit 5 --output efficiency.tsv
    --command 'python predict_one.py --model model --image {image} --output {output}'
"""

import argparse
import os
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path

import pandas as pd

from noisy_student.command import run
from noisy_student.efficiency.figures import COLUMNS, TIME_LIMIT_S
from noisy_student.efficiency.gpu_memory import Gpu
from noisy_student.efficiency.meter import CommandTemplate, measure
from noisy_student.efficiency.outcome import EXITED
from noisy_student.errors import InputError
from noisy_student.files import visible
from noisy_student.machine import cpu_name
from noisy_student.tables import read_table, require_table, write_table

SUFFIX = ".nii.gz"


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    scans = parser.add_mutually_exclusive_group(required=True)
    scans.add_argument("--cases", type=Path, help="case table with the columns case, role and image")
    scans.add_argument("--images", type=Path, help=f"folder of scans, <case>_0000{SUFFIX}")
    parser.add_argument("--roles", nargs="+", default=["test"], help="roles of the case table to measure")
    parser.add_argument("--limit", type=int, help="measure the first so many cases only")
    parser.add_argument("--command", required=True, help="what to run; {image}, {output} and {case} are filled in")
    parser.add_argument("--output", type=Path, required=True, help="the efficiency table to write (tab-separated)")
    parser.add_argument("--predictions", type=Path, help="keep the outputs in this folder (default: thrown away)")
    parser.add_argument("--time-limit", type=float, default=TIME_LIMIT_S, help="seconds a case may take")
    parser.add_argument(
        "--gpu", type=int, default=0, help="whose memory is watched: its number among the GPUs that the command sees"
    )
    parser.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda"),
        default="cuda",
        help="where the command computes: with cpu, or auto where torch finds no GPU, none is watched (default: cuda)",
    )
    return parser.parse_args()


def scans_of(options: argparse.Namespace) -> list[tuple[str, Path]]:
    """(case, image) of the scans to measure."""
    if options.images:
        images = visible(options.images, f"_0000{SUFFIX}")
        scans = [(path.name.removesuffix(f"_0000{SUFFIX}"), path) for path in images]
    else:
        table = read_table(options.cases, ("case", "role", "image"))
        table = table[table["role"].isin(options.roles)]
        scans = [(case, Path(image)) for case, image in zip(table["case"], table["image"], strict=True)]
    if not scans:
        source = options.images or f"{options.cases} with role {' or '.join(options.roles)}"
        raise InputError(f"scans to measure in {source}", "none", "name a folder or roles that have scans")
    return scans[: options.limit]


def watched(device: str, number: int) -> Gpu | None:
    """The GPU whose memory is the command's; None where it computes on the CPU, whoever uses the machine's GPUs."""
    if device == "auto":
        import torch

        device = "cuda" if torch.cuda.is_available() else "cpu"
    return None if device == "cpu" else Gpu.open(number)


def require_any(outcomes: list[str]) -> None:
    """Raise InputError where the command itself failed for every case: then what it costs was not measured."""
    if all(outcome.startswith(EXITED) for outcome in outcomes):
        got = f"of {len(outcomes)} none: {', '.join(sorted(set(outcomes)))}"
        raise InputError("a command that labels scans", got, "correct what it says above")


def main() -> None:
    """Measure all cases, one after the other, and write the table."""
    # A number in CUDA_VISIBLE_DEVICES is NVML's then; CUDA's own are from the fastest GPU on.
    os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    options = arguments()
    require_table(options.output, [options.cases] if options.cases else [])
    command, scans = CommandTemplate.of(options.command), scans_of(options)
    gpu = watched(options.device, options.gpu)
    print(f"GPU: {gpu.name}" if gpu else "no GPU that tells its memory: its columns stay empty", file=sys.stderr)
    rows = []
    folder = nullcontext(options.predictions) if options.predictions else tempfile.TemporaryDirectory()
    with folder as predictions:
        Path(predictions).mkdir(parents=True, exist_ok=True)
        for case, image in scans:
            output = Path(predictions, f"{case}{SUFFIX}")
            rows.append(measure(command, case, image, output, options.time_limit, gpu))
            print(f"measured {case}: {rows[-1]['outcome']}, {len(rows)} of {len(scans)}", file=sys.stderr, flush=True)
    require_any([row["outcome"] for row in rows])
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    write_table(table.assign(cpu=cpu_name(), gpu=gpu and gpu.name), options.output)


if __name__ == "__main__":
    run(main)
