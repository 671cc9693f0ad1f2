"""What is looked at when a run starts with models from elsewhere, and how they are taken into the results."""

import json
import os
import shutil
import zipfile

import pytest
import torch
import yaml

import noisy_student.model.elsewhere as module
from conftest import COARSE, ROOT, script
from noisy_student.configuration.experiment import read_configuration
from noisy_student.errors import InputError
from noisy_student.files import sha256
from noisy_student.model.elsewhere import (
    known,
    lacking,
    look_at,
    online_starts,
    refuse_unlike_planned,
    together,
    translations,
)
from noisy_student.model.source import read_source
from noisy_student.model.trust import record, require_trusted
from noisy_student.organs import FLARE22, to_json


def configured(teacher=None, **more):
    values = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    if teacher:
        values["rounds"] = [teacher, {"network": "coarse"}]
    return read_configuration(values | {"selection": "paper"} | more)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A run's folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results").mkdir()
    return tmp_path


@pytest.fixture
def model(untrained, here):
    """A model of two folds beside the run."""
    return shutil.copytree(untrained, here / "models/a")


def sums(model):
    return [sha256(path) for path in sorted(model.glob("fold_*/checkpoint_final.pth"))]


def with_labels(model, path, names):
    """The same networks, which call some of their labels otherwise."""
    other = shutil.copytree(model, path)
    description = json.loads((other / "dataset.json").read_text())
    description["labels"] = {names.get(name, name): label for name, label in description["labels"].items()}
    (other / "dataset.json").write_text(json.dumps(description))
    return other


def with_checkpoints(model, path, **values):
    """The same model, whose checkpoints say something else."""
    other = shutil.copytree(model, path)
    for checkpoint in other.glob("fold_*/*.pth"):
        torch.save(torch.load(checkpoint, weights_only=False) | values, checkpoint)
    return other


def test_every_checkpoint_has_to_be_named_and_the_error_has_what_to_write(model):
    first, second = sums(model)
    for trusted in ([], [first]):
        with pytest.raises(InputError) as error:
            look_at(configured({"model": str(model), "sha256": trusted}))
        assert error.value.remedy.endswith(f"write beside `model`: sha256: [{first}, {second}]")
        assert str(model / "fold_1/checkpoint_final.pth") in error.value.got
        assert (str(model / "fold_0/checkpoint_final.pth") in error.value.got) == (not trusted)
    look_at(configured({"model": str(model), "sha256": [second, first]}))
    assert known(model).folds == ["fold_0", "fold_1"] and known(model).classes == 14


def test_a_zip_is_trusted_by_its_own_checksum_and_unpacked_once_to_be_looked_at(model, here, monkeypatch):
    path = here / "model.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in model.rglob("*.*"):
            archive.write(file, f"Dataset001_X/a__b__3d_fullres/{file.relative_to(model)}")
    with pytest.raises(InputError, match=sha256(path)):
        look_at(configured({"model": str(path), "sha256": sums(model)}))
    look_at(configured({"model": str(path), "sha256": [sha256(path)]}))
    monkeypatch.setattr("noisy_student.model.source.said_by", None)
    look_at(configured({"model": str(path), "sha256": [sha256(path)]}))


def test_what_this_run_recorded_needs_no_checksum_and_its_own_rounds_are_no_teachers(model, here):
    kept = shutil.copytree(model, here / "results/kept/model")
    for path in kept.glob("fold_*/*.pth"):
        record(path)
    look_at(configured({"model": str(kept)}))
    own = shutil.copytree(kept, here / "results/round_2/model")
    with pytest.raises(InputError, match="this run would replace the model"):
        look_at(configured({"model": str(own), "sha256": sums(own)}))
    (here / "link").symlink_to(own)
    with pytest.raises(InputError, match="does not make itself"):
        look_at(configured({"model": "link", "sha256": sums(own)}))


