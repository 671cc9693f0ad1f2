"""Voices of a training: what is written for them, also where it is interrupted, and what becomes of it."""

import json
import zipfile
from argparse import Namespace

import pytest
import torch
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

import predict
import train
from noisy_student.configuration.prediction_options import Prediction
from noisy_student.configuration.settings import Noise, Training
from noisy_student.errors import InputError
from noisy_student.files import sha256
from noisy_student.train.moving_average import MovingAverage, decay_of
from noisy_student.train.trainer import NoisyStudentTrainer, Places, thirds_of

CPU = torch.device("cpu")
VOICES = ["final", "average", "thirds"]
FILES = ["checkpoint_average.pth", "checkpoint_third_1.pth", "checkpoint_third_2.pth"]
EPOCHS, STEPS = 5, 5
NOISE = Noise(augmentation="none", dropout=0.1).model_dump()
SETTINGS = Training(
    splits=2, folds=[0], epochs=EPOCHS, iterations_per_epoch=STEPS, validation_iterations_per_epoch=1,
    optimizer="adamw", voices=VOICES,
).model_dump(exclude={"checkpoint_every_epochs"}) | {"noise": NOISE, "seed": 1, "targets": "hard"}  # fmt: skip


class Interrupted(Exception):
    """As if the training were killed."""


def trainer_in(folder, dataset, plan, **changes):
    plans = json.loads(json.dumps(plan.plans))
    places, settings = Places(dataset, folder, 0), SETTINGS | changes
    trainer = NoisyStudentTrainer.prepare(plans, plan.dataset, places, settings, CPU, 1)
    trainer.save_every = 2
    return trainer


def weights_in(checkpoint):
    return torch.load(checkpoint, weights_only=False)["network_weights"]


@pytest.fixture(scope="module")
def whole(dataset, plan, tmp_path_factory):
    """A training without interruption, and its weights before the first and after each step."""
    trainer = trainer_in(tmp_path_factory.mktemp("whole") / "model", dataset, plan)
    trainer.initialize()
    weights = []
    trainer.optimizer.register_step_post_hook(lambda *_: weights.append(copied(trainer)))
    weights.append(copied(trainer))
    trainer.run_training()
    assert len(weights) == 1 + EPOCHS * STEPS
    return trainer.places, weights


def copied(trainer):
    return {name: value.clone() for name, value in trainer.network.state_dict().items()}


def test_the_average_is_that_of_the_weights_after_each_step(whole):
    places, (average, *weights) = whole
    decay = 1 - 20 / (EPOCHS * STEPS)
    for after in weights:
        average = {name: decay * value + (1 - decay) * after[name] for name, value in average.items()}
    found = weights_in(places.voices / "checkpoint_average.pth")
    assert all(torch.allclose(found[name], average[name], atol=1e-6) for name in average)
    assert not all(torch.allclose(found[name], weights[-1][name], atol=1e-6) for name in average)


def test_thirds_are_the_weights_after_that_many_epochs_and_the_final_ones_those_of_the_last_step(whole):
    places, weights = whole
    for name, epochs in zip(FILES[1:], (1, 3), strict=True):
        found = weights_in(places.voices / name)
        assert all(torch.equal(found[key], value) for key, value in weights[epochs * STEPS].items())
    final = weights_in(places.fold_folder / "checkpoint_final.pth")
    assert all(torch.equal(final[key], value) for key, value in weights[-1].items())


@pytest.mark.parametrize(("epochs", "thirds"), [(3, (1, 2)), (4, (1, 2)), (5, (1, 3)), (24, (8, 16)), (100, (33, 66))])
def test_thirds_are_rounded_down(epochs, thirds):
    assert thirds_of(epochs) == thirds


def test_an_average_over_few_steps_is_the_last_weights():
    assert [decay_of(steps) for steps in (1, 20, 200, 250_000)] == [0, 0, 0.9, 1 - 20 / 250_000]
    network = torch.nn.Linear(1, 1)
    average = MovingAverage(network, steps=3)
    torch.nn.init.constant_(network.weight, 7.0)
    average.update()
    assert torch.equal(average.weights[0], network.weight)


def test_a_voice_is_a_checkpoint_like_the_final_one_and_nnunet_reads_it(whole):
    places, _ = whole
    final = torch.load(places.fold_folder / "checkpoint_final.pth", weights_only=False)
    for name in FILES:
        voice = torch.load(places.voices / name, weights_only=False)
        assert voice.keys() == final.keys() and voice["network_weights"].keys() == final["network_weights"].keys()
        train.copy_checkpoint(places.voices / name, places.fold_folder / name)
        stock = nnUNetPredictor(device=CPU, allow_tqdm=False)
        stock.initialize_from_trained_model_folder(str(places.model), (0,), name)
        read = stock.list_of_parameters[0]
        assert all(torch.equal(read[key], value) for key, value in voice["network_weights"].items())


