"""The study's tables, from the scores of all arms and seeds.

arms.tsv         per role, arm and measure: mean; difference to each of `against`; shares of the gaps recovered
volumes.tsv      per role, arm and organ: median over scans of the predicted volume relative to the true one
organs.tsv       the same per organ, without the gap
seeds.tsv        mean DSC and NSD of each seed alone
selections.tsv   per arm: scans kept, true DSC of kept and dropped pseudo-labels
confidence.tsv   true DSC of the first teacher's organs by its confidence in them
voxels.tsv       what bounds on its voxel confidence take away
scores.tsv       how well each score ranks true quality, over scans and over scans for each organ
lists.tsv        how many of the worst scans a list has among its first ones, and simpler orders, over seeds
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import bootstrap

from arms import Study
from noisy_student.command import run
from noisy_student.evaluate.aggregate import MEASURES, by_case
from noisy_student.files import write_text
from noisy_student.intervals import LEVEL, RESAMPLES, SEED, mean_interval
from noisy_student.report.pseudo_label_truth import spearman
from noisy_student.select.scores import score_names
from noisy_student.tables import read_table, write_table

ROLES = ("validation", "test")
BOUNDS = ["organ", "background"]
GROUPS = (0, 0.7, 0.8, 0.85, 0.9, 0.95, 1)
COLUMNS = ["case", "role", "label", "organ", *MEASURES, "truth_ml", "prediction_ml"]
FEWEST = 2  # scans of which an interval can be given
# Of a round's pseudo-labels.
SCORED, MEASURED = "pseudo_label_scores.tsv", "shards/label_measures_0.tsv"


def all_scores(results: Path, study: Study) -> pd.DataFrame:
    """The scores of every arm; a scan's name begins with its seed."""
    tables = []
    for seed in study.seeds:
        for arm in study.arms:
            table = read_table(results / study.folder(arm, seed) / "scores.tsv", COLUMNS)
            tables.append(table.assign(arm=arm, seed=seed, case=f"{seed}/" + table.case))
    return pd.concat(tables, ignore_index=True)


def recovered(arm: pd.DataFrame, lowest: pd.DataFrame, highest: pd.DataFrame) -> tuple[float, float, float]:
    """(arm - lowest) / (highest - lowest) of the means over scans, and its percentile bootstrap interval."""
    gain, gap = ((table - lowest).mean(axis=1).to_numpy() for table in (arm, highest))

    def share(gain: np.ndarray, gap: np.ndarray, axis: int = -1) -> np.ndarray:
        return gain.mean(axis=axis) / gap.mean(axis=axis)

    interval = bootstrap(
        (gain, gap), share, paired=True, n_resamples=RESAMPLES, confidence_level=LEVEL, method="percentile",
        rng=np.random.default_rng(SEED),
    ).confidence_interval  # fmt: skip
    return float(share(gain, gap)), float(interval.low), float(interval.high)


def mean_and_interval(values: pd.DataFrame) -> tuple[float, float, float]:
    """Mean over scans and organs, and its interval over scans."""
    return float(values.to_numpy().mean()), *mean_interval(values.to_numpy())


def with_interval(name: str, values: tuple[float, float, float]) -> dict[str, float]:
    """Three columns."""
    return dict(zip((name, f"{name}_low", f"{name}_high"), values, strict=True))


def arms_table(scores: pd.DataFrame, study: Study) -> pd.DataFrame:
    """One row per role, measure and arm."""
    rows = []
    for role in ROLES:
        for measure in MEASURES:
            of_role = scores[scores.role == role]
            if of_role.case.nunique() < FEWEST:
                continue
            wide = {arm: by_case(of_role[of_role.arm == arm], measure) for arm in study.arms}
            for arm, values in wide.items():
                row = {"role": role, "measure": measure, "arm": arm, "scans": len(values)}
                row |= with_interval("mean", mean_and_interval(values))
                for other in study.against:
                    if other in wide:
                        row |= with_interval(f"minus_{other}", mean_and_interval(values - wide[other]))
                row |= with_interval("recovered", recovered(values, wide[study.lowest], wide[study.highest]))
                if study.noise in wide:
                    beyond = recovered(values, wide[study.noise], wide[study.highest])
                    row |= with_interval("recovered_beyond_noise", beyond)
                rows.append(row)
    return pd.DataFrame(rows)


