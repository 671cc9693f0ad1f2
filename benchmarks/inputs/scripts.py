"""The project's own commands, run as a user or a rule runs them, and how they ended in a few words.

Each runs in a process of its own, forked from one that has loaded the large libraries: hundreds of short commands would
spend most of their time on loading them.
"""

import hashlib
import multiprocessing
import os
import re
import runpy
import sys
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2] / "workflow/scripts"
LONGEST = 160
INPUT_ERROR = re.compile(r"^wanted: (.*?)^ +got: (.*?)^remedy:", re.MULTILINE | re.DOTALL)
RAISED = re.compile(r"^[\w.]+(?:Error|Exception|Interrupt)\b.*$", re.MULTILINE)
PROGRESS = re.compile(r"^[\w ]+: \d+ of \d+, ")
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([
    *("nibabel", "pandas", "pydantic", "pydicom", "scipy.ndimage", "SimpleITK", "torch"),
    "nnunetv2.inference.predict_from_raw_data",
])  # fmt: skip


@dataclass(frozen=True)
class Ended:
    """A command that has ended: its exit status and what it printed."""

    returncode: int
    stdout: str
    stderr: str


def run(name: str, *arguments: object) -> Ended:
    """Run one of the workflow's scripts."""
    with tempfile.TemporaryDirectory() as folder:
        printed = [Path(folder, stream) for stream in ("stdout", "stderr")]
        process = PROCESSES.Process(target=_be, args=(SCRIPTS / name, [str(word) for word in arguments], *printed))
        process.start()
        process.join()
        return Ended(process.exitcode or 0, *(path.read_text() for path in printed))


def _be(script: Path, arguments: list[str], stdout: Path, stderr: Path) -> None:
    """Become a script: its arguments, its output, its modules."""
    for path, stream in ((stdout, sys.stdout), (stderr, sys.stderr)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), stream.fileno())
    sys.argv = [str(script), *arguments]
    sys.path.insert(0, str(script.parent))
    warnings.simplefilter("ignore")
    runpy.run_path(str(script), run_name="__main__")


def ending(ended: Ended) -> str:
    """How a command ended and why, if not well; then what it said besides progress."""
    said = [line for line in (ended.stdout + ended.stderr).splitlines() if line and not PROGRESS.match(line)]
    if ended.returncode == 0:
        return "; ".join(map(short, said))
    if found := INPUT_ERROR.findall(ended.stderr):
        wanted, got = found[-1]
        return f"refused: {short(got)}; wanted {short(wanted)}"
    if found := RAISED.findall(ended.stderr):
        return f"traceback: {short(found[-1])}"
    return f"exit status {ended.returncode}: {short(' '.join(said[-3:]))}"


def short(text: str) -> str:
    """One line, files without their folders, a long end cut off."""
    line = re.sub(r"/[^\s:,;'\"()]*/", "", " ".join(text.split()))
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"


def sha256s(place: Path, pattern: str = "*") -> dict[Path, str]:
    """The checksum of a file, or of each file below a folder; none of what is not there."""
    files = [place] if place.is_file() else place.rglob(pattern)
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files if path.is_file()}
