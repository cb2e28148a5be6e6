"""The build looks every passage up on its pages, and its report says how many it could not find there."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import NOW
from reportlab.pdfgen.canvas import Canvas

import qa.reading
from qa.build import BuildReport, build
from qa.geometry import Geometry
from qa.models import Document
from qa.report import build_summary
from qa.settings import Settings


@pytest.fixture
def corpus(settings: Settings) -> Settings:
    """A folder with a PDF file of two pages and a Markdown file."""
    folder = settings.corpus.folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "note.md").write_text("# Note\n\nNo pages here.")
    canvas = Canvas(str(folder / "leaflet.pdf"))
    for words in ("Drink a glass of water before your visit.", "Somebody takes you home after it."):
        canvas.setFont("Helvetica-Bold", 18)
        canvas.drawString(72, 740, words.split()[0])
        canvas.setFont("Helvetica", 11)
        canvas.drawString(72, 700, words)
        canvas.showPage()
    canvas.save()
    return settings


def built(settings: Settings, load_words: Any, minute: int = 0) -> BuildReport:
    return build(settings, clock=lambda: NOW + timedelta(minutes=minute), load_embedder=load_words, calibrated=False)


def test_every_passage_is_located(corpus: Settings, load_words: Any) -> None:
    """All passages of a PDF are counted as located, those of other files are not counted, and nothing is remarked."""
    report = built(corpus, load_words)
    assert (report.located, report.unlocated) == (2, 0)
    assert (report.as_json()["located"], report.as_json()["unlocated"]) == (2, 0)
    assert not report.load.warned
    assert "marks      2 of 2 passages of PDF files can be marked on their pages" in build_summary(report)


def test_passages_without_a_place_are_counted(
    corpus: Settings, load_words: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A passage of which one word has no place is a warning for its document, and a number of the report."""

    def one_lost(_path: Path, document: Document, **_: object) -> Document:
        place = document.geometry.start.index(document.text.index("glass"))
        fewer = (column[:place] + column[place + 1 :] for column in document.geometry.columns)
        return replace(document, geometry=Geometry(*fewer))

    monkeypatch.setattr(qa.reading, "confirmed", one_lost)
    report = built(corpus, load_words)
    assert (report.located, report.unlocated) == (1, 1)
    warning = "leaflet.pdf: 1 of 2 passages cannot be marked on their pages"
    assert [f"{line.path}: {found}" for line in report.load.warned for found in line.warnings] == [warning]
    assert warning in build_summary(report)
    monkeypatch.undo()
    again = built(corpus, load_words, minute=1)
    assert (again.located, again.unlocated) == (1, 1)  # what was confirmed is kept with the file
