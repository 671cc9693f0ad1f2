"""What property tests draw from: spacings, masks and label maps, the awkward ones included."""

import numpy as np
from hypothesis import strategies as st

from noisy_student.organs import FLARE22

SPACINGS_MM = (0.5, 0.7675780057907104, 0.78125, 1.0, 1.5, 2.5, 3.0, 5.0)

spacings_mm = st.tuples(*[st.sampled_from(SPACINGS_MM)] * 3)
tolerances_mm = st.sampled_from(sorted({organ.tolerance_mm for organ in FLARE22}))
shapes = st.tuples(*[st.integers(1, 14)] * 3)
seeds = st.integers(0, 2**32 - 1)


def _box(random, shape):
    corners = np.sort([random.integers(0, size + 1, 2) for size in shape], axis=1)
    return tuple(slice(lower, max(upper, lower + 1)) for lower, upper in corners)


def draw_mask(kind, shape, seed):
    """A boolean volume of the given kind: all kinds but "empty" have at least one voxel."""
    random = np.random.default_rng(seed)
    mask = np.zeros(shape, bool)
    one_voxel = tuple(random.integers(0, size) for size in shape)
    if kind == "whole":
        mask[:] = True
    elif kind == "border":
        axis = random.integers(3)
        np.moveaxis(mask, axis, 0)[random.choice([0, -1])] = True
    elif kind == "speckles":
        mask = random.random(shape) < random.choice([0.02, 0.3, 0.8])
    elif kind == "boxes":
        for _ in range(random.integers(1, 4)):
            mask[_box(random, shape)] = True
    elif kind == "corners":
        mask[0, 0, 0] = mask[-1, -1, -1] = True
    if kind != "empty":
        mask[one_voxel] = True
    return mask


kinds = st.sampled_from(["one voxel", "whole", "border", "speckles", "boxes", "corners"])


@st.composite
def mask_pairs(draw, prediction_kinds=kinds):
    """Two non-empty masks of one shape, often nearly alike."""
    shape = draw(shapes)
    truth = draw_mask(draw(kinds), shape, draw(seeds))
    prediction = draw_mask(draw(prediction_kinds), shape, draw(seeds))
    if draw(st.booleans()):
        prediction = truth ^ (prediction & (np.random.default_rng(draw(seeds)).random(shape) < 0.1))
        prediction[tuple(np.argwhere(truth)[0])] = True
    return truth, prediction


@st.composite
def label_maps(draw, shape=shapes):
    """A label map: boxes and speckles of some organs, painted over each other."""
    shape = draw(shape) if isinstance(shape, st.SearchStrategy) else shape
    array = np.zeros(shape, np.uint8)
    for label in draw(st.lists(st.integers(0, 13), max_size=6)):
        array[draw_mask(draw(kinds), shape, draw(seeds))] = label
    return array


@st.composite
def label_map_pairs(draw):
    """A truth and a prediction of one shape; half of the predictions are the truth with some voxels changed."""
    shape = draw(shapes)
    truth, prediction = draw(label_maps(shape)), draw(label_maps(shape))
    if draw(st.booleans()):
        unchanged = np.random.default_rng(draw(seeds)).random(shape) < 0.9
        prediction[unchanged] = truth[unchanged]
    return truth, prediction
