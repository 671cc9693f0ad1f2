"""nnU-Net's own component analysis: of which organs only the largest piece is kept, since that raised the DSC.

It is made on label maps of hand-labelled scans that the network had not learned from.
"""

import json
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from nnunetv2.evaluation.evaluate_predictions import compute_metrics
from nnunetv2.postprocessing.remove_connected_components import determine_postprocessing

from noisy_student import nnunet
from noisy_student.model.postprocessing import largest_components
from noisy_student.plan.preprocessing import Plan
from noisy_student.reading.nifti import require_whole_nifti

# Case → labels of the organs that are labelled in its truth.
Labelled = Mapping[str, Collection[int]]
quickly = patch(
    "nnunetv2.postprocessing.remove_connected_components.remove_all_but_largest_component", largest_components
)


def where_labelled(labelled: Labelled) -> Any:
    """A patch of nnU-Net's judging: an organ has no DSC in a case in whose truth it is not labelled."""

    def metrics_where_labelled(reference_file: str, *arguments: Any) -> dict[str, Any]:
        found = compute_metrics(reference_file, *arguments)
        for label, metrics in found["metrics"].items():
            if label not in labelled[Path(reference_file).name.removesuffix(nnunet.FORMAT)]:
                found["metrics"][label] = dict.fromkeys(metrics, np.nan)
        return found

    return patch("nnunetv2.evaluation.evaluate_predictions.compute_metrics", metrics_where_labelled)


@quickly
def choose_steps(
    label_maps: dict[str, Path], truths: dict[str, Path], labelled: Labelled, plan: Plan, cores: int
) -> dict[str, Any]:
    """What raised the mean DSC of the cases' label maps against their truths, both by case, where organs are labelled.

    `steps`: first all organs together, then organs singly, as far as no organ (all together), or that organ, lost by
    it. `organs`: name → DSC `before` and `after` all steps, None for an organ that no scan shows. Where an organ is
    labelled in no case, all together are not tried.
    """
    with tempfile.TemporaryDirectory() as folder:
        places = Path(folder, "label_maps"), Path(folder, "truths")
        for place, paths in zip(places, (label_maps, truths), strict=True):
            place.mkdir()
            for case, path in paths.items():
                require_whole_nifti(path)
                (place / f"{case}{nnunet.FORMAT}").symlink_to(path.resolve())
        made, reference = map(str, places)
        with nnunet.threads_for_processes(), where_labelled(labelled):
            _, chosen = determine_postprocessing(made, reference, plan.plans, plan.dataset, cores, False)
        summary = json.loads((places[0] / "postprocessing.json").read_text())
    before, after = (summary[part]["mean"] for part in ("input_folder", "postprocessed"))
    organs = {
        organ: {"before": _number(before[str(label)]["Dice"]), "after": _number(after[str(label)]["Dice"])}
        for organ, label in plan.organs.items()
    }
    return {"steps": [_as_list(step["labels_or_regions"]) for step in chosen], "organs": organs}


def _as_list(labels: Any) -> list[int]:
    return [int(label) for label in (labels if isinstance(labels, list | tuple) else [labels])]


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
