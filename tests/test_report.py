from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from qa.audience import Audience
from qa.models import Answer, AnswerKind, Citation, CitedPassage, Level, PageKind, Status, Triaged, Urgency
from qa.report import answer_text, citation_text, staff_marks
from qa.settings import Settings

CITATION = Citation(
    document="a.pdf",
    title="Aftercare guide",
    section=("Aftercare guide", "Getting home"),
    start=120,
    page=3,
    page_label="1",
    page_kind=PageKind.PAGE,
    pages=(3,),
    recognised=False,
    path="patient/a.pdf",
    approved_on=date(2026, 3, 1),
    review_by=None,
    version="2.1",
    audience=Audience.PATIENT,
    status=Status.APPROVED,
    overdue_since=None,
)


def answer_with(text: str, level: Level | None = Level.LIKELY, citation: Citation = CITATION) -> Answer:
    passage = CitedPassage("a.pdf#0-9", 1, 0.1, text, (), (), (0, 9), citation, lead_in="Remember:")
    return Answer(
        question="q",
        audience=Audience.PATIENT,
        kind=AnswerKind.ANSWER,
        triaged=Triaged(Urgency.NONE, "nothing found", 0.0),
        guidance=(),
        confidence=0.9,
        level=level,
        pinned=False,
        passages=(passage,),
        notices=(),
        generation="g",
        elapsed_ms=1.0,
    )


def test_a_citation_is_one_line() -> None:
    """Title and headings, the page by its label and its place, version, approval date and file."""
    assert citation_text(CITATION) == (
        "Aftercare guide › Getting home, page 1 (number 3 in the file), version 2.1, approved 2026-03-01, patient/a.pdf"
    )


@pytest.mark.parametrize("text", ["red \x1b[31malert", "bell \x07", "turned \u202e around", "line \u2028 end"])
def test_document_text_cannot_steer_a_terminal(text: str) -> None:
    """Escape sequences and direction marks in a document are shown as escapes."""
    shown = answer_text(answer_with(text), Settings())
    assert all(character.isprintable() or character == "\n" for character in shown)


def test_the_urgent_lines_come_first() -> None:
    """Crisis and emergency guidance stands above every answer, and the lead-in above its list."""
    lines = answer_text(answer_with("Drink water."), Settings()).splitlines()
    assert lines[:2] == [Settings().urgent.crisis, Settings().urgent.emergency]
    assert lines[-2:] == ["    Remember:", "    Drink water."]


@pytest.mark.parametrize(("level", "said"), [(Level.LIKELY, "Likely answer."), (Level.POSSIBLE, "Possible answer.")])
def test_how_sure_an_answer_is_stands_above_it(level: Level, said: str) -> None:
    """The level and what it means are said before the first passage, never as a number."""
    above = answer_text(answer_with("Drink water.", level), Settings()).split("[1]")[0]
    assert said in above
    assert "0.9" not in above
    assert "90" not in above


def test_an_answer_without_a_level_says_nothing_of_it() -> None:
    """Where nothing was judged, nothing is claimed."""
    assert "answer." not in answer_text(answer_with("Drink water.", None), Settings()).split("[1]")[0]


def test_guidance_comes_before_everything() -> None:
    """In danger its sentences stand first, framed; then the notices, and the passages last."""
    lines = ("Call 911 now.", "Stay with the person.")
    reply = replace(answer_with("Drink water."), kind=AnswerKind.URGENT, guidance=lines, notices=("Ask your nurse.",))
    text = answer_text(reply, Settings())
    order = [text.index(each) for each in ("=====", *lines, Settings().urgent.crisis, "Ask your nurse.", "[1]")]
    assert order == sorted(order)
    assert order[0] == 0
    assert text.count("=" * 100) == 2


def test_notices_stand_above_the_passages() -> None:
    """What a question for advice is told is read before any passage."""
    text = answer_text(replace(answer_with("Drink water."), notices=("Your nurse can tell you.",)), Settings())
    assert text.index("Your nurse can tell you.") < text.index("[1]")


MARKED = [
    ({"audience": Audience.STAFF}, "(staff only)"),
    ({"status": Status.DRAFT}, "(draft)"),
    ({"audience": Audience.STAFF, "status": Status.WITHDRAWN}, "(staff only, withdrawn)"),
    ({"overdue_since": date(2026, 3, 3)}, "(review overdue since March 3, 2026)"),
]


@pytest.mark.parametrize(("changes", "mark"), MARKED)
def test_staff_see_why_patients_do_not_get_a_passage(changes: dict[str, object], mark: str) -> None:
    """A passage, and a further source of it, say in words what keeps them from patients; a patient is never told."""
    marked = replace(CITATION, **changes)  # type: ignore[arg-type] # of several types
    for citation in (marked, replace(CITATION, also_in=(marked,))):
        reply = answer_with("Drink water.", citation=citation)
        assert mark not in answer_text(reply, Settings())
        assert answer_text(replace(reply, audience=Audience.STAFF), Settings()).count(mark) == 1


def test_what_patients_get_has_no_mark() -> None:
    """A passage that everybody gets is shown to staff as it is."""
    assert staff_marks(CITATION) == ()


@pytest.mark.parametrize(
    ("kind", "label", "said"),
    [
        (PageKind.SLIDE, "3", "slide 3, "),
        (PageKind.SHEET, "Prices", "sheet Prices (number 3 in the file), "),
    ],
)
def test_a_citation_names_slides_and_sheets(kind: PageKind, label: str, said: str) -> None:
    """What is no page is not called one."""
    assert said in citation_text(replace(CITATION, page_kind=kind, page_label=label))


def test_a_citation_says_that_its_text_was_recognised() -> None:
    """Text that was read from a picture may be wrong, and whoever reads it is told."""
    assert "text recognised from a picture" in citation_text(replace(CITATION, recognised=True))
