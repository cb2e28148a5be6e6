"""The patient's page in the real app, in Chromium."""

from __future__ import annotations

import os
import re
import shutil
import signal
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
from browsing import (
    DESKTOP,
    IN_BROWSER,
    PHONE,
    ROOT,
    STAFF_ONLY,
    Server,
    Visit,
    browser,
    built,
    serve,
    server,
    visit,
)
from served import copy_home

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["browser", "built", "server", "visit"]  # fixtures

DRIVING = "can I drive myself home after the infusion?"

pytestmark = IN_BROWSER


def in_sight(visit: Visit, text: str) -> bool:
    box = visit.page.get_by_text(text).bounding_box()
    size = visit.page.viewport_size
    assert box is not None
    assert size is not None
    return (
        box["x"] >= 0 and box["y"] >= 0 and box["x"] + box["width"] <= size["width"] and box["y"] < size["height"] / 4
    )


def test_a_question_is_answered_with_a_page_number(visit: Visit) -> None:
    """Asking about driving shows the aftercare guide's passage about it first, with its page and its own heading."""
    reply = visit.ask(DRIVING)
    cited = visit.page.locator("article").first
    assert cited.locator("h3").inner_text() == "1. Can I drive myself home after the infusion?"
    assert "You may not drive yourself home" in cited.locator("blockquote").inner_text()
    assert "“Aftercare guide”" in cited.locator("footer").inner_text()
    assert "page 2," in cited.locator("footer").inner_text()
    assert visit.page.locator("article mark").count() > 0
    assert "general information" in reply


def test_an_uncovered_question_leads_to_the_phone(visit: Visit) -> None:
    """A question that no document answers shows the phone and no passage."""
    reply = visit.ask("Which team won the football world cup in 1998?")
    assert "555-0142" in reply
    assert visit.page.locator("article").count() == 0
    assert visit.page.locator(".cq-notice a").get_attribute("href") == "tel:5550142"


def test_enter_asks(visit: Visit) -> None:
    """Enter sends the question and Shift+Enter begins a new line."""
    visit.box.fill("Can I drive")
    visit.box.press("End")
    visit.box.press("Shift+Enter")
    visit.box.press_sequentially("home?")
    visit.box.press("Enter")
    visit.page.locator("article").first.wait_for()
    assert visit.box.input_value() == "Can I drive\nhome?"


def test_clearing_forgets_the_question(visit: Visit) -> None:
    """After clearing, neither the page, nor undoing, nor going back, nor loading again has the question."""
    visit.ask(DRIVING)
    visit.clear()
    assert visit.box.input_value() == ""
    visit.box.press("Control+z")
    assert visit.box.input_value() == ""
    assert visit.page.locator("article").count() == 0
    visit.ask(DRIVING)
    visit.page.goto("about:blank")
    visit.page.go_back()
    visit.box.wait_for()
    visit.page.get_by_role("heading", name="People often ask about").wait_for()
    assert visit.box.input_value() == ""
    visit.ask(DRIVING)
    visit.page.reload()
    visit.page.get_by_role("heading", name="People often ask about").wait_for()
    assert visit.box.input_value() == ""


def test_the_box_is_made_for_shared_devices(visit: Visit) -> None:
    """The box has a visible label and no autocompletion, also the one that comes after clearing."""
    assert visit.page.get_by_text("What would you like to know?", exact=True).is_visible()
    assert visit.box.get_attribute("autocomplete") == "off"
    visit.ask(DRIVING)
    visit.clear()
    visit.until("document.querySelector('textarea').autocomplete === 'off'")


def test_an_example_asks_at_once(visit: Visit) -> None:
    """An example is large enough to touch, asks when it is pressed, and the focus goes to the reply."""
    example = visit.page.locator(".st-key-examples button").first
    box = example.bounding_box()
    assert box is not None
    assert box["height"] >= 44
    text = example.inner_text()
    example.click()
    visit.page.locator("[data-reply]").first.wait_for()
    assert visit.box.input_value() == text
    visit.until("document.activeElement.matches('[data-reply]')")


