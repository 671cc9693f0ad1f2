"""Which checkpoints may be loaded. A checkpoint is a pickle: loading a foreign one can run any code.

A training records the checksum of what it wrote. A checkpoint with such a record in the results of this copy of the
project, or in those of the folder that one works in, is one's own. Any other must be named by its checksum, also where
it has a record: a record comes along with a folder from elsewhere.
"""

import zipfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from noisy_student.errors import InputError
from noisy_student.files import sha256, write_text

PROJECT = Path(__file__).resolve().parents[4]
RECORD = ".sha256"


def record(checkpoint: Path) -> None:
    """Write down that this very file was made here."""
    write_text(checkpoint.with_suffix(RECORD), sha256(checkpoint))


def is_replaced(checkpoint: Path) -> bool:
    """Whether a checkpoint was recorded here and is another, whole one now; only a younger one is read to find out."""
    note = checkpoint.with_suffix(RECORD)
    is_younger = note.exists() and checkpoint.stat().st_mtime > note.stat().st_mtime
    return is_younger and zipfile.is_zipfile(checkpoint) and note.read_text() != sha256(checkpoint)


def require_trusted(checkpoints: Sequence[Path], trusted: Collection[str]) -> None:
    """Raise InputError unless every checkpoint is the project's own, or its SHA-256 is among `trusted`."""
    if foreign := untrusted({path: sha256(path) for path in checkpoints}, trusted):
        raise foreign_error(foreign, f"--trust {' '.join(foreign.values())}{_where_it_is_own(foreign)}", trusted)


def untrusted(checksums: Mapping[Path, str], trusted: Collection[str]) -> dict[Path, str]:
    """The files that are neither the project's own nor named by their SHA-256."""
    return {path: digest for path, digest in checksums.items() if digest not in trusted and not _is_own(path, digest)}


def foreign_error(foreign: Mapping[Path, str], how_to_trust: str, given: Collection[str]) -> InputError:
    """The error for files that are not trusted, with the words by which they would be; `given` are other checksums."""
    others = f"\nwhich is none of those given: {', '.join(given)}" if given else ""
    return InputError(
        "checkpoints that were trained in this folder or this project, or whose checksum is given",
        "\n".join(f"{path}, SHA-256 {checksum}" for path, checksum in foreign.items()) + others,
        "a checkpoint is a pickle, and loading it can run any code with your rights. If you trust its source, "
        f"and that names this checksum: {how_to_trust}",
    )


def _is_own(checkpoint: Path, checksum: str) -> bool:
    """Whether it lies in our results as it was written there."""
    results = {(folder / "results").resolve() for folder in (PROJECT, Path.cwd())}
    return not results.isdisjoint(checkpoint.resolve().parents) and _has_record(checkpoint, checksum)


def _has_record(checkpoint: Path, checksum: str) -> bool:
    note = checkpoint.with_suffix(RECORD)
    return note.exists() and note.read_text() == checksum


def _where_it_is_own(foreign: Mapping[Path, str]) -> str:
    """The other way for models that all have records in the results of one other folder."""
    runs = {_run_of(path) if _has_record(path, checksum) else None for path, checksum in foreign.items()}
    run = runs.pop()
    return f". If you trained it yourself, in {run}, call this from there" if run and not runs else ""


def _run_of(checkpoint: Path) -> Path | None:
    return next((place.parent for place in checkpoint.resolve().parents if place.name == "results"), None)
