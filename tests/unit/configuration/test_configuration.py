import json
import re

import pytest
import yaml
from jsonschema import Draft202012Validator

from conftest import ROOT
from noisy_student.configuration.experiment import MOST_SHARDS, Configuration, read_configuration, schema
from noisy_student.configuration.selection_rules import PRESETS, SELECTION
from noisy_student.configuration.settings import Noise, RoundStart
from noisy_student.errors import InputError

CONFIGURATIONS = sorted(ROOT.glob("config/*.yaml"))
# Given after another one.
AFTER = {"flare22_best.yaml": "flare22.yaml"}


def default() -> dict:
    return yaml.safe_load((ROOT / "config/config.yaml").read_text())


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: path.name)
def test_every_configuration_is_valid_by_model_and_by_schema(path):
    values = default()
    for one in (path.with_name(AFTER.get(path.name, path.name)), path):
        values |= yaml.safe_load(one.read_text())
    read_configuration(values)
    Draft202012Validator(json.loads(schema())).validate(values)


def test_the_schema_file_is_in_step():
    assert (ROOT / "config/config.schema.json").read_text() == schema(), "run `make schema`"


def test_the_schema_refuses_what_the_model_refuses():
    errors = list(Draft202012Validator(json.loads(schema())).iter_errors(default() | {"sed": 1}))
    assert errors and "sed" in errors[0].message


def test_a_command_has_room_for_the_names_of_all_shards():
    assert read_configuration(default() | {"shards": MOST_SHARDS}).shards == MOST_SHARDS
    with pytest.raises(InputError, match=f"shards: .*{MOST_SHARDS}"):
        read_configuration(default() | {"shards": MOST_SHARDS + 1})
    longest = [f"results/round_deploy/shards/pseudo_label_scores_{shard}.tsv " for shard in range(MOST_SHARDS)]
    assert sum(map(len, longest)) < 120 * 1024


def test_every_error_is_named_with_path_and_value():
    values = default()
    values["seed"] = -1
    values["trainig"] = {}
    values["networks"]["coarse"]["patch_size_zyx"] = [24, 48, 0]
    values["rounds"][1]["noise"] = "loud"
    with pytest.raises(InputError) as error:
        read_configuration(values)
    text = str(error.value)
    paths = ("seed", "trainig", "networks.coarse.patch_size_zyx.2", "rounds.1.noise.augmentation")
    for part in (*paths, "-1", "'loud'", "4 error"):
        assert part in text, part


FOLDER = {"images": "a", "label_maps": "b"}


def of_folders(**roles) -> dict:
    return {"cohort": {"kind": "folders", "folders": {"labelled": [FOLDER], **roles}}}


def lines_of(changes, files=()) -> list[str]:
    with pytest.raises(InputError) as error:
        read_configuration(default() | changes, files)
    return error.value.got.splitlines()[1:]


def test_the_files_that_were_read_are_named():
    with pytest.raises(InputError) as error:
        read_configuration(default() | {"seed": -1}, ["/project/default.yaml", "/run/own.yaml", "/run/own.yaml"])
    assert error.value.remedy == "correct these keys in /project/default.yaml, /run/own.yaml"


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (of_folders(labelled=[{"images": "a"}]), "cohort.folders.labelled.0.label_maps: missing"),
        (of_folders(labelled=FOLDER), "cohort.folders.labelled: a list is wanted, each of its entries behind a `-`"),
        (of_folders(test=[{"table": "a", "tabel": "b"}]), "cohort.folders.test.0.tabel: no such key"),
        ({"deploy": {"network": "coarse", "start": {"modl": "a", "model": "b"}}}, "deploy.start.modl: no such key"),
        (
            {"rounds": [{"network": "coarse"}, {"network": "coarse", "selection": [{"rule": "top"}]}]},
            "rounds.1.selection.0.score: missing",
        ),
        (
            {"voxel_confidence": {"organ": "x"}},
            "voxel_confidence.organ: Input should be a valid number, unable to parse string as a number (value: 'x'); "
            "or: Input should be 'balanced' (value: 'x')",
        ),
        ({"networks": {**default()["networks"], "Big": {}}}, "networks.Big: String should match pattern"),
        ({"organs": [{"label": 1, "name": "liver", "colour": "red"}]}, "organs.0: colour of liver must be"),
        ({"organs": ["liver", "spleen"]}, "organs: a row for each organ is wanted, `{label: 1, name: liver}`; null is"),
    ],
)
def test_an_error_is_a_line_with_the_keys_as_they_are_written(changes, line):
    (said,) = lines_of(changes)
    assert said.startswith(f"  {line}")


