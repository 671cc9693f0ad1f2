"""The answer in words: did the student get better, by how much, and is it more than noise."""

import itertools

import pandas as pd

from noisy_student.report.numbers import NO_BREAK, SIGNIFICANT, count, interval, p_value, score, signed, signed_interval
from noisy_student.report.organ_tables import comparison_row, summary_row
from noisy_student.report.results import Results, Round


def judged_role(results: Results) -> str:
    """The role that the page judges by: test if it has results, else validation."""
    return results.roles[0] if results.roles else "validation"


def headline(results: Results) -> tuple[str, str]:
    """One sentence, and its tone: `better`, `worse` or empty."""
    rounds = results.evaluated(judged_role(results))
    if not rounds:
        return "No round has been evaluated yet.", ""
    if len(rounds) == 1:
        return f"Only {rounds[0].name} has been evaluated so far: there is nothing to compare yet.", ""
    change = _change(results, rounds[-1], rounds[0])
    name = f"The student of round {rounds[-1].number}"
    if certainty(change) == "certain":
        tone = "better" if change["difference"] > 0 else "worse"
        return f"{name} is {tone} than the teacher, by more than chance explains.", tone
    if certainty(change) == "mixed":
        tone = "better" if change["difference"] > 0 else "worse"
        return f"{name} looks {tone} than the teacher, but the evidence is mixed: {_mixed(change)}.", ""
    if pd.isna(change["ci_low"]):
        return f"{name} {_direction(change['difference'])} the teacher; no interval says how certainly.", ""
    return f"{name} and the teacher cannot be told apart: the interval of their difference includes 0.", ""


def certainty(change: pd.Series) -> str:
    """How sure a paired difference is: `certain`, `mixed` where interval and test disagree, `none`, or `unknown`."""
    if pd.isna(change["ci_low"]):
        return "unknown"
    excludes_zero = change["ci_low"] > 0 or change["ci_high"] < 0
    passes = change["p_holm"] < SIGNIFICANT
    return {2: "certain", 1: "mixed", 0: "none"}[int(excludes_zero) + int(passes)]


def _mixed(change: pd.Series) -> str:
    """What speaks for a difference and what against it."""
    test = f"Wilcoxon’s test {{}} ({p_value(change['p_holm'])})"
    if change["p_holm"] < SIGNIFICANT:
        return f"the interval of the difference includes 0, {test.format('excludes it')}"
    return f"the interval of the difference excludes 0, {test.format('does not')}"


def _direction(difference: float) -> str:
    return "scores higher than" if difference > 0 else "does not score higher than"


def _change(results: Results, later: Round, earlier: Round, measure: str = "DSC") -> pd.Series:
    """The paired comparison of the means over organs, or the bare difference of the means without an interval."""
    role = judged_role(results)
    change = comparison_row(results, role, later.number, earlier.number, 0, measure).copy()
    if pd.isna(change["difference"]):
        means = [summary_row(round_, role, 0, measure)["mean"] for round_ in (later, earlier)]
        change["difference"] = means[0] - means[1]
    return change


def paragraph(results: Results) -> str:
    """The summary: the teacher's and the last student's mean DSC and NSD, their difference, and the pseudo-labels."""
    role = judged_role(results)
    rounds = results.evaluated(role)
    if not rounds:
        return ""
    first, last = rounds[0], rounds[-1]
    scans = summary_row(first, role, 0, "DSC")["n"]
    text = [f"On {count(int(scans), f'{role} scan')}, {_reached(first, role)}."]
    if last is not first:
        text.append(f"The student of {_reached(last, role)}.")
        text.append(f"Paired by scan, the difference is {_difference(results, last, first, 'DSC')} in DSC "
                    f"and {_difference(results, last, first, 'NSD')} in NSD.")  # fmt: skip
    text += [pseudo_labels_in_words(round_) for round_ in results.rounds if len(round_.selection)]
    return " ".join(text)


