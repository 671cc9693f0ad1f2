"""What trackers are given: each step once, whenever the giver is called, killed, or called again."""

import json
import subprocess
import sys
import time
import types
from importlib.util import find_spec
from types import SimpleNamespace

import pytest
import yaml

from conftest import ROOT, script
from noisy_student.configuration.experiment import read_configuration
from noisy_student.errors import InputError
from noisy_student.files import sha256
from noisy_student.running.tracking import trackers
from noisy_student.running.tracking.tracked import flat, tracked
from noisy_student.running.tracking.trackers import SCRIPT, Trackers, give, require_packages

EPOCHS = "epoch\tlearning_rate\ttraining_loss\tvalidation_loss\tvalidation_dice\tseconds\n"
SUMMARY = "role\tlabel\torgan\tmeasure\tn\tmean\n"


class Results:
    """The results of a run as far as trackers look at them."""

    def __init__(self, folder):
        self.folder = folder / "mine/results"
        self.fold = self.folder / "round_0/model/fold_0"
        self.fold.mkdir(parents=True, exist_ok=True)
        self.settings()

    def settings(self, epochs=5):
        made_from = {
            "settings": {"epochs": epochs, "noise": {"augmentation": "strong"}},
            "sha256": {"plans.json": "ab"},
        }
        (self.fold / "training.json").write_text(json.dumps(made_from))

    def epochs(self, count, loss=1.0):
        rows = [f"{epoch}\t0.01\t{loss / (epoch + 1)}\tnan\t0.{epoch}\t6\n" for epoch in range(count)]
        (self.fold / "progress.tsv").write_text(EPOCHS + "".join(rows))

    def judged(self, number, dsc):
        path = self.folder / f"round_{number}/summary.tsv"
        path.parent.mkdir(exist_ok=True)
        path.write_text(
            f"{SUMMARY}test\t0\tmean\tDSC\t2\t{dsc}\ntest\t2\tright kidney\tDSC\t2\t{dsc}\ntest\t3\tx\tDSC\t0\t\n"
        )

    def ended(self, rounds, seed=1, checksum="cd"):
        judged = {f"results/{path.parent.name}/summary.tsv": sha256(path) for path in self.folder.glob("*/summary.tsv")}
        run = {"rounds": rounds, "configuration": {"seed": seed}, "checksums": {"results/a": checksum} | judged}
        (self.folder / "run.json").write_text(json.dumps(run))
        (self.fold / "checkpoint_final.sha256").write_text("ef")


@pytest.fixture
def results(tmp_path):
    return Results(tmp_path)


@pytest.fixture(autouse=True)
def own_environment(monkeypatch):
    """Trackers set variables, which are for the process of the command alone."""
    for name, value in {**trackers.SILENT, "MLFLOW_ALLOW_FILE_STORE": "true"}.items():
        monkeypatch.setenv(name, value)


def test_rounds_that_an_earlier_run_had_more_are_not_this_runs(results):
    results.epochs(3)
    for number in range(3):
        results.judged(number, 0.7)
    results.ended(2)
    training, scores = tracked(results.folder, ["0", "1"])
    assert training.name == "round_0 fold_0" and scores.is_finished
    assert [point.step for point in scores.curves["test/DSC/mean"]] == [0, 1]
    assert [one.name for one in tracked(results.folder, ["1", "2"])] == ["scores"]


def test_a_training_has_its_curves_settings_and_checksum(results):
    results.epochs(3)
    results.ended(1)
    (training,) = tracked(results.folder)
    assert (training.experiment, training.name, training.is_finished) == ("mine", "round_0 fold_0", False)
    assert [point.value for point in training.curves["training_loss"]] == pytest.approx([1, 1 / 2, 1 / 3])
    ends = [point.at for point in training.curves["seconds"]]
    assert ends[2] - ends[0] == pytest.approx(12) and ends[2] == pytest.approx(time.time(), abs=60)
    # What is no number is no point.
    assert "validation_loss" not in training.curves
    assert flat(training.settings)["noise.augmentation"] == "strong"
    assert list(training.artefacts.values()) == ["ef"]
    results.settings(epochs=3)
    (other,) = tracked(results.folder)
    assert other.is_finished and other.identity != training.identity


def test_scores_of_all_rounds_are_curves_over_rounds(results):
    for number, dsc in ((0, 0.5), (1, 0.6), ("deploy", 0.4)):
        results.judged(number, dsc)
    results.ended(2)
    *_, scores = tracked(results.folder)
    assert {name: [point.value for point in points] for name, points in scores.curves.items()} == {
        "test/DSC/mean": [0.5, 0.6],
        "test/DSC/right kidney": [0.5, 0.6],
        "deploy/test/DSC/mean": [0.4],
        "deploy/test/DSC/right kidney": [0.4],
    }
    assert scores.is_finished and scores.settings == {"seed": 1}


