"""Of each round one scan with what is left out of the loss, drawn over its pseudo-label."""

import numpy as np
import SimpleITK as sitk

from noisy_student.cohort.converted import converted_image
from noisy_student.errors import InputError
from noisy_student.files import read_json
from noisy_student.images import read_image
from noisy_student.model.voxel_confidence import mask_on_scan
from noisy_student.nnunet import CASES_FOLDER
from noisy_student.plan.preprocessing import LABELS, read_array, read_properties, with_suffix
from noisy_student.report.example import Example
from noisy_student.report.examples import labels_on_grid_of, panels
from noisy_student.report.montage import Cut, Layer, box_around
from noisy_student.report.pseudo_label_learned import kind, shares_left_out
from noisy_student.report.results import Results, Round
from noisy_student.sparse import IGNORE


def left_out_examples(results: Results) -> list[Example]:
    """Of each round that leaves something out, the scan with the median share of it."""
    return [_example(results, round_) for round_ in results.rounds if len(shares_left_out(round_))]


def _example(results: Results, round_: Round) -> Example:
    shares = shares_left_out(round_)
    case, share = shares.index[len(shares) // 2], shares.iloc[len(shares) // 2]
    about = {
        "case": case,
        "kind": kind(round_),
        "name": f"left_out_round_{round_.number}_{case}",
        "title": f"{case}: what is left out of the loss in round {round_.number}",
        "caption": f"{share:.1%} of its voxels, the median of the scans of which something is left out "
        f"({len(shares)}). The slices where most is, hatched.",
    }
    try:
        scan = read_image(converted_image(results.folder / "cohort", case))
        labels = labels_on_grid_of(scan, round_.folder / "pseudo_labels" / f"{case}.nii.gz")
        hidden = left_out(round_, case, scan)
        columns = {"image": Layer(), f"pseudo-label, round {round_.number}": Layer(labels)}
        columns |= {"left out of the loss": Layer(labels, hidden)}
        cut = cut_where_most(hidden, labels, scan.GetSpacing()[::-1])
        return Example(**about, panels=panels(case, scan, columns, cut, results.organs))
    except InputError as error:
        return Example(**about, panels=[], problem=str(error))


def left_out(round_: Round, case: str, scan: sitk.Image) -> np.ndarray:
    """What the round's dataset leaves out, brought from the network's grid onto the scan's: bool (z, y, x)."""
    dataset = round_.folder / "dataset"
    target = dataset / CASES_FOLDER / case
    ignored = read_array(with_suffix(target, LABELS))[0] == read_json(dataset / "dataset.json")["labels"][IGNORE]
    crop = tuple(slice(low, high) for low, high in read_properties(target)["bbox_used_for_cropping"])
    return mask_on_scan(ignored, crop, scan.GetSize()[::-1])


def cut_where_most(left_out: np.ndarray, labels: np.ndarray, spacing_mm_zyx: tuple[float, ...]) -> Cut:
    """The slices where most is left out, and a box around that and all organs."""
    axial, coronal = (int(np.argmax(left_out.sum(axis=axes))) for axes in ((1, 2), (0, 2)))
    return Cut(axial, coronal, *box_around(left_out | (labels > 0), spacing_mm_zyx))
