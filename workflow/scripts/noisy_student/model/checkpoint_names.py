"""What the checkpoints of a fold are called, and what each of them holds."""

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
# What each of them has, whoever trained it with nnU-Net v2.
ENTRIES = {"network_weights", "trainer_name", "init_args"}


def checkpoints_of_voices(voices: Iterable[str]) -> list[str]:
    """The files, in a fold's folder, of some voices."""
    return [name for voice in voices for name in VOICES[voice]]
