"""What the checkpoints of a fold are called, and what each of them holds."""

import re
from collections.abc import Iterable

# Kinds of checkpoints of a fold, in nnU-Net's words; it keeps the latter two until a training has ended.
KINDS = FINAL, BEST, LATEST = "final", "best", "latest"


def checkpoint_name(kind: str) -> str:
    """The file's name."""
    return f"checkpoint_{kind}.pth"


FINAL_CHECKPOINT = checkpoint_name(FINAL)
AVERAGE_CHECKPOINT = checkpoint_name("average")
THIRD_CHECKPOINTS = checkpoint_name("third_1"), checkpoint_name("third_2")
# By voice of `training.voices`, the checkpoints that it labels with.
VOICES = {"final": (FINAL_CHECKPOINT,), "average": (AVERAGE_CHECKPOINT,), "thirds": THIRD_CHECKPOINTS}
# By their names in a model's folder; what else lies beside folds, such as a copy of one, is none.
OF_A_FOLD = re.compile(r"(fold_(?:\d+|all))/checkpoint_(\w+)\.pth")
ALL = "fold_all"
# What each of them has, whoever trained it with nnU-Net v2.
ENTRIES = {"network_weights", "trainer_name", "init_args"}
# Axes of the network's scans, none where there is no such entry or None in it.
MIRRORING = "inference_allowed_mirroring_axes"


def checkpoints_of_voices(voices: Iterable[str]) -> list[str]:
    """The files, in a fold's folder, of some voices."""
    return [name for voice in voices for name in VOICES[voice]]


def folds_among(names: Iterable[str], kind: str = "") -> list[str]:
    """Folders of a model's folds: all numbered ones, in their order, or fold `all` if there is no other.

    `names` are of files in the model's folder; a fold is one that has a checkpoint, of this `kind` if one is given.
    """
    matches = [match for name in names if (match := OF_A_FOLD.fullmatch(name)) and kind in ("", match[2])]
    found = {match[1] for match in matches}
    return sorted(found - {ALL}, key=lambda fold: int(fold.removeprefix("fold_"))) or sorted(found)
