"""Which cases the report shows: by rule, from the scores."""

from dataclasses import replace

import pandas as pd
import pytest

from noisy_student.report.chosen import chosen_cases, judged_cases, pseudo_labelled_cases
from noisy_student.report.results import read_results
from synthetic_results import SyntheticRun


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    run = SyntheticRun(test=7, validation=0, unlabelled=20, unfound_label=7)
    return read_results(run.write(tmp_path_factory.mktemp("run")))


def last_selection(results):
    return results.rounds[-1].selection.set_index("case")


def with_selection(results, **columns):
    last = results.rounds[-1]
    return replace(results, rounds=[*results.rounds[:-1], replace(last, selection=last.selection.assign(**columns))])


def test_worst_kept_and_best_dropped_pseudo_labels_are_those_next_to_the_threshold(results):
    table = last_selection(results)
    kept, dropped = (table.loc[table["decision"] == name, "confidence"] for name in ("kept", "dropped"))
    expected = [*kept.nsmallest(2).index, *dropped.nlargest(2).index]
    assert [choice.case for choice in pseudo_labelled_cases(results)] == expected


def test_all_kept_or_all_dropped_leaves_one_kind(results):
    confidence = last_selection(results)["confidence"]
    kept = pseudo_labelled_cases(with_selection(results, decision="kept"))
    assert [choice.case for choice in kept] == list(confidence.nsmallest(2).index)
    dropped = pseudo_labelled_cases(with_selection(results, decision="dropped"))
    assert [choice.case for choice in dropped] == list(confidence.nlargest(2).index)


def test_best_median_and_worst_case_are_those_of_the_last_round(results):
    means = results.rounds[-1].scores.groupby("case")["DSC"].mean().sort_values(ascending=False)
    first = [(choice.why, choice.case) for choice in judged_cases(results)][:3]
    assert first == [("best", means.index[0]), ("median", means.index[3]), ("worst", means.index[6])]


def test_scans_in_which_few_organs_are_labelled_are_not_the_best(results):
    last = results.rounds[-1]
    best, second = last.scores.groupby("case")["DSC"].mean().nlargest(2).index
    unlabelled = (last.scores["case"] == best) & (last.scores["label"] > 2)
    scores = last.scores.assign(
        DSC=last.scores["DSC"].mask(unlabelled), truth_voxels=last.scores["truth_voxels"].mask(unlabelled)
    )
    choices = judged_cases(replace(results, rounds=[*results.rounds[:-1], replace(last, scores=scores)]))
    assert choices[0].why == "best" and choices[0].case == second


def test_an_organ_that_fails_has_its_worst_case(results):
    scores = results.rounds[-1].scores
    spleens = scores["label"] == 3
    worst = scores.loc[spleens, "case"].iloc[2]
    low = scores.assign(DSC=scores["DSC"].mask(spleens, 0.4).mask(spleens & (scores["case"] == worst), 0.1))
    last = replace(results.rounds[-1], scores=low)
    choices = judged_cases(replace(results, rounds=[*results.rounds[:-1], last]))
    shown = pd.Series({choice.case: choice.why for choice in choices})
    assert shown[worst] in ("best", "median", "worst") or shown[worst].startswith("worst spleen, which fails")


def test_named_cases_come_last_and_once(results):
    by_rule = chosen_cases(results, [])
    named = chosen_cases(results, ["Labelled_0001", by_rule[0].case, "Labelled_0001"])
    assert named[:-1] == by_rule and named[-1].case == "Labelled_0001" and named[-1].kind == "named"
