"""A text in stretches that are judged one by one: in a long story, one clause is what matters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from qa.triage.words import Sentence

_SHORTEST: Final = 4  # words that say something without the sentence beside them
_WINDOW: Final = 30  # words of a stretch of a long sentence
_STEP: Final = 15


@dataclass(frozen=True, slots=True)
class Unit:
    """A whole text, or a part of a long one: a sentence with or without the next one, a stretch of a long sentence.

    `words` has a full stop or a question mark after each sentence.
    """

    words: tuple[str, ...]
    is_part: bool

    @property
    def text(self) -> str:
        """As a model reads it."""
        return " ".join(self.words)


def units(sentences: Sequence[Sentence]) -> list[Unit]:
    """The whole text, and its parts where it has several sentences or is long, each once, in their order."""
    whole = as_example(sentences)
    if len(whole.words) <= _WINDOW and len(sentences) < 2:
        return [whole] if whole.words else []
    found = [whole]
    marked = [_marked(sentence) for sentence in sentences]
    for place, words in enumerate(marked):
        if len(words) > _WINDOW:
            starts = range(0, len(words) - _STEP, _STEP)
            found += [Unit(words[start : start + _WINDOW], is_part=True) for start in starts]
        elif len(words) >= _SHORTEST:
            found.append(Unit(words, is_part=True))
        both = (*words, *(marked[place + 1] if place + 1 < len(marked) else ()))
        if len(words) < len(both) <= _WINDOW:
            found.append(Unit(both, is_part=True))
    return list(dict.fromkeys(found))


def as_example(sentences: Sequence[Sentence]) -> Unit:
    """A text as one unit, however long."""
    return Unit(tuple(word for sentence in sentences for word in _marked(sentence)), is_part=False)


def _marked(sentence: Sentence) -> tuple[str, ...]:
    return (*sentence.words, "?" if sentence.asks else ".")
