"""Each rule removes what it must, with its reason, and nothing else."""

import json
from typing import get_args

import numpy as np
import pandas as pd
import pytest

from conftest import script
from noisy_student.configuration.selection_rules import PRESETS, SELECTION, Score
from noisy_student.errors import InputError
from noisy_student.files import sha256
from noisy_student.model.scores import SCORES
from noisy_student.organs import FLARE22
from noisy_student.select.decisions import select, stop_if_nothing_is_kept
from noisy_student.select.disagreement import disagreements
from noisy_student.select.measures import COLUMNS as MEASURES
from noisy_student.select.scores import without_hand_labelled
from noisy_student.tables import read_table, write_table

# case → mean maximum probability of liver, spleen and gallbladder; None where the organ was not found
PROBABILITIES = {
    "sure": (0.9, 0.9, 0.9),
    "mixed": (0.99, 0.99, 0.3),
    "partial": (0.95, None, None),
    "empty": (None, None, None),
}
ORGANS = ((1, "liver", 1500.0), (3, "spleen", 200.0), (9, "gallbladder", 30.0))
CASES = pd.DataFrame(
    {"case": list(PROBABILITIES), "source": ["A", "B", "A", "B"], "spacing_z_mm": [2.5, 5.0, 4.9, 5.1]}
)


def scores(**columns):
    """One row per case and organ; `columns` replaces a score's values, in the order of the rows."""
    rows = [
        (case, label, organ, value, int(value is not None), volume if value else 0.0)
        for case, values in PROBABILITIES.items()
        for (label, organ, volume), value in zip(ORGANS, values, strict=True)
    ]
    table = pd.DataFrame(rows, columns=["case", "label", "organ", "mean_max_probability", "voxels", "volume_ml"])
    plain = {"stray_share": 0.0, "touches_edge": 0, "wrong_side": 0, "disagreement": None}
    return table.assign(**plain | columns)


def labelled():
    rows = [(organ, factor * volume, 0.0) for _, organ, volume in ORGANS for factor in (0.8, 1.2)]
    return pd.DataFrame(rows, columns=["organ", "volume_ml", "stray_share"])


def decided(*rules, table=None):
    table = scores() if table is None else table
    return select(table, CASES, labelled(), SELECTION.validate_python(list(rules))).set_index("case")


def kept(*rules, table=None):
    decisions = decided(*rules, table=table).decision
    return set(decisions.index[decisions == "kept"])


def threshold(score="mean_max_probability", **more):
    return {"rule": "threshold", "score": score, **more}


def test_without_rules_everything_is_kept_most_confident_first():
    table = decided()
    assert list(table.index) == ["partial", "sure", "mixed", "empty"]
    assert table.confidence.to_dict() == pytest.approx({"sure": 0.9, "mixed": 0.76, "partial": 0.95, "empty": 0.0})
    assert table.organs.to_dict() == {"sure": 3, "mixed": 3, "partial": 1, "empty": 0}
    assert set(table.decision) == {"kept"} and set(table.reason) == {"passed every rule"}


@pytest.mark.parametrize(
    ("over", "at_least", "survivors"),
    [
        ("mean", 0.8, {"sure", "partial"}),
        ("mean", 0.9, {"sure", "partial"}),
        ("minimum", 0.8, {"sure", "partial"}),
        ("maximum", 0.96, {"mixed"}),
        ("gallbladder", 0.2, {"sure", "mixed"}),
    ],
)
def test_a_threshold_drops_what_is_below_over_organs(over, at_least, survivors):
    assert kept(threshold(over=over, at_least=at_least)) == survivors


def test_an_upper_threshold_drops_what_is_above():
    table = decided(threshold(at_most=0.9))
    assert table.reason["partial"] == "mean max probability above 0.9"
    assert table.reason["empty"] == "mean max probability undefined"
    assert table.decision["sure"] == "kept"


def test_too_few_organs_drop_a_scan():
    assert kept(threshold("organs", at_least=3)) == {"sure", "mixed"}


def test_the_top_share_is_of_all_scans_and_taken_from_those_left():
    top = {"rule": "top", "score": "mean_max_probability", "share": 0.5}
    assert kept(top) == {"partial", "sure", "empty"}
    assert kept(threshold("organs", at_least=3), top) == {"sure", "mixed"}
    assert decided(top).reason["mixed"] == "mean max probability not among the best 50 %"


def test_a_number_of_the_best_scans():
    assert kept({"rule": "top", "score": "mean_max_probability", "scans": 1}) == {"partial", "empty"}


