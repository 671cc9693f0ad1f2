"""A store that experiments share: what is equal is made once, and linked from there.

`items/<kind>/<identity>/` holds the files of one thing, made from what its identity says, with their checksums in
`manifest.json`. Nothing in a store is ever changed: things come in one step, and go when they are damaged or unused.
`stages/` holds finished stages of runs (`stages.py`), some of whose files are the same as those of things.
"""

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from uuid import uuid4

from noisy_student import __version__
from noisy_student.errors import InputError
from noisy_student.files import UNFINISHED, copy, only_one, read_json, sha256, whole_folder, write_text

VARIABLE = "NOISY_STUDENT_STORE"
ITEMS, LOCKS, STAGES = "items", "locks", "stages"
MANIFEST = "manifest.json"
# Of a stage: which of its files are damaged.
DAMAGED = "damaged.json"
# Checksums of a stage's files that are the same as no others, in its manifest: they take long to compare.
COPIES = "sha256_of_copies"
# Files that are written anew under another name and renamed, never changed.
REPLACED = (".pth", ".nii.gz", ".b2nd", ".pkl")
NO_FILES: Mapping[str, Path] = MappingProxyType({})


class Store:
    """The store at `root`; without one nothing is found in it and nothing put there."""

    def __init__(self, root: Path | None) -> None:
        self.root = root

    @classmethod
    def of_environment(cls) -> "Store":
        """The store of the run whose job this is."""
        root = os.environ.get(VARIABLE)
        return cls(Path(root) if root else None)

    def require_usable(self) -> None:
        """Raise InputError unless the store is, or can become, a folder that may be written to."""
        if self.root is None:
            return
        there = next(place for place in (self.root, *self.root.parents) if os.path.lexists(place))
        problem = "" if there.is_dir() else f"{there} is no folder"
        if not problem and not os.access(there, os.W_OK | os.X_OK):
            problem = f"{there} may not be written to"
        if problem:
            remedy = "name another folder under `store`, or take it out: without it nothing is shared"
            raise InputError(f"a folder that experiments share, {self.root}", problem, remedy)

    def item(self, kind: str, made_from: str) -> Path | None:
        """Where a thing lies, or would lie."""
        return self.root and self.root / ITEMS / kind / identity(made_from)

    def take(self, kind: str, made_from: str, files: Mapping[str, Path], extras: Mapping[str, Path] = NO_FILES) -> bool:
        """Link a thing's files, name → target, if the store has all of them whole; a damaged thing leaves it.

        `extras` are linked where the thing has them. No earlier file is left when the first one comes, and none goes
        before all are brought: killed between, no record lies beside what it is not of.
        """
        item = self.item(kind, made_from)
        if item is None or not (item / MANIFEST).exists():
            return False
        if damaged := damaged_files(item):
            print(f"{item} is damaged ({', '.join(damaged)}) and is made anew", file=sys.stderr, flush=True)
            for stage in drop_damaged(self.root, item, damaged):
                print(f"{stage} has it, too, and is not offered any more", file=sys.stderr, flush=True)
            return False
        if not all((item / name).exists() for name in files):
            return False
        there = {name: target for name, target in extras.items() if (item / name).exists()}
        brought = {
            target: (name, target.with_name(f"{UNFINISHED}{os.getpid()}-{target.name}"))
            for name, target in {**files, **there}.items()
        }
        try:
            for name, temporary in brought.values():
                share(item / name, temporary)
            for target in (*files.values(), *extras.values()):
                target.unlink(missing_ok=True)
            for target, (_, temporary) in brought.items():
                temporary.replace(target)
        except FileNotFoundError:
            print(f"{item} was removed meanwhile and is made anew", file=sys.stderr, flush=True)
            return False
        finally:
            for _, temporary in brought.values():
                temporary.unlink(missing_ok=True)
        return True

    def put(self, kind: str, made_from: str, files: Mapping[str, Path], extras: Mapping[str, Path] = NO_FILES) -> None:
        """Add a thing, unless it is there, with those of its `extras` that are there."""
        item = self.item(kind, made_from)
        if item is None or (item / MANIFEST).exists():
            return
        files = {**files, **{name: source for name, source in extras.items() if source.exists()}}
        with whole_folder(item) as folder:
            for name, source in files.items():
                share(source, folder / name)
            checksums = {name: sha256(folder / name) for name in files}
            manifest = {"made_from": made_from, "version": __version__, "sha256": checksums}
            write_text(folder / MANIFEST, json.dumps(manifest, indent=2))

    @contextmanager
    def alone(self, what: str, waiting: str = "") -> Iterator[None]:
        """Do `what` while no other experiment does the same; the second one waits, and then finds it done.

        `waiting` is said besides where it waits.
        """
        if self.root is None:
            yield
            return
        with only_one(self.root / LOCKS / identity(what) / ".lock", wait=True, waiting=waiting):
            yield


NO_STORE = Store(None)


