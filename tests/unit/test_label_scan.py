"""The predictor alone, with a model folder that stock nnU-Net made."""

import json
import shutil

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from nnunetv2.imageio.nibabel_reader_writer import NibabelIOWithReorient
from nnunetv2.imageio.simpleitk_reader_writer import SimpleITKIO
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

from conftest import script
from noisy_student.cohort.scans import embedded_folders, find_scans
from noisy_student.errors import InputError
from noisy_student.files import sha256
from noisy_student.geometry import orientation
from noisy_student.images import read_geometry
from noisy_student.learning.model_folder import checkpoints_of, read_model
from noisy_student.learning.nnunet import nnunet_folders


@pytest.fixture(scope="module")
def stock_model(plan, tmp_path_factory):
    """What nnU-Net's own trainer leaves before its first step, of a dataset of another name."""
    folder = tmp_path_factory.mktemp("results")
    plans = plan.plans | {"dataset_name": "Dataset007_Abdomen", "continue_training": False}
    with nnunet_folders(folder / "x") as (_, preprocessed):
        trainer = nnUNetTrainer(plans, "3d_fullres", 0, plan.dataset, torch.device("cpu"))
        (preprocessed / "cases").mkdir()
        (preprocessed / "cases/case.b2nd").touch()
        trainer.preprocessed_dataset_folder = str(preprocessed / "cases")
        trainer.output_folder = str(folder / "fold_0")
        trainer.log_file = str(folder / "log.txt")
        (folder / "fold_0").mkdir()
        torch.manual_seed(0)
        trainer.initialize()
        for layer in trainer.network.decoder.seg_layers:
            torch.nn.init.normal_(layer.weight, std=5)
        trainer.save_checkpoint(str(folder / "fold_0/checkpoint_final.pth"))
    (folder / "plans.json").write_text(json.dumps(plans))
    (folder / "dataset.json").write_text(json.dumps(plan.dataset))
    return folder


@pytest.fixture(scope="module")
def scans(embedded, tmp_path_factory):
    """A folder of two scans as they are stored, not in canonical orientation."""
    folder = tmp_path_factory.mktemp("scans")
    stored = [scan.image for scan in find_scans(embedded_folders(embedded))]
    turned = [path for path in stored if orientation(read_geometry(path).direction) == "RAS"]
    for path in turned[:2]:
        shutil.copy(path, folder)
    return folder


def stock_label_map(model, scan, reader, fold=0):
    predictor = nnUNetPredictor(0.5, True, False, False, torch.device("cpu"), allow_tqdm=False)
    predictor.initialize_from_trained_model_folder(str(model), (fold,))
    image, properties = reader.read_images([str(scan)])
    return predictor.predict_single_npy_array(image, properties)


def label(model, image, output):
    """Label with a model from elsewhere, which has to be trusted by name."""
    checksums = [sha256(path) for path in checkpoints_of(model)]
    where = ("--image", image, "--output", output, "--device", "cpu")
    return script("label_scan.py", "--model", model, *where, "--trust", *checksums)


def test_a_folder_of_scans_gets_stock_nnunets_label_maps(stock_model, scans, tmp_path):
    run = label(stock_model, scans, tmp_path)
    assert run.returncode == 0, run.stderr
    assert "labelling: 2 of 2" in run.stderr
    for scan in scans.iterdir():
        output = tmp_path / scan.name.replace("_0000", "")
        assert not read_geometry(output).differences(read_geometry(scan))
        expected = stock_label_map(stock_model, scan, SimpleITKIO())
        found = sitk.GetArrayFromImage(sitk.ReadImage(str(output)))
        assert len(np.unique(expected)) > 3 and (found != expected).mean() <= 1e-4


