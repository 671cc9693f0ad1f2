"""A trained network that labels scans and says how sure it is, from preprocessed images."""

import sys
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import torch

from noisy_student.command import lacks_gpu_memory
from noisy_student.configuration.prediction_options import Prediction
from noisy_student.errors import InputError
from noisy_student.model.backend import (
    WINDOWS_TO_PROVE,
    Network,
    Unproved,
    in_openvino,
    in_torch,
    is_of_openvino,
    no_examples,
    refuse_what_cannot_compute,
)
from noisy_student.model.body import body_of, box_of_body
from noisy_student.model.certainty import certainty_of, label_map_on_grid
from noisy_student.model.device import has_room, one_thread
from noisy_student.model.kind import CT, LEFT_RIGHT
from noisy_student.model.label_files import Labelled
from noisy_student.model.label_map import label_map_of
from noisy_student.model.model_folder import Model
from noisy_student.model.postprocessing import Steps, largest_pieces
from noisy_student.model.scores import score_table
from noisy_student.model.soft_labels import FIRST, hard, soft_labels
from noisy_student.model.translation import Translation
from noisy_student.model.voxel_confidence import confidence_map, counts_by_confidence, nearest_on_grid
from noisy_student.model.windows import Windows, background
from noisy_student.plan.preprocessing import ARRAY, read_array, read_properties, with_suffix

# Per voxel of the network's grid: the image in float32, the windows' weights in half precision.
BYTES_PER_VOXEL = 4 + 2
BYTES_PER_LOGIT = 2
DIVERGED = "look at the trainings that made this teacher (progress.tsv of each fold): one may have diverged"


@dataclass(frozen=True)
class Logits:
    """`mean` logits (class, z, y, x) of a scan on the network's grid, and each pass's label map (z, y, x).

    The label maps are listed per network (fold, or voice of a fold), first of the scan as it is, then of the mirrored
    ones; there are none where a single pass leaves nothing to compare.
    """

    mean: torch.Tensor
    passes: list[list[np.ndarray]]


