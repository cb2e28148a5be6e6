"""The real app as a process of its own, in a home of its own: what it writes anywhere lies below one folder."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
_THREADS = "CLINIC_QA_MODEL__THREADS"  # a busy machine wants one
START_SECONDS = 300


@dataclass(frozen=True)
class App:
    """A running app. `log` is a file with all that it wrote."""

    url: str
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])


def home_of(folder: Path) -> dict[str, str]:
    """An environment whose home, state, temporary files and index lie below `folder`."""
    places = {name: folder / name for name in ("home", "tmp", "state", "cache", "index")}
    for place in places.values():
        place.mkdir(mode=0o700, exist_ok=True)
    return {
        **{name: value for name, value in os.environ.items() if name == _THREADS or not name.startswith("CLINIC_QA_")},
        "HOME": str(places["home"]),
        "TMPDIR": str(places["tmp"]),
        "XDG_STATE_HOME": str(places["state"]),
        "XDG_CACHE_HOME": str(places["cache"]),
        "CLINIC_QA_SETTINGS": str(Path(__file__).with_name("clinic.toml")),
        "CLINIC_QA_INDEX__FOLDER": str(places["index"]),
        "CLINIC_QA_CORPUS__FOLDER": str(folder / "corpus"),
    }


@contextmanager
def running(folder: Path, extra: Mapping[str, str] | None = None, script: Path = ROOT / "app.py") -> Iterator[App]:
    """The app on a free port until the tests are done with it; its log grows from one start to the next."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = folder / "server.log"
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port)]
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*command, "--server.headless", "true"],
            cwd=ROOT,
            env={**home_of(folder), **(extra or {})},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    app = App(f"http://localhost:{port}", log, process)
    try:
        wait_until(lambda: process.poll() is not None or _healthy(app.url))
        assert process.poll() is None, log.read_text()
        yield app
    finally:
        process.terminate()
        process.wait(timeout=30)


def command(folder: Path, *arguments: str, typed: str = "", extra: Mapping[str, str] | None = None) -> str:
    """What `clinic-qa` with these arguments prints, and says besides; whatever its exit code."""
    done = subprocess.run(
        [sys.executable, "-m", "qa", *arguments],
        cwd=ROOT,
        env={**home_of(folder), **(extra or {})},
        input=typed,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )
    return done.stdout


def few_documents(folder: Path) -> None:
    """Some of the sample clinic's documents, for patients and for staff, as the corpus of this home: quickly built."""
    for name in ("patient/faq.md", "patient/first-visit.docx", "staff/emergency-protocol.md", "staff/refunds.md"):
        place = folder / "corpus" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        for file in (ROOT / "corpus" / name).parent.glob(f"{place.name}*"):
            shutil.copy(file, place.parent)


def copy_home(source: Path, folder: Path) -> None:
    """Corpus and index of another home, as they stand."""
    for name in ("corpus", "index"):
        shutil.copytree(source / name, folder / name)


def wait_until(reached: Callable[[], bool], seconds: float = START_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.1)


def _healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_stcore/health", timeout=5) as response:  # noqa: S310 - our own server
            return response.status == 200
    except OSError:
        return False