def volumes_table(scores: pd.DataFrame) -> pd.DataFrame:
    """Per role and arm, for each organ that is there: how large it is predicted, relative to the truth. Median."""
    there = scores[scores.truth_ml > 0]
    ratio = there.assign(ratio=there.prediction_ml / there.truth_ml)
    by_organ = ratio.groupby(["role", "arm", "organ"], sort=False).ratio.median().unstack("organ", sort=False)
    return by_organ.assign(all_organs=ratio.groupby(["role", "arm"]).ratio.median()).reset_index()


def organs_table(scores: pd.DataFrame, study: Study) -> pd.DataFrame:
    """One row per organ, measure and arm, on test scans."""
    test = scores[scores.role == "test"]
    names = test.drop_duplicates("label").set_index("label").organ
    rows = []
    for measure in MEASURES:
        wide = {arm: by_case(test[test.arm == arm], measure) for arm in study.arms}
        for label, organ in names.items():
            for arm, values in wide.items():
                row = {"organ": organ, "measure": measure, "arm": arm}
                row |= with_interval("mean", mean_and_interval(values[[label]]))
                for other in study.against:
                    if other in wide:
                        difference = mean_and_interval((values - wide[other])[[label]])
                        row |= with_interval(f"minus_{other}", difference)
                rows.append(row)
    return pd.DataFrame(rows)


def selections_table(results: Path, study: Study) -> pd.DataFrame:
    """One row per seed and student: how many scans were kept, and how good kept and dropped pseudo-labels are."""
    rows = []
    for seed in study.seeds:
        for arm in study.students:
            folder = results / study.folder(arm, seed)
            selection = read_table(folder / "selection.tsv", ["case", "decision"])
            truth = read_table(folder / "pseudo_label_truth.tsv", ["case", "DSC"])
            quality = selection.set_index("case").decision.to_frame().join(truth.groupby("case").DSC.mean())
            means = quality.groupby("decision").DSC.mean()
            kept = int((selection.decision == "kept").sum())
            measures = read_table(folder / MEASURED, ["wrong_side"])
            rows.append({
                "arm": arm, "seed": seed, "scans": len(selection), "kept": kept,
                "drop_rate": 1 - kept / len(selection), "DSC_all": quality.DSC.mean(),
                "DSC_kept": means.get("kept"), "DSC_dropped": means.get("dropped"),
                "scans_with_masked_organs": int(selection.masked.notna().sum()),
                "organs_on_the_wrong_side": int(measures.wrong_side.sum()),
            })  # fmt: skip
    return pd.DataFrame(rows)


def scores_table(results: Path, study: Study) -> pd.DataFrame:
    """Spearman's rank correlation of each score with the true DSC, for each set of labels, mean over the seeds.

    `over_scans`: of the scores' and the DSC's means over organs. `within_organs`: over the scans for each organ, then
    the mean over organs.
    """
    rows, folds = [], len(study.configuration["training"]["folds"])
    for teacher, arm in study.first_students.items():
        for seed in study.seeds:
            folder = results / study.folder(arm, seed)
            scores, measures = (read_table(folder / name) for name in (SCORED, MEASURED))
            known = ["case", "label", *[column for column in measures if column not in scores]]
            table = with_truth(scores.merge(measures[known], on=["case", "label"]), folder)
            for score in score_names(table.drop(columns="DSC")):
                if table[score].nunique() > 1:
                    rows.append({"teacher": teacher, "folds": folds, "score": score, **ranks(table, score)})
    found = pd.DataFrame(rows).groupby(["teacher", "folds", "score"], sort=False)[["over_scans", "within_organs"]]
    return found.mean().reset_index()


