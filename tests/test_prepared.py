"""Limited processes that are ready before they are needed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from qa.errors import WorkerBusy, WorkerCrashed, WorkerTimeout
from qa.prepared import Prepared

PROJECT = Path(__file__).resolve().parent.parent


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Prepared]]:
    """Prepared workers for one of the test targets, closed in the end."""
    monkeypatch.syspath_prepend(str(PROJECT))
    made = []

    def prepared(name: str, *, seconds: float = 20, at_once: int = 2, longest_wait: float = 20) -> Prepared:
        worker = Prepared(
            f"tests.worker_targets:{name}",
            seconds=seconds,
            memory_bytes=2**28,
            output_bytes=100_000,
            at_once=at_once,
            longest_wait=longest_wait,
        )
        made.append(worker)
        return worker

    yield prepared
    for worker in made:
        worker.close()


def spare_of(worker: Prepared) -> int:
    """The id of the spare process, once there is one."""
    deadline = time.monotonic() + 10
    while worker._spare is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert worker._spare is not None
    return worker._spare.pid


def is_gone(pid: int) -> bool:
    """Whether a process ends within a few seconds."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text("ascii").rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def test_each_order_has_a_process_of_its_own(make: Callable[..., Prepared]) -> None:
    """The spare process takes the next order and no other; another spare takes its place."""
    worker = make("identify")
    worker.prepare()
    first, second = spare_of(worker), 0
    assert worker.run(None) == first
    assert is_gone(first)
    second = spare_of(worker)
    assert second != first
    assert worker.run(None) == second


def test_works_without_a_spare(make: Callable[..., Prepared]) -> None:
    """The first order needs no preparation."""
    assert make("echo").run({"a": [1]}) == {"a": [1]}


def test_waiting_does_not_count(make: Callable[..., Prepared]) -> None:
    """A spare process that has waited longer than the limit still has all its time."""
    worker = make("sleep", seconds=1.5)
    worker.prepare()
    spare_of(worker)
    time.sleep(3)
    assert worker.run(0.5) is None


@pytest.mark.parametrize(
    ("name", "request_", "error"),
    [("sleep", 60, WorkerTimeout), ("segfault", None, WorkerCrashed), ("memory_bomb", None, WorkerCrashed)],
)
def test_harm_is_done_to_one_order(
    make: Callable[..., Prepared], name: str, request_: object, error: type[Exception]
) -> None:
    """A hang, a crash and too much memory end one process; the spare one is another and waits."""
    worker = make(name, seconds=1)
    with pytest.raises(error):
        worker.run(request_)
    assert not is_dead(spare_of(worker))


def is_dead(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_dead_spare_is_replaced(make: Callable[..., Prepared]) -> None:
    """A spare process that died while it waited costs nobody an answer."""
    worker = make("echo")
    worker.prepare()
    spare = spare_of(worker)
    os.kill(spare, signal.SIGKILL)
    assert is_gone(spare)
    assert worker.run("still here") == "still here"


def test_others_wait_for_their_turn(make: Callable[..., Prepared]) -> None:
    """More orders than may run at once are all answered, each with its own value."""
    worker = make("echo")
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(worker.run, range(6))) == list(range(6))


def test_nobody_waits_for_ever(make: Callable[..., Prepared]) -> None:
    """Where no process comes free in time, the order fails and says so."""
    worker = make("sleep", at_once=1, longest_wait=0.2)
    busy = threading.Thread(target=worker.run, args=(2,))
    busy.start()
    time.sleep(0.3)
    with pytest.raises(WorkerBusy) as caught:
        worker.run(0)
    assert caught.value.expected == "one to come free within 0.2 seconds"
    busy.join()
    assert worker.run(0) is None


def test_close_ends_the_spare(make: Callable[..., Prepared]) -> None:
    """After `close` no process waits, and none is started for later."""
    worker = make("echo")
    worker.prepare()
    spare = spare_of(worker)
    worker.close()
    assert is_gone(spare)
    worker.prepare()
    assert worker.run(1) == 1
    assert worker._spare is None


def test_a_spare_ends_with_its_program() -> None:
    """A program that is killed leaves no process behind."""
    code = (
        "import time; from qa.prepared import Prepared\n"
        "worker = Prepared('tests.worker_targets:echo', seconds=9, memory_bytes=2**28, output_bytes=99)\n"
        "worker.prepare()\n"
        "while worker._spare is None: time.sleep(0.01)\n"
        "print(worker._spare.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=PROJECT, stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        spare = int(program.stdout.readline())
        program.kill()
    assert is_gone(spare)


def test_refuses_targets_outside_the_package() -> None:
    """Only public functions in modules of the package can be run."""
    with pytest.raises(ValueError, match="a worker runs functions of this package"):
        Prepared("os:system", seconds=1, memory_bytes=2**28, output_bytes=10)