def test_documents_and_questions_are_shown_as_text(visit: Visit) -> None:
    """HTML and Markdown of a document, its title and a question appear as they stand and load nothing."""
    visit.page.on("dialog", lambda dialog: visit.complaints.append(dialog.message))
    visit.ask("When do quokka visits happen?<img src=x onerror=alert(1)> **now**")
    cited = visit.page.locator("article", has_text="Quokka").first
    assert "<img src='https://images.example/a.png' onerror='alert(1)'>" in cited.inner_text()
    assert "**stars** ![picture](https://images.example/b.png)" in cited.inner_text()
    assert "<u>Quokka</u> guide" in cited.inner_text()
    assert cited.locator("img, b, u, a:not(.cq-source)").count() == 0
    assert visit.box.input_value().endswith("<img src=x onerror=alert(1)> **now**")
    assert visit.complaints == []


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_urgent_lines_stay_in_sight(browser: Browser, server: Server, size: tuple[int, int]) -> None:
    """The crisis and emergency lines are at the top before, during and after scrolling, and take little room."""
    visit = Visit(browser, server, size)
    for scrolled in (False, True):
        if scrolled:
            visit.ask(DRIVING)
            visit.page.locator("article").last.scroll_into_view_if_needed()
        assert in_sight(visit, "Thinking about suicide")
        assert in_sight(visit, "If somebody is in danger")
    banner = visit.page.locator(".cq-urgent").bounding_box()
    assert banner is not None
    assert banner["height"] < size[1] / 8
    assert visit.page.locator(".cq-urgent a[href='sms:988']").is_visible()
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= size[0]
    last = visit.page.locator("article").last
    last.evaluate("article => article.closest('.stMain').scrollTo(0, 1e6)")
    box = last.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= size[1], "the end of the page can be reached"
    visit.context.close()


def test_headings_are_in_order(visit: Visit) -> None:
    """One heading of the first level, no level skipped, and a place where a screen reader hears of results."""
    visit.ask(DRIVING)
    levels = visit.page.locator("h1, h2, h3, h4").evaluate_all("all => all.map(each => Number(each.tagName[1]))")
    assert levels[:3] == [1, 2, 3]
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    assert re.search(r"Passages found: \d", visit.page.get_by_role("status").first.inner_text())
    assert visit.page.locator("html").get_attribute("lang") == "en"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_loaded_from_elsewhere(browser: Browser, server: Server, scheme: Literal["light", "dark"]) -> None:
    """All that the page asks for comes from its own host, and the security policy stops nothing that it needs."""
    visit = Visit(browser, server, PHONE, scheme)
    visit.ask(DRIVING)
    visit.clear()
    host = server.url.removeprefix("http")
    assert [url for url in visit.requests if not re.match(rf"(http|ws){re.escape(host)}/|data:|blob:", url)] == []
    assert visit.complaints == []
    visit.context.close()


@pytest.mark.parametrize(
    "question", ["Tell me about marmalade zeppelin refunds", STAFF_ONLY, "refunds offered without asking", "Planted"]
)
def test_a_patient_sees_no_staff_text(visit: Visit, question: str) -> None:
    """A sentence that stands in a staff document is on the page for no question, not even for itself."""
    visit.ask(question)
    visit.box.fill("")
    content = visit.page.content().lower()
    assert "zeppelin" not in content
    assert "planted" not in content


def test_questions_are_nowhere_but_on_the_page(visit: Visit, tmp_path: Path) -> None:
    """A question is in no address, log, file or browser storage."""
    visit.ask("Does xylophonitis hurt after ketamine?")
    state = visit.context.storage_state(path=tmp_path / "state.json")
    stored = visit.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, history.state])")
    assert "xylophonitis" not in visit.page.url + "".join(visit.requests) + stored + str(state)
    assert "xylophonitis" not in visit.server.log.read_text()
    for path in visit.server.index.rglob("*"):
        assert not path.is_file() or b"xylophonitis" not in path.read_bytes()


def test_any_other_address_leads_to_the_page(visit: Visit) -> None:
    """Nobody lands on a page without the urgent lines."""
    visit.page.goto(f"{visit.server.url}/staff/anything?x=1")
    visit.box.wait_for()
    assert visit.page.url == f"{visit.server.url}/"