@pytest.mark.parametrize(
    ("labels", "wrong"),
    [
        ({6: "liver", 1: "spleen"}, "`6: liver`, `1: spleen`"),
        ({"liver": "six", "spleen": 3}, "`liver: six`"),
        ({"liver": [1, 0]}, "`liver: [1, 0]`"),
        ("liver", "`liver`"),
    ],
)
def test_numbers_by_organ_are_shown_as_they_should_be(labels, wrong):
    (said,) = lines_of(of_folders(labelled=[FOLDER | {"labels": labels}]))
    start = "  cohort.folders.labelled.0.labels: organs and their numbers from 1 on are wanted, as `liver: 6`"
    assert said.startswith(start) and f"not {wrong}" in said


def test_a_role_of_which_nothing_is_said_has_no_scans():
    given = of_folders(unlabelled=None, validation=None, test=[FOLDER])
    read = read_configuration(default() | given)
    assert read == read_configuration(default() | of_folders(unlabelled=[], validation=[], test=[FOLDER]))
    Draft202012Validator(json.loads(schema())).validate(default() | given)


@pytest.mark.parametrize(
    ("changes", "keys"),
    [
        ({"store": "~/store"}, ["store"]),
        (
            {"tracking": {"tensorboard": "~/board", "mlflow": "~/mlflow", "wandb": "~"}},
            ["tracking.tensorboard", "tracking.mlflow", "tracking.wandb"],
        ),
        ({"corrections": "~/corrected"}, ["corrections.folder"]),
        ({"cohort": {"kind": "embedded", "embedded": {"label_maps": "~/maps"}}}, ["cohort.embedded.label_maps"]),
        (
            of_folders(labelled=[{"archive": "~me/pacs", "key": "~/key", "names": "~/names", "label_maps": "~/maps"}]),
            [f"cohort.folders.labelled.0.{key}" for key in ("archive", "key", "names", "label_maps")],
        ),
        (of_folders(test=[{"table": "~/scans.tsv"}]), ["cohort.folders.test.0.table"]),
        (of_folders(unlabelled=[{"cases": "~/scans", "scan": "ct.nii.gz"}]), ["cohort.folders.unlabelled.0.cases"]),
        ({"rounds": [{"model": ["a", "~/teacher"]}]}, ["rounds.0.model"]),
        ({"rounds": [{"network": "coarse", "start": {"model": "~/teacher"}}]}, ["rounds.0.start.model"]),
    ],
)
def test_the_home_folder_of_a_shell_is_refused_in_every_path(changes, keys):
    assert [line.partition(": ")[0].strip() for line in lines_of(changes)] == keys
    assert all("`~` means nothing here: write the whole path" in line for line in lines_of(changes))


def test_an_address_and_a_path_with_a_tilde_inside_are_taken():
    read_configuration(default() | {"store": "a/~b", "tracking": {"mlflow": "http://server:5000/~me"}})


