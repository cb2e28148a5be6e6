"""Limited processes for orders that people wait for: the next one has started before it is needed.

Starting Python and importing a library takes longer than many an order. Each process still takes one order and ends,
so that what a hostile file does to it cannot reach the next one.
"""

from __future__ import annotations

import logging
import subprocess
import threading
from typing import Final

from qa.errors import WorkerBusy, WorkerCrashed
from qa.worker import JSON, check_target, end, finish, start_process

_LONGEST_WAIT: Final = 5.0  # seconds that an order waits for its turn
_AT_ONCE: Final = 2

_log = logging.getLogger(__name__)


class Prepared:
    """Runs one function in limited processes, at most `at_once` of them; others wait up to `longest_wait` seconds.

    One spare process, which has imported the function's module, waits for the next order; it holds memory of its own
    (25 MB for drawing pages) and no processor. It is first started by `prepare` or after the first order, and
    ends with this program, however that ends. Safe to use from several threads.
    """

    def __init__(
        self,
        target: str,
        *,
        seconds: float,
        memory_bytes: int,
        output_bytes: int,
        at_once: int = _AT_ONCE,
        longest_wait: float = _LONGEST_WAIT,
    ) -> None:
        check_target(target)
        self._target = target
        self._seconds = seconds
        self._memory_bytes = memory_bytes
        self._output_bytes = output_bytes
        self._longest_wait = longest_wait
        self._turns = threading.BoundedSemaphore(at_once)
        self._spare: subprocess.Popen[bytes] | None = None
        self._changing = threading.Lock()
        self._is_closed = False

    def prepare(self) -> None:
        """Have a spare process ready soon, where there is none. Comes back at once."""
        if self._spare is None and not self._is_closed:
            threading.Thread(target=self._start_spare, name="prepare", daemon=True).start()

    def run(self, request: JSON) -> JSON:
        """The function's value for `request`; `seconds` count from the moment at which a process gets the order.

        Raises what `run_limited` raises, and WorkerBusy where no process came free in time.
        """
        if not self._turns.acquire(timeout=self._longest_wait):
            raise WorkerBusy(
                f"the workers for {self._target} are all busy",
                expected=f"one to come free within {self._longest_wait:g} seconds",
            )
        try:
            return finish(
                self._taken(),
                self._target,
                request,
                seconds=self._seconds,
                memory_bytes=self._memory_bytes,
                output_bytes=self._output_bytes,
            )
        finally:
            self._turns.release()
            self.prepare()  # only now: starting it would take the processor from the order

    def close(self) -> None:
        """End the spare process, and start no other. Orders that are under way go on; new ones still get a process."""
        with self._changing:
            self._is_closed = True
            spare, self._spare = self._spare, None
        if spare is not None:
            end(spare)

    def _taken(self) -> subprocess.Popen[bytes]:
        """The spare process, or a fresh one where there is none or it has died while it waited."""
        with self._changing:
            spare, self._spare = self._spare, None
        if spare is not None:
            if spare.poll() is None:
                return spare
            end(spare)
        try:
            return start_process(self._target)
        except OSError as error:
            raise WorkerCrashed(
                f"no worker for {self._target} could be started", found=error.strerror or type(error).__name__
            ) from error

    def _start_spare(self) -> None:
        """Start the spare process unless another thread was quicker."""
        with self._changing:
            if self._spare is not None or self._is_closed:
                return
            try:
                self._spare = start_process(self._target)
            except OSError as error:
                _log.warning("No spare worker for %s could be started: %s", self._target, error.strerror)
