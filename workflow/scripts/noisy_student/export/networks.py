"""A folder with a model's networks as files for programs without nnU-Net, and all that these must know of them."""

import json
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from noisy_student.configuration.prediction_options import Prediction
from noisy_student.errors import InputError
from noisy_student.export.network_description import description
from noisy_student.export.network_files import WRITERS
from noisy_student.files import copy, sha256, write_text
from noisy_student.model.model_folder import OTHER_WAY, Model, by_folder, joined, read_model
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
    """Write the network of each checkpoint (`<model>/fold_<f>/<name>.pth`), the example program, card and description.

    The description is written last: a folder that has it is whole. `card` makes the model card's text of it.
    """
    folders = by_folder(checkpoints)
    model = _one_model(folders)
    ending, write = WRITERS[runtime]
    paths = [folder / f"{name}{ending}" for name in _names(folders)]
    about = description(model, [path.name for path in paths], options, steps)
    patch = model.plan.configuration.patch_size
    files = [write(network, patch, path) for network, path in zip(model.networks, paths, strict=True)]
    copy(EXAMPLE, folder / EXAMPLE.name)
    about["files"] = _stamps([*chain(*files), folder / EXAMPLE.name])
    write_text(folder / CARD, card(about))
    about["files"] |= _stamps([folder / CARD])
    write_text(folder / DESCRIPTION, json.dumps(about, indent=2))


def in_words(about: About) -> str:
    """What the model card says of the files, in Markdown."""
    patch = " × ".join(map(str, about["patch_size"]))
    rows = [f"| {name} | {stamp['bytes']} | `{stamp['sha256']}` |" for name, stamp in about["files"].items()]
    return (
        f"## Without nnU-Net\n\n`python {EXAMPLE.name} scan.nii.gz label_map.nii.gz` labels a scan; it needs openvino, "
        f"SimpleITK, numpy and scipy. `{DESCRIPTION}` has all that it goes by. A network takes windows of {patch} "
        "voxels and no other size; of several networks the mean is taken.\n\n"
    ) + "\n".join(["| file | bytes | SHA-256 |", "|---|---|---|", *rows])


def _one_model(folders: dict[Path, list[Path]]) -> Model:
    """The models of these folders as one. Raises InputError for those that cannot label by their mean."""
    first, *others = [read_model(checkpoints) for checkpoints in folders.values()]
    if any(other.grid != first.grid for other in others):
        got = f"{', '.join(map(str, folders))}, which differ in them and label by vote"
        raise InputError("models that share labels and grid, so that they label by their mean", got, OTHER_WAY)
    return joined([first, *others])


def _names(folders: dict[Path, list[Path]]) -> list[str]:
    """Of each network: its fold, after its model where there are several."""
    several = len(folders) > 1
    return [
        f"{folder.name}_{checkpoint.parent.name}" if several else checkpoint.parent.name
        for folder, checkpoints in folders.items()
        for checkpoint in checkpoints
    ]


def _stamps(paths: Sequence[Path]) -> About:
    return {path.name: {"bytes": path.stat().st_size, "sha256": sha256(path)} for path in paths}
