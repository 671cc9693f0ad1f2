"""The result tables of a run, read from their folder; what is not there yet is an empty table."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from noisy_student.cohort.labelled_organs import LABELLED_SHARE
from noisy_student.correct.table import BY_ORGAN, BY_READERS
from noisy_student.correct.table import COMPARED as CORRECTIONS
from noisy_student.evaluate.aggregate import COLUMNS as SUMMARY
from noisy_student.evaluate.comparison import COLUMNS, RANK_BISERIAL
from noisy_student.evaluate.rounds import DEPLOY_STUDENT, DEPLOYED
from noisy_student.fold_files import took_weights
from noisy_student.organs import FLARE22, Organ, organ_called
from noisy_student.recorded import judged_since
from noisy_student.report.paper import PAPERS_SCANS
from noisy_student.sets import NOT_GIVEN, JudgedSet, in_sets, rows_of, sets_of
from noisy_student.tables import read_table
from noisy_student.train.origins import CORRECTED, FILLED, unfilled_name

CASES = (
    *("case", "role", "image", "label_map", "truth", "source", "sha256", "labels_sha256"),
    *("size_x", "size_y", "size_z", "spacing_x_mm", "spacing_y_mm", "spacing_z_mm", "organs", LABELLED_SHARE),
)
# What earlier versions wrote of a comparison, too.
COMPARISON = tuple(name for name in COLUMNS if name != RANK_BISERIAL)
FINDINGS = ("case", "file", "severity", "found", "wanted", "remedy")
PROGRESS = ("epoch", "learning_rate", "training_loss", "validation_loss", "validation_dice", "seconds")
PSEUDO_LABEL_SCORES = ("case", "label", "organ", "mean_max_probability", "voxels", "volume_ml")
SELECTION = ("case", "confidence", "decision", "reason", "masked")
CALIBRATION = ("confidence", "label", "organ", "voxels", "right")
FILLING = ("case", "decision")
HELD_OUT = ("case", "label", "organ", "DSC")
TRAINING_SET = ("case", "origin", "label_map")
LEARNED_FROM = ("case", "origin", "label", "voxels", "left_out", "soft", "mean_share")
MEASURES = ("case", "label", "organ", "volume_ml")
SCORES = ("case", "role", "label", "organ", "DSC", "NSD", "truth_voxels", "prediction_voxels")
EFFICIENCY = (
    *("case", "outcome", "seconds", "gpu_stable_max_mb", "gpu_area_mb_s", "gpu_area_true_mb_s"),
    *("cpu_area_percent_s", "cpu_area_true_percent_s", "tree_cpu_s", "peak_ram_mb"),
)
RANKING = ("role", "round", "place", "score")
JOBS = ("rule", "wildcards", "state", "started", "seconds")


@dataclass(frozen=True)
class Network:
    """One network of the run: its size, and nnU-Net's plans for it."""

    name: str
    numbers: dict[str, Any]
    configuration: dict[str, Any]


