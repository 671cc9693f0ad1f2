import errno
import gc
import os
import signal
import subprocess
import sys
from concurrent.futures.process import BrokenProcessPool

import pytest

from conftest import ROOT
from noisy_student.command import (
    INTERRUPTED,
    LOST_WORKER,
    MORE_GPU_MEMORY,
    MORE_MEMORY,
    MORE_SPACE,
    OTHER_CUDNN,
    advice_for,
    run,
)
from noisy_student.errors import InputError
from noisy_student.running import oom

SCRIPTS = str(ROOT / "workflow/scripts")


def test_an_input_error_is_printed_and_exits_with_2(capsys):
    def main():
        raise InputError("a folder", "a file", "give the folder")

    with pytest.raises(SystemExit) as exit_info:
        run(main)
    assert exit_info.value.code == 2
    assert capsys.readouterr().err == "wanted: a folder\n   got: a file\nremedy: give the folder\n"


def test_what_was_imported_is_no_garbage_to_look_for():
    gc.unfreeze()
    found = []
    run(lambda: found.append(gc.get_freeze_count()))
    gc.unfreeze()
    assert found[0] > 0


def test_ctrl_c_ends_in_a_sentence_and_by_the_signal():
    code = """
import os, signal, time
from noisy_student.command import run
# A shell's job in the background is started deaf to it.
signal.signal(signal.SIGINT, signal.default_int_handler)
def main():
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(9)
run(main)
"""
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": SCRIPTS}
    )
    assert ended.returncode == -signal.SIGINT and ended.stderr.strip() == INTERRUPTED.strip()


def test_other_errors_keep_their_traceback():
    with pytest.raises(ZeroDivisionError):
        run(lambda: 1 / 0)


def notes_of(error):
    def main():
        raise error

    with pytest.raises(type(error)) as raised:
        run(main)
    return getattr(raised.value, "__notes__", [])


def test_a_full_disk_and_a_full_memory_come_with_advice():
    assert notes_of(OSError(errno.ENOSPC, "No space left on device")) == [MORE_SPACE]
    assert notes_of(MemoryError()) == [MORE_MEMORY]
    assert notes_of(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.")) == [
        MORE_MEMORY
    ]
    assert notes_of(OSError(errno.EIO, "Input/output error")) == []


@pytest.mark.parametrize(
    "said",
    [
        "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 23.68 GiB",
        "CUDA error: out of memory",
        "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
    ],
)
def test_a_gpu_whose_memory_is_full_has_advice_of_its_own(said):
    assert advice_for(RuntimeError(said), 0) == MORE_GPU_MEMORY


@pytest.mark.parametrize("tried", ["FIND", "GET"])
def test_a_gpu_without_room_for_a_convolution_is_one_whose_memory_is_full(tried):
    error = RuntimeError(f"{tried} was unable to find an engine to execute this computation")
    assert advice_for(error, 0) == MORE_GPU_MEMORY + OTHER_CUDNN


LOST = [BrokenProcessPool(), RuntimeError("One or more background workers are no longer alive. Exiting.")]


@pytest.mark.parametrize("error", LOST, ids=["pool", "nnU-Net"])
@pytest.mark.parametrize(("kills", "advice"), [((4, 4), LOST_WORKER), ((4, 5), MORE_MEMORY)])
def test_a_lost_worker_is_laid_on_memory_only_where_the_kernel_killed_for_it(monkeypatch, error, kills, advice):
    counts = iter(kills)
    monkeypatch.setattr(oom, "kills", lambda: next(counts))
    assert advice_for(error, kills[1] - kills[0]) == advice
    assert notes_of(type(error)(*error.args)) == [advice]
