import pandas as pd
import pytest

from noisy_student.configuration import Selection
from noisy_student.errors import InputError
from noisy_student.learning.selection import select, stop_if_nothing_is_kept

# case → mean maximum probability of organs 1, 2, 3; None where the organ was not found
PROBABILITIES = {
    "sure": (0.9, 0.9, 0.9),
    "mixed": (0.99, 0.99, 0.3),
    "partial": (0.95, None, None),
    "empty": (None, None, None),
}


def scores():
    rows = [(case, label, value) for case, values in PROBABILITIES.items() for label, value in enumerate(values, 1)]
    return pd.DataFrame(rows, columns=["case", "label", "mean_max_probability"])


def decided(**rules):
    return select(scores(), Selection(**rules)).set_index("case")


def test_the_mean_over_organs_is_the_confidence():
    table = decided(reduce="mean")
    assert table.confidence.to_dict() == pytest.approx({"sure": 0.9, "mixed": 0.76, "partial": 0.95, "empty": 0.0})
    assert list(table.index) == ["partial", "sure", "mixed", "empty"]


def test_the_minimum_over_organs_is_the_confidence():
    assert decided(reduce="minimum").confidence["mixed"] == pytest.approx(0.3)


def test_a_threshold_drops_what_is_below_and_says_so():
    table = decided(threshold=0.8)
    assert table.decision.to_dict() == {"sure": "kept", "partial": "kept", "mixed": "dropped", "empty": "dropped"}
    assert table.reason["mixed"] == "confidence below 0.8"
    assert table.reason["sure"] == "confidence at least 0.8"


def test_a_confidence_at_the_threshold_is_kept():
    assert decided(threshold=0.9).decision["sure"] == "kept"


def test_too_few_organs_drop_a_scan():
    table = decided(minimum_organs=3)
    assert table.decision["partial"] == "dropped" and "3 organs" in table.reason["partial"]
    assert table.decision["mixed"] == "kept"
    assert table.organs.to_dict() == {"sure": 3, "mixed": 3, "partial": 1, "empty": 0}


def test_at_most_the_most_confident_share_is_kept():
    table = decided(keep_fraction=0.5)
    assert table.index[table.decision == "kept"].tolist() == ["partial", "sure"]
    assert table.reason["mixed"] == "not among the most confident 50%"
    assert decided(keep_fraction=0.5, minimum_organs=3).decision.to_dict() == {
        "partial": "dropped", "sure": "kept", "mixed": "kept", "empty": "dropped"
    }  # fmt: skip


def test_keeping_nothing_stops_with_the_best_confidence():
    rules = Selection(threshold=0.99)
    table = select(scores(), rules)
    with pytest.raises(InputError, match=r"0\.950"):
        stop_if_nothing_is_kept(table, rules)
    stop_if_nothing_is_kept(select(scores(), Selection(threshold=0.5)), rules)