def identity(made_from: str) -> str:
    """What a thing is made from, and by which version, as a folder's name."""
    digest = hashlib.sha256(f"{__version__}\n{made_from}".encode()).hexdigest()
    return f"{digest[:2]}/{digest[2:32]}"


def damaged_files(item: Path, with_copies: bool = False) -> list[str]:
    """The files of a thing that are not what was put there; its manifest, where that cannot be read."""
    try:
        manifest = json.loads((item / MANIFEST).read_text())
        checksums = manifest["sha256"] | (manifest.get(COPIES, {}) if with_copies else {})
    except (OSError, ValueError, KeyError):
        return [MANIFEST]
    return [name for name, checksum in checksums.items() if not _is(item / name, checksum)]


def _is(path: Path, checksum: str) -> bool:
    try:
        return sha256(path) == checksum
    except OSError:
        return False


def files_under(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Every file in a folder and the folders in it; links are not followed."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from files_under(Path(entry.path))
            elif entry.is_file(follow_symlinks=False):
                yield entry


def drop_damaged(root: Path, folder: Path, names: Iterable[str]) -> list[Path]:
    """Offer a thing or a stage in `folder`, of which files are damaged, no more; other stages that go with it.

    These have one of its files. A thing is deleted: what experiments have links to, they keep.
    """
    names = list(names)
    files = {(stat.st_dev, stat.st_ino) for name in names if (stat := _stat(folder / name))}
    others = []
    for place in sorted((root / STAGES).glob("*/[!.]*")):
        if place == folder:
            invalidate(place, names)
        elif shared := _files_among(files, place):
            invalidate(place, shared)
            others.append(place)
    if root / ITEMS in folder.parents:
        (folder / MANIFEST).unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
    return others


def invalidate(place: Path, names: Iterable[str]) -> None:
    """Let nobody begin with a stage, of which files are damaged. It stays: experiments may be linked to its folders."""
    known = read_json(place / DAMAGED) if (place / DAMAGED).exists() else []
    write_text(place / DAMAGED, json.dumps(sorted({*known, *names}), indent=2))
    (place / MANIFEST).unlink(missing_ok=True)


def _files_among(files: set[tuple[int, int]], place: Path) -> list[str]:
    """Those of a folder that are one of `files`, by device and inode."""
    found = []
    # Another process may be removing it.
    with suppress(FileNotFoundError):
        for entry in files_under(place):
            stat = entry.stat()
            if (stat.st_dev, stat.st_ino) in files:
                found.append(str(Path(entry.path).relative_to(place)))
    return found


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


_told: set[Path] = set()


def share(source: Path, target: Path) -> None:
    """Make `target` the same file as `source`; on another disk, a copy of it with its date."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError as error:
        _copy_with_date(source, target)
        _tell(error, target.parent)


def _tell(error: OSError, folder: Path) -> None:
    """Say once that files are copied."""
    if not _told:
        print(f"no links to {folder} ({error.strerror}): what is shared is copied", file=sys.stderr, flush=True)
    _told.add(folder)


def give(source: Path, target: Path) -> None:
    """Make `target` what `source` is: large files, which are only ever replaced as a whole, are shared, others copied.

    nnU-Net, and Snakemake with its records and benchmarks, write into the files that are there.
    """
    if source.name.endswith(REPLACED):
        share(source, target)
    else:
        _copy_with_date(source, target)


def _copy_with_date(source: Path, target: Path) -> None:
    copy(source, target)
    shutil.copystat(source, target)


def own(folder: Path) -> None:
    """Before something is written to a folder that an experiment links from a store: make it the experiment's own.

    Its files stay linked one by one, until they are replaced.
    """
    if not folder.is_symlink():
        return
    with only_one(folder.with_name(f".{folder.name}.lock"), wait=True):
        if not folder.is_symlink():
            return
        linked = folder.resolve()
        temporary = folder.with_name(f"{UNFINISHED}{uuid4().hex}")
        link_tree(linked, temporary)
        folder.unlink()
        temporary.rename(folder)


def link_tree(source: Path, target: Path, bring: Callable[[Path, Path], None] = share, follow: bool = False) -> None:
    """`bring` every file under a folder; links within stay what they are.

    `follow`: but for relative ones to files, which lead out of the folder: the files are brought.
    """
    target.mkdir(parents=True, exist_ok=True)
    if not source.exists():
        return
    with os.scandir(source) as entries:
        for entry in entries:
            path = Path(entry.path)
            if follow and entry.is_symlink() and entry.is_file() and not path.readlink().is_absolute():
                bring(path.resolve(), target / entry.name)
            elif entry.is_symlink():
                (target / entry.name).unlink(missing_ok=True)
                (target / entry.name).symlink_to(path.readlink())
            elif entry.is_dir():
                link_tree(path, target / entry.name, bring, follow)
            elif not entry.name.startswith("."):
                bring(path, target / entry.name)