NUMBERED = {"labelled": [{"images": "a", "label_maps": "b", "labels": {"lung": 1}}]}


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("rounds", 0, "network"), "fine", "fine"),
        (("evaluation", "pool_sets"), ["internal"], "evaluation.pool_sets"),
        (("rounds", 0, "selection"), "paper", "round 0"),
        (("rounds", 0, "start"), "teacher", "round 0 has no teacher"),
        (("rounds", 0, "targets"), "soft", "round 0 learns from hand-labelled scans alone: take `targets`"),
        (("rounds", 1, "targets"), "fuzzy", "rounds.1.targets"),
        (("voxel_confidence",), {"background": 0.9, "surface_mm": 0}, "voxel_confidence.surface_mm"),
        (("voxel_confidence",), {"organ": 0.5, "surface_mm": 10}, "give `background` a bound"),
        (("voxel_confidence",), {"background": 0.9, "surface_mm": float("inf")}, "voxel_confidence.surface_mm"),
        (("voxel_confidence",), {"background": 0.995}, "whole per cent"),
        (("training", "learning_rate"), float("inf"), "training.learning_rate"),
        (("voxel_confidence",), {"background": "balanced"}, "voxel_confidence.background"),
        (("voxel_confidence",), {"organ": "even"}, "Input should be 'balanced'"),
        (("rounds", 1), {"model": "a.zip"}, "`model` is round 0's alone; a student begins with a model by `start"),
        (("rounds", 0), {"model": ["a", "b"]}, "round 1 has several teachers: name the one to start from"),
        (("rounds", 0), {"model": "a", "network": "coarse"}, "rounds.0.network: no such key"),
        (("rounds", 0), {"model": []}, "rounds.0.model"),
        (("rounds", 0), {"model": "a", "sha256": ["abc"]}, "rounds.0.sha256.0"),
        (("rounds", 1, "start"), {"model": ["a"]}, "1 error(s)\n  rounds.1.start.model: "),
        (("rounds", 1, "start"), "student", "1 error(s)\n  rounds.1.start: "),
        (("rounds", 1, "start"), {"round": -1}, "1 error(s)\n  rounds.1.start.round: "),
        (("rounds", 1, "start"), {"round": 0, "sha256": []}, "rounds.1.start.sha256: no such key"),
        (("rounds", 1, "start"), "scratch", "round 1: targets: online are made by the student's own weights"),
        (("rounds", 1, "start"), {"round": 1}, "round 1 can start from an earlier round alone, and round 1 is none"),
        (("rounds", 2, "start"), {"round": 7}, "round 2 can start from an earlier round alone, and round 7 is none"),
        (("rounds", 0, "start"), {"round": 0}, "round 0 can start from an earlier round alone, and round 0 is none"),
        (("rounds", 1, "noise"), {"stochastic_depth": 0.1}, "round 1: stochastic_depth needs"),
        (("rounds", 1, "noise"), {"mixing": 1.5}, "rounds.1.noise.mixing"),
        (("rounds", 1, "noise"), {"mixing": True}, "rounds.1.noise.mixing"),
        (("networks", "coarse", "batch_size"), 1, "round 0: mixing is of the patches of a batch, and"),
        (("rounds", 1, "noise"), {"dropout": 1}, "rounds.1.noise.dropout"),
        (("rounds", 1, "training"), {"fine_tuning": {"epochs": 24}}, "round 1: fine_tuning.epochs are the last"),
        (("rounds", 1, "training"), {"fine_tuning": {"noise": "none"}}, "those of its `epochs`, of which there are 0"),
        (
            ("training", "fine_tuning"),
            {"epochs": 2, "noise": {"stochastic_depth": 0.1}},
            "round 0: stochastic_depth needs",
        ),
        (
            ("rounds", 1, "training"),
            {"fine_tuning_epochs": 4},
            "rounds.1.training.fine_tuning_epochs: is a section now, write `fine_tuning: {epochs: 4}`",
        ),
        (("training", "voices"), [], "training.voices"),
        (("training", "voices"), ["final", "best"], "training.voices.1"),
        (("training", "voices"), ["average", "average"], "training.voices: each voice is named once"),
        (("rounds", 1, "training"), {"voices": ["thirds"], "epochs": 2}, "round 1: voices: thirds of a training need"),
        (("deploy",), {"network": "coarse", "training": {"voices": ["final"]}}, "voices` label for the next round"),
        (("deploy",), {"network": "tiny"}, "rounds name networks that are not under `networks`: tiny"),
        (("selection",), "strict", "no such preset; there are paper, blackbean, brananas, confident"),
        (("selection",), [{"rule": "threshold", "score": "organs"}], "`at_least` or `at_most`"),
        (("selection",), [{"rule": "top", "score": "organs"}], "`share` or `scans`"),
        (("selection",), [{"rule": "guess"}], "guess"),
        (
            ("selection",),
            [{"rule": "threshold", "score": "mean_max_probability", "at_least": 85}],
            "mean_max_probability is a share, from 0 to 1, not 85: of 85 per cent write 0.85",
        ),
        (("selection",), [{"rule": "threshold", "score": "stray_share", "at_most": 20}], "stray_share is a share"),
        (("collapse", "noise_band"), 5, "collapse.noise_band"),
        (("stop", "disagreement_below"), 5, "stop.disagreement_below"),
        (("training", "folds"), [0, 3], "[3]"),
        (("training", "folds"), [0, 0], "[0]"),
        (("cohort", "kind"), "folders", "folders"),
        (("training", "mirror_axes"), ["x"], "'x'"),
        (("cohort",), {"kind": "folders", "folders": NUMBERED}, "lung: no"),
        (("cohort", "folders"), NUMBERED, "write `kind: folders`"),
        (("organs",), [{"label": 2, "name": "liver"}], "labels must be 1, 2, 3"),
        (("organs",), [{"label": 1, "name": "lung"}, {"label": 2, "name": "lung"}], "names must differ"),
        (("organs",), [{"label": 1, "name": "right lung", "left_twin": "left lung"}], "'left lung'"),
        (("organs",), [{"label": 1, "name": "lung", "tolerance_mm": 0}], "tolerance_mm of lung"),
        (("organs",), [{"label": 1, "name": "lung", "colour": "red"}], "colour of lung"),
        (("organs",), [{"label": 1, "name": "lung", "tolerance": 2}], "tolerance"),
        (("organs",), [{"label": 1, "name": "lung"}], "embedded cohort has FLARE22's"),
        (("selection",), [{"rule": "threshold", "score": "organs", "at_least": 14}], "`organs` has 13"),
        (("selection",), [{"rule": "top", "score": "certainty", "share": 0.5}], "mean_max_probability"),
        (("selection",), [{"rule": "top", "score": "volume_ml", "over": "thumb", "share": 0.5}], "not thumb"),
        (("selection",), "brananas", "fold_agreement is between networks, and one alone labels for round 1"),
        (("rounds", 1, "selection"), "brananas", "several `training.folds` or `training.voices`"),
        (("selection",), [{"rule": "top", "score": "mirror_agreement", "share": 0.5}], "`prediction.mirroring: true`"),
        (
            ("selection",),
            [{"rule": "threshold", "score": "disagreement", "at_most": 0.1, "action": "mask"}],
            "disagreement is the scan's: leave `action` out",
        ),
    ],
)
def test_what_cannot_work_is_refused(path, value, said):
    values = default()
    target = values
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    with pytest.raises(InputError, match=re.escape(said)):
        read_configuration(values)


