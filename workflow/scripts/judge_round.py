"""Decide which round's model labels for the next round, and whether this was the last.

It is this round's own, or after a collapse the one that labelled for it.

Writes verdict.json, and beside it the folder `labeller` with links to that model, and voices.json: which checkpoints of
each fold label.
"""

import argparse
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from noisy_student.command import run
from noisy_student.errors import InputError
from noisy_student.files import read_json, write_text
from noisy_student.model.checkpoint_names import FINAL_CHECKPOINT, checkpoint_name, checkpoints_of_voices
from noisy_student.tables import read_table, read_tables
from noisy_student.train.collapse import gain, shortcomings

# A model from elsewhere may have learned from any of the scans that this run's folds hold out.
UNKNOWN_TEACHER = "its teacher comes from elsewhere and held out no scans"
MODEL_FILES = ("plans.json", "dataset.json")


def held_out(model: Path, folds: list[int]) -> pd.DataFrame:
    """The held-out scores of all folds of a model."""
    return pd.concat([read_table(model / f"fold_{fold}/held_out.tsv", ["case", "DSC", "seed"]) for fold in folds])


@dataclass(frozen=True)
class Rules:
    """What counts as a collapse and what follows, and what ends the rounds.

    `policy` and `noise_band` are the configuration's; `stop_below` is the least change of the pseudo-labels.
    """

    policy: str = "keep"
    noise_band: float = 0.05
    stop_without_gain: bool = False
    stop_below: float | None = None

    def verdict(self, results: Path, number: int, folds: list[int], change: float | None = None) -> dict[str, Any]:
        """What is known of a round, `labeller`, whose model labels for the next one, and why the rounds end (or "").

        `change` is how much the pseudo-labels disagree of the round, the one before and the one before that.
        """
        own = {"round": number, "labeller": number, "reasons": [], "gain": None, "stopped": ""}
        if number == 0:
            return own
        before = read_json(results / f"round_{number - 1}/verdict.json")
        teacher = before["labeller"]
        if "taken" in before:
            return own | {"teacher": teacher, "not_compared": UNKNOWN_TEACHER}
        if before["stopped"]:
            return own | {"teacher": teacher, "labeller": teacher, "stopped": before["stopped"]}
        student, its_teacher = (held_out(results / f"round_{round_}/model", folds) for round_ in (number, teacher))
        reasons = shortcomings(student, its_teacher, self.noise_band)
        if reasons and self.policy == "stop":
            raise InputError(
                f"a student of round {number} that is no worse than its teacher (round {teacher})",
                "; ".join(reasons),
                "look at its training and selection; `collapse.policy: keep` goes on with the teacher's labels",
            )
        gained = gain(student, its_teacher)
        return own | {
            "teacher": teacher,
            "labeller": teacher if reasons else number,
            "reasons": reasons,
            "gain": gained,
            "stopped": "" if reasons else self._why_stop(gained, change),
            "seeds": sorted(set(student.seed.astype(int))),
        }

    def _why_stop(self, gained: float, change: float | None) -> str:
        if self.stop_without_gain and gained <= self.noise_band:
            return f"a gain of {gained:.3f} in mean DSC is within the noise of {self.noise_band:g}"
        if self.stop_below is not None and change is not None and change < self.stop_below:
            return f"the rounds' pseudo-labels disagree by {change:.1%}, less than {self.stop_below:.1%}"
        return ""


def change_of_labels(shards: list[Path]) -> float | None:
    """The mean over scans of their `disagreement` over the last rounds; None without measures."""
    if not shards:
        return None
    return float(read_tables(shards, ["case", "disagreement"]).groupby("case").disagreement.first().mean())


def link_labeller(model: Path, preprocessed: Path, folds: list[int], voices: list[str], folder: Path) -> None:
    """Links to what labelling needs: the model's files, and the index of the scans on its network's grid.

    The final checkpoints are there whether they are voices or not; `voices.json` names those that are.
    """
    checkpoints = checkpoints_of_voices(voices)
    names = dict.fromkeys([FINAL_CHECKPOINT, *checkpoints])
    files = [*MODEL_FILES, *(f"fold_{fold}/{name}" for fold in folds for name in names)]
    targets = {name: model / name for name in files}
    targets |= {"postprocessing.json": model.parent / "postprocessing.json", "preprocessed.tsv": preprocessed}
    for link in folder.glob(f"fold_*/{checkpoint_name('*')}"):
        link.unlink()
    for name, target in targets.items():
        link = folder / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(os.path.relpath(target, link.parent))
    write_text(folder / "voices.json", json.dumps(checkpoints))


def main() -> None:
    """Read the arguments, decide, and link."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--round", type=int, required=True)
    parser.add_argument("--folds", type=int, nargs="+", required=True)
    parser.add_argument("--networks", nargs="+", required=True, help="the network of each round up to this one")
    parser.add_argument("--voices", type=json.loads, required=True, help="the voices of each round, as JSON")
    parser.add_argument("--policy", choices=("stop", "keep", "retrain"), required=True)
    parser.add_argument("--noise-band", type=float, required=True, help="how far a mean DSC may fall by chance")
    parser.add_argument("--stop-without-gain", action="store_true")
    parser.add_argument("--stop-below", type=float, help="end the rounds if their pseudo-labels disagree by less")
    parser.add_argument("--changes", type=Path, nargs="*", default=[], help="measures of the round's pseudo-labels")
    arguments = parser.parse_args()
    results, number = arguments.results, arguments.round
    rules = Rules(arguments.policy, arguments.noise_band, arguments.stop_without_gain, arguments.stop_below)
    decided = rules.verdict(results, number, arguments.folds, change_of_labels(arguments.changes))
    labeller = decided["labeller"]
    if decided["reasons"]:
        print(f"round {number} collapsed, round {labeller} labels on: {'; '.join(decided['reasons'])}")
    network = arguments.networks[labeller]
    here = results / f"round_{number}"
    index = results / f"preprocessed/{network}.tsv"
    model, voices = results / f"round_{labeller}/model", arguments.voices[labeller]
    link_labeller(model, index, arguments.folds, voices, here / "labeller")
    write_text(here / "verdict.json", json.dumps(decided, indent=2))


if __name__ == "__main__":
    run(main)