def test_gigabytes_are_hashed_once_and_again_when_they_change(model, monkeypatch):
    hashed = []
    monkeypatch.setattr(module, "sha256", lambda path: hashed.append(path) or sha256(path))
    teacher = configured({"model": str(model), "sha256": sums(model)})
    for _ in range(2):
        look_at(teacher)
    assert len(hashed) == 2
    path = model / "fold_0/checkpoint_final.pth"
    os.utime(path, (1, 1))
    look_at(teacher)
    assert len(hashed) == 4
    before = known(model).identity
    plans = json.loads((model / "plans.json").read_text())
    (model / "plans.json").write_text(json.dumps(plans | {"plans_name": "another"}))
    look_at(teacher)
    assert len(hashed) == 4 and known(model).identity != before


@pytest.mark.parametrize("start", ["teacher", "model"])
def test_online_targets_need_weights_that_see_scans_and_name_labels_alike(model, here, start):
    other = with_labels(model, here / "other", {"liver": "hepar"})
    network = {"encoder": "plain"}
    for path, differs in ((model, ""), (other, "labels"), (model, "spacing")):
        given = {"model": str(path), "sha256": sums(path)}
        first = given if start == "teacher" else {"network": "own"}
        student = {"network": "own", "targets": "online", "start": "teacher" if start == "teacher" else given}
        spacing = [9, 9, 9] if differs == "spacing" else list(COARSE.spacing_mm_zyx)
        configuration = configured(
            networks={"own": network | {"spacing_mm_zyx": spacing}},
            rounds=[first, student],
            organs=[{"label": o.label, "name": o.name, "aliases": ["hepar"] * (o.name == "liver")} for o in FLARE22],
        )
        assert online_starts(configuration) == {1: path}
        if not differs:
            look_at(configuration)
            continue
        with pytest.raises(InputError, match=rf"targets: online[\s\S]*with other {differs}"):
            look_at(configuration)


@pytest.mark.parametrize("differs", ["", "layers", "spacing", "intensities of the labelled scans"])
def test_online_targets_need_weights_like_a_network_that_is_planned_already(model, here, differs):
    given = {"model": str(model), "sha256": sums(model)}
    configuration = configured(
        networks={"own": {"encoder": "plain", "spacing_mm_zyx": list(COARSE.spacing_mm_zyx)}},
        rounds=[given, {"network": "own", "targets": "online", "start": "teacher"}],
    )
    look_at(configuration)
    refuse_unlike_planned(configuration, here / "plans")
    plans = json.loads((model / "plans.json").read_text())
    if differs == "layers":
        plans["configurations"]["3d_fullres"]["architecture"]["arch_kwargs"]["n_stages"] += 1
    elif differs == "spacing":
        # As nnU-Net chooses it where the configuration leaves it open.
        plans["configurations"]["3d_fullres"]["spacing"] = [9, 9, 9]
    elif differs:
        plans["foreground_intensity_properties_per_channel"]["0"]["mean"] += 1
    (here / "plans/own").mkdir(parents=True)
    (here / "plans/own/plans.json").write_text(json.dumps(plans))
    if not differs:
        refuse_unlike_planned(configuration, here / "plans")
        return
    with pytest.raises(InputError, match=rf"targets: online[\s\S]*with other {differs}"):
        refuse_unlike_planned(configuration, here / "plans")


def test_first_weights_need_a_checksum_too(model):
    rounds = [{"network": "coarse"}, {"network": "coarse", "start": {"model": str(model)}}]
    with pytest.raises(InputError, match="write beside `model`"):
        look_at(configured(rounds=rounds))
    rounds[1]["start"]["sha256"] = sums(model)
    look_at(configured(rounds=rounds))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"organs": [{"label": 1, "name": "heart"}], "cohort": None}, "no organ in common"),
        ({"selection": "confident"}, "at least 10; it marks 9 and lacks right kidney, spleen, pancreas, aorta"),
        ({"selection": [{"rule": "top", "score": "volume_ml", "over": "aorta", "share": 0.5}]}, "aorta, which it does"),
        ({"prediction": {"windows": "on_body"}}, "set `windows: everywhere`"),
    ],
)
def test_a_teacher_that_could_not_label_is_refused_before_hours_are_spent(model, here, more, said):
    other = with_labels(
        model, here / "other", {name: f"part {name}" for name in ("right kidney", "spleen", "pancreas")}
    )
    other = with_labels(other, here / "fewer", {"aorta": "artery"})
    plans = json.loads((other / "plans.json").read_text())
    plans["configurations"]["3d_fullres"]["normalization_schemes"] = ["ZScoreNormalization"]
    (other / "plans.json").write_text(json.dumps(plans))
    if "cohort" in more:
        folders = {"labelled": [{"images": "a", "label_maps": "b"}]}
        more = more | {"cohort": {"kind": "folders", "folders": folders}}
    with pytest.raises(InputError, match=said):
        look_at(configured({"model": str(other), "sha256": sums(other)}, **more))


