"""A trained network as one file for other programs: ONNX, or OpenVINO's own format.

In: `image`, float32 (1, 1, z, y, x), a window of the network's patch. Out: `logits`, float32 (1, class, z, y, x).
"""

import warnings
from collections.abc import Sequence
from pathlib import Path

import torch

from noisy_student.files import whole_file

INPUT, OUTPUT = "image", "logits"
# The oldest that torch does not have to translate from another one: what reads ONNX of 2022 reads it.
OPSET = 17


def write_onnx(network: torch.nn.Module, patch_size_zyx: Sequence[int], path: Path) -> list[Path]:
    """Write a network that labels (in evaluation mode) as ONNX; returns its file.

    By torch's older exporter. The newer one needs a package more, takes ten times as long for the same graph, and
    writes where this machine has its packages into the file.
    """
    import onnx

    with whole_file(path) as temporary, warnings.catch_warnings():
        # That it is the older one; that InstanceNorm takes each window's own mean, as it does in evaluation mode too.
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        warnings.filterwarnings("ignore", message="ONNX export mode is set to TrainingMode.EVAL")
        names = {"input_names": [INPUT], "output_names": [OUTPUT]}
        window = torch.zeros(1, 1, *patch_size_zyx)
        torch.onnx.export(network, (window,), temporary, dynamo=False, opset_version=OPSET, **names)
        onnx.checker.check_model(temporary)
    return [path]


def write_openvino(network: torch.nn.Module, patch_size_zyx: Sequence[int], path: Path) -> list[Path]:
    """Write the same as OpenVINO's `path` (.xml) and the weights, in single precision, beside it (.bin)."""
    # Imports OpenVINO, which there need not be.
    from noisy_student.model import openvino_model

    model = openvino_model.with_exact_means(openvino_model.converted(network, 1, patch_size_zyx))
    # Without names of their own, a model and its nodes have numbers that count up in a process.
    model.set_friendly_name(path.stem)
    for number, node in enumerate(model.get_ordered_ops()):
        node.set_friendly_name(f"{node.get_type_name()}_{number}")
    for place, name in ((model.inputs[0], INPUT), (model.outputs[0], OUTPUT)):
        place.set_names({name})
        place.node.set_friendly_name(name)
    weights = path.with_suffix(".bin")
    with whole_file(path) as temporary, whole_file(weights):
        openvino_model.openvino.save_model(model, temporary, compress_to_fp16=False)
    return [path, weights]


WRITERS = {"onnx": (".onnx", write_onnx), "openvino": (".xml", write_openvino)}
