"""How every command ends: an error that the user can fix without a traceback, a full disk or memory with advice."""

import errno
import sys
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool

from noisy_student.errors import InputError

INPUT_ERROR_STATUS = 2
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
MEMORY_WORDS = ("allocate memory", "bad_alloc", "bad allocation", "Failed to allocate")
MORE_SPACE = "remedy: make room on the disk and start the run again; what is finished is not done again"
MORE_MEMORY = (
    "remedy: memory ran out, most likely. Give the job more (`mem_mb` in profiles/slurm), or let fewer scans be worked "
    "on at once (`--cores`, `set-threads`), and start the run again; what is finished is not done again"
)


def run(main: Callable[[], None]) -> None:
    """Call `main`; on `InputError` print it to stderr and exit with status 2."""
    try:
        main()
    except InputError as error:
        print(error, file=sys.stderr)
        sys.exit(INPUT_ERROR_STATUS)
    except Exception as error:
        if advice := advice_for(error):
            error.add_note(advice)
        raise


def advice_for(error: Exception) -> str:
    """What helps against an error that comes of the machine; empty for any other."""
    if isinstance(error, OSError) and error.errno in NO_SPACE:
        return MORE_SPACE
    if isinstance(error, (MemoryError, BrokenProcessPool)) or any(words in str(error) for words in MEMORY_WORDS):
        return MORE_MEMORY
    return ""
