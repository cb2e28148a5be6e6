"""Question to ranked hits: candidates by meaning and by words, compared, merged, collapsed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qa.embed import Embedder
from qa.glossary import load_glossary
from qa.index.contract import Mask, PassageIndex
from qa.models import Candidate, Evidence, Hit
from qa.retrieve.merge import collapse_duplicates, merge_neighbours
from qa.retrieve.query import Query, Reading, read_query
from qa.retrieve.rerank import Reranker, rerank
from qa.retrieve.score import Ranked, rank
from qa.settings import Retrieval

__all__ = ["Query", "Reading", "Reranker", "Retrieved", "find", "read_query", "retrieve"]

_DEPTH = 4  # how many times more candidates are looked at than shown, so that merging leaves enough
_FIRST = 3  # hits that must answer
_TENTH = 10


@dataclass(frozen=True, slots=True)
class Retrieved:
    """The hits of one question, best first.

    `ranking` are the numbers of all candidates, best first, before merging and collapsing; `compared` those that were
    compared word by word.
    """

    query: Query
    hits: tuple[Hit, ...]
    ranking: NDArray[np.int64]
    compared: tuple[Candidate, ...]
    trust: float
    evidence: Evidence


def retrieve(
    question: str,
    *,
    index: PassageIndex,
    embedder: Embedder,
    mask: Mask | None,
    settings: Retrieval,
    top: int,
    reranker: Reranker | None = None,
) -> Retrieved:
    """The `top` hits for a question, which must not be blank, among the passages of `mask`."""
    query = read_query(question, index=index, embedder=embedder, glossary=load_glossary(settings.glossary))
    return find(query, index=index, mask=mask, settings=settings, top=top, reranker=reranker)


def find(
    query: Query,
    *,
    index: PassageIndex,
    mask: Mask | None,
    settings: Retrieval,
    top: int,
    reranker: Reranker | None = None,
) -> Retrieved:
    """The same for a question that was read before, of this index."""
    ranked = rank(query, index=index, mask=mask, settings=settings)
    first = ranked.compared[: max(top, _FIRST) * _DEPTH]  # evidence does not depend on how many are shown
    passages = index.passages([candidate.number for candidate in first])
    hits = [
        Hit(passage, candidate, range(candidate.number, candidate.number + 1))
        for candidate, passage in zip(first, passages, strict=True)
    ]
    found = _put_together(hits, index, settings)
    shown = found
    if reranker is not None:
        shown = _put_together(rerank(query.text, hits, settings.reranked, reranker), index, settings)
    return Retrieved(
        query=query,
        hits=shown[:top],
        ranking=ranked.ranking,
        compared=ranked.compared,
        trust=ranked.trust,
        evidence=_evidence(query, found, ranked),  # as it was calibrated: without a reranker
    )


def _put_together(hits: list[Hit], index: PassageIndex, settings: Retrieval) -> tuple[Hit, ...]:
    """Neighbours merged, repeated texts shown once."""
    merged = merge_neighbours(hits, index, settings.returned_tokens)
    return tuple(collapse_duplicates(merged, settings.duplicate_overlap))


def _evidence(query: Query, hits: tuple[Hit, ...], ranked: Ranked) -> Evidence:
    signals = [hit.candidate.signals for hit in hits[:_FIRST]]
    tenth = ranked.compared[:_TENTH][-1:]
    return Evidence(
        similarity=max((each.similarity for each in signals), default=0.0),
        coverage=max((each.words for each in signals), default=0.0),
        late=max((each.late for each in signals), default=0.0),
        sentence=max((each.sentence for each in signals), default=0.0),
        asking=max((each.asking for each in signals), default=0.0),
        margin=ranked.compared[0].score - tenth[0].score if tenth else 0.0,
        known=query.known,
        agreement=ranked.agreement,
        length=float(len(query.terms)),
    )
