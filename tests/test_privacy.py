"""What people type is nowhere but in memory: planted, asked in every way there is, and searched for in every file."""

from __future__ import annotations

import base64
import json
import os
import random
import re
import signal
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browsing import DESKTOP, IN_BROWSER, Visit, browser
from protocol import Visitor, pressed, typed
from served import App, command, copy_home, few_documents, running, wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["browser"]  # a fixture

pytestmark = pytest.mark.model

PASSWORD = "Zyqanthor-password-217"  # noqa: S105 - invented
NOISY = {
    "STREAMLIT_LOGGER_LEVEL": "debug",
    "PYTHONFAULTHANDLER": "1",
    "CLINIC_QA_LIMITS__QUESTIONS_PER_MINUTE": "25",
}
ASKED = (
    "My name is {}, born {}. Can I drive home after the infusion? Call {} or write to {}.",
    "Does ketamine help {} ({}, {}, {}) with anxiety?",
    "{} {} {} {}",
    "Me llamo {}, nací el {}, teléfono {}, correo {}. ¿Puedo conducir después de la infusión?",
    "I am {}, born {}, {}, {}, and I want to kill myself",
    "{} (born {}, {}, {}) took all the pills and does not wake up",
    "I am {}, {}, {}, {}: should I take a double dose tonight?",
    "{}; {}; {}; {}; " + "and then my aunt asked about the weather. " * 120,
    "<script>{}</script> %s {{0}} \\ud800 {} {} {}",
    "What does the first visit of {} cost, {}, {}, {}?",
)


def planted() -> list[tuple[str, str, str, str]]:
    """Fifty people who do not exist: a name, a birth date, a telephone number and an e-mail address of each."""
    drawn = random.Random(217)  # noqa: S311 - not for secrets
    first = ["Zyqor", "Wuxlen", "Qivra", "Oxbrin", "Jyzel", "Vuqita", "Kwzimir", "Xandhyr", "Yqsolde", "Tzaviq"]
    last = ["Hvastjuk", "Oqsbrand", "Zwenkholt", "Mvexley", "Qarrvundt"]
    people = []
    for number, (given, family) in enumerate((given, family) for given in first for family in last):
        born = f"{drawn.randint(1, 12):02}/{drawn.randint(1, 28):02}/{1931 + number}"
        phone, mail = f"217-555-01{number:02}", f"{given}.{family}{number}@mail.example"
        people.append((f"{given} {family}", born, phone, mail.lower()))
    return people


PEOPLE = planted()
PLANTS = [plant for person in PEOPLE for plant in person]


