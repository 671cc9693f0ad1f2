"""nnU-Net's raw data: `imagesTr`, `labelsTr`, `imagesTs`, `labelsTs`, and the dataset.json that describes them.

https://github.com/MIC-DKFZ/nnUNet/blob/master/documentation/dataset_format.md. The Medical Segmentation Decathlon's,
from which it comes, has `modality` for `channel_names`, and is always .nii.gz.
"""

import json
from pathlib import Path
from typing import Any

from noisy_student.configuration.experiment import LabelledFolder, ScanFolder, ScanTable
from noisy_student.configuration.layouts import LabelledCases, NnunetFolder, ScanCases
from noisy_student.reading.names import EXTENSIONS

DATASET = "dataset.json"
Searched = LabelledFolder | ScanFolder | ScanTable | LabelledCases | ScanCases


def as_folders(entry: Searched | NnunetFolder, role: str) -> Searched:
    """The folders of scans and label maps of a dataset in a role; any other entry as it is."""
    if not isinstance(entry, NnunetFolder):
        return entry
    part = "Tr" if role == "labelled" else "Ts"
    images, label_maps = (entry.nnunet / f"{kind}{part}" for kind in ("images", "labels"))
    own = {"name": entry.name, "images": images, "labels": entry.labels, "organs": entry.organs}
    if role == "unlabelled":
        return ScanFolder(**own, truth=label_maps if label_maps.is_dir() else None)
    return LabelledFolder(**own, label_maps=label_maps)


def ending_of(entry: Searched | NnunetFolder) -> str:
    """How the names of a dataset's images end; nothing where that is not said."""
    return description_of(entry.nnunet).get("file_ending", EXTENSIONS[0]) if isinstance(entry, NnunetFolder) else ""


def problem(folder: Path) -> str:
    """Why a dataset cannot be used, by its description; empty if it can."""
    described = description_of(folder)
    if not described:
        return f"no {DATASET} in it that can be read; without one name `images` and `label_maps`"
    channels = described.get("channel_names", described.get("modality", {}))
    if len(channels) > 1:
        names = ", ".join(map(str, channels.values() if isinstance(channels, dict) else channels))
        return f"{len(channels)} channels by its {DATASET} ({names}); a scan is one CT"
    ending = described.get("file_ending", EXTENSIONS[0])
    known = "" if ending in EXTENSIONS else f"images that end in {ending} by its {DATASET}; known are "
    return known and known + ", ".join(EXTENSIONS)


def description_of(folder: Path) -> dict[str, Any]:
    """What a folder's dataset.json says; nothing where there is none, or none that can be read."""
    try:
        content = json.loads((folder / DATASET).read_text("utf-8-sig", "replace"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
