"""Pictures of where a label map is in doubt, or contradicted."""

from collections.abc import Sequence

import numpy as np
import SimpleITK as sitk

from noisy_student.organs import Organ
from noisy_student.report.example import Panel
from noisy_student.report.examples import layer_of, panels
from noisy_student.report.left_out import cut_where_most
from noisy_student.report.montage import Layer
from noisy_student.sparse import ignore_label, judged_alone


def doubtful_panels(
    case: str, scan: sitk.Image, labels: np.ndarray, doubtful: np.ndarray, organs: Sequence[Organ]
) -> list[list[Panel]]:
    """The scan, its labels, and what is doubtful of them, hatched; in the slices where that is most."""
    columns = {"image": Layer(), "pseudo-label": Layer(labels), "in doubt": Layer(labels, doubtful)}
    return panels(case, scan, columns, cut_where_most(doubtful, labels, scan.GetSpacing()[::-1]), organs)


def contradicted_panels(
    case: str, scan: sitk.Image, by_hand: np.ndarray, found: np.ndarray, organs: Sequence[Organ]
) -> list[list[Panel]]:
    """The scan, its hand label, and what the fold that held it out made of it; in the slices that differ most.

    What nobody labelled is hatched, and differs nowhere.
    """
    labels, judged = judged_alone(by_hand, found, ignore_label(organs))
    columns = {"image": Layer(), "by hand": layer_of(by_hand, organs), "by the fold that held it out": Layer(found)}
    cut = cut_where_most(labels != judged, labels + judged, scan.GetSpacing()[::-1])
    return panels(case, scan, columns, cut, organs)
