"""Networks for programs without nnU-Net: they compute what torch does, and the program beside them labels as we do."""

import json
import runpy
import subprocess
import sys
from functools import partial
from types import SimpleNamespace

import numpy as np
import onnxruntime
import pytest
import SimpleITK as sitk
import torch
from dynamic_network_architectures.architectures.unet import PlainConvUNet, ResidualEncoderUNet

from conftest import script
from noisy_student.cohort.scans import embedded_folders, find_scans
from noisy_student.configuration.prediction_options import Prediction
from noisy_student.export.network_files import write_onnx, write_openvino
from noisy_student.export.networks import in_words, write_networks
from noisy_student.files import sha256
from noisy_student.geometry import CANONICAL_ORIENTATION, reorient
from noisy_student.label.labeller import labeller_of
from noisy_student.model import openvino_model
from noisy_student.model.model_folder import checkpoints_of, read_model

STEPS = [[1, 2, 3], [4]]
CPU = torch.device("cpu")
PATCH = (8, 24, 16)
# Of voxels in which two classes are equally likely to OpenVINO and torch, as they often are to an untrained network.
ROUNDING = 1e-3
# Runs a program that finds neither torch nor nnU-Net nor this workflow.
WITHOUT = """
import runpy, sys
sys.modules.update(torch=None, nnunetv2=None, noisy_student=None)
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
ANISOTROPIC = {
    "n_stages": 3,
    "features_per_stage": [4, 8, 16],
    "conv_op": torch.nn.Conv3d,
    "kernel_sizes": [[1, 3, 3], [1, 3, 3], [3, 3, 3]],
    "strides": [[1, 1, 1], [1, 2, 2], [2, 2, 2]],
    "num_classes": 4,
    "n_conv_per_stage_decoder": [1, 1],
    "conv_bias": True,
    "norm_op": torch.nn.InstanceNorm3d,
    "norm_op_kwargs": {"affine": True, "eps": 1e-5},
    "nonlin": torch.nn.LeakyReLU,
    "nonlin_kwargs": {"inplace": True},
}
NETWORKS = {
    "plain": partial(PlainConvUNet, n_conv_per_stage=[1, 2, 2]),
    "residual": partial(ResidualEncoderUNet, n_blocks_per_stage=[1, 2, 2]),
}


def compiled(path):
    """The network's file as OpenVINO runs it in single precision."""
    return openvino_model.core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})


@pytest.mark.parametrize("kind", NETWORKS)
def test_files_compute_what_torch_does(kind, tmp_path):
    torch.manual_seed(0)
    network = NETWORKS[kind](1, **ANISOTROPIC).eval()
    for layer in network.decoder.seg_layers:
        torch.nn.init.normal_(layer.weight, std=5)
    window = torch.randn(1, 1, *PATCH)
    with torch.inference_mode():
        expected = network(window).numpy()
    (onnx,) = write_onnx(network, PATCH, tmp_path / "network.onnx")
    own, weights = write_openvino(network, PATCH, tmp_path / "network.xml")
    before = [sha256(path) for path in (onnx, own, weights)]
    found = {
        "onnxruntime": onnxruntime.InferenceSession(onnx).run(["logits"], {"image": window.numpy()})[0],
        "openvino of ONNX": compiled(onnx)({"image": window.numpy()})["logits"],
        "openvino": compiled(own)({"image": window.numpy()})["logits"],
    }
    for name, logits in found.items():
        np.testing.assert_allclose(logits, expected, atol=1e-4, err_msg=name)
        assert np.array_equal(logits.argmax(1), expected.argmax(1)), name
    write_onnx(network, PATCH, onnx)
    write_openvino(network, PATCH, own)
    assert [sha256(path) for path in (onnx, own, weights)] == before


@pytest.fixture(scope="module")
def scan(embedded):
    """A scan that is not stored in canonical orientation."""
    image = sitk.ReadImage(str(find_scans(embedded_folders(embedded))[0].image))
    return sitk.DICOMOrient(image, "RAS")


@pytest.fixture(scope="module")
def exported(untrained, tmp_path_factory):
    """Two folds, with mirroring and post-processing."""
    folder = tmp_path_factory.mktemp("exported") / "openvino"
    options = Prediction(mirroring=True, step_size=0.7)
    write_networks(checkpoints_of(untrained), "openvino", folder, options, STEPS, in_words)
    return folder