def test_scans_without_the_organ_take_no_place_among_the_best_and_are_not_the_worst():
    found = {"good": 0.9, "poor": 0.3, "without_1": None, "without_2": None}
    names = list(found)
    of_one = scores().groupby("case", sort=False).head(1)
    table = of_one.assign(
        case=names, mean_max_probability=list(found.values()), voxels=[1, 1, 0, 0], volume_ml=[9.0, 9.0, 0.0, 0.0]
    )
    cases = CASES.assign(case=names)

    def survivors(*rules):
        decisions = select(table, cases, labelled(), SELECTION.validate_python(list(rules)))
        return set(decisions.case[decisions.decision == "kept"])

    half = {"rule": "top", "score": "mean_max_probability", "share": 0.5}
    assert survivors(half) == {"good", "without_1", "without_2"}
    # Scans that a rule above dropped count as they did: of four scans the better half.
    assert survivors(threshold("organs", at_least=1), half) == {"good", "poor"}
    # A score that scans without organs have, too, ranks them.
    assert survivors({"rule": "top", "score": "organs", "scans": 2}) == {"good", "poor"}


@pytest.mark.parametrize(
    ("per", "survivors"),
    [
        ("source", {"partial", "mixed", "empty"}),
        ("spacing", {"sure", "partial", "empty"}),
        ("organs", {"sure", "partial", "empty"}),
    ],
)
def test_a_quota_keeps_the_best_of_each_stratum(per, survivors):
    """Spacings round to 2 mm (sure) and 5 mm; sure and mixed have all organs, the others each lack their own."""
    assert kept({"rule": "top", "score": "mean_max_probability", "scans": 1, "per": per}) == survivors


@pytest.mark.parametrize(
    ("quota", "expected"),
    [({"share": 0.5}, 25), ({"share": 0.65}, 33), ({"share": 0.1}, 5), ({"share": 1.0}, 50), ({"scans": 10}, 10)],
)
def test_groups_by_organs_that_are_too_small_for_their_share_are_one(quota, expected):
    random, names = np.random.default_rng(0), [f"case_{number:02}" for number in range(50)]
    rows = [(case, label, f"organ {label}", random.random() < 0.5) for case in names for label in range(1, 31)]
    table = pd.DataFrame(rows, columns=["case", "label", "organ", "voxels"]).astype({"voxels": int})
    sure = pd.Series(random.random(len(table)))
    table = table.assign(mean_max_probability=sure.where(table.voxels > 0), volume_ml=table.voxels * 9.0)
    cases = pd.DataFrame({"case": names, "source": "A", "spacing_z_mm": 5.0})
    rule = {"rule": "top", "score": "mean_max_probability", "per": "organs", **quota}
    decisions = select(table, cases, labelled(), SELECTION.validate_python([rule]))
    assert (decisions.decision == "kept").sum() == expected


def test_a_group_by_organs_that_is_large_enough_has_its_own_share():
    """Of five scans four show all organs; the better half of these is kept, and the one that is alone."""
    names = ["a", "b", "c", "d", "e"]
    rows = [
        (case, place, organ, 0.5 + number / 10)
        for number, case in enumerate(names)
        for place, organ in ((1, "liver"), (3, "spleen"))
    ]
    table = pd.DataFrame(rows, columns=["case", "label", "organ", "mean_max_probability"]).assign(
        voxels=1, volume_ml=9.0
    )
    table.loc[1, ["mean_max_probability", "voxels", "volume_ml"]] = [None, 0, 0.0]
    cases = pd.DataFrame({"case": names, "source": "A", "spacing_z_mm": 5.0})
    rule = {"rule": "top", "score": "mean_max_probability", "share": 0.5, "per": "organs"}
    decisions = select(table, cases, labelled(), SELECTION.validate_python([rule]))
    assert set(decisions.case[decisions.decision == "kept"]) == {"a", "d", "e"}


def test_scores_of_which_less_is_better_are_ranked_so():
    strays = scores(stray_share=[0.1, 0.1, 0.1, 0.0, 0.0, 0.0, 0.5, None, None, None, None, None])
    assert kept({"rule": "top", "score": "stray_share", "scans": 1}, table=strays) == {"mixed", "empty"}


