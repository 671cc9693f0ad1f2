"""Time and memory of the evaluation beside the official formulas applied plainly, on one case of realistic size.

Every measurement is a fresh process that reads both files and scores the 13 organs; its time counts from after the
imports, its memory is the peak of the whole process. Both must give the same scores.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from measured_run import machine

HERE = Path(__file__).parent
ROW = "{:<10}  {:<5}  {:>7}  {:>7}  {:>7}  {:>7}  {:>7}  {:>7}  {}"
SIZES = "512×512×100 voxels of 0.78×0.78×2.5 mm, 13 organs, one core, mode flare22; strays: two voxels per organ"
TARGET_RATIO = {"clean": 4, "strays": 30}
TARGET_GB = 0.4


def main() -> None:
    """Measure both ways on both predictions, and print the table. Exits with 1 if their scores differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="processes per figure; the median is shown")
    parser.add_argument("--plain-stray-repeats", type=int, default=1, help="the same for the slow way with strays")
    options = parser.parse_args()
    print(f"{machine()}\n{SIZES}\n")
    print(ROW.format("prediction", "way", "repeats", "wall s", "CPU s", "peak GB", "x wall", "x CPU", "target"))
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, HERE / "phantom.py", folder], check=True)
        for prediction in TARGET_RATIO:
            repeats = {"ours": options.repeats, "plain": options.repeats}
            if prediction == "strays":
                repeats["plain"] = options.plain_stray_repeats
            show(prediction, measure(folder, prediction, repeats))


def measure(folder: str, prediction: str, repeats: dict[str, int]) -> dict[str, dict[str, Any]]:
    """Per way: medians over fresh processes, and the scores. The ways take turns, so that both see the same machine."""
    runs: dict[str, list[dict[str, Any]]] = {way: [] for way in repeats}
    for turn in range(max(repeats.values())):
        for way in repeats:
            if turn < repeats[way]:
                runs[way].append(run_once(way, folder, prediction))
    return {
        way: {name: median(run[name] for run in of_way) for name in ("wall_s", "cpu_s", "peak_gb")}
        | {"scores": of_way[0]["scores"], "repeats": repeats[way]}
        for way, of_way in runs.items()
    }


def run_once(way: str, folder: str, prediction: str) -> dict[str, Any]:
    """One measurement in a process of its own."""
    paths = [f"{folder}/{name}.nii.gz" for name in ("truth", prediction)]
    command = [sys.executable, HERE / "evaluation_once.py", way, *paths]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment).stdout)


def show(prediction: str, figures: dict[str, dict[str, Any]]) -> None:
    """Two lines of the table. Exits with 1 if the scores differ."""
    ours, plain = figures["ours"], figures["plain"]
    ratios = [f"{plain[name] / ours[name]:.1f}" for name in ("wall_s", "cpu_s")]
    target = f"{TARGET_RATIO[prediction]} x, {TARGET_GB} GB"
    for way, speed in (("plain", ("", "", "")), ("ours", (*ratios, target))):
        numbers = [f"{figures[way][name]:.2f}" for name in ("wall_s", "cpu_s", "peak_gb")]
        print(ROW.format(prediction, way, figures[way]["repeats"], *numbers, *speed).rstrip(), flush=True)
    if ours["scores"] != plain["scores"]:
        sys.exit(f"scores differ:\nours  {ours['scores']}\nplain {plain['scores']}")


if __name__ == "__main__":
    main()
