"""The study's arms, the cohort's label maps, and its tables from made-up scores."""

import os
import subprocess
import sys
from collections import Counter

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
import yaml
from snakemake.utils import update_config

from arms import Counts, Shares, Study
from conftest import ROOT
from correct_scans import chosen
from correct_scans import main as correct
from judge_voxels import counts
from make_study_cohort import deal, dealt_sets, make_partly_labelled
from noisy_student.configuration.experiment import read_configuration
from noisy_student.files import read_json
from noisy_student.images import read_image
from noisy_student.organs import FLARE22
from noisy_student.tables import read_table, write_table
from study_tables import arms_table, confidence_table, ranks, recovered, scores_table, selections_table

ORGANS = {1: "liver", 2: "spleen"}
LIFTS = {"labelled_only": 0.0, "paper": 0.05, "kept": 0.1, "all_true_labels": 0.2}
STUDY = ROOT / "benchmarks/study/study.yaml"
OVERLAYS = {
    name: yaml.safe_load((ROOT / f"benchmarks/study/{name}.yaml").read_text())
    for name in ("choice", "choice_painted", "clinic", "partial", "review")
}
# What arms are compared for; all else of a training is the same.
COMPARED = ("noise", "targets", "fine_tuning", "voices", "labelled_fraction")
TEACHER = {"network": "study"}
STUDENT = {"network": "study", "start": "teacher"}


@pytest.fixture
def study():
    rounds = {
        "labelled_only": [TEACHER],
        "all_true_labels": [TEACHER, STUDENT | {"noise": "none"}],
        "paper": [TEACHER, STUDENT],
        "kept": [TEACHER, STUDENT | {"selection": "confident"}],
    }
    arms = {arm: {"rounds": own} for arm, own in rounds.items()}
    return Study.read(STUDY, {"arms": arms, "seeds": [1, 2]})


def configurations(study):
    """Each arm's configuration, as its experiment reads it."""
    for arm in study.arms:
        values = yaml.safe_load((ROOT / "config/config.yaml").read_text())
        update_config(values, study.configuration | study.arms[arm])
        yield arm, read_configuration(values)


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
        for arm, kept in (("paper", 5), ("kept", 2)):
            folder = tmp_path / study.folder(arm, seed)
            scores = rows.assign(mean_max_probability=quality, mean_entropy=1 - quality)
            write_table(scores, folder / "pseudo_label_scores.tsv")
            write_table(rows.assign(wrong_side=0), folder / "shards/label_measures_0.tsv")
            write_table(rows.assign(DSC=quality**2), folder / "pseudo_label_truth.tsv")
            decision = ["dropped"] * (5 - kept) + ["kept"] * kept
            selection = pd.DataFrame({"case": cases, "decision": decision, "masked": None})
            write_table(selection, folder / "selection.tsv")
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


@pytest.mark.parametrize("overlay", [{}, *OVERLAYS.values()], ids=["study", *OVERLAYS])
def test_all_arms_are_experiments_that_train_alike_in_their_last_round(overlay):
    trainings, study = {}, Study.read(STUDY, overlay)
    for arm, own in configurations(study):
        training = own.training_of(len(own.rounds) - 1)
        trainings[arm] = {name: value for name, value in training.items() if name not in COMPARED}
    assert {study.lowest, study.highest} <= trainings.keys()
    assert all(training == trainings[study.lowest] for training in trainings.values())
    assert trainings[study.lowest]["seed"] == 1


def test_the_arms_of_the_study_differ_in_what_they_say():
    own = dict(configurations(Study.read(STUDY, {})))
    assert own["paper"].noise_of(1).augmentation == "nnunet" != own["all_kept"].noise_of(1).augmentation
    assert not own["all_kept"].selection_of(1) and not own["all_kept"].voxel_confidence_of(1)
    assert own["all_soft_calm_3"].targets_of(3) == "soft" != own["voxel_masking_2"].targets_of(2)
    assert own["voxel_masking_2"].voxel_confidence_of(2).background == 0.99


def test_an_experiment_waits_for_those_that_it_goes_on_from():
    study = Study.read(STUDY, {})
    assert study.needed("labelled_only") == [] and study.needed("labelled_strong_longer") == ["labelled_strong"]
    assert study.needed("all_kept") == ["labelled_only", "labelled_strong"] == study.needed("all_true_labels")
    assert study.needed("voxel_masking_2") == ["labelled_only", "voxel_masking"]
    assert study.before("all_soft_calm_3") == "all_soft_calm_2"


