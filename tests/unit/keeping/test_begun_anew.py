"""What a run says of trainings before it begins: which begin anew and why, which are taken back, which are kept."""

import json
import os
import zipfile

import pytest
import yaml

from conftest import ROOT
from noisy_student.configuration.experiment import read_configuration
from noisy_student.errors import InputError
from noisy_student.files import sha256
from noisy_student.keeping import begun_anew
from noisy_student.keeping.aside import settle
from noisy_student.keeping.depends import DEPENDS, Depends

DEFAULT = yaml.safe_load((ROOT / "config/config.yaml").read_text())
SCANS = {"labelled": "l", "unlabelled": "u", "validation": "v", "test": "t"}


def configured(**changes):
    return read_configuration(DEFAULT | {"rounds": [{"network": "coarse"}] * 2} | changes)


def trained(folder, configuration, number, scans=SCANS):
    """What a training leaves in its fold's folder."""
    settings = json.loads(json.dumps(configuration.training_of(number)))
    settle(folder, json.dumps({"settings": settings, "data": scans}))
    (folder / DEPENDS).write_text(json.dumps(Depends(configuration, scans.get).training(number)))
    (folder / "checkpoint_final.pth").write_text("weights")
    (folder / "progress.tsv").write_text("epoch\tseconds\n0\t1800.0\n1\t5400.0\n")


@pytest.fixture
def results(tmp_path):
    """Two finished rounds."""
    for number in range(2):
        trained(tmp_path / f"results/round_{number}/model/fold_0", configured(), number)
    return tmp_path / "results"


def said(results, configuration, scans=SCANS):
    return begun_anew.in_words(configuration, Depends(configuration, scans.get), results)


def test_nothing_is_said_where_nothing_changed(results):
    assert said(results, configured()) == []


def test_a_changed_setting_names_each_training_what_changed_and_what_it_took(results):
    changed = configured(training=DEFAULT["training"] | {"epochs": 30})
    heading, *lines = said(results, changed)
    assert "nothing is deleted" in heading
    assert lines[0].strip() == (
        "round 0, fold 0: begins anew (training.epochs 24 → 30); the one there, 2 epochs in 2.0 h, is set aside"
    )
    assert "round 1, fold 0: begins anew" in lines[1] and "another teacher" in lines[1]


def test_how_often_a_training_is_saved_makes_nothing_anew(results):
    assert said(results, configured(training=DEFAULT["training"] | {"checkpoint_every_epochs": 7})) == []


def test_a_training_of_which_that_was_a_part_is_kept_where_it_lies(results):
    record = results / "round_0/model/fold_0/training.json"
    content = json.loads(record.read_text())
    content["settings"]["checkpoint_every_epochs"] = 50
    record.write_text(json.dumps(content))
    assert said(results, configured()) == []


def test_from_the_first_other_training_on_rounds_are_not_as_wanted(results):
    def others(configuration):
        return begun_anew.not_as_wanted(configuration, Depends(configuration, SCANS.get), results)

    assert others(configured()) == others(configured(rounds=[{"network": "coarse"}] * 3)) == set()
    assert others(configured(training=DEFAULT["training"] | {"epochs": 30})) == {"round_0", "round_1"}
    rounds = [{"network": "coarse"}, {"network": "coarse", "selection": "confident"}]
    assert others(configured(rounds=rounds, deploy={"network": "coarse"})) == {"round_1", "round_deploy"}


def test_one_more_fold_leaves_the_teachers_first_one(results):
    both = configured(training=DEFAULT["training"] | {"folds": [0, 1]})
    _, line = said(results, both)
    assert line.strip().startswith("round 1, fold 0: begins anew (another teacher)")