def forms(text: str) -> set[bytes]:
    """The bytes as which a text may stand in a file."""
    raw = text.encode()
    found = {raw, text.encode("utf-16-le"), text.encode("utf-16-be"), raw.hex().encode(), raw.hex(" ").encode()}
    found |= {urllib.parse.quote(text, safe="").encode(), urllib.parse.quote_plus(text).encode()}
    found |= {urllib.parse.quote(text).encode(), json.dumps(text).strip('"').encode(), text.upper().encode()}
    for shift in range(3):  # base64 of a longer text in which it stands
        whole = base64.b64encode(b"\0" * shift + raw)
        found.add(whole[(shift * 8 + 5) // 6 : (shift + len(raw)) * 8 // 6])
    return {form for form in found if len(form) > 7}


FORMS = {form: text for text in (*PLANTS, PASSWORD) for form in forms(text)}


def files_below(*folders: Path) -> Iterator[tuple[Path, bytes]]:
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and not path.is_symlink():
                yield path, path.read_bytes()


def found_in(content: bytes) -> set[str]:
    return {text for form, text in FORMS.items() if form in content}


def found_below(*folders: Path) -> dict[str, set[str]]:
    """The files in which something planted stands, each with what it is."""
    found = {path.name: found_in(content) for path, content in files_below(*folders)}
    return {name: texts for name, texts in found.items() if texts}


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    """The search that the other tests rely on finds a plant in each form, also within a longer text."""
    assert len(set(PLANTS)) == 200
    name, _, phone, mail = PEOPLE[7]
    sentence = f"I am {name}, call {phone} or {mail}, please"
    ways = {
        "plain": sentence.encode(),
        "utf16": sentence.encode("utf-16"),
        "url": urllib.parse.urlencode({"q": sentence}).encode(),
        "base64": base64.b64encode(sentence.encode()),
        "base64 shifted": base64.b64encode(b"x" + sentence.encode()),
        "base64 shifted again": base64.urlsafe_b64encode(b"xy" + sentence.encode()),
        "hex": sentence.encode().hex().encode(),
        "json": json.dumps({"q": sentence}).encode(),
    }
    for way, content in ways.items():
        (tmp_path / way).write_bytes(content)
    assert set(found_below(tmp_path)) == set(ways)
    for plant in (name, phone, mail):
        assert [way for way, content in ways.items() if not any(form in content for form in forms(plant))] == []


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with an index over a few documents."""
    folder = tmp_path_factory.mktemp("built")
    few_documents(folder)
    output = command(folder, "build")
    assert (folder / "index" / "current").exists(), output
    return folder


@pytest.fixture
def home(tmp_path: Path, built: Path) -> Path:
    """A home of this test's own, with that index and nothing planted anywhere yet."""
    copy_home(built, tmp_path)
    assert found_below(tmp_path) == {}
    return tmp_path


def questions(people: Sequence[tuple[str, str, str, str]]) -> list[str]:
    return [ASKED[number % len(ASKED)].format(*person) for number, person in enumerate(people)]


def ask(visitor: Visitor, question: str, page: str = "") -> bytes:
    """Type a question and press the button, as a browser would."""
    widgets = visitor.run(page=page).widgets()
    box = next(widget for widget, label in widgets.items() if label == "What would you like to know?")
    button = next(widget for widget, label in widgets.items() if label == "Find the answer")
    return visitor.run([typed(box, question), pressed(button)], page=page).raw


def ask_all(app: App, asked: Sequence[str]) -> None:
    """Each question in a visit of its own, but for the last ones, which are one visit and soon one too many."""
    wait_for_answers(app)
    for question in asked[:-15]:
        with Visitor(app.url) as visitor:
            ask(visitor, question)
    with Visitor(app.url) as visitor:
        for question in asked[-15:] * 2:
            ask(visitor, question)


def wait_for_answers(app: App) -> None:
    """Until the model is loaded and the index is open."""

    def answers() -> bool:
        with Visitor(app.url) as visitor:
            return b"<article" in ask(visitor, "Can I drive home after the infusion?")

    wait_until(answers)


def sign_in(app: App, name: str, password: str) -> str:
    """The cookie that signing in gives, if any. What is refused is sent with an address that repeats it, too."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: object) -> None:
            return None

    request = urllib.request.Request(  # noqa: S310 - our own server
        f"{app.url}/staff/login",
        urllib.parse.urlencode({"name": name, "password": password}).encode(),
        {"Origin": app.url, "Content-Type": "application/x-www-form-urlencoded"},
    )
    try:
        urllib.request.build_opener(Stay).open(request, timeout=30)
    except urllib.error.HTTPError as reply:
        return reply.headers.get("Set-Cookie", "").partition(";")[0]
    return ""


def get(app: App, address: str) -> None:
    try:
        urllib.request.urlopen(f"{app.url}{address}", timeout=30).close()  # noqa: S310 - our own server
    except urllib.error.HTTPError as refused:
        refused.close()


def process_words(app: App) -> bytes:
    """What anybody on the machine can read of the process."""
    return b"".join(Path(f"/proc/{app.process.pid}/{name}").read_bytes() for name in ("cmdline", "comm", "environ"))


def use_the_commands(home: Path, people: Sequence[tuple[str, str, str, str]]) -> str:
    """Ask by every command that takes a question; what they print."""
    asked = questions(people)
    lines = "".join(json.dumps({"id": n, "question": question}) + "\n" for n, question in enumerate(asked))
    said = command(home, "ask", asked[0], extra=NOISY)
    said += command(home, "ask", "-", typed=asked[1], extra=NOISY)
    said += command(home, "ask", asked[2], "--json", extra=NOISY)
    said += command(home, "ask", asked[3], "--explain", extra=NOISY)
    said += command(home, "ask", asked[4], "--audience", "staff", "--explain", "--json", extra=NOISY)
    said += command(home, "ask", "--batch", "-", "--json", typed=lines, extra=NOISY)
    if "triage" in command(home, "--help"):
        said += command(home, "triage", asked[5], extra=NOISY)
        said += command(home, "triage", "--batch", "-", typed=lines, extra=NOISY)
    return said + command(home, "doctor", extra=NOISY)


@pytest.fixture
def staff(home: Path) -> str:
    """An account for a member of staff, by name."""
    assert "can sign in" in command(home, "staff", "add", "kim", "--role", "staff", "--password-stdin", typed=PASSWORD)
    return "kim"


def test_questions_are_in_no_file(home: Path, staff: str) -> None:
    """Asked on both pages and by every command, over every limit and past kills, none of 200 plants is in any file."""
    commanded = use_the_commands(home, PEOPLE[:10])
    assert found_in(commanded.encode()), "they were asked"
    for number, stop in enumerate((signal.SIGTERM, signal.SIGKILL, signal.SIGABRT, signal.SIGSEGV)):
        with running(home, NOISY) as app:
            ask_all(app, questions(PEOPLE[number * 12 :][:14]))
            for person in PEOPLE[:3]:
                assert sign_in(app, person[3], PASSWORD) == ""
                get(app, "/?" + urllib.parse.urlencode({"q": person[0]}))
                get(app, "/" + urllib.parse.quote(person[1] + person[2]))
            cookie = sign_in(app, staff, PASSWORD)
            assert cookie
            with Visitor(app.url, cookie=cookie) as visitor:
                desk = visitor.run(page_name="desk").page
                assert b"Signed in as kim" in ask(visitor, questions(PEOPLE)[number], desk)
            assert found_in(process_words(app)) == set()
            with Visitor(app.url) as visitor:
                widgets = visitor.run().widgets()
                box, button, *_ = widgets
                visitor._socket.send(b"")
                visitor.send_bytes(b"\x0a" + PEOPLE[number][0].encode() * 9, 0.1)
                for question in questions(PEOPLE):  # still under way when it ends
                    run = [typed(box, question), pressed(button)]
                    visitor._socket.send(rerun(run))
                time.sleep(0.2 * number)
                app.process.send_signal(stop)
                app.process.wait(timeout=60)
        assert found_below(home) == {}, stop
    assert (home / "server.log").read_text().count("You can now view") == 4
    assert not (home / "state" / "clinic-qa" / "journal.sqlite").exists()
    assert not [path for path, _ in files_below(home) if re.fullmatch(r"core(\.\d+)?", path.name)]


def rerun(widgets: Sequence[object]) -> bytes:
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from streamlit.proto.ClientState_pb2 import ClientState

    state = ClientState()
    state.widget_states.widgets.extend(widgets)  # type: ignore[arg-type] # WidgetState
    return BackMsg(rerun_script=state).SerializeToString()


BROKEN_APP = """
from qa.threads import prefer_one_thread

prefer_one_thread()

import streamlit as st

import qa.web.asking
from qa.web import app_parts

real = qa.web.asking.answer


def fail(question, *rest, **named):
    if "kill" not in question:
        raise KeyError(f"cannot look up {question!r}")
    return real(question, *rest, **named)


def status(page, reply):
    if reply is not None and reply.guidance:
        raise RuntimeError(f"cannot show {st.session_state.to_dict()!r}")


qa.web.asking.answer = fail
qa.web.asking.Asking._status = status
app = st.App(**app_parts())
"""


def test_failures_do_not_quote_questions(home: Path) -> None:
    """When looking up raises, and when drawing the page does, with the question in the error, no file gets it."""
    script = home / "broken_app.py"
    script.write_text(BROKEN_APP)
    with running(home, NOISY, script) as app, Visitor(app.url) as visitor:
        sent = b"".join(ask(visitor, question) for question in questions(PEOPLE[:20]))
    log = (home / "server.log").read_text()
    assert "KeyError" in log, "looking up failed"
    assert "RuntimeError" in log, "drawing failed"
    assert "cannot" not in log.replace("index cannot be opened", "")
    assert b"cannot look up" not in sent
    assert b"cannot show" not in sent
    assert b"Traceback" not in sent
    assert b"/qa/web/" not in sent
    assert found_below(home) == {}


@pytest.mark.browser
@IN_BROWSER[-1]
def test_a_browser_keeps_and_tells_nothing(home: Path, browser: Browser) -> None:
    """In Chromium, questions are in no address that was asked for, no storage, no history and no file of ours."""
    with running(home, NOISY) as app:
        wait_for_answers(app)
        visit = Visit(browser, app, DESKTOP)  # type: ignore[arg-type] # all it needs is the address
        for number, question in enumerate(questions(PEOPLE[:10])):
            visit.ask(question)
            if number % 4 == 3:
                visit.clear()
        visit.clear()
        visit.page.locator(".st-key-examples button").first.click()
        visit.page.locator("[data-reply]").first.wait_for()
        visit.page.reload()
        visit.page.goto(f"{app.url}/signin")
        visit.page.get_by_role("textbox").first.fill(PEOPLE[0][3])
        visit.page.locator("input[type=password]").fill(PASSWORD)
        visit.page.locator("button[type=submit]").first.click()
        visit.page.wait_for_load_state()
        addresses = "\n".join((visit.page.url, *visit.requests))
        stored = visit.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, history.state])")
        stored += json.dumps(visit.context.storage_state())
        complaints = "\n".join(visit.complaints)
        visit.context.close()
    assert f"{app.url}/staff/login" in addresses
    assert found_in((addresses + stored + complaints).encode()) == set()
    assert found_below(home) == {}


def test_a_journal_holds_them_and_nothing_else_does(home: Path) -> None:
    """With journal.questions "full", the journal has every question and no other file has any; `purge` empties it."""
    keeping = {**NOISY, "CLINIC_QA_JOURNAL__QUESTIONS": "full"}
    asked = questions(PEOPLE[:30])
    command(home, "ask", asked[0], extra=keeping)
    with running(home, keeping) as app:
        ask_all(app, asked)
        with Visitor(app.url) as visitor:
            assert b"30 days" in visitor.run().raw, "the page says so"
        os.kill(app.process.pid, signal.SIGKILL)
        app.process.wait(timeout=60)
    plants = {plant for person in PEOPLE[:30] for plant in person}
    found = found_below(home)
    assert set(found) == {"journal.sqlite"}
    assert found["journal.sqlite"] == plants
    journal = home / "state" / "clinic-qa" / "journal.sqlite"
    assert journal.stat().st_mode & 0o777 == 0o600
    assert b"127.0.0.1" not in journal.read_bytes()
    assert "Still kept: 0." in command(home, "purge", "--all", extra=keeping)
    assert found_below(home) == {}


def test_an_app_that_no_longer_keeps_questions_deletes_them(home: Path) -> None:
    """A start with journal.questions "none" purges what was kept before, without anybody asking for it."""
    command(home, "ask", questions(PEOPLE)[0], extra={"CLINIC_QA_JOURNAL__QUESTIONS": "full"})
    assert set(found_below(home)) == {"journal.sqlite"}
    with running(home):
        wait_until(lambda: found_below(home) == {}, 60)
