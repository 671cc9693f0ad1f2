"""The experiments that a page compares: their folders, names and results, and whether they can be compared at all."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from noisy_student.errors import InputError
from noisy_student.evaluate.aggregate import organ_names
from noisy_student.evaluate.shared_scans import grouped
from noisy_student.report.results import Results, Round, read_results
from noisy_student.report.settings import evaluation_mode
from noisy_student.sets import NOT_GIVEN

CASES = "cohort/cases.tsv"


@dataclass(frozen=True)
class Experiment:
    """A run under the name that the page gives it."""

    name: str
    results: Results

    @property
    def record(self) -> dict[str, Any]:
        """The record of the run that judged all rounds; empty where there is none, or an earlier run's."""
        return {} if self.results.judged_since else self.results.run

    @property
    def scored(self) -> list[Round]:
        """The rounds that have scores, in order."""
        return [round_ for round_ in self.results.rounds if len(round_.scores)]

    @property
    def unscored(self) -> list[int]:
        """The numbers of the rounds that have none yet."""
        return [round_.number for round_ in self.results.rounds if round_.scores.empty]

    @property
    def roles_in_sets(self) -> set[str]:
        """The roles whose scans are judged in several sets."""
        tables = [round_.scores for round_ in self.scored]
        return {role for table in tables for role in table.loc[table["set"] != "", "role"]}

    def scores_in(self, roles_in_sets: Collection[str]) -> dict[int, pd.DataFrame]:
        """Score tables by round, the groups that are judged apart as roles: of these roles each source is one."""
        source = self.results.cases.set_index("case")["source"].fillna(NOT_GIVEN)
        found = {}
        for round_ in self.scored:
            scores = round_.scores
            names = scores["case"].map(source).where(scores["role"].isin(list(roles_in_sets)), "")
            found[round_.number] = grouped(scores.assign(set=names))
        return found

    @property
    def efficiency(self) -> dict[int, pd.DataFrame]:
        """Efficiency tables by round, of the rounds that were measured."""
        return {round_.number: round_.efficiency for round_ in self.scored if len(round_.efficiency)}


def read_experiments(folders: Sequence[Path], names: Sequence[str] = ()) -> list[Experiment]:
    """Read every experiment. Raises InputError for what cannot be compared.

    A folder is an experiment's, or its `results`; `names` are by default the shortest ends of paths that differ.
    """
    found = [_results_folder(folder) for folder in folders]
    _refuse_too_few(found)
    given = list(names) or distinct_tails([_own_folder(folder) for folder in found])
    if len(given) != len(found) or len(set(given)) < len(given) or not all(name.strip() for name in given):
        wanted = f"{len(found)} names that differ, one for each experiment"
        raise InputError(wanted, f"--names {' '.join(given)}", "give each folder its own name, or leave --names out")
    experiments = [Experiment(name, read_results(folder)) for name, folder in zip(given, found, strict=True)]
    for folder, experiment in zip(folders, experiments, strict=True):
        if not experiment.scored:
            remedy = "let it evaluate a round (`snakemake round_0`), or leave it out"
            raise InputError(f"a round with scores in {folder}", "no round_<k>/scores.tsv", remedy)
    _refuse_other_modes(experiments)
    _refuse_other_organs(experiments)
    return experiments


def distinct_tails(folders: Sequence[Path]) -> list[str]:
    """The shortest end of each path that no other path shares."""
    return [_shortest_tail(folder, [other for other in folders if other != folder]) for folder in folders]


def _shortest_tail(folder: Path, others: Iterable[Path]) -> str:
    taken = {other.parts[-length:] for other in others for length in range(1, len(other.parts) + 1)}
    lengths = range(1, len(folder.parts))
    shortest = next((length for length in lengths if folder.parts[-length:] not in taken), len(folder.parts))
    return str(Path(*folder.parts[-shortest:]))


def _results_folder(folder: Path) -> Path:
    found = [path for path in (folder / "results", folder) if (path / CASES).exists()]
    if not found:
        got = f"neither {folder}/results/{CASES} nor {folder}/{CASES}" if folder.exists() else "no such folder"
        raise InputError(f"an experiment at {folder}", got, "name the folder in which it ran, or its `results`")
    return found[0].resolve()


def _own_folder(results: Path) -> Path:
    return results.parent if results.name == "results" else results


def _refuse_too_few(folders: Sequence[Path]) -> None:
    wanted, remedy = "two or more experiments", "name the folders of those that are to be compared"
    if len(folders) < 2:
        raise InputError(wanted, f"{len(folders)}", remedy)
    if repeated := next((folder for folder in folders if folders.count(folder) > 1), None):
        raise InputError(wanted, f"{repeated} twice", remedy)


def _refuse_other_modes(experiments: Sequence[Experiment]) -> None:
    """DSC and NSD of different rules do not compare; what was not recorded cannot be told."""
    modes = {experiment.name: evaluation_mode(experiment.record) for experiment in experiments}
    recorded = {name: mode for name, mode in modes.items() if mode}
    if len(set(recorded.values())) > 1:
        raise InputError(
            "experiments that were judged by the same rules (evaluation.mode)",
            ", ".join(f"{name}: {mode}" for name, mode in recorded.items()),
            "set the same `evaluation.mode` and start those again whose mode changes (nothing is trained again), "
            "or compare only experiments of one mode",
        )


def _refuse_other_organs(experiments: Sequence[Experiment]) -> None:
    first, *others = experiments
    for other in others:
        judged = {experiment.name: _judged_organs(experiment) for experiment in (first, other)}
        both_recorded = first.record and other.record
        if not both_recorded:
            judged = {name: [organ[:2] for organ in organs] for name, organs in judged.items()}
        if judged[first.name] != judged[other.name]:
            raise InputError(
                "experiments with the same organs, judged with the same tolerances",
                "; ".join(_only_in(name, organs, judged) for name, organs in judged.items()),
                "set the same `organs` (label, name, tolerance_mm, z_limited) and start one of them again, or leave "
                "one out",
            )


def _judged_organs(experiment: Experiment) -> list[tuple[object, ...]]:
    """What of the label table changes scores; without a record, what the score tables say."""
    if experiment.record:
        organs = experiment.results.organs
        return [(organ.label, organ.name, organ.tolerance_mm, organ.z_limited) for organ in organs]
    return list(organ_names(experiment.scored[0].scores).items())


def _only_in(name: str, organs: list[tuple[object, ...]], judged: dict[str, list[tuple[object, ...]]]) -> str:
    """The organs that this one has and the other has not, or not so."""
    others = [organ for other, table in judged.items() if other != name for organ in table]
    own = [organ for organ in organs if organ not in others]
    return f"{name}: {', '.join(_organ_in_words(*organ) for organ in own) or 'none of its own'}"


def _organ_in_words(label: int, name: str, tolerance_mm: float | None = None, z_limited: bool = False) -> str:
    tolerance = f" {tolerance_mm:g} mm" if tolerance_mm else ""
    return f"{label} {name}{tolerance}{' z-limited' if z_limited else ''}"