# The latest checkpoints are those of epochs 2 and 4.
@pytest.mark.parametrize(("last", "epoch"), [("checkpoint_third_2.pth", 2), ("checkpoint_average.pth", 4)])
def test_a_training_that_goes_on_ends_with_the_same_voices(whole, dataset, plan, tmp_path, monkeypatch, last, epoch):
    save = NoisyStudentTrainer.save_checkpoint

    def save_and_die(trainer, filename):
        save(trainer, filename)
        if filename.endswith(last):
            raise Interrupted

    first = trainer_in(tmp_path / "model", dataset, plan)
    with monkeypatch.context() as patched, pytest.raises(Interrupted):
        patched.setattr(NoisyStudentTrainer, "save_checkpoint", save_and_die)
        first.run_training()
    second = trainer_in(tmp_path / "model", dataset, plan)
    train.resume(second)
    assert second.current_epoch == epoch
    second.run_training()
    for name in FILES:
        expected, found = weights_in(whole[0].voices / name), weights_in(second.places.voices / name)
        assert all(torch.equal(found[key], value) for key, value in expected.items())


def test_voices_are_not_written_where_they_are_not_wanted(dataset, plan, tmp_path):
    trainer = trainer_in(tmp_path / "model", dataset, plan, voices=["final"], epochs=3, iterations_per_epoch=1)
    trainer.run_training()
    assert trainer.average is None and not trainer.places.voices.exists()


class Writer:
    """Stands in for a trainer: writes what a training does, and counts."""

    def __init__(self, places, settings):
        self.places, self.settings, self.runs = places, settings, 0

    def run_training(self):
        self.runs += 1
        names = [f"voices/{name}" for name in train.voices_of(self.settings)]
        for name in ("checkpoint_finished.pth", "checkpoint_final.pth", "progress.tsv", *names):
            write_archive(self.places.fold_folder / name, f"{name}, seed {self.settings['seed']}")


