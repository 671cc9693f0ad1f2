"""A project whose runs are ended, damaged or starved, and what is left of its results."""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd
import torch
import yaml

import measured_run
from conftest import ROOT
from project import Project

TINY = {
    "cohort": {"embedded": {"labelled": 3, "unlabelled": 4, "validation": 1, "test": 1}},
    "training": {"epochs": 3, "iterations_per_epoch": 15, "validation_iterations_per_epoch": 2, "learning_rate": 0.01},
    "networks": {"coarse": {"base_features": 4}},
    "rounds": [{"network": "coarse"}] * 2,
    # So little training finds few organs; what is tested is the way, not the result.
    "selection": "paper",
    "efficiency": {"scans": 1},
    "shards": 2,
}
# Everything that the workflow makes, and the model for others, which is made only when asked for.
EVERYTHING = ("all", "results/round_1/model.zip")
LABELLED, UNLABELLED = "FLARE22_Tr_0001", "Case_00001"
# Stage → what to take away of a finished run's results so that it is run again, and what it makes.
STAGES = {
    "case_table": (("cohort/cases.tsv",), "cohort/cases.tsv"),
    "convert": (("cohort/images", "cohort/records", "cohort/shards", "cohort/converted.tsv"), "cohort/converted.tsv"),
    "fingerprint": (("plans/dataset_fingerprint.json",), "plans/dataset_fingerprint.json"),
    "preprocess": (("preprocessed",), "preprocessed/coarse.tsv"),
    "training_set": (("round_1/dataset",), "round_1/dataset/training_set.tsv"),
    "train": (("round_1/model",), "round_1/model/fold_0/checkpoint_final.pth"),
    "postprocessing": (("round_1/postprocessing.json",), "round_1/postprocessing.json"),
    "pseudo_label": (
        ("round_1/pseudo_labels", "round_1/shards/pseudo_label_*", "round_1/pseudo_label_scores.tsv"),
        "round_1/pseudo_label_scores.tsv",
    ),
    "label_measures": (("round_1/shards/label_measures_*", "round_1/selection.tsv"), "round_1/selection.tsv"),
    "predict": (
        ("round_1/predictions", "round_1/shards/prediction_*", "round_1/prediction_scores.tsv"),
        "round_1/prediction_scores.tsv",
    ),
    "evaluate": (("round_1/scores.tsv",), "round_1/scores.tsv"),
    "report": (("report",), "report/report.html"),
}
# Of a run's own times, or checksums of checkpoints, which hold times: these differ from run to run.
MEASURED = {
    *("jobs.tsv", "efficiency.tsv", "comparison.tsv", "ranking.tsv", "progress.tsv"),
    *("pseudo_label_truth.tsv", "pseudo_label_calibration.tsv"),
    *("checksums.tsv", "rounds_overview.tsv", "table_2_training_protocol.tsv", "trainings.tsv"),
}
HOOK = ROOT / "tests/fault_hook"


@dataclass(frozen=True)
class Moment:
    """When a run is ended: a script's `count`th file of a name, half written; or so many seconds after it was."""

    script: str
    file: str
    count: int = 1
    delay_s: float = 0

    def __str__(self) -> str:
        if self.delay_s:
            return "mid-epoch"
        return f"mid-write of {self.file.lstrip('_.').replace('*.', '').replace('_?', '')}" + (
            f" {self.count}" if self.count > 1 else ""
        )