def test_one_network_alone_agrees_with_none(model, here):
    one = here / "one"
    shutil.copytree(model, one, ignore=shutil.ignore_patterns("fold_1"))
    agreement = [{"rule": "top", "score": "fold_agreement", "share": 0.5}]
    with pytest.raises(InputError, match="is one alone"):
        look_at(configured({"model": str(one), "sha256": sums(one)}, selection=agreement))
    both = {"model": [str(model), str(one)], "sha256": [*sums(model), *sums(one)]}
    for several in ({"model": str(model), "sha256": sums(model)}, both):
        look_at(configured(several, selection=agreement))


def test_models_that_mark_other_organs_agree_on_none_unless_one_has_folds(model, here):
    one = shutil.copytree(model, here / "one", ignore=shutil.ignore_patterns("fold_1"))
    names = [organ.name for organ in FLARE22]
    first = with_labels(one, here / "first", {name: f"part {name}" for name in names[:6]})
    second = with_labels(one, here / "second", {name: f"part {name}" for name in names[6:]})
    shared = with_labels(one, here / "shared", {name: f"part {name}" for name in names[7:]})
    folds = with_labels(model, here / "folds", {name: f"part {name}" for name in names[6:]})

    def teachers(*models):
        given = {"model": list(map(str, models)), "sha256": [checksum for path in models for checksum in sums(path)]}
        agreement = [{"rule": "top", "score": "fold_agreement", "share": 0.5}]
        return configured(given, selection=agreement, targets="hard")

    with pytest.raises(InputError, match="no two of these mark the same organ"):
        look_at(teachers(first, second))
    look_at(teachers(first, shared))
    look_at(teachers(first, folds))


def test_a_teacher_that_may_be_mirrored_left_right_alone_has_no_mirrored_labels(model, here):
    def look(*models):
        given = {"model": list(map(str, models)), "sha256": [checksum for path in models for checksum in sums(path)]}
        agreement = [{"rule": "top", "score": "mirror_agreement", "share": 0.5}]
        look_at(configured(given, selection=agreement, prediction={"mirroring": True}))

    none = with_checkpoints(model, here / "none", inference_allowed_mirroring_axes=None)
    left_right = with_checkpoints(model, here / "left_right", inference_allowed_mirroring_axes=(2,))
    first, second = (
        with_checkpoints(model, here / f"axis_{axis}", inference_allowed_mirroring_axes=(axis,)) for axis in (0, 1)
    )
    for models in ([none], [left_right], [first, second], [model, none]):
        with pytest.raises(InputError, match="mirror_agreement, which is with the mirrored scan's labels"):
            look(*models)
    look(first)
    look(model, second)


def test_a_zip_of_which_an_earlier_version_remembered_less_is_asked_again(model, here):
    path = here / "model.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in model.rglob("*.*"):
            archive.write(file, f"x/{file.relative_to(model)}")
    teacher = configured({"model": str(path), "sha256": [sha256(path)]})
    look_at(teacher)
    remembered = module.RECORD.read_text()
    entries = json.loads(remembered)
    assert entries[str(path)].pop("mirror_axes") == [0, 1, 2]
    module.RECORD.write_text(json.dumps(entries))
    look_at(teacher)
    assert module.RECORD.read_text() == remembered


@pytest.mark.parametrize("kind", ["transformer", "normalises batches"])
def test_a_network_that_a_trainer_built_otherwise_than_its_plans_say_is_refused(model, here, kind):
    weights = {"encoder.stages.0.0.convs.0.norm.running_mean": torch.zeros(4)}
    if kind == "transformer":
        weights = {"eva.blocks.0.norm1.weight": torch.zeros(4)}
    other = with_checkpoints(model, here / "other", network_weights=weights, trainer_name="TrainerOfSomeone")
    with pytest.raises(InputError, match="TrainerOfSomeone trained another network than its plans describe"):
        look_at(configured({"model": str(other), "sha256": sums(other)}))


