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
from noisy_student.export.model_card import whole_scan
from noisy_student.files import read_json, whole_file
from noisy_student.model.checkpoints import read_checkpoint
from noisy_student.model.own_prediction import FILE as OWN_PREDICTION
from noisy_student.model.own_prediction import own_prediction
from noisy_student.model.postprocessing import FILE as POSTPROCESSING
from noisy_student.model.postprocessing import Steps
from noisy_student.model.records import SHORT

PREDICTION_KEYS = ("network_weights", "trainer_name", "inference_allowed_mirroring_axes")
# What nnU-Net does unless told otherwise; it mirrors, too.
STEP_SIZE = 0.5


def dataset_of(checksums: Sequence[str], name: str) -> str:
    """What nnU-Net calls the dataset of the installed model of the round of this `name`, its number or `deploy`.

    `checksums`: SHA-256 of its checkpoints. No two models have the same name: nnU-Net unpacks a zip into what is there
    already.
    """
    return f"{nnunet.DATASET}_round_{name}_{hashlib.sha256(''.join(checksums).encode()).hexdigest()[:SHORT]}"


def installed(checkpoints: Sequence[Path], dataset: str, steps: Steps = ()) -> str:
    """The model card's section on how the installed model is run so that it labels as it was scored.

    What nnU-Net cannot be told is said: windows, and the `steps` of post-processing.
    """
    model = checkpoints[0].parent.parent
    plans, own = read_json(model / "plans.json")["plans_name"], own_prediction([model])
    folds = " ".join(path.parent.name.removeprefix("fold_") for path in checkpoints)
    words = [f"nnUNetv2_predict -d {dataset} -p {plans} -c {nnunet.CONFIGURATION} -f {folds}"]
    words += [f"-step_size {own['step_size']:g}"] if own.get("step_size", STEP_SIZE) != STEP_SIZE else []
    words += [] if own.get("mirroring", True) else ["--disable_tta"]
    command = " ".join([*words, "-i SCANS -o LABEL_MAPS"])
    notes = [whole_scan("nnU-Net", own.get("windows", "everywhere")), _pieces(steps)]
    return "\n\n".join(["## In nnU-Net", "Once it is installed:", f"```\n{command}\n```", *filter(None, notes)])


def _pieces(steps: Steps) -> str:
    if not steps:
        return ""
    return (
        "nnU-Net does not keep the largest pieces that the scores speak of; "
        f"`label_scan.py --postprocessing {POSTPROCESSING}` of flare-noisy-student does."
    )


def write_model_zip(checkpoints: Sequence[Path], dataset: str, card: str, target: Path, steps: Steps = ()) -> None:
    """Write the model that the folds' checkpoints (`<model>/fold_<f>/<name>.pth`) belong to, with its model card.

    `dataset`: of this name (`dataset_of`). `steps` of post-processing that its scores are after.
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
        if steps:
            add(POSTPROCESSING, json.dumps({"steps": steps}, indent=2))
        for path in checkpoints:
            add(f"{path.parent.name}/{path.name}", _prediction_checkpoint(path))


def _prediction_checkpoint(path: Path) -> bytes:
    checkpoint = read_checkpoint(path)
    fold = checkpoint["init_args"]["fold"]
    wanted = {key: checkpoint[key] for key in PREDICTION_KEYS}
    buffer = io.BytesIO()
    torch.save(wanted | {"init_args": {"configuration": nnunet.CONFIGURATION, "fold": fold}}, buffer)
    return buffer.getvalue()
