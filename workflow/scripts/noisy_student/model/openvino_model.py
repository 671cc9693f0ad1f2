"""A network as OpenVINO computes it on a CPU: converted from torch by OpenVINO itself, and kept for later processes.

Importing this needs OpenVINO.
"""

import hashlib
import json
import os
import shutil
import sys
import warnings
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

import numpy as np
import torch

from noisy_student.configuration.prediction_options import BFLOAT16, FLOAT32
from noisy_student.errors import last_line
from noisy_student.files import sha256, whole_folder, write_text
from noisy_student.model.exact_means import with_exact_means
from noisy_student.model.quiet_openvino import openvino

VERSION = openvino.__version__.split("-")[0]
CPU = "CPU"
PRECISIONS = {FLOAT32: "f32", BFLOAT16: "bf16"}
# One is computed with all threads while the other's logits are blended and its successor is read.
WINDOWS_IN_FLIGHT = 2
MODEL, WEIGHTS, CHECKSUMS = "model.xml", "model.bin", "sha256.json"
# Of models in the cache; beyond it those go that were not used for longest.
MOST_BYTES = 10_000_000_000


@cache
def core() -> openvino.Core:
    """OpenVINO itself."""
    return openvino.Core()


def processor() -> str:
    """The processor, and what it computes in."""
    return f"{core().get_property(CPU, 'FULL_DEVICE_NAME')}, {' '.join(_capabilities())}"


def computes_bfloat16() -> bool:
    """Whether the processor computes in bfloat16, instead of imitating it."""
    return "BF16" in _capabilities()


def _capabilities() -> list[str]:
    return sorted(core().get_property(CPU, "OPTIMIZATION_CAPABILITIES"))


def converted(network: torch.nn.Module, channels: int, patch_size_zyx: Sequence[int]) -> openvino.Model:
    """A network of nnU-Net as OpenVINO's model of one window (1, channel, z, y, x) → logits (1, class, z, y, x).

    -1 for an axis of the patch leaves its length open; those that the network can halve as often as it does will do.
    """
    with torch.inference_mode(False), torch.no_grad(), warnings.catch_warnings():
        # Of torch's tracing, which OpenVINO uses.
        warnings.simplefilter("ignore")
        example = torch.zeros(1, channels, *_smallest_patch(network, patch_size_zyx))
        return openvino.convert_model(network, example_input=example, input=[1, channels, *patch_size_zyx])


def _smallest_patch(network: torch.nn.Module, patch_size_zyx: Sequence[int]) -> list[int]:
    """A patch that is cheap to trace: its coarsest feature map has two voxels along each axis, as far as is known."""
    strides = getattr(getattr(network, "encoder", None), "strides", None)
    if strides is None:
        return list(patch_size_zyx)
    smallest = 2 * np.prod([np.broadcast_to(stride, 3) for stride in strides], axis=0)
    pairs = zip(smallest.tolist(), patch_size_zyx, strict=True)
    return [small if size < 0 else min(small, size) for small, size in pairs]


def cache_folder() -> Path:
    """Where models are kept: `flare-noisy-student/openvino` in the user's cache, which `XDG_CACHE_HOME` may name.

    For a user without a home, as in a container, a place at which nothing can be.
    """
    try:
        caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:
        caches = os.devnull
    return Path(caches) / "flare-noisy-student/openvino"


def place_of(network: torch.nn.Module, channels: int, patch_size_zyx: Sequence[int]) -> Path:
    """Where a network's model is kept, by the checksum of its layers and weights, and by OpenVINO's version."""
    digest = hashlib.sha256(repr((VERSION, channels, list(patch_size_zyx), network)).encode())
    for name, weights in network.state_dict().items():
        digest.update(name.encode())
        digest.update(weights.contiguous().cpu().numpy())
    return cache_folder() / digest.hexdigest()


def kept_or_converted(
    network: torch.nn.Module, channels: int, patch_size_zyx: Sequence[int], place: Path
) -> openvino.Model:
    """A network's model from the cache; otherwise converted, and kept there if that can be written to."""
    if _is_whole(place):
        with suppress(OSError):
            # Another user's.
            os.utime(place)
        return core().read_model(place / MODEL)
    # Of a damaged model the proof goes too.
    shutil.rmtree(place, ignore_errors=True)
    model = converted(network, channels, patch_size_zyx)
    try:
        with whole_folder(place) as folder:
            openvino.save_model(model, folder / MODEL, compress_to_fp16=False)
            write_text(folder / CHECKSUMS, json.dumps(_checksums(folder)))
        _make_room(place.parent)
    except (OSError, RuntimeError) as error:
        # OpenVINO's own for a full disk is the latter.
        print(f"OpenVINO's model is not kept for the next time: {last_line(error)}", file=sys.stderr, flush=True)
    return model


def _checksums(folder: Path) -> dict[str, str]:
    return {name: sha256(folder / name) for name in (MODEL, WEIGHTS)}


def _is_whole(place: Path) -> bool:
    """Whether a model is kept there, byte for byte as it was written: its proof was of these bytes."""
    try:
        return json.loads((place / CHECKSUMS).read_text()) == _checksums(place)
    except (OSError, ValueError):
        return False


def _make_room(folder: Path) -> None:
    """Remove the models that were not used for longest, until all together are no larger than `MOST_BYTES`."""
    left = MOST_BYTES
    for place in sorted(folder.iterdir(), key=lambda place: place.stat().st_mtime, reverse=True):
        left -= sum(path.stat().st_size for path in place.iterdir())
        if left < 0:
            shutil.rmtree(place, ignore_errors=True)


class OpenVinoNetwork:
    """A compiled model that is called as `map` calls a network: with windows, for the logits of each in their order."""

    def __init__(self, model: openvino.Model, precision: str, threads: int) -> None:
        """The model is changed where its `precision` is float32: in bfloat16 the exact means would be rounded again."""
        settings = {
            "INFERENCE_PRECISION_HINT": PRECISIONS[precision],
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            # Two jobs on one machine would be pinned to the same cores.
            "ENABLE_CPU_PINNING": False,
        }
        self.compiled = core().compile_model(with_exact_means(model) if precision == FLOAT32 else model, CPU, settings)
        self.requests = [self.compiled.create_infer_request() for _ in range(WINDOWS_IN_FLIGHT)]

    def __call__(self, windows: Iterable[torch.Tensor]) -> Iterator[torch.Tensor]:
        """Logits (1, class, z, y, x) of each window (1, channel, z, y, x), which hold until the next."""
        free, running = list(self.requests), deque()
        for window in windows:
            if not free:
                yield _logits(running[0])
                free.append(running.popleft())
            running.append(free.pop())
            running[-1].start_async([np.ascontiguousarray(window.numpy())])
        while running:
            yield _logits(running.popleft())
        # Of feature maps; other networks need theirs meanwhile.
        self.compiled.release_memory()


def _logits(request: openvino.InferRequest) -> torch.Tensor:
    request.wait()
    return torch.from_numpy(request.get_output_tensor(0).data)
