"""The limited process: what it gives back, and how each limit ends it."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from qa.errors import EmptyDocument, WorkerCrashed, WorkerOutputTooLarge, WorkerTimeout
from qa.worker import run_limited


@pytest.fixture(autouse=True)
def targets_importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker finds `tests.worker_targets` from wherever the tests were started."""
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parent.parent))


def run(name: str, request: Any = None, *, seconds: float = 20, memory: int = 2**28, output: int = 100_000) -> Any:
    """Run one of the test targets."""
    return run_limited(
        f"tests.worker_targets:{name}", request, seconds=seconds, memory_bytes=memory, output_bytes=output
    )


def test_returns_the_value() -> None:
    """JSON values go in and come out unchanged."""
    value = {"text": "ﬁve – “ü”\u0000\ud800", "numbers": [1, 2.5, None, True]}
    assert run("echo", value) == value


def test_carries_a_large_request() -> None:
    """A request beyond what a pipe holds at once arrives whole."""
    assert len(run("echo", "x" * 1_000_000, output=1_100_000)) == 1_000_000


@pytest.mark.parametrize(
    "target", ["os:system", "os.path:join", "qa:x", "qa.worker:_limit", "qa.worker", "tests.a:b:c", "qa..x:y", ""]
)
def test_refuses_targets_outside_the_package(target: str) -> None:
    """Only public functions in modules of the package can be run."""
    with pytest.raises(ValueError, match="a worker runs functions of this package"):
        run_limited(target, None, seconds=1, memory_bytes=2**28, output_bytes=10)


def test_raises_the_same_error_again() -> None:
    """An error of our tree arrives as the same class with the same evidence."""
    with pytest.raises(EmptyDocument) as caught:
        run("complain")
    error = caught.value
    assert type(error) is EmptyDocument
    assert (error.path, error.page, error.found, error.expected) == ("a/b.pdf", 3, "0 bytes", "text")
    assert str(error) == "a/b.pdf, page 3: nothing in it (found 0 bytes, expected text). Look."


def test_summarises_a_crash_without_its_text() -> None:
    """Another error becomes a crash that names class and place, and none of the error's own words."""
    with pytest.raises(WorkerCrashed) as caught:
        run("leak", "Jane Doe, born 1970")
    assert caught.value.found is not None
    assert caught.value.found.startswith("RuntimeError at worker_targets.py, line ")
    assert "Jane" not in str(caught.value)


def test_printing_does_not_disturb_the_answer() -> None:
    """What a function prints, or writes to standard error without end, stays apart from its value."""
    assert run("chatter") == "answer"


@pytest.mark.parametrize(("name", "request_"), [("sleep", 60), ("spin", None)])
def test_ends_after_the_time_limit(name: str, request_: Any) -> None:
    """A function that waits or computes too long is ended, soon after its limit."""
    started = time.monotonic()
    with pytest.raises(WorkerTimeout) as caught:
        run(name, request_, seconds=0.7)
    assert time.monotonic() - started < 5
    assert caught.value.expected == "at most 0.7 seconds"


def test_ends_what_the_function_started(tmp_path: Path) -> None:
    """The process's own children end with it."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    pids: list[int] = []
    listener = threading.Thread(target=lambda: pids.append(int(pipe.read_text("ascii"))))
    listener.start()
    with pytest.raises(WorkerTimeout):
        run("sleep_with_child", str(pipe), seconds=2)
    listener.join(5)
    deadline = time.monotonic() + 5
    while _runs(pids[0]) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(pids[0])


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:  # a process that has ended but that nobody has waited for is still listed, as a zombie
        state = Path(f"/proc/{pid}/stat").read_text("ascii").rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.skipif(os.uname().sysname == "Darwin", reason="macOS refuses a limit on address space")
def test_ends_at_the_memory_limit() -> None:
    """More memory than the limit is a crash that says so."""
    with pytest.raises(WorkerCrashed) as caught:
        run("memory_bomb")
    assert caught.value.found is not None
    assert caught.value.found.startswith("MemoryError")


def test_ends_at_the_output_limit() -> None:
    """An answer over the limit is cut off while it is read."""
    with pytest.raises(WorkerOutputTooLarge) as caught:
        run("output_bomb", 50_000_000, output=1_000)
    assert caught.value.expected == "at most 1,000 bytes"


def test_reports_a_signal() -> None:
    """A process that dies of a signal is a crash that names the signal."""
    with pytest.raises(WorkerCrashed) as caught:
        run("segfault")
    assert caught.value.found == "signal SIGSEGV"


@pytest.mark.parametrize(("status", "found"), [(0, "an answer that is not JSON"), (3, "exit status 3")])
def test_reports_an_end_without_an_answer(status: int, found: str) -> None:
    """A process that leaves without an answer is a crash, also when it claims success."""
    with pytest.raises(WorkerCrashed) as caught:
        run("leave", status)
    assert caught.value.found == found


def test_cannot_write_files(tmp_path: Path) -> None:
    """A worker reads: a file that it writes stays empty and the run fails."""
    with pytest.raises(WorkerCrashed) as caught:
        run("write_file", str(tmp_path / "out.txt"))
    assert caught.value.found is not None
    assert caught.value.found.startswith("OSError")
    assert (tmp_path / "out.txt").read_bytes() == b""


def test_is_a_bare_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process has its own group, no core dumps, no secrets of ours, and no heavy library."""
    monkeypatch.setenv("CLINIC_QA_SECRET", "hush")
    facts = run("process_facts")
    assert "CLINIC_QA_SECRET" not in facts["environment"]
    assert "HTTPS_PROXY" not in facts["environment"]
    assert facts["group"] != os.getpgrp()
    assert facts["core"] == 0
    assert not {"torch", "numpy", "streamlit", "faiss", "pypdf"} & set(facts["modules"])


def test_serves_several_threads() -> None:
    """Calls from several threads at once each get their own answer."""
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda number: run("echo", number), range(8))) == list(range(8))
