"""How every command ends: an error that the user can fix without a traceback, a full disk or memory with advice.

And how it ends soon: of all that a process imports, the garbage collector finds nothing to free, but looks for it each
time and twice at the end, with torch for longer than a second.
"""

import gc
import sys
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool

from noisy_student.errors import InputError
from noisy_student.running import oom
from noisy_student.running.disk import NO_SPACE

INPUT_ERROR_STATUS = 2
MEMORY_WORDS = ("allocate memory", "bad_alloc", "bad allocation", "Failed to allocate")
# Of torch where cuDNN has room for none of its ways to convolve. It says so, too, of a GPU that it was not built
# for, which `choose_device` refuses, and where it finds another cuDNN than its own.
NO_ENGINE = "unable to find an engine to execute this computation"
# Of torch, CUDA and NVIDIA's libraries.
GPU_MEMORY_WORDS = ("CUDA out of memory", "CUDA error: out of memory", "STATUS_ALLOC_FAILED", NO_ENGINE)
# Of nnU-Net, about the processes that make its batches.
LOST_WORKER_WORDS = "background workers are no longer alive"
MORE_SPACE = "remedy: make room on the disk and start the run again; what is finished is not done again"
MORE_MEMORY = (
    "remedy: memory ran out. Give the job more (`mem_mb` in profiles/slurm), or let fewer scans be worked on at once "
    "(`--cores`, `set-threads`), and start the run again; what is finished is not done again"
)
MORE_GPU_MEMORY = (
    "remedy: the GPU's memory ran out. Free it of other programs, take a GPU with more, give the network a smaller "
    "`patch_size_zyx` or `batch_size`, or set `device: cpu`, and start the run again; what is finished is not done "
    "again"
)
OTHER_CUDNN = ". If it had room enough: another cuDNN than torch's own may be in the way (`LD_LIBRARY_PATH`)"
LOST_WORKER = (
    "remedy: a worker process crashed (its own words, if it had any, stand above) or was ended from outside, with no "
    "sign that memory ran out. Start the run again; what is finished is not done again. If it ends here again, "
    "`--cores 1` shows at which file"
)


INTERRUPTED = "\ninterrupted: every file that was written is whole; the same command may be given again"


def run(main: Callable[[], None]) -> None:
    """Call `main`; on `InputError` print it to stderr and exit with status 2; on Ctrl-C end by it, in one sentence."""
    gc.freeze()
    kills_before = oom.kills()
    try:
        main()
    except InputError as error:
        print(error, file=sys.stderr)
        sys.exit(INPUT_ERROR_STATUS)
    except KeyboardInterrupt:
        # Shells and Snakemake see whether a process was ended by the signal, so it goes on.
        sys.excepthook = lambda *_: print(INTERRUPTED, file=sys.stderr)
        raise
    except Exception as error:
        if advice := advice_for(error, oom.kills() - kills_before):
            error.add_note(advice)
        raise


def advice_for(error: Exception, kills: int) -> str:
    """What helps against an error that comes of the machine; empty for any other.

    `kills`: processes that the kernel ended meanwhile because memory ran out.
    """
    if isinstance(error, OSError) and error.errno in NO_SPACE:
        return MORE_SPACE
    if lacks_gpu_memory(error):
        return MORE_GPU_MEMORY + (OTHER_CUDNN if NO_ENGINE in str(error) else "")
    if lacks_memory(error):
        return MORE_MEMORY
    if isinstance(error, BrokenProcessPool) or LOST_WORKER_WORDS in str(error):
        return MORE_MEMORY if kills else LOST_WORKER
    return ""


def lacks_memory(error: Exception) -> bool:
    """Whether it was the machine's memory that did not suffice."""
    return isinstance(error, MemoryError) or any(words in str(error) for words in MEMORY_WORDS)


def lacks_gpu_memory(error: Exception) -> bool:
    """Whether it was a GPU's memory that did not suffice."""
    return any(words in str(error) for words in GPU_MEMORY_WORDS)
