"""Truths and predictions whose organs have names: judged as the same label map with numbers is."""

import shutil

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from labelled_series import NAMES, body
from noisy_student.errors import InputError
from noisy_student.evaluate.evaluation_modes import MODES
from noisy_student.evaluate.pairing import LabelMaps
from noisy_student.evaluate.scoring import cases_of_folder, score_table, unpaired
from noisy_student.images import write_image
from segmentation_files import as_nifti, by_highdicom, by_slicerio, write_ct

TRUTH = body()
FOUND = np.roll(TRUTH, 1, axis=2)
# Where the segments begin and end, and one voxel around.
BOX = tuple(slice(max(axis.min() - 1, 0), axis.max() + 2) for axis in np.nonzero(TRUTH))


@pytest.fixture
def folders(tmp_path):
    """Folders of truths and predictions, and the CT that both are of, with its slices in order."""
    for name in ("truth", "predictions"):
        (tmp_path / name).mkdir()
    slices = write_ct(tmp_path / "ct", np.where(TRUTH > 0, 60, -1000))
    (tmp_path / "slices.txt").write_text("\n".join(map(str, slices)))
    return tmp_path


def scan_of(root):
    return sitk.ReadImage(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(root / "ct")))


def as_masks(folder, labels):
    for label, name in (NAMES | {99: "colon"}).items():
        image = sitk.GetImageFromArray((labels == label).astype(np.uint8))
        image.CopyInformation(scan_of(folder.parents[1]))
        write_image(image, folder / f"{name.replace(' ', '_')}.nii.gz")


def as_slicer(path, labels, box=BOX):
    masks = {name: (labels == label)[box] for label, name in NAMES.items()}
    by_slicerio(path, masks, scan_of(path.parents[1]), [part.start for part in box[::-1]])


def as_dicom(path, labels):
    slices = (path.parents[1] / "slices.txt").read_text().splitlines()
    by_highdicom(path, slices, labels, NAMES)


WRITERS = {
    "masks": lambda folder, labels: as_masks(folder / "case", labels),
    "slicer": lambda folder, labels: as_slicer(folder / "case.seg.nrrd", labels),
    "dicom": lambda folder, labels: as_dicom(folder / "case.dcm", labels),
    "numbers": lambda folder, labels: as_nifti(folder / "case.nii.gz", labels, scan_of(folder.parent)),
}


def judged(root, truth, prediction):
    for folder, way, labels in (("truth", truth, TRUTH), ("predictions", prediction, FOUND)):
        for path in (root / folder).iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        WRITERS[way](root / folder, labels)
    cases = cases_of_folder(root / "truth", root / "predictions")
    assert unpaired(cases, root / "predictions") == ([], [])
    return score_table(cases, MODES["strict"], cores=1)


@pytest.mark.parametrize(
    ("truth", "prediction"),
    [("masks", "numbers"), ("numbers", "masks"), ("slicer", "numbers"), ("numbers", "slicer"), ("dicom", "numbers"),
     ("numbers", "dicom"), ("dicom", "masks"), ("slicer", "masks")],
)  # fmt: skip
def test_scores_are_those_of_the_same_label_maps_with_numbers(folders, truth, prediction):
    expected = judged(folders, "numbers", "numbers")
    assert expected.loc[expected["label"] == 1, "DSC"].between(0.5, 0.99).all()
    pd.testing.assert_frame_equal(judged(folders, truth, prediction), expected)


def test_two_that_are_drawn_on_a_scan_have_no_grid(folders):
    with pytest.raises(InputError, match="grid"):
        judged(folders, "dicom", "dicom")


def test_a_truth_that_is_drawn_on_a_scan_has_no_volume_without_prediction(folders):
    as_dicom(folders / "truth/case.dcm", TRUTH)
    table = score_table(cases_of_folder(folders / "truth", folders / "predictions"), MODES["strict"], cores=1)
    assert set(table["rule"]) == {"missing prediction"} and (table["DSC"] == 0).all()
    assert table["truth_voxels"].isna().all()


def test_segments_of_no_known_name_are_refused(folders):
    by_slicerio(folders / "truth/case.seg.nrrd", {"Segment 1": TRUTH == 1}, scan_of(folders))
    WRITERS["numbers"](folders / "predictions", FOUND)
    with pytest.raises(InputError, match="Segment 1") as error:
        score_table(cases_of_folder(folders / "truth", folders / "predictions"), MODES["strict"], cores=1)
    assert "aliases" in error.value.remedy


def test_a_folder_of_other_cases_label_maps_is_none(folders):
    WRITERS["numbers"](folders / "truth", TRUTH)
    (folders / "truth/old").mkdir()
    as_nifti(folders / "truth/old/case.nii.gz", TRUTH, scan_of(folders))
    assert LabelMaps(folders / "truth").cases == ["case"]
