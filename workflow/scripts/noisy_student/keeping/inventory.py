"""What is kept: in a store, and of which experiments; set aside in a run's results. And what of it can go."""

import json
import shutil
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from noisy_student.fold_files import RECORD
from noisy_student.keeping.begun_anew import Training
from noisy_student.keeping.stages import USERS
from noisy_student.keeping.store import ITEMS, MANIFEST, STAGES, damaged_files, files_under

LABEL_MAPS = "*.nii.gz"


@dataclass(frozen=True)
class Kept:
    """A folder that is kept, what it is, and why it stays; nobody needs it if there is no reason.

    `is_linked_to`: experiments reach its files through it, and lose them with it; else they have links of their own.
    """

    folder: Path
    what: str
    needed_by: tuple[str, ...] = ()
    is_linked_to: bool = False

    @property
    def bytes(self) -> int:
        """The size of its files."""
        return sum(entry.stat().st_size for entry in files_under(self.folder))

    @property
    def freed_bytes(self) -> int:
        """What the disk would have more without it: files that lie elsewhere too do not count."""
        return sum(stat.st_size for entry in files_under(self.folder) if (stat := entry.stat()).st_nlink == 1)

    def remove(self) -> None:
        """Delete it; a removal that is cut short leaves nothing that would be taken."""
        for record in (MANIFEST, RECORD):
            (self.folder / record).unlink(missing_ok=True)
        shutil.rmtree(self.folder)


def set_aside(place: Path) -> list[Kept]:
    """The trainings and label maps that lie in a run's `results/superseded`."""
    trainings = [Kept(record.parent, _training(record.parent)) for record in sorted(place.rglob(RECORD))]
    labels = sorted({path.parent for path in place.glob(f"*/*/*/{LABEL_MAPS}")})
    return trainings + [Kept(folder, f"{len(list(folder.glob(LABEL_MAPS)))} label maps") for folder in labels]


def _training(folder: Path) -> str:
    training = Training.in_folder(folder)
    return f"training, {training.cost}" if training else "training"


def in_store(root: Path) -> list[Kept]:
    """The stages of a store with the experiments that use them, then its single things."""
    users = _users(root)
    folders = {folder: users[str(folder.relative_to(root))] for folder in sorted((root / STAGES).glob("*/[!.]*"))}
    stages = [
        Kept(folder, f"stage {folder.parent.name}", tuple(used_by) or _holders(folder), is_linked_to=True)
        for folder, used_by in folders.items()
    ]
    items = [
        Kept(folder, f"item {folder.parents[1].name}", ("links from elsewhere",) if _is_linked(folder) else ())
        for folder in sorted((root / ITEMS).glob("*/*/[!.]*"))
    ]
    return stages + items


def _users(root: Path) -> dict[str, list[str]]:
    """Stage → the experiments that use it and are still there."""
    found = defaultdict(list)
    for path in sorted((root / USERS).glob("*.json")):
        record = json.loads(path.read_text())
        if _may_be_there(Path(record["experiment"], "results")):
            for stage in record["stages"]:
                found[stage].append(record["experiment"])
    return found


def _may_be_there(path: Path) -> bool:
    """Whether a folder exists; another user's, into which one may not look, counts as one that does."""
    try:
        return path.exists()
    except OSError:
        return True


def _holders(stage: Path) -> tuple[str, ...]:
    """Whether an experiment that was moved holds a stage, which is known by its link to the manifest."""
    manifest = stage / MANIFEST
    return ("an experiment that was moved",) if manifest.exists() and manifest.stat().st_nlink > 1 else ()


def _is_linked(item: Path) -> bool:
    """Whether some file of an item lies elsewhere too: in an experiment, or in a stage."""
    return any(entry.stat().st_nlink > 1 for entry in files_under(item))


def damaged(root: Path) -> list[tuple[Kept, list[str]]]:
    """Everything in a store that is not what was put there, with the files."""
    whole = [kept for kept in in_store(root) if (kept.folder / MANIFEST).exists()]
    return [(kept, files) for kept in whole if (files := damaged_files(kept.folder, with_copies=True))]
