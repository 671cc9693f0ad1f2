"""A round's model as the zip that `nnUNetv2_install_pretrained_model_from_zip` installs.

It holds what predicting needs and nothing of the scans: no paths, no state of the optimizer. Two exports of one model
are the same bytes.
"""

import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

import torch

from noisy_student import nnunet
from noisy_student.files import whole_file
from noisy_student.model.checkpoints import read_checkpoint
from noisy_student.model.own_prediction import FILE as OWN_PREDICTION

PREDICTION_KEYS = ("network_weights", "trainer_name", "inference_allowed_mirroring_axes")


def write_model_zip(checkpoints: Sequence[Path], card: str, target: Path) -> None:
    """Write the model that the folds' checkpoints (`<model>/fold_<f>/<name>.pth`) belong to, with its model card."""
    model = checkpoints[0].parent.parent
    plans = json.loads((model / "plans.json").read_text())
    description = json.loads((model / "dataset.json").read_text())
    description.pop("dataset", None)
    with whole_file(target) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:

        def add(name: str, content: str | bytes) -> None:
            path = f"{nnunet.DATASET}/nnUNetTrainer__{plans['plans_name']}__{nnunet.CONFIGURATION}/{name}"
            # Without a time of its own, an entry has the same one in every export.
            archive.writestr(zipfile.ZipInfo(path), content, zipfile.ZIP_DEFLATED)

        add("plans.json", json.dumps(plans, indent=2))
        add("dataset.json", json.dumps(description, indent=2))
        add("MODEL_CARD.md", card)
        if (model / OWN_PREDICTION).exists():
            add(OWN_PREDICTION, (model / OWN_PREDICTION).read_text())
        for path in checkpoints:
            add(f"{path.parent.name}/{path.name}", _prediction_checkpoint(path))


def _prediction_checkpoint(path: Path) -> bytes:
    checkpoint = read_checkpoint(path)
    fold = checkpoint["init_args"]["fold"]
    wanted = {key: checkpoint[key] for key in PREDICTION_KEYS}
    buffer = io.BytesIO()
    torch.save(wanted | {"init_args": {"configuration": nnunet.CONFIGURATION, "fold": fold}}, buffer)
    return buffer.getvalue()
