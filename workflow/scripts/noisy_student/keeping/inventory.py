"""What is kept: in a store, and of which experiments; set aside in a run's results. And what of it can go."""

import json
import shutil
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

from noisy_student.fold_files import RECORD
from noisy_student.keeping.begun_anew import Training
from noisy_student.keeping.stages import USERS
from noisy_student.keeping.store import ITEMS, MANIFEST, STAGES, damaged_files, files_under

LABEL_MAPS = "*.nii.gz"
# How the name of a folder begins that is being deleted.
REMOVED = ".removed-"


@dataclass(frozen=True)
class Kept:
    """A folder that is kept, what it is, and why it stays; nobody needs it if there is no reason."""

    folder: Path
    what: str
    needed_by: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """The size of its files."""
        return sum(entry.stat().st_size for entry in files_under(self.folder))

    @property
    def freed_bytes(self) -> int:
        """What the disk would have more without it: files that lie elsewhere too do not count."""
        return sum(stat.st_size for entry in files_under(self.folder) if (stat := entry.stat()).st_nlink == 1)

    def remove(self, is_needed: Callable[[Path], bool] = lambda _: False) -> int | None:
        """Delete it, unless it `is_needed` now, wherever it lies; the bytes that this frees, None if it stays.

        It goes out of sight in one step: a removal that is cut short leaves nothing that would be taken.
        """
        if is_needed(self.folder) or not self.folder.exists():
            return None
        hidden = self.folder.with_name(f"{REMOVED}{uuid4().hex}")
        self.folder.rename(hidden)
        # Who began with it before it was out of sight has said so by now. Made anew meanwhile, it is not missed.
        if is_needed(hidden):
            with suppress(OSError):
                hidden.rename(self.folder)
                return None
        freed = replace(self, folder=hidden).freed_bytes
        shutil.rmtree(hidden)
        return freed


def left_of_removals(place: Path) -> list[Path]:
    """What removals that were cut short have left, out of sight."""
    return sorted(place.rglob(f"{REMOVED}*"))


def set_aside(place: Path) -> list[Kept]:
    """The trainings and label maps that lie in a run's `results/superseded`."""
    trainings = [
        Kept(record.parent, _training(record.parent)) for record in sorted(place.rglob(RECORD)) if _is_seen(record)
    ]
    labels = sorted({path.parent for path in place.glob(f"*/*/*/{LABEL_MAPS}") if _is_seen(path)})
    return trainings + [Kept(folder, f"{len(list(folder.glob(LABEL_MAPS)))} label maps") for folder in labels]


def _is_seen(path: Path) -> bool:
    return not path.parent.name.startswith(REMOVED)


def _training(folder: Path) -> str:
    training = Training.in_folder(folder)
    return f"training, {training.cost}" if training else "training"


def in_store(root: Path) -> list[Kept]:
    """The stages of a store with the experiments that use them, then its single things."""
    users = _users(root)
    stages = [
        Kept(folder, f"stage {folder.parent.name}", tuple(users[str(folder.relative_to(root))]) or _holders(folder))
        for folder in sorted((root / STAGES).glob("*/[!.]*"))
    ]
    items = [
        Kept(folder, f"item {folder.parents[1].name}", ("links from elsewhere",) if _is_linked(folder) else ())
        for folder in sorted((root / ITEMS).glob("*/*/[!.]*"))
    ]
    return stages + items


def is_stage(kept: Kept) -> bool:
    """Whether experiments reach its files through it, and lose them with it; else they have links of their own."""
    return kept.folder.parents[1].name == STAGES


def is_needed_now(root: Path, kept: Kept, lies_at: Path) -> bool:
    """Whether some experiment needs a stage or a single thing of a store, which lies elsewhere while it is removed."""
    if is_stage(kept):
        return bool(_users(root)[str(kept.folder.relative_to(root))] or _holders(lies_at))
    return lies_at.exists() and _is_linked(lies_at)


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
