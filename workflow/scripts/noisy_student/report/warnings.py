"""What a reader must know before trusting the numbers: gaps, rounds that went badly, organs that are not there."""

import pandas as pd

from noisy_student.report.job_table import failed_jobs
from noisy_student.report.labelled_organs import in_words
from noisy_student.report.numbers import and_, capitalised, count, score
from noisy_student.report.results import Results, Round
from noisy_student.report.run_tables import missing_parts
from noisy_student.report.settings import lacks_first_weights
from noisy_student.report.verdict import best_is_not_last, judged_sets, worsened
from noisy_student.sets import JudgedSet, rows_of


def warnings(results: Results) -> list[str]:
    """All warnings, the gravest kinds first."""
    return [
        *collapsed(results),
        *stopped(results),
        *worsened(results),
        *best_is_not_last(results),
        *all_dropped(results),
        *unmarked(results),
        *from_scratch(results),
        *organs(results),
        *missing(results),
        *failures(results),
        *checks(results),
    ]


def collapsed(results: Results) -> list[str]:
    """Rounds whose student was not let label, for what it did on the labelled scans that it held out."""
    return [
        f"Round {round_.number} collapsed on the labelled scans that its folds held out ("
        f"{'; '.join(round_.verdict['reasons'])}), so round {round_.verdict['labeller']} labels on in its place."
        for round_ in results.rounds
        if round_.verdict.get("reasons")
    ]


def stopped(results: Results) -> list[str]:
    """Rounds that were not made because the rounds ended before."""
    ended = [round_ for round_ in results.rounds if round_.verdict.get("stopped")][1:]
    return [
        f"Round {round_.number} repeats round {round_.verdict['labeller']}, where the rounds ended: "
        f"{round_.verdict['stopped']}."
        for round_ in ended
    ]


def all_dropped(results: Results) -> list[str]:
    """Rounds whose selection kept nothing, or has not decided yet."""
    found = [text for round_ in results.rounds if (text := _undecided(round_))]
    for round_ in results.rounds:
        is_dropped = len(round_.selection) and round_.kept.empty
        if is_dropped and not round_.corrected:
            found.append(
                f"Round {round_.number}: all {count(len(round_.selection), 'pseudo-label')} were dropped, so it has no "
                f"unlabelled scan to learn from.{_main_reason(round_)}"
            )
    return found


def _undecided(round_: Round) -> str:
    if round_.pseudo_label_scores.empty or len(round_.selection):
        return ""
    confidence = round_.pseudo_label_scores.groupby("case")["mean_max_probability"].mean()
    return (
        f"Round {round_.number}: {count(len(confidence), 'pseudo-label')} scored, none selected yet. The highest mean "
        f"confidence is {score(confidence.max())}."
    )


def _main_reason(round_: Round) -> str:
    reasons = round_.selection["reason"].value_counts()
    best = f" The highest confidence was {score(round_.selection['confidence'].max())}."
    return f" Reason: {reasons.index[0]} ({count(int(reasons.iloc[0]), 'case')}).{best}" if len(reasons) else best


def unmarked(results: Results) -> list[str]:
    """Organs that a teacher from elsewhere does not mark."""
    return [
        f"{capitalised(', '.join(lacks))}: not marked by the model from elsewhere that is round {round_.number}, so it "
        "scores there as an empty label map does, and background of its pseudo-labels had no part in the loss."
        for round_ in results.rounds
        if (lacks := round_.verdict.get("lacks"))
    ]


def from_scratch(results: Results) -> list[str]:
    """Trainings that were to begin with their teacher's weights, where that is another network."""
    return [
        f"{capitalised(round_.name)} was to begin with its teacher's weights, and began with random ones: the "
        "model that labelled for it has another network."
        for round_ in results.chain
        if lacks_first_weights(results.run, round_.number, round_.took_weights)
    ]


