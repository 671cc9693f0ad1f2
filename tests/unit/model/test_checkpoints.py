import os

import pytest
import torch

from noisy_student.errors import InputError
from noisy_student.model.checkpoints import is_whole, read_checkpoint


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


def test_none_is_not_whole(tmp_path):
    assert not is_whole(tmp_path / "checkpoint_final.pth")
