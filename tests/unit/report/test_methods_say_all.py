"""Whoever has the methods text and its table of settings can write the configuration back; no key is forgotten."""

import json
import re
from dataclasses import replace
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config

from methods_text import methods
from noisy_student.configuration.experiment import Configuration
from noisy_student.report.placing import APART, FURTHER, TABLE_ALONE, is_apart, is_in_table_alone, matches
from noisy_student.report.results import Network, read_results
from noisy_student.report.setting_keys import flat
from noisy_student.report.setting_table import settings
from noisy_student.tables import read_table, write_table
from synthetic_results import SyntheticRun

CONFIG = Path(__file__).parents[3] / "config"
DEFAULT = CONFIG / "config.yaml"
FILES = sorted({*CONFIG.glob("*.yaml"), *CONFIG.glob("examples/*.yaml")} - {DEFAULT})
SCANS = {"images": "scans", "label_maps": "maps"}
EVERYTHING = {
    "seed": 3,
    "organs": [
        {"label": 1, "name": "liver", "tolerance_mm": 5.0},
        {"label": 2, "name": "left kidney", "z_limited": True},
        {"label": 3, "name": "tumour", "aliases": ["lesion"]},
    ],
    "cohort": {
        "kind": "folders",
        "accept": ["MR_1"],
        "folders": {
            "labelled": [
                SCANS | {"organs": ["liver", "left kidney"], "labels": {"liver": [6, 7], "left kidney": 2}},
                {"archive": "export", "key": "key", "names": "names.tsv", "label_maps": "segmentations"},
                {"cases": "cases", "scan": "ct.nii.gz", "label_maps": "segmentations"},
            ],
            "unlabelled": [{"table": "scans.tsv", "name": "hospital B"}, {"nnunet": "Dataset001"}],
            "test": [SCANS | {"name": "inside"}, SCANS | {"images": "others", "name": "outside"}],
        },
    },
    "networks": {
        "wide": {
            "encoder": "residual",
            "spacing_mm_zyx": [3, 1, 1.5],
            "patch_size_zyx": [32, 64, 96],
            "batch_size": 4,
            "stages": 5,
            "encoder_blocks": [1, 2, 3],
            "decoder_blocks": [2],
        },
        "unset": {"encoder": "residual"},
    },
    "training": {
        "splits": 4,
        "folds": [0, 2],
        "epochs": 60,
        "fine_tuning": {"epochs": 10, "noise": {"augmentation": "nnunet", "mixing": 0.1}, "learning_rate": 0.002},
        "labelled_fraction": 0.25,
        "draw_by_confidence": True,
        "mirror_axes": ["z"],
        "voices": ["final", "average"],
    },
    "noise": {"augmentation": "strong", "dropout": 0.1, "stochastic_depth": 0.2, "mixing": 0.5},
    "selection": [
        {"rule": "threshold", "score": "mean_max_probability", "over": "liver", "at_least": 0.8, "at_most": 0.99},
        {"rule": "top", "score": "fold_agreement", "over": "left kidney", "share": 0.5, "per": "source"},
        {"rule": "top", "score": "organs", "scans": 50},
        {"rule": "plausible"},
    ],
    "voxel_confidence": {"organ": 0.5, "background": 0.9, "surface_mm": 8},
    "targets": "soft",
    "rounds": [
        {"network": "wide"},
        {
            "network": "wide",
            "start": "teacher",
            "noise": {"augmentation": "nnunet", "dropout": 0.3, "stochastic_depth": 0.3, "mixing": 0.3},
            "training": {
                "epochs": 30,
                "iterations_per_epoch": 100,
                "learning_rate": 0.005,
                "voices": ["thirds"],
                "seed_offset": 7,
                "fine_tuning": {"epochs": 5, "noise": {"augmentation": "none", "mixing": 0.2}, "learning_rate": 0.001},
            },
            "selection": [
                {"rule": "threshold", "score": "mean_entropy", "at_most": 0.3, "at_least": 0.1, "action": "mask"},
                {"rule": "top", "score": "fold_agreement", "over": "left kidney", "share": 0.5, "per": "organs"},
                {"rule": "top", "score": "mean_entropy", "scans": 20},
                {"rule": "plausible", "volume_factor": 3, "action": "drop"},
            ],
            "voxel_confidence": {"organ": "balanced", "background": 0.8, "surface_mm": 9},
            "targets": "hard",
        },
        {"network": "wide", "start": {"round": 1}},
        {"network": "unset", "start": {"model": "first.zip", "sha256": ["b" * 64]}, "noise": "none"},
    ],
    "deploy": {
        "network": "wide",
        "start": {"round": 1},
        "noise": {"augmentation": "nnunet", "dropout": 0.4, "stochastic_depth": 0.4, "mixing": 0.4},
        "training": {
            "epochs": 40,
            "iterations_per_epoch": 90,
            "learning_rate": 0.006,
            "seed_offset": 9,
            "fine_tuning": {"epochs": 6, "noise": {"augmentation": "none", "mixing": 0.6}, "learning_rate": 0.003},
        },
        "selection": [
            {"rule": "threshold", "score": "mean_entropy", "at_most": 0.4, "at_least": 0.2, "action": "mask"},
            {"rule": "top", "score": "fold_agreement", "over": "left kidney", "share": 0.6, "per": "organs"},
            {"rule": "top", "score": "mean_entropy", "scans": 30},
            {"rule": "plausible", "volume_factor": 4, "action": "drop"},
        ],
        "voxel_confidence": {"organ": "balanced", "background": 0.7, "surface_mm": 7},
        "targets": "hard",
        "prediction": {"step_size": 0.6, "windows": "on_body"},
    },
    "corrections": {"folder": "corrections", "organs": ["liver"], "readers": ["anna", "ben"], "validate": True},
    "postprocessing": {"predictions": True, "pseudo_labels": True},
    "collapse": {"policy": "retrain", "noise_band": 0.02},
    "stop": {"without_gain": True, "disagreement_below": 0.01},
    "evaluation": {"mode": "strict", "pool_sets": True},
    "prediction": {"mirroring": True, "windows": "on_body"},
}
GENERATED = {"cohort": {"kind": "embedded", "embedded": {"label_maps": "maps"}}, "networks": {"plain": {}, "unset": {}}}
GENERATED["rounds"] = [{"network": "plain"}] * 2
GENERATED["deploy"] = {"network": "plain", "start": {"model": "first.zip", "sha256": ["c" * 64]}}
TAKEN = GENERATED | {"rounds": [{"model": ["a.zip", "b"], "sha256": ["a" * 64]}, {"network": "plain"}]}
BASES = {"everything": EVERYTHING, "generated": GENERATED, "taken": TAKEN}
# Other values of keys for which none can be guessed.
OTHERS = {
    "rounds.*.network": ["unset"],
    "rounds.*.start": ["scratch"],
    "rounds.*.start.round": [0],
    "deploy.network": ["unset"],
    "deploy.start.round": [0],
    "training.folds": [[1], [0, 1]],
    "training.mirror_axes": [["y"], ["z", "y"]],
    "cohort.accept": [["MR_2"]],
    "corrections.organs": [["tumour"]],
    "corrections.readers": [["ben"]],
    "*encoder_blocks": [[2, 2]],
    "*decoder_blocks": [[3]],
    "*voices": [["thirds"], ["final"]],
    "*score": ["mean_entropy", "mean_max_probability"],
    "*over": ["tumour", "liver"],
    "*per": ["spacing"],
    "*_zyx": [[9, 9, 9]],
    "*voxel_confidence.organ": [0.3],
}
# No other value is possible with all else as it is.
FIXED = ("organs.*.label", "cohort.kind", "selection.*.rule", "rounds.*.selection.*.rule", "deploy.selection.*.rule")


