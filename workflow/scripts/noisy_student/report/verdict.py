"""The answer in words: did the student get better, by how much, and is it more than noise."""

import itertools
from dataclasses import dataclass, replace

import pandas as pd

from noisy_student.evaluate.comparison import RANK_BISERIAL
from noisy_student.evaluate.signed_rank import FEWEST_CASES
from noisy_student.report import deployed_table
from noisy_student.report.numbers import (
    NO_BREAK,
    SIGNIFICANT,
    capitalised,
    count,
    interval,
    p_value,
    score,
    signed,
    signed_interval,
)
from noisy_student.report.organ_tables import comparison_row, speaks_against, summary_row
from noisy_student.report.results import Results, Round
from noisy_student.sets import JudgedSet, rows_of

# How sure a difference is.
CERTAIN, MIXED, NONE, UNKNOWN = "certain", "mixed", "none", "unknown"


def judged_role(results: Results) -> str:
    """The role that the page judges by: test if it has results, else validation."""
    return results.roles[0] if results.roles else "validation"


def judged_sets(results: Results) -> list[JudgedSet]:
    """What the page judges by: that role, or each of its sets."""
    return [judged for judged in results.sets_of(judged_role(results)) if not judged.pooled]


@dataclass(frozen=True)
class Answer:
    """What is said at the top of the page of one judged set; `numbers` are (name, value, what it rests on).

    `tone` is that of the headline: `better`, `worse` or empty.
    """

    title: str
    headline: str
    tone: str
    numbers: list[tuple[str, str, str]]
    paragraph: str


def answers(results: Results) -> list[Answer]:
    """One without a title; where there are several sets, one for each, and last what is said of the run alone."""
    role = judged_role(results)
    sets = results.sets_of(role) or [JudgedSet(role)]
    found = [
        Answer(capitalised(judged.scans), *headline(results, judged), key_numbers(results, judged),
               paragraph(results, judged))
        for judged in sets
    ]  # fmt: skip
    kept, learnt = kept_numbers(results), " ".join(map(pseudo_labels_in_words, selected(results)))
    if len(found) > 1:
        return [*found, Answer("Pseudo-labels", "", "", kept, learnt)] if kept else found
    only = found[0]
    text = f"{only.paragraph} {learnt}".strip() if only.paragraph else ""
    return [replace(only, title="", numbers=[*only.numbers, *kept], paragraph=text)]


def headline(results: Results, judged: JudgedSet) -> tuple[str, str]:
    """One sentence, and its tone: `better`, `worse` or empty. It says of which set it speaks, if there are several."""
    text, tone = _headline(results, judged)
    return (f"On the {judged.scans}, {text}" if judged.name else capitalised(text)), tone


def _headline(results: Results, judged: JudgedSet) -> tuple[str, str]:
    if not results.evaluated(judged):
        return "no round has been evaluated yet.", ""
    first, last = _first_and_last(results, judged)
    if last is first:
        return f"only {first.name} has been evaluated so far: there is nothing to compare yet.", ""
    change = _change(results, judged, last, first)
    name = "the student made to be deployed" if last.is_deployed else f"the student of round {last.number}"
    if certainty(change) == CERTAIN:
        tone = "better" if change["difference"] > 0 else "worse"
        return f"{name} is {tone} than the teacher, by more than chance explains.", tone
    if certainty(change) == MIXED:
        tone = "better" if change["difference"] > 0 else "worse"
        return f"{name} looks {tone} than the teacher, but the evidence is mixed: {_mixed(change)}.", ""
    if pd.isna(change["ci_low"]):
        return f"{name} {_direction(change['difference'])} the teacher; {_no_interval(change)} says how certainly.", ""
    return f"{name} and the teacher cannot be told apart: the interval of their difference includes 0.", ""


def _first_and_last(results: Results, judged: JudgedSet) -> tuple[Round, Round]:
    """The teacher and the last student that was judged: of a run without further rounds that made to be deployed."""
    first, *others = results.evaluated(judged)
    student = results.deployed
    is_judged = student is not None and len(rows_of(judged, student.summary)) > 0
    if not others and is_judged and deployed_table.taught_by(results) is first:
        return first, student
    return first, [first, *others][-1]


