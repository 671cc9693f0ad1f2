"""A round's model as the zip that `nnUNetv2_install_pretrained_model_from_zip` installs.

It holds what predicting needs and nothing of the scans: no paths, no state of the optimizer. Two exports of one model
are the same bytes.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

import torch

from noisy_student import nnunet
from noisy_student.files import read_json, sha256, whole_file
from noisy_student.model.checkpoints import read_checkpoint
from noisy_student.model.label_files import SHORT
from noisy_student.model.own_prediction import FILE as OWN_PREDICTION

PREDICTION_KEYS = ("network_weights", "trainer_name", "inference_allowed_mirroring_axes")


def dataset_of(checkpoints: Sequence[Path], name: str) -> str:
    """What nnU-Net calls the dataset of the installed model of the round of this `name`, its number or `deploy`.

    No two models have the same: nnU-Net unpacks a zip into what is there already.
    """
    weights = "".join(map(sha256, checkpoints))
    return f"{nnunet.DATASET}_round_{name}_{hashlib.sha256(weights.encode()).hexdigest()[:SHORT]}"


def installed(checkpoints: Sequence[Path], dataset: str) -> str:
    """The model card's section on how the installed model is run."""
    plans = read_json(checkpoints[0].parent.parent / "plans.json")["plans_name"]
    folds = " ".join(path.parent.name.removeprefix("fold_") for path in checkpoints)
    command = f"nnUNetv2_predict -d {dataset} -p {plans} -c {nnunet.CONFIGURATION} -f {folds}"
    return f"## In nnU-Net\n\nOnce it is installed:\n\n```\n{command} -i SCANS -o LABEL_MAPS\n```"


def write_model_zip(checkpoints: Sequence[Path], dataset: str, card: str, target: Path) -> None:
    """Write the model that the folds' checkpoints (`<model>/fold_<f>/<name>.pth`) belong to, with its model card.

    `dataset`: of this name (`dataset_of`).
    """
    model = checkpoints[0].parent.parent
    plans = json.loads((model / "plans.json").read_text())
    description = json.loads((model / "dataset.json").read_text())
    description.pop("dataset", None)
    with whole_file(target) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:

        def add(file: str, content: str | bytes) -> None:
            path = f"{dataset}/nnUNetTrainer__{plans['plans_name']}__{nnunet.CONFIGURATION}/{file}"
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