def test_openvino_on_a_gpu_is_refused():
    on_openvino = {"prediction": {"backend": "openvino"}}
    assert read_configuration(default() | on_openvino | {"device": "cpu"}).prediction.backend == "openvino"
    with pytest.raises(InputError, match="`backend: openvino` computes on a CPU, and `device` is cuda"):
        read_configuration(default() | on_openvino | {"device": "cuda"})


def test_scores_between_networks_and_mirrored_scans_are_taken_where_they_are_made():
    agreement = [
        {"rule": "top", "score": f"{of}_agreement", "share": 0.5, "over": "liver"} for of in ("fold", "mirror")
    ]
    values = default() | {"selection": agreement, "prediction": {"mirroring": True}}
    mirrored = values["training"] | {"mirror_axes": ["z"]}
    voices, folds = {"training": mirrored | {"voices": ["thirds"]}}, {"training": mirrored | {"folds": [0, 1]}}
    elsewhere = {"rounds": [{"model": "teacher"}, *values["rounds"][1:2]]}
    for several in (voices, folds, elsewhere):
        assert read_configuration(values | several).selection_of(1) == SELECTION.validate_python(agreement)
    folds["training"]["mirror_axes"] = []
    with pytest.raises(InputError, match=r"axes to mirror in `training\.mirror_axes` of round 0"):
        read_configuration(values | folds)


