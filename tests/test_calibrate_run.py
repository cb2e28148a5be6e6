from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from builders import H, P, document, entry, paragraphs_as_passages

from qa.audience import Audience
from qa.calibrate import Uncalibrated, calibrate
from qa.confidence import Calibration
from qa.index.contract import IndexedDocument, Mask, Ranking
from qa.models import Evidence, Passage
from qa.questions import LabelledQuestion, Place
from qa.settings import Answering, Retrieval
from qa.terms import terms

TODAY = date(2026, 11, 23)


def name(number: int) -> str:
    """A made-up word that nothing else holds."""
    return "".join(chr(ord("a") + int(digit)) * 2 for digit in f"{number:04}") + "ology"


def words(first: int, count: int) -> str:
    return " ".join(name(number) for number in range(first, first + count))


class OwnWordsIndex:
    """Documents of one section each, in words that no other document has. Nothing is related to anything."""

    def __init__(self, count: int) -> None:
        read = [
            entry(
                f"{number:03}.md",
                document((H, words(10 * number, 3)), (P, words(10 * number + 1, 8))),
                title="Leaflet",
            )
            for number in range(count)
        ]
        self._passages = [passage for each in read for passage in paragraphs_as_passages(each)]
        self._passages = [
            replace(passage, headings=(each.document.text.splitlines()[0],))
            for each, passage in zip(read, self._passages, strict=True)
        ]
        self._documents = tuple(
            IndexedDocument(each.id, each.digest, each.metadata, range(number, number + 1))
            for number, each in enumerate(read)
        )

    def eligible(self, _today: date) -> Mask | None:
        return None

    def documents(self) -> tuple[IndexedDocument, ...]:
        return self._documents

    def document(self, document_id: str) -> IndexedDocument:
        return next(each for each in self._documents if each.id == document_id)

    def passages(self, numbers: Iterable[int]) -> list[Passage]:
        return [self._passages[number] for number in numbers]

    def dense(self, _vector: object, _n: int, _mask: Mask | None) -> Ranking:
        return Ranking(np.array([0, 1]), np.array([0.2, 0.1], dtype=np.float32))


class NoEmbedder:
    def encode(self, texts: list[str]) -> Any:
        return np.zeros((len(texts), 2), dtype=np.float32)


def by_shared_terms(question: str, *, index: OwnWordsIndex, mask: Mask, **_settings: object) -> SimpleNamespace:
    """The three passages of `mask` that share most terms with the question; the share is all the evidence."""
    asked = set(terms(question))
    shares = [
        (len(asked & set(terms(" ".join((*passage.headings, passage.text))))) / max(len(asked), 1), -number)
        for number, passage in enumerate(index.passages(range(len(index.documents()))))
        if mask[number]
    ]
    best = sorted(shares, reverse=True)[:3]
    hits = [SimpleNamespace(passage=index.passages([-number])[0], also_in=()) for share, number in best if share]
    share = best[0][0] if best else 0.0
    return SimpleNamespace(hits=hits, evidence=Evidence(*[share] * 9))


@pytest.fixture(autouse=True)
def shared_terms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qa.calibrate.asking.retrieve", by_shared_terms)


def calibrated(count: int, **more: Any) -> Calibration | Uncalibrated:
    return calibrate(
        OwnWordsIndex(count),  # type: ignore[arg-type] # what is asked of it
        NoEmbedder(),  # type: ignore[arg-type] # likewise
        Retrieval(),
        Answering(most_wrong=0.1, **more.pop("answering", {})),
        audience=Audience.PATIENT,
        today=TODAY,
        made_for="digest",
        **more,
    )


def test_a_calibration_tells_what_is_there_from_what_is_not() -> None:
    """With the answering document the probability is above the threshold, without any shared word it is below."""
    made = calibrated(100)
    assert isinstance(made, Calibration)
    assert (made.audience, made.made_for, made.made_on) == (Audience.PATIENT, "digest", TODAY)
    assert made.probability(Evidence(*[1.0] * 9)) >= made.confidence.threshold > made.probability(Evidence(*[0.1] * 9))
    measured = made.measured["documents"]
    assert measured.answerable > 250
    assert measured.unanswerable > 300  # foreign ones and those whose document was hidden
    share = measured.wrong_share(made.expected_unanswerable)
    assert share is not None
    assert share <= 0.1


def test_the_same_documents_give_the_same_calibration() -> None:
    """Nothing is left to chance."""
    assert calibrated(60) == calibrated(60)


def test_few_sections_are_not_calibrated() -> None:
    """A tiny corpus gives a reason with the number found and the number needed."""
    made = calibrated(5)
    assert isinstance(made, Uncalibrated)
    assert "5 sections" in made.reason
    assert "20" in made.reason


def test_a_clinics_own_questions_are_measured_apart() -> None:
    """Labelled questions of the audience count by themselves; those of the other audience do not count."""
    questions = [
        LabelledQuestion(words(10, 3), (Place("001.md"),)),
        LabelledQuestion("what about parking", ()),
        LabelledQuestion("for staff", (), audience=Audience.STAFF),
    ]
    made = calibrated(100, questions=questions)
    assert isinstance(made, Calibration)
    assert (made.measured["clinic"].answerable, made.measured["clinic"].unanswerable) == (1, 1)
    assert made.fitted_on["clinic"] == 2


def test_a_clinics_list_of_foreign_questions_is_used(tmp_path: Path) -> None:
    """Its questions are asked in place of the packaged ones."""
    own = tmp_path / "foreign.txt"
    own.write_text("who won the cup\nhow deep is the sea\n", encoding="utf-8")
    packaged, ours = calibrated(60), calibrated(60, answering={"foreign_questions": own})
    assert isinstance(packaged, Calibration)
    assert isinstance(ours, Calibration)
    assert packaged.measured["documents"].unanswerable - ours.measured["documents"].unanswerable == 298
