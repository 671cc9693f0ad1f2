import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from conftest import COARSE, ROOT
from noisy_student.cohort.converted import converted_image
from noisy_student.configuration.prediction_options import Prediction
from noisy_student.errors import InputError
from noisy_student.geometry import CANONICAL_ORIENTATION
from noisy_student.images import read_image
from noisy_student.label.labeller import labeller_of
from noisy_student.model import backend, openvino_model
from noisy_student.model.backend import MAY_DIFFER, in_openvino, is_of_openvino
from noisy_student.model.model_folder import checkpoints_of, read_model
from noisy_student.model.predictor import Predictor
from noisy_student.plan.network import labelling_network
from noisy_student.plan.planning import make_plans
from noisy_student.plan.preprocessing import ARRAY, Plan, preprocess_image, read_array, with_suffix

CPU = torch.device("cpu")
CASE = "FLARE22_Tr_0001"
# An anisotropic patch, whose first stages have kernels and strides of 1 along z.
FLAT = COARSE.model_copy(update={"spacing_mm_zyx": (8, 3, 3), "patch_size_zyx": (8, 64, 64)})
NETWORKS = {
    "plain": COARSE,
    "residual": COARSE.model_copy(update={"encoder": "residual", "encoder_blocks": [1, 2]}),
    "anisotropic": FLAT,
    "anisotropic, residual": FLAT.model_copy(update={"encoder": "residual"}),
    # nnU-Net's presets M and L have so many blocks in a stage.
    "presets": COARSE.model_copy(update={"encoder": "residual", "encoder_blocks": [1, 3, 4, 6]}),
}


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache; the folder of its models."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/flare-noisy-student/openvino"


@pytest.fixture(scope="module")
def scan(converted, plan, tmp_path_factory):
    target = tmp_path_factory.mktemp("scan") / CASE
    preprocess_image(converted_image(converted, CASE), target, plan)
    return target


def small_network(classes=3, sure=5.0):
    torch.manual_seed(0)
    layers = [torch.nn.Conv3d(1, 4, 3, padding=1), torch.nn.LeakyReLU(inplace=True), torch.nn.Conv3d(4, classes, 1)]
    torch.nn.init.normal_(layers[2].weight, std=sure)
    return torch.nn.Sequential(*layers).eval()


def windows_of(shape, count=2):
    return list(torch.randn(count, 1, 1, *shape, generator=torch.Generator().manual_seed(1)))


@torch.inference_mode()
def ready(networks, shape=(8, 8, 8), precision="auto", examples=windows_of):
    return in_openvino(networks, shape, precision, 1, lambda: examples(shape))


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_of_every_kind_give_the_classes_of_torch(name, description, fingerprint, cache):
    plan = Plan(make_plans(description, fingerprint, NETWORKS[name], "other"), description)
    torch.manual_seed(0)
    network = labelling_network(plan)
    for layer in network.decoder.seg_layers:
        torch.nn.init.normal_(layer.weight, std=5)
    patch_size = plan.configuration.patch_size
    found = ready([network], patch_size)
    assert found.made_by == "openvino float32"
    windows = windows_of(patch_size, 3)
    with torch.inference_mode():
        logits = [logits.clone() for logits in found.networks[0](windows)]
        assert all(
            torch.allclose(ours, network(window), atol=1e-3) for ours, window in zip(logits, windows, strict=True)
        )


@pytest.fixture
def more_may_differ(monkeypatch):
    """Without training more classes are equally likely, between which rounding decides."""
    monkeypatch.setitem(MAY_DIFFER, "float32", 1e-4)