def write_archive(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("weights", text)


def read_archive(path):
    with zipfile.ZipFile(path) as archive:
        return archive.read("weights").decode()


@pytest.fixture
def train_fold(tmp_path, monkeypatch):
    """Train a fold, by a stand-in, in a run's folder; gives its folder and how many trainings it took."""
    plans = tmp_path / "plans.json"
    data = tmp_path / "dataset"
    data.mkdir()
    for path in (plans, *(data / name for name in ("training_set.tsv", "splits_final.json", "dataset.json"))):
        path.write_text("{}")
    monkeypatch.setattr(train, "Predictor", lambda *_: None)
    monkeypatch.setattr(train, "read_model", lambda *_: None)
    monkeypatch.setattr(train, "prediction_of", lambda *_: Prediction())
    monkeypatch.setattr(train, "label_held_out", lambda *_: None)
    monkeypatch.setattr(train, "choose_device", lambda *_: CPU)

    def run(name="run", voices=VOICES, seed=1):
        writers = []

        def prepare(plans, dataset, places, settings, *_):
            writers.append(Writer(places, settings))
            return writers[-1]

        monkeypatch.setattr(train.NoisyStudentTrainer, "prepare", prepare)
        arguments = Namespace(
            dataset=data, plans=plans, fold=0, settings=SETTINGS | {"voices": voices}, depends={}, device="cpu",
            threads=1, first_weights=None, checkpoint_every=2,
        )  # fmt: skip
        return train.trained(arguments, tmp_path / name / "results/round_0/model", seed), len(writers)

    return run


def test_openvino_that_cannot_compute_is_refused_before_the_training(train_fold, monkeypatch):
    monkeypatch.setattr(train, "prediction_of", lambda *_: Prediction(backend="openvino"))
    monkeypatch.setattr(train, "choose_device", lambda *_: torch.device("cuda"))
    monkeypatch.setattr(train, "finish", lambda *_: pytest.fail("it was trained"))
    with pytest.raises(InputError, match="device cuda"):
        train_fold()


def test_compile_that_lacks_a_compiler_is_refused_before_the_training(train_fold, monkeypatch):
    monkeypatch.setattr(train, "prediction_of", lambda *_: Prediction(compile=True))
    monkeypatch.setattr(train, "choose_device", lambda *_: torch.device("cuda"))
    monkeypatch.setattr(train, "finish", lambda *_: pytest.fail("it was trained"))
    monkeypatch.setattr("noisy_student.model.device.shutil.which", lambda _: None)
    with pytest.raises(InputError, match=r"(?s)`compile: true`.*no C compiler"):
        train_fold()


def test_voices_lie_beside_the_final_checkpoint_as_the_runs_own(train_fold):
    for _ in range(2):
        folder, trainings = train_fold()
        for name in FILES:
            assert read_archive(folder / name) == f"voices/{name}, seed 1"
            assert (folder / name).with_suffix(".sha256").read_text() == sha256(folder / name)
    assert trainings == 0


@pytest.mark.parametrize("recorded", ["as now", "with paths"])
def test_a_run_that_was_moved_trains_nothing_anew(train_fold, tmp_path, recorded):
    description = tmp_path / "dataset/dataset.json"
    description.write_text(json.dumps({"labels": {"liver": 1}, "dataset": {"a": {"label": "/before/a.nii.gz"}}}))
    folder, _ = train_fold()
    if recorded == "with paths":
        of_files = {name: sha256(tmp_path / "dataset" / name) for name in ("training_set.tsv", "splits_final.json")}
        of_files |= {"plans.json": sha256(tmp_path / "plans.json"), "dataset.json": sha256(description)}
        content = json.loads((folder / "training.json").read_text()) | {"sha256": of_files}
        (folder / "training.json").write_text(json.dumps(content, indent=2, sort_keys=True))
        assert train_fold() == (folder, 0)
    description.write_text(json.dumps({"labels": {"liver": 1}, "dataset": {"a": {"label": "/after/a.nii.gz"}}}))
    assert train_fold() == (folder, 0)
    description.write_text(json.dumps({"labels": {"spleen": 1}, "dataset": {"a": {"label": "/after/a.nii.gz"}}}))
    assert train_fold() == (folder, 1)


def test_voices_of_another_training_give_way_to_its_own(train_fold):
    first, _ = train_fold()
    second, _ = train_fold("again", seed=2)
    train.copy_checkpoint(second / FILES[0], first / FILES[0])
    assert read_archive(first / FILES[0]).endswith("seed 2")
    assert train_fold() == (first, 0)
    assert read_archive(first / FILES[0]).endswith("seed 1")


def test_a_damaged_voice_is_trained_anew(train_fold):
    folder, _ = train_fold()
    path = folder / "voices" / FILES[1]
    path.write_bytes(path.read_bytes()[:-9])
    assert train_fold() == (folder, 1)
    assert read_archive(folder / FILES[1]) == f"voices/{FILES[1]}, seed 1"


def test_a_store_gives_a_training_with_its_voices_and_others_are_another_training(train_fold, tmp_path, monkeypatch):
    monkeypatch.setenv("NOISY_STUDENT_STORE", str(tmp_path / "store"))
    assert train_fold("first")[1] == 1
    folder, trainings = train_fold("second")
    assert trainings == 0 and [read_archive(folder / name) for name in FILES]
    (said,) = json.loads((folder / "versions.json").read_text())
    assert torch.__version__.startswith(said["torch"])
    assert (folder / FILES[0]).with_suffix(".sha256").read_text() == sha256(folder / FILES[0])
    folder, trainings = train_fold("second", voices=["final"])
    assert trainings == 1 and not [path for name in FILES for path in folder.rglob(name)]
    folder, trainings = train_fold("second")
    assert trainings == 0 and [read_archive(folder / name) for name in FILES]


def test_versions_are_those_of_the_training_and_more_of_one_that_goes_on_with_others(train_fold, monkeypatch):
    monkeypatch.setattr(train, "versions", lambda _: {"torch": "1"})
    folder, _ = train_fold()
    monkeypatch.setattr(train, "versions", lambda _: {"torch": "2"})
    assert train_fold() == (folder, 0)
    assert json.loads((folder / "versions.json").read_text()) == [{"torch": "1"}]
    (folder / "checkpoint_latest.pth").touch()
    train.say_versions(folder)
    train.say_versions(folder)
    assert json.loads((folder / "versions.json").read_text()) == [{"torch": "1"}, {"torch": "2"}]
    (folder / "checkpoint_latest.pth").unlink()
    train.say_versions(folder)
    assert json.loads((folder / "versions.json").read_text()) == [{"torch": "2"}]
    (folder / "versions.json").unlink()
    (folder / "checkpoint_latest.pth").touch()
    train.say_versions(folder)
    assert not (folder / "versions.json").exists()


def test_a_missing_voice_is_named_with_what_makes_it_again(tmp_path):
    final = tmp_path / "results/round_0/model/fold_0/checkpoint_final.pth"
    final.parent.mkdir(parents=True)
    final.touch()
    assert predict.of_voices([final], [final.name]) == [final]
    with pytest.raises(InputError, match=r"checkpoint_average.pth[\s\S]*no such file[\s\S]*--force .*final.pth"):
        predict.of_voices([final], [final.name, FILES[0]])
