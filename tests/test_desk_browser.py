"""Guidance on both pages and the staff page, in the real app, in Chromium; and a visitor who is no browser."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

import pytest
from browsing import (
    DESKTOP,
    IN_BROWSER,
    OVERDUE,
    PHONE,
    ROOT,
    STAFF_ONLY,
    Server,
    Visit,
    browser,
    built,
    server,
    visit,
    wait_until,
)
from pages import page_hash
from protocol import Visitor, pressed, typed

from qa.web.sessions import COOKIE

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["browser", "built", "server", "visit"]  # fixtures

CRISIS = "I want to kill myself"
EMERGENCY = "my husband is not breathing"
ADVICE = "should I stop taking my blood pressure pills before the infusion?"
FASTING = "How long before my infusion must I stop eating?"
REFUNDS = "Tell me about marmalade zeppelin refunds"
PASSWORD = "correct horse battery staple"  # noqa: S105 - of accounts that live for one test

pytestmark = IN_BROWSER


def staff(server: Server, *arguments: str) -> None:
    """Run `clinic-qa staff` for the app's accounts."""
    subprocess.run(
        [sys.executable, "-m", "qa", "staff", *arguments],
        cwd=ROOT,
        env=server.environment,
        input=PASSWORD.encode(),
        check=True,
        capture_output=True,
    )


@pytest.fixture
def nora(server: Server) -> Iterator[str]:
    """An account."""
    staff(server, "add", "Nora", "--role", "staff", "--password-stdin")
    yield "Nora"
    staff(server, "remove", "Nora")


def sign_in(visit: Visit, name: str) -> None:
    visit.page.get_by_role("link", name="Staff sign-in").first.click()
    visit.page.get_by_label("Name").fill(name)
    visit.page.get_by_label("Password").fill(PASSWORD)
    visit.page.get_by_label("Password").press("Enter")
    visit.page.wait_for_url("**/desk")
    visit.box.wait_for()


@pytest.fixture
def desk(visit: Visit, nora: str) -> Visit:
    sign_in(visit, nora)
    return visit