def test_a_student_goes_on_from_its_teachers_weights_in_the_same_network_alone():
    values = default()
    values["networks"]["fine"] = values["networks"]["coarse"]
    values["rounds"] = [{"network": "coarse"}, {"network": "fine", "start": "teacher"}]
    with pytest.raises(InputError, match="round 1 can start from its teacher's weights only in its teacher's network"):
        read_configuration(values)


def test_a_round_starts_from_an_earlier_training_in_the_same_network_alone():
    values = default()
    values["networks"]["fine"] = values["networks"]["coarse"]
    start = {"start": {"round": 0}}
    values["rounds"] = [{"network": "coarse"}, {"network": "fine"}, {"network": "fine"} | start]
    with pytest.raises(InputError, match="round 2 can start from round 0's weights only in its network"):
        read_configuration(values)
    values["rounds"] = [{"model": "a.zip"}, {"network": "fine"}, {"network": "fine"} | start]
    with pytest.raises(InputError, match=r"round 0 is a model from elsewhere: write `start: \{model"):
        read_configuration(values)
    values["rounds"] = [{"network": "coarse"}, {"network": "fine"}, {"network": "coarse"} | start]
    assert read_configuration(values).rounds[2].start == RoundStart(round=0)
    Draft202012Validator(json.loads(schema())).validate(values)


def test_a_teacher_from_elsewhere_has_no_network_of_this_run():
    values = default()
    values["networks"]["fine"] = values["networks"]["coarse"]
    values["rounds"] = [{"model": ["a", "b.zip"], "sha256": ["0" * 64]}, {"network": "fine"}]
    configuration = read_configuration(values)
    assert [str(path) for path in configuration.teacher.models] == ["a", "b.zip"]
    assert list(configuration.trainings) == [1] and configuration.used_networks == ["fine"]
    values["rounds"] = [{"network": "coarse", "start": {"model": "a"}}, {"network": "coarse", "start": "teacher"}]
    assert read_configuration(values).teacher is None
    Draft202012Validator(json.loads(schema())).validate(values)


def test_every_key_of_the_default_configuration_has_a_comment():
    """A comment stands above the key, or above the group of keys that it opens, where the key first appears."""
    explains_itself = {"cohort", "embedded", "labelled", "unlabelled", "validation", "test", "coarse", "evaluation"}
    lines = (ROOT / "config/config.yaml").read_text().splitlines()
    seen = set(explains_itself)
    for number, line in enumerate(lines):
        key = re.match(r"\s*([a-z_]+):", line)
        if key and key[1] not in seen:
            seen.add(key[1])
            above = lines[number - 1]
            assert re.match(r"\s*#", above) or re.match(r"\s*[a-z_]+: \S", above), line


def test_rounds_take_defaults_and_change_them():
    values = default()
    values["rounds"] = [
        {"network": "coarse"},
        {"network": "coarse", "training": {"epochs": 99}, "selection": "paper", "noise": "none"},
    ]
    configuration = read_configuration(values)
    assert configuration.training_of(0)["epochs"] == values["training"]["epochs"]
    assert configuration.training_of(1)["epochs"] == 99
    assert configuration.training_of(1)["learning_rate"] == values["training"]["learning_rate"]
    assert configuration.training_of(0)["noise"] == {**Noise().model_dump(), **values["noise"]}
    assert configuration.training_of(1)["noise"] == Noise(augmentation="none").model_dump()
    assert configuration.selection_of(1) == []


