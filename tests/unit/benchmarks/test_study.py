"""The study's arms, the cohort's label maps, and its tables from made-up scores."""

import numpy as np
import pandas as pd
import pytest
import yaml
from pydantic import ValidationError

from arms import Shares, Study
from conftest import ROOT
from judge_voxels import counts
from make_study_cohort import deal
from noisy_student.tables import write_table
from study_tables import arms_table, confidence_table, ranks, recovered, scores_table, selections_table

ORGANS = {1: "liver", 2: "spleen"}
LIFTS = {"labelled_only": 0.0, "paper": 0.05, "kept": 0.1, "all_true_labels": 0.2}


@pytest.fixture
def study():
    settings = yaml.safe_load((ROOT / "benchmarks/study/study.yaml").read_text())
    arms = {"labelled_only": {}, "all_true_labels": {"truth": True}}
    arms |= {"paper": {"teacher": "labelled_only"}, "kept": {"teacher": "labelled_only", "selection": "default"}}
    return Study.model_validate(settings | {"arms": arms, "seeds": [1, 2]})


def scores_of(arm, seed, lift, count=6):
    random = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        own = 0.5 + 0.2 * random.random()
        role = "test" if number % 2 else "validation"
        rows += [(f"c{number}", role, label, organ, own + lift, own + lift) for label, organ in ORGANS.items()]
    table = pd.DataFrame(rows, columns=["case", "role", "label", "organ", "DSC", "NSD"])
    return table.assign(arm=arm, seed=seed, case=f"{seed}/" + table.case)


def test_the_share_of_the_gap_is_recovered_and_differences_have_their_intervals(study):
    scores = pd.concat([scores_of(arm, seed, lift) for arm, lift in LIFTS.items() for seed in (1, 2)])
    table = arms_table(scores, study)
    test = table[(table.role == "test") & (table.measure == "DSC")].set_index("arm")
    assert test.scans.unique() == [6]
    assert test.recovered.to_dict() == pytest.approx({name: lift / 0.2 for name, lift in LIFTS.items()})
    assert test.minus_labelled_only["kept"] == pytest.approx(0.1) == test.minus_labelled_only_low["kept"]
    assert test.minus_paper["kept"] == pytest.approx(0.05)


def test_the_interval_of_the_share_is_wider_where_gains_differ():
    lowest = pd.DataFrame({1: [0.5, 0.5, 0.5, 0.5]})
    even, uneven = lowest + 0.1, lowest.add([0.0, 0.2, 0.0, 0.2], axis=0)
    assert recovered(even, lowest, lowest + 0.2) == pytest.approx((0.5, 0.5, 0.5))
    share, low, high = recovered(uneven, lowest, lowest + 0.2)
    assert share == pytest.approx(0.5) and low < 0.4 and high > 0.6


def test_selections_and_scores_are_set_beside_the_truth(study, tmp_path):
    cases = [f"a{number}" for number in range(5)]
    rows = pd.DataFrame([(case, label, organ) for case in cases for label, organ in ORGANS.items()])
    rows.columns = ["case", "label", "organ"]
    quality = rows.case.map(dict(zip(cases, (0.1, 0.3, 0.5, 0.7, 0.9), strict=True)))
    for seed in study.seeds:
        labels = tmp_path / f"seed_{seed}/labelled_only/labels_0"
        write_table(rows.assign(mean_max_probability=quality, mean_entropy=1 - quality), labels.with_suffix(".tsv"))
        write_table(rows.assign(wrong_side=0), labels.with_suffix(".measures.tsv"))
        write_table(rows.assign(DSC=quality**2), labels.with_suffix(".truth.tsv"))
        for arm, kept in (("paper", 5), ("kept", 2)):
            decision = ["dropped"] * (5 - kept) + ["kept"] * kept
            selection = pd.DataFrame({"case": cases, "decision": decision, "masked": None})
            write_table(selection, tmp_path / f"seed_{seed}/{arm}/selection.tsv")
    selections = selections_table(tmp_path, study).set_index(["arm", "seed"])
    assert selections.drop_rate["kept", 1] == pytest.approx(0.6) and selections.drop_rate["paper", 2] == 0
    assert selections.DSC_kept["kept", 1] == pytest.approx((0.49 + 0.81) / 2)
    assert selections.organs_on_the_wrong_side.sum() == 0
    worth = scores_table(tmp_path, study).set_index("score")
    assert worth.over_scans["mean_max_probability"] == pytest.approx(1)
    assert worth.within_organs["mean_entropy"] == pytest.approx(-1)
    groups = confidence_table(tmp_path, study).set_index("mean_max_probability")
    assert groups.organs.to_dict() == {"(0.0, 0.7]": 16, "(0.85, 0.9]": 4}
    assert groups.DSC["(0.85, 0.9]"] == pytest.approx(0.81)


def test_a_scores_rank_within_organs_is_not_that_over_scans():
    table = pd.DataFrame({
        "case": ["a", "b", "c"] * 2, "label": [1] * 3 + [2] * 3,
        "score": [0.1, 0.2, 0.3, 0.9, 0.6, 0.3], "DSC": [0.1, 0.2, 0.3, 0.1, 0.2, 0.3],
    })  # fmt: skip
    found = ranks(table, "score")
    assert found["within_organs"] == pytest.approx(0) and found["over_scans"] == pytest.approx(-1)


def test_the_committed_studies_are_whole_and_teachers_stand_above_their_students(study):
    settings = yaml.safe_load((ROOT / "benchmarks/study/study.yaml").read_text())
    whole = Study.model_validate(settings)
    assert whole.teachers("default_3") == ["default_2", "default_1", "labelled_strong"]
    Study.model_validate(settings | yaml.safe_load((ROOT / "benchmarks/study/choice.yaml").read_text()))
    with pytest.raises(ValidationError, match="paper is no arm above it"):
        Study.model_validate(settings | {"arms": {"labelled_only": {}, "paper_2": {"teacher": "paper"}}})


def test_every_arm_trains_for_the_same_steps_from_the_seed(study):
    settings = [study.settings(name, 3) for name in study.arms]
    assert all(one == settings[0] for one in settings) and settings[0]["seed"] == 3


def test_label_maps_are_dealt_by_the_seed_and_every_one_is_used_once(tmp_path):
    maps = [tmp_path / f"maps/{number}.nii.gz" for number in range(12)]
    for path in maps:
        path.parent.mkdir(exist_ok=True)
        path.touch()
    orders = []
    for seed in (1, 1, 2):
        deal(maps, tmp_path / f"dealt_{seed}", seed)
        orders.append([path.resolve().name for path in sorted((tmp_path / f"dealt_{seed}").iterdir())])
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[2]) == sorted(path.name for path in maps)


@pytest.mark.parametrize(("maps", "expected"), [(30, (5, 13, 4, 8)), (10, (5, 1, 1, 3)), (100, (17, 43, 14, 26))])
def test_roles_share_the_label_maps(maps, expected):
    counts = Shares(labelled=0.17, validation=0.14, test=0.26).counts(maps)
    assert (counts.labelled, counts.unlabelled, counts.validation, counts.test) == expected


def test_voxels_are_counted_as_used_right_and_missed():
    truth, labels = np.array([[[1, 1, 2, 0, 0]]]), np.array([[[1, 0, 1, 1, 0]]])
    assert counts(truth, labels, np.ones((1, 1, 5), bool)).tolist() == [5, 3, 3, 3, 1, 1]
    assert counts(truth, labels, np.array([[[True, False, False, True, True]]])).tolist() == [3, 3, 1, 2, 1, 0]