def configuration(values):
    return Configuration.model_validate(values)


def recorded(one):
    return json.loads(one.model_dump_json())


def of_file(path):
    values = yaml.safe_load(DEFAULT.read_text())
    if path != DEFAULT:
        # Examples and variants stand over the paper's.
        for file in (CONFIG / "flare22.yaml", path):
            update_config(values, yaml.safe_load(file.read_text()))
    return configuration(values)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    run = SyntheticRun(gains=(0.01, 0.01, 0.01), labelled=4, unlabelled=4, test=2, validation=1, folds=2)
    return read_results(run.write(tmp_path_factory.mktemp("run")))


def with_configuration(results, values):
    return replace(results, run=results.run | {"configuration": values})


def written_back(table, whole):
    """The configuration from a table of settings; what bears on no result is as in `whole`."""
    tree = {}
    apart = {key: value for key, value in flat(whole).items() if is_apart(key)}
    said = {row.key: json.loads(row.value) for row in table.itertuples()}
    for key, value in (said | apart).items():
        *path, last = key.split(".")
        place = tree
        for step in path:
            place = place.setdefault(step, {})
        place[last] = value
    return with_lists(tree)


def with_lists(tree):
    if not isinstance(tree, dict):
        return tree
    made = {key: with_lists(value) for key, value in tree.items()}
    return list(made.values()) if made and all(key.isdecimal() for key in made) else made


@pytest.mark.parametrize("given", [*BASES, DEFAULT, *FILES], ids=lambda given: getattr(given, "name", given))
def test_from_the_table_of_settings_the_configuration_can_be_written_back(given, results, tmp_path):
    one = configuration(BASES[given]) if given in BASES else of_file(given)
    table = settings(with_configuration(results, recorded(one)))
    write_table(table.data, tmp_path / "settings.tsv")
    read = read_table(tmp_path / "settings.tsv").astype(str)
    written, same = written_back(read, recorded(one)), one.model_copy(update={"store": None})
    assert configuration(written) == same
    if given not in BASES:
        # As Snakemake lays it over the defaults.
        over = yaml.safe_load(DEFAULT.read_text())
        update_config(over, written)
        assert configuration(over) == same


@cache
def schema():
    return Configuration.model_json_schema(mode="serialization")


