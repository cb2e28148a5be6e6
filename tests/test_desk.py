"""The staff page and the guidance of both pages, as Streamlit runs them, with libraries of a few sentences."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from builders import BY_SIMILARITY, entry, index_of
from conftest import WordEmbedder
from pages import (
    MESSAGES,
    OpenedAlready,
    SignedIn,
    ask,
    button,
    open_page,
    page_hash,
    service_with,
    shown,
)
from streamlit.testing.v1 import AppTest

from qa.audience import Audience
from qa.clock import Clock
from qa.index import FaissIndex
from qa.judge import Judge
from qa.models import Status
from qa.settings import Journal, Settings, State
from qa.web import asking, desk
from qa.web.identity import PATIENT, Identity, Role
from qa.web.service import Service, _Holder, provide
from qa.web.visitor import QuestionLimits

NURSE = Identity(Role.STAFF, "Nora")
MANAGER = Identity(Role.MANAGER, "Maya")
WARNING = "The staff index is not calibrated."
JUDGE = Judge(BY_SIMILARITY, warnings=(WARNING,))
CRISIS = "I want to kill myself"
EMERGENCY = "she is not breathing"
FOR_PATIENTS = [entry("patient/aftercare.md", "No driving until the morning after.", title="Aftercare guide")]
FOR_STAFF = [
    *FOR_PATIENTS,
    entry("staff/emergency-protocol.md", "Press the red button.", audience=Audience.STAFF, title="Emergency protocol"),
    entry("staff/talk.md", "Talking points on driving and its cost.", audience=Audience.STAFF, title="Talking points"),
    entry("patient/new.md", "Driving lessons and nausea.", status=Status.DRAFT, title="New leaflet"),
    entry("patient/old.md", "Driving and anxiety.", review_by=date(2026, 3, 3), title="Old leaflet"),
    entry("patient/gone.md", "Driving and fasting.", status=Status.WITHDRAWN, title="Gone leaflet"),
]


@pytest.fixture
def indexes(tmp_path: Path, embedder: WordEmbedder) -> Iterator[dict[str, FaissIndex]]:
    opened = {
        "patient": index_of(tmp_path / "patient", FOR_PATIENTS, embedder),
        "staff": index_of(tmp_path / "staff", FOR_STAFF, embedder, Audience.STAFF),
    }
    yield opened
    for index in opened.values():
        index.close()


@pytest.fixture
def signed_in() -> SignedIn:
    return SignedIn(NURSE)


@pytest.fixture(autouse=True)
def provided(
    indexes: dict[str, FaissIndex],
    embedder: WordEmbedder,
    sample_settings: Settings,
    clock: Clock,
    signed_in: SignedIn,
) -> Iterator[Service]:
    service = service_with(sample_settings, clock, OpenedAlready(embedder, JUDGE, **indexes), signed_in)
    provide(service)
    yield service
    _Holder.service = None


def guidance_of(page: AppTest) -> str:
    """What stands where a screen reader is interrupted."""
    return next(
        each.proto.body
        for each in page.get("html")
        if "cq-guidance" in each.proto.body or "cq-spoken" in each.proto.body
    )


def passages_of(page: AppTest) -> dict[str, str]:
    """The HTML of each passage on the page, by its document's title."""
    articles = shown(page).split("<article")[1:]
    return {each.partition("<cite>“")[2].partition("”</cite>")[0]: each for each in articles}


# The staff page.


def test_staff_see_both_audiences_documents_marked(signed_in: SignedIn) -> None:
    """Staff and managers get all documents, each saying in words whom it is for and how it stands."""
    for identity in (NURSE, MANAGER):
        signed_in.identity = identity
        passages = passages_of(ask(open_page(desk.NAME), "driving"))
        assert '<li class="cq-mark-staff">Staff only</li></ul>' in passages["Talking points"]
        assert '<li class="cq-mark-patient">For patients</li></ul>' in passages["Aftercare guide"]
        assert '>For patients</li><li class="cq-mark-draft">Draft</li></ul>' in passages["New leaflet"]
        assert ">Review overdue since March 3, 2026</li></ul>" in passages["Old leaflet"]
        assert ">Withdrawn</li></ul>" in passages["Gone leaflet"]


def test_what_patients_do_not_get_is_not_marked_for_them(
    tmp_path: Path, embedder: WordEmbedder, provided: Service, indexes: dict[str, FaissIndex]
) -> None:
    """An approved document that the patients' index has not, such as one with a claim that waits, says so to staff."""
    waiting = [*FOR_STAFF, entry("patient/claim.md", "Driving cures anxiety.", title="Claim")]
    index = index_of(tmp_path / "waiting", waiting, embedder, Audience.STAFF)
    provide(replace(provided, live=OpenedAlready(embedder, JUDGE, patient=indexes["patient"], staff=index)))
    passages = passages_of(ask(open_page(desk.NAME), "driving"))
    assert '<li class="cq-mark-not-yet">Not yet for patients</li></ul>' in passages["Claim"]
    assert ">For patients</li></ul>" in passages["Aftercare guide"]
    index.close()


