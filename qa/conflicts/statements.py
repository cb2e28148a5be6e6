"""The sentences of passages with the vectors of their words, taken from what a build has encoded anyway."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from qa.conflicts.conflict import Statement
from qa.conflicts.sentence import Sentence, Words, read_sentence
from qa.embed import Tokens, Vectors, unit
from qa.models import EmbeddedText, Passage
from qa.offsets import Span
from qa.passage_vectors import PassageVectors, word_tokens
from qa.sentences import sentences
from qa.terms import stem
from qa.token_codec import TokenCodec

Offsets = Callable[[str], list[Span]]  # where the model's tokens stand in a text


def sentences_of(
    passage: Passage, text: EmbeddedText, vectors: PassageVectors, codec: TokenCodec, offsets: Offsets
) -> Iterator[tuple[Statement, Sentence]]:
    """The sentences of a passage that say something which can be contradicted. `text` is what was embedded for it."""
    words = _all_words(text, vectors, codec, offsets)
    if words is None:
        return
    heading = passage.headings[-1] if passage.headings else ""
    at = text.text.rfind(heading, 0, text.front) if heading else -1
    above = _within(words, at, at + len(heading)) if at >= 0 else _within(words, 0, 0)
    for start, end in sentences(passage.text):
        own = _within(words, text.front + start, text.front + end)
        read = read_sentence(passage.text[start:end], own, heading, above)
        if read is not None:
            place = passage.start
            yield Statement(passage.document_id, place + start, place + end, read.text), read


def _all_words(text: EmbeddedText, vectors: PassageVectors, codec: TokenCodec, offsets: Offsets) -> Words | None:
    """All words of the text; None where it was not encoded with the tokenizer that gives these offsets."""
    places = np.array(offsets(text.text), dtype=np.int32).reshape(-1, 2)
    _, tokens = word_tokens(text.text, Tokens(np.zeros((len(places), 0), dtype=np.float32), places))
    spans = tokens.spans
    if len(spans) != len(vectors.codes) or not len(spans):
        return None
    # Pieces of one word stand side by side.
    firsts = np.flatnonzero(np.concatenate([[True], spans[1:, 0] != spans[:-1, 1]]))
    lasts = np.append(firsts[1:], len(spans)) - 1
    found = [(int(start), int(end)) for start, end in zip(spans[firsts, 0], spans[lasts, 1], strict=True)]
    whole = unit(np.add.reduceat(codec.decode(vectors.codes), firsts, axis=0))
    return Words(tuple(stem(text.text[start:end]) for start, end in found), whole, tuple(found))


def _within(words: Words, start: int, end: int) -> Words:
    """The words of a stretch, with their places in it."""
    kept = [place for place, (first, after) in enumerate(words.spans) if start <= first and after <= end]
    vectors: Vectors = words.vectors[kept]
    return Words(
        tuple(words.stems[place] for place in kept),
        vectors,
        tuple((words.spans[place][0] - start, words.spans[place][1] - start) for place in kept),
    )