def keys_of_schema(part=None, name=""):
    """The name of each key that a configuration may have, `*` for numbers and names; of what has parts, those."""
    part = schema() if part is None else part
    if "$ref" in part:
        return keys_of_schema(schema()["$defs"][part["$ref"].split("/")[-1]], name)
    named = [part.get("items"), part.get("additionalProperties"), *part.get("patternProperties", {}).values()]
    below = part.get("properties", {}) | ({"*": one} if (one := next(filter(None, named), None)) else {})
    found = {key for kind in (*part.get("anyOf", []), *part.get("oneOf", [])) for key in keys_of_schema(kind, name)}
    found |= {key for one, value in below.items() for key in keys_of_schema(value, f"{name}.{one}" if name else one)}
    found |= set() if below else {name.removesuffix(".*")}
    return {key for key in found if not any(other.startswith(f"{key}.") for other in found)}


def pattern_of(key):
    return re.sub(r"(?<=^networks\.)\w+|(?<=\.)\d+", "*", key)


def others(key, value):
    yield from (other for pattern, given in OTHERS.items() if fnmatch(key, pattern) for other in given)
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value + 1, value - 1)
    elif isinstance(value, float):
        yield from (value / 2 if value else 0.25, value + 1)
    elif isinstance(value, str):
        yield from choices(key.split(".")[-1])
        yield f"{value}_other"


@cache
def choices(name):
    """All words that stand as choices for a key of this name anywhere in the schema."""
    sections = [schema(), *schema()["$defs"].values()]
    return words_in([section["properties"][name] for section in sections if name in section.get("properties", {})])


def words_in(part):
    if isinstance(part, dict):
        return [*part.get("enum", []), *words_in(list(part.values()))]
    return [word for value in part for word in words_in(value)] if isinstance(part, list) else []


def changed(values, key, other):
    """The configuration with another value of a key; None if that is none."""
    copy = json.loads(json.dumps(values))
    *path, last = (int(part) if part.isdecimal() else part for part in key.split("."))
    place = copy
    for step in path:
        place = place[step]
    place[last] = other
    try:
        found = recorded(configuration(copy))
    except ValueError:
        return None
    return found if found != values else None


def said(results, values):
    """The keys, as the schema has them, of which another value changes the text."""
    text = methods(with_configuration(results, values))
    for key, value in flat(values).items():
        tried = (found for other in others(key, value) if (found := changed(values, key, other)))
        if (found := next(tried, None)) and methods(with_configuration(results, found)) != text:
            yield pattern_of(key)


def test_every_key_that_bears_on_results_changes_the_methods_text_or_is_placed(results):
    keys = {key for key in keys_of_schema() if not (is_apart(key) or is_in_table_alone(key) or key in FIXED)}
    assert {"seed", "rounds.*.training.epochs", "selection.*.at_least", "networks.*.encoder"} <= keys
    heard = {key for base in BASES.values() for key in said(results, recorded(configuration(base)))}
    assert keys - heard == set(), (
        "say these keys in report/methods/ or in FURTHER of report/placing.py, or place them there; here, BASES must "
        "have each of them, and OTHERS a second value where none is guessed"
    )


def test_what_is_placed_is_a_key():
    placed = [*APART, *TABLE_ALONE, *(key for own in FURTHER.values() for key in own)]
    assert [name for name in placed if not any(matches(key, name) for key in keys_of_schema())] == []


def test_stages_and_blocks_are_those_that_were_planned(results):
    values = recorded(configuration(EVERYTHING))
    planned = {"architecture": {"arch_kwargs": {"n_stages": 2}}}
    results = replace(with_configuration(results, values), networks=[Network("wide", {}, planned)])
    text = methods(results)
    assert ": 2 stages, features" in text and ": 1/2 in the encoder, 2 in the decoder" in text
    values["networks"]["wide"]["stages"] = None
    assert ": 2 stages (nnU-Net’s choice), features" in methods(with_configuration(results, values))


@pytest.mark.parametrize("taken", [0, 1])
def test_of_a_run_without_students_nothing_is_told_of_them(taken, tmp_path):
    results = read_results(SyntheticRun((), labelled=4, unlabelled=4, test=2, taken=taken).write(tmp_path / "run"))
    text = methods(results)
    assert "a student" not in text.split("Scans.")[0] and "unlabelled" not in text.split("Scans.")[0]
    assert "were compared" not in text and "A student drew" not in text
    assert ("a teacher from elsewhere (" if taken else "the teacher of noisy-student training") in text


@pytest.mark.parametrize("taken", [0, 1])
def test_the_only_student_may_be_the_one_that_is_made_to_be_deployed(taken, tmp_path):
    run = SyntheticRun((), labelled=4, unlabelled=4, test=2, taken=taken, deployed=True)
    text = methods(read_results(run.write(tmp_path / "run")))
    assert "4 unlabelled " in text and " and was made to be deployed. 6 validation" in text
    for words in ("Optimizer: SGD", "Loss: ", "A student drew ", "Of the 5 folds fold 0 was trained"):
        assert words in text, words
    assert "scan by scan, the student that was made to be deployed with the round that taught it, by" in text