def test_an_arms_teacher_is_the_arm_before_its_last_round():
    study = Study.read(STUDY, {})
    teachers = {arm: study.teacher(arm) for arm in study.students}
    assert teachers["paper"] == "labelled_only" and teachers["all_kept"] == "labelled_strong"
    assert teachers["all_soft_calm_3"] == "all_soft_calm_2" and teachers["voxel_masking_2"] == "voxel_masking"
    assert not {"all_true_labels", "labelled_strong_longer", "labelled_calm"} & set(teachers)
    assert (
        study.first_students["voxel_masking"] == "voxel_masking_2" and study.first_students["labelled_only"] == "paper"
    )


def test_an_experiment_begins_with_one_on_the_same_scans():
    study = Study.read(STUDY, OVERLAYS["partial"])
    assert study.needed("filled") == ["marginal_once"]
    assert study.needed("filled_later") == ["marginal", "marginal_once"]
    assert study.students == ["filled", "filled_sure", "filled_later", "filled_later_sure"]
    assert study.needed("background") == ["background_once"]


def test_every_organ_is_labelled_in_as_many_scans_as_the_study_says():
    sets = OVERLAYS["partial"]["partly"]
    dealt = dealt_sets(sets, 20, seed=3)
    assert len(dealt) == 20 and dealt != dealt_sets(sets, 20, seed=4)
    assert set(Counter(organ for organs in dealt for organ in organs).values()) <= {4, 6}
    assert {organ for organs in sets for organ in organs} == {organ.name for organ in FLARE22}


def test_a_partly_labelled_scan_keeps_the_organs_that_it_is_said_to_have(tmp_path):
    counts = Counts(labelled=2, unlabelled=1, validation=1, test=1)
    study = Study.read(STUDY, OVERLAYS["partial"] | {"partly": [["liver", "spleen"]]})
    earlier = [tmp_path / name for name in ("scans/Test/images/FLARETest_0002_0000.nii.gz", "partly_labelled/x.nii.gz")]
    for path in earlier:
        path.parent.mkdir(parents=True)
        path.touch()
    make_partly_labelled(study, counts, 1, None, tmp_path)
    assert not any(path.exists() for path in earlier)
    table = read_table(tmp_path / "partly_labelled.tsv")
    assert table.organs.tolist() == ["liver, spleen"] * 2
    for row in table.itertuples():
        labels = read_image(tmp_path / row.label_map)
        whole = read_image(tmp_path / "scans/Training/FLARE22_LabeledCase50/labels" / f"{row.case}.nii.gz")
        kept, all_labels = (sitk.GetArrayFromImage(image) for image in (labels, whole))
        assert set(np.unique(kept)) == {0, 1, 3} and (kept[kept > 0] == all_labels[kept > 0]).all()
        assert (np.isin(all_labels, (1, 3)) == (kept > 0)).all() and (tmp_path / row.image).exists()


def test_label_maps_are_dealt_by_the_seed_and_every_one_is_used_once(tmp_path):
    maps = [tmp_path / f"maps/{number}.nii.gz" for number in range(12)]
    for path in maps:
        path.parent.mkdir(exist_ok=True)
        path.touch()
    orders, roles = [], Counts(labelled=5, unlabelled=4, validation=1, test=2)
    for seed in (1, 1, 2):
        deal(maps, tmp_path / f"dealt_{seed}", seed, roles, repeats=1)
        orders.append([path.resolve().name for path in sorted((tmp_path / f"dealt_{seed}").iterdir())])
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[2]) == sorted(path.name for path in maps)
    deal(maps, tmp_path / "twice", 2, roles.model_copy(update={"unlabelled": 8}), repeats=2)
    twice = [path.resolve().name for path in sorted((tmp_path / "twice").iterdir())]
    assert twice == [*orders[2][:5], *np.repeat(orders[2][5:9], 2), *orders[2][9:]]
    deal(maps[:8], tmp_path / "twice", 3, roles.model_copy(update={"unlabelled": 1, "test": 1}), repeats=1)
    assert sorted(path.resolve().name for path in (tmp_path / "twice").iterdir()) == [path.name for path in maps[:8]]


def test_scans_to_correct_are_the_lists_first_the_least_confident_or_any(tmp_path):
    table = {"place": range(1, 9), "case": list("abcdefgh"), "confidence": [0.9, 0.8, 0.7, 0.95, 0.6, 0.5, 0.99, 0.1]}
    write_table(pd.DataFrame(table), tmp_path / "review.tsv")
    assert chosen(tmp_path / "review.tsv", "list", 3, 1) == ["a", "b", "c"]
    assert chosen(tmp_path / "review.tsv", "confidence", 3, 1) == ["h", "f", "e"]
    drawn = {seed: chosen(tmp_path / "review.tsv", "random", 3, seed) for seed in range(5)}
    assert drawn[1] == chosen(tmp_path / "review.tsv", "random", 3, 1) and len(set(map(tuple, drawn.values()))) > 1


