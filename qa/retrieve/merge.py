"""Hits that belong together: neighbours become one, and the same text in several places is shown once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from qa.index.contract import PassageIndex
from qa.models import Hit, Passage, passage_id

_NEGATIONS = frozenset(
    "no not never none nor without cannot can't don't doesn't didn't won't isn't aren't mustn't".split()
)
_TOKEN = re.compile(r"\w+(?:[.,:'’]\w+)*")


def merge_neighbours(hits: Sequence[Hit], index: PassageIndex, most_tokens: int) -> list[Hit]:
    """Hits that follow each other in one section become one, while they have at most `most_tokens` together.

    The merged hit takes the place and score of the better one.
    """
    merged: list[Hit] = []
    for hit in hits:
        for place, earlier in enumerate(merged):
            follows, precedes = hit.numbers.start == earlier.numbers.stop, hit.numbers.stop == earlier.numbers.start
            if not (follows or precedes) or not _one_section(earlier.passage, hit.passage):
                continue
            if earlier.passage.tokens + hit.passage.tokens > most_tokens:
                continue
            pair = (earlier, hit) if follows else (hit, earlier)
            merged[place] = replace(
                earlier,
                passage=_joined(pair[0].passage, pair[1].passage, index),
                numbers=range(pair[0].numbers.start, pair[1].numbers.stop),
            )
            break
        else:
            merged.append(hit)
    # What was put together may have become the neighbour of another.
    return merged if len(merged) == len(hits) else merge_neighbours(merged, index, most_tokens)


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


def _one_section(first: Passage, second: Passage) -> bool:
    return first.document_id == second.document_id and first.headings == second.headings


def _joined(first: Passage, second: Passage, index: PassageIndex) -> Passage:
    text = index.source(first.document_id).text
    return replace(
        first,
        id=passage_id(first.document_id, (first.start, second.end)),
        text=text[first.start : second.end],
        end=second.end,
        pages=tuple(sorted({*first.pages, *second.pages})),
        tokens=first.tokens + second.tokens,
    )
