"""The predictor alone, with a model folder that stock nnU-Net made."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from nnunetv2.imageio.nibabel_reader_writer import NibabelIOWithReorient
from nnunetv2.imageio.simpleitk_reader_writer import SimpleITKIO

from conftest import ROOT, script, stock_label_map
from noisy_student.cohort.scans import embedded_folders, find_scans
from noisy_student.errors import InputError
from noisy_student.files import sha256
from noisy_student.geometry import orientation
from noisy_student.images import read_geometry
from noisy_student.model.model_folder import checkpoints_of, read_model, unfinished_folds
from noisy_student.organs import FLARE22, to_json


@pytest.fixture(scope="module")
def scans(embedded, tmp_path_factory):
    """A folder of two scans as they are stored, not in canonical orientation."""
    folder = tmp_path_factory.mktemp("scans")
    stored = [scan.image for scan in find_scans(embedded_folders(embedded))]
    turned = [path for path in stored if orientation(read_geometry(path).direction) == "RAS"]
    for path in turned[:2]:
        shutil.copy(path, folder)
    return folder


def label(model, image, output, *more):
    """Label with a model from elsewhere, which has to be trusted by name."""
    checksums = [sha256(path) for path in model.glob("fold_*/*.pth")]
    where = ("--image", image, "--output", output, "--device", "cpu")
    return script("label_scan.py", "--model", model, *where, "--trust", *checksums, *more)


def test_what_few_scans_need_is_imported_for_them_alone():
    """Of seconds for a scan, tenths: what writes DICOM-SEG, and nnU-Net's evaluation."""
    code = "import sys, label_scan; print(*sys.modules)"
    environment = os.environ | {"PYTHONPATH": str(ROOT / "workflow/scripts")}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    imported = set(run.stdout.split())
    assert "torch" in imported
    assert not {"highdicom", "nnunetv2.evaluation", "nnunetv2.postprocessing"} & imported


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


def test_a_bad_scan_among_good_ones_is_named_and_the_others_are_labelled(stock_model, scans, tmp_path):
    folder = shutil.copytree(scans, tmp_path / "scans")
    good, bad = sorted(folder.iterdir())
    shutil.copy(good, folder / good.name.replace("_0000", "_0001"))
    bad.write_bytes(bad.read_bytes()[:5000])
    image = sitk.Cast(sitk.ReadImage(str(good)), sitk.sitkInt32) + 1024
    image.SetSpacing((1.0, 1.0, 1.0))
    sitk.WriteImage(image, str(folder / "no_units.nrrd"))
    run = label(stock_model, folder, tmp_path / "labels", "--checkpoint", "final")
    case, other = (path.name.removesuffix("_0000.nii.gz") for path in (good, bad))
    assert run.returncode == 1 and [path.name for path in (tmp_path / "labels").iterdir()] == [f"{case}.nii.gz"]
    assert f"passed over: 1 further channel(s) of scans, as nnU-Net names them: {case}_0001.nii.gz" in run.stderr
    assert "warning no_units: spacing of exactly 1 × 1 × 1 mm" in run.stderr
    listed = run.stderr.split("not labelled: 2 of 3\n")[1].splitlines()
    assert f"{bad}: unreadable: the compressed file is damaged" in listed[0] and other in listed[0]
    assert "no_units.nrrd: no Hounsfield units" in listed[1] and "--accept" in listed[1] and len(listed) == 2


def test_an_output_among_the_scans_is_refused_before_the_model_is_looked_at(scans, tmp_path):
    before = {path: sha256(path) for path in scans.iterdir()}
    run = script("label_scan.py", "--model", tmp_path, "--image", scans, "--output", scans)
    assert run.returncode == 2 and "another folder than the scans" in run.stderr
    assert {path: sha256(path) for path in scans.iterdir()} == before


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
def test_missing_folds_are_named(untrained, tmp_path, folds):
    model = shutil.copytree(untrained, tmp_path / "model")
    for fold in (0, 1):
        shutil.rmtree(model / f"fold_{fold}")
    with pytest.raises(InputError, match=r"fold_3 has none\n" if folds else r"got: none\n"):
        checkpoints_of(model, folds)


def test_an_unfinished_training_is_named_and_taken_when_asked(untrained, tmp_path):
    model = shutil.copytree(untrained, tmp_path / "model")
    for fold in (0, 1):
        final = model / f"fold_{fold}/checkpoint_final.pth"
        shutil.copy(final, final.with_name("checkpoint_latest.pth"))
        if fold:
            final.rename(final.with_name("checkpoint_best.pth"))
    assert [path.parent.name for path in checkpoints_of(model)] == ["fold_0"]
    assert unfinished_folds(model, checkpoints_of(model)) == ["fold_1"]
    (model / "fold_0/checkpoint_final.pth").unlink()
    with pytest.raises(InputError) as error:
        checkpoints_of(model)
    names = ("fold_0/checkpoint_latest.pth", "fold_1/checkpoint_best.pth", "fold_1/checkpoint_latest.pth")
    assert error.value.got == f"none; there are {', '.join(names)}"
    assert error.value.remedy.endswith("--checkpoint best")
    with pytest.raises(InputError, match=r"fold_0 has none; there are [^\n]*\nremedy:.* --checkpoint latest"):
        checkpoints_of(model, ["0"])
    with pytest.raises(InputError, match="remedy: name the folds that have one: --folds 1 --checkpoint best"):
        checkpoints_of(model, ["1", "2"])
    assert checkpoints_of(model, which="best") == [model / "fold_1/checkpoint_best.pth"]
    assert len(read_model(checkpoints_of(model, which="latest")).networks) == 2