class Predictor:
    """The networks of one model, which label by their mean."""

    def __init__(self, model: Model, options: Prediction, device: torch.device, steps: Steps = ()) -> None:
        """`steps` are those of post-processing (`largest_pieces`)."""
        refuse_what_cannot_compute(options, device)
        self.plan, self.orientation, self.knows_one_order = model.plan, model.orientation, model.knows_one_order
        self.options, self.device, self.steps = options, device, steps
        self.threads = torch.get_num_threads()
        # OpenVINO is ready once it was proved right, on windows of the first scan, until when torch's networks wait.
        self.waiting = list(model.networks) if is_of_openvino(options, device) else []
        self.backend = in_torch([] if self.waiting else map(self._ready, model.networks))
        left_right = self.plan.manager.transpose_forward.index(LEFT_RIGHT)
        self.mirrorings = mirrorings(model.mirror_axes, left_right) if options.mirroring else [()]
        self.passes = len(model.networks) * len(self.mirrorings)
        if options.windows != "everywhere" and self.plan.configuration.normalization_schemes != [CT]:
            schemes = ", ".join(self.plan.configuration.normalization_schemes)
            raise InputError(f"a model of CT scans ({CT}), to tell body from air", schemes, "set `windows: everywhere`")

    def _ready(self, network: torch.nn.Module) -> torch.nn.Module:
        layout = torch.channels_last_3d if self.options.channels_last else torch.contiguous_format
        network = network.to(self.device, memory_format=layout)
        return torch.compile(network) if self.options.compile else network

    @property
    def made_by(self) -> str:
        """What its label maps are made by, once there is one (`prediction_options.MADE_BY`)."""
        return self.backend.made_by

    def networks(self, windows: Windows) -> list[Network]:
        """The networks, ready to run over `windows`; on those of the first scan OpenVINO proves right, if it does."""
        if self.waiting and windows.places:
            self._take_openvino(partial(windows.of_most_contrast, WINDOWS_TO_PROVE))
        return self.backend.networks or in_torch(self.waiting).networks

    def warm(self) -> None:
        """Get OpenVINO ready while the first scan is read, if it was proved here before."""
        if self.waiting:
            with suppress(Unproved):
                self._take_openvino(no_examples)

    def _take_openvino(self, examples: Callable[[], list[torch.Tensor]]) -> None:
        patch_size, precision = self.plan.configuration.patch_size, self.options.precision
        found = in_openvino(self.waiting, patch_size, precision, self.threads, examples)
        self.backend = found or in_torch(map(self._ready, self.waiting))
        self.waiting = []

    def on_host(self, image: np.ndarray) -> torch.Tensor:
        """A preprocessed image (channel, z, y, x) ready for `predict`: for a GPU, in memory that it copies from."""
        tensor = torch.from_numpy(image)
        return tensor.pin_memory() if self.device.type == "cuda" else tensor

    def predict(self, image: torch.Tensor) -> Logits:
        """The prediction for a preprocessed image (channel, z, y, x) on the host.

        Logits are gathered on the GPU where its free memory has room for them, else on the host; a scan for which the
        GPU's memory does not suffice in the end is done again with its logits on the host.
        """
        body = body_of(image.numpy(), self.plan) if self.options.windows != "everywhere" else None
        if has_room(self.device, self._bytes(image)):
            try:
                return self._predict(image.to(self.device, non_blocking=True), body)
            except RuntimeError as error:
                if not (isinstance(error, torch.OutOfMemoryError) or lacks_gpu_memory(error)):
                    raise
                print("the GPU's memory is full: this scan's logits are gathered on the host", file=sys.stderr)
            torch.cuda.empty_cache()
        return self._predict(image, body)

    def _bytes(self, image: torch.Tensor) -> int:
        arrays = 2 if self.passes > 1 else 1
        return image[0].numel() * (BYTES_PER_VOXEL + arrays * self.plan.classes * BYTES_PER_LOGIT)

    @torch.inference_mode()
    def _predict(self, image: torch.Tensor, body: np.ndarray | None) -> Logits:
        whole = image.shape[1:]
        box = box_of_body(body) if self.options.windows == "in_box_of_body" else tuple(map(slice, whole))
        on_body = torch.from_numpy(body) if self.options.windows == "on_body" else None
        patch_size, classes = self.plan.configuration.patch_size, self.plan.classes
        windows = Windows(image[(slice(None), *box)], patch_size, self.options.step_size, classes, self.device, on_body)
        passes: list[list[np.ndarray]] = []
        total: torch.Tensor | None = None
        for network in self.networks(windows):
            passes.append([])
            for axes in self.mirrorings:
                with torch.autocast(self.device.type) if self.device.type == "cuda" else nullcontext():
                    logits = placed(windows.logits(network, axes), box, whole)
                if self.passes > 1:
                    passes[-1].append(label_map_on_grid(logits))
                total = logits if total is None else total.add_(logits)
        return Logits(total.div_(self.passes), passes if self.passes > 1 else [])

    @torch.inference_mode()
    @one_thread()
    def labelled(
        self,
        logits: Logits,
        properties: dict[str, Any],
        voxels: bool = False,
        meaning: Translation | None = None,
        soft: bool = False,
    ) -> Labelled:
        """The label map on the scan's own grid and its scores; if wanted the confidence of its `voxels`, `soft` labels.

        All in the model's own labels; `meaning` is theirs elsewhere, for confidence and soft labels. Of a network that
        has diverged, alone or among others, the label map is empty; `voxels` raise InputError, since a student would
        learn from them that there are no organs.
        """
        if voxels and torch.isnan(logits.mean[0]).any():
            raise InputError("logits that are numbers, of each network that labels", "none of one of them", DIVERGED)
        certainty, on_grid = certainty_of(logits.mean)
        before = label_map_of(logits.mean, on_grid, properties, self.plan)
        label_map = largest_pieces(before, self.steps)
        scores = score_table(self.plan.organs, certainty, logits.passes, label_map, properties["spacing"])
        confidence = confidence_map(logits.mean, logits.passes, meaning) if voxels else None
        found = soft_labels(logits.mean, meaning) if soft else None
        counts = None
        if voxels:
            labels = on_grid.cpu().numpy()
            if self.steps:
                labels = np.where(self._taken_away(before, label_map, labels, properties), 0, labels)
            counts = counts_by_confidence(labels, confidence, self.plan.classes)
        if found is not None and self.steps:
            taken_away = self._taken_away(before, label_map, found[FIRST], properties)
            found = np.where(taken_away, hard(np.zeros_like(found[:1])), found)
        return Labelled(label_map, scores, confidence, soft_labels=found, confidence_counts=counts)

    def _taken_away(
        self, before: np.ndarray, after: np.ndarray, labels_zyx: np.ndarray, properties: dict[str, Any]
    ) -> np.ndarray:
        """Where on the network's grid, which has these `labels_zyx`, the steps of post-processing left nothing."""
        organs = [label for labels in self.steps for label in labels]
        return self._on_grid(before != after, properties, labels_zyx.shape) & np.isin(labels_zyx, organs)

    def _on_grid(self, mask: np.ndarray, properties: dict[str, Any], shape_zyx: tuple[int, ...]) -> np.ndarray:
        """A mask of the scan as it is given, on the network's grid."""
        box = tuple(slice(low, high) for low, high in properties["bbox_used_for_cropping"])
        cropped = mask.transpose(self.plan.manager.transpose_forward)[box]
        return nearest_on_grid(np.ascontiguousarray(cropped).astype(np.uint8), shape_zyx) > 0

    def label(self, preprocessed: Path) -> Labelled:
        """Label one preprocessed scan."""
        logits = self.predict(self.on_host(read_array(with_suffix(preprocessed, ARRAY))))
        return self.labelled(logits, read_properties(preprocessed))


def placed(logits: torch.Tensor, box_zyx: tuple[slice, ...], shape_zyx: tuple[int, ...]) -> torch.Tensor:
    """Logits (class, z, y, x) of a box in the whole grid, background around it."""
    if tuple(logits.shape[1:]) == tuple(shape_zyx):
        return logits
    whole = background(len(logits), logits)[:, None, None, None].repeat(1, *shape_zyx)
    whole[(slice(None), *box_zyx)] = logits
    return whole


def mirrorings(allowed_axes: tuple[int, ...], left_right: int = LEFT_RIGHT) -> list[tuple[int, ...]]:
    """The scan as it is, then all combinations of the axes that may be mirrored; never left-right."""
    axes = [axis for axis in sorted(allowed_axes) if axis != left_right]
    return [chosen for count in range(len(axes) + 1) for chosen in combinations(axes, count)]