def contrast(visit: Visit, selector: str) -> float:
    """The contrast of an element's text to what it stands on, as WCAG 2.2 measures it."""
    ink, ground = visit.page.locator(selector).first.evaluate(
        """element => {
          const ink = getComputedStyle(element).color;
          let ground = 'rgba(0, 0, 0, 0)';
          for (let at = element; at !== null && /, 0\\)$|transparent/.test(ground); at = at.parentElement) {
            ground = getComputedStyle(at).backgroundColor;
          }
          return [ink, ground];
        }"""
    )
    lighter, darker = sorted((luminance(ink), luminance(ground)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    channels = [int(value) / 255 for value in re.findall(r"\d+", colour)[:3]]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


# Guidance.


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("question", [CRISIS, EMERGENCY], ids=["crisis", "emergency"])
def test_guidance_is_in_sight_and_read_out(
    browser: Browser, server: Server, size: tuple[int, int], question: str
) -> None:
    """Guidance comes into what interrupts a screen reader, large and in sight, and the focus is not lost."""
    visit = Visit(browser, server, size)
    interrupts = visit.page.get_by_role("alert")
    interrupts.wait_for(state="attached")
    assert interrupts.count() == 1, "it is there before there is anything to say"
    assert interrupts.inner_text().strip() == ""
    text_size = visit.box.evaluate("box => parseFloat(getComputedStyle(box).fontSize)")
    visit.ask(question)
    guidance = interrupts.locator(".cq-guidance")
    assert visit.page.locator("[data-reply]").first.evaluate("first => first.matches('.cq-guidance')")
    for part in guidance.locator("p, h2").all():
        assert part.evaluate("part => parseFloat(getComputedStyle(part).fontSize)") >= 1.3 * text_size
    visit.until(
        "(() => { const box = document.querySelector('.cq-guidance').getBoundingClientRect();"
        "return box.top >= document.querySelector('.cq-urgent').getBoundingClientRect().bottom"
        " && (box.bottom <= innerHeight || box.top < innerHeight / 4); })()"
    )
    assert not visit.page.evaluate("document.activeElement === document.body")
    assert visit.box.is_enabled()
    visit.context.close()


def test_the_numbers_of_the_guidance_can_be_tapped(visit: Visit) -> None:
    """Calling and texting 988, the lifeline's chat, 911 and the clinic are one tap away, and large enough for it."""
    visit.ask(CRISIS)
    links = visit.page.locator(".cq-guidance a")
    goals = {link.get_attribute("href") for link in links.all()}
    assert goals == {"tel:988", "sms:988", "https://988lifeline.org/chat", "tel:911", "tel:5550142"}
    chat = visit.page.locator(".cq-guidance a[href^='https:']")
    assert set((chat.get_attribute("rel") or "").split()) == {"noopener", "noreferrer"}
    for link in links.all():
        box = link.bounding_box()
        assert box is not None
        assert box["height"] >= 32
    assert visit.page.locator(".cq-guidance [lang='es']").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_guidance_and_marks_can_be_read(
    browser: Browser, server: Server, nora: str, scheme: Literal["light", "dark"]
) -> None:
    """Every text of the guidance and each mark has a contrast of at least 4.5 to what it stands on, in both themes."""
    visit = Visit(browser, server, PHONE, scheme)
    visit.ask(CRISIS)
    for part in (".cq-guidance h2", ".cq-guidance p", ".cq-guidance a"):
        assert contrast(visit, part) >= 4.5, part
    sign_in(visit, nora)
    visit.ask(OVERDUE)
    for part in (".cq-mark-staff", ".cq-mark-overdue", ".cq-passage footer", ".cq-contact"):
        assert contrast(visit, part) >= 4.5, part
    visit.ask("can I drive myself home after the infusion?")
    assert contrast(visit, ".cq-mark-patient") >= 4.5
    visit.context.close()


def test_advice_comes_with_passages_below_it(visit: Visit) -> None:
    """A question for a decision gets the sentence about the nurse with the phone, and only then passages."""
    reply = visit.ask(ADVICE)
    assert "Your nurse can tell you what applies to you." in reply
    assert "555-0142" in reply
    visit.page.locator("article").first.wait_for()
    order = visit.page.locator(".cq-notice, article").evaluate_all("all => all.map(each => each.tagName)")
    assert order[0] == "DIV"
    assert "ARTICLE" in order


# The staff page.


def test_staff_get_marked_passages(desk: Visit) -> None:
    """Signed in, one types at once, and each passage says in words whom it is for and how it stands."""
    desk.until("document.activeElement.matches('textarea')")
    assert "Signed in as Nora." in desk.page.locator(".cq-header").inner_text()
    assert STAFF_ONLY in desk.ask(REFUNDS)
    assert "Staff only" in desk.page.locator("article", has_text=STAFF_ONLY).inner_text()
    desk.ask(OVERDUE)
    overdue = desk.page.locator("article", has_text=OVERDUE).inner_text()
    assert "Staff only" in overdue
    assert "Review overdue since January 1, 2020" in overdue
    desk.ask("can I drive myself home after the infusion?")
    assert "For patients" in desk.page.locator("article", has_text="“Aftercare guide”").first.inner_text()
    desk.page.get_by_role("button", name="Clear everything").click()
    desk.until("document.activeElement.matches('textarea') && document.activeElement.value === ''")


def test_staff_see_documents_that_disagree_beside_each_other(desk: Visit) -> None:
    """Both sides stand on one height, the one approved last first, each marked, and each opens its document."""
    desk.ask(FASTING)
    sides = desk.page.locator(".cq-sides").first.locator("> div")
    sides.first.wait_for()
    said = [" ".join(side.inner_text().split()) for side in sides.all()]
    assert [text[: text.index("hours")] for text in said[:2]] == ["This one says: 8 ", "This one says: 6 "]
    assert "approved May 11, 2026" in said[0]
    assert "approved January 12, 2026" in said[1]
    left, right = (side.bounding_box() for side in sides.all()[:2])
    assert left is not None
    assert right is not None
    assert left["y"] == right["y"]
    assert left["x"] + left["width"] <= right["x"]
    for side, hours in zip(sides.all()[:2], ("8 hours", "6 hours"), strict=True):
        assert hours in side.locator("mark").inner_text()
        assert not side.locator("h3").inner_text()[0].isdigit(), "no side comes before the other"
        with desk.context.expect_page() as opened:
            side.locator("a.cq-source").first.click()
        assert hours in opened.value.locator("mark").first.inner_text()
        opened.value.close()


def test_patients_are_told_to_call_where_documents_disagree(visit: Visit) -> None:
    """Neither side is shown, in no place of the page, and the clinic's number is there to be tapped."""
    reply = visit.ask(FASTING)
    assert "Our documents do not say the same about this" in reply
    assert visit.page.locator(".cq-notice a[href='tel:5550142']").count() == 1
    assert visit.page.locator("article").count() == 0
    assert "8 hours" not in visit.page.content()
    assert "6 hours" not in visit.page.content()


def test_staff_get_guidance_and_then_the_protocol(desk: Visit) -> None:
    """A caller in crisis: first the guidance, then the clinic's protocol under its own heading."""
    desk.ask(CRISIS)
    desk.page.locator("article").first.wait_for()
    headings = desk.page.locator("h2").all_inner_texts()
    assert headings.index("Our emergency protocol") == 1
    assert "“Emergency protocol”" in desk.page.locator("article").first.inner_text()
    assert "Our documents do not answer" not in desk.page.locator("main, .stMain").first.inner_text()


def test_signing_out_elsewhere_takes_the_page_away(desk: Visit, server: Server, nora: str) -> None:
    """When an account is signed out, its open tab loses staff text by itself and becomes the patient's page."""
    assert STAFF_ONLY in desk.ask(REFUNDS)
    staff(server, "sign-out", nora)
    desk.page.locator("[data-page='patient']").wait_for()
    desk.page.locator("article").first.wait_for(state="detached")
    assert "zeppelin" not in desk.page.content()
    desk.page.wait_for_url(f"{server.url}/")
    desk.page.goto(f"{server.url}/desk")
    desk.page.wait_for_url(f"{server.url}/")


def test_a_patient_who_opens_the_staff_page_gets_the_patients_page(visit: Visit) -> None:
    """The staff page's address is like any other that does not exist."""
    visit.page.goto(f"{visit.server.url}/desk")
    visit.box.wait_for()
    assert visit.page.url == f"{visit.server.url}/"
    visit.ask(REFUNDS)
    visit.box.fill("")
    assert "zeppelin" not in visit.page.content().lower()


def test_a_patients_connection_gets_nothing_from_the_staff_pages_parts(server: Server, desk: Visit) -> None:
    """Its page, box, button and fragment give no staff text to a patient's connection, nor to a signed-out one."""
    cookies = "; ".join(f"{each['name']}={each['value']}" for each in desk.context.cookies())
    assert COOKIE in cookies
    page = page_hash("desk")
    with Visitor(server.url, cookie=cookies) as member, Visitor(server.url) as patient:
        drawn = member.run(page=page)
        widgets = drawn.widgets()
        box = next(each for each in widgets if "desk-question" in each)
        ask = next(each for each, label in widgets.items() if label == "Find the answer")
        question = [typed(box, REFUNDS), pressed(ask)]
        assert b"zeppelin refunds are offered" in member.run(question, page=page).raw
        patient.run()
        for run in (
            patient.run(question, page=page),
            patient.run(question, page_name="desk"),
            *(patient.run(question, page=page, fragment=each) for each in drawn.fragments()),
        ):
            assert b"zeppelin refunds are offered" not in run.raw
        staff(server, "sign-out", "Nora")
        for run in (
            *(member.run(question, page=page, fragment=each) for each in drawn.fragments()),
            member.run(question, page=page),
            member.run(page=page),
        ):
            assert b"zeppelin refunds are offered" not in run.raw


def test_staff_questions_are_nowhere_but_on_the_page(desk: Visit) -> None:
    """A question of staff is in no address and in no log."""
    desk.ask("Does xylophonitis hurt after ketamine?")
    assert "xylophonitis" not in desk.page.url + "".join(desk.requests)
    assert "xylophonitis" not in desk.server.log.read_text()


def test_a_label_that_changes_acts_at_the_next_question(visit: Visit, desk: Visit) -> None:
    """A document that is withdrawn under the running app is gone for patients and marked for staff, without a build."""
    label = visit.server.corpus / "patient" / "hostile.txt.yaml"
    before = label.read_text()
    patient = visit.context.new_page()
    patient.goto(visit.server.url)
    box = patient.get_by_role("textbox", name="What would you like to know?")
    box.fill("When do quokka visits happen?")
    patient.get_by_role("button", name="Find the answer").click()
    patient.locator("article", has_text="Quokka").first.wait_for()
    try:
        label.write_text(before.replace("status: approved", "status: withdrawn"))
        patient.get_by_role("button", name="Find the answer").click()
        patient.locator("[data-reply='2']").first.wait_for()
        assert patient.locator("article", has_text="Quokka").count() == 0
        wait_until(lambda: "Withdrawn" in desk.ask("When do quokka visits happen?"))
    finally:
        label.write_text(before)