def test_models_of_different_organs_label_together_in_the_labels_of_a_table(untrained, scans, tmp_path):
    organs = FLARE22[:4]
    for number, own in enumerate((organs[:2], organs[2:])):
        model = shutil.copytree(untrained, tmp_path / f"model_{number}", ignore=shutil.ignore_patterns("fold_1"))
        described = json.loads((model / "dataset.json").read_text())
        names = [organ.name for organ in own] + [f"part {'ab'[number]} {label}" for label in range(3, 14)]
        labels = {"background": 0} | {name: label for label, name in enumerate(names, 1)}
        (model / "dataset.json").write_text(json.dumps(described | {"labels": labels}))
    first, second = tmp_path / "model_0", tmp_path / "model_1"
    scan, output = next(scans.iterdir()), tmp_path / "label_map.nii.gz"
    run = label(first, scan, output, "--model", first, second)
    assert run.returncode == 2 and "no organ in common" in run.stderr
    run = label(first, scan, output, "--model", first, second, "--organs", to_json(organs, "label", "name"))
    assert run.returncode == 0, run.stderr
    assert set(np.unique(sitk.GetArrayFromImage(sitk.ReadImage(str(output))))) <= {0, 1, 2, 3, 4}


@pytest.mark.parametrize("lacking", ["plans.json", "dataset.json"])
def test_a_folder_that_is_no_model_is_named(untrained, tmp_path, lacking):
    model = shutil.copytree(untrained, tmp_path / "model")
    (model / lacking).unlink()
    with pytest.raises(InputError, match=f"no {lacking} in {model}"):
        checkpoints_of(model)
    with pytest.raises(InputError, match="no such folder: nowhere"):
        checkpoints_of(Path("nowhere"))


def test_plans_of_nnunet_2_0_give_the_same_network(untrained, tmp_path):
    model = shutil.copytree(untrained, tmp_path / "model")
    plans = json.loads((model / "plans.json").read_text())
    configuration = plans["configurations"]["3d_fullres"]
    given = configuration.pop("architecture")["arch_kwargs"]
    configuration |= {
        "UNet_class_name": "PlainConvUNet",
        "UNet_base_num_features": given["features_per_stage"][0],
        "unet_max_num_features": max(given["features_per_stage"]),
        "n_conv_per_stage_encoder": given["n_conv_per_stage"],
        "n_conv_per_stage_decoder": given["n_conv_per_stage_decoder"],
        "num_pool_per_axis": [2, 3, 3],
        "pool_op_kernel_sizes": given["strides"],
        "conv_kernel_sizes": given["kernel_sizes"],
    }
    (model / "plans.json").write_text(json.dumps(plans))
    patch = torch.zeros(1, 1, *configuration["patch_size"])
    with torch.inference_mode():
        old, new = (read_model(checkpoints_of(folder)).networks[0](patch) for folder in (model, untrained))
    assert torch.equal(old, new)
    configuration["UNet_class_name"] = "UNetOfSomeone"
    (model / "plans.json").write_text(json.dumps(plans))
    with pytest.raises(InputError, match="Unknown architecture UNetOfSomeone"):
        read_model(checkpoints_of(model))


def test_what_is_no_whole_checkpoint_or_no_nnunets_is_named_with_a_remedy_for_a_model(untrained, tmp_path):
    model = shutil.copytree(untrained, tmp_path / "model")
    checkpoint = model / "fold_0/checkpoint_final.pth"
    torch.save({"state_dict": {}}, checkpoint)
    with pytest.raises(InputError, match=f"a checkpoint of nnU-Net v2 at {checkpoint}"):
        read_model([checkpoint])
    checkpoint.write_bytes(checkpoint.read_bytes()[:100])
    with pytest.raises(InputError, match=r"whole checkpoint at .*\n.*\nremedy: copy the model's folder again"):
        read_model([checkpoint])
    (model / "plans.json").write_text("{")
    with pytest.raises(InputError, match="remedy: copy the model's folder again"):
        read_model([checkpoint])


@pytest.mark.parametrize(
    ("reason", "configuration", "dataset"),
    [
        ("slices", {"patch_size": [48, 48]}, {}),
        ("cascade", {"previous_stage": "3d_lowres"}, {}),
        ("regions", {}, {"labels": {"background": 0, "body": [1, 2], "liver": 1}, "regions_class_order": [2, 1]}),
        ("256 labels", {}, {"labels": {"background": 0} | {f"part {number}": number for number in range(1, 257)}}),
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
