"""Functions that the worker runs in its tests: one for each way to end."""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from qa.errors import EmptyDocument


def echo(request: Any) -> Any:
    """The request."""
    return request


def process_facts(_: Any) -> dict[str, Any]:
    """What the process knows and may do."""
    return {
        "environment": sorted(os.environ),
        "modules": sorted(sys.modules),
        "group": os.getpgrp(),
        "core": resource.getrlimit(resource.RLIMIT_CORE)[0],
    }


def complain(_: Any) -> None:
    """An error with all its evidence."""
    raise EmptyDocument("nothing in it", path="a/b.pdf", page=3, found="0 bytes", expected="text", remedy="Look.")


def leak(secret: str) -> None:
    """An error whose text must not be passed on."""
    raise RuntimeError(secret)


def chatter(_: Any) -> str:
    """Print, then answer."""
    print("hello")  # noqa: T201 - the test is about printing
    sys.stderr.write("x" * 1_000_000)
    return "answer"


def sleep(seconds: float) -> None:
    """Wait."""
    time.sleep(seconds)


def spin(_: Any) -> None:
    """Compute forever."""
    while True:
        pass


def sleep_with_child(path: str) -> None:
    """Start a process, write its id where the limits allow it (a pipe), and wait with it."""
    child = subprocess.Popen(["sleep", "60"])
    with Path(path).open("w", encoding="ascii") as pipe:
        pipe.write(str(child.pid))
    time.sleep(60)


def memory_bomb(_: Any) -> int:
    """Ask for a gibibyte."""
    return len(bytearray(2**30))


def output_bomb(size: int) -> str:
    """Answer with `size` characters."""
    return "x" * size


def segfault(_: Any) -> None:
    """Read where nothing is."""
    ctypes.string_at(0)


def write_file(path: str) -> None:
    """Write a file."""
    Path(path).write_text("data", encoding="utf-8")


def leave(status: int) -> None:
    """End at once."""
    os._exit(status)