def test_a_model_labels_as_with_torch_and_says_so_in_its_log(untrained, scan, cache, capfd, more_may_differ):
    image = torch.from_numpy(read_array(with_suffix(scan, ARRAY)))
    predictors = [
        Predictor(read_model(checkpoints_of(untrained)), Prediction(backend=name, mirroring=True), CPU)
        for name in ("torch", "openvino")
    ]
    expected, found = (predictor.predict(image) for predictor in predictors)
    assert [predictor.made_by for predictor in predictors] == ["torch", "openvino float32"]
    assert (expected.mean.argmax(0) != found.mean.argmax(0)).float().mean() < 1e-4
    assert [len(passes) for passes in found.passes] == [len(passes) for passes in expected.passes]
    said = capfd.readouterr().err.splitlines()
    assert len(said) == 2 and all("another class than torch: it is used" in line for line in said)
    # A second process finds both models, and that they are right.
    kept = {path: path.stat().st_mtime_ns for path in cache.rglob("*.*")}
    again = Predictor(read_model(checkpoints_of(untrained)), Prediction(mirroring=True), CPU)
    assert torch.equal(again.predict(image).mean, found.mean)
    assert capfd.readouterr().err == ""
    assert {path: path.stat().st_mtime_ns for path in cache.rglob("*.*")} == kept


def test_what_was_proved_before_is_ready_before_there_is_a_scan(untrained, scan, cache, capfd, more_may_differ):
    def predictor():
        return Predictor(read_model(checkpoints_of(untrained, ["0"])), Prediction(), CPU)

    image = torch.from_numpy(read_array(with_suffix(scan, ARRAY)))
    first, second = predictor(), predictor()
    first.warm()
    assert not cache.exists() and capfd.readouterr().err == ""
    expected = first.predict(image).mean
    capfd.readouterr()
    second.warm()
    assert second.made_by == "openvino float32"
    assert torch.equal(second.predict(image).mean, expected) and capfd.readouterr().err == ""


def test_what_was_wrong_before_is_not_compiled_again(cache, monkeypatch):
    monkeypatch.setattr(backend, "_prove", lambda *_: (2, 1000))
    assert ready([small_network()]) is None
    monkeypatch.setattr(openvino_model, "OpenVinoNetwork", lambda *_: pytest.fail("compiled again"))
    assert ready([small_network()]) is None


@pytest.mark.parametrize("is_kept", [False, True])
def test_a_network_that_is_computed_wrongly_is_left_to_torch(cache, monkeypatch, capfd, is_kept):
    """OpenVINO is made to compute another network; the verdict holds for the next process too."""
    network, other = small_network(), small_network()
    torch.nn.init.normal_(other[2].bias, std=5)
    other_model = openvino_model.converted(other, 1, (8, 8, 8))
    monkeypatch.setattr(openvino_model, "converted", lambda *_: other_model)
    assert ready([network]) is None
    assert "so it is not used" in capfd.readouterr().err
    if is_kept:
        assert ready([network], examples=lambda _: pytest.fail("proved again")) is None
    assert "torch computes the network" in capfd.readouterr().err or not is_kept


def test_one_network_of_two_that_is_wrong_leaves_both_to_torch(cache, monkeypatch):
    right, wrong = small_network(), small_network(classes=4)
    monkeypatch.setattr(backend, "_prove", lambda network, *_: (2 * (network is wrong), 1000))
    assert ready([right, right]) and ready([right, wrong]) is None


@pytest.mark.parametrize(
    ("differing", "expected"),
    [({}, "openvino bfloat16"), ({"bfloat16": 2}, "openvino float32"), ({"bfloat16": 2, "float32": 2}, None)],
)
def test_the_fastest_precision_that_is_right_is_taken(cache, monkeypatch, differing, expected):
    """Of 1000 voxels one may differ, as rounding decides it; here as if the processor computed bfloat16."""
    compiled = []
    monkeypatch.setattr(openvino_model, "computes_bfloat16", lambda: True)

    class Compiled:
        def __init__(self, model, precision, threads):
            compiled.append(precision)

    monkeypatch.setattr(openvino_model, "OpenVinoNetwork", Compiled)
    monkeypatch.setattr(backend, "_prove", lambda *_: (differing.get(compiled[-1], compiled[-1] == "bfloat16"), 1000))
    found = ready([small_network()])
    assert (found and found.made_by) == expected
    assert ready([small_network()], precision="float32") is None or compiled[-1] == "float32"


