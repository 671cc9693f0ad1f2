"""Result tables of a run that never took place: random but plausible numbers for tests of what reads such tables."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

import synthetic_scans
from noisy_student.configuration.experiment import Configuration
from noisy_student.configuration.selection_rules import SELECTION
from noisy_student.evaluate.aggregate import summarise
from noisy_student.evaluate.comparison import compare, compare_rounds
from noisy_student.files import sha256
from noisy_student.nnunet import CASES_FOLDER
from noisy_student.organs import FLARE22, Organ
from noisy_student.report.example import write_examples
from noisy_student.report.examples import make_examples
from noisy_student.report.left_out import left_out_examples
from noisy_student.report.page import write_report
from noisy_student.report.results import read_results
from noisy_student.select.decisions import select
from noisy_student.sets import of_cases
from noisy_student.tables import read_table, write_table
from noisy_student.train.training_set import splits

SPLITS = 5
# Role → names of its scans, as the challenge has those of the paper.
CHALLENGE = {"labelled": "FLARE22_Tr_{:04}", "unlabelled": "Case_{:05}", "validation": "FLARETs_{:04}"}
BASE_DSC = (0.96, 0.93, 0.92, 0.80, 0.93, 0.86, 0.72, 0.70, 0.74, 0.80, 0.85, 0.72, 0.92)


@dataclass
class SyntheticRun:
    """What the run is like. `gains` is what each further round adds to the mean DSC.

    Runs of one seed have the same scans, as difficult for each of them; `training` tells their trainings apart. Of the
    first `measured` test scans there is an efficiency table. `taken` models from elsewhere are round 0, whose folder
    still has an earlier training. `soft`: students' targets are, and part of their pseudo-labels is left out.
    `lacking`: labels of organs that are not labelled, dealt out to the scans of a role in turn. `of_challenge`: scans
    have the challenge's names.
    """

    gains: tuple[float, ...] = (0.02, 0.01)
    labelled: int = 8
    unlabelled: int = 30
    validation: int = 6
    test: int = 12
    validation_sets: tuple[str, ...] = ("hospital A",)
    test_sets: tuple[str, ...] = ("hospital A",)
    pool_sets: bool = False
    folds: int = 1
    epochs: int = 40
    all_dropped: int = 0
    collapsed: int = 0
    taken: int = 0
    absent_label: int = 0
    unfound_label: int = 0
    lacking: tuple[tuple[int, ...], ...] = ()
    unfinished: tuple[int, ...] = ()
    pictures: bool = False
    soft: bool = False
    seed: int = 1
    training: int = 0
    at_least: float = 0.8
    mode: str = "flare22"
    measured: int = 0
    organs: tuple[Organ, ...] = FLARE22
    of_challenge: bool = False
    deployed: bool = False

    def write(self, folder: Path) -> Path:
        """Write the results below `folder`. A round that drops all its pseudo-labels is the last."""
        random = np.random.default_rng(self.seed)
        cases = _cases(self, folder)
        write_table(cases, folder / "cohort/cases.tsv")
        write_table(_findings(cases), folder / "cohort/findings.tsv")
        write_table(_labelled_measures(self, cases, random), folder / "cohort/labelled_measures.tsv")
        _write_plans(folder / "plans/standard")
        numbers = [number for number in range(len(self.gains) + 1) if number not in self.unfinished]
        if self.all_dropped:
            _write_pseudo_labels(self, cases, folder / f"round_{self.all_dropped}", self.all_dropped, random)
            numbers = [number for number in numbers if number < self.all_dropped]
        scores = {number: _scores(self, cases, number) for number in numbers}
        for number in numbers:
            _write_round(self, cases, folder / f"round_{number}", number, scores[number], random)
        if numbers:
            write_table(compare_rounds(scores, self.pool_sets), folder / "comparison.tsv")
        if self.deployed:
            _write_deployed(self, cases, folder, scores[numbers[-1]], random)
        write_table(_jobs(self), folder / "jobs.tsv")
        _write_run(self, folder)
        return folder


def make_page(run: SyntheticRun, folder: Path, named: list[str] = ()) -> Path:
    """Write the results below `folder`, draw their examples, and make the report of both."""
    results = read_results(run.write(folder))
    write_examples([*make_examples(results, list(named)), *left_out_examples(results)], folder / "examples.json")
    write_report(results, folder / "report/report.html")
    return folder / "report/report.html"


def _cases(run: SyntheticRun, folder: Path) -> pd.DataFrame:
    roles = ("labelled", "unlabelled", "validation", "test")
    rows = [_case(run, folder, role, place) for role in roles for place in range(getattr(run, role))]
    return pd.DataFrame(rows)


def _case(run: SyntheticRun, folder: Path, role: str, place: int) -> dict[str, object]:
    names = CHALLENGE if run.of_challenge else {}
    name = names.get(role, f"{role.capitalize()}_{{:04}}").format(place + 1)
    truth = folder / f"truth/{name}.nii.gz"
    columns = {"case": name, "role": role, "image": folder / f"cohort/images/{name}_0000.nii.gz"}
    columns |= {"label_map": truth if role == "labelled" else None, "truth": None if role == "labelled" else truth}
    columns |= {f"size_{axis}": size for axis, size in zip("xyz", synthetic_scans.SIZE_XYZ, strict=True)}
    columns |= {f"spacing_{axis}_mm": mm for axis, mm in zip("xyz", synthetic_scans.SPACING_MM_XYZ, strict=True)}
    columns |= {"orientation": "LPS", "intensity_low": -1000, "intensity_high": 900}
    if run.lacking:
        labelled = (organ.label for organ in run.organs if organ.label not in _lacking(run, name))
        columns["organs"] = " ".join(map(str, labelled))
    checksums = {"sha256": f"{place:064x}", "labels_sha256": "" if role == "unlabelled" else f"{place + 1000:064x}"}
    return columns | {"source": _source(run, role, place)} | checksums


def _lacking(run: SyntheticRun, case: str) -> tuple[int, ...]:
    return run.lacking[int(case[-4:]) % len(run.lacking)] if run.lacking else ()


def _source(run: SyntheticRun, role: str, place: int) -> str:
    """The judged scans of a role are of one hospital, or dealt out to its sets."""
    judged = {"validation": run.validation_sets, "test": run.test_sets}
    sources = judged.get(role, ("hospital A", "hospital B"))
    return sources[place % len(sources)]


def _findings(cases: pd.DataFrame) -> pd.DataFrame:
    first = cases.iloc[0]
    finding = {"case": first["case"], "file": first["label_map"], "severity": "warning", "found": "left kidney of 3 ml"}
    return pd.DataFrame([finding | {"wanted": "60 to 500 ml", "remedy": "look at the label map"}])


def _labelled_measures(run: SyntheticRun, cases: pd.DataFrame, random) -> pd.DataFrame:
    rows = [{"case": case, "label": organ.label, "organ": organ.name, "volume_ml": random.uniform(4, 60)}
            for case in cases.loc[cases["role"] == "labelled", "case"] for organ in run.organs]  # fmt: skip
    return pd.DataFrame(rows)


def _write_plans(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "network.json").write_text(json.dumps({"parameters": 1234567, "flops": 9876543210}))
    architecture = {"network_class_name": "dynamic_network_architectures.architectures.unet.ResidualEncoderUNet"}
    plans = {"patch_size": [16, 48, 48], "batch_size": 2, "spacing": [8.0, 5.0, 5.0], "architecture": architecture}
    (folder / "plans.json").write_text(json.dumps({"configurations": {"3d_fullres": plans}}))


def _scores(run: SyntheticRun, cases: pd.DataFrame, number: int) -> pd.DataFrame:
    judged = cases[cases["role"].isin(["validation", "test"])]
    rows = [row for case in judged.itertuples() for row in _case_scores(run, case.case, case.role, number)]
    sets = dict(zip(judged["case"], of_cases(judged), strict=True))
    table = pd.DataFrame(rows)
    return table.assign(set=table["case"].map(sets)) if any(sets.values()) else table


def _case_scores(run: SyntheticRun, case: str, role: str, number: int) -> list[dict[str, object]]:
    """Cases keep their difficulty from round to round, as real ones do."""
    identity = [run.seed, len(role), int(case[-4:])]
    own, noise = np.random.default_rng(identity), np.random.default_rng([*identity, number + 100 * run.training])
    shift = sum(run.gains[:number]) - own.gamma(1.5, 0.02)
    rows = []
    for organ, base in zip(run.organs, BASE_DSC, strict=False):
        dsc = float(np.clip(base + shift + own.normal(0, 0.02) + noise.normal(0, 0.01), 0, 1))
        voxels = int(20 + 300 * own.random())
        row = {"DSC": dsc, "NSD": min(1, 1.04 * dsc), "truth_voxels": voxels, "prediction_voxels": voxels}
        if organ.label == run.unfound_label:
            row |= {"DSC": 0.0, "NSD": 0.0, "prediction_voxels": 0}
        if organ.label == run.absent_label:
            row = {"DSC": 1.0, "NSD": 1.0, "truth_voxels": 0, "prediction_voxels": 0}
        if organ.label in _lacking(run, case):
            row |= {"DSC": np.nan, "NSD": np.nan, "truth_voxels": None}
        rows.append({"case": case, "role": role, "label": organ.label, "organ": organ.name, **row})
    return rows


def _write_round(run: SyntheticRun, cases: pd.DataFrame, folder: Path, number: int, scores, random) -> None:
    for fold in range(run.folds):
        write_table(_progress(run.epochs, random), folder / f"model/fold_{fold}/progress.tsv")
        write_table(_held_out(run, cases, fold, number), folder / f"model/fold_{fold}/held_out.tsv")
    write_table(scores, folder / "scores.tsv")
    write_table(summarise(scores, run.pool_sets), folder / "summary.tsv")
    if run.measured:
        write_table(_efficiency(run, scores, number), folder / "efficiency.tsv")
    _write_verdict(run, folder, number)
    if number:
        _write_pseudo_labels(run, cases, folder, number, random)
    _write_training_set(run, cases, folder)
    if number and run.soft:
        _write_learned(run, folder, number)
    if run.pictures:
        for case in cases.itertuples():
            fold = (int(case.case[-4:]) - 1) % SPLITS
            made = {"unlabelled": "pseudo_labels", "labelled": f"model/fold_{fold}/held_out"}.get(
                case.role, "predictions"
            )
            truth = case.label_map if case.role == "labelled" else case.truth
            synthetic_scans.write(Path(case.image), Path(truth), folder / made / f"{case.case}.nii.gz", number)


def _held_out(run: SyntheticRun, cases: pd.DataFrame, fold: int, number: int) -> pd.DataFrame:
    """The labelled scans are dealt out to the splits in turn; a fold scores those of its own."""
    names = cases.loc[cases["role"] == "labelled", "case"].iloc[fold::SPLITS]
    rows = [row for case in names for row in _case_scores(run, case, "labelled", number)]
    table = pd.DataFrame(rows, columns=["case", "label", "organ", "DSC"])
    return table.assign(seed=run.seed)


def _write_training_set(run: SyntheticRun, cases: pd.DataFrame, folder: Path) -> None:
    labelled = cases.loc[cases["role"] == "labelled", "case"].tolist()
    selection = read_table(folder / "selection.tsv") if (folder / "selection.tsv").exists() else None
    kept = selection.loc[selection.decision == "kept", "case"].tolist() if selection is not None else []
    rows = {"case": [*labelled, *kept], "origin": ["labelled"] * len(labelled) + ["pseudo"] * len(kept)}
    rows["label_map"] = [f"label_maps/{case}.nii.gz" for case in rows["case"]]
    write_table(pd.DataFrame(rows), folder / "dataset/training_set.tsv")
    folds = splits(labelled, kept, SPLITS, run.seed)
    (folder / "dataset/splits_final.json").write_text(json.dumps(folds))


def _write_deployed(run: SyntheticRun, cases: pd.DataFrame, folder: Path, teachers: pd.DataFrame, random) -> None:
    """A student that is as good as the last round but for a hundredth, and a second faster."""
    here, number = folder / "round_deploy", len(run.gains) + 1
    scores = teachers.assign(DSC=teachers.DSC - 0.01, NSD=teachers.NSD - 0.01)
    _write_round(run, cases, here, number, scores, random)
    (here / "verdict.json").unlink()
    write_table(compare(scores, teachers, number, number - 1, run.pool_sets), here / "comparison.tsv")


def _write_learned(run: SyntheticRun, folder: Path, number: int) -> None:
    """Of the scans that were kept what was learned from, and of a hand-labelled one."""
    dataset, names = folder / "dataset", {organ.label: organ.name for organ in run.organs}
    table = read_table(folder / "selection.tsv")
    rows = [
        {"case": case, "origin": origin} | row
        for origin, cases in (("labelled", ["Labelled_0001"]), ("pseudo", table.loc[table.decision == "kept", "case"]))
        for case in cases
        for row in synthetic_scans.write_learned(dataset / CASES_FOLDER / case, names, number)
    ]
    write_table(pd.DataFrame(rows), dataset / "learned_from.tsv")
    (dataset / "dataset.json").write_text(json.dumps({"labels": {"ignore": synthetic_scans.IGNORE}}))


def _efficiency(run: SyntheticRun, scores: pd.DataFrame, number: int) -> pd.DataFrame:
    """A later round takes a second less for each scan; there is no GPU."""
    cases = scores.loc[scores["role"] == "test", "case"].unique()[: run.measured]
    columns = {"outcome": "ok", "seconds": 20.0 - number + np.arange(len(cases)), "peak_ram_mb": 812.0}
    columns |= dict.fromkeys(("gpu_stable_max_mb", "gpu_area_mb_s", "gpu_area_true_mb_s"))
    columns |= {"cpu_area_percent_s": 400.0, "cpu_area_true_percent_s": 450.0, "tree_cpu_s": 7.5}
    return pd.DataFrame({"case": cases, **columns})


def _write_verdict(run: SyntheticRun, folder: Path, number: int) -> None:
    reasons = ["left kidney: mean DSC 0.00, its teacher's 0.80"] if number and number == run.collapsed else []
    verdict = {"round": number, "labeller": number - 1 if reasons else number, "reasons": reasons, "gain": None}
    if number:
        verdict |= {"teacher": number - 1, "gain": 0.012}
    if number == 0 and run.taken:
        models = [{"model": f"/models/{name}.zip", "sha256": {f"{name}.zip": name * 64}} for name in "ab"[: run.taken]]
        lacks = [organ.name for organ in run.organs[-2:]]
        verdict["taken"] = [
            model | {"labels": {"tumour": 1}, "lacks": lacks, "unknown": ["tumour"]} for model in models
        ]
        verdict |= {"together": "vote" if run.taken > 1 else "", "lacks": lacks}
    if number == 1 and run.taken:
        verdict |= {"gain": None, "not_compared": "its teacher comes from elsewhere and held out no scans"}
    (folder / "verdict.json").write_text(json.dumps(verdict))
    organs = {organ.name: {"before": 0.8, "after": 0.81} for organ in run.organs}
    labels = [organ.label for organ in run.organs]
    (folder / "postprocessing.json").write_text(json.dumps({"steps": [labels, labels[:1]], "organs": organs}))


def _progress(epochs: int, random) -> pd.DataFrame:
    epoch = np.arange(epochs)
    fall = np.exp(-4 * epoch / epochs)
    columns = {"epoch": epoch, "learning_rate": 0.01 * (1 - epoch / epochs) ** 0.9}
    columns |= {"training_loss": -0.8 + fall + random.normal(0, 0.02, epochs)}
    columns |= {"validation_loss": -0.7 + fall + random.normal(0, 0.04, epochs)}
    columns |= {"validation_dice": 0.85 * (1 - fall) + random.uniform(0, 0.02, epochs)}
    return pd.DataFrame(columns | {"seconds": random.uniform(6, 8, epochs)})


def _write_pseudo_labels(run: SyntheticRun, cases: pd.DataFrame, folder: Path, number: int, random) -> None:
    names = cases.loc[cases["role"] == "unlabelled", "case"].tolist()
    confidence = np.clip(random.beta(12, 1.6, len(names)), 0.3, 0.999)
    confidence = 0.7 * confidence if number == run.all_dropped else confidence
    rows = [row for pair in zip(names, confidence, strict=True) for row in _pseudo_label(run, *pair, random)]
    judged = pd.DataFrame(rows)
    scores = judged[["case", "label", "organ", "mean_max_probability", "voxels", "volume_ml"]]
    write_table(scores, folder / "pseudo_label_scores.tsv")
    table = select(scores, cases, pd.DataFrame(), SELECTION.validate_python(_selected(run)))
    name = "all_dropped" if number == run.all_dropped else "selection"
    write_table(table, folder / f"{name}.tsv")
    truth = ["case", "role", "label", "organ", "DSC", "NSD", "truth_voxels", "prediction_voxels"]
    write_table(judged[truth], folder / "pseudo_label_truth.tsv")
    write_table(_calibration(run), folder / "pseudo_label_calibration.tsv")


def _calibration(run: SyntheticRun) -> pd.DataFrame:
    """A tenth less right than sure, but for background, which is as right as it is sure; at 0 half of it is."""
    named = {0: "background"} | {organ.label: organ.name for organ in run.organs}
    rows = [
        {"confidence": percent, "label": label, "organ": organ, "voxels": 1000, "right": right}
        for label, organ in named.items()
        for percent in (0, *range(20, 100))
        for right in [500 if percent == 0 else 10 * percent + 5 - 100 * (label > 0)]
    ]
    return pd.DataFrame(rows).assign(share_right=lambda table: table.right / table.voxels)


def _selected(run: SyntheticRun) -> list[dict[str, object]]:
    return [{"rule": "threshold", "score": "mean_max_probability", "at_least": run.at_least}]


def _pseudo_label(run: SyntheticRun, case: str, confidence: float, random) -> list[dict[str, object]]:
    organs, lacking = run.organs, _lacking(run, case)
    rows = []
    for organ, base in zip(organs, BASE_DSC, strict=False):
        voxels = int(random.uniform(10, 400))
        dsc = float(np.clip(base - 1.2 * (0.95 - confidence) + random.normal(0, 0.03), 0, 1))
        row = {"case": case, "role": "unlabelled", "label": organ.label, "organ": organ.name, "DSC": dsc, "NSD": dsc}
        row |= {"mean_max_probability": min(1, confidence + random.normal(0, 0.02)), "voxels": voxels}
        row |= {"volume_ml": voxels * 0.2, "truth_voxels": voxels, "prediction_voxels": voxels}
        if organ.label in lacking:
            row |= {"DSC": np.nan, "NSD": np.nan, "truth_voxels": None}
        rows.append(row)
    return rows


def _jobs(run: SyntheticRun) -> pd.DataFrame:
    """The training of each round; where all pseudo-labels were dropped, the selection failed."""
    start = {"started": "2026-01-01T00:00:00+00:00"}
    rows = [{"rule": "train", "wildcards": f"round={number} fold={fold}", "state": "finished", "seconds": 60.0} | start
            for number in range(len(run.gains) + 1) for fold in range(run.folds)]  # fmt: skip
    failed = {"rule": "select", "wildcards": f"round={run.all_dropped}", "state": "failed", "seconds": 2.0}
    return pd.DataFrame([*rows, *([failed | start] if run.all_dropped else [])])


def _write_run(run: SyntheticRun, folder: Path) -> None:
    first = [{"model": "/models/a.zip", "sha256": ["a" * 64]} if run.taken else {"network": "standard"}]
    settings = {
        "organs": run.organs,
        "cohort": {"kind": "folders", "folders": {"labelled": [{"images": "scans", "label_maps": "truth"}]}},
        "networks": {"standard": {"encoder": "residual"}},
        "training": {
            "splits": SPLITS,
            "epochs": run.epochs,
            "iterations_per_epoch": 50,
            "folds": list(range(run.folds)),
        },
        "selection": _selected(run),
        "targets": "soft" if run.soft else "hard",
        "voxel_confidence": {"organ": 0, "background": 0.9, "surface_mm": 10} if run.soft else 0,
        "evaluation": {"mode": run.mode, "pool_sets": run.pool_sets},
        "rounds": [*first, *([{"network": "standard"}] * len(run.gains))],
        "deploy": {"network": "standard"} if run.deployed else None,
    }
    record = {
        "project": "flare-noisy-student",
        "versions": {"flare-noisy-student": "0.1.0", "python": "3.11.2", "torch": "2.13.0", "nnunetv2": "2.8.1"},
        "machine": {"system": "Linux", "cpu": "synthetic", "cores": 2, "ram_gb": 8, "gpu": None},
        "call": {"options": ["--cores", "2"], "called_from": str(folder.parent), "environment": None},
        "configuration": Configuration.model_validate(settings).model_dump(mode="json"),
        "rounds": len(run.gains) + 1,
        "seed": run.seed,
        "checksums": {"plans/standard/plans.json": "0" * 64}
        | {str(path.relative_to(folder)): sha256(path) for path in sorted(folder.glob("round_*/summary.tsv"))},
        "finished": "2026-01-01T00:00:00+00:00",
        "git_commit": "0123456789" * 4,
    }
    (folder / "run.json").write_text(json.dumps(record))