def _no_interval(change: pd.Series) -> str:
    """Why a difference has no interval."""
    if change["n"] < FEWEST_CASES:
        return f"with {change['n']:.0f} scans, fewer than {FEWEST_CASES}, neither an interval nor a test"
    return "no interval"


def certainty(change: pd.Series) -> str:
    """How sure a paired difference is; `MIXED` where interval and test disagree, `UNKNOWN` without an interval.

    They disagree, too, where the test speaks for the direction that the mean has not.
    """
    if pd.isna(change["ci_low"]):
        return UNKNOWN
    if speaks_against(change):
        return MIXED
    excludes_zero = change["ci_low"] > 0 or change["ci_high"] < 0
    passes = change["p_holm"] < SIGNIFICANT
    return {2: CERTAIN, 1: MIXED, 0: NONE}[int(excludes_zero) + int(passes)]


def _mixed(change: pd.Series) -> str:
    """What speaks for a difference and what against it."""
    test = f"Wilcoxon’s test {{}} ({p_value(change['p_holm'])})"
    if speaks_against(change):
        excludes = "excludes" if change["ci_low"] > 0 or change["ci_high"] < 0 else "includes"
        return f"the interval of the difference {excludes} 0, {_other_direction(change)}"
    if change["p_holm"] < SIGNIFICANT:
        return f"the interval of the difference includes 0, {test.format('excludes it')}"
    return f"the interval of the difference excludes 0, {test.format('does not')}"


def _other_direction(change: pd.Series) -> str:
    """What the test says against the mean difference."""
    is_lower = change[RANK_BISERIAL] < 0
    scans = f"{change['losses' if is_lower else 'wins']:.0f} of {count(int(change['n']), 'scan')}"
    test = f"Wilcoxon’s test ({p_value(change['p_holm'])}) speaks for the other direction"
    return f"{test}: {'lower' if is_lower else 'higher'} in {scans}"


def _direction(difference: float) -> str:
    return "scores higher than" if difference > 0 else "does not score higher than"


def _change(results: Results, judged: JudgedSet, later: Round, earlier: Round, measure: str = "DSC") -> pd.Series:
    """The paired comparison of the means over organs, or the bare difference of the means without an interval."""
    change = comparison_row(results, judged, later.number, earlier.number, 0, measure).copy()
    if pd.isna(change["difference"]):
        means = [summary_row(round_, judged, 0, measure)["mean"] for round_ in (later, earlier)]
        change["difference"] = means[0] - means[1]
    return change


def paragraph(results: Results, judged: JudgedSet) -> str:
    """The summary: the teacher's and the last student's mean DSC and NSD, and their difference."""
    rounds = results.evaluated(judged)
    if not rounds:
        return ""
    first, last = rounds[0], rounds[-1]
    scans = summary_row(first, judged, 0, "DSC")["n"]
    text = [f"On {count(int(scans), f'{judged.words} scan')}{judged.origin}, {_reached(first, judged)}."]
    if last is not first:
        text.append(f"The student of {_reached(last, judged)}.")
        text.append(f"Paired by scan, the difference is {_difference(results, judged, last, first, 'DSC')} in DSC "
                    f"and {_difference(results, judged, last, first, 'NSD')} in NSD.")  # fmt: skip
    return " ".join(filter(None, [*text, deployed_table.in_words(results, judged)]))


def _reached(round_: Round, judged: JudgedSet) -> str:
    dsc, nsd = (summary_row(round_, judged, 0, measure) for measure in ("DSC", "NSD"))
    learnt = "a model from elsewhere" if round_.taken else "labelled scans only"
    name = f"the teacher (round 0, {learnt})" if round_.number == 0 else round_.name
    return f"{name} reached a mean DSC of {_estimate(dsc)} and a mean NSD of {_estimate(nsd)}"


def _estimate(row: pd.Series) -> str:
    return f"{score(row['mean'])} {interval(row['ci_low'], row['ci_high'])}".strip()