def test_the_program_beside_the_networks_labels_as_label_scan_does_without_torch_and_nnunet(
    untrained, exported, scan, tmp_path
):
    sitk.WriteImage(scan, str(tmp_path / "scan.nii.gz"))
    (tmp_path / "steps.json").write_text(json.dumps({"steps": STEPS}))
    how = (
        "--mirroring",
        "--step-size",
        0.7,
        "--postprocessing",
        tmp_path / "steps.json",
        "--device",
        "cpu",
        "--backend",
        "torch",
    )
    trust = [sha256(path) for path in checkpoints_of(untrained)]
    where = ("--image", tmp_path / "scan.nii.gz", "--output", tmp_path / "expected.nii.gz")
    run = script("label_scan.py", "--model", untrained, *where, *how, "--trust", *trust)
    assert run.returncode == 0, run.stderr
    program = tmp_path / "without.py"
    program.write_text(WITHOUT)
    words = [exported / "label_with_openvino.py", tmp_path / "scan.nii.gz", tmp_path / "found.nii.gz"]
    run = subprocess.run([sys.executable, program, *words], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    expected, found = (sitk.ReadImage(str(tmp_path / f"{name}.nii.gz")) for name in ("expected", "found"))
    assert found.GetDirection() == scan.GetDirection() and found.GetOrigin() == expected.GetOrigin()
    expected, found = map(sitk.GetArrayFromImage, (expected, found))
    assert len(np.unique(expected)) > 3
    assert (found != expected).mean() <= ROUNDING


GRIDS = {
    "smaller than a window": ((40, 40, 9), None),
    "slices far apart": ((60, 60, 14), (3.3, 3.3, 12.0)),
    "as the network's": ((50, 40, 22), (6.0, 6.0, 8.0)),
}


@pytest.mark.parametrize("grid", GRIDS)
def test_but_for_the_last_digits_of_a_network_it_labels_the_same_in_every_voxel(grid, untrained, exported, scan):
    size, spacing = GRIDS[grid]
    scan = scan[: size[0], : size[1], : size[2]]
    scan.SetSpacing(spacing or scan.GetSpacing())
    options = Prediction(mirroring=True, step_size=0.7, backend="torch")
    labeller = labeller_of([checkpoints_of(untrained)], options, CPU, steps=STEPS)
    seen = labeller.read(reorient(scan, CANONICAL_ORIENTATION), "RAS")
    expected = labeller.labelled(labeller.predict(seen)).label_map_zyx
    program = runpy.run_path(str(exported / "label_with_openvino.py"))
    label = program["label"]
    label.__globals__["openvino"] = torchs(read_model(checkpoints_of(untrained)).networks)
    found = label(scan, json.loads((exported / "model.json").read_text()))
    assert len(np.unique(expected)) > 3
    assert np.array_equal(sitk.GetArrayFromImage(sitk.DICOMOrient(found, CANONICAL_ORIENTATION)), expected)


def torchs(networks):
    """What stands for OpenVINO: torch's networks, by the folds that their files are called after."""

    def compile_model(path, *_):
        network = networks[int(path.stem.removeprefix("fold_"))]
        return torch.inference_mode()(lambda window: [network(torch.from_numpy(window)).numpy()])

    return SimpleNamespace(Core=lambda: SimpleNamespace(compile_model=compile_model))


def test_what_is_written_of_the_model(untrained, exported, plan):
    model = json.loads((exported / "model.json").read_text())
    assert model["networks"] == ["fold_0.xml", "fold_1.xml"]
    assert model["labels"] == {name: int(label) for name, label in plan.dataset["labels"].items()}
    assert (model["orientation"], model["spacing_mm"], model["patch_size"]) == ("LPS", [8, 6, 6], [24, 48, 48])
    assert (model["step_size"], model["passes"], model["largest_piece_of"]) == (0.7, [[], [0], [1], [0, 1]], STEPS)
    stamps = {path.name: {"bytes": path.stat().st_size, "sha256": sha256(path)} for path in exported.iterdir()}
    del stamps["model.json"]
    assert model["files"] == stamps and len(stamps) == 6
    card = (exported / "MODEL_CARD.md").read_text()
    assert f"| fold_1.bin | {stamps['fold_1.bin']['bytes']} | `{stamps['fold_1.bin']['sha256']}` |" in card
