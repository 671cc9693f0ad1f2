"""Is there a gap that pseudo-labels can close? Teacher against a student that learns from the true labels of all scans.

Both are trained with the teacher's settings of the default configuration, the other in the last student's network and
for as many epochs as all rounds together, from the caches of a finished `make run`, and judged on its test scans. The
method can only recover what lies between them.

    python benchmarks/upper_bound.py [--results results] [--seeds 1 2] [--target 0.08]
"""

import argparse
import json
import subprocess
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "workflow/scripts"
sys.path.insert(0, str(SCRIPTS))

import pandas as pd  # noqa: E402
import yaml  # noqa: E402

from noisy_student.configuration.experiment import Configuration, read_configuration  # noqa: E402
from noisy_student.files import write_text  # noqa: E402
from noisy_student.keeping.store import own  # noqa: E402
from noisy_student.model.label_files import LabelFiles  # noqa: E402
from noisy_student.organs import FLARE22  # noqa: E402
from noisy_student.tables import read_table, write_table  # noqa: E402


def command(folder: Path, script: str, *arguments: object) -> None:
    """Run one of the workflow's scripts in a run's folder, as its rules do."""
    words = [sys.executable, SCRIPTS / script, *map(str, arguments)]
    subprocess.run(words, cwd=folder, check=True, stdout=subprocess.DEVNULL)


def truths_as_pseudo_labels(results: Path, folder: Path) -> Path:
    """A selection that keeps every unlabelled scan, with links to the true label maps as its pseudo-labels."""
    cases = read_table(results / "cohort/cases.tsv", ["case", "role", "truth"])
    unlabelled = cases[cases.role == "unlabelled"]
    labels = folder / "pseudo_labels"
    own(labels)
    labels.mkdir(parents=True, exist_ok=True)
    for row in unlabelled.itertuples():
        files = LabelFiles(labels, row.case)
        files.label_map.unlink(missing_ok=True)
        files.label_map.symlink_to(row.truth)
        # Volumes matter for bounds on voxels alone, of which there are none.
        rows = [{"organ": organ.name, "volume_ml": 0.0} for organ in FLARE22]
        write_text(files.scores, json.dumps({"scores": rows}))
    write_table(unlabelled[["case"]].assign(decision="kept", masked="", confidence=1.0), folder / "selection.tsv")
    return labels


def train_and_judge(
    results: Path, folder: Path, configuration: Configuration, seed: int, all_labels: bool
) -> pd.Series:
    """Train one model and return the mean test DSC per organ. `results` and `folder` are absolute."""
    run = partial(command, results.parent)
    entry = configuration.rounds[-1 if all_labels else 0]
    places = SimpleNamespace(
        cases=results / "cohort/cases.tsv",
        converted=results / "cohort/converted.tsv",
        preprocessed=results / f"preprocessed/{entry.network}.tsv",
        plans=results / f"plans/{entry.network}/plans.json",
    )
    extra: list[object] = []
    if all_labels:
        labels = truths_as_pseudo_labels(results, folder)
        extra = ["--selection", folder / "selection.tsv", "--pseudo-labels", labels]
    run(
        "make_training_set.py", "--converted", places.converted, "--preprocessed", places.preprocessed,
        "--plans", places.plans, "--description", results / "plans/dataset.json",
        "--fingerprint", results / "plans/dataset_fingerprint.json", "--splits", configuration.training.splits,
        "--seed", configuration.seed, "--cores", 2, "--output", folder / "dataset/training_set.tsv", *extra,
    )  # fmt: skip
    fold = configuration.training.folds[0]
    # The last student goes on from the weights of the rounds before, so their epochs are behind it, too.
    rounds = range(len(configuration.rounds) if all_labels else 1)
    epochs = sum(configuration.training_of(number)["epochs"] for number in rounds)
    settings = json.dumps(configuration.training_of(0) | {"seed": seed, "epochs": epochs})
    run(
        "train.py", "--settings", settings, "--plans", places.plans,
        "--dataset", folder / "dataset", "--model", folder / "model", "--fold", fold, "--threads", 2,
        "--device", configuration.device,
    )  # fmt: skip
    run(
        "predict.py", folder / f"model/fold_{fold}/checkpoint_final.pth", "--cases", places.cases, "--converted",
        places.converted, "--preprocessed", places.preprocessed, "--roles", "test", "--threads", 2, "--shard", 0,
        "--shards", 1, "--folder", folder / "predictions", "--output", folder / "prediction_scores.tsv",
        "--device", configuration.device, "--step-size", configuration.prediction.step_size,
    )  # fmt: skip
    run(
        "evaluate.py", "--cases", places.cases, "--roles", "test", "--predictions", folder / "predictions",
        "--mode", configuration.evaluation.mode, "--output", folder / "scores.tsv", "--cores", 2,
    )  # fmt: skip
    return read_table(folder / "scores.tsv").groupby("organ", sort=False).DSC.mean()


def main() -> None:
    """Train both for every seed and print the gap."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=ROOT / "results", help="of `make run`")
    parser.add_argument("--configuration", type=Path, default=ROOT / "config/config.yaml")
    parser.add_argument("--folder", type=Path, help="for the trainings (benchmarks/upper_bound in the results)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--target", type=float, default=0.08, help="the least gap in mean DSC (default: 0.08)")
    arguments = parser.parse_args()
    results = arguments.results.resolve()
    place = (arguments.folder or results / "benchmarks/upper_bound").resolve()
    configuration = read_configuration(yaml.safe_load(arguments.configuration.read_text()))
    columns = {}
    for seed in arguments.seeds:
        for name, all_labels in (("teacher", False), ("all true labels", True)):
            folder = place / f"seed_{seed}" / name.replace(" ", "_")
            columns[f"{name}, seed {seed}"] = train_and_judge(results, folder, configuration, seed, all_labels)
            print(pd.DataFrame(columns).round(3).to_string(), flush=True)
    means = pd.DataFrame(columns).mean()
    gaps = [means[f"all true labels, seed {seed}"] - means[f"teacher, seed {seed}"] for seed in arguments.seeds]
    print(means.round(4).to_string())
    print(f"gap in mean DSC per seed: {', '.join(f'{gap:.3f}' for gap in gaps)}; wanted: at least {arguments.target}")
    sys.exit(int(min(gaps) < arguments.target))


if __name__ == "__main__":
    main()
