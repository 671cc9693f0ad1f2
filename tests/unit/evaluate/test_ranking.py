import numpy as np
import pandas as pd
import pytest

from noisy_student.evaluate.ranking import rank_rounds
from score_tables import scores


def efficiency(seconds, gpu, cpu, cases=("case_0", "case_1")):
    return pd.DataFrame(
        {"case": cases, "seconds": seconds, "gpu_area_over_tolerance_mb_s": gpu, "cpu_area_percent_s": cpu}
    )


SIX = [f"case_{number}" for number in range(6)]


def by_round(table):
    return table.set_index("round")


def test_ranks_per_case_then_means():
    """Round 0 wins one case of three by far, round 1 two by little: round 1 is first."""
    ranking = rank_rounds({0: scores([0.99, 0.50, 0.50]), 1: scores([0.10, 0.51, 0.51])})
    assert ranking["round"].tolist() == [1, 0]
    assert ranking["place"].tolist() == [1, 2]
    assert ranking["score"].tolist() == pytest.approx([4 / 3, 5 / 3])
    assert ranking["n_DSC"].tolist() == [3, 3]


def test_areas_count_half():
    same = scores([0.8] * 6)
    measured = {0: efficiency(1, 5, 5, SIX), 1: efficiency(2, 4, 4, SIX)}
    ranking = by_round(rank_rounds({0: same, 1: same}, measured))
    tied, best, worst = 1.5, 1, 2
    assert ranking.loc[0, "score"] == pytest.approx((2 * tied + best + 0.5 * worst + 0.5 * worst) / 4)
    assert ranking.loc[1, "score"] == pytest.approx((2 * tied + worst + 0.5 * best + 0.5 * best) / 4)
    assert ranking["place"].tolist() == [1, 1]


def test_without_a_gpu_its_area_does_not_count():
    same, nothing = scores([0.8] * 6), np.nan
    measured = {0: efficiency(1, nothing, 5, SIX), 1: efficiency(2, nothing, 4, SIX)}
    ranking = by_round(rank_rounds({0: same, 1: same}, measured))
    assert ranking.loc[0, "score"] == pytest.approx((1.5 + 1.5 + 1 + 0.5 * 2) / 3.5)
    assert ranking.loc[0, "n_gpu_area_over_tolerance_mb_s"] == 0
    assert np.isnan(ranking.loc[0, "rank_gpu_area_over_tolerance_mb_s"])


@pytest.mark.parametrize(
    ("cases", "times", "ranks"),
    [
        (5, [1, 2, 3, 4, 5], [1.5, 1.5]),
        (6, [-1, 2, -2, 3, -1, 2], [1.5, 1.5]),
        (6, [1, 1.2, 0.9, 1.1, 1, 1], [1, 2]),
    ],
)
def test_times_rank_only_where_they_differ_by_more_than_they_vary(cases, times, ranks):
    same, names = scores([0.8] * cases), SIX[:cases]
    first, second = np.full(cases, 10.0), 10 + np.array(times)
    measured = {0: efficiency(first, np.nan, 5, names), 1: efficiency(second, np.nan, 5, names)}
    ranking = by_round(rank_rounds({0: same, 1: same}, measured))
    assert ranking.loc[[0, 1], "rank_seconds"].tolist() == ranks
    assert ranking.loc[0, "n_seconds"] == cases and ranking.loc[0, "rank_cpu_area_percent_s"] == 1.5


@pytest.mark.parametrize(
    ("first", "second", "cases"),
    [
        ({"cpu": "a", "cores": 8, "gpu": None}, {"cpu": "a", "cores": 8, "gpu": None}, 6),
        ({"cpu": "a", "cores": 8, "gpu": None}, {"cpu": "a", "cores": 8, "gpu": "A100"}, 0),
        ({"cpu": "a", "cores": 8, "gpu": None}, {"cpu": "b", "cores": 8, "gpu": None}, 0),
        ({"cpu": "a", "cores": 8, "gpu": "A100"}, {"cores": 8}, 0),
        ({"cores": 8}, {"cores": 8}, 6),
    ],
)
def test_times_and_areas_rank_only_on_one_kind_of_machine(first, second, cases):
    tables = {number: efficiency(number + 1, 5, 5, SIX) for number in (0, 1)}
    measured = {0: tables[0].assign(**first), 1: tables[1].assign(**second)}
    ranking = by_round(rank_rounds(dict.fromkeys(range(2), scores([0.8] * 6)), measured))
    assert {ranking.loc[0, f"n_{measure}"] for measure in ("seconds", "cpu_area_percent_s")} == {cases}


def test_of_three_rounds_two_may_share_a_rank():
    same = scores([0.8] * 6)
    times = {0: [10.1, 9.9, 10, 10, 10.2, 9.8], 1: [20] * 6, 2: [10, 10, 10.1, 9.9, 10, 10]}
    measured = {number: efficiency(own, np.nan, np.nan, SIX) for number, own in times.items()}
    ranking = by_round(rank_rounds(dict.fromkeys(range(3), same), measured))
    assert ranking.loc[[0, 1, 2], "rank_seconds"].tolist() == [1.5, 3, 1.5]


def test_only_cases_that_all_rounds_have_are_ranked():
    measured = {0: efficiency([1, 9], [1, 1], [1, 1]), 1: efficiency([2], [1], [1], cases=("case_0",))}
    ranking = by_round(rank_rounds({0: scores([0.9, 0.9]), 1: scores([0.8, np.nan])}, measured))
    assert ranking.loc[0, ["n_DSC", "n_seconds"]].tolist() == [1, 1]
    assert ranking.loc[0, "rank_DSC"] == 1


def test_roles_are_ranked_apart():
    def both(test, validation):
        return pd.concat([scores([test]), scores([validation], role="validation", cases=["v"])])

    ranking = rank_rounds({0: both(0.5, 0.5), 1: both(0.6, 0.4)})
    first = ranking[ranking["place"] == 1].set_index("role")["round"]
    assert first.to_dict() == {"test": 1, "validation": 0}


def test_a_case_is_ranked_by_the_organs_that_are_labelled_in_it():
    before, after = np.full((2, 13), 0.5), np.full((2, 13), 0.6)
    before[0, 1:] = after[0, 1:] = np.nan
    after[1, 0] = 0.0
    ranking = by_round(rank_rounds({0: scores(before), 1: scores(after)}))
    assert ranking["n_DSC"].tolist() == [2, 2]
    assert ranking.loc[1, "rank_DSC"] == 1


def test_scores_that_are_equal_but_for_rounding_share_a_place():
    """Rounds 0 and 1 have the mean ranks 1 + 7/3 and 2 + 4/3, whose sums differ in their last bits."""
    dsc, nsd = ([1, 1, 1], [2, 2, 2], [3, 3, 3]), ([1, 3, 3], [2, 1, 1], [3, 2, 2])
    tables = {
        number: scores(*(np.repeat(1 - 0.1 * np.array(ranks)[:, None], 13, axis=1) for ranks in of_round))
        for number, of_round in enumerate(zip(dsc, nsd, strict=True))
    }
    assert by_round(rank_rounds(tables))["place"].to_dict() == {0: 1, 1: 1, 2: 3}