@pytest.mark.parametrize(
    "changes", [{"collapse": {"policy": "keep", "noise_band": 0.04}}, {"stop": {"without_gain": True}}]
)
def test_other_rules_for_the_verdict_may_leave_every_training(results, changes):
    """They choose which round labels; as long as that stays, so does what is learned from its labels."""
    rounds = [{"network": "coarse"}] * 3
    trained(results / "round_2/model/fold_0", configured(rounds=rounds), 2)
    assert said(results, configured(rounds=rounds)) == []
    _, line = said(results, configured(rounds=rounds, **changes))
    assert line.strip().startswith("round 2, fold 0: begins anew, unless what it learns from turns out the same (")
    # A teacher of one fold more, which a start sets aside, is another one.
    trained(results / "round_1/model/fold_1", configured(rounds=rounds), 1)
    _, line = said(results, configured(rounds=rounds, **changes))
    assert line.strip().startswith("round 2, fold 0: begins anew (another teacher)")


def test_a_students_own_setting_leaves_the_teacher(results):
    rounds = [{"network": "coarse"}, {"network": "coarse", "noise": "nnunet", "selection": "confident"}]
    _, line = said(results, configured(rounds=rounds))
    assert "round 1" in line and "another selection" in line and "noise.augmentation strong → nnunet" in line


def test_another_training_of_a_round_begins_those_anew_that_start_from_it(tmp_path):
    others = [{"network": "coarse"}, {"network": "coarse", "start": {"round": 0}}]
    before = configured(rounds=[{"network": "coarse"}, *others])
    for number in range(3):
        trained(tmp_path / f"results/round_{number}/model/fold_0", before, number)
    assert said(tmp_path / "results", before) == []
    other = configured(rounds=[{"network": "coarse", "noise": "none"}, *others])
    assert [line.split(":")[0].strip() for line in said(tmp_path / "results", other)[1:]] == [
        f"round {number}, fold 0" for number in range(3)
    ]
    other = configured(rounds=[{"network": "coarse"}, others[0], others[0] | {"start": {"round": 1}}])
    _, line = said(tmp_path / "results", other)
    assert "round 2, fold 0: begins anew (start round 0 → round 1)" in line


def test_a_training_that_was_set_aside_is_said_to_come_back(results):
    other = configured(training=DEFAULT["training"] | {"epochs": 30})
    trained(results / "round_0/model/fold_0", other, 0)
    first = said(results, configured())[1]
    assert "round 0, fold 0: taken back from" in first and "training.epochs 30 → 24" in first


def test_other_unlabelled_scans_concern_the_student_alone_and_the_teacher_is_said_to_be_kept(results):
    more = SCANS | {"unlabelled": "more"}
    _, line = said(results, configured(), more)
    assert "round 1" in line and "other unlabelled scans" in line
    configuration = configured()
    heading, kept = begun_anew.kept_in_words(configuration, Depends(configuration, more.get), results, SCANS)
    assert heading.startswith("Other unlabelled scans") and "round 0, fold 0;" in kept and "round 1" not in kept


def test_scans_of_another_state_may_turn_out_the_same_to_learn_from(results):
    """As with a `name` beside them, a comment in their table, or a readme in their folder."""
    more, words = SCANS | {"labelled": "more"}, "begins anew, unless what it learns from turns out the same (other"
    _, *lines = said(results, configured(), more)
    assert all(f"round {number}, fold 0: {words}" in line for number, line in enumerate(lines)) and len(lines) == 2
    _, *lines = said(results, configured(training=DEFAULT["training"] | {"epochs": 30}), more)
    assert not any("unless" in line for line in lines) and len(lines) == 2


def test_other_test_scans_train_nothing(results):
    more = SCANS | {"test": "more"}
    configuration = configured()
    assert said(results, configuration, more) == []
    depends = Depends(configuration, more.get)
    _, kept = begun_anew.kept_in_words(configuration, depends, results, SCANS)
    assert "round 0, fold 0; round 1, fold 0" in kept
    found = begun_anew.as_wanted(configuration, depends, results)
    assert [training.place for training in found] == [("0", 0), ("1", 0)]


def test_a_model_that_was_linked_in_is_refused_before_snakemake_deletes_through_the_link(tmp_path):
    mine = tmp_path / "mine/fold_0"
    mine.mkdir(parents=True)
    (mine / "checkpoint_final.pth").write_text("weights")
    (tmp_path / "results/round_0").mkdir(parents=True)
    (tmp_path / "results/round_0/model").symlink_to(mine.parent)
    configuration = configured()
    with pytest.raises(InputError, match=r"is a link to .*mine"):
        begun_anew.refuse_foreign(configuration, Depends(configuration, SCANS.get), tmp_path / "results")


