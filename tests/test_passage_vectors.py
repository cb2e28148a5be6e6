from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from builders import coded
from conftest import WordEmbedder

from qa.embed import Tokens, Vectors
from qa.models import EmbeddedText
from qa.passage_vectors import PassageVectors, word_tokens


def words_of(text: str, embedder: WordEmbedder) -> tuple[list[str], list[str]]:
    """The terms that `word_tokens` gives, and what stands at their spans."""
    _, (tokens,) = embedder.encode_tokens([text])
    terms, kept = word_tokens(text, tokens)
    return terms, [text[start:end] for start, end in kept.spans]


def test_only_words_that_tell_something_have_tokens(embedder: WordEmbedder) -> None:
    """Words that stand in any question are left out; each other token comes with its term."""
    assert words_of("May the driving wait? Costs!", embedder) == (
        ["may", "drive", "wait", "cost"],
        ["May", "driving", "wait", "Costs"],
    )
    assert words_of("Can I do it?", embedder) == ([], [])


def test_every_token_of_a_word_has_its_term(embedder: WordEmbedder) -> None:
    """A word that the model reads in several tokens keeps all of them under its one term."""
    terms, spelled = words_of("Don’t eat", embedder)
    assert spelled == ["Don", "t", "eat"]
    assert terms == ["don't", "don't", "eat"]


def test_marks_belong_to_no_word() -> None:
    """A token that stands between words, or after the last, is left out."""
    axes = np.eye(4, dtype=np.float32)
    tokens = Tokens(axes, np.array([[0, 4], [5, 6], [7, 11], [11, 12]], dtype=np.int32))
    terms, kept = word_tokens("cost - home.", tokens)
    assert terms == ["cost", "home"]
    assert kept.vectors.tolist() == axes[[0, 2]].tolist()


def test_words_are_grouped_by_front_and_sentence(embedder: WordEmbedder) -> None:
    """The first segment is what stands in front, then there is one for each sentence, empty ones included."""
    front = "Driving home\nCosts\n"
    text = EmbeddedText(front + "Nausea passes. Is it? The cost of ketamine.\nFasting", len(front))
    (made,), codec = coded(embedder, [text])
    assert made.segments == (3, 2, 0, 2, 1)
    # Driving, home, Costs (no word that the embedder knows); nausea, passes; cost, ketamine; fasting.
    assert codec.decode(made.codes).argmax(axis=1).tolist() == [1, 6, 6, 2, 6, 3, 4, 0]
    assert made.vector == pytest.approx(embedder.encode([text.text])[0])


def test_each_text_has_its_own_words(embedder: WordEmbedder) -> None:
    """Texts that are encoded together come back apart, in their order, also those without a word."""
    made, codec = coded(embedder, [EmbeddedText(text, 0) for text in ("driving cost", "Is it?", "nausea")])
    assert [vectors.segments for vectors in made] == [(0, 2), (0, 0), (0, 1)]
    assert [codec.decode(vectors.codes).argmax(axis=1).tolist() for vectors in made] == [[1, 3], [], [2]]


def test_words_that_the_model_did_not_read_have_no_codes() -> None:
    """Of a text beyond the model's limit the last sentences have no words, and are still counted."""

    class Short(WordEmbedder):
        def encode_tokens(self, texts: Sequence[str]) -> tuple[Vectors, list[Tokens]]:
            vectors, tokens = super().encode_tokens(texts)
            return vectors, [Tokens(each.vectors[:2], each.spans[:2]) for each in tokens]

    (made,), _ = coded(Short(), [EmbeddedText("Driving costs. Nausea passes. Fasting.", 0)])
    assert made.segments == (0, 2, 0, 0)


def test_segments_and_codes_must_agree() -> None:
    """Vectors whose segments count other words than there are codes are not made."""
    with pytest.raises(ValueError, match="segments of 3 words but 2 codes"):
        PassageVectors(np.ones(1, dtype=np.float32), (1, 2), np.zeros((2, 4), dtype=np.uint8))
