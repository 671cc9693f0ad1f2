"""What a run's records say of its results."""

import json

import pytest

from noisy_student.recorded import is_of_generated_scans


@pytest.fixture
def model(tmp_path):
    """A round's model, as a run leaves it."""
    folder = tmp_path / "results/round_2/model"
    folder.mkdir(parents=True)
    return folder


def test_a_model_of_the_embedded_cohort_is_known_by_its_runs_record(model):
    assert not is_of_generated_scans(model)
    (model.parents[1] / "experiment.json").write_text(json.dumps({"cohort": {"kind": "embedded"}}))
    assert is_of_generated_scans(model)
    assert not is_of_generated_scans(model.parent)


@pytest.mark.parametrize("said", ["", "{", "[]", "null", '{"cohort": "embedded"}', '{"cohort": {"kind": "folders"}}'])
def test_a_record_that_is_damaged_or_says_otherwise_says_nothing(model, said):
    (model.parents[1] / "experiment.json").write_text(said)
    assert not is_of_generated_scans(model)
