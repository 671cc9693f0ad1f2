"""What a scan can be recognised by: a checksum of each slice, and a fingerprint of the whole that survives changes.

All of canonical arrays (z, y, x), so that it is the same in whichever orientation, format and data type it is stored.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.ndimage import uniform_filter

TRACES = "traces"
DIGEST_BYTES = 8
# A slice with no more than this share of voxels above the darkest fat is air or table, which scans may have in common.
BODY_ABOVE_HU, BODY_SHARE = -200, 0.01
# Of the fingerprint: cells along each axis, about how many voxels it looks at along each axis, the quantiles that
# tell a voxel's rank, how many cells around one are its surroundings.
CELLS, LOOKED_AT, RANKS, SURROUNDINGS = 20, 128, (0.6, 0.7, 0.8, 0.9), 5


@dataclass(frozen=True)
class Traces:
    """The checksum of all voxels; those of the slices that show a body, as whole numbers; the fingerprint.

    How alike two fingerprints are is their product: 1 of the same, -1 of opposite ones.
    """

    voxels_sha256: str
    slices: np.ndarray
    fingerprint: np.ndarray


def trace_columns(voxels_zyx: np.ndarray) -> dict[str, Any]:
    """What a scan's row needs of it: the checksum of its voxels, and under `traces` all of them."""
    traces = traces_of(voxels_zyx)
    return {"voxels_sha256": traces.voxels_sha256, TRACES: traces}


def traces_of(voxels_zyx: np.ndarray) -> Traces:
    """The traces of a scan, each voxel read once."""
    looked_at = voxels_zyx[tuple(slice(None, None, max(1, size // LOOKED_AT)) for size in voxels_zyx.shape)]
    whole = hashlib.sha256(repr(voxels_zyx.shape).encode())
    slices = []
    for slice_yx in voxels_zyx:
        digest = slice_sha256(slice_yx)
        whole.update(digest)
        if _shows_a_body(slice_yx):
            slices.append(int.from_bytes(digest[:DIGEST_BYTES], "little"))
    return Traces(whole.hexdigest(), np.unique(np.array(slices, np.uint64)), fingerprint(looked_at))


def slice_sha256(slice_yx: np.ndarray) -> bytes:
    """A checksum of a slice's size and its voxels as float32."""
    digest = hashlib.sha256(repr(slice_yx.shape).encode())
    # Adding 0 makes one zero of 0.0 and -0.0.
    digest.update(np.add(slice_yx, 0, dtype=np.float32, order="C"))
    return digest.digest()


def fingerprint(voxels_zyx: np.ndarray) -> np.ndarray:
    """How each part of a scan differs from its surroundings, by ranks of voxels: CELLS ** 3 numbers of unit length.

    Ranks stay what they are when a scan is windowed, clipped or rescaled, means over cells when it is resampled.
    Surroundings are taken off since they are alike in all patients: air, body wall, spine. Zeros of an even volume.
    """
    voxels = voxels_zyx.astype(np.float32)
    ranks = sum((voxels > level).astype(np.float32) for level in np.quantile(_some(voxels), RANKS))
    for axis, size in enumerate(voxels.shape):
        ranks = np.moveaxis(np.tensordot(_means(size), ranks, (1, axis)), 0, axis)
    apart = ranks - uniform_filter(ranks, SURROUNDINGS, mode="nearest")
    apart = (apart - apart.mean()).ravel()
    length = np.linalg.norm(apart)
    return apart / length if length > 0 else apart


def _shows_a_body(slice_yx: np.ndarray) -> bool:
    some = _some(slice_yx)
    # Air is one value where a scan was clipped, or is not in Hounsfield units.
    above = max(BODY_ABOVE_HU, some.min())
    return np.count_nonzero(some > above) > BODY_SHARE * some.size


def _some(array: np.ndarray) -> np.ndarray:
    """At least some 64 voxels along each axis."""
    return array[tuple(slice(None, None, max(1, size // 64)) for size in array.shape)]


def _means(size: int) -> np.ndarray:
    """The weights (cells, voxels) by which voxels of an axis become means of cells that share it evenly."""
    edges, voxel = np.linspace(0, size, CELLS + 1), np.arange(size)
    overlap = np.minimum(edges[1:, None], voxel + 1) - np.maximum(edges[:-1, None], voxel)
    return (overlap.clip(0) * (CELLS / size)).astype(np.float32)
