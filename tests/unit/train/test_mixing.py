"""Patches mixed across the scans of a batch."""

import pytest
import torch

from noisy_student.train.mixing import mixed
from noisy_student.train.phases import mixes_patches

CPU = torch.device("cpu")
SHAPE = (24, 48, 48)


def batch(of_target=lambda target: target):
    """Three patches; each voxel says of which it is, and its target the same."""
    data = torch.arange(3.0)[:, None, None, None, None].expand(3, 1, *SHAPE).contiguous()
    return {"data": data, "target": of_target(data.to(torch.uint8)), "keys": ["a", "b", "c"]}


def made(seed=1, probability=1.0, of_target=lambda target: target):
    torch.manual_seed(seed)
    return mixed(batch(of_target), probability, CPU)


def test_a_box_of_each_patch_is_of_the_one_before_with_its_targets():
    shares = []
    for seed in range(30):
        found = made(seed)
        inside = found["data"][0, 0] != 0
        ends = [inside.any(1).any(1), inside.any(0).any(1), inside.any(0).any(0)]
        sides = [int(end.sum()) for end in ends]
        assert (
            sides[0] * sides[1] * sides[2] == inside.sum()
            and sides[1] == sides[2]
            and abs(2 * sides[0] - sides[1]) <= 1
        )
        for patch, before in ((0, 2), (1, 0), (2, 1)):
            assert torch.equal(found["data"][patch, 0], torch.where(inside, float(before), float(patch)))
        assert torch.equal(found["target"], found["data"].to(torch.uint8)) and found["keys"] == ["a", "b", "c"]
        shares.append(float(inside.float().mean()))
    assert min(shares) < 0.1 and max(shares) > 0.9 and 0.4 < sum(shares) / 30 < 0.6


def test_soft_targets_keep_their_three_numbers_together():
    found = made(of_target=lambda target: torch.cat([target, target + 10, target + 20], 1))
    assert torch.equal(found["target"], torch.cat([found["data"] + shift for shift in (0, 10, 20)], 1).to(torch.uint8))


@pytest.mark.parametrize("seed", range(5))
def test_coarser_targets_are_those_of_the_voxels_in_their_middle(seed):
    """Nearest-neighbour pooling by odd factors takes the very voxel in the middle, before mixing as after."""
    factors = (1, 1, 1), (1, 3, 3), (3, 3, 3)
    pooled = [
        lambda target, f=f: target[:, :, f[0] // 2 :: f[0], f[1] // 2 :: f[1], f[2] // 2 :: f[2]] for f in factors
    ]
    found = made(seed, of_target=lambda target: [pool(target).float() for pool in pooled])
    assert all(torch.equal(pool(found["data"]), one) for pool, one in zip(pooled, found["target"], strict=True))


def test_how_often_a_batch_is_mixed_and_that_it_is_drawn_anew():
    given = batch()
    torch.manual_seed(1)
    found = [mixed(given, 0.3, CPU) for _ in range(100)]
    assert 20 < sum(one is not given for one in found) < 40
    assert torch.equal(made(2)["data"], made(2)["data"]) and not torch.equal(made(2)["data"], made(3)["data"])
    assert given["data"].flatten(1).unique(dim=1).flatten().tolist() == [0, 1, 2]


def test_a_training_mixes_where_its_noise_or_that_of_its_end_says_so():
    quiet, mixing = {"augmentation": "strong"}, {"augmentation": "strong", "mixing": 0.5}
    for noise, last, expected in ((quiet, None, False), (mixing, quiet, True), (quiet, mixing, True)):
        settings = {"epochs": 4, "noise": noise, "fine_tuning": {"epochs": 2 * bool(last), "noise": last}}
        assert mixes_patches(settings) is expected
