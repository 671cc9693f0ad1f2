"""A foreign checkpoint is refused before it is read, and no code of it runs."""

import os
import pickle

import pytest

from conftest import script
from noisy_student.errors import InputError
from noisy_student.files import sha256
from noisy_student.model.trust import record, require_trusted


class Trap:
    """What runs when this is loaded: a folder appears."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "results/round_0/model/fold_0/checkpoint_final.pth"
    path.parent.mkdir(parents=True)
    path.write_bytes(pickle.dumps(Trap(tmp_path / "trapped")))
    return path


def test_a_checkpoint_of_ones_own_results_is_trusted_as_it_was_recorded(checkpoint, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=sha256(checkpoint)):
        require_trusted([checkpoint], [])
    record(checkpoint)
    require_trusted([checkpoint], [])
    checkpoint.write_bytes(checkpoint.read_bytes() + b"changed")
    with pytest.raises(InputError, match="--trust"):
        require_trusted([checkpoint], [])


def test_a_record_that_came_with_a_foreign_checkpoint_is_worth_nothing(checkpoint, tmp_path):
    record(checkpoint)
    with pytest.raises(InputError, match="can run any code") as error:
        require_trusted([checkpoint], [])
    assert error.value.remedy.endswith(f"If you trained it yourself, in {tmp_path}, call this from there")


@pytest.mark.parametrize("place", ["results/round_0/model/fold_0", "elsewhere/fold_0"])
def test_one_without_a_record_or_outside_of_results_has_its_checksum_for_remedy(checkpoint, tmp_path, place):
    moved = tmp_path / place / checkpoint.name
    moved.parent.mkdir(parents=True, exist_ok=True)
    checkpoint.rename(moved)
    if place.startswith("elsewhere"):
        record(moved)
    with pytest.raises(InputError) as error:
        require_trusted([moved], [])
    assert error.value.remedy.endswith(f"--trust {sha256(moved)}")


def test_a_foreign_checkpoint_is_trusted_by_its_checksum_alone(checkpoint):
    require_trusted([checkpoint], [sha256(checkpoint)])
    with pytest.raises(InputError):
        require_trusted([checkpoint], ["0" * 64])


def test_labelling_with_a_foreign_model_runs_none_of_its_code(checkpoint, tmp_path):
    model, image = checkpoint.parent.parent, tmp_path / "scan.nii.gz"
    image.touch()
    for name in ("plans.json", "dataset.json"):
        (model / name).write_text("{}")
    run = script("label_scan.py", "--model", model, "--image", image, "--output", tmp_path / "out.nii.gz")
    assert run.returncode == 2 and sha256(checkpoint) in run.stderr and "Traceback" not in run.stderr
    assert not (tmp_path / "trapped").exists()


def test_a_checksum_of_another_file_is_told_from_none(tmp_path):
    checkpoint = tmp_path / "checkpoint_final.pth"
    checkpoint.write_bytes(b"weights")
    with pytest.raises(InputError) as none:
        require_trusted([checkpoint], [])
    with pytest.raises(InputError) as other:
        require_trusted([checkpoint], ["0" * 64])
    assert "given" not in none.value.got and f"which is none of those given: {'0' * 64}" in other.value.got
