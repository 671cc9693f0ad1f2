"""What is done when Snakemake's process exits, and not when one exits that it has forked."""

import atexit
import os
from collections.abc import Callable
from typing import Any


def at_exit_of_this_process(function: Callable[..., object], *arguments: Any) -> None:
    """Call a function when this process exits."""
    process = os.getpid()

    def call() -> None:
        if os.getpid() == process:
            function(*arguments)

    atexit.register(call)
