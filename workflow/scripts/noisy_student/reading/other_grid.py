"""What is to be done about labels that do not lie on their scan's voxels.

Labels whose header is lost are given the scan's. Neither by that nor by resampling may they come to lie along axes that
they were not drawn on.
"""

from itertools import permutations

import SimpleITK as sitk

from noisy_student.geometry import Geometry
from noisy_student.reading.volume import Volume

# Of an array (z, y, x) that was saved as (x, y, z), or the reverse.
REVERSED = (2, 1, 0)


def grid_differences(labels: Volume, turned: sitk.Image, scan: Volume) -> list[str]:
    """In what the grids of labels and scan differ; none where they are one. `turned`: the labels, as `turned_like`."""
    differences = scan.geometry.differences(Geometry.of(turned))
    if differences and labels.letters != scan.letters and _are_along_one(labels, scan):
        differences.append(f"axes, as stored along {scan.letters} and {labels.letters}")
    return differences


def grid_remedy(labels: Volume, scan: Volume, name: str = "label_map", of: str = "scan") -> str:
    """How labels come onto the grid of their scan; `name`, `of`: what both are called in words and lines of Python."""
    copy, resample = f"{name}.CopyInformation({of})", f"resample it onto the {of}'s (nearest neighbour)"
    turn = f"{name} = SimpleITK.DICOMOrient({name}, '{scan.letters}')"
    if labels.stored_size_xyz == scan.stored_size_xyz:
        remedy = f"if it was drawn on the {of}'s voxels and lost its header, give it the {of}'s (SimpleITK: {copy})"
        if labels.letters != scan.letters and _are_along_one(labels, scan):
            remedy += f", and if its axes run along {labels.letters} as its header says, turn them before ({turn}): "
            remedy += "look in a viewer which is right, else it lies mirrored"
        return f"{remedy}, as resampling would move its organs; only if it was drawn on another grid, {resample}"
    if _are_along_one(labels, scan):
        return (
            f"if it was drawn on the {of}'s voxels, turn it to the {of}'s axes and give it its header (SimpleITK: "
            f"{turn}, then {copy}), as resampling would move its organs; only if it was drawn on another grid, "
            f"{resample}"
        )
    if order := _exchanged(labels.stored_size_xyz, scan.stored_size_xyz):
        return (
            f"its axes seem exchanged, as those of an array (z, y, x) that is saved as (x, y, z) (SimpleITK: "
            f"{name} = SimpleITK.PermuteAxes({name}, {order}), then {copy}; look at it in a viewer); by its header its "
            "organs would be moved"
        )
    return f"if it is of this {of}, {resample}"


def _are_along_one(labels: Volume, scan: Volume) -> bool:
    """Whether both have as many voxels along each of the patient's axes."""
    return labels.geometry.size_xyz == scan.geometry.size_xyz


def _exchanged(labels_xyz: tuple[int, ...], scan_xyz: tuple[int, ...]) -> list[int]:
    """Which axis of the labels each one of the scan may be, by their sizes; none if that cannot be."""
    orders = sorted(permutations(range(3)), key=lambda order: order != REVERSED)
    return next((list(order) for order in orders if tuple(labels_xyz[axis] for axis in order) == scan_xyz), [])
