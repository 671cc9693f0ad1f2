"""Work in the background that costs next to nothing: after each piece it rests many times as long as that took."""

import sys
import threading
import time
from collections.abc import Callable

# Of one core, so at most half a percent of the time in which a run uses at least one.
REST = 200
LONGEST_SECONDS = 20.0
PATIENCE_SECONDS = 10.0


class Beat(threading.Thread):
    """Calls `work` soon after each `wake`, and else every `LONGEST_SECONDS`, but for its rests.

    An error of the work is said once, in one line, and ends nothing.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], object],
        patience: float = PATIENCE_SECONDS,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        super().__init__(name=name, daemon=True)
        self.work, self.patience, self.clock = work, patience, clock
        self.took = 0.0
        self.woken, self.over, self.turn = threading.Event(), threading.Event(), threading.Lock()
        self.has_failed = False

    def wake(self) -> None:
        """There is something new."""
        self.woken.set()

    def run(self) -> None:
        """Work and rest until `end`."""
        while not self.over.is_set():
            self.once()
            self.over.wait(REST * self.took)
            self.woken.wait(LONGEST_SECONDS)
            self.woken.clear()

    def once(self) -> None:
        """Work now, whatever comes of it."""
        with self.turn:
            start = self.clock()
            try:
                self.work()
            except Exception as error:
                self.tell(error)
            self.took = self.clock() - start

    def end(self) -> None:
        """Let it go after a last piece of work."""
        self.over.set()
        self.wake()
        self.join(self.patience)
        if not self.is_alive():
            self.once()

    def tell(self, error: Exception) -> None:
        """Say once what went wrong."""
        if not self.has_failed:
            self.has_failed = True
            reason = " ".join(str(error).split()) or type(error).__name__
            print(f"warning: {self.name}: {reason}; the run goes on", file=sys.stderr, flush=True)
