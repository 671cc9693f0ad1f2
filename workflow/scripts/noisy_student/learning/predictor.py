"""A trained network that labels scans and says how sure it is, from preprocessed images."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
from nnunetv2.utilities.get_network_from_plans import get_network_from_plans
from nnunetv2.utilities.label_handling.label_handling import determine_num_input_channels

from noisy_student.learning.export import label_map_of
from noisy_student.learning.label_files import Labelled
from noisy_student.learning.preprocessing import ARRAY, Plan, read_array, read_properties, with_suffix
from noisy_student.organs import FLARE22

SCORES = ("label", "organ", "mean_max_probability", "voxels", "volume_ml")


class Predictor:
    """The folds of one model, loaded once."""

    def __init__(self, checkpoints: list[Path], step_size: float, mirroring: bool, device: torch.device) -> None:
        model = checkpoints[0].parent.parent
        self.plan = Plan(*(json.loads((model / name).read_text()) for name in ("plans.json", "dataset.json")))
        # The project's own checkpoints; nothing else is ever loaded here.
        loaded = [torch.load(path, map_location="cpu", weights_only=False) for path in checkpoints]
        self.device = device
        self.weights = [checkpoint["network_weights"] for checkpoint in loaded]
        self.window = nnUNetPredictor(
            tile_step_size=step_size,
            use_gaussian=True,
            use_mirroring=mirroring,
            perform_everything_on_device=device.type == "cuda",
            device=device,
            allow_tqdm=False,
        )
        self.window.manual_initialization(
            self._network(),
            self.plan.manager,
            self.plan.configuration,
            self.weights,
            self.plan.dataset,
            "nnUNetTrainer",
            loaded[0]["inference_allowed_mirroring_axes"],
        )

    def _network(self) -> torch.nn.Module:
        configuration = self.plan.configuration
        return get_network_from_plans(
            configuration.network_arch_class_name,
            configuration.network_arch_init_kwargs,
            configuration.network_arch_init_kwargs_req_import,
            determine_num_input_channels(self.plan.manager, configuration, self.plan.dataset),
            self.plan.manager.get_label_manager(self.plan.dataset).num_segmentation_heads,
            allow_init=False,
            deep_supervision=False,
        )

    def logits(self, image: np.ndarray) -> torch.Tensor:
        """Mean logits of the folds (class, z, y, x) for a preprocessed image (channel, z, y, x)."""
        data = torch.from_numpy(image)
        total: torch.Tensor | None = None
        for weights in self.weights:
            self.window.network.load_state_dict(weights)
            fold = self.window.predict_sliding_window_return_logits(data).cpu()
            total = fold.float() if total is None else total.add_(fold)
        return total / len(self.weights)

    def label(self, preprocessed: Path) -> Labelled:
        """Label one preprocessed scan."""
        properties = read_properties(preprocessed)
        logits = self.logits(read_array(with_suffix(preprocessed, ARRAY)))
        label_map = label_map_of(logits, properties, self.plan)
        return Labelled(label_map, organ_scores(logits, label_map, properties))


def organ_scores(logits: torch.Tensor, label_map_zyx: np.ndarray, properties: dict[str, Any]) -> pd.DataFrame:
    """Per organ: the mean over its voxels of the largest class probability, on the network's grid, and its volume.

    An organ that the network found nowhere has no probability (empty) and volume 0.
    """
    most, found = logits.max(0)
    # The largest softmax value is 1 / Σ exp(logit - largest logit), which needs no second array of all classes.
    total = torch.zeros_like(most)
    for classes in logits:
        total += torch.exp(classes - most)
    sums = np.bincount(found.ravel().numpy(), weights=(1 / total).ravel().numpy(), minlength=logits.shape[0])
    counts = np.bincount(found.ravel().numpy(), minlength=logits.shape[0])
    voxels = np.bincount(label_map_zyx.ravel(), minlength=logits.shape[0])
    voxel_ml = float(np.prod(properties["spacing"])) / 1000
    rows = [
        (
            organ.label,
            organ.name,
            sums[organ.label] / counts[organ.label] if counts[organ.label] else None,
            voxels[organ.label],
            voxels[organ.label] * voxel_ml,
        )
        for organ in FLARE22
    ]
    return pd.DataFrame(rows, columns=list(SCORES))
