"""Run one function in a process of its own, with limits on time, memory and output.

Files from outside are only ever opened there, so that a hostile or broken one costs one process and not the program.
The function gets and gives JSON, on standard input and output. A `QAError` that it raises is raised again here.
"""

from __future__ import annotations

import functools
import importlib
import json
import logging
import math
import os
import re
import resource
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import IO, Any, TypeAlias

from qa import errors

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"

# `tests` so that the tests can bring targets that misbehave; an installed program has no such package.
_TARGET = re.compile(r"(?:qa|tests)(?:\.[a-z]\w*)+:[a-z]\w*")
# What an interpreter needs to start and to speak UTF-8. Everything else (secrets, proxies) stays outside.
_KEPT_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_STDERR_TAIL = 8_192  # bytes of a crash report that are kept: the end names the error
_CHUNK = 65_536
_EVIDENCE = ("problem", "path", "page", "found", "expected", "remedy")

_log = logging.getLogger(__name__)


def run_limited(target: str, request: JSON, *, seconds: float, memory_bytes: int, output_bytes: int) -> JSON:
    """The value of `target` ("qa.module:function") for `request`, computed in a fresh process.

    `seconds` limits the whole run, starting the process included; `memory_bytes` its address space; `output_bytes`
    its answer as JSON. Paths in `request` should be absolute. May be called from several threads at once.

    Raises what the function raises of the `QAError` tree, `WorkerTimeout`, `WorkerOutputTooLarge`, or
    `WorkerCrashed` for any other end, and `ValueError` for a target outside the package.
    """
    check_target(target)
    process = start_process()
    return finish(process, target, request, seconds=seconds, memory_bytes=memory_bytes, output_bytes=output_bytes)


