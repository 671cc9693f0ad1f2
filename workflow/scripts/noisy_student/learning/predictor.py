"""A trained network that labels scans and says how sure it is, from preprocessed images."""

import json
from contextlib import nullcontext
from itertools import combinations
from pathlib import Path

import numpy as np
import torch
from nnunetv2.utilities.get_network_from_plans import get_network_from_plans
from nnunetv2.utilities.label_handling.label_handling import determine_num_input_channels

from noisy_student.learning.certainty import certainty_of, label_map_on_grid
from noisy_student.learning.export import label_map_of
from noisy_student.learning.label_files import Labelled
from noisy_student.learning.preprocessing import ARRAY, Plan, read_array, read_properties, with_suffix
from noisy_student.learning.scores import score_table
from noisy_student.learning.windows import Windows

LEFT_RIGHT = 2


class Predictor:
    """The folds of one model, loaded once."""

    def __init__(self, checkpoints: list[Path], step_size: float, mirroring: bool, device: torch.device) -> None:
        model = checkpoints[0].parent.parent
        self.plan = Plan(*(json.loads((model / name).read_text()) for name in ("plans.json", "dataset.json")))
        self.step_size, self.device = step_size, device
        # The project's own checkpoints; nothing else is ever loaded here.
        loaded = [torch.load(path, map_location="cpu", weights_only=False) for path in checkpoints]
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

    @torch.inference_mode()
    def logits(self, image: np.ndarray) -> tuple[torch.Tensor, list[list[np.ndarray]]]:
        """Mean logits (class, z, y, x) for a preprocessed image (channel, z, y, x), and each pass's label map.

        The label maps (z, y, x) are listed per fold, first of the scan as it is, then of the mirrored ones; there are
        none where a single pass leaves nothing to compare.
        """
        patch_size = self.plan.configuration.patch_size
        windows = Windows(
            torch.from_numpy(image).to(self.device), patch_size, self.step_size, self.plan.classes, self.device
        )
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
        return total.div_(count), passes if count > 1 else []

    def label(self, preprocessed: Path) -> Labelled:
        """Label one preprocessed scan."""
        properties = read_properties(preprocessed)
        logits, passes = self.logits(read_array(with_suffix(preprocessed, ARRAY)))
        label_map = label_map_of(logits, properties, self.plan)
        scores = score_table(self.plan.organs, certainty_of(logits), passes, label_map, properties["spacing"])
        return Labelled(label_map, scores)


def mirrorings(allowed_axes: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The scan as it is, then all combinations of the axes that may be mirrored; never left-right."""
    axes = [axis for axis in sorted(allowed_axes) if axis != LEFT_RIGHT]
    return [chosen for count in range(len(axes) + 1) for chosen in combinations(axes, count)]