def test_of_an_earlier_choice_no_correction_stays(tmp_path, monkeypatch):
    cases, results = ["a", "b"], tmp_path / "arm/results"
    review = pd.DataFrame({"place": [1, 2], "case": cases, "confidence": [0.9, 0.8]})
    write_table(review, results / "round_1/review/review.tsv")
    truths = [f"{case}.nii.gz" for case in cases]
    write_table(pd.DataFrame({"case": cases, "truth": truths}), results / "cohort/cases.tsv")
    for name in truths:
        (tmp_path / "arm" / name).touch()
    for by in ("list", "confidence"):
        options = {"experiment": tmp_path / "arm", "by": by, "scans": 1, "seed": 1}
        options |= {"corrections": tmp_path / "corrections", "output": tmp_path / "corrected.txt"}
        words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
        monkeypatch.setattr(sys, "argv", ["correct_scans.py", *words])
        correct()
    assert [path.name for path in (tmp_path / "corrections/round_1").iterdir()] == ["b.nii.gz"]
    assert (tmp_path / "corrected.txt").read_text() == "b\n"


def test_an_arm_with_corrections_differs_in_them_alone():
    study = Study.read(STUDY, OVERLAYS["review"])
    rounds = [study.rounds(arm) for arm in (study.lowest, *study.corrected)]
    assert all(own == rounds[0] for own in rounds)
    places = {arm: study.arms[arm]["corrections"] for arm in study.corrected}
    assert places == {arm: f"../{arm}_corrections" for arm in study.corrected}
    assert study.rounds(study.handed_out) == rounds[0][:-1] and study.needed("corrected_all") == [study.lowest]


def test_the_scans_of_a_seed_are_painted_around_the_label_maps_as_they_are_now(embedded, tmp_path):
    maps = tmp_path / "maps"
    maps.mkdir()
    source = next(embedded.rglob("FLARE22_Tr_0001.nii.gz"))

    def cohort():
        study = Study.read(STUDY, {"label_maps": str(maps)}).model_dump_json()
        command = [sys.executable, ROOT / "benchmarks/study/make_study_cohort.py", "--study", study, "--seed", "3"]
        output = tmp_path / "seed_3/cohort.json"
        environment = os.environ | {"PYTHONPATH": str(ROOT / "workflow/scripts")}
        subprocess.run([*command, "--output", output], check=True, env=environment)
        return read_json(output)

    for number in range(10):
        (maps / f"{number}.nii.gz").symlink_to(source)
    first = cohort()
    embedded_scans = first["cohort"]["embedded"]
    assert first["seed"] == 3 and embedded_scans["variation"] == Study.read(STUDY, {}).variation
    assert [embedded_scans[role] for role in ("labelled", "unlabelled", "validation", "test")] == [5, 1, 1, 3]
    dealt = tmp_path / "seed_3/labelled_only" / embedded_scans["label_maps"]
    assert len(list(dealt.resolve().iterdir())) == 10
    (maps / "0.nii.gz").rename(maps / "other.nii.gz")
    assert cohort()["cohort"]["embedded"]["label_maps"] != embedded_scans["label_maps"]


@pytest.mark.parametrize(("maps", "expected"), [(30, (5, 13, 4, 8)), (10, (5, 1, 1, 3)), (100, (17, 43, 14, 26))])
def test_roles_share_the_label_maps(maps, expected):
    counts = Shares(labelled=0.17, validation=0.14, test=0.26).counts(maps)
    assert (counts.labelled, counts.unlabelled, counts.validation, counts.test) == expected
    review = Study.read(STUDY, OVERLAYS["review"]).painted.counts(30)
    assert (review.labelled, review.unlabelled, review.validation, review.test) == (5, 32, 1, 8)


def test_voxels_are_counted_as_used_right_and_missed():
    truth, labels = np.array([[[1, 1, 2, 0, 0]]]), np.array([[[1, 0, 1, 1, 0]]])
    assert counts(truth, labels, np.ones((1, 1, 5), bool)).tolist() == [5, 3, 3, 3, 1, 1]
    assert counts(truth, labels, np.array([[[True, False, False, True, True]]])).tolist() == [3, 3, 1, 2, 1, 0]
