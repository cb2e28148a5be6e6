"""What the index keeps of a passage's meaning: one vector for all of it, and a code for each of its words.

Words are grouped into segments: first what stands in front of the passage when it is embedded (title, headings,
lead-in), then its sentences. Words that stand in any question ("the", "my") and punctuation have no code: leaving them
out took nothing from any ranking and a third of the bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qa.embed import Tokens, Vectors
from qa.models import EmbeddedText
from qa.sentences import sentences
from qa.terms import term_spans
from qa.token_codec import Codes, TokenCodec


@dataclass(frozen=True, slots=True)
class PassageVectors:
    """`vector` has shape (dimension,); `codes` (words, bytes) holds the words of one segment after the other.

    `segments` counts the words of each segment: what stands in front, then each sentence.
    """

    vector: Vectors
    segments: tuple[int, ...]
    codes: Codes

    def __post_init__(self) -> None:
        if sum(self.segments) != len(self.codes):
            raise ValueError(f"segments of {sum(self.segments)} words but {len(self.codes)} codes")


def word_tokens(text: str, tokens: Tokens) -> tuple[list[str], Tokens]:
    """The tokens of `text` that belong to terms, and the term of each."""
    spans = term_spans(text)
    ends = np.array([end for _, _, end in spans], dtype=np.int32)
    owner = np.searchsorted(ends, tokens.spans[:, 0], side="right")
    kept = [
        (place, spans[number][0])
        for place, number in enumerate(owner)
        if number < len(spans) and tokens.spans[place, 1] > spans[number][1]
    ]
    places = [place for place, _ in kept]
    return [term for _, term in kept], Tokens(tokens.vectors[places], tokens.spans[places])


def encode_passages(
    texts: Sequence[EmbeddedText], vectors: Vectors, tokens: Sequence[Tokens], codec: TokenCodec
) -> list[PassageVectors]:
    """What the index keeps of each text, from what the embedder gave for it."""
    kept = [word_tokens(text.text, of_text)[1] for text, of_text in zip(texts, tokens, strict=True)]
    codes = codec.encode(np.concatenate([words.vectors for words in kept]))
    made = []
    first = 0
    for text, vector, words in zip(texts, vectors, kept, strict=True):
        after = first + len(words.spans)
        made.append(PassageVectors(vector, _segments(text, words), codes[first:after]))
        first = after
    return made


def _segments(text: EmbeddedText, words: Tokens) -> tuple[int, ...]:
    ends = [text.front, *(text.front + end for _, end in sentences(text.own))]
    before = np.searchsorted(words.spans[:, 0], ends, side="left")
    before[-1] = len(words.spans)
    return tuple(int(count) for count in np.diff(before, prepend=0))