@dataclass(frozen=True)
class Round:
    """The tables of one round; `training` maps a fold to its progress, `splits` has the scans of each fold,
    and `held_out` a column `fold`.

    A selection that keeps nothing stops the run and leaves `all_dropped.tsv`; then `is_selected` is false and
    `selection` is that table. It has the scans on which rules decided, `passed_over` those that were corrected by hand.
    `took_weights`: whether its trainings began with another model's weights, if they say it.
    """

    number: int
    folder: Path
    training: dict[int, pd.DataFrame]
    pseudo_label_scores: pd.DataFrame
    selection: pd.DataFrame
    passed_over: pd.DataFrame
    is_selected: bool
    pseudo_label_truth: pd.DataFrame
    pseudo_label_calibration: pd.DataFrame
    filling: pd.DataFrame
    corrections: pd.DataFrame
    corrections_by_organ: pd.DataFrame
    corrections_by_readers: pd.DataFrame
    training_set: pd.DataFrame
    learned_from: pd.DataFrame
    splits: list[dict[str, list[str]]]
    held_out: pd.DataFrame
    scores: pd.DataFrame
    summary: pd.DataFrame
    efficiency: pd.DataFrame
    verdict: dict[str, Any]
    postprocessing: dict[str, Any]
    is_deployed: bool = False
    took_weights: bool | None = None

    @property
    def kept(self) -> pd.DataFrame:
        """The rows of its selection that were kept."""
        return self.selection[self.selection["decision"] == "kept"]

    @property
    def share_kept(self) -> str:
        """ "12 of 30" pseudo-labels; empty where nothing was selected."""
        return f"{len(self.kept)} of {len(self.selection)}" if len(self.selection) else ""

    @property
    def filled(self) -> int:
        """How many of the labelled scans it learned from were filled by the teacher."""
        filled = self.training_set.loc[self.training_set["origin"] == FILLED, "case"].map(unfilled_name)
        return int((~filled.isin(self.corrected)).sum())

    @property
    def corrected(self) -> list[str]:
        """The scans it learned from whose pseudo-labels had been corrected by hand."""
        return self.training_set.loc[self.training_set["origin"] == CORRECTED, "case"].tolist()

    @property
    def corrected_label_maps(self) -> list[str]:
        """The label maps of these."""
        return self.training_set.loc[self.training_set["origin"] == CORRECTED, "label_map"].tolist()

    @property
    def repeats(self) -> int | None:
        """The round whose model it has, since the rounds had ended before it; None if it was made itself."""
        return self.verdict["labeller"] if _is_repetition(self.verdict, self.number) else None

    @property
    def called(self) -> str:
        """Its number, or `deploy`, as its folder and the run's jobs have it."""
        return self.folder.name.removeprefix("round_")

    @property
    def taken(self) -> list[dict[str, Any]]:
        """The models from elsewhere that the round is; none if it was trained."""
        return self.verdict.get("taken", [])

    @property
    def name(self) -> str:
        """ "round 0 (teacher)", "round 1", …; "deploy student"."""
        if self.is_deployed:
            return DEPLOY_STUDENT
        return "round 0 (teacher)" if self.number == 0 else f"round {self.number}"


@dataclass(frozen=True)
class Results:
    """All tables of a run. `call`: how it was started, by the record of the run or else by that of its start.

    `experiment` is written at each start, `run` at the end: until then `run` is of an earlier one, or empty.
    """

    folder: Path
    run: dict[str, Any]
    cases: pd.DataFrame
    findings: pd.DataFrame
    labelled_measures: pd.DataFrame
    networks: list[Network]
    rounds: list[Round]
    comparison: pd.DataFrame
    ranking: pd.DataFrame
    jobs: pd.DataFrame
    call: dict[str, Any]
    experiment: dict[str, Any]
    deployed: Round | None = None

    @property
    def chain(self) -> list[Round]:
        """The rounds, and the student that is made to be deployed."""
        return [*self.rounds, *([self.deployed] if self.deployed else [])]

    @property
    def left_over(self) -> list[int]:
        """Rounds of an earlier, longer configuration, whose folders are still there."""
        return sorted({*_found_rounds(self.folder)} - {round_.number for round_ in self.rounds})

    @property
    def judged_since(self) -> list[Round]:
        """The rounds that were judged after `run` was written, so that it may not be theirs; none without a record."""
        summaries = {path: round_ for round_ in self.chain if (path := round_.folder / "summary.tsv").exists()}
        return [summaries[path] for path in judged_since(self.run, summaries)] if self.run else []

    @property
    def students(self) -> int:
        """How many rounds have a student of their own, or are to have one."""
        return sum(round_.number > 0 and round_.repeats is None for round_ in self.rounds)

    @property
    def organs(self) -> tuple[Organ, ...]:
        """The label table of the last start, as the run's record has its organs; FLARE22's where none was recorded."""
        recorded = tuple(Organ(**organ) for organ in self.run.get("configuration", {}).get("organs", ()))
        known = {(organ.name, organ.label): organ for organ in recorded}
        started = self.experiment.get("organs", {}).items()
        return tuple(known.get(organ) or organ_called(*organ) for organ in started) or recorded or FLARE22

    @property
    def uses_papers_organs(self) -> bool:
        """Whether the organs are FLARE22's, in the paper's order."""
        return [organ.name for organ in self.organs] == [organ.name for organ in FLARE22]

    def has_papers_scans(self, role: str) -> bool:
        """Whether the scans of a role are the paper's, by name and number, so that its figures belong beside these."""
        name, number = PAPERS_SCANS[role]
        cases = self.cases.loc[self.cases["role"] == role, "case"]
        is_generated = self.run.get("configuration", {}).get("cohort", {}).get("kind") != "folders"
        return self.uses_papers_organs and not is_generated and len(cases) == number and cases.str.fullmatch(name).all()

    @property
    def roles(self) -> list[str]:
        """The judged roles that have results, test first."""
        return [role for role in ("test", "validation") if any((r.summary["role"] == role).any() for r in self.rounds)]

    @property
    def sets(self) -> list[JudgedSet]:
        """What is judged on its own: a role, or each of its sets and, if that was asked for, these pooled."""
        return [judged for role in self.roles for judged in self.sets_of(role)]

    def sets_of(self, role: str) -> list[JudgedSet]:
        """The same of one role."""
        return sets_of(role, *(round_.summary for round_ in self.rounds))

    def set_of(self, case: pd.Series) -> JudgedSet:
        """Where a row of the case table is judged; its role, if it is not."""
        source = NOT_GIVEN if pd.isna(case["source"]) else case["source"]
        sets = (judged for judged in self.sets_of(case["role"]) if judged.name in ("", source))
        return next(sets, JudgedSet(case["role"]))

    def evaluated(self, judged: JudgedSet) -> list[Round]:
        """The rounds with a summary for the set, in order."""
        return [r for r in self.rounds if len(rows_of(judged, r.summary))]