def test_a_model_that_was_copied_in_is_refused(tmp_path):
    folder = tmp_path / "results/round_0/model/fold_0"
    folder.mkdir(parents=True)
    (folder / "checkpoint_final.pth").write_text("weights")
    configuration = configured()
    with pytest.raises(InputError, match="which no training of this workflow wrote"):
        begun_anew.refuse_foreign(configuration, Depends(configuration, SCANS.get), tmp_path / "results")


def test_a_training_whose_record_a_power_cut_took_is_refused_before_snakemake_deletes_it(results):
    (results / "round_0/model/fold_0/training.json").write_text("")
    with pytest.raises(InputError, match="0 bytes that are no JSON"):
        begun_anew.refuse_foreign(configured(), Depends(configured(), SCANS.get), results)


def test_a_checkpoint_that_was_put_in_the_place_of_ones_own_is_refused(results):
    checkpoint = results / "round_0/model/fold_0/checkpoint_final.pth"
    record = checkpoint.with_suffix(".sha256")
    record.write_text(sha256(checkpoint))
    configuration = configured()
    begun_anew.refuse_foreign(configuration, Depends(configuration, SCANS.get), results)
    os.utime(record, (0, 0))
    checkpoint.write_text("half a file")
    begun_anew.refuse_foreign(configuration, Depends(configuration, SCANS.get), results)
    with zipfile.ZipFile(checkpoint, "w") as archive:
        archive.writestr("weights", "better ones")
    with pytest.raises(InputError, match="which no training of this workflow wrote"):
        begun_anew.refuse_foreign(configuration, Depends(configuration, SCANS.get), results)


def test_a_model_folder_on_another_disk_may_stay_until_it_is_to_be_trained_anew(results, tmp_path):
    model = results / "round_0/model"
    other_disk = model.rename(tmp_path / "other_disk")
    model.symlink_to(other_disk)
    same, changed = configured(), configured(training=DEFAULT["training"] | {"epochs": 30})
    begun_anew.refuse_foreign(same, Depends(same, SCANS.get), results)
    with pytest.raises(InputError, match="is a link to"):
        begun_anew.refuse_foreign(changed, Depends(changed, SCANS.get), results)


def test_a_correction_begins_the_rounds_after_its_own_anew_and_taken_away_it_changes_nothing(results):
    rounds = [{"network": "coarse"}] * 2
    corrected = configured(rounds=rounds, corrections="corrections")

    def depends(configuration, **states):
        return Depends(configuration, SCANS.get, corrected=lambda number: states.get(f"round_{number}", ""))

    for number in (0, 1):
        without = depends(configured(rounds=rounds)).training(number)
        # Of the last round's pseudo-labels, and none at all.
        assert depends(corrected, round_1="x").training(number) == depends(corrected).training(number) == without
    rounds = [{"network": "coarse"}] * 3
    corrected = configured(rounds=rounds, corrections="corrections")
    assert depends(corrected, round_1="x").training(2) != depends(corrected).training(2)
    assert depends(corrected, round_2="x").training(2) == depends(corrected).training(2)
    assert depends(corrected, round_1="x").labels(2) == depends(corrected).labels(2)
    validating = configured(rounds=rounds, corrections={"folder": "corrections", "validate": True})
    assert depends(validating, round_2="x").training(0) != depends(validating).training(0)
    moved = configured(rounds=rounds, corrections="elsewhere")
    assert depends(moved, round_1="x").training(2) == depends(corrected, round_1="x").training(2)
    trained(results / "round_1/model/fold_0", configured(), 1)
    lines = begun_anew.in_words(validating, depends(validating, round_1="x"), results)
    assert lines[1].strip().startswith("round 0, fold 0: begins anew, unless") and "(other corrected scans)" in lines[1]
