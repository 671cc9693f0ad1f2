"""How much memory a job asks a cluster for, from the largest scan of the case table."""

from dataclasses import dataclass
from functools import cache
from math import ceil, prod
from pathlib import Path

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class LargestScan:
    """The most voxels, and the greatest extent, of any scan."""

    voxels: int
    extent_mm3: float

    def network_voxels(self, spacing_mm_zyx: tuple[float, ...] | None) -> float:
        """Voxels after resampling; where nnU-Net is to choose the spacing, those of the scan itself."""
        return self.extent_mm3 / prod(spacing_mm_zyx) if spacing_mm_zyx else self.voxels


def largest_scan(table: Path) -> LargestScan:
    """The largest scan of a case table, read once for each version of the file."""
    state = table.stat()
    return _largest_scan(table, state.st_mtime_ns, state.st_size)


@cache
def _largest_scan(table: Path, _changed: int, _size: int) -> LargestScan:
    # Without pandas, whose import alone takes longer than all else in a dry run.
    with table.open() as stream:
        names = next(stream).rstrip("\n").split("\t")
        size = [names.index(f"size_{axis}") for axis in "xyz"]
        spacing = [names.index(f"spacing_{axis}_mm") for axis in "xyz"]
        voxels, extent = 0, 0.0
        for line in stream:
            cells = line.rstrip("\n").split("\t")
            x, y, z = (int(cells[column]) for column in size)
            dx, dy, dz = (float(cells[column]) for column in spacing)
            voxels = max(voxels, x * y * z)
            extent = max(extent, x * dx * y * dy * z * dz)
    return LargestScan(voxels, extent)


@dataclass(frozen=True)
class Need:
    """What a kind of job needs: `base_mb` always, and bytes for each voxel of a scan and of the network's grid."""

    base_mb: int
    bytes_per_voxel: int
    bytes_per_network_voxel: int

    def memory_mb(self, table: Path, spacing_mm_zyx: tuple[float, ...] | None, attempt: int) -> int:
        """Megabytes for the largest scan of the table; each further attempt asks for that much more."""
        scan = largest_scan(table)
        needed = self.bytes_per_voxel * scan.voxels
        needed += self.bytes_per_network_voxel * scan.network_voxels(spacing_mm_zyx)
        return attempt * (self.base_mb + ceil(needed / MEGABYTE))


# About twice what docs/scale.md measured, since nnU-Net's other ways of resampling hold more copies.
# The scan as read and as resampled, more than once in float32.
PREPROCESSING = Need(base_mb=1000, bytes_per_voxel=20, bytes_per_network_voxel=20)
# The scan read, turned and written.
CONVERSION = Need(base_mb=500, bytes_per_voxel=10, bytes_per_network_voxel=0)


# The weights of nnU-Net's residual encoder L: 100 million in float32.
NETWORK_MB = 400


def labelling(classes: int, networks: int = 1, mirrorings: int = 1) -> Need:
    """Logits of all classes in half precision: a pass's, the sum over passes, those of the scan before; and the scan.

    Each of `networks` (folds, and voices of each) has its weights, on a CPU until OpenVINO has proved right twice, and
    where there are several passes each has a label map, of this scan and of the one before. A network has a pass for
    each of `mirrorings`, the scan as it is among them. On a GPU, CUDA takes some gigabytes of the host's memory too.
    """
    passes = networks * mirrorings
    label_maps = 2 * passes if passes > 1 else 0
    base_mb = 4000 + (networks - 1) * 2 * NETWORK_MB
    return Need(base_mb, bytes_per_voxel=10, bytes_per_network_voxel=3 * classes * 2 + 20 + label_maps)


def labelling_as_given(classes: int, networks: int = 1, mirrorings: int = 1) -> Need:
    """The same of scans that are preprocessed on the way."""
    labels = labelling(classes, networks, mirrorings)
    return Need(
        labels.base_mb,
        labels.bytes_per_voxel + PREPROCESSING.bytes_per_voxel,
        labels.bytes_per_network_voxel + PREPROCESSING.bytes_per_network_voxel,
    )