def test_a_record_of_other_scores_is_not_this_runs(results):
    for dsc in (0.5, 0.6):
        results.judged(0, dsc)
        *_, scores = tracked(results.folder)
        assert not scores.is_finished and scores.settings == scores.artefacts == {}
        results.ended(1)
        *_, scores = tracked(results.folder)
        assert scores.is_finished and scores.settings == {"seed": 1}
    results.judged(1, 0.7)
    *_, scores = tracked(results.folder)
    assert not scores.is_finished and scores.settings == {}


def test_a_curve_has_its_set_where_the_role_has_several(results):
    path = results.folder / "round_0/summary.tsv"
    sets = (("test", "a"), ("test", "b"), ("validation", "a"))
    rows = [f"{role}\t{name}\t0\tmean\tDSC\t2\t0.5\n" for role, name in sets]
    path.write_text(SUMMARY.replace("role\t", "role\tset\t") + "".join(rows))
    *_, scores = tracked(results.folder)
    assert list(scores.curves) == ["test/a/DSC/mean", "test/b/DSC/mean", "validation/DSC/mean"]


def scalars(place):
    """What TensorBoard shows of a folder: run → curve → [(step, value)]; and its texts."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = {}
    for folder in sorted(place.glob("*/*")):
        seen = EventAccumulator(str(folder)).Reload()
        curves = {tag: [(event.step, pytest.approx(event.value, rel=1e-6)) for event in seen.Scalars(tag)]
                  for tag in seen.Tags()["scalars"]}  # fmt: skip
        # Newer accumulators have scalars as tensors.
        for tag in seen.Tags()["tensors"]:
            for event in seen.Tensors(tag):
                if event.tensor_proto.string_val:
                    curves[tag] = event.tensor_proto.string_val[0].decode()
        found[folder.name.rpartition("_")[0]] = curves
        assert len(list(folder.iterdir())) == 1
    return found


def test_tensorboard_has_each_step_once_however_often_it_is_given(results, tmp_path):
    place = tmp_path / "board"
    for count in (0, 2, 2, 5):
        results.epochs(count)
        give(results.folder, {"tensorboard": str(place)})
    (curves,) = scalars(place).values()
    assert curves["training_loss"] == [(step, 1 / (step + 1)) for step in range(5)]
    assert "| noise.augmentation | `strong` |" in curves["settings"]


@pytest.mark.parametrize("lost", [1, 7, 40])
def test_tensorboard_goes_on_where_a_killed_giver_left_half_a_record(results, tmp_path, lost):
    place = tmp_path / "board"
    results.epochs(3)
    give(results.folder, {"tensorboard": str(place)})
    (path,) = place.glob("*/*/events*")
    path.write_bytes(path.read_bytes()[:-lost])
    results.epochs(4)
    give(results.folder, {"tensorboard": str(place)})
    (curves,) = scalars(place).values()
    for name in ("training_loss", "validation_dice", "seconds"):
        assert sorted(step for step, _ in curves[name]) == [0, 1, 2, 3]


def test_tensorboard_shows_a_round_that_was_judged_anew_with_its_new_score_alone(results, tmp_path):
    place = tmp_path / "board"
    for dsc in (0.5, 0.7):
        results.judged(0, 0.4)
        results.judged(1, dsc)
        give(results.folder, {"tensorboard": str(place)})
    assert scalars(place)["scores"]["test/DSC/mean"] == [(0, 0.4), (1, 0.7)]


def test_another_training_of_the_same_fold_stands_beside_the_first(results, tmp_path):
    for epochs in (5, 6):
        results.settings(epochs)
        results.epochs(2)
        give(results.folder, {"tensorboard": str(tmp_path / "board")})
    assert len(list((tmp_path / "board").glob("*/*"))) == 2


def mlflow_runs(place):
    """Run → its parameters, its state, and curve → [(step, value)]."""
    from noisy_student.running.tracking.to_mlflow import client_of

    client = client_of(str(place))
    experiment = client.get_experiment_by_name("mine")
    runs = client.search_runs([experiment.experiment_id])
    return {
        run.info.run_name: (
            run.data.params,
            run.info.status,
            {
                key: [(m.step, m.value) for m in client.get_metric_history(run.info.run_id, key)]
                for key in run.data.metrics
            },
            [file.path for file in client.list_artifacts(run.info.run_id)],
        )
        for run in runs
    }


def test_mlflow_has_each_step_once_and_the_settings_and_artefacts(results, tmp_path):
    for count in (2, 5):
        results.epochs(count)
        results.judged(0, 0.5)
        give(results.folder, {"mlflow": str(tmp_path / "runs")})
    results.ended(1)
    give(results.folder, {"mlflow": str(tmp_path / "runs")})
    runs = mlflow_runs(tmp_path / "runs")
    parameters, state, curves, _ = runs["round_0 fold_0"]
    assert state == "FINISHED" and parameters["noise.augmentation"] == "strong"
    assert curves["training_loss"] == [(step, 1 / (step + 1)) for step in range(5)]
    parameters, state, curves, files = runs["scores"]
    assert parameters == {"seed": "1"} and curves["test/DSC/right kidney"] == [(0, 0.5)]
    assert state == "FINISHED" and files == ["artefacts.json"]


def test_mlflow_begins_a_run_anew_whose_points_were_made_anew(results, tmp_path):
    for loss in (1.0, 2.0):
        results.epochs(2, loss)
        give(results.folder, {"mlflow": str(tmp_path / "runs")})
    ((_, _, curves, _),) = mlflow_runs(tmp_path / "runs").values()
    assert curves["training_loss"] == [(0, 2.0), (1, 1.0)]


def test_mlflow_has_the_settings_and_artefacts_of_the_run_whose_scores_it_has(results, tmp_path):
    place = tmp_path / "runs"
    results.judged(0, 0.5)
    results.ended(1)
    give(results.folder, {"mlflow": str(place)})
    results.judged(1, 0.6)
    give(results.folder, {"mlflow": str(place)})
    scores = [(0, 0.5), (1, 0.6)]
    parameters, state, curves, files = mlflow_runs(place)["scores"]
    assert (parameters, state, curves["test/DSC/mean"], files) == ({}, "RUNNING", scores, [])
    for seed in (2, 3):
        results.ended(2, seed=seed)
        give(results.folder, {"mlflow": str(place)})
        parameters, state, curves, files = mlflow_runs(place)["scores"]
        assert (parameters, state, curves["test/DSC/mean"]) == ({"seed": str(seed)}, "FINISHED", scores)
        assert files == ["artefacts.json"]


def test_mlflow_is_given_other_artefacts_of_the_same_scores(results, tmp_path):
    place = tmp_path / "runs"
    results.judged(0, 0.5)
    for checksum in ("cd", "ce"):
        results.ended(1, checksum=checksum)
        give(results.folder, {"mlflow": str(place)})
        (path,) = place.glob("*/*/artifacts/artefacts.json")
        assert json.loads(path.read_text())["results/a"] == checksum


def test_scores_of_runs_in_folders_of_one_name_stand_side_by_side(tmp_path):
    from mlflow.entities import ViewType

    from noisy_student.running.tracking.to_mlflow import client_of

    place, board = tmp_path / "runs", tmp_path / "board"
    for _ in range(2):
        for name, dsc in (("a", 0.5), ("b", 0.7)):
            one = Results(tmp_path / name)
            one.judged(0, dsc)
            give(one.folder, {"mlflow": str(place), "tensorboard": str(board)})
    client = client_of(str(place))
    runs = client.search_runs([client.get_experiment_by_name("mine").experiment_id], run_view_type=ViewType.ALL)
    scores = [run for run in runs if run.info.run_name == "scores"]
    assert sorted(run.data.metrics["test/DSC/mean"] for run in scores) == [0.5, 0.7]
    assert {run.info.lifecycle_stage for run in scores} == {"active"}
    assert len(list(board.glob("mine/scores_*"))) == 2


def test_scores_of_runs_at_one_path_of_two_computers_are_not_the_same(results):
    results.judged(0, 0.5)
    seen = set()
    for day in (1, 1, 2):
        (results.folder / "jobs.tsv").write_text(f"rule\tstarted\ntrain\t2026-01-0{day}T00:00:00+00:00\n")
        seen |= {one.identity for one in tracked(results.folder) if one.name == "scores"}
    assert len(seen) == 2


@pytest.fixture
def wandb(monkeypatch):
    """A recorder in the place of the package."""
    calls = []

    def init(**options):
        calls.append(("init", options))
        log, finish = (lambda values, step: calls.append(("log", step, values))), lambda: calls.append(("finish",))
        return SimpleNamespace(log=log, finish=finish)

    recorder = types.ModuleType("wandb")
    recorder.init = init
    monkeypatch.setitem(sys.modules, "wandb", recorder)
    monkeypatch.delitem(sys.modules, "noisy_student.running.tracking.to_wandb", raising=False)
    return calls


def test_wandb_is_given_what_is_finished_once_and_whole(results, tmp_path, wandb):
    place = tmp_path / "offline"
    results.epochs(4)
    give(results.folder, {"wandb": str(place)})
    assert not wandb
    results.epochs(5)
    for _ in range(2):
        give(results.folder, {"wandb": str(place)})
    (_, options), *logged, end = wandb
    assert options["mode"] == "offline" and options["dir"] == str(place) and options["project"] == "mine"
    assert options["config"]["noise"] == {"augmentation": "strong"}
    assert [step for _, step, _ in logged] == list(range(5)) and logged[1][2]["training_loss"] == 0.5
    assert end == ("finish",)


def test_wandb_is_given_no_scores_with_the_record_of_earlier_ones(results, tmp_path, wandb):
    results.judged(0, 0.5)
    results.ended(1)
    results.judged(0, 0.7)
    give(results.folder, {"wandb": str(tmp_path / "offline")})
    assert not wandb
    results.ended(1, seed=2)
    give(results.folder, {"wandb": str(tmp_path / "offline")})
    (_, options), (_, _, logged), _ = wandb
    assert options["config"]["seed"] == 2 and logged["test/DSC/mean"] == 0.7


def test_wandb_writes_a_run_again_that_a_killed_giver_left_half(results, tmp_path, wandb):
    place = tmp_path / "offline"
    results.epochs(5)
    give(results.folder, {"wandb": str(place)})
    (given,) = (place / "given").iterdir()
    given.unlink()
    half = place / f"wandb/offline-run-1-{given.name}"
    half.mkdir(parents=True)
    give(results.folder, {"wandb": str(place)})
    assert not half.exists() and given.exists()
    assert [call[1]["id"] for call in wandb if call[0] == "init"] == [given.name] * 2


def test_one_tracker_that_fails_is_named_and_keeps_nothing_from_the_others(results, tmp_path):
    results.epochs(2)
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(InputError, match=r"tensorboard at .*file: .*exists|tensorboard at .*Not a directory"):
        give(results.folder, {"tensorboard": str(tmp_path / "file"), "mlflow": str(tmp_path / "runs")})
    assert list(mlflow_runs(tmp_path / "runs")) == ["round_0 fold_0"]


def test_a_package_that_is_missing_is_said_before_hours_are_spent():
    if find_spec("wandb"):
        pytest.skip("wandb is installed")
    with pytest.raises(InputError, match="pip install wandb") as error:
        require_packages({"tensorboard": "a", "wandb": "b"})
    assert "none of wandb in" in str(error.value)
    require_packages({})


def test_nothing_that_is_computed_depends_on_trackers():
    settings = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    without = read_configuration(settings)
    chosen = read_configuration({**settings, "tracking": {"tensorboard": "board", "mlflow": "http://server:5000"}})
    assert chosen.tracking.places == {"tensorboard": "board", "mlflow": "http://server:5000"}
    assert chosen.model_dump_json() == without.model_dump_json()
    assert chosen.training_of(1) == without.training_of(1)


def test_the_command_gives_and_says_so(results, tmp_path):
    results.epochs(1)
    run = script("track.py", "--results", results.folder, "--tensorboard", tmp_path / "board")
    assert run.returncode == 0, run.stderr
    assert run.stdout == f"tensorboard at {tmp_path}/board has all of this run: trainings and scores, 1 in all\n"


def test_two_commands_at_once_give_each_step_once(results, tmp_path):
    results.epochs(5)
    command = [sys.executable, SCRIPT, "--results", results.folder, "--tensorboard", tmp_path / "board"]
    both = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [one.wait() for one in both] == [0, 0]
    (curves,) = scalars(tmp_path / "board").values()
    assert curves["training_loss"] == [(step, 1 / (step + 1)) for step in range(5)]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (
            ["-c", "import sys; sys.exit('no\\nserver')"],
            "warning: not all was given to the trackers: no server; the run",
        ),
        (["-c", "import time; time.sleep(60)"], "timed out"),
    ],
)
def test_a_tracker_that_fails_or_hangs_is_one_line_and_the_run_goes_on(tmp_path, capsys, monkeypatch, command, said):
    monkeypatch.setattr(trackers, "PATIENCE_SECONDS", 0.5)
    feeding = Trackers(tmp_path, {"mlflow": "x"}, ["0"], SimpleNamespace(interrupted_by=""))
    feeding.command = [sys.executable, *command]
    feeding.beat.once()
    feeding.beat.once()
    words = capsys.readouterr().err
    assert said in words and words.count("\n") == 1


def test_without_a_tracker_nothing_is_started(tmp_path):
    feeding = Trackers(tmp_path, {}, ["0"], SimpleNamespace(interrupted_by=""))
    feeding.begin()
    assert not feeding.beat.is_alive()