def test_bfloat16_that_the_processor_does_not_compute_is_float32(cache, monkeypatch, capfd):
    monkeypatch.setattr(openvino_model, "computes_bfloat16", lambda: False)
    assert ready([small_network()], precision="bfloat16").made_by == "openvino float32"
    assert "the processor does not compute in bfloat16" in capfd.readouterr().err


def test_bfloat16_runs_where_it_can(cache):
    """On processors without it OpenVINO imitates or refuses it by float32; the classes are nearly the same anyway."""
    network = small_network()
    model = openvino_model.converted(network, 1, (8, 8, 8))
    windows = windows_of((8, 8, 8))
    found = openvino_model.OpenVinoNetwork(model, "bfloat16", 1)
    with torch.inference_mode():
        differing, voxels = backend._prove(network, found, windows)
    assert differing <= 20 * MAY_DIFFER["bfloat16"] * voxels


def test_many_windows_come_back_in_their_order(cache):
    network = small_network()
    windows = windows_of((8, 8, 8), 7)
    with torch.inference_mode():
        found = [logits.clone() for logits in ready([network]).networks[0](windows)]
        assert len(found) == 7
        assert all(
            torch.allclose(ours, network(window), atol=1e-4) for ours, window in zip(found, windows, strict=True)
        )


def test_a_patch_may_be_left_open(plan):
    torch.manual_seed(0)
    network = labelling_network(plan)
    ready = openvino_model.OpenVinoNetwork(openvino_model.converted(network, 1, (-1, -1, -1)), "float32", 1)
    with torch.inference_mode():
        for shape in ((24, 48, 48), (32, 40, 64)):
            (window,) = windows_of(shape, 1)
            (found,) = ready([window])
            assert torch.allclose(found, network(window), atol=1e-4)