def test_the_student_made_to_be_deployed_is_the_last_of_the_chain():
    values = default()
    values["networks"]["small"] = {"base_features": 4, "spacing_mm_zyx": [10, 8, 8]}
    values["training"] |= {"folds": [1, 0], "voices": ["average"]}
    without = read_configuration(values)
    deploy = {"network": "small", "training": {"epochs": 9}, "prediction": {"step_size": 0.75}}
    configuration = read_configuration(
        values | {"deploy": deploy, "prediction": values["prediction"] | {"compile": True, "mirroring": True}}
    )
    last = len(configuration.rounds)
    assert len(without.chain) == last and without.used_networks == ["coarse"]
    assert configuration.used_networks == ["coarse", "small"]
    assert [configuration.called(number) for number in (last - 1, last)] == [str(last - 1), "deploy"]
    assert configuration.numbered("deploy") == last and configuration.numbered("1") == 1
    # It trains one fold, and labels for no other round.
    assert configuration.folds_of(last) == [1] and configuration.folds_of(last - 1) == [1, 0]
    settings = configuration.training_of(last)
    assert settings["epochs"] == 9 and settings["voices"] == ["final"] and settings["targets"] == "soft"
    own, rounds = configuration.prediction_of(last), configuration.prediction_of(last - 1)
    assert (own.step_size, own.windows, own.mirroring, own.compile) == (0.75, "in_box_of_body", False, True)
    assert (rounds.step_size, rounds.windows, rounds.mirroring) == (0.5, "everywhere", True)
    with pytest.raises(InputError, match="round deploy can start from its teacher's weights only in its teacher's"):
        read_configuration(values | {"deploy": deploy | {"start": "teacher"}})


def test_a_rounds_own_fine_tuning_is_taken_as_a_whole():
    values = default()
    values["training"]["fine_tuning"] = {"epochs": 3, "noise": "none", "learning_rate": 0.001}
    values["rounds"] = [{"network": "coarse"}, {"network": "coarse", "training": {"fine_tuning": {"epochs": 2}}}]
    configuration = read_configuration(values)
    no_noise = Noise(augmentation="none").model_dump()
    assert configuration.training_of(0)["fine_tuning"] == {"epochs": 3, "noise": no_noise, "learning_rate": 0.001}
    assert configuration.training_of(1)["fine_tuning"] == {"epochs": 2, "noise": None, "learning_rate": None}


def test_a_round_may_have_its_own_voices():
    rounds = [{"network": "coarse", "training": training} for training in ({}, {"voices": ["average", "thirds"]})]
    configuration = read_configuration(default() | {"rounds": rounds})
    assert [configuration.training_of(number)["voices"] for number in range(2)] == [["final"], ["average", "thirds"]]


def test_a_rounds_training_has_its_own_seed():
    rounds = [{"network": "coarse", "training": training} for training in ({}, {}, {"seed_offset": 0})]
    configuration = read_configuration(default() | {"seed": 5, "rounds": rounds})
    assert [configuration.training_of(number)["seed"] for number in range(3)] == [5, 6, 5]
    assert "seed_offset" not in configuration.training_of(2)


def test_a_configuration_cannot_be_changed_after_it_was_read():
    configuration = Configuration.model_validate(default())
    with pytest.raises(Exception, match="frozen"):
        configuration.seed = 2


def test_the_default_configuration_comments_the_rules_of_the_confident_preset():
    text = (ROOT / "config/config.yaml").read_text()
    rules = [yaml.safe_load(line) for line in re.findall(r"#   - (\{rule: .*?\})", text)]
    assert rules == PRESETS["confident"] and read_configuration(default()).selection == []


def test_what_tells_pseudo_labelled_scans_from_others_trains_no_teacher_anew():
    before = read_configuration(default()).training_of(0)
    changes = {"labelled_fraction": 0.5, "draw_by_confidence": True, "draw_rare_organs": True}
    values = default()
    values["training"] |= changes | {"fine_tuning": {"epochs": 3}}
    after = read_configuration(values)
    assert after.training_of(0) == before and after.training_of(1) != read_configuration(default()).training_of(1)
    values["training"]["fine_tuning"]["noise"] = "none"
    assert read_configuration(values).training_of(0) != before
