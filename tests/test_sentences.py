from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import sentencex

from qa.sentences import sentence_spans, sentences


def texts(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


def test_each_sentence_stands_without_the_space_around_it() -> None:
    """Sentences end at full stops, not at those of abbreviations and numbers, and hold no outer white space."""
    assert texts("  Dr. Ash gives 2.5 mg.  Eat nothing!   May I drink? ") == [
        "Dr. Ash gives 2.5 mg.",
        "Eat nothing!",
        "May I drink?",
    ]


def test_a_line_is_a_sentence_of_its_own() -> None:
    """List items and table rows end where their line ends, with or without a full stop; empty lines are none."""
    assert texts("Bring these:\n\nan insurance card\n \na companion. Sign here\n") == [
        "Bring these:",
        "an insurance card",
        "a companion.",
        "Sign here",
    ]


@pytest.mark.parametrize("text", ["", " ", "\n\n", " \t\n "])
def test_white_space_has_no_sentences(text: str) -> None:
    """Where there is no text there is no sentence."""
    assert sentences(text) == []


@pytest.mark.parametrize("text", ["“" * 9_000, "漢字。" * 3_000, "word " * 2_000, "Dr. Ash came. " * 700])
def test_sentences_are_looked_for_in_short_stretches(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """However long a paragraph, the sentence finder, whose time grows with the cube, gets little at once and seldom."""
    sizes: list[int] = []
    find = sentencex.get_sentence_boundaries

    def watched(language: str, stretch: str) -> Any:
        sizes.append(len(stretch))
        return find(language, stretch)

    monkeypatch.setattr(sentencex, "get_sentence_boundaries", watched)
    text = text.strip()
    spans = sentence_spans(f"before {text} after", 7, 7 + len(text))
    assert max(sizes) <= 2_000
    assert len(sizes) <= len(text) / 1_000 + 1
    covered = "".join(text[start - 7 : end - 7] for start, end in spans)
    assert "".join(covered.split()) == "".join(text.split())
    assert all(one[1] <= other[0] for one, other in pairwise(spans))


def test_long_paragraphs_are_cut_between_the_same_sentences() -> None:
    """Looking at a long paragraph in parts finds the sentences that looking at all of it would."""
    sentences = [f"Dr. Ash saw number {number}, i.e. the {number}th of May 3.5 times." for number in range(300)]
    text = " ".join(sentences)
    assert [text[start:end] for start, end in sentence_spans(text, 0, len(text))] == sentences


@pytest.mark.parametrize("mark", ["²", "¹,²", "¹⁰–¹²"])
def test_a_footnote_mark_ends_its_sentence(mark: str) -> None:
    """What stands raised after a full stop belongs to the sentence before it."""
    text = f"Come to your first visit.{mark} The nurse sees you."
    assert [text[start:end] for start, end in sentences(text)] == [
        f"Come to your first visit.{mark}",
        "The nurse sees you.",
    ]