def test_a_model_that_reorients_its_scans_is_followed(stock_model, scans, tmp_path):
    model = shutil.copytree(stock_model, tmp_path / "model")
    plans = json.loads((model / "plans.json").read_text()) | {"image_reader_writer": "NibabelIOWithReorient"}
    (model / "plans.json").write_text(json.dumps(plans))
    (model / "fold_0").rename(model / "fold_all")
    scan = next(scans.iterdir())
    lps = sitk.DICOMOrient(sitk.ReadImage(str(scan)), "LPS")
    sitk.WriteImage(lps, str(tmp_path / "lps.nii.gz"))
    output = tmp_path / "label_map.nii.gz"
    run = label(model, tmp_path / "lps.nii.gz", output)
    assert run.returncode == 0, run.stderr
    expected = stock_label_map(model, tmp_path / "lps.nii.gz", NibabelIOWithReorient(), fold="all")
    found = sitk.GetArrayFromImage(sitk.DICOMOrient(sitk.ReadImage(str(output)), "RAS"))
    assert (found != expected).mean() <= 1e-4
    assert not read_geometry(output).differences(read_geometry(tmp_path / "lps.nii.gz"))


def test_only_models_of_this_workflow_see_canonical_scans(stock_model, untrained):
    assert read_model(checkpoints_of(stock_model)).orientation is None
    assert read_model(checkpoints_of(untrained)).orientation == "LPS"


def test_fold_all_is_taken_where_there_is_no_other(untrained, tmp_path):
    model = shutil.copytree(untrained, tmp_path / "model")
    shutil.copytree(model / "fold_0", model / "fold_all")
    assert [path.parent.name for path in checkpoints_of(model)] == ["fold_0", "fold_1"]
    assert [path.parent.name for path in checkpoints_of(model, ["all"])] == ["fold_all"]
    for fold in (0, 1):
        shutil.rmtree(model / f"fold_{fold}")
    assert [path.parent.name for path in checkpoints_of(model)] == ["fold_all"]


@pytest.mark.parametrize("folds", [None, ["3"]])
def test_missing_folds_are_named(tmp_path, folds):
    with pytest.raises(InputError, match="fold_3.*missing" if folds else "got: none"):
        checkpoints_of(tmp_path, folds)


@pytest.mark.parametrize(
    ("reason", "configuration", "dataset"),
    [
        ("slices", {"patch_size": [48, 48]}, {}),
        ("cascade", {"previous_stage": "3d_lowres"}, {}),
        ("regions", {}, {"labels": {"background": 0, "body": [1, 2], "liver": 1}, "regions_class_order": [2, 1]}),
        ("2 channels", {}, {"channel_names": {"0": "CT", "1": "PET"}}),
    ],
)
def test_a_model_of_another_kind_is_refused_with_its_reason(untrained, tmp_path, reason, configuration, dataset):
    model = shutil.copytree(untrained, tmp_path / "model")
    plans, described = (json.loads((model / name).read_text()) for name in ("plans.json", "dataset.json"))
    plans["configurations"]["3d_fullres"] |= configuration
    plans["configurations"]["3d_lowres"] = plans["configurations"]["3d_fullres"]
    (model / "plans.json").write_text(json.dumps(plans))
    (model / "dataset.json").write_text(json.dumps(described | dataset))
    with pytest.raises(InputError, match=reason):
        read_model(checkpoints_of(model))


def test_another_network_than_the_plans_is_refused(untrained, tmp_path):
    model = shutil.copytree(untrained, tmp_path / "model")
    plans = json.loads((model / "plans.json").read_text())
    plans["configurations"]["3d_fullres"]["architecture"]["arch_kwargs"]["n_conv_per_stage"] = [2, 2, 2, 2]
    (model / "plans.json").write_text(json.dumps(plans))
    with pytest.raises(InputError, match="nnUNetTrainer trained another one"):
        read_model(checkpoints_of(model))


def test_an_empty_folder_is_an_error(stock_model, tmp_path):
    run = label(stock_model, tmp_path, tmp_path / "out")
    assert run.returncode == 2 and "got: none" in run.stderr
