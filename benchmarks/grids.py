"""What a network's grid alone costs: label maps brought onto a grid and back, judged against themselves.

    LABEL_MAPS=DIR make bench-grids      (python benchmarks/grids.py DIR [--grid Z Y X] …; FLARE22's numbers)

Down as the workflow brings labels onto a network's grid, back as it exports a network that is sure and right in every
voxel of its grid. A trained one's probabilities lie between; they can say a little more of a border than this.
"""

import argparse
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from nnunetv2.preprocessing.resampling.default_resampling import compute_new_shape, determine_do_sep_z_and_axis

from measured_run import machine
from noisy_student.evaluate.evaluation_modes import MODES
from noisy_student.evaluate.judged_pair import JudgedPair, read_pair
from noisy_student.evaluate.verdicts import judge
from noisy_student.organs import FLARE22
from noisy_student.parallel import in_order
from noisy_student.plan.label_resampling import resample_labels
from noisy_student.reading.names import is_named_as_image

# (z, y, x) in mm: the paper's, that of the winner's small network, and even ones.
GRIDS_MM = ((3.0, 1.0, 1.0), (4.0, 1.2, 1.2), (2.0, 2.0, 2.0), (2.5, 2.5, 2.5), (3.0, 3.0, 3.0))
SMALL = ("right adrenal gland", "left adrenal gland", "gallbladder", "esophagus", "duodenum")
ROW = "{:<18}  {:>12}  {:>7}  {:>7}  {:>9}  {:>9}"


def brought(label_map_zyx: np.ndarray, spacing_mm_zyx: Sequence[float], grid_mm_zyx: Sequence[float]) -> np.ndarray:
    """The label map (z, y, x) seen by a network of that grid, and its answer on the label map's own grid."""
    shape = tuple(compute_new_shape(label_map_zyx.shape, spacing_mm_zyx, grid_mm_zyx))
    down, up = (
        axis if apart else None
        for apart, axis in (
            determine_do_sep_z_and_axis(None, start, end)
            for start, end in ((spacing_mm_zyx, grid_mm_zyx), (grid_mm_zyx, spacing_mm_zyx))
        )
    )
    return resample_labels(resample_labels(label_map_zyx, shape, down), label_map_zyx.shape, up)


def scores(path: Path, grids: Sequence[Sequence[float]]) -> list[tuple[object, ...]]:
    """Grid, voxels, organ, DSC and NSD of a label map on each grid, by FLARE22's rules."""
    found: list[tuple[object, ...]] = []
    truth = read_pair(path, path, len(FLARE22))
    spacing = truth.geometry.spacing_mm_xyz[::-1]
    for grid in grids:
        # Judging cuts the arrays that it is given.
        label_map = truth.truth_zyx.copy()
        pair = JudgedPair(label_map, brought(label_map, spacing, grid), truth.geometry)
        voxels = int(np.prod(compute_new_shape(label_map.shape, spacing, grid)))
        verdicts = judge(pair, MODES["flare22"], FLARE22).verdicts
        found += [
            (grid, voxels, organ.name, verdict.dsc, verdict.nsd)
            for organ, verdict in zip(FLARE22, verdicts, strict=True)
            if (truth.truth_zyx == organ.label).any()
        ]
    return found


def main() -> None:
    """Bring, judge and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("label_maps", type=Path)
    parser.add_argument("--grid", type=float, nargs=3, action="append", metavar=("Z", "Y", "X"), help="in mm")
    options = parser.parse_args()
    grids = [tuple(grid) for grid in options.grid or GRIDS_MM]
    paths = [path for path in sorted(options.label_maps.iterdir()) if is_named_as_image(path)]
    rows = [
        row
        for found in in_order(partial(scores, grids=grids), paths, os.cpu_count() or 1, "label maps")
        for row in found
    ]
    table = pd.DataFrame(rows, columns=["grid", "voxels", "organ", "DSC", "NSD"])
    print(f"{machine()}; {len(paths)} label maps of {options.label_maps}\n")
    print(ROW.format("grid (z, y, x), mm", "million vox.", "DSC", "NSD", "small DSC", "small NSD"))
    for grid in grids:
        of_grid = table[table.grid == grid]
        means = of_grid.groupby("organ")[["DSC", "NSD"]].mean()
        small = means.loc[means.index.isin(SMALL)].mean()
        name = " × ".join(f"{mm:g}" for mm in grid)
        figures = [f"{value:.3f}" for value in (*means.mean(), *small)]
        print(ROW.format(name, f"{of_grid.voxels.mean() / 1e6:.1f}", *figures))
    print(f"\nmeans over scans, then over organs; small: {', '.join(SMALL)}")


if __name__ == "__main__":
    main()
