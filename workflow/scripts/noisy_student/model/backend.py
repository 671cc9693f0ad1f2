"""What computes a network, torch or OpenVINO, behind one call from windows to logits. Nothing else knows which.

OpenVINO computes a model on a machine after it has proved there that it labels as torch does.
"""

import hashlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from noisy_student.configuration.prediction_options import BFLOAT16, FLOAT32, OPENVINO, TORCH, Prediction, made_by
from noisy_student.errors import InputError, last_line
from noisy_student.files import write_text
from noisy_student.model.device import missing_for_compiling

# Windows (1, channel, z, y, x) → logits (1, class, z, y, x) of each in their order, which hold until the next.
Network = Callable[[Iterable[torch.Tensor]], Iterator[torch.Tensor]]
# The most voxels whose class may differ from torch's, as a share of two windows; one may always.
MAY_DIFFER = {FLOAT32: 1e-5, BFLOAT16: 1e-3}
WINDOWS_TO_PROVE = 2


class Unproved(Exception):
    """A model without a proof, while there is no window yet to prove it on."""


@dataclass(frozen=True)
class Backend:
    """The networks of a model, ready to run, and what their label maps are `made_by`."""

    made_by: str
    networks: list[Network]


def in_torch(networks: Iterable[torch.nn.Module]) -> Backend:
    """Torch itself."""
    return Backend(TORCH, [partial(map, network) for network in networks])


def is_of_openvino(options: Prediction, device: torch.device) -> bool:
    """Whether OpenVINO is to compute, if it proves right. Raises InputError where it was asked for and cannot."""
    if options.backend == TORCH or (options.backend == "auto" and device.type != "cpu"):
        return False
    if device.type != "cpu":
        remedy = "set `device: cpu`, or `backend: auto`, which is torch on a GPU"
        raise InputError("a CPU (`backend: openvino`)", f"device {device.type}", remedy)
    try:
        import noisy_student.model.openvino_model  # noqa: F401
    except ImportError as error:
        if options.backend == OPENVINO:
            remedy = "install it as requirements.lock has it, or set `backend: auto`"
            raise InputError("OpenVINO (`backend: openvino`)", str(error), remedy) from error
        _say(f"warning: no OpenVINO ({error}), which is several times as fast on a CPU: torch computes the network")
        return False
    return True


def refuse_what_cannot_compute(options: Prediction, device: torch.device) -> None:
    """Raise InputError where OpenVINO or `compile` was asked for and cannot be had: before a training, and any scan."""
    if options.backend == OPENVINO:
        is_of_openvino(options, device)
    if options.compile and device.type == "cuda" and (lack := missing_for_compiling()):
        remedy = "install gcc and Python's headers, or set `compile: false`"
        raise InputError("a C compiler and Python's headers (`compile: true`)", lack, remedy)


def in_openvino(
    networks: Sequence[torch.nn.Module],
    patch_size_zyx: Sequence[int],
    precision: str,
    threads: int,
    examples: Callable[[], list[torch.Tensor]],
) -> Backend | None:
    """OpenVINO in the fastest precision that proves right for all networks; None if there is none.

    `examples` gives windows of a scan, for the proof of a model that has none on this machine yet; it may raise
    Unproved; what was converted by then is kept.
    """
    precisions = _precisions(precision)
    for name in precisions:
        found = []
        for network in networks:
            if (ready := _proved(network, patch_size_zyx, name, threads, examples)) is None:
                break
            found.append(ready)
        else:
            if precision == BFLOAT16 and BFLOAT16 not in precisions:
                _say("the processor does not compute in bfloat16: float32 is used")
            return Backend(made_by(name), found)
    _say("torch computes the network")
    return None


def _precisions(wanted: str) -> list[str]:
    """Those to try, the fastest first: bfloat16 where it is allowed and the processor computes it."""
    from noisy_student.model.openvino_model import computes_bfloat16

    return [FLOAT32] if wanted == FLOAT32 or not computes_bfloat16() else [BFLOAT16, FLOAT32]


def no_examples() -> list[torch.Tensor]:
    """What `in_openvino` is given before there is a scan."""
    raise Unproved


def _proved(
    network: torch.nn.Module,
    patch_size_zyx: Sequence[int],
    precision: str,
    threads: int,
    examples: Callable[[], list[torch.Tensor]],
) -> Network | None:
    """The network in OpenVINO, if its classes are torch's; the proof is kept beside the model, for this processor."""
    from noisy_student.model import openvino_model

    channels = next(network.parameters()).shape[1]
    place = openvino_model.place_of(network, channels, patch_size_zyx)
    proof = proof_at(place, precision)
    known = _read(proof)
    if known and not _is_right(known, precision):
        return None
    windows = [] if known else examples()
    try:
        model = openvino_model.kept_or_converted(network, channels, patch_size_zyx, place)
        ready = openvino_model.OpenVinoNetwork(model, precision, threads)
    except MemoryError:
        raise
    except Exception as error:
        _say(f"OpenVINO {openvino_model.VERSION} cannot compute this network: {last_line(error)}")
        return None
    # A damaged model has lost its proof.
    found = _read(proof) or _prove(network, ready, windows or examples())
    is_right = _is_right(found, precision)
    if not proof.exists():
        verdict = "it is used" if is_right else f"more than {MAY_DIFFER[precision]:g} of them, so it is not used"
        name = f"OpenVINO {openvino_model.VERSION} in {precision}"
        _say(f"{name} gives {found[0]} of {found[1]} voxels another class than torch: {verdict} for this model here")
        _keep(proof, *found)
    return ready if is_right else None


def proof_at(place: Path, precision: str) -> Path:
    """The proof of the model that is kept at `place`, on this kind of processor: voxels that differ, of how many."""
    from noisy_student.model.openvino_model import processor

    return place / f"{precision}_{hashlib.sha256(processor().encode()).hexdigest()[:12]}.json"


def _is_right(found: tuple[int, int], precision: str) -> bool:
    """Whether so few voxels differ, of how many."""
    differing, voxels = found
    return differing <= max(1, MAY_DIFFER[precision] * voxels)


def _prove(network: torch.nn.Module, ready: Network, windows: list[torch.Tensor]) -> tuple[int, int]:
    """How many voxels of the windows have another class than in torch, of how many."""
    classes = [logits.argmax(1) for logits in ready(windows)]
    differing = sum(
        int((network(window).argmax(1) != found).sum()) for window, found in zip(windows, classes, strict=True)
    )
    return differing, sum(found.numel() for found in classes)


def _read(proof: Path) -> tuple[int, int] | None:
    try:
        record = json.loads(proof.read_text())
        return record["differing"], record["voxels"]
    except (OSError, ValueError, KeyError):
        return None


def _keep(proof: Path, differing: int, voxels: int) -> None:
    if proof.parent.is_dir():
        try:
            write_text(proof, json.dumps({"differing": differing, "voxels": voxels}))
        except OSError:
            # The model itself was kept when there was room, or by another user: the proof is given again next time.
            return


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