def for_readers(table: pd.DataFrame) -> pd.DataFrame:
    """A table of results for readers: without the column `set` where no role has several."""
    return table if (table["set"] != "").any() else table.drop(columns="set")


def read_results(folder: Path) -> Results:
    """Read everything below `folder`; only `cohort/cases.tsv` must be there."""
    run = _read_json(folder / "run.json")
    last = _last_round(folder, run)
    deployed = [_read_round(folder / DEPLOYED, last + 1)] if _is_deployed(folder, run) else []
    comparisons = [folder / "comparison.tsv", *(round_.folder / "comparison.tsv" for round_ in deployed)]
    return Results(
        folder=folder,
        run=run,
        cases=read_table(folder / "cohort/cases.tsv", ("case", "role")).reindex(columns=CASES),
        findings=pd.concat([_table(path, FINDINGS) for path in _findings(folder)]),
        labelled_measures=_table(folder / "cohort/labelled_measures.tsv", MEASURES),
        networks=[_read_network(path) for path in sorted(folder.glob("plans/*/")) if path.is_dir()],
        rounds=[_read_round(folder / f"round_{number}", number) for number in range(last + 1)],
        comparison=pd.concat([in_sets(_table(path, COMPARISON)) for path in comparisons]),
        ranking=in_sets(_table(folder / "ranking.tsv", RANKING)),
        jobs=_table(folder / "jobs.tsv", JOBS),
        deployed=next(iter(deployed), None),
        call=run.get("call") or _read_json(folder / "call.json"),
        experiment=_read_json(folder / "experiment.json"),
    )


def _findings(folder: Path) -> list[Path]:
    corrected = sorted(folder.glob("round_*/corrected_findings.tsv"))
    return [*(folder / f"cohort/{name}.tsv" for name in ("findings", "room")), *corrected]


def _table(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    return read_table(path, columns) if path.exists() else pd.DataFrame(columns=list(columns))


def _held_out(folds: Iterable[Path]) -> pd.DataFrame:
    """What each fold made of the labelled scans that it did not learn from."""
    read = {path: read_table(path / "held_out.tsv", HELD_OUT) for path in folds if (path / "held_out.tsv").exists()}
    tables = [table.assign(fold=int(path.name[5:])) for path, table in read.items() if len(table)]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=[*HELD_OUT, "fold"])


def _read_json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text()) if path.exists() else {}


