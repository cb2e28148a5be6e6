"""A question as it is searched: its vectors, its terms, and how much each of them tells.

Words that no document has are first read as what they probably mean: an abbreviation or a lay word of the glossary, or
a slip of the fingers for a word that the documents have. Words that some document has stay as they are: in patients'
stories, adding the glossary's words for those moved the ranking away from what was asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from qa.embed import Embedder, Tokens, Vectors, unit
from qa.glossary import Glossary
from qa.index.contract import PassageIndex
from qa.passage_vectors import word_tokens
from qa.sentences import sentences
from qa.terms import term_spans

_SHORTEST_SENTENCE = 3  # tokens; "Thanks." asks nothing


@dataclass(frozen=True, slots=True)
class Reading:
    """A stretch of the question, and what it was read as."""

    start: int
    end: int
    written: str
    read_as: str


@dataclass(frozen=True, slots=True)
class Query:
    """`text` is the question as asked, `searched` the same after `readings`.

    `vector` has shape (dimension,) and `asking` one row for each sentence of the question. `terms` are without
    repetitions. `words` has the vector of each word that tells something, `weights` what part of the question's
    information it carries (they sum to 1, or to 0 where no document has any of them). `information` is the sum of the
    idf of the question's terms, and `known` the part of it in terms that stand anywhere in the index.
    """

    text: str
    searched: str
    readings: tuple[Reading, ...]
    vector: Vectors
    asking: Vectors
    terms: tuple[str, ...]
    words: Vectors
    weights: Vectors
    information: float
    known: float


def read_query(question: str, *, index: PassageIndex, embedder: Embedder, glossary: Glossary) -> Query:
    """Encode a question, which must not be blank, in one pass through the model."""
    readings = tuple(_readings(question, index, embedder, glossary))
    searched = _with_readings(question, readings)
    vectors, (tokens,) = embedder.encode_tokens([searched])
    terms = tuple(dict.fromkeys(term for term, _, _ in term_spans(searched)))
    tells, held = index.information(terms)
    total = float(tells.sum())
    of_word, words = word_tokens(searched, tokens)
    place = {term: number for number, term in enumerate(terms)}
    counts = {term: of_word.count(term) for term in set(of_word)}
    weights = np.array(
        [tells[place[term]] / counts[term] if held[place[term]] else 0.0 for term in of_word], dtype=np.float32
    )
    return Query(
        text=question,
        searched=searched,
        readings=readings,
        vector=vectors[0],
        asking=_asking(searched, tokens, vectors[0]),
        terms=terms,
        words=words.vectors,
        weights=weights / max(float(weights.sum()), float(np.finfo(np.float32).tiny)),
        information=total,
        known=float(tells[held].sum()) / total if total else 0.0,
    )


def _readings(question: str, index: PassageIndex, embedder: Embedder, glossary: Glossary) -> Iterator[Reading]:
    spans = term_spans(question)
    _, held = index.information([term for term, _, _ in spans])
    unknown = [span for span, known in zip(spans, held.tolist(), strict=True) if not known]
    explained = glossary.expansions(question)
    for start, end in sorted(
        {(each.start, each.end) for each in explained} | {(start, end) for _, start, end in unknown}
    ):
        inside = [term for term, first, after in unknown if start <= first and after <= end]
        meanings = next((each.meanings for each in explained if (each.start, each.end) == (start, end)), None)
        within_entry = any(each.start <= start and end <= each.end for each in explained)
        if meanings is not None and inside:
            yield Reading(start, end, question[start:end], ", ".join(meanings))
        elif not within_entry and not embedder.knows(question[start:end]):
            nearest = index.nearest_word(question[start:end])
            if nearest is not None:
                yield Reading(start, end, question[start:end], nearest)


def _with_readings(question: str, readings: tuple[Reading, ...]) -> str:
    pieces = []
    done = 0
    for reading in readings:
        pieces += [question[done : reading.start], reading.read_as]
        done = reading.end
    return "".join([*pieces, question[done:]])


def _asking(question: str, tokens: Tokens, whole: Vectors) -> Vectors:
    """A vector for each sentence of the question, or the whole one's where it has no two."""
    rows = []
    for start, end in sentences(question):
        within = (tokens.spans[:, 0] >= start) & (tokens.spans[:, 1] <= end)
        if within.sum() >= _SHORTEST_SENTENCE:
            rows.append(tokens.vectors[within].mean(axis=0))
    return unit(np.stack(rows)) if len(rows) > 1 else whole.reshape(1, -1)
