"""A run of the workflow on scans of a hospital's size, and the commands that are measured in it."""

import json
import shutil
import subprocess
import sys
from itertools import count, islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "workflow/scripts"), str(ROOT / "tests")]

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from scipy.ndimage import maximum_filter, minimum_filter  # noqa: E402

import stock_nnunet  # noqa: E402
from big_scans import write_scan  # noqa: E402
from noisy_student.files import write_text  # noqa: E402
from noisy_student.model.label_files import LabelFiles  # noqa: E402
from noisy_student.model.voxel_confidence import write_confidence  # noqa: E402
from noisy_student.organs import FLARE22  # noqa: E402
from noisy_student.plan.preprocessing import read_array  # noqa: E402
from processes import Measured, measured  # noqa: E402
from project import Project  # noqa: E402

HERE = Path(__file__).parent
LABELLED, SLICES, SLICE_MM = 4, 100, 2.5
# The scans that are labelled and timed, and those whose label maps a second round's dataset is made of.
TO_LABEL, TO_PREPARE = "validation", "unlabelled"
LONG_SLICES, LONG_SLICE_MM = 600, 1.0
SPACING_MM_ZYX, PATCH_ZYX = (3.0, 1.0, 1.0), (32, 160, 160)
NETWORK = {
    "encoder": "plain",
    "spacing_mm_zyx": list(SPACING_MM_ZYX),
    "patch_size_zyx": list(PATCH_ZYX),
    "batch_size": 1,
    "stages": 4,
    "base_features": 4,
    "encoder_blocks": [1],
    "decoder_blocks": [1],
}
TRAINING = {
    "splits": 2,
    "folds": [0],
    "epochs": 2,
    "iterations_per_epoch": 40,
    "validation_iterations_per_epoch": 1,
    "optimizer": "adamw",
    "learning_rate": 0.01,
    "foreground_fraction": 0.8,
}
MODEL = "results/round_0/model"
CHECKPOINT = f"{MODEL}/fold_0/checkpoint_final.pth"
TABLES = {
    "--cases": "results/cohort/cases.tsv",
    "--converted": "results/cohort/converted.tsv",
    "--preprocessed": "results/preprocessed/bench.tsv",
}
DATASET = "Dataset001_NoisyStudent"


