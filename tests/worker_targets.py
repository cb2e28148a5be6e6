"""Functions that the worker runs in its tests: one for each way to end."""

from __future__ import annotations

import base64
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


def identify(_: Any) -> int:
    """Which process this is."""
    return os.getpid()


def draw(request: Any) -> dict[str, Any]:
    """A page that says its own number, or comes to harm for that: 2 crashes, 3 hangs, 4 takes too much memory."""
    page = request["page"]
    if page == 2:
        segfault(None)
    elif page == 3:
        sleep(60)
    elif page == 4:
        memory_bomb(None)
    image = base64.b64encode(f"page {page}".encode()).decode("ascii")
    return {"media_type": "image/png", "width": 1, "height": 1, "image": image}


def leave(status: int) -> None:
    """End at once."""
    os._exit(status)


def recognise(request: Any) -> dict[str, Any]:
    """Stands for recognising a page: the second crashes, the third hangs, the others have one word."""
    if request["page"] == 2:
        os.abort()
    if request["page"] == 3:
        time.sleep(60)
    word = [f"page-{request['page']}", 0.1, 0.1, 0.2, 0.15, 0.99, 0]
    return {"words": [word], "lines": 1, "lines_left_out": 0}
