"""Scans that are too thin for a network: of a coarser grid they have no voxel."""

from collections.abc import Sequence

from noisy_student.geometry import Geometry
from noisy_student.reading.volume import Remark

AXES_OF_GRID = ("left-right", "front-back", "head-foot")


def thin_remarks(geometry: Geometry, spacings_mm_zyx: Sequence[Sequence[float] | None]) -> list[Remark]:
    """An error for a scan of which a network would see no voxel along some axis."""
    given = [spacing for spacing in spacings_mm_zyx if spacing]
    found = []
    for number, axis in enumerate(AXES_OF_GRID):
        extent = geometry.size_xyz[number] * geometry.spacing_mm_xyz[number]
        coarsest = max((spacing[2 - number] for spacing in given), default=0.0)
        # Half a voxel is rounded to none.
        if given and round(extent / coarsest) < 1:
            wanted = f"more than half of the network's spacing, {coarsest / 2:g} mm"
            remedy = "take it out: it is too thin to be seen"
            found.append(Remark("thin", f"an extent of {extent:.4g} mm, {axis}", wanted, remedy, "error"))
    return found