def _last_round(folder: Path, run: dict[str, Any]) -> int:
    planned = len(run.get("configuration", {}).get("rounds", [])) - 1
    return max([planned, *(number for number in _found_rounds(folder) if number not in _left_over(run))])


def _found_rounds(folder: Path) -> list[int]:
    return [int(match[1]) for path in folder.glob("round_*") if (match := re.fullmatch(r"round_(\d+)", path.name))]


def _left_over(run: dict[str, Any]) -> set[int]:
    """Rounds of which the record has jobs, and its configuration has no such round any more.

    A round beyond the configuration whose jobs ended after the record is one that has been added since.
    """
    planned = len(run.get("configuration", {}).get("rounds", []))
    jobs = (re.search(r"\bround=(\d+)", str(job["wildcards"])) for job in run.get("jobs", []))
    numbers = {int(match[1]) for match in jobs if match}
    return {number for number in numbers if planned <= number}


def _is_deployed(folder: Path, run: dict[str, Any]) -> bool:
    """Whether there is, or is to be, a student that is made to be deployed."""
    return bool(run["configuration"].get("deploy")) if "configuration" in run else (folder / DEPLOYED).exists()


def _read_network(folder: Path) -> Network:
    configurations = _read_json(folder / "plans.json").get("configurations", {})
    return Network(folder.name, _read_json(folder / "network.json"), configurations.get("3d_fullres", {}))


def _is_repetition(verdict: dict[str, Any], number: int) -> bool:
    """Whether a round comes after the end of all rounds; that which ended them labels itself."""
    return bool(verdict.get("stopped")) and verdict["labeller"] != number and not verdict.get("reasons")


def _read_round(here: Path, number: int) -> Round:
    scores = _table(here / "pseudo_label_scores.tsv", PSEUDO_LABEL_SCORES)
    selection, all_dropped = here / "selection.tsv", here / "all_dropped.tsv"
    decided = _table(selection if selection.exists() else all_dropped, SELECTION)
    verdict = _read_json(here / "verdict.json")
    # A folder may have the training of an earlier configuration, whose teacher was not taken from elsewhere; and that
    # of a round after the end of all rounds has copies of the last one's.
    is_taken, is_repetition = "taken" in verdict, _is_repetition(verdict, number)
    is_trained, dataset = not (is_taken or is_repetition), here / ("absent" if is_repetition else "dataset")
    progress = {path.parent: path for path in here.glob("model/fold_*/progress.tsv") if is_trained}
    took = {took_weights(fold) for fold in here.glob("model/fold_*") if is_trained} - {None}
    return Round(
        number=number,
        folder=here,
        training={int(fold.name[5:]): read_table(progress[fold], PROGRESS) for fold in sorted(progress)},
        pseudo_label_scores=scores,
        selection=decided[decided["decision"] != CORRECTED].reset_index(drop=True),
        passed_over=decided[decided["decision"] == CORRECTED],
        is_selected=selection.exists(),
        pseudo_label_truth=_table(here / "pseudo_label_truth.tsv", SCORES),
        pseudo_label_calibration=_table(here / "pseudo_label_calibration.tsv", CALIBRATION),
        filling=_table(here / "filling.tsv", FILLING),
        corrections=_table(here / "corrections.tsv", CORRECTIONS),
        corrections_by_organ=_table(here / "corrections_by_organ.tsv", BY_ORGAN),
        corrections_by_readers=_table(here / "corrections_by_readers.tsv", BY_READERS),
        training_set=_table(dataset / "training_set.tsv", TRAINING_SET),
        learned_from=_table(dataset / "learned_from.tsv", LEARNED_FROM),
        splits=_read_json(dataset / "splits_final.json") or [] if is_trained else [],
        held_out=_held_out([] if is_taken else sorted(here.glob("model/fold_*"))),
        scores=in_sets(_table(here / "scores.tsv", SCORES)),
        summary=in_sets(_table(here / "summary.tsv", SUMMARY)),
        efficiency=_table(here / "efficiency.tsv", EFFICIENCY),
        verdict=verdict,
        postprocessing={} if is_taken else _read_json(here / "postprocessing.json"),
        is_deployed=here.name == DEPLOYED,
        took_weights=all(took) if took else None,
    )
