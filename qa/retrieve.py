"""Question to ranked hits: candidates by meaning and by words, fused, neighbours merged, near-duplicates collapsed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from qa.embed import Embedder
from qa.index.contract import Mask, PassageIndex, Ranking
from qa.index.lexical import terms
from qa.models import Hit, Passage, Placing
from qa.settings import Retrieval

_DEPTH = 4  # how many times more fused candidates are looked at than shown, so that merging leaves enough
_NEGATIONS = frozenset(
    "no not never none nor without cannot can't don't doesn't didn't won't isn't aren't mustn't".split()
)
_TOKEN = re.compile(r"\w+(?:[.,:'’]\w+)*")


@dataclass(frozen=True, slots=True)
class Retrieved:
    """The hits of one question, best first, and the cosine of the passage nearest in meaning (0 without any).

    `ranking` are the numbers of all candidates, best first, before merging and collapsing.
    """

    hits: tuple[Hit, ...]
    similarity: float
    ranking: tuple[int, ...]


def retrieve(
    question: str, *, index: PassageIndex, embedder: Embedder, mask: Mask | None, settings: Retrieval, top: int
) -> Retrieved:
    """The `top` hits for a question among the passages of `mask`."""
    vector = embedder.encode([question])[0]
    dense = index.dense(vector, settings.candidates, mask)
    lexical = index.lexical(list(dict.fromkeys(terms(question))), settings.candidates, mask)
    ranking = fuse(dense, lexical, settings)
    fused = ranking[: top * _DEPTH]
    passages = index.passages([number for number, _, _, _ in fused])
    hits = [
        Hit(passage=passage, score=score, dense=by_meaning, lexical=by_words)
        for (_, score, by_meaning, by_words), passage in zip(fused, passages, strict=True)
    ]
    numbers = {hit.passage.id: number for hit, (number, _, _, _) in zip(hits, fused, strict=True)}
    merged = merge_neighbours(hits, numbers, index, settings.returned_tokens)
    collapsed = collapse_duplicates(merged, settings.duplicate_overlap)
    similarity = float(dense.scores[0]) if len(dense.scores) else 0.0
    return Retrieved(
        hits=tuple(collapsed[:top]), similarity=similarity, ranking=tuple(number for number, *_ in ranking)
    )


Fused = tuple[int, float, Placing | None, Placing | None]


def fuse(dense: Ranking, lexical: Ranking, settings: Retrieval) -> list[Fused]:
    """Weighted reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009): (number, score, dense, lexical).

    A passage scores 1 / (k + rank) from the dense ranking and weight / (k + rank) from the lexical one. Ties go to the
    passage with the lower number, which stands earlier in the corpus.
    """
    by_meaning = _placings(dense)
    by_words = _placings(lexical)
    fused: list[Fused] = []
    for number in by_meaning.keys() | by_words.keys():
        meaning, words = by_meaning.get(number), by_words.get(number)
        score = 0.0
        if meaning:
            score += 1 / (settings.rrf_k + meaning.rank)
        if words:
            score += settings.lexical_weight / (settings.rrf_k + words.rank)
        fused.append((number, score, meaning, words))
    return sorted(fused, key=lambda entry: (-entry[1], entry[0]))


def merge_neighbours(hits: Sequence[Hit], numbers: dict[str, int], index: PassageIndex, most_tokens: int) -> list[Hit]:
    """Hits that follow each other in one section become one, while they have at most `most_tokens` together.

    The merged hit takes the place and score of the better one. `numbers` gives the place in the index of a passage id.
    """
    merged: list[Hit] = []
    places: list[range] = []
    for hit in hits:
        number = numbers[hit.passage.id]
        for place, (earlier, span) in enumerate(zip(merged, places, strict=True)):
            follows, precedes = number == span.stop, number == span.start - 1
            if not (follows or precedes) or not _one_section(earlier.passage, hit.passage):
                continue
            if earlier.passage.tokens + hit.passage.tokens > most_tokens:
                continue
            pair = (earlier.passage, hit.passage) if follows else (hit.passage, earlier.passage)
            merged[place] = replace(
                earlier,
                passage=_joined(*pair, index),
                merged=(*(earlier.merged or (earlier.passage.id,)), hit.passage.id),
            )
            places[place] = range(min(span.start, number), max(span.stop, number + 1))
            break
        else:
            merged.append(hit)
            places.append(range(number, number + 1))
    return merged


def collapse_duplicates(hits: Sequence[Hit], overlap: float) -> list[Hit]:
    """A hit whose text stands (nearly) whole in a better hit is named there as another source instead.

    Texts that differ in a number or a negation are never collapsed: that difference is what a reader must see.
    """
    kept: list[Hit] = []
    wordings: list[Wording] = []
    for hit in hits:
        wording = Wording.of(hit.passage.text)
        for place, (better, its) in enumerate(zip(kept, wordings, strict=True)):
            if better.passage.document_id != hit.passage.document_id and wording.is_within(its, overlap):
                kept[place] = replace(better, also_in=(*better.also_in, hit.passage, *hit.also_in))
                break
        else:
            kept.append(hit)
            wordings.append(wording)
    return kept


@dataclass(frozen=True, slots=True)
class Wording:
    """What a text is compared by: its words in lower case, and every three that follow each other."""

    words: tuple[str, ...]
    triples: frozenset[tuple[str, ...]]

    @classmethod
    def of(cls, text: str) -> Wording:
        """The wording of `text`; a text of fewer than three words is one group of them."""
        words = tuple(word.lower().replace("’", "'") for word in _TOKEN.findall(text))
        size = min(3, len(words))
        groups = (words[place : place + size] for place in range(len(words) - size + 1))
        return cls(words, frozenset(groups if words else ()))

    def is_within(self, other: Wording, overlap: float) -> bool:
        """Whether at least this part of the triples is in `other` too, with the same numbers and negations."""
        if not self.triples or len(self.triples & other.triples) < overlap * len(self.triples):
            return False
        own, others = Counter(self.words), Counter(other.words)
        different = own - others
        if len(other.words) <= len(self.words) / overlap:  # about as long: what only the other one has counts as well
            different += others - own
        return not any(word in _NEGATIONS or any(sign.isdigit() for sign in word) for word in different)


def _placings(ranking: Ranking) -> dict[int, Placing]:
    return {
        int(number): Placing(rank=rank, score=float(score))
        for rank, (number, score) in enumerate(zip(ranking.numbers, ranking.scores, strict=True), start=1)
    }


def _one_section(first: Passage, second: Passage) -> bool:
    return first.document_id == second.document_id and first.headings == second.headings


def _joined(first: Passage, second: Passage, index: PassageIndex) -> Passage:
    text = index.source(first.document_id).text
    return replace(
        first,
        id=f"{first.document_id}#{first.start}-{second.end}",
        text=text[first.start : second.end],
        end=second.end,
        pages=tuple(sorted({*first.pages, *second.pages})),
        tokens=first.tokens + second.tokens,
    )
