"""A folder with a model's networks as files for programs without nnU-Net, and all that these must know of them."""

import json
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from noisy_student.configuration.prediction_options import Prediction
from noisy_student.export.model_card import whole_scan
from noisy_student.export.network_description import description
from noisy_student.export.network_files import WRITERS
from noisy_student.files import copy, sha256, write_text
from noisy_student.model.model_folder import read_model
from noisy_student.model.postprocessing import Steps

DESCRIPTION, CARD = "model.json", "MODEL_CARD.md"
EXAMPLE = Path(__file__).with_name("label_with_openvino.py")

About = dict[str, Any]


def write_networks(
    checkpoints: Sequence[Path],
    runtime: str,
    folder: Path,
    options: Prediction,
    steps: Steps,
    card: Callable[[About], str],
) -> None:
    """Write the networks of a model that was trained here, the example program, card and description.

    Checkpoints are `<model>/fold_<f>/<name>.pth`. The description is written last: a folder that has it is whole.
    `card` makes the model card's text of it.
    """
    model = read_model(checkpoints)
    ending, write = WRITERS[runtime]
    paths = [folder / f"{checkpoint.parent.name}{ending}" for checkpoint in checkpoints]
    about = description(model, [path.name for path in paths], options, steps)
    patch = model.plan.configuration.patch_size
    files = [write(network, patch, path) for network, path in zip(model.networks, paths, strict=True)]
    copy(EXAMPLE, folder / EXAMPLE.name)
    about["files"] = _stamps([*chain(*files), folder / EXAMPLE.name])
    write_text(folder / CARD, card(about))
    about["files"] |= _stamps([folder / CARD])
    write_text(folder / DESCRIPTION, json.dumps(about, indent=2))


def in_words(about: About, windows: str = "everywhere") -> str:
    """What the model card says of the files, in Markdown; `windows` are those of the scores."""
    patch = " × ".join(map(str, about["patch_size"]))
    rows = [f"| {name} | {stamp['bytes']} | `{stamp['sha256']}` |" for name, stamp in about["files"].items()]
    text = (
        f"`python {EXAMPLE.name} scan.nii.gz label_map.nii.gz` labels a scan; it needs openvino, "
        f"SimpleITK, numpy and scipy. `{DESCRIPTION}` has all that it goes by. A network takes windows of {patch} "
        "voxels and no other size; of several networks the mean is taken."
    )
    table = "\n".join(["| file | bytes | SHA-256 |", "|---|---|---|", *rows])
    return "\n\n".join(filter(None, ["## Without nnU-Net", text, whole_scan("the program", windows), table]))


def _stamps(paths: Sequence[Path]) -> About:
    return {path.name: {"bytes": path.stat().st_size, "sha256": sha256(path)} for path in paths}
