"""The real app, with the real model over the sample corpus and a few planted documents, and browsers that visit it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
from filelock import FileLock
from served import ROOT, copy_home, home_of, running, wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SETTINGS = {
    "CLINIC_QA_SETTINGS": str(Path(__file__).with_name("clinic.toml")),
    # These tests ask as often as they like.
    "CLINIC_QA_LIMITS__QUESTIONS_PER_MINUTE": "10000",
    "CLINIC_QA_LIMITS__QUESTIONS_PER_MINUTE_AND_ADDRESS": "10000",
    "CLINIC_QA_LIMITS__PAGES_PER_MINUTE_AND_ADDRESS": "10000",
}
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
START_SECONDS = 300
WAIT_MS = 60_000
PHONE, DESKTOP = (390, 844), (1280, 900)
STAFF_ONLY = "Marmalade zeppelin refunds are offered without asking."
OVERDUE = "Wallaby forms are kept in the green cabinet."
HOSTILE = (
    "Quokka visits: <img src='https://images.example/a.png' onerror='alert(1)'> <b>bold</b> **stars** "
    "![picture](https://images.example/b.png) [link](https://links.example)."
)

IN_BROWSER = [
    pytest.mark.browser,
    pytest.mark.model,
    # Where tests must count, such as in CI, a missing browser fails instead.
    pytest.mark.skipif(CHROMIUM is None and os.environ.get("CI") != "true", reason="Chromium is not installed"),
]


@dataclass(frozen=True)
class Server:
    """An app over the documents in `corpus`; all else that it has lies in `folder`."""

    url: str
    folder: Path
    corpus: Path

    @property
    def log(self) -> Path:
        """A file with all that it wrote."""
        return self.folder / "server.log"

    @property
    def index(self) -> Path:
        return self.folder / "index"

    @property
    def environment(self) -> dict[str, str]:
        """What tells the app, and every command, where everything is."""
        folders = {"corpus": self.corpus, "index": self.index, "state": self.folder / "state"}
        named = {f"CLINIC_QA_{name.upper()}__FOLDER": str(folder) for name, folder in folders.items()}
        return {**home_of(self.folder), **SETTINGS, **named}

    def build(self) -> None:
        """Publish a generation over the documents."""
        process = self.start_build()
        output, _ = process.communicate(timeout=START_SECONDS)
        assert process.returncode == 0, output.decode()

    def start_build(self) -> subprocess.Popen[bytes]:
        """Begin to build over the documents, in a process group of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "qa", "build"],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    @property
    def live(self) -> str:
        """The generation that the pointer names."""
        return (self.index / "current").read_text()


@contextmanager
def serve(folder: Path, corpus: Path) -> Iterator[Server]:
    """The app on a free port, over these documents and the index in `folder`, until the tests are done with it."""
    with running(folder, Server("", folder, corpus).environment) as app:
        yield Server(app.url, folder, corpus)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the index over the sample corpus, for copying; built once, whichever module asks first.

    A sentence is planted among the staff's documents, and a hostile one among the patients'.
    """
    base = tmp_path_factory.getbasetemp()
    # Processes that share the tests have folders of their own below one.
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "built"
    with FileLock(folder.with_suffix(".lock")):
        if not folder.exists():
            _build_into(folder)
    return folder


def _build_into(folder: Path) -> None:
    corpus = folder / "corpus"
    shutil.copytree(ROOT / "corpus", corpus)
    labels = "---\ntitle: {}\naudience: {}\nstatus: approved\napproved_by: Test\napproved_on: 2026-01-01\n"
    labels += "review_by: 2040-01-01\n---\n\n"
    (corpus / "staff" / "planted.md").write_text(labels.format("Planted", "staff") + STAFF_ONLY)
    overdue = labels.format("Forms", "staff").replace("2040", "2020")
    (corpus / "staff" / "overdue.md").write_text(overdue + OVERDUE)
    (corpus / "patient" / "hostile.txt").write_text(HOSTILE + " Quokka visits happen on Tuesdays at the clinic.\n")
    label = labels.format("'<u>Quokka</u> guide'", "patient").strip("-\n") + "\n"
    (corpus / "patient" / "hostile.txt.yaml").write_text(label)
    Server("", folder, corpus).build()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, built: Path) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    copy_home(built, folder)
    with serve(folder, folder / "corpus") as server:
        yield server


@pytest.fixture(scope="module")  # no longer: while Playwright runs, no other test can have an event loop
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    assert CHROMIUM is not None, "these tests need Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


class Visit:
    """One visitor's browser window, which notes what goes wrong in it and what it asks for."""

    def __init__(
        self, browser: Browser, server: Server, size: tuple[int, int], scheme: Literal["light", "dark"] = "light"
    ) -> None:
        self.server = server
        self.context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(WAIT_MS)
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda line: self.complaints.append(line.text) if line.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.context.on("request", lambda request: self.requests.append(request.url))
        self.page.on("websocket", lambda channel: self.requests.append(channel.url))
        self.page.goto(server.url)
        self.box.wait_for()

    @property
    def box(self):  # noqa: ANN201 - Playwright's own type
        return self.page.get_by_role("textbox", name="What would you like to know?")

    def until(self, holds: str) -> None:
        """Wait until this JavaScript holds. Playwright's own waiting is stopped by the page's security policy."""
        wait_until(lambda: bool(self.page.evaluate(holds)))

    def ask(self, question: str) -> str:
        """Type, press the button, and give the reply's text."""
        last = self.page.locator("[data-reply]")
        number = int(last.get_attribute("data-reply") or 0) if last.count() else 0
        self.box.fill(question)
        self.page.get_by_role("button", name="Find the answer").click()
        reply = self.page.locator(f"[data-reply='{number + 1}']")
        reply.wait_for()
        return reply.inner_text()

    def ask_until(self, question: str, said: str) -> None:
        """Ask again and again, until the reply says it."""
        wait_until(lambda: said in self.ask(question))

    def clear(self) -> None:
        self.page.get_by_role("button", name="Clear everything").click()
        self.page.get_by_role("heading", name="People often ask about").wait_for()


@pytest.fixture
def visit(browser: Browser, server: Server) -> Iterator[Visit]:
    visit = Visit(browser, server, DESKTOP)
    yield visit
    visit.context.close()