def _reached(round_: Round, role: str) -> str:
    dsc, nsd = (summary_row(round_, role, 0, measure) for measure in ("DSC", "NSD"))
    name = "the teacher (round 0, labelled scans only)" if round_.number == 0 else round_.name
    return f"{name} reached a mean DSC of {_estimate(dsc)} and a mean NSD of {_estimate(nsd)}"


def _estimate(row: pd.Series) -> str:
    return f"{score(row['mean'])} {interval(row['ci_low'], row['ci_high'])}".strip()


def _difference(results: Results, later: Round, earlier: Round, measure: str) -> str:
    change = _change(results, later, earlier, measure)
    spread = signed_interval(change["ci_low"], change["ci_high"])
    if not spread:
        return f"{signed(change['difference'])} (no interval computed)"
    scans = f"n{NO_BREAK}={NO_BREAK}{change['n']:.0f}"
    inside = ", ".join(part for part in (f"95 % interval {spread}", p_value(change["p_holm"]), scans) if part)
    return f"{signed(change['difference'])} ({inside})"


def key_numbers(results: Results) -> list[tuple[str, str, str]]:
    """(name, value, what it rests on) of the few numbers that a reader looks for first."""
    role = judged_role(results)
    rounds = results.evaluated(role)
    found = [_key_number(results, rounds, role, measure) for measure in ("DSC", "NSD")] if rounds else []
    selected = [round_ for round_ in results.rounds if len(round_.selection)]
    for round_ in selected[-1:]:
        kept = int((round_.selection["decision"] == "kept").sum())
        found.append((f"pseudo-labels kept, round {round_.number}", f"{kept} of {len(round_.selection)}", ""))
    return found


def _key_number(results: Results, rounds: list[Round], role: str, measure: str) -> tuple[str, str, str]:
    first, last = (score(summary_row(round_, role, 0, measure)["mean"]) for round_ in (rounds[0], rounds[-1]))
    if len(rounds) == 1:
        return f"mean {measure}, {role} scans", first, f"{rounds[0].name} alone"
    return f"mean {measure}, {role} scans", f"{first} → {last}", _difference(results, rounds[-1], rounds[0], measure)


def pseudo_labels_in_words(round_: Round) -> str:
    """How many pseudo-labels a round kept."""
    kept = int((round_.selection["decision"] == "kept").sum())
    return f"Round {round_.number} kept {kept} of {count(len(round_.selection), 'pseudo-label')}."


def worsened(results: Results) -> list[str]:
    """One sentence for each round that scores lower than the round before."""
    rounds = results.evaluated(judged_role(results))
    found = []
    for earlier, later in itertools.pairwise(rounds):
        change = _change(results, later, earlier)
        if change["difference"] < 0:
            found.append(_worsened(results, earlier, later, change))
    return found


def best_is_not_last(results: Results) -> list[str]:
    """One sentence if an earlier round has a higher mean DSC than the last one."""
    role = judged_role(results)
    rounds = results.evaluated(role)
    means = [summary_row(round_, role, 0, "DSC")["mean"] for round_ in rounds]
    if not rounds or max(means) == means[-1]:
        return []
    best = rounds[means.index(max(means))]
    return [
        f"The highest mean DSC on the {role} scans is that of {best.name}, {score(max(means))}, not the last one's."
    ]


def _worsened(results: Results, earlier: Round, later: Round, change: pd.Series) -> str:
    role = judged_role(results)
    before, after = (summary_row(round_, role, 0, "DSC")["mean"] for round_ in (earlier, later))
    certain = {
        "certain": "more than chance explains",
        "mixed": "interval and test disagree on whether chance explains it",
        "none": "within what chance explains",
        "unknown": "no interval computed",
    }[certainty(change)]
    spread = signed_interval(change["ci_low"], change["ci_high"])
    numbers = f"{signed(change['difference'])} {spread}".strip()
    return (
        f"Round {later.number} got worse than round {earlier.number}: mean DSC on the {role} scans fell from "
        f"{score(before)} to {score(after)} ({numbers}; {certain})."
    )
