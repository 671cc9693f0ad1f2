"""The doors through which files come into the project: what is given → what came of it, in words, under its name."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nibabel
import pandas as pd

from cohort_door import check_each, check_together
from known_truth import of_nifti
from scripts import ending, run, sha256s


@dataclass(frozen=True)
class Surroundings:
    """What a door needs besides what is given: an empty folder, a labelled folder of the cohort, a model folder."""

    work: Path
    labelled: dict[str, str]
    model: Path


def label(scans: Path, around: Surroundings) -> str:
    """`label_scan.py` with a scan, or a folder of scans, and an output elsewhere."""
    return _label(around.model, scans, around.work / ("label_maps" if scans.is_dir() else "label_map.nii.gz"))


def label_in_place(scans: Path, around: Surroundings) -> str:
    """The same with the scans' own folder as output."""
    return _label(around.model, scans, scans)


def label_with(model: Path, around: Surroundings, *options: str) -> str:
    """`label_scan.py` with a model folder and a scan that is good."""
    return _label(model, Path(around.labelled["images"]), around.work / "label_maps", *options)


def _label(model: Path, scans: Path, output: Path, *options: str) -> str:
    given, before = sha256s(scans), sha256s(output)
    trusted = sha256s(model, "*.pth").values()
    where = ("--model", model, "--image", scans, "--output", output)
    ended = run("label_scan.py", *where, "--device", "cpu", "--threads", 1, *options, "--trust", *trusted)
    made = [path for path, digest in sha256s(output).items() if before.get(path) != digest]
    harm = "" if given.items() <= sha256s(scans).items() else "SCANS OVERWRITTEN"
    return "; ".join(filter(None, [harm, f"{len(made)} label map(s) written", ending(ended)]))


def score(folder: Path, around: Surroundings) -> str:
    """`evaluate.py` with the folders truth/ and predictions/."""
    table = around.work / "scores.tsv"
    ended = run("evaluate.py", "--truth", folder / "truth", "--predictions", folder / "predictions", "--output", table)
    if ended.returncode:
        return ending(ended)
    scores = pd.read_csv(table, sep="\t")
    result = f"{scores.case.nunique()} case(s) scored, mean DSC {scores.DSC.mean():.3f}"
    return "; ".join(filter(None, [result, ending(ended)]))


def score_one(prediction: Path, around: Surroundings) -> str:
    """The same with one label map, whose truth is what it holds in whole numbers."""
    held = of_nifti(prediction).values_zyx.round().astype("u1").transpose(2, 1, 0)
    for folder in ("truth", "predictions"):
        (around.work / folder).mkdir()
    nibabel.save(nibabel.Nifti1Image(held, nibabel.load(prediction).affine), around.work / "truth" / prediction.name)
    (around.work / "predictions" / prediction.name).write_bytes(prediction.read_bytes())
    return score(around.work, around)


DOORS: dict[str, Callable[[Path, Surroundings], str | dict[str, str]]] = {
    "check each": lambda scan, around: check_each(scan, around.labelled, around.work),
    "check together": lambda folder, around: check_together(folder, around.labelled, around.work),
    "label": label,
    "label in place": label_in_place,
    "label with": label_with,
    "label with best": lambda model, around: label_with(model, around, "--checkpoint", "best"),
    "score": score,
    "score one": score_one,
}