@pytest.mark.parametrize(
    ("score", "over"), [("wrong_side", "maximum"), ("touches_edge", "maximum"), ("masked", "mean")]
)
def test_the_best_scans_are_those_with_the_fewest_flaws(score, over):
    table = scores() if score == "masked" else scores(**{score: [1, 0, 0] + [0] * 9})
    flawed = threshold(over="liver", at_least=0.95, action="mask")
    best = {"rule": "top", "score": score, "over": over, "scans": 3}
    assert kept(flawed, best, table=table) == {"mixed", "partial", "empty"}


def test_a_share_is_rounded_up_and_no_further():
    """0.28 times 25 is more than 7 as binary numbers are multiplied."""
    names = [f"case {number:02}" for number in range(25)]
    table = pd.concat([scores()[:1].assign(case=name) for name in names], ignore_index=True)
    cases = pd.DataFrame({"case": names, "source": "A", "spacing_z_mm": 5.0})
    for share, expected in ((0.28, 7), (0.29, 8), (0.001, 1)):
        rules = SELECTION.validate_python([{"rule": "top", "score": "mean_max_probability", "share": share}])
        assert (select(table, cases, labelled(), rules).decision == "kept").sum() == expected


def test_all_reasons_are_on_record():
    table = decided(threshold("organs", at_least=3), threshold(at_least=0.99))
    assert table.reason["partial"] == "organs below 3; mean max probability below 0.99"


def test_an_unsure_organ_is_masked_and_the_scan_stays():
    table = decided(threshold(at_least=0.5, action="mask"))
    assert table.masked.to_dict() == {"sure": "", "mixed": "gallbladder", "partial": "", "empty": ""}
    assert table.decision["mixed"] == "kept"
    assert table.mask_reason["mixed"] == "gallbladder: mean max probability below 0.5"


def test_one_organ_alone_may_be_masked_by_its_own_score():
    table = decided(threshold(over="spleen", at_least=0.95, action="mask"))
    assert table.masked.to_dict() == {"sure": "spleen", "mixed": "", "partial": "", "empty": ""}
    with pytest.raises(InputError, match="thumb"):
        decided(threshold(over="thumb", at_least=0.5, action="mask"))
    with pytest.raises(ValueError, match="judges each organ singly"):
        decided(threshold(over="minimum", at_least=0.5, action="mask"))


def test_a_scan_with_too_many_masked_organs_can_be_dropped():
    rules = threshold(at_least=0.95, action="mask"), threshold("masked", at_most=1)
    assert kept(*rules) == {"mixed", "partial", "empty"}


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"volume_ml": 5000.0}, "5000 ml, above 3600"),
        ({"volume_ml": 100.0}, "100 ml, below 600"),
        ({"volume_ml": 100.0, "touches_edge": 1}, ""),
        ({"stray_share": 0.3}, "30% of it lies apart"),
        ({"wrong_side": 1}, "on the wrong side"),
    ],
)
def test_an_implausible_organ_is_masked_or_drops_its_scan(changes, wrong):
    table = scores()
    for column, value in changes.items():
        table.loc[0, column] = value
    masked = decided({"rule": "plausible"}, table=table)
    assert masked.mask_reason["sure"] == (f"liver: {wrong}" if wrong else "")
    assert set(masked.decision) == {"kept"} and (masked.masked.drop("sure") == "").all()
    dropped = decided({"rule": "plausible", "action": "drop"}, table=table)
    assert dropped.decision["sure"] == ("dropped" if wrong else "kept")


def test_blackbean_drops_the_scan_that_teachers_disagree_about_most():
    disagreement = [value for value in (0.1, 0.9, 0.2, 0.3) for _ in ORGANS]
    rules = [{**PRESETS["blackbean"][0], "share": 0.75}]
    assert kept(*rules, table=scores(disagreement=disagreement)) == {"sure", "partial", "empty"}


@pytest.mark.parametrize("score", ["disagreement", "organ_disagreement"])
def test_in_the_first_round_there_is_no_disagreement_to_judge(score):
    table = scores(**{score: None})
    rules = ({"rule": "top", "score": score, "share": 0.5}, threshold(score, at_most=0.1))
    for over in ("mean", "maximum", "gallbladder"):
        assert len(kept(*({**rule, "over": over} for rule in rules), table=table)) == 4
    if score == "organ_disagreement":
        masked = decided(threshold(score, at_most=0.1, action="mask"), table=table)
        assert set(masked.decision) == {"kept"} and set(masked.masked) == {""}


