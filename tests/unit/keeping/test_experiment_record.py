"""Which experiment a folder holds, and what may be added to it."""

import pytest
import yaml

from conftest import ROOT
from noisy_student.configuration.experiment import read_configuration
from noisy_student.errors import InputError
from noisy_student.keeping import experiment_record
from noisy_student.keeping.experiment_record import refuse_another

DEFAULT = yaml.safe_load((ROOT / "config/config.yaml").read_text())
FOLDERS = {
    "labelled": [{"images": "scans", "label_maps": "maps"}],
    "unlabelled": [{"images": "more"}],
}
OWN = {"cohort": {"kind": "folders", "folders": FOLDERS}}


def configured(**changes):
    return read_configuration(DEFAULT | changes)


def embedded(**counts):
    return {"cohort": {"kind": "embedded", "embedded": DEFAULT["cohort"]["embedded"] | counts}}


@pytest.mark.parametrize(
    ("before", "now", "line"),
    [
        ({}, {"seed": 2}, "seed 1 → 2"),
        ({}, OWN, "cohort.kind embedded → folders"),
        ({}, embedded(test=9), "cohort.embedded.test 24 → 9"),
        ({}, embedded(variation=1.0), "cohort.embedded.variation 1.3 → 1.0"),
        (
            {},
            {"networks": {"coarse": DEFAULT["networks"]["coarse"] | {"base_features": 16}}},
            "networks.coarse.base_features 8 → 16",
        ),
        (
            OWN,
            {"cohort": {"kind": "folders", "folders": FOLDERS | {"unlabelled": []}}},
            "cohort.unlabelled more.images more → nothing",
        ),
    ],
)
def test_another_experiment_is_refused_with_the_keys_that_differ(tmp_path, before, now, line):
    experiment_record.write(configured(**before), tmp_path, {})
    with pytest.raises(InputError, match="--directory DIR; or let this one replace") as error:
        refuse_another(configured(**now), tmp_path)
    assert f"  {line}" in error.value.got.splitlines()
    refuse_another(configured(**now, replace=True), tmp_path)


@pytest.mark.parametrize(
    "more",
    [
        embedded(unlabelled=40, test=30),
        {"rounds": [*DEFAULT["rounds"], {"network": "coarse"}]},
        {"networks": DEFAULT["networks"] | {"fine": {"spacing_mm_zyx": [4, 3, 3]}}},
        {"training": DEFAULT["training"] | {"epochs": 30}},
        {"evaluation": {"mode": "strict"}},
    ],
)
def test_an_experiment_may_grow_and_change_its_settings(tmp_path, more):
    experiment_record.write(configured(), tmp_path, {})
    refuse_another(configured(**more), tmp_path)


def test_folders_may_be_added(tmp_path):
    experiment_record.write(configured(**OWN), tmp_path, {"test": "state"})
    more = FOLDERS | {"test": [{"images": "test", "label_maps": "maps"}]}
    refuse_another(configured(cohort={"kind": "folders", "folders": more}), tmp_path)
    assert experiment_record.finished_scans(tmp_path) == {"test": "state"}


SERIES = {"archive": "export", "key": "key", "names": "names.tsv"}


@pytest.mark.parametrize(
    "entries",
    [
        [SERIES | {"label_maps": f"maps of {organ}", "organs": [organ]} for organ in ("liver", "spleen")],
        [{"cases": "data", "scan": f"{phase}_{{case}}.nii", "label_maps": "maps"} for phase in ("venous", "late")],
    ],
)
def test_a_second_entry_of_one_archive_or_folder_may_be_added_and_neither_taken_away(tmp_path, entries):
    first, second = entries

    def of(*labelled):
        return configured(cohort={"kind": "folders", "folders": FOLDERS | {"labelled": list(labelled)}})

    both = of(first, second)
    for before in (of(first), of(second), both):
        experiment_record.write(before, tmp_path, {})
        refuse_another(both, tmp_path)
        refuse_another(of(second, first), tmp_path)
    for left in (first, second):
        with pytest.raises(InputError, match="these keys differ"):
            refuse_another(of(left), tmp_path)


def test_a_new_folder_holds_nothing(tmp_path):
    refuse_another(configured(), tmp_path / "results")
    assert experiment_record.finished_scans(tmp_path / "results") == {}