def with_truth(scores: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """The scores of a round's pseudo-labels with the DSC of each organ."""
    truth = read_table(folder / "pseudo_label_truth.tsv", ["case", "label", "DSC"])
    return scores.merge(truth[["case", "label", "DSC"]], on=["case", "label"])


def confidence_table(results: Path, study: Study) -> pd.DataFrame:
    """The first teacher's organs in groups by their mean maximum probability, with their true DSC."""
    folders = [results / study.folder(study.first_students[study.lowest], seed) for seed in study.seeds]
    found = pd.concat([with_truth(read_table(folder / SCORED), folder) for folder in folders])
    found = found.dropna(subset="mean_max_probability")
    group = pd.cut(found.mean_max_probability, GROUPS).astype(str)
    return found.groupby(group).DSC.agg(organs="size", DSC="mean").reset_index()


def voxels_table(results: Path, study: Study) -> pd.DataFrame:
    """What bounds on the first teacher's voxel confidence leave, mean over the seeds."""
    tables = [read_table(results / f"seed_{seed}/voxels.tsv", BOUNDS) for seed in study.seeds]
    return pd.concat(tables).groupby(BOUNDS, sort=False).mean().reset_index()


def lists_table(results: Path, study: Study) -> pd.DataFrame:
    """How good the lists of scans to correct were: mean over the seeds, and the worst and best of them."""
    folders = [results / study.folder(study.handed_out, seed) for seed in study.seeds]
    tables = [read_table(folder / "review/tables/quality.tsv", ["order", "share_of_worst"]) for folder in folders]
    grouped = pd.concat(tables).groupby("order", sort=False)
    ends = grouped.share_of_worst.agg(share_of_worst_low="min", share_of_worst_high="max")
    return grouped.mean().join(ends).reset_index()


def ranks(table: pd.DataFrame, score: str) -> dict[str, float]:
    """The two rank correlations of one score."""
    means = table.groupby("case")[[score, "DSC"]].mean()
    organs = [spearman(rows[score], rows.DSC) for _, rows in table.groupby("label")]
    return {"over_scans": spearman(means[score], means.DSC), "within_organs": float(np.nanmean(organs))}


def main() -> None:
    """Write all tables, the one that the workflow waits for last."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", type=Study.model_validate_json, required=True, help="the study, as JSON")
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True, help="folder of the tables")
    arguments = parser.parse_args()
    results, study, output = arguments.results, arguments.study, arguments.output
    scores = all_scores(results, study)
    means = scores.groupby(["role", "arm", "seed"], sort=False)[list(MEASURES)].mean().reset_index()
    write_table(organs_table(scores, study), output / "organs.tsv")
    write_table(volumes_table(scores), output / "volumes.tsv")
    write_table(means, output / "seeds.tsv")
    write_table(selections_table(results, study), output / "selections.tsv")
    write_table(scores_table(results, study), output / "scores.tsv")
    if study.lowest in study.first_students:
        write_table(confidence_table(results, study), output / "confidence.tsv")
        write_table(voxels_table(results, study), output / "voxels.tsv")
    table, text = arms_table(scores, study), ""
    if study.handed_out:
        lists = lists_table(results, study)
        write_table(lists, output / "lists.tsv")
        text = f"scans to correct first\n{lists.round(3).to_string(index=False)}\n\n"
    write_text(output / "summary.txt", text + summary(table, study.against[:2]))
    write_table(table, output / "arms.tsv")


def summary(table: pd.DataFrame, against: Sequence[str]) -> str:
    """The chief figures of every arm, to read in a terminal."""
    wanted = ["arm", "mean", *(f"minus_{other}{end}" for other in against for end in ("", "_low", "_high"))]
    columns = [name for name in [*wanted, "recovered", "recovered_beyond_noise"] if name in table]
    parts = []
    for (role, measure), rows in table.groupby(["role", "measure"], sort=False):
        parts.append(f"{role}, {measure}\n{rows[columns].round(3).to_string(index=False)}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    run(main)
