"""The one or two sentences of a passage that answer best, by the meaning of their words."""

from __future__ import annotations

from collections.abc import Sequence

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


def highlights(hit: Hit, query: Query, index: PassageIndex) -> tuple[Span, ...]:
    """Spans in the hit's text, in their order: never all of it, and none where no word comes near."""
    spans: list[Span] = []
    nearness: list[float] = []
    parts = index.passages(hit.numbers)
    matches = index.match(query.words, hit.numbers)
    for place, part in enumerate(parts):
        own = sentences(part.text)
        first = matches.starts[place] + 1  # after what stands in front of the passage
        scores = matches.best[first : first + len(own)] @ query.weights
        offset = part.start - hit.passage.start
        spans += [(start + offset, end + offset) for start, end in own]
        nearness += [float(score) for score in scores]
    return tuple(sorted(spans[place] for place in _best(nearness)))


def _best(nearness: Sequence[float]) -> list[int]:
    order = sorted(range(len(nearness)), key=lambda place: (-nearness[place], place))[: min(_MOST, len(nearness) - 1)]
    return [place for place in order if nearness[place] > _NOTHING and nearness[place] >= _SECOND * nearness[order[0]]]