@pytest.mark.parametrize("score", ["disagreement", "organ_disagreement"])
def test_a_scan_whose_disagreement_alone_is_undefined_is_not_trusted(score):
    values = [value for value in (0.05, 0.05, 0.05, None) for _ in ORGANS]
    assert kept(threshold(score, at_most=0.1), table=scores(**{score: values})) == {"sure", "mixed", "partial"}


def test_brananas_drops_scans_on_which_folds_disagree():
    agreement = [value for value in (0.9, 0.8, 0.86) for _ in ORGANS] + [None] * 3
    assert kept(*PRESETS["brananas"], table=scores(fold_agreement=agreement)) == {"sure", "partial"}


def test_a_score_that_was_not_computed_stops_with_the_reason():
    with pytest.raises(InputError, match="several `folds`"):
        decided(*PRESETS["brananas"], table=scores(fold_agreement=None))
    with pytest.raises(InputError, match="liver"):
        decided(threshold(over="thumb", at_least=0.5))


@pytest.mark.parametrize("value", [float("inf"), "nan"])
def test_a_score_that_is_no_number_stops_the_run(value):
    wrong = scores(mean_entropy=pd.Series([0.1] * 12, dtype=object))
    wrong.loc[4, "mean_entropy"] = value
    with pytest.raises(InputError, match="mixed"):
        decided(table=wrong)


def test_a_case_on_which_the_network_gave_no_number_stops_the_run():
    table = scores()
    table.loc[table.case == "sure", "mean_max_probability"] = None
    with pytest.raises(InputError, match="sure"):
        decided(table=table)


def test_a_selection_may_name_every_score_that_there_is_and_no_other():
    measured = set(MEASURES) | set(disagreements([np.zeros((1, 1, 1), np.uint8)], FLARE22)) | set(SCORES)
    assert set(get_args(Score)) == measured - {"label", "organ", "changed_voxels"} | {"organs", "masked"}


def test_every_score_is_in_the_table():
    table = decided(table=scores(mean_entropy=0.2))
    for name in ("mean_max_probability", "mean_entropy", "stray_share", "volume_ml"):
        assert {f"{name}_mean", f"{name}_min", f"{name}_max"} <= set(table)
    assert set(decided(table=scores(mean_entropy=0.2, changed_ml=3.0))) == set(table)
    assert table.mean_max_probability_min["mixed"] == 0.3


def test_keeping_nothing_stops_with_the_reasons():
    table = decided(threshold(at_least=0.99)).reset_index()
    with pytest.raises(InputError, match=r"0\.950.*3 × mean max probability below 0\.99"):
        stop_if_nothing_is_kept(table)
    stop_if_nothing_is_kept(decided().reset_index())


def filled():
    """The same scores of labelled scans: the gallbladder is labelled by hand in two of them, in two the liver."""
    return without_hand_labelled(scores(), CASES.assign(organs=["9", "9", "1", "1"]))


def test_a_filled_scan_is_judged_by_the_organs_that_it_lacks():
    table = decided(table=filled())
    assert table.confidence.to_dict() == pytest.approx({"sure": 0.9, "mixed": 0.99, "partial": 0.0, "empty": 0.0})
    assert table.volume_ml_max["sure"] == 1500 and table.volume_ml_min["sure"] == 200
    assert kept(threshold(at_least=0.95), table=filled()) == {"mixed"}
    unsure = decided(threshold(at_least=0.5, action="mask"), table=filled())
    assert unsure.masked["mixed"] == ""


def test_of_a_filled_scan_organs_count_that_were_found_or_are_labelled_by_hand():
    assert decided(table=filled()).organs.to_dict() == {"sure": 3, "mixed": 3, "partial": 1, "empty": 1}
    assert kept(threshold("organs", at_least=3), table=filled()) == {"sure", "mixed"}


def test_a_rule_over_an_organ_passes_over_scans_in_which_it_is_labelled_by_hand():
    assert kept(threshold(over="gallbladder", at_least=0.5), table=filled()) == {"sure", "mixed"}
    assert kept(threshold(over="liver", at_least=0.95), table=filled()) == {"mixed", "partial", "empty"}
    top = {"rule": "top", "score": "mean_max_probability", "over": "liver", "scans": 1}
    assert kept(top, table=filled()) == {"mixed", "partial", "empty"}


def test_where_a_teacher_finds_nothing_that_is_missing_a_threshold_drops_and_does_not_stop():
    table = filled()
    nothing = table[table.case.isin(["partial", "empty"])]
    assert kept(threshold(at_least=0.5), table=nothing) == set()


