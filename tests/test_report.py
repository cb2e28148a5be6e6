from __future__ import annotations

from datetime import date

import pytest

from qa.audience import Audience
from qa.models import Answer, AnswerKind, Citation, CitedPassage
from qa.report import answer_text, citation_text
from qa.settings import Settings

CITATION = Citation(
    document="a.pdf",
    title="Aftercare guide",
    section=("Aftercare guide", "Getting home"),
    page=3,
    page_label="1",
    pages=(3,),
    path="patient/a.pdf",
    approved_on=date(2026, 3, 1),
    review_by=None,
    version="2.1",
)


def answer_with(text: str) -> Answer:
    passage = CitedPassage("a.pdf#0-9", 1, 0.1, text, (), (0, 9), CITATION, lead_in="Remember:")
    return Answer("q", Audience.PATIENT, AnswerKind.ANSWER, None, (passage,), (), "g", 1.0)


def test_a_citation_is_one_line() -> None:
    """Title and headings, the page by its label and its place, version, approval date and file."""
    assert citation_text(CITATION) == (
        "Aftercare guide › Getting home, page 1 (sheet 3), version 2.1, approved 2026-03-01, patient/a.pdf"
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
