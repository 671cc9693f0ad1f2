"""The part of a grid that matters."""

import numpy as np


def box_of(values_zyx: np.ndarray) -> tuple[slice, slice, slice]:
    """The smallest box (z, y, x) with all voxels that are not 0; empty along every axis where there is none."""
    planes = values_zyx.any(axis=0)
    occupied = (values_zyx.any(axis=(1, 2)), planes.any(axis=1), planes.any(axis=0))
    z, y, x = (
        slice(int(places[0]), int(places[-1]) + 1) if len(places) else slice(0, 0)
        for places in map(np.flatnonzero, occupied)
    )
    return z, y, x
