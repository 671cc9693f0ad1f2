"""The report's reliability diagram of voxels, and its expected calibration error."""

from dataclasses import replace

import pandas as pd
import pytest

from methods_text import methods
from noisy_student.report.pseudo_label_calibration import bins, calibration, calibration_error, calibration_plot
from noisy_student.report.results import read_results
from synthetic_results import SyntheticRun, make_page


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    run = SyntheticRun(gains=(0.02,), test=2, validation=0, labelled=3, unlabelled=12)
    return make_page(run, tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def results(page):
    return read_results(page.parent.parent)


def rows(*entries):
    return pd.DataFrame(entries, columns=["confidence", "label", "organ", "voxels", "right"])


def test_bins_hold_five_per_cent_and_the_last_one_certainty():
    found = bins(
        rows((0, 1, "a", 7, 0), (1, 1, "a", 7, 7), (94, 1, "a", 10, 5), (95, 1, "a", 30, 30), (100, 2, "b", 10, 8))
    )
    assert found["voxels"].tolist() == [10, 40]
    assert found["probability"].tolist() == pytest.approx([0.945, (30 * 0.955 + 10) / 40])
    assert found["right"].tolist() == pytest.approx([0.5, 0.95])


def test_the_calibration_error_is_a_mean_over_voxels_of_their_bins_gaps():
    # Gaps within a bin cancel, as in Guo's definition; those of different bins do not.
    within = bins(rows((90, 1, "a", 100, 100), (90, 2, "b", 100, 81)))
    assert calibration_error(within) == pytest.approx(0)
    between = bins(rows((90, 1, "a", 100, 100), (50, 1, "a", 300, 0)))
    assert calibration_error(between) == pytest.approx((100 * 0.095 + 300 * 0.505) / 400)


def test_organs_and_background_stand_apart(results):
    data = calibration(results).data.set_index("labelled_as")
    assert data.loc["organs", "expected_calibration_error"] == pytest.approx(0.1)
    assert data.loc["background", "expected_calibration_error"] == pytest.approx(0)
    assert data["differing_share"].tolist() == pytest.approx([1 / 81] * 2)
    assert data["differing_right"].tolist() == pytest.approx([0.5] * 2)
    plot = calibration_plot(results, results.rounds[1])
    assert "0.100 (organs), 0.000 (background)" in plot.caption and "0.225 has 0.125" in plot.description


def test_bins_of_few_voxels_have_no_point_but_count(results):
    few = replace(results.rounds[1], pseudo_label_calibration=rows((50, 1, "a", 99, 0), (90, 1, "a", 100, 90)))
    plot = calibration_plot(results, few)
    assert "0.505 has" not in plot.description and "0.905 has 0.900" in plot.description
    assert "0.254 (organs)" in plot.caption and "background)" not in plot.caption


def test_the_report_shows_and_the_methods_name_it(page, results):
    text = page.read_text()
    assert "Calibration of voxels, round 1" in text and 'id="pseudo_label_calibration_round_1' in text
    assert (page.parent / "tables/pseudo_label_calibration.tsv").exists()
    assert "expected calibration error (Guo et al." in methods(results)


def test_of_models_that_vote_it_is_said_to_be_no_probability(results):
    teachers, student = results.rounds
    voted = replace(results, rounds=[replace(teachers, verdict=teachers.verdict | {"together": "vote"}), student])
    for text in (calibration(voted).caption, calibration_plot(voted, student).caption):
        assert "no probability but the mean of their confidences" in text
    assert "but the mean" not in calibration(results).caption + calibration_plot(results, student).caption


def test_without_truth_there_is_none(results):
    blind = [replace(r, pseudo_label_calibration=r.pseudo_label_calibration[:0]) for r in results.rounds]
    without = replace(results, rounds=blind)
    assert calibration(without) is None and calibration_plot(without, blind[1]) is None
    assert "calibration error" not in methods(without)