def organs(results: Results) -> list[str]:
    """Organs that are not labelled in all judged scans, that these do not have, or that the last round never finds."""
    return [text for judged in judged_sets(results) for text in _organs_of(results, judged)]


def _organs_of(results: Results, judged: JudgedSet) -> list[str]:
    rounds = results.evaluated(judged)
    if not rounds or rounds[-1].scores.empty:
        return []
    scores = rows_of(judged, rounds[-1].scores)
    rows = {organ.name: scores[scores["label"] == organ.label] for organ in results.organs}
    unscored = [name for name, table in rows.items() if table.empty]
    labelled = {name: table["truth_voxels"].dropna() for name, table in rows.items()}
    absent = [name for name, voxels in labelled.items() if len(voxels) and not (voxels > 0).any()]
    found = [
        _partly_labelled({name: len(labelled[name]) for name in rows if name not in unscored}, scores, judged),
        _named(unscored, f"not scored on the {judged.scans} in round {rounds[-1].number}"),
        _named(absent, f"absent from the truth of all {judged.scans}; DSC and NSD follow the rule for empty organs"),
        _named([name for name, table in rows.items() if _is_never_found(table)],
               f"DSC is 0 in every {judged.words} scan of round {rounds[-1].number} that has it"),
    ]  # fmt: skip
    return [text for text in found if text]


def _partly_labelled(counts: dict[str, int], scores: pd.DataFrame, judged: JudgedSet) -> str:
    scans = scores["case"].nunique()
    if set(counts.values()) == {scans}:
        return ""
    return (
        f"Of {count(scans, f'{judged.words} scan')}{judged.origin} not all have every organ labelled: "
        f"{in_words(counts)}. An organ is judged where it is labelled; the mean over organs counts each organ alike."
    )


def _is_never_found(scores: pd.DataFrame) -> bool:
    present = scores[scores["truth_voxels"] > 0]
    return len(present) > 0 and bool((present["DSC"] == 0).all())


def _named(organs: list[str], what: str) -> str:
    return f"{capitalised(', '.join(organs))}: {what}." if organs else ""


def missing(results: Results) -> list[str]:
    """Rounds that have not come this far yet."""
    found = [(round_, missing_parts(round_)) for round_ in results.chain]
    text = [_gap(round_, parts) for round_, parts in found if parts]
    text += [f"The folder round_{number} is of a round that the configuration no longer has: nothing here is of it."
             for number in results.left_over]  # fmt: skip
    if not results.run:
        text.append("The run has not written its record (run.json) yet: versions and configuration are unknown.")
    if since := judged_since(results):
        text.append(f"The record of the run {since}: versions, configuration and evaluation mode may not be theirs.")
    return text


def judged_since(results: Results) -> str:
    """Which rounds the record of the run is not of; empty if it is of all."""
    names = [round_.name for round_ in results.judged_since]
    were = "was" if len(names) == 1 else "were"
    return f"(run.json) is of an earlier run, and {and_(names)} {were} judged since" if names else ""


def _gap(round_: Round, parts: list[str]) -> str:
    name = "The deploy student" if round_.is_deployed else f"Round {round_.number}"
    if not round_.folder.exists():
        return f"{name} has not started: there is no folder {round_.folder.name} among the results."
    return f"{name} is not complete: no {', no '.join(parts)}."


def failures(results: Results) -> list[str]:
    """Jobs that failed when they were last tried."""
    failed = failed_jobs(results)
    return [f"{count(len(failed), 'job')} failed when last tried: {', '.join(failed)}. See logs/."] if failed else []


def checks(results: Results) -> list[str]:
    """What the case check found, in one sentence; its notes alarm nobody."""
    findings = results.findings[results.findings["severity"] != "note"]
    severities = findings["severity"].value_counts()
    if severities.empty:
        return []
    parts = " and ".join(count(int(number), severity) for severity, number in severities.items())
    return [f"The case check reported {parts}: see Traceability."]
