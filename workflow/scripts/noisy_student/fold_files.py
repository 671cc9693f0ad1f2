"""What is called how in a fold's folder, besides checkpoints: all that look at trainings know them by these files."""

from pathlib import Path

from noisy_student.files import read_json
from noisy_student.model.checkpoint_names import FINAL_CHECKPOINT

# What a training is, and was made from: the first file that it writes.
RECORD = "training.json"
# A row for each epoch that has ended.
PROGRESS = "progress.tsv"
# With which versions it was trained: one entry, or several if it went on with others.
VERSIONS = "versions.json"


def took_weights(fold: Path) -> bool | None:
    """Whether a fold's training began with the weights of another model; None where it does not say."""
    record = fold / RECORD
    made_from = read_json(record).get("sha256") if record.exists() else None
    return None if made_from is None else any(name.startswith(FINAL_CHECKPOINT) for name in made_from)