def test_labelled_scans_are_decided_on_apart_so_that_none_takes_an_unlabelled_ones_place(tmp_path):
    """The best half of each, by what is learned; without a kept one of either the round stops."""
    roles = {"sure": "unlabelled", "mixed": "labelled", "partial": "labelled", "empty": "unlabelled"}
    organs = CASES.case.map({"mixed": "9", "partial": "9"})
    write_table(CASES.assign(role=CASES.case.map(roles), organs=organs), tmp_path / "cases.tsv")
    write_table(labelled(), tmp_path / "labelled.tsv")
    write_table(scores(), tmp_path / "scores.tsv")
    write_table(scores()[["case", "label", "organ"]].assign(components=1), tmp_path / "measures.tsv")
    tables = [f"--{name}={tmp_path / name}.tsv" for name in ("cases", "scores", "measures", "labelled")]
    places = {name: tmp_path / f"{name}.tsv" for name in ("output", "filling", "dropped")}
    into = [f"--{name}={path}" for name, path in places.items()]

    def run(*rules):
        return script("select_pseudo_labels.py", *tables, *into, f"--rules={json.dumps(rules)}")

    half = {"rule": "top", "score": "mean_max_probability", "share": 0.5}
    assert run(half).returncode == 0
    decisions = [
        read_table(places[name], ["case"]).set_index("case").decision.to_dict() for name in ("output", "filling")
    ]
    assert decisions == [{"sure": "kept", "empty": "kept"}, {"mixed": "kept", "partial": "dropped"}]
    # Filled scans alone are enough to learn from.
    assert run({"rule": "threshold", "score": "mean_max_probability", "at_least": 0.94}).returncode == 0
    assert set(read_table(places["output"], ["case"]).decision) == {"dropped"} and not places["dropped"].exists()
    assert run({"rule": "threshold", "score": "mean_max_probability", "at_least": 0.995}).returncode
    assert places["dropped"].exists()


def test_rules_decide_nothing_on_corrected_scans_which_take_no_others_place(tmp_path):
    """Of four scans one was corrected as a whole, one in its gallbladder; the better half of the others is kept.

    The last has no organ, and no place among them.
    """
    write_table(CASES.assign(role="unlabelled"), tmp_path / "cases.tsv")
    write_table(labelled(), tmp_path / "labelled.tsv")
    write_table(scores(), tmp_path / "scores.tsv")
    write_table(scores()[["case", "label", "organ"]].assign(components=1), tmp_path / "measures.tsv")
    for number, rows in ((1, [("sure", "ben", "1 3 9"), ("mixed", None, "9")]), (2, [("sure", "anna", "1 3 9")])):
        label_map = tmp_path / f"{number}.nii.gz"
        label_map.write_text(str(number))
        corrected = pd.DataFrame(rows, columns=["case", "reader", "organs"])
        marks = {"round": number, "is_used": "yes", "sha256": str(number) * 64, "label_map": str(label_map)}
        marks["file"] = marks["label_map"]
        write_table(corrected.assign(**marks, labels_sha256=sha256(label_map)), tmp_path / f"corrected_{number}.tsv")
    tables = [f"--{name}={tmp_path / name}.tsv" for name in ("cases", "scores", "measures", "labelled", "dropped")]
    corrected = ("--corrected", tmp_path / "corrected_1.tsv", tmp_path / "corrected_2.tsv")
    half = [{"rule": "top", "score": "mean_max_probability", "share": 0.5}]
    selection = tmp_path / "selection.tsv"
    run = script("select_pseudo_labels.py", *tables, f"--rules={json.dumps(half)}", *corrected, "--output", selection)
    assert run.returncode == 0, run.stderr
    table = read_table(selection, ["case"]).set_index("case")
    assert table.decision.to_dict() == {"sure": "corrected", "mixed": "kept", "partial": "kept", "empty": "kept"}
    assert table.reason["sure"] == "label of round 2 corrected by anna (SHA-256 222222222222)"
    # The gallbladder, of which the teacher was least sure, is labelled by hand.
    assert table.confidence["mixed"] == pytest.approx(0.99) and table.confidence.is_monotonic_decreasing
    # Corrected scans alone are enough to learn from.
    none = [{"rule": "threshold", "score": "mean_max_probability", "at_least": 0.999}]
    run = script("select_pseudo_labels.py", *tables, f"--rules={json.dumps(none)}", *corrected, "--output", selection)
    assert run.returncode == 0, run.stderr
    assert set(read_table(selection, ["case"]).decision) == {"corrected", "dropped"}