def test_a_new_generation_is_taken_up(visit: Visit) -> None:
    """A build that publishes under the running app changes its answers, and no visitor needs to do anything."""
    new = visit.server.corpus / "patient" / "wombats.md"
    labels = "---\naudience: patient\nstatus: approved\napproved_by: Test\napproved_on: 2026-01-01\n---\n\n"
    new.write_text(f"{labels}# Wombats\n\nWombats wait in the blue room until their ketamine infusion begins.\n")
    question = "Where do wombats wait before the infusion?"
    assert "blue room" not in visit.ask(question)
    visit.server.build()
    visit.ask_until(question, "blue room")


def test_killed_builds_leave_the_app_answering(browser: Browser, tmp_path: Path) -> None:
    """A build killed at any of twenty moments leaves the answers as they were; the next whole build changes them."""
    corpus = tmp_path / "documents"
    corpus.mkdir()
    question = "What is the number of the infusion room's door?"

    def write(door: int) -> str:
        said = f"The infusion room's door has the number {door}."
        labels = "---\naudience: patient\nstatus: approved\napproved_by: Test\napproved_on: 2026-01-01\n---\n\n"
        (corpus / "door.md").write_text(f"{labels}# The door\n\n{said}\n")
        return said

    said = write(100)
    Server("", tmp_path, corpus).build()
    with serve(tmp_path, corpus) as server:
        visit = Visit(browser, server, DESKTOP)
        assert said in visit.ask(question)
        said = write(101)
        started = time.monotonic()
        server.build()
        whole = time.monotonic() - started
        visit.ask_until(question, said)
        for moment in range(20):
            live = server.live
            newer = write(200 + moment)
            build = server.start_build()
            time.sleep(whole * moment / 20)
            os.killpg(build.pid, signal.SIGKILL)
            build.communicate()
            if server.live != live:  # it was quicker than the one measured
                said = newer
                visit.ask_until(question, said)
            assert said in visit.ask(question)
        said = write(300)
        server.build()
        visit.ask_until(question, said)
        visit.context.close()


def test_a_warm_app_answers_soon(visit: Visit, record_testsuite_property: Callable[[str, object], None]) -> None:
    """A first answer on a warm app is timed, from filling in the box to the passages on the page (see --junitxml)."""
    visit.page.get_by_role("heading", name="People often ask about").wait_for()
    started = time.perf_counter()
    visit.ask("How long does an infusion take?")
    record_testsuite_property("first_answer_seconds", round(time.perf_counter() - started, 3))


def test_a_lost_connection_leads_to_the_phone(browser: Browser, built: Path, tmp_path: Path) -> None:
    """When the server is gone, the page says so in the clinic's words, keeps the urgent lines, and names the phone."""
    copy_home(built, tmp_path)
    with serve(tmp_path, tmp_path / "corpus") as server:
        visit = Visit(browser, server, PHONE)
        visit.page.locator("textarea").wait_for()
        lost = visit.page.locator(".cq-lost")
        assert not lost.is_visible()
    lost.wait_for(state="visible")
    assert "555-0142" in lost.inner_text()
    assert visit.page.locator(".cq-urgent").is_visible()
    assert not visit.page.get_by_text("streamlit run").is_visible()
    visit.context.close()


def test_without_an_index_the_page_still_helps(browser: Browser, tmp_path: Path) -> None:
    """With nothing built there are the urgent lines and the phone, in calm words; a first build then brings answers."""
    (tmp_path / "documents").mkdir()
    with serve(tmp_path, tmp_path / "documents") as server:
        for size in (PHONE, DESKTOP):
            visit = Visit(browser, server, size)
            visit.page.get_by_text("cannot be searched yet").wait_for()
            assert in_sight(visit, "Thinking about suicide")
            assert in_sight(visit, "If somebody is in danger")
            assert "555-0142" in visit.ask(DRIVING)
            content = visit.page.content()
            assert str(tmp_path) not in content
            assert "clinic-qa" not in content
            visit.context.close()
        assert "clinic-qa build" in server.log.read_text(), "the log says what to do"
        visit = Visit(browser, server, DESKTOP)
        shutil.copy(ROOT / "corpus" / "patient" / "faq.md", tmp_path / "documents")
        server.build()
        visit.page.get_by_role("heading", name="People often ask about").wait_for()
        visit.context.close()
