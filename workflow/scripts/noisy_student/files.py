"""Files that are whole or absent: temporary names, atomic renames, checksums, links."""

import errno
import fcntl
import hashlib
import json
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from noisy_student.errors import InputError
from noisy_student.sizes import size_in_words

CHUNK_BYTES = 1 << 20
UNFINISHED = ".writing-"


@contextmanager
def whole_file(path: Path, flush: bool = False) -> Iterator[Path]:
    """Give a temporary path beside `path`; rename it to `path` when the block ends without an error.

    The temporary name ends as `path` does, so that writers which look at the extension work. A reader
    therefore never sees half a file, whenever the writer is killed. `flush`: after a power cut neither; it takes a few
    milliseconds, and longer for large files, so that those which come by thousands, arrays and label maps, go without.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{UNFINISHED}{os.getpid()}-{path.name}")
    try:
        yield temporary
        if flush:
            _flush(temporary)
        temporary.replace(path)
    except Exception as error:
        free = size_in_words(shutil.disk_usage(path.parent).free)
        error.add_note(f"while {path} was written, with {free} free on its disk")
        raise
    finally:
        temporary.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    """Wait until a file is on the disk: else its new name may be there before its content."""
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder beside `path`; rename it to `path` at the end, unless another process was faster."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{UNFINISHED}{uuid4().hex}")
    temporary.mkdir()
    try:
        yield temporary
        try:
            temporary.rename(path)
        except OSError:
            if not path.is_dir():
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def visible(folder: Path, ending: str = "") -> list[Path]:
    """What lies in a folder and ends so, by name, without what is hidden (macOS leaves `._name` in archives)."""
    return sorted(folder.glob(f"[!.]*{ending}"))


def remove_unfinished(folder: Path) -> None:
    """Delete what killed writers left under a folder in which nobody writes any more."""
    for path in folder.rglob(f"{UNFINISHED}*"):
        path.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` in one step."""
    with whole_file(path, flush=True) as temporary:
        temporary.write_text(text)


def read_json(path: Path) -> Any:
    """What a JSON file holds."""
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise InputError(f"a whole JSON file at {path}", str(error), "delete it and start the run again") from error


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of the file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def link(source: Path, target: Path) -> None:
    """Make `target` the same file as `source` without copying: a hard link, or a symbolic one where there are none.

    Across disks that leads to the file itself, on one disk from file to file, so that both may be moved together.
    """
    with whole_file(target) as temporary:
        try:
            os.link(source, temporary)
        except OSError as error:
            temporary.symlink_to(source.resolve() if error.errno == errno.EXDEV else _way(target.parent, source))


def _way(folder: Path, source: Path) -> Path:
    """The relative path from a folder to a file, or where links lie between them the absolute one."""
    way = Path(os.path.relpath(source, folder))
    return way if (folder / way).resolve() == source.resolve() else source.resolve()


def copy(source: Path, target: Path) -> None:
    """Copy a file in one step."""
    with whole_file(target) as temporary:
        shutil.copyfile(source, temporary)


@contextmanager
def only_one(path: Path, wait: bool = False, waiting: str = "") -> Iterator[int]:
    """Hold a lock for the length of a block; while another process holds it, wait for that one, or raise.

    `waiting` is said besides where it waits.

    Gives the descriptor that holds it. The operating system frees the lock when its holder ends, however that happens;
    a process that the holder forks does not hold it, since it may live on.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stream.seek(0)
            holder = stream.read().strip()
            if not wait:
                wanted, remedy = f"{path.parent} for one process alone", "wait for that process, or end it"
                raise InputError(wanted, f"it is in use by {holder}", remedy) from None
            print(f"waiting for {holder}, which works in {path.parent}; end it if it should not{waiting}", flush=True)
            fcntl.flock(stream, fcntl.LOCK_EX)
        os.register_at_fork(after_in_child=stream.close)
        stream.truncate(0)
        stream.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        stream.flush()
        yield stream.fileno()
