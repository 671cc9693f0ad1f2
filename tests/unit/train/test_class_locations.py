import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nnunetv2.preprocessing.preprocessors.default_preprocessor import DefaultPreprocessor

from noisy_student.plan.preprocessing import Plan
from noisy_student.train import class_locations as module
from noisy_student.train.class_locations import class_locations
from noisy_student.train.masking import with_ignore_label

IGNORED = 14


def of_nnunet(labels, with_ignore):
    groups = [*range(1, 14), *([[-1, *range(14)]] if with_ignore else [])]
    return DefaultPreprocessor._sample_foreground_locations(labels, groups)


def assert_equal(labels, found, wanted):
    """Of single labels the very same voxels; of the others together as many, none twice and none that is ignored."""
    assert list(found) == list(wanted)
    for group, voxels in wanted.items():
        assert found[group].dtype == np.int32 and found[group].shape == np.reshape(voxels, (-1, 4)).shape
        if isinstance(group, tuple):
            assert len(np.unique(found[group], axis=0)) == len(voxels)
            assert np.isin(labels[tuple(found[group].T)], group).all()
        else:
            assert (found[group] == np.reshape(voxels, (-1, 4))).all()


def plan_of(plan, with_ignore):
    return Plan(plan.plans, with_ignore_label(plan.dataset)) if with_ignore else plan


@pytest.mark.parametrize("with_ignore", [False, True])
@given(
    shape=st.tuples(*[st.integers(1, 9)] * 3),
    present=st.lists(st.integers(-1, IGNORED), min_size=1, max_size=6),
    seed=st.integers(0, 1000),
)
def test_the_sample_is_nnunets(plan, with_ignore, shape, present, seed):
    present = [label for label in present if with_ignore or label != IGNORED] or [0]
    labels = np.random.default_rng(seed).choice(np.array(present, np.int16), (1, *shape))
    assert_equal(labels, class_locations(labels, plan_of(plan, with_ignore)), of_nnunet(labels, with_ignore))


@pytest.mark.parametrize("with_ignore", [False, True])
def test_of_many_voxels_a_part_is_drawn(plan, with_ignore):
    labels = np.zeros((1, 40, 150, 200), np.int16)
    labels[:, 5:30, 20:90, 30:170] = 1
    labels[:, 8:20, 30:80, 90:150] = 13
    labels[:, 8:20, 30:33, 90:92] = IGNORED if with_ignore else 2
    labels[:, :, :10] = -1
    found = class_locations(labels, plan_of(plan, with_ignore))
    assert_equal(labels, found, of_nnunet(labels, with_ignore))
    assert len(found[1]) == len(found[13]) == module.AT_LEAST
    if with_ignore:
        drawn = labels[tuple(found[(-1, *range(14))].T)]
        assert len(drawn) == np.ceil((labels < IGNORED).sum() / 100)
        assert (drawn == 1).mean() == pytest.approx((labels == 1).sum() / (labels < IGNORED).sum(), rel=0.1)
