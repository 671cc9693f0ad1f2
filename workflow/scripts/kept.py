"""Show what is kept, with sizes, and free the disk: kept.py [PLACE]

PLACE is a run's `results/superseded` (the default), where trainings and label maps lie that were made with other
settings; or the store that experiments share. Nothing is deleted without --remove. Single items of a store that are
named go even where experiments have links to their files: these stay, as does a stage's, and who wants the item next
makes it anew.
"""

import argparse
import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

from noisy_student.command import run
from noisy_student.errors import InputError
from noisy_student.files import only_one
from noisy_student.keeping.aside import SUPERSEDED
from noisy_student.keeping.inventory import (
    Kept,
    damaged,
    in_store,
    is_needed_now,
    is_stage,
    left_of_removals,
    set_aside,
)
from noisy_student.keeping.store import ITEMS, STAGES, drop_damaged
from noisy_student.sizes import size_in_words

LOCK = ".removing_by_{user}.lock"


def main() -> None:
    """Read the arguments, show, and remove what is to go."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("place", type=Path, nargs="?", default=Path("results", SUPERSEDED))
    parser.add_argument("--remove", nargs="*", type=Path, metavar="FOLDER", help="delete these; all that none needs")
    parser.add_argument("--check", action="store_true", help="of a store: compare every file with its checksum first")
    arguments = parser.parse_args()
    place = arguments.place
    if place.name == SUPERSEDED and place.parent.is_dir() and not place.exists():
        print(f"nothing is set aside in {place}")
        return
    is_store = any((place / name).is_dir() for name in (STAGES, ITEMS))
    if not place.is_dir() or not (is_store or place.name == SUPERSEDED):
        raise InputError(f"a store, or a run's results/{SUPERSEDED}", f"{place}", "name the folder")
    if arguments.check and is_store:
        check(place)
    look = partial(in_store if is_store else set_aside, place)
    show(look())
    if arguments.remove is not None:
        with only_one(place / LOCK.format(user=os.getuid()), wait=True):
            remove(look, {path.resolve() for path in arguments.remove}, place if is_store else None)
            for left in left_of_removals(place):
                # Another person's stays.
                shutil.rmtree(left, ignore_errors=True)


def check(store: Path) -> None:
    """Compare everything with its checksums; nobody is given any more what is damaged, nor stages that have it, too."""
    users = {entry.folder: entry.needed_by for entry in in_store(store)}
    for found, files in damaged(store):
        print(f"damaged, is made anew when it is wanted: {found.folder} ({', '.join(files[:5])})")
        stages = drop_damaged(store, found.folder, files)
        for stage in stages:
            print(f"  not offered any more, since it has the same file: {stage}")
        if names := sorted({name for folder in (found.folder, *stages) for name in users.get(folder, ())}):
            print(f"  may be in use: {', '.join(names)}")
        if found.folder.exists() and not found.needed_by:
            found.remove(partial(is_needed_now, store, found))


def show(kept: list[Kept]) -> None:
    """A line for each, and the sum."""
    for entry in kept:
        needed = ", ".join(entry.needed_by) or "nobody needs it"
        print(f"{size_in_words(entry.bytes):>9}  {entry.what:<32}  {entry.folder}  {needed}")
    unneeded = sum(entry.freed_bytes for entry in kept if not entry.needed_by)
    print(f"{len(kept)} kept; what nobody needs frees {size_in_words(unneeded)}: --remove")


def remove(look: Callable[[], list[Kept]], named: set[Path], store: Path | None) -> None:
    """Delete the named ones, or all that nobody needs; in a `store`, unless an experiment began with it meanwhile."""
    kept = look()
    there = {entry.folder.resolve() for entry in kept}
    if unknown := sorted(map(str, named - there)):
        raise InputError("folders of this list", ", ".join(unknown), "name folders as they are shown")
    going = [entry for entry in kept if (entry.folder.resolve() in named if named else not entry.needed_by)]
    if used := [entry for entry in going if entry.needed_by and is_stage(entry)]:
        got = "; ".join(f"{entry.folder} is used by {', '.join(entry.needed_by)}" for entry in used)
        raise InputError("folders that no experiment uses", got, "remove the experiment first")
    removed = freed = 0
    while going:
        for entry in going:
            asks = store and (is_stage(entry) or not named)
            gone = entry.remove(partial(is_needed_now, store, entry)) if asks else entry.remove()
            removed += gone is not None
            freed += gone or 0
        # What a stage that is gone was made of may now be needed by nobody.
        going = [] if named else [entry for entry in look() if not entry.needed_by]
    print(f"removed {removed}, {size_in_words(freed)} freed")


if __name__ == "__main__":
    run(main)