def test_teachers_that_vote_have_no_soft_labels(model, here):
    fewer = with_labels(model, here / "fewer", {"aorta": "spine"})
    both = {"model": [str(model), str(fewer)], "sha256": [*sums(model), *sums(fewer)]}
    for changes in ({"targets": "soft"}, {"voxel_confidence": {"background": 0.9, "surface_mm": 10}}):
        with pytest.raises(InputError, match="so that they vote"):
            look_at(configured(both, **{"targets": "hard"} | changes))
    look_at(configured(both, targets="hard"))


def test_models_label_together_by_their_mean_or_by_vote(model, here):
    same = shutil.copytree(model, here / "same")
    fewer = with_labels(model, here / "fewer", {"aorta": "spine"})
    sources = [read_source(path) for path in (model, same, fewer)]
    assert [together(sources[:count]) for count in (1, 2, 3)] == ["", "mean", "vote"]
    marked = translations(sources, FLARE22)
    assert lacking(marked[2:]) == ["aorta"] and lacking(marked) == []


def take(model, trusted, folder, *more):
    return script("take_model.py", model, "--sha256", *trusted, "--folder", folder, *more)


def as_teacher(here):
    return "--organs", to_json(FLARE22, "label", "name"), "--verdict", here / "results/round_0/verdict.json"


def test_teachers_are_copied_and_recorded_and_what_lay_there_before_is_gone(model, here):
    folder = here / "results/round_0/taken"
    (folder / "1/fold_4").mkdir(parents=True)
    before = {path: path.stat().st_mtime_ns for path in model.rglob("*")}
    run = take(model, sums(model), folder, *as_teacher(here))
    assert run.returncode == 0, run.stderr
    assert {path: path.stat().st_mtime_ns for path in model.rglob("*")} == before
    taken = sorted((folder / "1").glob("fold_*/*.pth"))
    assert [path.parent.name for path in taken] == ["fold_0", "fold_1"] and not any(map(os.path.islink, taken))
    require_trusted(taken, [])
    verdict = json.loads((here / "results/round_0/verdict.json").read_text())
    assert verdict["labeller"] == 0 and verdict["lacks"] == [] and verdict["together"] == ""
    assert list(verdict["taken"][0]["sha256"].values()) == sums(model)


def test_of_a_model_that_is_not_trusted_no_checkpoint_is_left(model, here):
    run = take(model, sums(model)[:1], here / "results/round_0/taken", *as_teacher(here))
    assert run.returncode == 2 and sums(model)[1] in run.stderr
    assert not list(here.glob("results/round_0/taken/1/fold_1/*"))
    assert not (here / "results/round_0/verdict.json").exists()


def test_a_zip_leaves_nothing_outside_of_the_results(model, here):
    path = here / "evil.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in model.rglob("*.*"):
            archive.write(file, f"../x/{file.relative_to(model)}")
        for name in ("../../evil.txt", "/tmp/evil.txt", "../x/fold_0/../../evil.txt", "../x/fold_9/other.txt"):
            archive.writestr(name, "evil")
    run = take(path, [sha256(path)], here / "results/round_0/taken", *as_teacher(here))
    assert run.returncode == 0, run.stderr
    files = {str(file.relative_to(here / "results")) for file in (here / "results").rglob("*") if file.is_file()}
    folds = {f"round_0/taken/1/fold_{fold}/checkpoint_final.{end}" for fold in (0, 1) for end in ("pth", "sha256")}
    own = {"round_0/taken/1/plans.json", "round_0/taken/1/dataset.json", "round_0/verdict.json"}
    assert files == folds | own and not list(here.parent.glob("evil.txt"))


def test_one_fold_is_taken_under_its_number_or_the_first_under_a_number_that_is_not_there(model, here):
    for fold, source in ((1, 1), (3, 0)):
        folder = here / f"results/round_{fold}/first_weights"
        assert take(model, sums(model), folder, "--fold", fold).returncode == 0
        [taken] = folder.glob("fold_*/*.pth")
        assert taken.parent.name == f"fold_{fold}" and sha256(taken) == sums(model)[source]