class LabellingRun:
    """The run, and what is measured in it."""

    def __init__(self, folder: Path, scans: int, prepared: int, cores: int) -> None:
        self.folder, self.cores = folder, cores
        self.log = folder / "bench.log"
        self.project = Project(folder / "run", **_overlay(folder / "scans"))
        self.run = self.project.folder
        _write_scans(folder / "scans", scans, prepared)

    def train(self) -> None:
        """The workflow up to its teacher."""
        run = self.project.run(TABLES["--preprocessed"], CHECKPOINT)
        if run.returncode:
            raise SystemExit(run.stdout[-5000:])
        cases = self.table("--cases")
        self.to_label, self.to_prepare = (sorted(cases[cases.role == role].case) for role in (TO_LABEL, TO_PREPARE))
        self.long = cases[cases.role == "test"].case.item()
        raw = self.nnunet_folder("nnUNet_raw") / DATASET
        for name in ("imagesTr", "labelsTr"):
            (raw / name).mkdir(parents=True)
        self.scans_to_label.mkdir()
        for row in self.table("--converted").itertuples():
            if row.case in self.to_label:
                (self.scans_to_label / Path(row.image).name).symlink_to(self.run / row.image)
        model = self.nnunet_folder("nnUNet_results") / DATASET / stock_nnunet.MODEL
        model.parent.mkdir(parents=True)
        model.symlink_to(self.run / MODEL)

    @property
    def true_maps(self) -> Path:
        """The label maps of the scans to prepare."""
        return self.folder / f"scans/{TO_PREPARE}_maps"

    @property
    def scans_to_label(self) -> Path:
        """A folder of these scans alone, as `nnUNetv2_predict` wants it."""
        return self.folder / "to_label"

    def table(self, flag: str) -> pd.DataFrame:
        """One of the run's tables."""
        return pd.read_csv(self.run / TABLES[flag], sep="\t")

    def nnunet_folder(self, name: str) -> Path:
        """One of nnU-Net's three folders."""
        return self.folder / name

    def measure(self, *command: object, output: Path) -> Measured:
        """Run a command; `output` is emptied before."""
        shutil.rmtree(output, ignore_errors=True)
        output.mkdir(parents=True)
        environment = stock_nnunet.environment(self.folder) | {"PATH": self.project.environment()["PATH"]}
        return measured(command, output, self.run, environment, self.log)

    def forward(self, cases: list[str]) -> dict[str, float]:
        """The forward passes alone."""
        places = self.table("--preprocessed").set_index("case").preprocessed
        command = [sys.executable, HERE / "forward_alone.py", CHECKPOINT, self.cores, *places[cases]]
        run = subprocess.run(list(map(str, command)), cwd=self.run, stdout=subprocess.PIPE, check=True)
        return json.loads(run.stdout)

    def ours(self, role: str, output: Path, *more: object) -> Measured:
        """The rule `pseudo_label`: from preprocessed scans to label maps and scores."""
        tables = [word for pair in TABLES.items() for word in pair]
        where = ("--folder", output, "--output", output / "scores.tsv", "--shard", 0, "--shards", 1)
        how = ("--backend", "torch", "--device", "cpu", "--threads", self.cores, "--roles", role)
        command = (sys.executable, ROOT / "workflow/scripts/predict.py", CHECKPOINT)
        return self.measure(*command, *tables, *how, *where, *more, output=output)

    def ours_from_files(self, image: Path, output: Path) -> Measured:
        """The predictor alone: from the scans' files to label maps."""
        command = (sys.executable, ROOT / "workflow/scripts/label_scan.py", "--model", MODEL, "--image", image)
        how = ("--backend", "torch", "--device", "cpu", "--threads", self.cores)
        return self.measure(*command, "--output", output, *how, output=output)

    def stock(self, output: Path, *more: str) -> Measured:
        """`nnUNetv2_predict` with as many workers as there are cores."""
        arguments = stock_nnunet.arguments(self.scans_to_label, output, self.cores)
        return self.measure("nnUNetv2_predict", *arguments, *more, output=output)

    def scored_by_script(self, output: Path) -> Measured:
        """`nnUNetv2_predict --save_probabilities`, then a scoring script on its files."""
        labelled = self.stock(output, "--save_probabilities")
        environment = {"PATH": self.project.environment()["PATH"]}
        script = (sys.executable, HERE / "score_probabilities.py", output)
        scored = measured(script, output, self.run, environment, self.log)
        return Measured(
            labelled.wall_s + scored.wall_s,
            labelled.cpu_s + scored.cpu_s,
            max(labelled.peak_gb, scored.peak_gb),
            scored.written_mb,
        )

    def write_confidence(self) -> None:
        """Maps of voxel confidence as a teacher would have written them: 60 % at an organ's border, else 100 %."""
        for case in self.to_prepare:
            labels = read_array(self.run / f"results/round_1/dataset/cases/{case}_seg.b2nd")[0]
            is_border = maximum_filter(labels, 3) != minimum_filter(labels, 3)
            write_confidence(
                np.where(is_border, np.uint8(60), np.uint8(100)), LabelFiles(self.true_maps, case).confidence
            )

    def prepare(self, *more: object) -> Measured:
        """Rule `training_set` of round 1, with every pseudo-label kept; the true label maps stand for them."""
        dataset, selection = self.run / "results/round_1/dataset", self.run / "results/round_1/selection.tsv"
        selection.parent.mkdir(parents=True, exist_ok=True)
        kept = {"case": self.to_prepare, "decision": "kept", "masked": "", "confidence": 1.0}
        pd.DataFrame(kept).to_csv(selection, sep="\t", index=False)
        # As a teacher that finds every organ leaves them beside its label maps.
        rows = [{"organ": organ.name, "volume_ml": 1.0} for organ in FLARE22]
        for case in self.to_prepare:
            write_text(LabelFiles(self.true_maps, case).scores, json.dumps({"scores": rows}))
        fingerprint = "results/plans/dataset_fingerprint.json"
        plans = ("--plans", "results/plans/bench/plans.json", "--description", "results/plans/dataset.json")
        student = ("--selection", selection, "--pseudo-labels", self.true_maps, "--fingerprint", fingerprint)
        tables = [word for pair in list(TABLES.items())[1:] for word in pair]
        how = ("--splits", 2, "--seed", 1, "--cores", self.cores, "--output", dataset / "training_set.tsv")
        command = (sys.executable, ROOT / "workflow/scripts/make_training_set.py")
        return self.measure(*command, *tables, *plans, *student, *how, *more, output=dataset)

    def prepare_stock(self) -> Measured:
        """`nnUNetv2_plan_and_preprocess` of the same scans and label maps, on the same spacing."""
        raw = self.nnunet_folder("nnUNet_raw") / DATASET
        training_set = pd.read_csv(self.run / "results/round_1/dataset/training_set.tsv", sep="\t")
        images = self.table("--converted").set_index("case").image
        for row in training_set.itertuples():
            (raw / f"imagesTr/{row.case}_0000.nii.gz").symlink_to(self.run / images[row.case])
            (raw / f"labelsTr/{row.case}.nii.gz").symlink_to(self.run / row.label_map)
        description = json.loads((self.run / "results/round_1/dataset/dataset.json").read_text())
        description = {**description, "numTraining": len(training_set)}
        del description["dataset"]
        (raw / "dataset.json").write_text(json.dumps(description))
        what = ("-d", 1, "-c", "3d_fullres", "-overwrite_target_spacing", *SPACING_MM_ZYX)
        how = ("-overwrite_plans_name", "bench", "-np", self.cores, "-npfp", self.cores)
        output = self.nnunet_folder("nnUNet_preprocessed")
        return self.measure("nnUNetv2_plan_and_preprocess", *what, *how, output=output)

    def differing(self, left: Path, right: Path) -> float:
        """Largest share of voxels in which the label maps of a scan differ."""
        return stock_nnunet.differing(left, right, self.to_label)


def _overlay(scans: Path) -> dict[str, Any]:
    folders = {TO_PREPARE: [{"images": str(scans / TO_PREPARE)}]}
    for role in ("labelled", TO_LABEL, "test"):
        folders[role] = [{"images": str(scans / role), "label_maps": str(scans / f"{role}_maps")}]
    return {
        "cohort": {"kind": "folders", "folders": folders},
        "networks": {"bench": NETWORK},
        "training": TRAINING,
        "noise": "strong",
        "rounds": [{"network": "bench", "noise": "none"}, {"network": "bench"}],
        "shards": 1,
    }


def _write_scans(folder: Path, scans: int, prepared: int) -> None:
    numbers = count()
    for role, many in (("labelled", LABELLED), (TO_LABEL, scans), (TO_PREPARE, prepared), ("test", 1)):
        slices, slice_mm = (LONG_SLICES, LONG_SLICE_MM) if role == "test" else (SLICES, SLICE_MM)
        for number in islice(numbers, many):
            images, label_maps = folder / role, folder / f"{role}_maps"
            name = f"scan_{number}"
            write_scan(number, slices, slice_mm, images / f"{name}_0000.nii.gz", label_maps / f"{name}.nii.gz")
