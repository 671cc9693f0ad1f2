"""Label one shard of the scans with a trained model, scoring while labelling.

Used for a round's pseudo-labels and for its validation and test predictions. A case that is whole, and of this
very model, is not done again. A model of this run labels scans that were preprocessed for it; models from elsewhere
preprocess them on the way, and give their labels in the label table's numbers.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from noisy_student.cohort.labelled_organs import add_fewer_than, to_label
from noisy_student.command import run
from noisy_student.configuration.prediction_options import TORCH, Prediction, add_arguments, prediction_of
from noisy_student.damage import damaged
from noisy_student.errors import InputError
from noisy_student.files import read_json, sha256
from noisy_student.geometry import Geometry
from noisy_student.images import read_image
from noisy_student.keeping.aside import aside_of_labels
from noisy_student.keeping.store import NO_STORE, Store, own
from noisy_student.label.labeller import Labeller, Vote, labeller_of
from noisy_student.model.checkpoint_names import FINAL_CHECKPOINT
from noisy_student.model.device import choose_device
from noisy_student.model.label_files import LabelFiles, Labelled, made_from
from noisy_student.model.model_folder import by_folder, read_model
from noisy_student.model.postprocessing import Steps, read_steps
from noisy_student.model.predictor import Logits, Predictor
from noisy_student.model.records import SHORT
from noisy_student.model.scores import SCORES
from noisy_student.model.source import DESCRIPTIONS
from noisy_student.organs import Organ, from_json, to_json
from noisy_student.parallel import overlapped, with_progress
from noisy_student.plan.preprocessing import ARRAY, read_array, read_properties, with_suffix
from noisy_student.reading.thin import thin_remarks
from noisy_student.shards import balance, shard_of
from noisy_student.tables import read_table, stacked, write_table

KIND = "label_maps"


def identity(checkpoints: list[Path], options: Prediction, steps: Steps, organs: Sequence[Organ] | None = None) -> str:
    """What a label map and its scores depend on besides the scan, as a checksum.

    `organs`: of models from elsewhere, whose labels are matched with these.
    """
    parts = [*map(sha256, checkpoints), json.dumps([*options.label_maps_depend_on, list(SCORES), steps])]
    if organs is not None:
        folders = dict.fromkeys(path.parents[1] for path in checkpoints)
        parts += [sha256(folder / name) for folder in folders for name in DESCRIPTIONS]
        parts.append(to_json(organs, "label", "name", *["aliases"] * any(organ.aliases for organ in organs)))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def of_voices(finals: Sequence[Path], names: Sequence[str]) -> list[Path]:
    """The checkpoints of these names beside the final ones. Raises InputError where one is missing."""
    found = [final.with_name(name) for final in finals for name in names]
    for path in found:
        if not path.exists():
            raise damaged(path, "a whole checkpoint", "")
    return found


@dataclass(frozen=True)
class Job:
    """One scan to label: its results, its files, its own orientation, and what the results depend on.

    `made_from` has that for each of `may_be_made_by`, what they may be made by.
    """

    files: LabelFiles
    scan: Path
    preprocessed: Path | None
    orientation: str
    model: str
    scan_sha256: str
    may_be_made_by: Sequence[str]
    same_in: tuple[Path, ...] = ()
    aside: Path | None = None
    store: Store = NO_STORE

    def done(self) -> pd.DataFrame | None:
        """The scores, if the results are there, or can be taken from where the same model's may lie."""
        wanted = list(map(self.made_from, self.may_be_made_by))
        if (scores := self.files.read(*wanted)) is not None:
            return scores
        self.set_others_aside()
        for folder in self.same_in:
            other = replace(self.files, folder=folder)
            if (scores := other.read(*wanted)) is not None:
                self.files.take(other)
                return scores
        names = self.files.by_name()
        taken = any(self.store.take(KIND, self.identity(made_by), names) for made_by in self.may_be_made_by)
        return self.files.read(*wanted) if taken else None

    def made_from(self, made_by: str) -> str:
        """What the files depend on, if they are `made_by` this."""
        return made_from(self.model, self.scan_sha256, made_by)

    def identity(self, made_by: str = TORCH) -> str:
        """The same in the store."""
        voxels = f"voxels {self.files.voxels}{' by confidence' if self.files.voxels else ''}"
        return f"{self.made_from(made_by)}, {voxels}{', soft' if self.files.soft else ''}"

    def set_others_aside(self) -> None:
        """Keep what another model has made of the scan."""
        if self.aside:
            self.files.set_aside(self.aside, self.model)


@dataclass(frozen=True)
class OfThisRun:
    """A model of this run, and its scans as they were preprocessed."""

    networks: Predictor

    def read(self, job: Job) -> torch.Tensor:
        """The preprocessed scan."""
        return self.networks.on_host(read_array(with_suffix(job.preprocessed, ARRAY)))

    def labelled(self, logits: Logits, job: Job) -> Labelled:
        """The label map in canonical orientation, and its scores."""
        return self.networks.labelled(logits, read_properties(job.preprocessed), job.files.voxels, soft=job.files.soft)


