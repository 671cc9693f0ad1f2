"""Run a command for a case in a fresh process and measure it from before its start until after its end."""

import os
import shlex
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from noisy_student.efficiency.figures import efficiency
from noisy_student.efficiency.gpu_memory import Gpu
from noisy_student.efficiency.outcome import EXITED, SUCCESS, TIMED_OUT
from noisy_student.efficiency.sampler import Sampler
from noisy_student.errors import InputError

PLACEHOLDERS = ("{case}", "{image}", "{output}")


@dataclass(frozen=True)
class CommandTemplate:
    """A command line with {image} and {output}, and {case} where wanted; it is not run through a shell."""

    words: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> "CommandTemplate":
        """Split as a shell would. Raises InputError unless the image goes in and the output comes out."""
        absent = [placeholder for placeholder in PLACEHOLDERS[1:] if placeholder not in text]
        if absent:
            raise InputError(
                "a command that takes {image} and writes {output}",
                f"{text!r}, without {' and '.join(absent)}",
                "put the placeholders where the command expects the two paths",
            )
        return cls(tuple(shlex.split(text)))

    def words_for(self, case: str, image: Path, output: Path) -> list[str]:
        """The command's words for one case; other braces stay as they are."""
        values = dict(zip(PLACEHOLDERS, (case, str(image), str(output)), strict=True))
        words = []
        for word in self.words:
            for placeholder, value in values.items():
                word = word.replace(placeholder, value)
            words.append(word)
        return words


def measure(
    command: CommandTemplate, case: str, image: Path, output: Path, limit_s: float, gpu: Gpu | None
) -> dict[str, object]:
    """The case's row of the efficiency table. A case fails if the command does, or leaves no output."""
    output.unlink(missing_ok=True)
    sampler = Sampler(gpu)
    process = _start(command.words_for(case, image, output))
    in_time = False
    try:
        in_time = sampler.follow(process.pid, limit_s, lambda: kill_session(process.pid))
    finally:
        kill_session(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    outcome = TIMED_OUT if not in_time else _outcome(process.returncode, output)
    return efficiency(case, outcome, sampler.samples, usage.ru_utime + usage.ru_stime, limit_s)


def _start(words: list[str]) -> subprocess.Popen:
    try:
        return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=sys.stderr, start_new_session=True)
    except OSError as error:
        raise InputError(
            f"a program that can be started: {words[0]}", str(error), "give its path, or install it"
        ) from error


def _outcome(returncode: int, output: Path) -> str:
    if returncode < 0:
        return f"failed: {signal.Signals(-returncode).name}"
    if returncode > 0:
        return f"{EXITED} {returncode}"
    return SUCCESS if output.exists() else "failed: no output"


def kill_session(pid: int) -> None:
    """End a process that leads a session of its own, and whatever it left running."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
