"""nnU-Net's own component analysis: of the organs that `train.postprocessing` chooses only the largest piece is kept.

Importing this imports nothing of nnU-Net.
"""

from collections.abc import Sequence
from pathlib import Path

import cc3d
import numpy as np

from noisy_student.boxes import box_of
from noisy_student.files import read_json

FILE = "postprocessing.json"
# Labels that are taken together, step after step: what is not in their largest piece becomes background.
Steps = Sequence[Sequence[int]]
# Voxels that touch at a corner are of one piece.
CONNECTIVITY = 26


def largest_components(mask_zyx: np.ndarray) -> np.ndarray:
    """The largest piece of a mask (z, y, x), or all of them that are as large, as nnU-Net finds it.

    The function that nnU-Net calls looks at all voxels, for the largest size anew for each piece: hours, where a poor
    network has left a hundred thousand of them.
    """
    kept = np.zeros_like(mask_zyx)
    box = box_of(mask_zyx)
    inside = np.ascontiguousarray(mask_zyx[box])
    if inside.size:
        # As numbers: of a thin binary mask cc3d expects fewer pieces than there may be, and fails.
        pieces = cc3d.connected_components(inside.view(np.uint8), connectivity=CONNECTIVITY)
        voxels = np.bincount(pieces.ravel())[1:]
        kept[box] = np.concatenate([[False], voxels == voxels.max()])[pieces]
    return kept


def largest_pieces(label_map_zyx: np.ndarray, steps: Steps) -> np.ndarray:
    """The label map (z, y, x) after each step."""
    if not steps:
        return label_map_zyx
    kept = label_map_zyx.copy()
    organs = kept[box_of(kept)]
    for labels in steps:
        mask = np.isin(organs, labels)
        organs[mask & ~largest_components(mask)] = 0
    return kept


def read_steps(path: str | Path) -> Steps:
    """The steps that `choose_steps` found, from their file."""
    return read_json(Path(path))["steps"]


def steps_beside(models: Sequence[Path]) -> list[Path]:
    """The files in which steps were found for models: in the folder of one that was passed on, beside a round's."""
    places = [model.absolute() for model in models]
    found = [place / FILE if (place / FILE).exists() else place.parent / FILE for place in places]
    return [path for path in dict.fromkeys(found) if path.exists() and read_json(path).get("steps")]
