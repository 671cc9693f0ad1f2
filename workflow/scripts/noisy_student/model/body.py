"""Where a preprocessed CT scan holds a body: its large pieces that are denser than air. Arrays are (z, y, x)."""

import cc3d
import numpy as np

from noisy_student.boxes import box_of
from noisy_student.plan.preprocessing import Plan

# Between air and fat.
BODY_HU = -300
# Of the voxels of the largest piece: what a piece of the body has at least, such as the other leg; a table has fewer.
LEAST_SHARE = 0.1


def body_of(image: np.ndarray, plan: Plan) -> np.ndarray:
    """The mask (z, y, x) of the body in a preprocessed image (channel, z, y, x) of HU that nnU-Net normalised.

    Without the table and with holes where there is air, which nothing that asks where the body lies minds.
    """
    intensities = plan.manager.foreground_intensity_properties_per_channel["0"]
    # nnU-Net cuts off what is darker than nearly all labelled voxels; one HU above, rounding does not matter.
    threshold_hu = max(BODY_HU, intensities["percentile_00_5"] + 1)
    dense = image[0] > (threshold_hu - intensities["mean"]) / max(intensities["std"], 1e-8)
    pieces = cc3d.connected_components(dense.view(np.uint8), connectivity=6)
    sizes = cc3d.statistics(pieces, no_slice_conversion=True)["voxel_counts"]
    sizes[0] = 0
    body = np.zeros(dense.shape, bool)
    for piece in np.flatnonzero(sizes >= max(1, LEAST_SHARE * sizes.max())):
        body |= pieces == piece
    return body


def box_of_body(body: np.ndarray) -> tuple[slice, ...]:
    """The smallest box (z, y, x) that holds a body; the whole array where there is none."""
    return box_of(body) if body.any() else tuple(slice(0, size) for size in body.shape)
