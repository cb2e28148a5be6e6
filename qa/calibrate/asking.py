"""Asking the questions of an index, with what answers them and without it.

A question without its answer is made by hiding what answers: the whole document, every document with the same heading,
and every passage that says nearly the same (`_RELATED`). What a clinic writes in three places is still there otherwise,
and an answered question would be taken for an unanswerable one.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import astuple
from statistics import fmean
from typing import Final

import numpy as np

from qa.calibrate.fitting import Sample
from qa.calibrate.made_questions import MadeQuestion, Section
from qa.confidence import chosen
from qa.embed import Embedder
from qa.glossary import load_glossary
from qa.index.contract import Mask, PassageIndex
from qa.models import Evidence, Passage
from qa.questions import LabelledQuestion
from qa.retrieve import Query, Retrieved, find, read_query
from qa.settings import Retrieval

DOCUMENTS: Final = "documents"
CLINIC: Final = "clinic"
LOOKED_AT: Final = 3  # passages of an answer that a person reads
_RELATED: Final = 0.5  # cosine from which a passage of another document may answer what a section answers
_MOST_RELATED: Final = 200
_SECTION_CHARACTERS: Final = 1500  # about what a model reads
_CLINIC_REPEATS: Final = 3.0  # a question that a person labelled counts as so many made ones
# A question without its answer is ambiguous where the measures of words and meaning fall by no more than this, on
# average.
_SMALL_FALL: Final = 0.1
_COMPARED: Final = ("similarity", "coverage", "late", "sentence", "asking")


class Asker:
    """Asks questions of what one audience may see today: `mask`, or everything."""

    def __init__(self, index: PassageIndex, embedder: Embedder, settings: Retrieval, mask: Mask | None) -> None:
        self._index = index
        self._embedder = embedder
        self._settings = settings
        self._documents = index.documents()
        size = max((document.passages.stop for document in self._documents), default=0)
        self._mask = mask if mask is not None else np.ones(size, dtype=bool)

    def made(
        self, questions: Sequence[MadeQuestion], same_heading: Mapping[Section, frozenset[str]]
    ) -> Iterator[tuple[Sample | None, Sample | None]]:
        """Each question as it is and, where it was answered rightly, without its answer; None where ambiguous.

        A question that found another place than its own is ambiguous where that place is at least as near by every
        measure: documents repeat themselves, and only one of the places is known to be right.
        """
        related: dict[Section, list[int]] = {}
        for question in questions:
            section = question.section
            if section not in related:
                related[section] = self._related(section)
            twins = self._index.passages(related[section])
            query = self._read(question.text)
            found = self._find(query, self._mask)

            def answers(passage: Passage, question: MadeQuestion = question, twins: list[Passage] = twins) -> bool:
                return question.answered_by(passage) or any(_overlap(passage, twin) for twin in twins)

            right = _right(found, answers)
            yield (
                None
                if not right and self._as_good(question, found)
                else Sample(chosen(found.evidence), True, right, _group(section), DOCUMENTS),
                self._without_answer(query, section, same_heading[section], related[section], found) if right else None,
            )

    def _as_good(self, question: MadeQuestion, found: Retrieved) -> bool:
        """Whether one of the first hits is at least as near as the best passage that the question was made from."""
        passages = self._index.passages([candidate.number for candidate in found.compared])
        own = next(
            (
                candidate.signals
                for candidate, passage in zip(found.compared, passages, strict=True)
                if question.answered_by(passage)
            ),
            None,
        )
        return own is not None and any(
            min(map(operator.sub, astuple(hit.candidate.signals), astuple(own))) >= 0 for hit in found.hits[:LOOKED_AT]
        )

    def foreign(self, questions: Sequence[str]) -> Iterator[Sample]:
        """Questions that nothing answers."""
        for question in questions:
            yield Sample(chosen(self._ask(question, self._mask).evidence), False, False, question, DOCUMENTS)

    def labelled(self, questions: Sequence[LabelledQuestion]) -> Iterator[Sample]:
        """A clinic's own questions, with places that answer or with none."""
        titles = {document.id: document.metadata.title for document in self._documents}
        for question in questions:
            found = self._ask(question.text, self._mask)

            def answers(passage: Passage, question: LabelledQuestion = question) -> bool:
                return any(place.holds(passage, titles[passage.document_id]) for place in question.places)

            yield Sample(
                chosen(found.evidence),
                bool(question.places),
                _right(found, answers),
                question.text,
                CLINIC,
                repeats=_CLINIC_REPEATS,
            )

    def _ask(self, question: str, mask: Mask) -> Retrieved:
        return self._find(self._read(question), mask)

    def _read(self, question: str) -> Query:
        glossary = load_glossary(self._settings.glossary)
        return read_query(question, index=self._index, embedder=self._embedder, glossary=glossary)

    def _find(self, query: Query, mask: Mask) -> Retrieved:
        return find(query, index=self._index, mask=mask, settings=self._settings, top=LOOKED_AT)

    def _related(self, section: Section) -> list[int]:
        """The passages of other documents that say nearly what the section says."""
        text = "\n".join((section.title, *section.headings, *section.texts))[:_SECTION_CHARACTERS]
        ranking = self._index.dense(self._embedder.encode([text])[0], _MOST_RELATED, self._mask)
        near = [int(number) for number in ranking.numbers[ranking.scores >= _RELATED]]
        own = self._index.document(section.document).passages
        return [number for number in near if number not in own]

    def _without_answer(
        self, query: Query, section: Section, same_heading: frozenset[str], related: Sequence[int], found: Retrieved
    ) -> Sample | None:
        mask = self._mask.copy()
        mask[list(related)] = False
        for document in self._documents:
            if document.id == section.document or document.id in same_heading:
                mask[document.passages] = False
        without = self._find(query, mask)
        if is_ambiguous(found.evidence, without.evidence):
            return None
        return Sample(chosen(without.evidence), False, False, _group(section), DOCUMENTS)


def is_ambiguous(with_answer: Evidence, without: Evidence) -> bool:
    """Whether the evidence is about as good without what answers, on average: then something else may well answer."""
    falls = [float(getattr(with_answer, name) - getattr(without, name)) for name in _COMPARED]
    return fmean(falls) <= _SMALL_FALL


def _right(found: Retrieved, answers: Callable[[Passage], bool]) -> bool:
    return any(answers(passage) for hit in found.hits[:LOOKED_AT] for passage in (hit.passage, *hit.also_in))


def _overlap(one: Passage, other: Passage) -> bool:
    return one.document_id == other.document_id and one.start < other.end and other.start < one.end


def _group(section: Section) -> str:
    return "\n".join((section.document, *section.headings))
