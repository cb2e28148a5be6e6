"""The one or two sentences of a passage that answer best, by the meaning of their words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qa.index.contract import PassageIndex
from qa.models import Hit
from qa.offsets import Span
from qa.retrieve import Query
from qa.sentences import sentences

_MOST = 2
# A second sentence is marked when its words come at least this near, as a part of the first's. Chosen on covid-qa,
# where 0.8 marks a sentence of the answer about as often as marking two each time, and marks less.
_SECOND = 0.8
_NOTHING = 1e-3  # what is left of a cosine of 0 after rounding


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a hit: its place in the hit's text, and how near its words come to the question's.

    `number` counts from 1 through all sentences of the hit.
    """

    number: int
    span: Span
    nearness: float


def highlights(hit: Hit, query: Query, index: PassageIndex) -> tuple[Sentence, ...]:
    """The sentences to mark, in their order: never all of them, and none where no word comes near."""
    return _best(sentences_of(hit, query, index))


def sentences_of(hit: Hit, query: Query, index: PassageIndex) -> list[Sentence]:
    """All sentences of a hit, in their order."""
    found: list[Sentence] = []
    parts = index.passages(hit.numbers)
    matches = index.match(query.words, hit.numbers)
    for place, part in enumerate(parts):
        own = sentences(part.text)
        first = matches.starts[place] + 1  # after what stands in front of the passage
        scores = matches.best[first : first + len(own)] @ query.weights
        offset = part.start - hit.passage.start
        for (start, end), score in zip(own, scores, strict=True):
            found.append(Sentence(len(found) + 1, (start + offset, end + offset), float(score)))
    return found


def _best(found: Sequence[Sentence]) -> tuple[Sentence, ...]:
    ranked = sorted(found, key=lambda sentence: (-sentence.nearness, sentence.number))
    kept = [
        sentence
        for sentence in ranked[: min(_MOST, len(found) - 1)]
        if sentence.nearness > _NOTHING and sentence.nearness >= _SECOND * ranked[0].nearness
    ]
    return tuple(sorted(kept, key=lambda sentence: sentence.number))
