"""Several experiments on the scans that they share: what the comparison's page is made from."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from noisy_student.errors import InputError
from noisy_student.evaluate.aggregate import organ_names
from noisy_student.evaluate.experiments import (
    compare_experiments,
    number_of_tests,
    rank_experiments,
    summarise_experiments,
)
from noisy_student.evaluate.shared_scans import only, shared_scans
from noisy_student.evaluate.signed_rank import FEWEST_CASES
from noisy_student.machine import is_known, machines
from noisy_student.organs import Organ
from noisy_student.report.experiments.experiment import Experiment
from noisy_student.report.table import one_row

MACHINE = ("cpu", "cores", "ram_gb", "gpu")


@dataclass(frozen=True)
class Comparison:
    """`scans`: every judged scan, and why it is left out. The first experiment is the baseline of all differences."""

    experiments: list[Experiment]
    scans: pd.DataFrame
    scores: dict[str, dict[int, pd.DataFrame]]
    summary: pd.DataFrame
    differences: pd.DataFrame
    ranking: pd.DataFrame

    @property
    def baseline(self) -> Experiment:
        """The experiment that was named first."""
        return self.experiments[0]

    @property
    def others(self) -> list[Experiment]:
        """All but the baseline."""
        return self.experiments[1:]

    @property
    def roles(self) -> list[str]:
        """What is judged apart and has shared scans: test first."""
        return self.scans.loc[self.scans["left_out"].isna(), "role"].drop_duplicates().tolist()

    @property
    def organs(self) -> tuple[Organ, ...]:
        """What was judged in all of them: as a record says, or without any, by the score tables' names."""
        recorded = [experiment.results.organs for experiment in self.experiments if experiment.results.run]
        named = organ_names(self.baseline.scored[0].scores)
        return recorded[0] if recorded else tuple(Organ(label, name) for label, name in named.items())

    @property
    def tests(self) -> int:
        """Over how many tests the page's p-values are corrected."""
        return number_of_tests(self.differences)

    def tests_of_at_most(self, scans: int) -> int:
        """How many of these are of roles with no more shared scans than so many."""
        roles = [role for role in self.roles if self.scans_of(role) <= scans]
        return number_of_tests(self.differences[self.differences["role"].isin(roles)])

    @property
    def measured_scans(self) -> set[str]:
        """The shared scans whose efficiency was measured wherever any was."""
        shared = set(self.scans.loc[self.scans["left_out"].isna(), "case"])
        measured = [set(table["case"]) for experiment in self.experiments for table in experiment.efficiency.values()]
        return shared.intersection(*measured) if measured else set()

    def scans_of(self, role: str) -> int:
        """How many scans of the role are compared."""
        return int(((self.scans["role"] == role) & self.scans["left_out"].isna()).sum())

    def has_intervals(self, role: str) -> bool:
        """Whether there are enough scans of the role for intervals and tests."""
        return self.scans_of(role) >= FEWEST_CASES

    def mean(self, name: str, number: int, role: str, measure: str, label: int = 0) -> pd.Series:
        """A round's aggregate for one organ (label 0: over organs)."""
        wanted = {"experiment": name, "round": number, "role": role, "measure": measure, "label": label}
        return one_row(self.summary, **wanted)

    def difference(self, name: str, pair: tuple[int, int], role: str, measure: str, label: int = 0) -> pd.Series:
        """A round of an experiment against a round of the baseline, for one organ (label 0: over organs)."""
        wanted = {"experiment": name, "round": pair[0], "against": pair[1]}
        return one_row(self.differences, **wanted, role=role, measure=measure, label=label)

    def last_pair(self, experiment: Experiment) -> tuple[int, int]:
        """The last rounds with scores: the experiment's, the baseline's."""
        return experiment.scored[-1].number, self.baseline.scored[-1].number


def compare(experiments: Sequence[Experiment]) -> Comparison:
    """Compare all rounds that have scores. Raises InputError if no scan is shared."""
    cases = {experiment.name: experiment.results.cases for experiment in experiments}
    # A role that has one set in some of them is this set's where others have more.
    roles_in_sets = set().union(*(experiment.roles_in_sets for experiment in experiments))
    all_scores = {experiment.name: experiment.scores_in(roles_in_sets) for experiment in experiments}
    scans = shared_scans(cases, all_scores)
    if scans["left_out"].notna().all():
        raise InputError(
            "scans that all experiments share: of one name and role, with the same voxels and the same truth",
            "; ".join(left_out_in_words(scans)),
            "judge them on the same scans and label maps, or leave out the experiment that differs",
        )
    scores = {name: {n: only(table, scans) for n, table in rounds.items()} for name, rounds in all_scores.items()}
    efficiency = {e.name: e.efficiency if machines_are_equal(experiments) else {} for e in experiments}
    return Comparison(
        experiments=list(experiments),
        scans=scans,
        scores=scores,
        summary=summarise_experiments(scores),
        differences=compare_experiments(scores),
        ranking=rank_experiments(scores, efficiency),
    )


def machines_are_equal(experiments: Sequence[Experiment]) -> bool:
    """Whether all rounds were measured on machines of one kind: only then do times compare.

    Where tables do not say it, by the experiments' records, which may have been written on another machine.
    """
    measured = machines(table for experiment in experiments for table in experiment.efficiency.values())
    if len(measured) > 1 or any(map(is_known, measured)):
        return len(measured) == 1
    recorded = [experiment.record.get("machine") for experiment in experiments]
    return all(recorded) and all(one.get(key) == recorded[0].get(key) for one in recorded for key in MACHINE)


def left_out_in_words(scans: pd.DataFrame) -> list[str]:
    """How many scans of each role are not compared, and why."""
    said = []
    for role, reasons in scans.dropna(subset="left_out").groupby("role", sort=False)["left_out"]:
        of_all = int((scans["role"] == role).sum())
        why = ", ".join(f"{number} {reason}" for reason, number in reasons.value_counts(sort=False).items())
        said.append(f"{len(reasons)} of {of_all} {role} scans left out: {why}")
    return said