@dataclass(frozen=True)
class FromElsewhere:
    """Models from elsewhere, which see the scans of this run in their own way."""

    networks: Labeller | Vote

    def read(self, job: Job) -> Any:
        """The scan, preprocessed. Raises InputError for one that is too thin for the model."""
        image = read_image(job.scan)
        for remark in thin_remarks(Geometry.of(image), self.networks.spacings(job.orientation)):
            raise InputError(f"{remark.wanted}, in {job.scan}", remark.found, remark.remedy)
        return self.networks.read(image, job.orientation)

    def labelled(self, predicted: Any, job: Job) -> Labelled:
        """The label map in canonical orientation, and its scores."""
        return self.networks.labelled(predicted, job.files.voxels, job.files.soft)


def label_all(jobs: list[Job], load: Callable[[], OfThisRun | FromElsewhere]) -> Iterator[tuple[str, pd.DataFrame]]:
    """(case, scores) of every job; reading, the network and export overlap. What is whole is not done again."""
    missing = []
    for job in jobs:
        if (scores := job.done()) is not None:
            yield job.files.case, scores
        else:
            missing.append(job)
    if not missing:
        return
    model = load()

    def read(job: Job) -> tuple[Job, Any]:
        return job, model.read(job)

    def work(loaded: tuple[Job, Any]) -> tuple[Job, Any]:
        job, seen = loaded
        return job, model.networks.predict(seen)

    def finish(predicted: tuple[Job, Any]) -> tuple[str, pd.DataFrame]:
        job, said = predicted
        labelled = model.labelled(said, job)
        made_by = model.networks.made_by
        job.files.write(labelled, job.scan, job.orientation, job.made_from(made_by))
        job.store.put(KIND, job.identity(made_by), job.files.by_name())
        return job.files.case, labelled.scores

    yield from overlapped(missing, read, work, finish, model.networks.warm)


def load(arguments: argparse.Namespace) -> OfThisRun | FromElsewhere:
    """The model, its weights read."""
    device = choose_device(arguments.device, arguments.threads)
    options, steps = prediction_of(arguments), arguments.postprocessing
    if arguments.preprocessed:
        return OfThisRun(Predictor(read_model(arguments.checkpoints), options, device, steps))
    models = list(by_folder(arguments.checkpoints).values())
    return FromElsewhere(labeller_of(models, options, device, arguments.organs, steps))


def main() -> None:
    """Read the arguments and label."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoints", type=Path, nargs="+", help="final checkpoints of the model's folds")
    parser.add_argument("--voices", type=Path, help="voices.json: which checkpoints of each fold label (the final one)")
    parser.add_argument("--cases", type=Path, required=True, help="the case table")
    parser.add_argument("--converted", type=Path, required=True, help="index of the converted scans")
    scans = parser.add_mutually_exclusive_group(required=True)
    scans.add_argument("--preprocessed", type=Path, help="index of the scans as preprocessed for a model of this run")
    scans.add_argument("--organs", type=from_json, help="label table as JSON, for the labels of models from elsewhere")
    parser.add_argument("--roles", nargs="+", required=True)
    add_fewer_than(parser)
    add_arguments(parser)
    parser.add_argument("--postprocessing", type=read_steps, default=(), help="postprocessing.json of the model")
    parser.add_argument("--voxels", action="store_true", help="also keep how sure the model is of each voxel")
    parser.add_argument("--soft", action="store_true", help="also keep each voxel's two most probable classes")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--shard", type=int, required=True)
    parser.add_argument("--shards", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True, help="where the label maps are made")
    parser.add_argument(
        "--same-in", type=Path, nargs="*", default=[], help="where label maps of the same model may lie already"
    )
    parser.add_argument("--output", type=Path, required=True, help="table of scores per case and organ")
    arguments = parser.parse_args()
    names = read_json(arguments.voices) if arguments.voices else [FINAL_CHECKPOINT]
    arguments.checkpoints = of_voices(arguments.checkpoints, names)

    table = read_table(arguments.cases, ["case", "role", "orientation", "sha256"])
    wanted = to_label(table, arguments.roles, arguments.fewer_than)
    print(balance(wanted, arguments.shard, arguments.shards), file=sys.stderr)
    cases = shard_of(wanted, arguments.shard, arguments.shards)
    scans = read_table(arguments.converted, ["case", "image"]).set_index("case").image
    preprocessed = {}
    if arguments.preprocessed:
        index = read_table(arguments.preprocessed, ["case", "preprocessed"])
        preprocessed = dict(zip(index.case, map(Path, index.preprocessed), strict=True))
    options, steps = prediction_of(arguments), arguments.postprocessing
    model = identity(arguments.checkpoints, options, steps, arguments.organs)
    aside = aside_of_labels(arguments.folder)
    same_in = (*arguments.same_in, aside / model[:SHORT])
    own(arguments.folder)
    store = Store.of_environment()
    jobs = [
        Job(
            LabelFiles(arguments.folder, row.case, arguments.voxels, arguments.soft), Path(scans[row.case]),
            preprocessed.get(row.case), row.orientation, model, row.sha256, options.may_be_made_by, same_in, aside,
            store,
        )
        for row in cases.itertuples()
    ]  # fmt: skip
    scan_of = cases.set_index("case").sha256
    scores = (
        table.assign(case=case, model=model, scan=scan_of[case])
        for case, table in with_progress(label_all(jobs, partial(load, arguments)), len(jobs), "labelling")
    )
    with store.alone(f"labelling {' '.join(job.identity() for job in jobs)}"):
        table = stacked(scores, ["case", *SCORES, "model", "scan"])
    write_table(table.set_index("case").loc[cases.case].reset_index(), arguments.output)


if __name__ == "__main__":
    run(main)
