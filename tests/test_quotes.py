"""Quotes are looked up again in their document before anybody reads them."""

from __future__ import annotations

import logging
import sqlite3
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from builders import BY_SIMILARITY, P, as_built, document, entry, index_of
from conftest import NOW, WordEmbedder

from qa.answer import answer
from qa.audience import Audience
from qa.evidence.quotes import verified
from qa.index.faiss_index import FaissIndex
from qa.index.store import PassageStore
from qa.judge import Judge
from qa.models import Answer, AnswerKind, Candidate, Hit, Page, Passage, Signals
from qa.settings import Settings

RULE = "Driving is not allowed until the next morning."
NOWHERE = Signals(similarity=0.0, asking=0.0, words=0.0, late=0.0, sentence=0.0)


@pytest.fixture
def index(tmp_path: Path, embedder: WordEmbedder) -> FaissIndex:
    read = document((P, RULE), (P, "Fasting takes eight hours."), pages=(Page("1", 0, 46), Page("2", 48, 74)))
    return index_of(tmp_path / "index", [entry("a.pdf", read), entry("b.md", RULE)], embedder)


def hit(passage: Passage, *also_in: Passage) -> Hit:
    return Hit(passage, Candidate(0, 1.0, None, None, NOWHERE), range(1), also_in)


def of_document(index: FaissIndex, number: int = 0) -> Passage:
    return index.passages([number])[0]


def test_what_stands_in_its_document_is_kept(index: FaissIndex) -> None:
    """Passages as the index gives them are left as they are, with the other places they stand in."""
    hits = [hit(of_document(index), of_document(index, 2))]
    assert verified(hits, index) == tuple(hits)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"text": "Driving is allowed until the next morning."}, "does not stand in its document"),
        ({"text": ""}, "does not stand in its document"),
        ({"start": 1}, "does not stand in its document"),
        ({"pages": (2,)}, "on the pages that it names"),
        ({"pages": ()}, "on the pages that it names"),
        ({"lead_in": "You may do all of this:"}, "introduction does not stand before it"),
        ({"document_id": "gone.pdf"}, "whose document the index has not"),
    ],
)
def test_a_quote_that_cannot_be_verified_is_left_out(
    index: FaissIndex, change: dict[str, object], said: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Another text, place, page, introduction or document than the stored one: the quote goes, and the log says why."""
    wrong = replace(of_document(index), **change)
    assert verified([hit(wrong), hit(of_document(index, 1))], index) == (hit(of_document(index, 1)),)
    assert said in caplog.text
    assert "morning" not in caplog.text


def test_another_place_that_cannot_be_verified_is_not_named(index: FaissIndex) -> None:
    """A wrong place in "also in" is dropped, and the quote itself stays."""
    wrong = replace(of_document(index, 2), text="Something else.")
    assert verified([hit(of_document(index), wrong)], index) == (hit(of_document(index)),)


def test_a_shortened_introduction_stands_before_its_list(tmp_path: Path, embedder: WordEmbedder) -> None:
    """An introduction that was cut, with three dots at its end, is verified by what is left of it."""
    read = entry("a.md", document((P, "Before driving, do all of this, in this order:"), (P, "Rest.")))
    index = index_of(tmp_path / "long", [read], embedder)
    shown = replace(of_document(index, 1), lead_in="Before driving, do all…")
    assert verified([hit(shown)], index) == (hit(shown),)


@pytest.fixture
def ask(embedder: WordEmbedder, settings: Settings) -> Callable[[FaissIndex], Answer]:
    return lambda index: answer(
        "driving",
        Audience.PATIENT,
        library=as_built(index, Judge(BY_SIMILARITY)),
        embedder=embedder,
        settings=settings,
        clock=lambda: NOW,
    )


def test_a_text_that_was_tampered_with_answers_nothing(
    index: FaissIndex, tmp_path: Path, ask: Callable[[FaissIndex], Answer], caplog: pytest.LogCaptureFixture
) -> None:
    """When a stored text changes under a running app, its passages are not shown, and nothing is called an answer."""
    assert ask(index).passages[0].text.startswith(RULE)
    changed = RULE.replace("not allowed", "allowed")
    with sqlite3.connect(tmp_path / "index" / "store.sqlite") as store:
        store.execute("update documents set text = ?", [zlib.compress(changed.encode())])
    with caplog.at_level(logging.ERROR):
        reply = ask(_as_on_disk(index, tmp_path))
    assert (reply.kind, reply.passages) == (AnswerKind.NOT_COVERED, ())
    assert "does not read as it did at the build" in caplog.text
    assert reply.notices


def _as_on_disk(index: FaissIndex, folder: Path) -> FaissIndex:
    """The same index with the store as it lies on the disk now: an app that is running does not check it again."""
    index._store = PassageStore.open(folder / "index" / "store.sqlite")
    return index


def test_the_page_is_the_one_of_the_marked_sentence(tmp_path: Path, embedder: WordEmbedder, settings: Settings) -> None:
    """Of a passage over two pages, the citation names the page on which the sentence begins that answers."""
    text = "Nausea is rare. Rest at home. Driving is out."
    read = document((P, text), pages=(Page("i", 0, 15), Page("ii", 16, len(text))))
    index = index_of(tmp_path / "two", [entry("a.pdf", read)], embedder)
    reply = answer(
        "driving",
        Audience.PATIENT,
        library=as_built(index, Judge(BY_SIMILARITY)),
        embedder=embedder,
        settings=settings,
        clock=lambda: NOW,
    )
    (cited,) = reply.passages
    assert [text[slice(*span)] for span in cited.highlights] == ["Driving is out."]
    assert cited.sentences == (3,)
    assert (cited.citation.page, cited.citation.page_label, cited.citation.pages) == (2, "ii", (1, 2))
    assert cited.citation.approved_on == date(2026, 3, 1)
