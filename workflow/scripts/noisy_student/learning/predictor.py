"""A trained network that labels scans and says how sure it is, from preprocessed images."""

import json
import sys
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import torch
from nnunetv2.utilities.get_network_from_plans import get_network_from_plans
from nnunetv2.utilities.label_handling.label_handling import determine_num_input_channels

from noisy_student.learning.certainty import certainty_of, label_map_on_grid
from noisy_student.learning.checkpoints import read_checkpoint
from noisy_student.learning.device import has_room
from noisy_student.learning.export import label_map_of
from noisy_student.learning.label_files import Labelled
from noisy_student.learning.preprocessing import ARRAY, Plan, read_array, read_properties, with_suffix
from noisy_student.learning.scores import score_table
from noisy_student.learning.voxel_confidence import confidence_map
from noisy_student.learning.windows import Windows

LEFT_RIGHT = 2
CPU = torch.device("cpu")
# Per voxel of the network's grid: the image in float32, the windows' weights in half precision.
BYTES_PER_VOXEL = 4 + 2
BYTES_PER_LOGIT = 2


@dataclass(frozen=True)
class Prediction:
    """Mean logits (class, z, y, x) of a scan on the network's grid, and each pass's label map (z, y, x).

    The label maps are listed per fold, first of the scan as it is, then of the mirrored ones; there are none where a
    single pass leaves nothing to compare.
    """

    logits: torch.Tensor
    passes: list[list[np.ndarray]]


class Predictor:
    """The folds of one model, loaded once."""

    def __init__(self, checkpoints: list[Path], step_size: float, mirroring: bool, device: torch.device) -> None:
        model = checkpoints[0].parent.parent
        self.plan = Plan(*(json.loads((model / name).read_text()) for name in ("plans.json", "dataset.json")))
        self.step_size, self.device = step_size, device
        loaded = [read_checkpoint(path) for path in checkpoints]
        self.networks = [self._network(checkpoint["network_weights"]) for checkpoint in loaded]
        self.mirrorings = mirrorings(loaded[0]["inference_allowed_mirroring_axes"] or ()) if mirroring else [()]

    def _network(self, weights: dict[str, torch.Tensor]) -> torch.nn.Module:
        configuration = self.plan.configuration
        network = get_network_from_plans(
            configuration.network_arch_class_name,
            configuration.network_arch_init_kwargs,
            configuration.network_arch_init_kwargs_req_import,
            determine_num_input_channels(self.plan.manager, configuration, self.plan.dataset),
            self.plan.classes,
            allow_init=False,
            deep_supervision=False,
        )
        network.load_state_dict(weights)
        return network.to(self.device).eval()

    def predict(self, image: np.ndarray) -> Prediction:
        """The prediction for a preprocessed image (channel, z, y, x).

        Logits are gathered on the GPU where its free memory has room for them, else on the host; a scan for which the
        GPU's memory does not suffice in the end is done again with its logits on the host.
        """
        if has_room(self.device, self._bytes(image)):
            try:
                return self._predict(torch.from_numpy(image).to(self.device))
            except torch.OutOfMemoryError:
                print("the GPU's memory is full: this scan's logits are gathered on the host", file=sys.stderr)
            torch.cuda.empty_cache()
        return self._predict(torch.from_numpy(image))

    def _bytes(self, image: np.ndarray) -> int:
        arrays = 2 if len(self.networks) * len(self.mirrorings) > 1 else 1
        return image[0].size * (BYTES_PER_VOXEL + arrays * self.plan.classes * BYTES_PER_LOGIT)

    @torch.inference_mode()
    def _predict(self, image: torch.Tensor) -> Prediction:
        windows = Windows(image, self.plan.configuration.patch_size, self.step_size, self.plan.classes, self.device)
        count = len(self.networks) * len(self.mirrorings)
        passes: list[list[np.ndarray]] = []
        total: torch.Tensor | None = None
        for network in self.networks:
            passes.append([])
            for axes in self.mirrorings:
                with torch.autocast(self.device.type) if self.device.type == "cuda" else nullcontext():
                    logits = windows.logits(network, axes)
                if count > 1:
                    passes[-1].append(label_map_on_grid(logits))
                total = logits if total is None else total.add_(logits)
        return Prediction(total.div_(count), passes if count > 1 else [])

    @torch.inference_mode()
    def labelled(self, prediction: Prediction, properties: dict[str, Any], voxels: bool = False) -> Labelled:
        """The label map on the scan's own grid, its scores, and the confidence of each of its `voxels` if wanted."""
        label_map = label_map_of(prediction.logits, properties, self.plan)
        certainty = certainty_of(prediction.logits)
        scores = score_table(self.plan.organs, certainty, prediction.passes, label_map, properties["spacing"])
        return Labelled(label_map, scores, confidence_map(prediction.logits, prediction.passes) if voxels else None)

    def label(self, preprocessed: Path) -> Labelled:
        """Label one preprocessed scan."""
        prediction = self.predict(read_array(with_suffix(preprocessed, ARRAY)))
        return self.labelled(prediction, read_properties(preprocessed))


def mirrorings(allowed_axes: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The scan as it is, then all combinations of the axes that may be mirrored; never left-right."""
    axes = [axis for axis in sorted(allowed_axes) if axis != LEFT_RIGHT]
    return [chosen for count in range(len(axes) + 1) for chosen in combinations(axes, count)]
