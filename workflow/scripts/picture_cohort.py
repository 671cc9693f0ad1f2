"""Draw some scans of an embedded cohort, axial and coronal, with and without their organs."""

import argparse
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import SimpleITK as sitk
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Patch

from noisy_student.files import whole_file
from noisy_student.images import read_canonical
from noisy_student.organs import FLARE22

WINDOW_HU = (-160, 240)  # width 400, level 40
OVERLAY = 0.55
DOTS_PER_INCH = 84
LABELLED = "Training/FLARE22_LabeledCase50"
UNLABELLED = "Training/FLARE22_UnlabeledCase2000"
AXIAL_LABELS = (3, 4)  # the axial slice runs between the middles of spleen and pancreas
CORONAL_LABELS = (2, 13)  # the coronal slice through the kidneys


@dataclass(frozen=True)
class View:
    """One slice as shown: grey values and labels (rows, columns), and the height of a pixel against its width."""

    grey: np.ndarray
    labels: np.ndarray
    aspect: float


def views(scan_path: Path, label_path: Path) -> tuple[View, View]:
    """An axial and a coronal slice: the patient's right on the left, the front or the head on top."""
    scan, label_map = (read_canonical(path) for path in (scan_path, label_path))
    hu, labels = sitk.GetArrayFromImage(scan), sitk.GetArrayFromImage(label_map)
    x_mm, y_mm, z_mm = scan.GetSpacing()
    axial, coronal = _middle(labels, AXIAL_LABELS, axis=0), _middle(labels, CORONAL_LABELS, axis=1)
    return (
        View(hu[axial], labels[axial], y_mm / x_mm),
        View(hu[::-1, coronal], labels[::-1, coronal], z_mm / x_mm),
    )


def _middle(labels: np.ndarray, wanted: tuple[int, ...], axis: int) -> int:
    """The mean of the wanted organs' middles along an axis; the grid's middle if one is out of view."""
    places = [np.nonzero(labels == label)[axis] for label in wanted]
    if not all(len(place) for place in places):
        return labels.shape[axis] // 2
    return round(float(np.mean([place.mean() for place in places])))


def overlay(labels: np.ndarray) -> np.ndarray:
    """Organs in their colours, RGBA (rows, columns, 4), clear where there is none."""
    colours = np.zeros((256, 4))
    for organ in FLARE22:
        colours[organ.label] = (*to_rgb(organ.colour), OVERLAY)
    return colours[labels]


def draw(axes: Axes, view: View, with_organs: bool) -> None:
    """One slice in the abdominal window."""
    low, high = WINDOW_HU
    axes.imshow(view.grey, cmap="gray", vmin=low, vmax=high, aspect=view.aspect, interpolation="bicubic")
    if with_organs:
        axes.imshow(overlay(view.labels), aspect=view.aspect, interpolation="nearest")
    axes.set_axis_off()


def picture(cohort: Path, unlabelled: int) -> plt.Figure:
    """One row for the first labelled scan, one for each of the first unlabelled scans."""
    names = [(f"{LABELLED}/images/FLARE22_Tr_0001_0000.nii.gz", f"{LABELLED}/labels/FLARE22_Tr_0001.nii.gz")]
    names += [
        (f"{UNLABELLED}/Case_{number:05}_0000.nii.gz", f"Truth/Case_{number:05}.nii.gz")
        for number in range(1, unlabelled + 1)
    ]
    figure, rows = plt.subplots(len(names), 4, figsize=(11, 2.05 * len(names) + 0.5), facecolor="black")
    for row, (scan_name, label_name) in zip(rows, names, strict=True):
        axial, coronal = views(cohort / scan_name, cohort / label_name)
        columns = ((axial, False), (axial, True), (coronal, False), (coronal, True))
        for axes, (view, with_organs) in zip(row, columns, strict=True):
            draw(axes, view, with_organs)
        row[0].set_title("labelled" if LABELLED in scan_name else "unlabelled", color="white", fontsize=8, loc="left")
    handles = [Patch(color=organ.colour, label=organ.name) for organ in FLARE22]
    figure.legend(
        handles=handles, ncols=7, loc="lower center", fontsize=7, frameon=False, labelcolor="white", handlelength=1
    )
    figure.subplots_adjust(left=0.005, right=0.995, top=0.97, bottom=0.6 / (2.05 * len(names)), wspace=0.02, hspace=0.1)
    return figure


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cohort", type=Path, required=True, help="folder that make_cohort.py wrote")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--unlabelled", type=int, default=3, help="how many unlabelled scans (%(default)s)")
    asked = parser.parse_args()
    with whole_file(asked.output) as temporary:
        picture(asked.cohort, asked.unlabelled).savefig(temporary, dpi=DOTS_PER_INCH)


if __name__ == "__main__":
    main()