def test_staff_are_not_told_to_call_themselves() -> None:
    """The clinic's number is what patients call: what the documents do not answer names it to them alone."""
    unknown = "ketamine"
    assert "555-0142" in shown(ask(open_page(), unknown)).partition("cq-notice")[2]
    notice = shown(ask(open_page(desk.NAME), unknown)).partition("cq-notice")[2]
    assert "Our documents do not answer this question." in notice
    assert "555-0142" not in notice


def test_the_staff_page_says_who_is_signed_in(signed_in: SignedIn) -> None:
    """Their name stands there as text, with a way to sign out, and what is the matter with the index."""
    signed_in.identity = Identity(Role.STAFF, "<b>Nora</b>")
    content = shown(open_page(desk.NAME))
    assert "Signed in as &lt;b&gt;Nora&lt;/b&gt;." in content
    assert 'href="./signin"' in content
    assert WARNING in content


def test_the_patients_page_is_everybodys(signed_in: SignedIn) -> None:
    """Somebody signed in gets the patients' documents on the patient's page, unmarked, and no staff text."""
    page = ask(open_page(), "driving")
    assert list(passages_of(page)) == ["Aftercare guide"]
    assert "cq-marks" not in shown(page)
    assert WARNING not in shown(page)
    assert signed_in.asked > 0


def test_other_places_with_the_same_text_are_marked_too(
    tmp_path: Path, embedder: WordEmbedder, provided: Service
) -> None:
    """A second document that says the same is named with whom it is for."""
    same = "No driving until the morning after you were here."
    twice = [entry("patient/a.md", same, title="One"), entry("staff/b.md", same, audience=Audience.STAFF, title="Two")]
    index = index_of(tmp_path / "twice", twice, embedder, Audience.STAFF)
    provide(replace(provided, live=OpenedAlready(embedder, JUDGE, staff=index)))
    content = shown(ask(open_page(desk.NAME), "driving")).partition("The same text is also in: <a ")[2]
    assert ">“Two” (Staff only)<" in content or ">“One” (For patients)<" in content
    index.close()


# Who may not.


def test_the_staff_page_is_no_page_for_a_patient(signed_in: SignedIn) -> None:
    """A browser that names the staff page without being signed in is given the patient's page."""
    signed_in.identity = PATIENT
    page = open_page(desk.NAME)
    content = shown(page)
    assert 'data-page="patient"' in content
    assert "cq-marks" not in shown(ask(page, "driving"))
    assert list(passages_of(page)) == ["Aftercare guide"]


def test_a_lost_role_takes_the_reply_away(signed_in: SignedIn) -> None:
    """When the role is gone at the next run, the page, the reply and all that the session kept of them are gone."""
    page = ask(open_page(desk.NAME), "driving")
    assert "Talking points" in passages_of(page)
    assert kept_of_the_desk(page) != []
    signed_in.identity = PATIENT
    page.run()
    assert "Talking points" not in shown(page)
    assert 'data-page="patient"' in shown(page)
    assert kept_of_the_desk(page) == []
    signed_in.identity = NURSE
    page._page_hash = page_hash(desk.NAME)
    page.run()
    assert passages_of(page) == {}


def kept_of_the_desk(page: AppTest) -> list[str]:
    return [key for key in page.session_state._state.filtered_state if key.startswith(f"{desk.NAME}-")]


@pytest.mark.parametrize("label", [MESSAGES.ask_button, MESSAGES.clear_button])
def test_a_button_of_the_staff_page_gives_nobody_else_anything(signed_in: SignedIn, label: str) -> None:
    """A button that was drawn for staff and is pressed without the role looks nothing up and keeps nothing."""
    page = ask(open_page(desk.NAME), "driving")
    page.text_area[0].set_value("its cost")
    pressed = button(page, label).click()
    signed_in.identity = PATIENT
    pressed.run()
    assert "Talking" not in shown(page)
    assert "<article" not in shown(page)
    assert kept_of_the_desk(page) == []