class FaultyProject(Project):
    """A small experiment in a folder of its own."""

    def copy(self, folder: Path, without: tuple[str, ...] = ()) -> "FaultyProject":
        """A project with the same results and Snakemake's record of them, but without some files."""
        return copied(self, folder, without)

    def before(self, stage: str, folder: Path) -> "FaultyProject":
        """A copy in which a stage is still to come."""
        return self.copy(folder, STAGES[stage][0])

    def remove(self, *patterns: str) -> None:
        """Delete files and folders below the results."""
        for pattern in patterns:
            found = list((self.folder / "results").glob(pattern))
            assert found, pattern
            for path in found:
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def file(self, pattern: str) -> Path:
        """The first file of a pattern below the results."""
        return sorted((self.folder / "results").glob(pattern))[0]

    def try_run(self, *arguments: str, before: tuple[str, ...] = (), **variables: str) -> subprocess.CompletedProcess:
        """Run Snakemake below another command; what its jobs cost is added up in the folder."""
        costs = measured_run.read_costs(self.folder)
        with (self.folder / "said").open("w") as said:
            process = subprocess.Popen(
                [*before, *self.command(*arguments)],
                cwd=self.folder, env=self.environment(**variables), stdout=said, stderr=said, start_new_session=True,
            )  # fmt: skip
            measured_run.follow(process, self.folder, costs)
        said = (self.folder / "said").read_text()
        return subprocess.CompletedProcess(process.args, process.returncode, said, None)

    def follow_remedy(self, said: str) -> None:
        """Type the commands that an error names, as its reader would: a shell expands their patterns."""
        for command in re.search(r"remedy: `([^`]+)`", said)[1].split(" && "):
            words = command.removeprefix("snakemake ").split()
            found = [sorted(str(path.relative_to(self.folder)) for path in self.folder.glob(word)) for word in words]
            expanded = [name for word, names in zip(words, found, strict=True) for name in names or [word]]
            run = self.try_run(*expanded)
            assert run.returncode == 0, run.stdout[-3000:]

    def end_at(self, moment: Moment, number: signal.Signals, whom: str = "all", *arguments: str) -> str:
        """Run until the moment has come; `whom`: the whole run, or the job alone. What was said."""
        fault = json.dumps(asdict(moment) | {"signal": int(number), "whom": whom})
        run = self.try_run(*(arguments or EVERYTHING), FAULT=fault, PYTHONPATH=str(HOOK))
        assert run.returncode, f"ended before {moment}: {run.stdout[-3000:]}"
        return run.stdout

    def finish(self, *targets: str) -> str:
        """Run to the end; the lock that a killed Snakemake left, if any, is taken away first, as its message says.

        `targets` are made first, though all that follows from them may be there and stay as it is.
        """
        for wanted in [targets, EVERYTHING] if targets else [EVERYTHING]:
            run = self.try_run(*wanted)
            if "--unlock" in run.stdout:
                assert self.run("--unlock").returncode == 0
                run = self.try_run(*wanted)
            assert run.returncode == 0, run.stdout[-5000:]
        return run.stdout

    def cpu_s(self) -> dict[str, float]:
        """CPU seconds of every job so far, over all attempts."""
        return {job: cost.cpu_s for job, cost in measured_run.read_costs(self.folder).items() if "(" not in job}

    def spent_s(self, stage: str = "", project: "FaultyProject | None" = None) -> float:
        """CPU seconds of all jobs, or of a stage's jobs that another project did as well."""
        jobs = (project or self).cpu_s()
        wanted = [job for job in jobs if not stage or measured_run.stage_of(job) in (stage, f"{stage}_coarse")]
        return sum(self.cpu_s()[job] for job in wanted)

    def results(self) -> dict[str, str]:
        """A checksum of every label map, table and trained network."""
        found = {}
        for path in sorted((self.folder / "results").rglob("*")):
            name = str(path.relative_to(self.folder / "results"))
            if path.name in MEASURED or path.name.startswith(".") or "benchmarks/" in name:
                continue
            if path.name == "checkpoint_final.pth":
                found[name] = _weights(path)
            elif path.name.endswith((".nii.gz", ".tsv")):
                found[name] = hashlib.sha256(_content(path)).hexdigest()
        return found

    def finished_files(self) -> dict[str, int]:
        """When every file that takes long to make was written: those of single scans, and trained networks."""
        costly = (".nii.gz", ".b2nd", ".pkl", "checkpoint_final.pth")
        files = [path for path in (self.folder / "results").rglob("*") if path.name.endswith(costly)]
        return {str(path): path.stat().st_mtime_ns for path in files if not path.name.startswith(".")}


def copied(project: Project, folder: Path, without: tuple[str, ...] = ()) -> FaultyProject:
    """A project with the same results and Snakemake's record of them, but without some files."""
    copy = FaultyProject(folder, **yaml.safe_load((project.folder / "overlay.yaml").read_text()))
    for part in ("results", ".snakemake", "logs"):
        shutil.copytree(project.folder / part, folder / part, symlinks=True, copy_function=_copy)
    copy.remove(*without)
    return copy


def _copy(source: str, target: str) -> None:
    shutil.copy2(source, target, follow_symlinks=False)


def _content(path: Path) -> bytes:
    """A label map, or a table without paths of its folder and checksums of checkpoints, which hold times."""
    content = re.sub(rb"[^\t\n]*/results/", b"results/", path.read_bytes())
    if path.suffix != ".tsv" or b"model" not in content.partition(b"\n")[0].split(b"\t"):
        return content
    return pd.read_csv(path, sep="\t", dtype=str).drop(columns="model").to_csv(sep="\t").encode()


def _weights(checkpoint: Path) -> str:
    weights = torch.load(checkpoint, weights_only=False, map_location="cpu")["network_weights"]
    digest = hashlib.sha256()
    for name, tensor in sorted(weights.items()):
        digest.update(name.encode() + tensor.numpy().tobytes())
    return digest.hexdigest()


def target_of(stage: str) -> str:
    """What a stage makes."""
    return f"results/{STAGES[stage][1]}"


def truncate(path: Path) -> None:
    """Cut a file in half, in place."""
    os.truncate(path, path.stat().st_size // 2)
