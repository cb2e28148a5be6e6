"""Questions for which the clinic chose the passage that comes first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from qa.audience import Audience, can_read
from qa.index.contract import Mask, PassageIndex
from qa.models import Candidate, Hit, Signals
from qa.questions import LabelledQuestion, Place
from qa.retrieve import Retrieved
from qa.terms import terms

_NOTHING = Signals(similarity=0.0, asking=0.0, words=0.0, late=0.0, sentence=0.0)


def pinned_question(question: str, audience: Audience, pinned: Sequence[LabelledQuestion]) -> LabelledQuestion | None:
    """The pinned question that has the same words, but for their order, endings, capitals and words like "the"."""
    asked = frozenset(terms(question))
    if not asked:
        return None
    return next(
        (each for each in pinned if can_read(audience, each.audience) and frozenset(terms(each.text)) == asked), None
    )


def put_first(found: Retrieved, place: Place, index: PassageIndex, mask: Mask | None) -> Retrieved | None:
    """The hits with the best passage of `place` in front; None where the place is not there or may not be shown."""
    document = next((each for each in index.documents() if Place(place.document).covers(each.id, ())), None)
    if document is None:
        return None
    held = [
        number
        for number, passage in zip(document.passages, index.passages(document.passages), strict=True)
        if place.holds(passage, document.metadata.title) and (mask is None or mask[number])
    ]
    if not held:
        return None
    shown = next((hit for hit in found.hits if set(hit.numbers) & set(held)), None)
    if shown is None:
        compared = next((candidate for candidate in found.compared if candidate.number in held), None)
        candidate = compared or Candidate(held[0], 0.0, None, None, _NOTHING)
        numbers = range(candidate.number, candidate.number + 1)
        shown = Hit(index.passages(numbers)[0], candidate, numbers)
    others = [hit for hit in found.hits if hit is not shown]
    return replace(found, hits=(shown, *others)[: max(len(found.hits), 1)])