def test_a_role_lost_while_looking_up_puts_out_no_staff_text(
    signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is signed out between asking and answering gets no passage, and nothing is kept for later."""
    real = asking.answer

    def answer_slowly(*arguments: object, **named: object) -> object:
        reply = real(*arguments, **named)  # type: ignore[arg-type] # passed on as they came
        if named["library"] is not None:
            signed_in.identity = PATIENT
        return reply

    monkeypatch.setattr(asking, "answer", answer_slowly)
    page = ask(open_page(desk.NAME), "driving")
    assert "Talking points" not in shown(page)
    assert kept_of_the_desk(page) == []


def test_the_page_function_itself_gives_a_patient_nothing(signed_in: SignedIn) -> None:
    """Even run past the list of pages, the staff page draws nothing without the role."""
    signed_in.identity = PATIENT

    def past_the_list() -> None:
        from qa.web import desk

        desk.render()

    page = AppTest.from_function(past_the_list, default_timeout=20).run()
    assert shown(page) == ""
    assert len(page.text_area) == 0


def test_a_signed_out_tab_is_emptied_by_itself(
    signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch, provided: Service
) -> None:
    """What the staff page repeats by itself notices a lost role, without counting as somebody's doing."""
    asked: list[bool] = []
    drawn_again: list[bool] = []
    monkeypatch.setattr(signed_in, "current", lambda *, active=True: asked.append(active) or signed_in.identity)
    monkeypatch.setattr(desk.st, "rerun", lambda: drawn_again.append(True))
    page = asking.Asking(provided, Audience.STAFF, desk.NAME, allowed=lambda: True)
    look = desk._watch.__wrapped__
    look(page, page.index_state())
    assert (asked, drawn_again) == ([False], [])
    signed_in.identity = PATIENT
    look(page, page.index_state())
    assert drawn_again == [True]


# Guidance.


@pytest.mark.parametrize(("question", "line"), [(CRISIS, "tel:988"), (EMERGENCY, "tel:911")])
@pytest.mark.parametrize("name", ["", desk.NAME], ids=["patient", "staff"])
def test_guidance_is_the_first_thing_in_a_reply(name: str, question: str, line: str) -> None:
    """Who is in danger gets the clinic's guidance before anything else, with numbers that can be tapped."""
    page = ask(open_page(name), question)
    said = guidance_of(page)
    assert 'data-reply="1"' in said
    assert line in said
    assert "tel:5550142" in said
    assert said in shown(page).split("<article")[0]


def test_staff_get_the_protocol_under_its_own_heading() -> None:
    """Below the guidance the emergency protocol comes first, and what else was found after it."""
    content = shown(ask(open_page(desk.NAME), CRISIS + " while driving"))
    protocol, button_, rest = (
        content.index(text)
        for text in (MESSAGES.protocol_heading, "Press the red button.", MESSAGES.other_passages_heading)
    )
    assert content.index("cq-guidance") < protocol < button_ < rest


@pytest.mark.parametrize("question", ["quiero morirme, ya no puedo más", "x " * 4000 + CRISIS])
def test_in_danger_nothing_is_said_of_languages_and_lengths(question: str) -> None:
    """A patient in danger gets the guidance and no sentence about what the page cannot do."""
    page = ask(open_page(), question)
    assert "tel:988" in guidance_of(page)
    assert "cq-notice" not in shown(page)


def test_spanish_guidance_comes_first_for_spanish() -> None:
    """Whoever asks for help in Spanish reads the Spanish line first, as the heading, and the others below it."""
    page = ask(open_page(), "quiero morirme, ya no puedo más")
    assert '<h2 lang="es">En español: ' in guidance_of(page)
    assert "You do not have to be alone" in guidance_of(page)
    assert "<h2>You do not have" in guidance_of(ask(page, CRISIS))


def test_advice_that_is_not_covered_names_the_phone_once() -> None:
    """The sentence about the nurse and the one about the documents do not both say whom to call."""
    content = shown(ask(open_page(), "should I take more of my medicine at the parking spaces?"))
    notice = content.partition('class="cq-notice"')[2].partition("</div>")[0]
    assert "Your nurse can tell you what applies to you." in notice
    assert "Our documents do not answer this question." in notice
    assert notice.count("tel:5550142") == 1


def test_advice_stands_above_the_passages() -> None:
    """A question for a decision gets the sentence about the nurse, then passages that nothing calls likely."""
    content = shown(ask(open_page(), "should I stop driving, or take more of my medicine?"))
    assert content.index("Your nurse can tell you what applies to you.") < content.index("<article")
    assert content.index("555-0142", content.index("Your nurse can tell")) < content.index("<article")
    assert "cq-level" not in content


def test_guidance_does_not_wait(
    provided: Service, monkeypatch: pytest.MonkeyPatch, indexes: dict[str, FaissIndex], embedder: WordEmbedder
) -> None:
    """While the server still starts, guidance is on the page and in the session before anything is waited for."""
    live = OpenedAlready(embedder, JUDGE, **indexes)
    live._settled = threading.Event()
    shown_while_waiting: list[tuple[str, ...]] = []

    def wait(_seconds: float) -> object:
        import streamlit as st

        shown_while_waiting.append(st.session_state["patient-reply"].guidance)
        return live.serving

    monkeypatch.setattr(live, "wait", wait)
    provide(replace(provided, live=live))
    page = ask(open_page(), CRISIS)
    assert "988" in " ".join(shown_while_waiting[0])
    assert "tel:988" in guidance_of(page)


@pytest.mark.parametrize("broken", ["index", "model", "both"])
def test_guidance_comes_without_index_and_model(
    provided: Service,
    indexes: dict[str, FaissIndex],
    broken: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever is missing or fails, somebody in danger gets the guidance, and the others the phone."""

    def fail(*_: object, **__: object) -> None:
        raise OSError("broken")

    if broken != "index":
        monkeypatch.setattr(WordEmbedder, "encode_tokens", fail)
    if broken != "model":
        for index in indexes.values():
            monkeypatch.setattr(index, "dense", fail)
    for name in ("", desk.NAME):
        page = open_page(name)
        assert "tel:988" in guidance_of(ask(page, CRISIS))
        content = shown(ask(page, "driving"))
        assert "cq-guidance" not in content
        assert "Something went wrong on our side" in content
    provide(replace(provided, live=OpenedAlready(None, JUDGE)))
    assert "tel:911" in guidance_of(ask(open_page(), EMERGENCY))


def test_guidance_of_the_question_before_goes_away() -> None:
    """The next question's reply has no guidance of the one before."""
    page = ask(open_page(), CRISIS)
    assert "cq-guidance" in guidance_of(page)
    assert "cq-guidance" not in shown(ask(page, "driving"))


# Limits.


@pytest.fixture
def few(provided: Service) -> Service:
    """A page that takes two questions a minute from one visit and three from one address."""
    limits = provided.settings.limits.model_copy(
        update={"questions_per_minute": 2, "questions_per_minute_and_address": 3}
    )
    limited = replace(provided, question_limits=QuestionLimits(limits))
    provide(limited)
    return limited


@pytest.mark.usefixtures("few")
def test_too_many_questions_are_not_looked_up() -> None:
    """Beyond the limit the reply asks for a moment's patience and names the phone; guidance still comes."""
    page = open_page()
    for _ in range(2):
        assert "<article" in shown(ask(page, "driving"))
    content = shown(ask(page, "driving"))
    assert "Many questions came from here within a minute." in content
    assert "555-0142" in content
    assert "<article" not in content
    crisis = ask(page, CRISIS)
    assert "tel:988" in guidance_of(crisis)
    assert "Many questions" not in shown(crisis)
    button(page, MESSAGES.clear_button).click().run()
    assert "Many questions" in shown(ask(page, "driving")), "clearing does not begin anew"


def test_what_is_over_the_limit_is_not_written_down(few: Service, tmp_path: Path) -> None:
    """Where questions are kept, those beyond the limit are not: nobody fills the disk with them."""
    kept = few.settings.model_copy(
        update={"journal": Journal(questions="full"), "state": State(folder=tmp_path / "state")}
    )
    provide(replace(few, settings=kept))
    page = open_page()
    for _ in range(4):
        ask(page, "driving")
    with closing(sqlite3.connect(tmp_path / "state" / "journal.sqlite")) as connection:
        assert connection.execute("SELECT count(*) FROM question").fetchone() == (2,)


def test_an_address_has_a_limit_of_its_own(few: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """New visits from one address do not get around its limit, and what a visit has too many is not counted for it."""
    visits = iter(["one", "one", "one", "one", "two", "two", "three"])

    class Run:
        def __init__(self) -> None:
            self.session_id = next(visits)

    monkeypatch.setattr("qa.web.visitor.get_script_run_ctx", Run)
    allowed = [few.question_limits.allow_one_more() for _ in range(7)]
    assert allowed == [True, True, False, False, True, False, False]


@pytest.mark.usefixtures("few")
def test_staff_in_danger_get_the_protocol_beyond_the_limit() -> None:
    """The limit keeps nobody from the emergency protocol."""
    page = open_page(desk.NAME)
    for _ in range(3):
        ask(page, "driving")
    content = shown(ask(page, CRISIS))
    assert "Press the red button." in content
    assert "Talking points" not in content


@pytest.mark.usefixtures("few")
def test_the_model_is_not_asked_beyond_the_limit(embedder: WordEmbedder) -> None:
    """What is over the limit costs no model: triage goes by patterns alone."""
    page = open_page()
    for _ in range(2):
        ask(page, "driving")
    before = len(embedder.encoded)
    ask(page, CRISIS)
    assert len(embedder.encoded) == before
