"""Scores of pseudo-labels from nnU-Net's saved probabilities, as a script beside it: score_probabilities.py FOLDER.

Reads each case's .npz (classes × scan) and writes per organ the mean largest probability, entropy and volume.
"""

import csv
import sys
from pathlib import Path

import numpy as np


def scores(probabilities: np.ndarray) -> list[tuple[int, float, float, int]]:
    """(label, mean largest probability, mean entropy, voxels) of each organ."""
    label_map, largest = probabilities.argmax(0), probabilities.max(0)
    entropy = np.zeros(largest.shape, np.float32)
    for of_class in probabilities:
        entropy -= of_class * np.log(of_class + 1e-8)
    rows = []
    for label in range(1, len(probabilities)):
        organ = label_map == label
        if organ.any():
            rows.append((label, float(largest[organ].mean()), float(entropy[organ].mean()), int(organ.sum())))
    return rows


def main() -> None:
    """Score every case of a folder."""
    folder = Path(sys.argv[1])
    with (folder / "scores.csv").open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["case", "label", "max_probability", "entropy", "voxels"])
        for path in sorted(folder.glob("*.npz")):
            found = scores(np.load(path)["probabilities"].astype(np.float32))
            table.writerows([(path.stem, *row) for row in found])


if __name__ == "__main__":
    main()
