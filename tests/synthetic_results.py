"""Result tables of a run that never took place: random but plausible numbers, and tiny scans of ellipsoids.

Only for tests of what reads such tables.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import SimpleITK as sitk

from noisy_student.images import write_image
from noisy_student.organs import FLARE22
from noisy_student.tables import write_table

SIZE_XYZ, SPACING_MM_XYZ = (72, 60, 34), (5.0, 5.0, 8.0)
# Centre and radii (x, y, z) of each organ as shares of the grid, x to the patient's left, y to the back, z to the head.
ELLIPSOIDS = {
    1: (0.30, 0.42, 0.66, 0.17, 0.20, 0.19), 2: (0.33, 0.66, 0.42, 0.055, 0.06, 0.15), 3: (0.76, 0.58, 0.68, 0.08, 0.13, 0.13),
    4: (0.54, 0.46, 0.50, 0.12, 0.045, 0.06), 5: (0.53, 0.63, 0.50, 0.028, 0.032, 0.42), 6: (0.44, 0.60, 0.50, 0.032, 0.034, 0.40),
    7: (0.40, 0.57, 0.60, 0.018, 0.03, 0.05), 8: (0.60, 0.57, 0.60, 0.018, 0.03, 0.05), 9: (0.36, 0.30, 0.48, 0.045, 0.06, 0.07),
    10: (0.55, 0.53, 0.85, 0.025, 0.03, 0.12), 11: (0.66, 0.34, 0.64, 0.11, 0.12, 0.12), 12: (0.45, 0.44, 0.42, 0.05, 0.05, 0.07),
    13: (0.67, 0.66, 0.42, 0.055, 0.06, 0.15),
}  # fmt: skip
BASE_DSC = dict(
    zip(range(1, 14), (0.96, 0.93, 0.92, 0.80, 0.93, 0.86, 0.72, 0.70, 0.74, 0.80, 0.85, 0.72, 0.92), strict=True)
)


@dataclass
class SyntheticRun:
    """What the run is like. `gains` is what each further round adds to the mean DSC."""

    gains: tuple[float, ...] = (0.02, 0.01)
    labelled: int = 8
    unlabelled: int = 30
    validation: int = 6
    test: int = 12
    folds: int = 1
    epochs: int = 40
    all_dropped: tuple[int, ...] = ()
    absent_label: int = 0
    unfound_label: int = 0
    unfinished: tuple[int, ...] = ()
    pictures: bool = True
    seed: int = 1

    def write(self, folder: Path) -> Path:
        """Write the results below `folder`."""
        random = np.random.default_rng(self.seed)
        cases = _cases(self, folder)
        write_table(cases, folder / "cohort/cases.tsv")
        write_table(_findings(cases), folder / "cohort/findings.tsv")
        _plans(folder / "plans/standard")
        rounds = [number for number in range(len(self.gains) + 1) if number not in self.unfinished]
        scores = {number: _scores(self, cases, number) for number in rounds}
        for number in rounds:
            _round(self, cases, folder / f"round_{number}", number, scores[number], random)
        write_table(_comparison(scores), folder / "comparison.tsv")
        _run(self, folder)
        return folder


def _cases(run: SyntheticRun, folder: Path) -> pd.DataFrame:
    counts = {role: getattr(run, role) for role in ("labelled", "unlabelled", "validation", "test")}
    rows = []
    for role, number in counts.items():
        for place in range(number):
            case = f"{role.capitalize()}_{place + 1:04d}"
            rows.append({"case": case, "role": role, "image": folder / f"scans/{case}_0000.nii.gz",
                         "label_map": folder / f"truth/{case}.nii.gz" if role == "labelled" else None,
                         "truth": None if role == "labelled" else folder / f"truth/{case}.nii.gz",
                         "size_x": 72, "size_y": 60, "size_z": 34, "spacing_x_mm": 5, "spacing_y_mm": 5,
                         "spacing_z_mm": 8, "orientation": "LPS", "intensity_low": -1000, "intensity_high": 900,
                         "source": f"hospital {'AB'[place % 2]}", "sha256": f"{place:064x}"})  # fmt: skip
    return pd.DataFrame(rows)


def _findings(cases: pd.DataFrame) -> pd.DataFrame:
    first = cases.iloc[0]
    return pd.DataFrame([{"case": first["case"], "file": first["label_map"], "severity": "warning",
                          "found": "left kidney 3 ml", "wanted": "60 to 500 ml", "remedy": "look at the label map"}])  # fmt: skip


def _plans(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "network.json").write_text(json.dumps({"parameters": 1234567, "flops": 9876543210}))
    architecture = {"network_class_name": "dynamic_network_architectures.architectures.unet.ResidualEncoderUNet"}
    plans = {"patch_size": [16, 48, 48], "batch_size": 2, "spacing": [8.0, 5.0, 5.0], "architecture": architecture}
    (folder / "plans.json").write_text(json.dumps({"configurations": {"3d_fullres": plans}}))


def _scores(run: SyntheticRun, cases: pd.DataFrame, number: int) -> pd.DataFrame:
    """Judged cases keep their difficulty from round to round, as real ones do."""
    gain = sum(run.gains[:number])
    rows = []
    for case in cases[cases["role"].isin(["validation", "test"])].itertuples():
        own = np.random.default_rng([run.seed, len(case.role), int(case.case[-4:])])
        noise = np.random.default_rng([run.seed, len(case.role), int(case.case[-4:]), number])
        difficulty = own.gamma(1.5, 0.02)
        for organ in FLARE22:
            dsc = BASE_DSC[organ.label] - difficulty + own.normal(0, 0.02) + gain + noise.normal(0, 0.01)
            dsc = 0.0 if organ.label == run.unfound_label else float(np.clip(dsc, 0, 1))
            nsd = float(np.clip(dsc * 1.04 + noise.normal(0, 0.005), 0, 1)) if dsc else 0.0
            voxels = 0 if organ.label == run.absent_label else int(20 + 300 * own.random())
            rows.append({"case": case.case, "role": case.role, "label": organ.label, "organ": organ.name,
                         "DSC": dsc if voxels else 1.0, "NSD": nsd if voxels else 1.0, "truth_voxels": voxels,
                         "prediction_voxels": int(voxels * bool(dsc)), "truth_ml": voxels * 0.2,
                         "prediction_ml": voxels * 0.2 * bool(dsc), "rule": "" if voxels else "both empty"})  # fmt: skip
    return pd.DataFrame(rows)


def _with_means(scores: pd.DataFrame) -> pd.DataFrame:
    means = scores.groupby(["case", "role"])[["DSC", "NSD"]].mean().reset_index().assign(label=0, organ="mean")
    return pd.concat([scores, means], ignore_index=True)


def _interval(values: pd.Series) -> tuple[float, float]:
    half = 1.96 * values.std() / np.sqrt(len(values))
    return values.mean() - half, values.mean() + half


def _summary(scores: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for (role, label, organ), group in _with_means(scores).groupby(["role", "label", "organ"]):
        for measure in ("DSC", "NSD"):
            values = group[measure]
            low, high = _interval(values)
            rows.append({"role": role, "label": label, "organ": organ, "measure": measure, "n": len(values),
                         "mean": values.mean(), "median": values.median(), "sd": values.std(),
                         "q1": values.quantile(0.25), "q3": values.quantile(0.75), "ci_low": low, "ci_high": high,
                         "failures": int((values == 0).sum())})  # fmt: skip
    return pd.DataFrame(rows)


def _comparison(scores: dict[int, pd.DataFrame]) -> pd.DataFrame:
    rows = []
    for number in scores:
        for against in sorted({0, number - 1} & set(scores) - {number}):
            both = _with_means(scores[number]).merge(
                _with_means(scores[against]), on=["case", "role", "label", "organ"]
            )
            for (role, label, organ), group in both.groupby(["role", "label", "organ"]):
                for measure in ("DSC", "NSD"):
                    rows.append(_compared(group[f"{measure}_x"] - group[f"{measure}_y"], label)
                                | {"role": role, "round": number, "against": against, "label": label,
                                   "organ": organ, "measure": measure})  # fmt: skip
    columns = ["role", "round", "against", "label", "organ", "measure", "n", "difference", "ci_low", "ci_high"]
    return pd.DataFrame(rows, columns=[*columns, "p_wilcoxon", "p_holm", "wins", "ties", "losses"])


def _compared(difference: pd.Series, label: int) -> dict[str, float]:
    low, high = _interval(difference)
    distance = abs(difference.mean()) / max(difference.std() / np.sqrt(len(difference)), 1e-9)
    p = float(np.exp(-0.72 * distance - 0.416 * distance**2))
    return {"n": len(difference), "difference": difference.mean(), "ci_low": low, "ci_high": high, "p_wilcoxon": p,
            "p_holm": min(1, 13 * p) if label else None, "wins": int((difference > 0).sum()),
            "ties": int((difference == 0).sum()), "losses": int((difference < 0).sum())}  # fmt: skip


def _round(run: SyntheticRun, cases: pd.DataFrame, folder: Path, number: int, scores: pd.DataFrame, random) -> None:
    for fold in range(run.folds):
        write_table(_progress(run.epochs, random), folder / f"fold_{fold}/progress.tsv")
    write_table(scores, folder / "scores.tsv")
    write_table(_summary(scores), folder / "summary.tsv")
    if number:
        _pseudo_labels(run, cases, folder, number, random)
    if run.pictures:
        for case in cases.loc[cases["role"].isin(["validation", "test"])].itertuples():
            _pictures(case, folder, number)


def _progress(epochs: int, random) -> pd.DataFrame:
    epoch = np.arange(epochs)
    fall = np.exp(-4 * epoch / epochs)
    return pd.DataFrame({"epoch": epoch, "learning_rate": 0.01 * (1 - epoch / epochs) ** 0.9,
                         "training_loss": -0.8 + fall + random.normal(0, 0.02, epochs),
                         "validation_loss": -0.7 + fall + random.normal(0, 0.04, epochs),
                         "validation_dice": 0.85 * (1 - fall) + random.uniform(0, 0.02, epochs),
                         "seconds": random.uniform(6, 8, epochs)})  # fmt: skip


def _pseudo_labels(run: SyntheticRun, cases: pd.DataFrame, folder: Path, number: int, random) -> None:
    names = cases.loc[cases["role"] == "unlabelled", "case"].tolist()
    confidence = np.clip(random.beta(12, 1.6, len(names)), 0.3, 0.999)
    kept = confidence >= (2 if number in run.all_dropped else 0.8)
    selection = pd.DataFrame({"case": names, "confidence": confidence, "decision": np.where(kept, "kept", "dropped"),
                              "reason": np.where(kept, "", "confidence below the threshold 0.8")})  # fmt: skip
    write_table(selection, folder / "selection.tsv")
    rows, truth = [], []
    for name, value in zip(names, confidence, strict=True):
        for organ in FLARE22:
            voxels = int(random.uniform(10, 400))
            shared = {"case": name, "label": organ.label, "organ": organ.name}
            rows.append(shared | {"mean_max_probability": min(1, value + random.normal(0, 0.02)), "voxels": voxels,
                                  "volume_ml": voxels * 0.2})  # fmt: skip
            dsc = float(np.clip(BASE_DSC[organ.label] - 1.2 * (0.95 - value) + random.normal(0, 0.03), 0, 1))
            truth.append(shared | {"role": "unlabelled", "DSC": dsc, "NSD": dsc, "truth_voxels": voxels,
                                   "prediction_voxels": voxels})  # fmt: skip
    write_table(pd.DataFrame(rows), folder / "pseudo_label_scores.tsv")
    write_table(pd.DataFrame(truth), folder / "pseudo_label_truth.tsv")


def _pictures(case, folder: Path, number: int) -> None:
    own = np.random.default_rng(int(case.case[-4:]))
    shift = own.normal(0, 0.012, 3)
    truth = _body(shift, 1.0)
    if not Path(case.image).exists():
        noise = own.normal(0, 25, truth.shape)
        write_image(_image((_hounsfield(truth) + noise).astype(np.int16)), Path(case.image))
        write_image(_image(truth), Path(case.truth))
    wrong = own.normal(0, 0.02 / (number + 1), 3)
    write_image(_image(_body(shift + wrong, 0.9 + 0.04 * number)), folder / f"predictions/{case.case}.nii.gz")


def _grid() -> tuple[np.ndarray, ...]:
    z, y, x = np.meshgrid(*(np.linspace(0, 1, size) for size in SIZE_XYZ[::-1]), indexing="ij")
    return x, y, z


def _body(shift: np.ndarray, scale: float) -> np.ndarray:
    x, y, z = _grid()
    labels = np.zeros(x.shape, dtype=np.uint8)
    for label, (cx, cy, cz, rx, ry, rz) in ELLIPSOIDS.items():
        parts = ((x - cx - shift[0]) / rx, (y - cy - shift[1]) / ry, (z - cz - shift[2]) / rz)
        labels[sum((part / scale) ** 2 for part in parts) < 1] = label
    return labels


def _hounsfield(labels: np.ndarray) -> np.ndarray:
    x, y, _z = _grid()
    scan = np.where(((x - 0.5) / 0.47) ** 2 + ((y - 0.5) / 0.45) ** 2 < 1, -90, -1000)
    scan = np.where(((x - 0.5) / 0.42) ** 2 + ((y - 0.5) / 0.38) ** 2 < 1, 15, scan)
    scan = np.where(((x - 0.5) / 0.05) ** 2 + ((y - 0.75) / 0.06) ** 2 < 1, 400, scan)
    return np.where(labels > 0, 60 + 12 * labels.astype(int), scan)


def _image(array: np.ndarray) -> sitk.Image:
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(SPACING_MM_XYZ)
    return image


def _run(run: SyntheticRun, folder: Path) -> None:
    record = {"project": "flare-noisy-student", "versions": {"python": "3.11.2", "torch": "2.13.0", "nnunetv2": "2.8.1"},
              "machine": {"system": "Linux", "cpu": "synthetic", "cores": 2, "ram_gb": 8, "gpu": None},
              "configuration": {"rounds": len(run.gains), "training": {"epochs": run.epochs, "iterations_per_epoch": 50},
                                "selection": {"threshold": 0.8}, "evaluation": {"rules": "strict"}},
              "rounds": len(run.gains), "seed": run.seed, "checksums": {"plans/standard/plans.json": "0" * 64},
              "started": "2026-01-01T00:00:00", "git_commit": "0123456789abcdef"}  # fmt: skip
    (folder / "run.json").write_text(json.dumps(record))