def start_process(target: str = "") -> subprocess.Popen[bytes]:
    """A process that waits for its one order, with the module of `target` imported; it ends when this one does."""
    if target:
        check_target(target)
    return subprocess.Popen(  # noqa: S603 - a module of ours, and a name that was checked
        [sys.executable, "-P", "-s", "-m", "qa.worker", *([target] if target else [])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=_environment(),
        start_new_session=True,
        bufsize=0,
    )


def finish(
    process: subprocess.Popen[bytes],
    target: str,
    request: JSON,
    *,
    seconds: float,
    memory_bytes: int,
    output_bytes: int,
) -> JSON:
    """Give `process` its order and end it with the answer. `seconds` count from now; otherwise see `run_limited`."""
    order = {"target": target, "request": request, "seconds": seconds, "memory_bytes": memory_bytes}
    try:
        output, crash = _converse(process, json.dumps(order).encode(), target, seconds, output_bytes)
    finally:
        end(process)
    return _answer(target, process.returncode, output, crash, seconds)


def check_target(target: str) -> None:
    """Raise ValueError unless `target` is a public function of this package."""
    if not _TARGET.fullmatch(target):
        raise ValueError(f"a worker runs functions of this package (found {target!r}, expected 'qa.module:function')")


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
    # The child finds the modules that we find; `-P` keeps its working folder out of the search. One thread for
    # number crunching libraries: each further one reserves address space.
    search = os.pathsep.join(os.path.abspath(entry) for entry in sys.path)  # noqa: PTH100 - an entry may be ""
    return kept | {"PYTHONPATH": search, "PYTHONUTF8": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def _converse(
    process: subprocess.Popen[bytes], order: bytes, target: str, seconds: float, output_bytes: int
) -> tuple[bytes, bytes]:
    """Hand in the order and collect (answer, end of standard error) within the limits; the process has ended after."""
    deadline = time.monotonic() + seconds
    stdin, stdout, stderr = (_pipe(process.stdin), _pipe(process.stdout), _pipe(process.stderr))
    output, crash = bytearray(), bytearray()
    os.set_blocking(stdin.fileno(), False)
    with selectors.DefaultSelector() as selector:
        selector.register(stdin, selectors.EVENT_WRITE)
        selector.register(stdout, selectors.EVENT_READ)
        selector.register(stderr, selectors.EVENT_READ)
        while selector.get_map():
            left = deadline - time.monotonic()
            ready = selector.select(left) if left > 0 else []
            if not ready:
                raise _timeout(target, seconds)
            for key, _ in ready:
                if key.fileobj is stdin:
                    order = _write(stdin, order)
                    if not order:
                        selector.unregister(stdin)
                        stdin.close()
                    continue
                chunk = os.read(key.fd, _CHUNK)
                if not chunk:
                    selector.unregister(key.fileobj)
                elif key.fileobj is stdout:
                    output += chunk
                else:
                    crash += chunk
                    del crash[:-_STDERR_TAIL]
            if len(output) > output_bytes:
                raise errors.WorkerOutputTooLarge(
                    f"the worker for {target} answered with too much",
                    found=f"more than {len(output) - 1:,} bytes",
                    expected=f"at most {output_bytes:,} bytes",
                )
    try:
        process.wait(max(deadline - time.monotonic(), 0.1))
    except subprocess.TimeoutExpired as error:
        raise _timeout(target, seconds) from error
    return bytes(output), bytes(crash)


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise RuntimeError("the worker was started without its pipes")
    return pipe


def _write(pipe: IO[bytes], order: bytes) -> bytes:
    """What of `order` is still to be written; nothing once the process no longer listens."""
    try:
        return order[os.write(pipe.fileno(), order[:_CHUNK]) :]
    except BrokenPipeError:
        return b""


def end(process: subprocess.Popen[bytes]) -> None:
    """End the process with everything it started, if it still runs, and close the pipes."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)  # not reaped yet, so the number is still its own
        process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def _answer(target: str, status: int, output: bytes, crash: bytes, seconds: float) -> JSON:
    if status in (-signal.SIGXCPU, -signal.SIGALRM):
        raise _timeout(target, seconds)
    if status != 0:
        raise _crashed(target, _last_words(status, crash))
    try:
        answer = json.loads(output)
    except ValueError as error:
        raise _crashed(target, "an answer that is not JSON") from error
    for limit in answer["refused"]:
        _warn_refused(limit)
    if "error" in answer:
        raise _error(answer["error"])
    value: JSON = answer["value"]
    return value


def _timeout(target: str, seconds: float) -> errors.WorkerTimeout:
    return errors.WorkerTimeout(
        f"the worker for {target} took too long and was ended", expected=f"at most {seconds:g} seconds"
    )


def _crashed(target: str, found: str) -> errors.WorkerCrashed:
    return errors.WorkerCrashed(f"the worker for {target} ended without an answer", found=found)


def _last_words(status: int, crash: bytes) -> str:
    """How the process ended: signal, or exit status with the error's class and place, never its text.

    The text of an error may quote the document, and reports are read by people who may not read every document.
    """
    if status < 0:
        try:
            return f"signal {signal.Signals(-status).name}"
        except ValueError:
            return f"signal {-status}"
    lines = crash.decode("utf-8", "replace").splitlines()
    names = [match[1] for line in lines if (match := re.match(r"([A-Z]\w*(?:\.\w+)*|[a-z]\w*(?:\.\w+)+)(?::|$)", line))]
    places = [match for line in lines if (match := re.match(r'  File ".*?([^/\\"]+)", line (\d+)', line))]
    found = names[-1] if names else f"exit status {status}"
    return f"{found} at {places[-1][1]}, line {places[-1][2]}" if names and places else found


@functools.cache
def _warn_refused(limit: str) -> None:
    """Say once a run which limit the system does not know (macOS has no limit on address space)."""
    _log.warning("This system refuses a limit on %s; workers run without it, the other limits hold.", limit)


def _error(evidence: dict[str, Any]) -> errors.QAError:
    kind = getattr(errors, evidence.pop("class"), None)
    if not (isinstance(kind, type) and issubclass(kind, errors.QAError)):
        kind = errors.QAError
    error: errors.QAError = kind(evidence.pop("problem"), **evidence)
    return error


def _limit(seconds: float, memory_bytes: int) -> list[str]:
    """Set the limits of this process; gives the names of those that the system refuses."""
    refused = []
    cpu = math.ceil(time.process_time() + seconds) + 1
    for name, kind, amount in (
        ("memory", resource.RLIMIT_AS, memory_bytes),
        ("processor time", resource.RLIMIT_CPU, cpu),
        ("files written", resource.RLIMIT_FSIZE, 0),
        ("core dumps", resource.RLIMIT_CORE, 0),
    ):
        try:
            _, hard = resource.getrlimit(kind)
            lowered = amount if hard == resource.RLIM_INFINITY else min(amount, hard)
            resource.setrlimit(kind, (lowered, lowered))
        except (ValueError, OSError):
            refused.append(name)
    # Should the parent die, nobody else would end a process that only waits.
    signal.setitimer(signal.ITIMER_REAL, seconds + 1)
    return refused


def _function(target: str) -> Callable[[JSON], JSON]:
    """The function that a target names. Its module is imported, whatever that costs."""
    check_target(target)
    module, function = target.split(":")
    found: Callable[[JSON], JSON] = getattr(importlib.import_module(module), function)
    return found


def main() -> None:
    """The child: one order from standard input, one answer to standard output."""
    # What the function prints must not mix with the answer.
    with os.fdopen(os.dup(1), "wb") as stdout:
        os.dup2(2, 1)
        for target in sys.argv[1:]:
            _function(target)
        given = sys.stdin.buffer.read()
        if not given:
            return  # whoever started this process needs it no more, or is gone
        order = json.loads(given)
        # Imported before the limits: it is our own code, and Python may want to write its byte code.
        call = _function(order["target"])
        refused = _limit(order["seconds"], order["memory_bytes"])
        answer: dict[str, JSON] = {"refused": [*refused]}
        try:
            answer["value"] = call(order["request"])
        except errors.QAError as error:
            answer["error"] = {"class": type(error).__name__} | {name: getattr(error, name) for name in _EVIDENCE}
        for chunk in json.JSONEncoder().iterencode(answer):
            stdout.write(chunk.encode())


if __name__ == "__main__":
    main()
    os._exit(0)  # the answer is given, and somebody waits for the end: taking everything apart would only take time
