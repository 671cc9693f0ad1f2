"""The answer in words: sure only where interval and test agree."""

from dataclasses import replace

import pytest

from noisy_student.report.results import read_results
from noisy_student.report.verdict import headline, worsened
from noisy_student.sets import JudgedSet
from synthetic_results import SyntheticRun


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return read_results(SyntheticRun(gains=(0.0,), test=3, validation=0).write(tmp_path_factory.mktemp("run")))


def compared(results, low, high, p, direction=0):
    values = {"difference": (low + high) / 2, "ci_low": low, "ci_high": high, "p_wilcoxon": p, "p_holm": p}
    values |= {"rank_biserial": direction or values["difference"], "n": 50, "wins": 4, "ties": 0, "losses": 46}
    return replace(results, comparison=results.comparison.assign(**values))


@pytest.mark.parametrize(
    ("low", "high", "p", "words", "tone"),
    [
        (0.01, 0.05, 0.01, "is better than the teacher, by more than chance explains", "better"),
        (-0.05, -0.01, 0.01, "is worse than the teacher, by more than chance explains", "worse"),
        (-0.01, 0.05, 0.4, "cannot be told apart", ""),
        (0.01, 0.05, 0.064, "looks better than the teacher, but the evidence is mixed: the interval of the difference "
         "excludes 0, Wilcoxon’s test does not (p\xa0=\xa00.064)", ""),
        (-0.05, 0.01, 0.03, "looks worse than the teacher, but the evidence is mixed: the interval of the difference "
         "includes 0, Wilcoxon’s test excludes it (p\xa0=\xa00.030)", ""),
    ],
)  # fmt: skip
def test_headline_is_as_sure_as_interval_and_test(results, low, high, p, words, tone):
    said, its_tone = headline(compared(results, low, high, p), JudgedSet("test"))
    assert words in said and its_tone == tone


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.01, 0.11, "looks better than the teacher, but the evidence is mixed: the interval of the difference "
         "excludes 0, Wilcoxon’s test (p\xa0=\xa00.010) speaks for the other direction: lower in 46 of 50 scans."),
        (-0.01, 0.11, "the interval of the difference includes 0, Wilcoxon’s test (p\xa0=\xa00.010) speaks for the"),
    ],
)  # fmt: skip
def test_a_test_that_speaks_for_the_other_direction_is_no_support(results, low, high, words):
    said, tone = headline(compared(results, low, high, 0.01, direction=-0.9), JudgedSet("test"))
    assert words in said and tone == ""
    fell = worsened(compared(results, -high, -low, 0.01, direction=0.9))
    assert "speaks for the other direction: higher in 4 of 50 scans)" in fell[0]


@pytest.mark.parametrize(
    ("high", "p", "words"),
    [
        (-0.01, 0.01, "more than chance explains"),
        (0.01, 0.4, "within what chance explains"),
        (-0.01, 0.1, "interval and test disagree"),
    ],
)
def test_a_fall_is_as_sure_as_interval_and_test(results, high, p, words):
    assert words in worsened(compared(results, -0.05, high, p))[0]
