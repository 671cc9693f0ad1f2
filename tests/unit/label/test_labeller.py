"""Models from elsewhere on scans stored in any axis order: label maps as stock nnU-Net gives them, canonical."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
import torch
from nnunetv2.imageio.nibabel_reader_writer import NibabelIOWithReorient
from nnunetv2.imageio.simpleitk_reader_writer import SimpleITKIO, SimpleITKIOWithReorient

from conftest import stock_label_map
from noisy_student.cohort.converted import converted_image
from noisy_student.configuration.prediction_options import Prediction
from noisy_student.errors import InputError
from noisy_student.geometry import CANONICAL_ORIENTATION
from noisy_student.images import read_image
from noisy_student.label.labeller import Labeller, Vote, labeller_of
from noisy_student.model.model_folder import checkpoints_of
from noisy_student.organs import FLARE22, Organ

CPU = torch.device("cpu")
CASE = "FLARE22_Tr_0001"
OTHERS = {
    "liver": "Liver", "right kidney": "kidney_right", "left kidney": "kidney_left", "aorta": "tumour", "spleen": "heart"
}  # fmt: skip


@pytest.fixture(scope="module")
def scan(converted):
    """A canonical scan with a border of zeros, which nnU-Net crops off, wider on some sides than on others."""
    whole = read_image(converted_image(converted, CASE))
    # Little more than a patch of the network, so few windows.
    x, y, z = (round(mm / spacing) for mm, spacing in zip((300, 300, 200), whole.GetSpacing(), strict=True))
    image = whole[:x, :y, :z]
    array = sitk.GetArrayFromImage(image)
    framed = np.zeros_like(array)
    inside = (slice(2, -1), slice(3, -6), slice(5, -1))
    framed[inside] = array[inside] + (array[inside] == 0)
    result = sitk.GetImageFromArray(framed)
    result.CopyInformation(image)
    return result


def changed(model, folder, plans=None, labels=None, spacing=None):
    """A copy of a model with other plans or other names of labels."""
    other = shutil.copytree(model, folder)
    described = json.loads((other / "plans.json").read_text()) | (plans or {})
    if spacing:
        described["configurations"]["3d_fullres"]["spacing"] = spacing
    (other / "plans.json").write_text(json.dumps(described))
    dataset = json.loads((other / "dataset.json").read_text())
    names = labels or {}
    dataset["labels"] = {names.get(name, name): label for name, label in dataset["labels"].items()}
    (other / "dataset.json").write_text(json.dumps(dataset))
    return other


def labelled(labeller, scan, letters="LPS"):
    return labeller.labelled(labeller.predict(labeller.read(scan, letters)), voxels=True)


def stored_as(scan, letters, path):
    sitk.WriteImage(sitk.DICOMOrient(scan, letters), str(path))
    return path


def in_canonical(array_zyx, letters):
    """An array of a scan stored towards some letters, turned by SimpleITK."""
    image = sitk.GetImageFromArray(np.ascontiguousarray(array_zyx))
    image.SetDirection(sitk.DICOMOrientImageFilter.GetDirectionCosinesFromOrientation(letters))
    return sitk.GetArrayFromImage(sitk.DICOMOrient(image, CANONICAL_ORIENTATION))


@pytest.mark.parametrize(
    ("letters", "forward"), [("LPS", (0, 1, 2)), ("RAS", (0, 1, 2)), ("PIR", (0, 1, 2)), ("SLA", (2, 0, 1))]
)
def test_label_maps_are_stocks_in_canonical_orientation_and_confidence_lies_where_it_belongs(
    stock_model, scan, tmp_path, letters, forward
):
    backward = [forward.index(axis) for axis in range(3)]
    model = changed(stock_model, tmp_path / "m", {"transpose_forward": forward, "transpose_backward": backward})
    labeller = labeller_of([checkpoints_of(model)], Prediction(), CPU, FLARE22)
    predicted = labeller.predict(labeller.read(scan, letters))
    found = labeller.labelled(predicted, voxels=True, soft=True)
    path = stored_as(scan, letters, tmp_path / "stored.nii.gz")
    expected = in_canonical(stock_label_map(model, path, SimpleITKIO()), letters)
    assert len(np.unique(expected)) > 3 and (found.label_map_zyx != expected).mean() <= 1e-4
    assert not found.undecided and list(found.scores.organ) == [organ.name for organ in FLARE22]
    crop = labeller.crop(predicted)
    assert crop == (slice(2, scan.GetSize()[2] - 1), slice(3, scan.GetSize()[1] - 6), slice(5, scan.GetSize()[0] - 1))
    own = labeller.predictor.labelled(predicted.logits, predicted.properties, voxels=True, soft=True)
    turned = in_canonical(own.confidence_zyx.transpose(backward), letters)
    assert found.confidence_zyx.shape == turned.shape and (found.confidence_zyx == turned).all()
    assert all(
        (mine == in_canonical(theirs.transpose(backward), letters)).all()
        for mine, theirs in zip(found.soft_labels, own.soft_labels, strict=True)
    )


@pytest.mark.parametrize("reader", [NibabelIOWithReorient, SimpleITKIOWithReorient])
def test_a_model_that_turns_scans_itself_sees_them_so_however_they_are_stored(stock_model, scan, tmp_path, reader):
    model = changed(stock_model, tmp_path / "m", {"image_reader_writer": reader.__name__})
    labeller = labeller_of([checkpoints_of(model)], Prediction(), CPU, FLARE22)
    first, second = (labelled(labeller, scan, letters).label_map_zyx for letters in ("PIR", "LPS"))
    path = stored_as(scan, "PIR", tmp_path / "stored.nii.gz")
    expected = in_canonical(stock_label_map(model, path, reader()), "RAS")
    assert (first == second).all() and (first != expected).mean() <= 1e-4


def test_labels_become_the_tables_and_what_it_does_not_have_background(stock_model, scan, tmp_path):
    model = changed(stock_model, tmp_path / "m", labels=OTHERS)
    table = (Organ(1, "left kidney"), Organ(2, "liver"), Organ(3, "prostate"))
    own, theirs = (labeller_of([checkpoints_of(model)], Prediction(), CPU, organs) for organs in (None, table))
    stock, found = labelled(own, scan), labelled(theirs, scan)
    expected = np.select([stock.label_map_zyx == label for label in (13, 1)], [1, 2], 0)
    assert (found.label_map_zyx == expected).all() and set(np.unique(expected)) == {0, 1, 2}
    assert found.scores[["label", "organ"]].to_numpy().tolist() == [[1, "left kidney"], [2, "liver"]]
    same = ["mean_max_probability", "voxels", "volume_ml"]
    rows = stock.scores.set_index("organ").loc[["kidney_left", "Liver"], same].reset_index(drop=True)
    pd.testing.assert_frame_equal(found.scores[same], rows)
    assert (found.confidence_counts[[2, 1]] == stock.confidence_counts[[1, 13]]).all()
    assert found.confidence_counts[1:3].sum(1).all()
    # `tumour` may be a part of an organ: undecided. The heart and all else is background for certain.
    logits = theirs.predict(theirs.read(scan, "LPS")).logits.mean
    classes = logits.float().argmax(0).numpy()
    assert found.undecided and ((found.confidence_zyx == 0) == (classes == 5)).all() and (classes == 5).any()
    probability = torch.softmax(logits.float(), 0).numpy()
    background = np.isin(classes, [0, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12])
    assert background.any() and not np.isin(classes[~background & (classes != 5)], [0, 3]).any()
    shares = probability[[0, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12]].sum(0)
    assert np.abs(found.confidence_zyx[background] - 100 * shares[background]).max() <= 1.01


def test_models_of_one_grid_label_by_the_mean_of_all_their_folds(untrained, scan, tmp_path):
    both = checkpoints_of(untrained)
    apart = [shutil.copytree(untrained, tmp_path / name) / f"fold_{name}/checkpoint_final.pth" for name in "01"]
    together = labeller_of([[path] for path in apart], Prediction(), CPU, FLARE22)
    expected, found = (labelled(one, scan) for one in (labeller_of([both], Prediction(), CPU, FLARE22), together))
    assert isinstance(together, Labeller) and not found.undecided
    assert (found.label_map_zyx == expected.label_map_zyx).all()
    assert (found.confidence_zyx == expected.confidence_zyx).all()
    pd.testing.assert_frame_equal(found.scores, expected.scores)


def test_models_of_other_grids_and_labels_vote(stock_model, untrained, scan, tmp_path):
    finer = changed(stock_model, tmp_path / "m", labels=OTHERS, spacing=[7, 5, 5])
    models = [checkpoints_of(finer), checkpoints_of(untrained, ["0"])]
    with pytest.raises(InputError, match="--postprocessing"):
        labeller_of(models, Prediction(), CPU, steps=[[1]])
    vote = labeller_of(models, Prediction(), CPU, FLARE22)
    assert isinstance(vote, Vote) and sorted(vote.spacings("LPS")) == [(7, 5, 5), (8, 6, 6)]
    predicted = vote.predict(vote.read(scan, "RAS"))
    with pytest.raises(InputError, match="which vote"):
        vote.labelled(predicted, voxels=True, soft=True)
    found = vote.labelled(predicted, voxels=True)
    first, second = (one for one, _ in predicted)
    same = first.label_map_zyx == second.label_map_zyx
    assert (found.label_map_zyx[same] == first.label_map_zyx[same]).all()
    # The first marks neither aorta nor spleen; the second's stand where the first says nothing.
    alone = np.isin(second.label_map_zyx, (3, 5)) & (first.label_map_zyx == 0)
    assert alone.any() and (found.label_map_zyx[alone] == second.label_map_zyx[alone]).all()
    assert (found.label_map_zyx[~same & ~alone] == 0).all()
    crop = (slice(2, scan.GetSize()[2] - 1), slice(3, scan.GetSize()[1] - 6), slice(5, scan.GetSize()[0] - 1))
    assert found.undecided and (found.confidence_zyx[(~same & ~alone)[crop]] == 0).all()
    assert list(found.scores.organ) == [organ.name for organ in FLARE22]
    counts = np.bincount(found.label_map_zyx.ravel(), minlength=14)
    assert (found.confidence_counts.sum(1)[1:] == counts[1:]).all()
    assert found.scores.voxels.tolist() == counts[1:].tolist()
    spacing_ml = np.prod(scan.GetSpacing()) / 1000
    assert np.allclose(found.scores.volume_ml, counts[1:] * spacing_ml)
    agreement = found.scores.set_index("organ").fold_agreement
    assert agreement["liver"] < 1 and np.isnan(agreement["aorta"])