class NotForOpenVino(torch.nn.Module):
    """What it does depends on values, which cannot be traced."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(2, 1))

    def forward(self, window):
        return torch.cat([window, window.sort(dim=2, stable=True).values.cummax(3).values], 1)


def test_what_openvino_cannot_compute_is_left_to_torch(cache, capfd):
    assert ready([NotForOpenVino()]) is None
    assert "cannot compute this network" in capfd.readouterr().err


def test_without_openvino_torch_computes_with_a_line_of_warning(monkeypatch, capfd):
    monkeypatch.setitem(sys.modules, "noisy_student.model.openvino_model", None)
    assert not is_of_openvino(Prediction(), CPU)
    assert capfd.readouterr().err.count("\n") == 1
    with pytest.raises(InputError, match="backend: auto"):
        is_of_openvino(Prediction(backend="openvino"), CPU)


def test_a_gpu_is_torchs():
    gpu = torch.device("cuda")
    assert not is_of_openvino(Prediction(), gpu) and not is_of_openvino(Prediction(backend="torch"), CPU)
    with pytest.raises(InputError, match="device: cpu"):
        is_of_openvino(Prediction(backend="openvino"), gpu)


def test_where_nothing_can_be_kept_it_is_used_nevertheless(tmp_path, monkeypatch, capfd):
    (tmp_path / "cache").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert ready([small_network()]).made_by == "openvino float32"
    assert "is not kept for the next time" in capfd.readouterr().err


def refuse(*_, **__):
    raise RuntimeError("basic_ios::clear: iostream error")


def no_home():
    raise RuntimeError("Could not determine home directory.")


def test_on_a_full_disk_it_is_used_nevertheless(cache, monkeypatch, capfd):
    """OpenVINO's error is not the operating system's."""
    monkeypatch.setattr(openvino_model.openvino, "save_model", refuse)
    assert ready([small_network()]).made_by == "openvino float32"
    assert "is not kept for the next time: basic_ios" in capfd.readouterr().err


def test_without_a_home_it_is_used_nevertheless(monkeypatch, capfd):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(openvino_model.Path, "home", no_home)
    assert ready([small_network()]).made_by == "openvino float32"
    assert "is not kept for the next time" in capfd.readouterr().err


def test_another_users_model_is_used(cache, monkeypatch, capfd):
    def forbid(*_):
        raise PermissionError("not yours")

    ready([small_network()])
    monkeypatch.setattr(openvino_model.os, "utime", forbid)
    monkeypatch.setattr(openvino_model, "converted", lambda *_: pytest.fail("converted again"))
    assert ready([small_network()]).made_by == "openvino float32"


@pytest.mark.parametrize("name", ["model.xml", "model.bin", "sha256.json"])
@pytest.mark.parametrize("damaged", [lambda whole: whole[:-20], lambda whole: bytes(len(whole)), lambda _: b""])
def test_a_damaged_model_is_made_and_proved_anew(cache, name, damaged):
    """Also one that OpenVINO would read: it would label by it, and the proof was of another."""
    ready([small_network()])
    (path,) = cache.glob(f"*/{name}")
    path.write_bytes(damaged(path.read_bytes()))
    asked = []
    assert ready([small_network()], examples=lambda shape: asked.append(shape) or windows_of(shape))
    assert asked and ready([small_network()], examples=lambda _: pytest.fail("proved again"))


def test_a_proof_that_was_cut_short_is_given_again(cache):
    ready([small_network()])
    (proof,) = cache.glob("*/float32*.json")
    proof.write_text("{")
    asked = []
    ready([small_network()], examples=lambda shape: asked.append(shape) or windows_of(shape))
    assert asked


def test_other_weights_layers_or_patches_are_other_models(cache):
    network = small_network()
    weights = small_network()
    weights[0].bias.data += 1
    layers = torch.nn.Sequential(*network[:1], torch.nn.ReLU(), *network[2:])
    places = [openvino_model.place_of(model, 1, (8, 8, 8)) for model in (network, weights, layers)]
    places.append(openvino_model.place_of(network, 1, (8, 8, 16)))
    assert len(set(places)) == 4 and places[0] == openvino_model.place_of(small_network(), 1, (8, 8, 8))


def test_models_that_were_not_used_for_longest_make_room(cache, monkeypatch):
    sizes = [(8, 8, 8), (8, 8, 16), (8, 16, 16)]
    for size in sizes[:2]:
        ready([small_network()], size)
        os.utime(openvino_model.place_of(small_network(), 1, size), (0, 0))
    ready([small_network()], sizes[0])
    one = sum(path.stat().st_size for path in openvino_model.place_of(small_network(), 1, sizes[0]).iterdir())
    monkeypatch.setattr(openvino_model, "MOST_BYTES", 2.5 * one)
    ready([small_network()], sizes[2])
    assert {place.exists() for place in (openvino_model.place_of(small_network(), 1, size) for size in sizes[::2])} == {
        True
    }
    assert not openvino_model.place_of(small_network(), 1, sizes[1]).exists()


def test_a_model_from_elsewhere_is_computed_by_openvino_too(stock_model, converted, cache, more_may_differ):
    label_maps = []
    for name in ("torch", "auto"):
        labeller = labeller_of([checkpoints_of(stock_model)], Prediction(backend=name), CPU)
        seen = labeller.read(read_image(converted_image(converted, CASE)), CANONICAL_ORIENTATION)
        label_maps.append(labeller.labelled(labeller.predict(seen)).label_map_zyx)
    assert labeller.made_by == "openvino float32"
    assert len(np.unique(label_maps[0])) > 3 and (label_maps[0] != label_maps[1]).mean() < 1e-4


def test_importing_it_reports_nothing(tmp_path):
    """OpenVINO's own module for that would write to the user's home and send."""
    code = (
        "import sys; from noisy_student.model import openvino_model as o; import torch;"
        "o.converted(torch.nn.Conv3d(1, 1, 1), 1, (4, 4, 4));"
        "from openvino.tools.ovc import telemetry_utils as t; print(t.tm.__name__)"
    )
    home = {"HOME": str(tmp_path), "PATH": "", "PYTHONPATH": str(ROOT / "workflow/scripts")}
    run = subprocess.run([sys.executable, "-c", code], env=home, capture_output=True, text=True, check=True)
    assert run.stdout.strip().endswith("telemetry_stub") and not list(tmp_path.iterdir())
