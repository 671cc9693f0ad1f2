"""Ends a run at a chosen moment: Python imports this when it starts, if this folder is on PYTHONPATH.

The moment is a file's rename from its temporary name to its own, in the script and with the words of FAULT: then the
temporary file is cut in half, as if the process had been ended while it wrote, and a signal is sent.
"""

import fnmatch
import itertools
import json
import os
import threading
from pathlib import Path

FAULT = json.loads(os.environ.get("FAULT", "{}"))


def _words(process: int) -> list[str]:
    return Path(f"/proc/{process}/cmdline").read_bytes().decode(errors="replace").split("\0")


def _strike() -> None:
    number = os.getpid() if FAULT["whom"] == "job" else -os.getpgid(0)
    os.kill(number, FAULT["signal"])
    # A signal to a process itself may take a moment; nothing is to be renamed meanwhile.
    threading.Event().wait(60)


def _watched(replace):
    count = itertools.count(1)

    def watched(self: Path, target: Path) -> Path:
        if not fnmatch.fnmatch(str(target), f"*{FAULT['file']}") or next(count) != FAULT["count"]:
            return replace(self, target)
        if not FAULT["delay_s"]:
            os.truncate(self, self.stat().st_size // 2)
            _strike()
        threading.Timer(FAULT["delay_s"], _strike).start()
        return replace(self, target)

    return watched


# The script's own process, or a worker of its pool.
if FAULT and any(word.endswith(FAULT["script"]) for number in (os.getpid(), os.getppid()) for word in _words(number)):
    Path.replace = _watched(Path.replace)
