"""The report's section on pseudo-labels: counts, drop rates, volumes, and what the scores are worth."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from noisy_student.organs import FLARE22
from noisy_student.report.pseudo_label_groups import groups, ranges
from noisy_student.report.pseudo_label_plots import reliability_plot
from noisy_student.report.pseudo_label_tables import decisions, organs
from noisy_student.report.pseudo_label_truth import (
    confidence_and_truth,
    mean_gap,
    reliability,
    score_ranks,
    spearman,
)
from noisy_student.report.pseudo_label_volumes import kept_organs, volumes
from noisy_student.report.results import read_results
from synthetic_results import SyntheticRun


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return read_results(SyntheticRun(test=2, validation=0, unlabelled=40).write(tmp_path_factory.mktemp("run")))


def selected(results, **columns):
    """Round 1 with other columns in its selection."""
    round_ = results.rounds[1]
    return replace(round_, selection=round_.selection.assign(**columns))


def test_decisions_count_every_reason_of_a_scan(results):
    kept = results.rounds[1].selection["decision"] == "kept"
    reason = np.where(kept, "passed every rule", "too few organs; confidence below 0.8")
    table = decisions(replace(results, rounds=[selected(results, reason=reason)])).data
    counts = table.set_index("reason")["scans"]
    assert counts["passed every rule"] == kept.sum()
    assert counts["too few organs"] == counts["confidence below 0.8"] == (~kept).sum() > 0


def test_page_shows_the_frequent_reasons_and_the_file_all(results):
    number = len(results.rounds[1].selection)
    own = selected(results, decision="dropped", reason=[f"liver: {place} ml" for place in range(number)])
    table = decisions(replace(results, rounds=[own]))
    assert len(table.rows) == 8 and len(table.data) == number
    assert "The 8 most frequent reasons" in table.caption


@pytest.mark.parametrize("by", ["source", "slices", "slice spacing", "pixel spacing"])
def test_every_grouping_counts_every_scan(results, by):
    data = groups(results).data
    rows = data[(data["by"] == by) & (data["round"] == 1)]
    decided = results.rounds[1].selection["decision"]
    assert rows["cases"].sum() == len(decided) and rows["dropped"].sum() == (decided != "kept").sum()


def test_source_has_its_own_share(results):
    data = groups(results).data.set_index(["round", "by", "scans"])
    table = results.rounds[1].selection.merge(results.cases, on="case")
    share = (table.loc[table["source"] == "hospital A", "decision"] == "dropped").mean()
    assert data.loc[(1, "source", "hospital A"), "share"] == f"{share:.0%}"


def test_page_shows_the_rounds_of_a_group_side_by_side(results):
    table = groups(results)
    assert table.columns == ["by", "scans", "round 1", "round 2"]
    shown = {row[1].text: [cell.text for cell in row[2:]] for row in table.rows}
    of_a = table.data[table.data["scans"] == "hospital A"]
    assert shown["hospital A"] == [f"{row.dropped} of {row.cases} ({row.share})" for row in of_a.itertuples()]
    assert 2 * len(table.rows) == len(table.data)


def test_ranges_are_of_like_size_and_do_not_overlap():
    values = pd.Series(np.random.default_rng(1).permutation(100))
    named = ranges(values, "slices")
    assert named.cat.categories.tolist() == ["0 to 24 slices", "25 to 49 slices", "50 to 74 slices", "75 to 99 slices"]
    assert named.value_counts().tolist() == [25] * 4


def test_equal_values_are_in_one_range():
    named = ranges(pd.Series([5.0] * 9 + [2.5] * 3 + [None]), "mm")
    assert named[:9].nunique() == 1 and named[0] == "5 mm" and named[10] == "2.5 mm" and named[12] == "not given"


def test_no_range_or_volume_is_a_power_of_ten(results):
    assert ranges(pd.Series([998, 1204]), "slices").tolist() == ["998 slices", "1204 slices"]
    measured = [
        rows.assign(volume_ml=4100.0) for rows in (results.labelled_measures, results.rounds[1].pseudo_label_scores)
    ]
    round_ = replace(results.rounds[1], pseudo_label_scores=measured[1])
    large = replace(results, labelled_measures=measured[0])
    assert "liver 4100 and 4100" in volumes(large, round_).description
    assert "4100 to 4100" in [cell.text for cell in organs(large, round_).rows[0]]


def test_masked_organs_are_counted_and_left_out(results):
    kept = results.rounds[1].selection["decision"] == "kept"
    round_ = selected(results, masked=np.where(kept, "liver, spleen", None))
    assert set(kept_organs(round_)["organ"]) == {organ.name for organ in FLARE22} - {"liver", "spleen"}
    table = organs(results, round_).data.set_index("organ")
    assert table.loc["liver", "masked_cases"] == kept.sum() and table.loc["pancreas", "masked_cases"] == 0


def test_volumes_stand_beside_those_of_the_labelled_scans(results):
    table = organs(results, results.rounds[1]).data.set_index("organ")
    own = kept_organs(results.rounds[1])
    assert table.loc["liver", "median_ml"] == own.loc[own["label"] == 1, "volume_ml"].median()
    labelled = results.labelled_measures
    expected = labelled.loc[labelled["label"] == 1, "volume_ml"].median()
    assert table.loc["liver", "labelled_median_ml"] == expected
    plot = volumes(results, results.rounds[1])
    assert f"liver {table.loc['liver', 'median_ml']:.3g} and {expected:.3g};" in plot.description
    assert volumes(replace(results, labelled_measures=labelled[:0]), results.rounds[1]) is None


def test_spearman_is_that_of_scipy_and_needs_three_pairs():
    random = np.random.default_rng(1)
    first, second = pd.Series(random.integers(0, 9, 50)), pd.Series(random.normal(size=50))
    assert spearman(first, second) == pytest.approx(spearmanr(first, second).statistic)
    assert pd.isna(spearman(first[:2], second[:2]))


def test_confidence_meets_truth_by_case(results):
    round_ = results.rounds[1]
    table = confidence_and_truth(round_).set_index("case")
    truth = round_.pseudo_label_truth
    case = table.index[0]
    assert table.loc[case, "DSC"] == pytest.approx(truth.loc[truth["case"] == case, "DSC"].mean())


def test_reliability_groups_all_organs_in_order(results):
    table = reliability(results.rounds[1])
    assert table["organs"].sum() == 40 * 13 and len(table) == 8
    assert table["probability"].is_monotonic_increasing
    assert table["gap"].tolist() == pytest.approx((table["probability"] - table["DSC"]).tolist())


def test_mean_gap_is_none_where_probability_is_the_dsc(results):
    round_ = results.rounds[1]
    scores = round_.pseudo_label_scores[["case", "label", "mean_max_probability"]]
    perfect = round_.pseudo_label_truth.merge(scores, on=["case", "label"])
    perfect = perfect.assign(DSC=perfect["mean_max_probability"])
    groups_of = reliability(replace(round_, pseudo_label_truth=perfect))
    assert mean_gap(groups_of["gap"], groups_of["organs"]) == pytest.approx(0)
    unsure = perfect.assign(DSC=perfect["mean_max_probability"] - 0.2)
    groups_of = reliability(replace(round_, pseudo_label_truth=unsure))
    assert mean_gap(groups_of["gap"], groups_of["organs"]) == pytest.approx(0.2)


def test_scores_are_ranked_by_what_they_tell(results):
    data = score_ranks(results).data
    row = data[(data["round"] == 1) & (data["score"] == "mean_max_probability")].iloc[0]
    both = confidence_and_truth(results.rounds[1])
    assert row["rho"] == pytest.approx(spearman(both["confidence"], both["DSC"])) and row["scans"] == 40
    assert data[data["round"] == 1]["rho"].abs().is_monotonic_decreasing


def test_without_truth_there_is_no_reliability(results):
    blind = [replace(round_, pseudo_label_truth=round_.pseudo_label_truth[:0]) for round_ in results.rounds]
    assert reliability_plot(blind[1]) is None
    assert score_ranks(replace(results, rounds=blind)) is None