def _difference(results: Results, judged: JudgedSet, later: Round, earlier: Round, measure: str) -> str:
    change = _change(results, judged, later, earlier, measure)
    spread = signed_interval(change["ci_low"], change["ci_high"])
    if not spread:
        few = f": {change['n']:.0f} scans are fewer than {FEWEST_CASES}" if change["n"] < FEWEST_CASES else " computed"
        return f"{signed(change['difference'])} (no interval{few})"
    scans = f"n{NO_BREAK}={NO_BREAK}{change['n']:.0f}"
    test = f"Wilcoxon {p_value(change['p_holm'])}, not corrected: one test" if pd.notna(change["p_holm"]) else ""
    inside = ", ".join(part for part in (f"95 % interval {spread}", test, scans) if part)
    return f"{signed(change['difference'])} ({inside})"


def key_numbers(results: Results, judged: JudgedSet) -> list[tuple[str, str, str]]:
    """(name, value, what it rests on) of the few numbers that a reader looks for first."""
    if not results.evaluated(judged):
        return []
    ends = _first_and_last(results, judged)
    return [_key_number(results, *ends, judged, measure) for measure in ("DSC", "NSD")]


def kept_numbers(results: Results) -> list[tuple[str, str, str]]:
    """The same of the last selection."""
    last = selected(results)[-1:]
    return [(f"pseudo-labels kept, round {round_.number}", round_.share_kept, "") for round_ in last]


def _key_number(results: Results, first: Round, last: Round, judged: JudgedSet, measure: str) -> tuple[str, str, str]:
    before, after = (score(summary_row(round_, judged, 0, measure)["mean"]) for round_ in (first, last))
    name = f"mean {measure}, {judged.scans}"
    if last is first:
        return name, before, f"{first.name} alone"
    return name, f"{before} → {after}", _difference(results, judged, last, first, measure)


def selected(results: Results) -> list[Round]:
    """The rounds whose pseudo-labels were kept or dropped for a student to learn from."""
    return [round_ for round_ in results.rounds if len(round_.selection) and round_.repeats is None]


def pseudo_labels_in_words(round_: Round) -> str:
    """How many pseudo-labels a round kept."""
    return f"Round {round_.number} kept {len(round_.kept)} of {count(len(round_.selection), 'pseudo-label')}."


def worsened(results: Results) -> list[str]:
    """One sentence for each set and round that scores lower than the round before."""
    found = []
    for judged in judged_sets(results):
        for earlier, later in itertools.pairwise(results.evaluated(judged)):
            change = _change(results, judged, later, earlier)
            if change["difference"] < 0:
                found.append(_worsened(judged, earlier, later, change))
    return found


def best_is_not_last(results: Results) -> list[str]:
    """One sentence for each set on which an earlier round has a higher mean DSC than the last one."""
    found = []
    for judged in judged_sets(results):
        rounds = results.evaluated(judged)
        means = [summary_row(round_, judged, 0, "DSC")["mean"] for round_ in rounds]
        if max(means) != means[-1]:
            best = f"{rounds[means.index(max(means))].name}, {score(max(means))}"
            found.append(f"The highest mean DSC on the {judged.scans} is that of {best}, not the last one's.")
    return found


def _worsened(judged: JudgedSet, earlier: Round, later: Round, change: pd.Series) -> str:
    before, after = (summary_row(round_, judged, 0, "DSC")["mean"] for round_ in (earlier, later))
    certain = {
        CERTAIN: "more than chance explains",
        MIXED: "interval and test disagree on whether chance explains it",
        NONE: "within what chance explains",
        UNKNOWN: "too few scans to say whether chance explains it",
    }[certainty(change)]
    certain = _other_direction(change) if speaks_against(change) else certain
    spread = signed_interval(change["ci_low"], change["ci_high"])
    numbers = f"{signed(change['difference'])} {spread}".strip()
    return (
        f"Round {later.number} got worse than round {earlier.number}: mean DSC on the {judged.scans} fell from "
        f"{score(before)} to {score(after)} ({numbers}; {certain})."
    )
