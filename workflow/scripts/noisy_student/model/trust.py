"""Which checkpoints may be loaded. A checkpoint is a pickle: loading a foreign one can run any code.

A training records the checksum of what it wrote. A checkpoint with such a record in this copy of the project, or in the
folder of results that one works in, is the project's own; any other must be named by its checksum.
"""

from collections.abc import Collection, Sequence
from pathlib import Path

from noisy_student.errors import InputError
from noisy_student.files import sha256, write_text

PROJECT = Path(__file__).resolve().parents[4]
RECORD = ".sha256"


def record(checkpoint: Path) -> None:
    """Write down that this very file was made here."""
    write_text(checkpoint.with_suffix(RECORD), sha256(checkpoint))


def is_replaced(checkpoint: Path) -> bool:
    """Whether a checkpoint was recorded here and is another file now; only a younger one is read to find out."""
    note = checkpoint.with_suffix(RECORD)
    is_younger = note.exists() and checkpoint.stat().st_mtime > note.stat().st_mtime
    return is_younger and note.read_text() != sha256(checkpoint)


def require_trusted(checkpoints: Sequence[Path], trusted: Collection[str]) -> None:
    """Raise InputError unless every checkpoint is the project's own, or its SHA-256 is among `trusted`."""
    checksums = {path: sha256(path) for path in checkpoints}
    foreign = {
        path: digest for path, digest in checksums.items() if digest not in trusted and not _is_own(path, digest)
    }
    if foreign:
        raise InputError(
            "checkpoints that this project trained, or whose checksum is given",
            "\n".join(f"{path}, SHA-256 {checksum}" for path, checksum in foreign.items()),
            "a checkpoint is a pickle, and loading it can run any code with your rights. If you trust its source, "
            f"and that names this checksum: --trust {' '.join(foreign.values())}",
        )


def _is_own(checkpoint: Path, checksum: str) -> bool:
    """Whether it lies in our results as it was written there."""
    results = {(folder / "results").resolve() for folder in (PROJECT, Path.cwd())}
    note = checkpoint.with_suffix(RECORD)
    is_here = not results.isdisjoint(checkpoint.resolve().parents)
    return is_here and note.exists() and note.read_text() == checksum
