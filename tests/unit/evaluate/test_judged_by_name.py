"""Truths and predictions whose organs have names: judged as the same label map with numbers is."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from labelled_series import NAMES, body
from noisy_student.errors import InputError
from noisy_student.evaluate.evaluation_modes import MODES
from noisy_student.evaluate.pairing import LabelMaps
from noisy_student.evaluate.scoring import cases_of_folder, score_table, unpaired
from noisy_student.files import sha256
from noisy_student.geometry import image_like
from noisy_student.images import write_image
from noisy_student.organs import FLARE22
from noisy_student.writing import nifti
from noisy_student.writing.numbers import numbered
from noisy_student.writing.segmentation import Segmentation
from segmentation_files import as_nifti, by_highdicom, by_slicerio, write_ct, write_structures

TRUTH = body()
FOUND = np.roll(TRUTH, 1, axis=2)
LABELLED = frozenset(NAMES)
# TotalSegmentator's numbers of the same organs.
THEIRS = {1: 5, 3: 1, 4: 7}
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


def as_structures(path, labels):
    """A square in each slice with the liver, of each organ alike."""
    scan, inside = scan_of(path.parents[1]), np.flatnonzero((labels == 1).any(axis=(1, 2)))
    corners = ((5, 5), (9, 5), (9, 9), (5, 9))
    squares = [
        np.array([scan.TransformIndexToPhysicalPoint((x, y, int(z))) for x, y in corners], float) for z in inside
    ]
    write_structures(path, dict.fromkeys(NAMES.values(), squares))


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
    cases = cases_of_folder(root / "truth", root / "predictions", LABELLED)
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
    with pytest.raises(InputError, match="grid") as error:
        judged(folders, "dicom", "dicom")
    assert "--cases" in error.value.remedy


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


def test_masks_that_an_alias_makes_one_organ_are_judged_as_one(folders, capsys):
    organs = [replace(organ, aliases=("liver_cyst",)) if organ.name == "liver" else organ for organ in FLARE22]
    as_masks(folders / "truth/case", np.where(TRUTH == 1, 0, TRUTH))
    for name, half in (("liver", slice(None, None, 2)), ("liver_cyst", slice(1, None, 2))):
        part = np.zeros_like(TRUTH)
        part[half] = TRUTH[half] == 1
        image = sitk.GetImageFromArray(part.astype(np.uint8))
        image.CopyInformation(scan_of(folders))
        write_image(image, folders / f"truth/case/{name}.nii.gz")
    WRITERS["numbers"](folders / "predictions", TRUTH)
    cases = cases_of_folder(folders / "truth", folders / "predictions", LABELLED, organs)
    table = score_table(cases, MODES["strict"], cores=1, organs=organs)
    assert liver_dsc(table) == 1
    assert "one organ under several names" in capsys.readouterr().err


def scored(root, labelled=LABELLED, **given):
    cases = cases_of_folder(root / "truth", root / "predictions", labelled)
    return score_table([replace(case, **given) for case in cases], MODES["strict"], cores=1)


def liver_dsc(table):
    return table.loc[table["label"] == 1, "DSC"].item()


@pytest.fixture
def numbered_otherwise(folders):
    """A truth in TotalSegmentator's numbers, and a prediction in FLARE22's; in voxels they are the same."""
    voxels = np.zeros_like(TRUTH)
    for label, number in THEIRS.items():
        voxels[label == TRUTH] = number
    image = image_like(voxels, scan_of(folders))
    WRITERS["numbers"](folders / "predictions", TRUTH)

    def write(header=True, names=None):
        organs = numbered(FLARE22, "totalsegmentator") if header else []
        nifti.write(Segmentation(image, organs, "a model"), folders / "truth/case.nii.gz")
        if names:
            (folders / "truth/dataset.json").write_text(json.dumps({"labels": {"background": 0} | names}))
        return folders

    return write


def test_numbers_of_a_nifti_are_known_by_the_names_in_its_header(numbered_otherwise, capsys):
    table = scored(numbered_otherwise())
    assert (table.dropna(subset="DSC")["DSC"] == 1).all() and len(table.dropna(subset="DSC")) == 3
    said = capsys.readouterr().err
    assert "names in 1 truth(s), by its header: taken: liver, spleen, pancreas; left over: kidney_right, " in said
    assert "numbers in use" not in said


def test_numbers_of_a_nifti_are_known_by_the_names_beside_it(numbered_otherwise):
    table = scored(numbered_otherwise(False, {"Milz": 9, "liver": 5, "spleen": 1, "pancreas": 7}))
    assert (table.dropna(subset="DSC")["DSC"] == 1).all()


def test_names_of_earlier_numbers_in_a_header_are_warned_of(folders, capsys):
    theirs = numbered(FLARE22, "totalsegmentator")
    truth = Segmentation(image_like(TRUTH, scan_of(folders)), theirs, "a model")
    nifti.write(truth, folders / "truth/case.nii.gz")
    WRITERS["numbers"](folders / "predictions", TRUTH)
    assert liver_dsc(scored(folders)) == 0
    assert "by its header 1 is 'spleen', by the label table liver" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ({"liver": 5, "spleen": 1}, "no name for pancreas"),
        ({"liver": 5, "spleen": 1, "liv": 7}, "no name for pancreas"),
        ({"liver": 5, "spleen": 1, "pancreas": 8}, "label 7"),
        ({"liver": 5, "spleen": 1, "pancreas": 7, "liv": 8}, "'liver' .5. and 'liv' .8. are liver"),
        ({"liver": 5, "spleen": 1, "pancreas": 8, "ignore": 7}, "of its voxels are 7, 'ignore': nobody labelled them"),
    ],
)
def test_names_of_a_truth_that_do_not_fit_are_refused(numbered_otherwise, names, found):
    with pytest.raises(InputError, match=found):
        scored(numbered_otherwise(False, names))


def test_a_truth_that_the_check_has_read_has_the_tables_numbers_whatever_lies_beside_it(folders):
    for folder, labels in (("truth", TRUTH), ("predictions", FOUND)):
        WRITERS["numbers"](folders / folder, labels)
    (folders / "truth/dataset.json").write_text(json.dumps({"labels": {"Leber": 1, "Milz": 3, "pancreas": 4}}))
    with pytest.raises(InputError, match="no name for liver, spleen"):
        scored(folders)
    assert liver_dsc(scored(folders, truth_sha256=sha256(folders / "truth/case.nii.gz"))) > 0.5


def test_a_truth_of_masks_without_an_organs_file_is_refused_unless_it_is_not_labelled(folders):
    WRITERS["masks"](folders / "truth", TRUTH)
    WRITERS["numbers"](folders / "predictions", FOUND)
    (folders / "truth/case/spleen.nii.gz").unlink()
    with pytest.raises(InputError, match=r"no name for spleen; the names of its masks: .*\n.*--labelled"):
        scored(folders)
    assert scored(folders, frozenset({1, 4})).dropna(subset="DSC")["label"].tolist() == [1, 4]


def test_an_organ_that_no_segmentation_names_is_refused_unless_it_is_not_labelled(folders, capsys):
    scan, case = scan_of(folders), folders / "truth/case.seg.nrrd"
    by_slicerio(case, {"liver": TRUTH == 1, "Leber": TRUTH == 3, "pancreas": TRUTH == 4}, scan)
    WRITERS["numbers"](folders / "predictions", FOUND)
    with pytest.raises(InputError, match=r"no name for spleen in 1 truth.s., which name liver, Leber, pancreas"):
        scored(folders)
    said = capsys.readouterr().err
    assert "names in 1 truth(s), by its header: taken: liver, pancreas; left over: Leber; never named: spleen" in said
    assert scored(folders, frozenset({1, 4}))["DSC"].count() == 2
    by_slicerio(folders / "truth/other.seg.nrrd", {"spleen": TRUTH == 3}, scan)
    as_nifti(folders / "predictions/other.nii.gz", FOUND, scan)
    table = scored(folders)
    assert table.loc[(table["case"] == "case") & (table["label"] == 3), "rule"].tolist() == ["truth empty"]
    said = capsys.readouterr().err
    assert "names in 2 truth(s)" in said
    assert "warning, truths: spleen is named in 1 of 2 label maps; case.seg.nrrd instead with Leber, which " in said
    assert said.count("warning, truths") == 1


def test_a_prediction_need_not_name_every_organ_and_that_is_said(folders, capsys):
    WRITERS["numbers"](folders / "truth", TRUTH)
    WRITERS["masks"](folders / "predictions", FOUND)
    (folders / "predictions/case/spleen.nii.gz").unlink()
    table = scored(folders)
    assert table.loc[table["label"] == 3, "rule"].item() == "prediction empty" and liver_dsc(table) > 0.5
    said = "names in 1 prediction(s), by the names of its masks: taken: liver, pancreas; left over: colon; "
    assert f"{said}never named: spleen" in capsys.readouterr().err


@pytest.mark.parametrize("way", ["slicer", "dicom", "structures"])
@pytest.mark.parametrize("role", ["truth", "predictions"])
def test_what_reaches_beyond_the_other_label_map_is_refused(folders, way, role):
    ways = WRITERS | {"structures": lambda folder, labels: as_structures(folder / "case.dcm", labels)}
    ways[way](folders / role, TRUTH)
    (other,) = {"truth", "predictions"} - {role}
    sitk.WriteImage(image_like(TRUTH, scan_of(folders))[:, :, 5:9], str(folders / other / "case.nii.gz"))
    with pytest.raises(InputError, match=r"on one grid") as error:
        scored(folders)
    assert "here the grid of case.nii.gz" in error.value.got


def test_numbers_of_truths_without_names_are_said_where_predictions_have_names(folders, capsys):
    for folder, organs in (("truth", []), ("predictions", FLARE22)):
        label_map = Segmentation(image_like(TRUTH, scan_of(folders)), organs, "a model")
        nifti.write(label_map, folders / folder / "case.nii.gz")
    assert liver_dsc(scored(folders)) == 1
    said = capsys.readouterr().err
    assert "1 truth(s) have no names of organs" in said and "the label table's (1 liver, 3 spleen, 4 pan" in said
    assert "dataset.json" in said and "--cases results/cohort/cases.tsv" in said
    # The check has read this one, and a prediction without names is as its truth.
    scored(folders, truth_sha256=sha256(folders / "truth/case.nii.gz"))
    WRITERS["numbers"](folders / "predictions", TRUTH)
    scored(folders)
    assert "no names of organs" not in capsys.readouterr().err


def test_numbers_beyond_the_label_table_are_refused_with_the_ways_to_name_them(folders):
    as_nifti(folders / "truth/case.nii.gz", np.where(TRUTH == 1, 52, TRUTH), scan_of(folders))
    WRITERS["numbers"](folders / "predictions", TRUTH)
    with pytest.raises(InputError, match="label 52") as error:
        scored(folders)
    assert "dataset.json" in error.value.remedy and "--cases" in error.value.remedy
