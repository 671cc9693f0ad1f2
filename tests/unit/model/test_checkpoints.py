import errno
import os
import zipfile

import pytest
import torch

from noisy_student.errors import InputError
from noisy_student.model.checkpoints import is_whole, read_checkpoint
from noisy_student.model.model_folder import checkpoints_of, unfinished_folds


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "checkpoint_final.pth"
    torch.save({"network_weights": {"a": torch.arange(1000.0)}}, path)
    return path


def test_a_checkpoint_is_whole_and_read(checkpoint):
    assert is_whole(checkpoint)
    assert read_checkpoint(checkpoint)["network_weights"]["a"][3] == 3


def test_a_truncated_one_is_neither(checkpoint):
    os.truncate(checkpoint, checkpoint.stat().st_size // 2)
    assert not is_whole(checkpoint)
    with pytest.raises(InputError, match=r"a whole checkpoint at .*checkpoint_final\.pth"):
        read_checkpoint(checkpoint)


def test_one_with_a_flipped_bit_is_not_whole(checkpoint):
    content = bytearray(checkpoint.read_bytes())
    content[content.find(torch.arange(1000.0).numpy().tobytes()) + 5] ^= 1
    checkpoint.write_bytes(content)
    assert not is_whole(checkpoint)


def test_one_that_lacks_its_beginning_is_not_whole(checkpoint):
    checkpoint.write_bytes(checkpoint.read_bytes()[7:])
    assert not is_whole(checkpoint)


def test_one_that_cannot_be_read_just_now_may_be_whole(checkpoint, monkeypatch):
    def stale(*_, **__):
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

    with monkeypatch.context() as patched, pytest.raises(OSError, match="Stale"):
        patched.setattr(zipfile, "ZipFile", stale)
        is_whole(checkpoint)
    assert is_whole(checkpoint)


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory")])
def test_a_whole_one_that_memory_does_not_suffice_for_is_not_called_damaged(checkpoint, monkeypatch, error):
    def load(*_, **__):
        raise error

    monkeypatch.setattr(torch, "load", load)
    with pytest.raises(type(error)):
        read_checkpoint(checkpoint)
    os.truncate(checkpoint, checkpoint.stat().st_size // 2)
    with pytest.raises(InputError, match="a whole checkpoint at"):
        read_checkpoint(checkpoint)


def test_none_is_not_whole(tmp_path):
    assert not is_whole(tmp_path / "checkpoint_final.pth")


def folds_of(paths):
    return [path.parent.name for path in paths]


def test_copies_of_folds_are_no_folds_of_a_model_and_folds_come_by_number(tmp_path):
    for name in ("plans.json", "dataset.json"):
        (tmp_path / name).touch()
    for fold in (2, 10, "0_backup", "all"):
        (tmp_path / f"fold_{fold}").mkdir()
        (tmp_path / f"fold_{fold}/checkpoint_final.pth").touch()
    assert folds_of(checkpoints_of(tmp_path)) == ["fold_2", "fold_10"]
    assert folds_of(checkpoints_of(tmp_path, ["0_backup"])) == ["fold_0_backup"]
    for fold in (2, 10):
        (tmp_path / f"fold_{fold}/checkpoint_final.pth").rename(tmp_path / f"fold_{fold}/checkpoint_latest.pth")
    assert folds_of(checkpoints_of(tmp_path)) == ["fold_all"]
    assert unfinished_folds(tmp_path, checkpoints_of(tmp_path)) == ["fold_2", "fold_10"]
    (tmp_path / "fold_all/checkpoint_final.pth").unlink()
    with pytest.raises(InputError, match="--checkpoint latest"):
        checkpoints_of(tmp_path)
