"""The terms that words are searched by: lower case, without accents and endings, without words that rank nothing."""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from Stemmer import Stemmer

# Raised figures are marks of footnotes, or powers: no part of a word.
_LETTER = r"[^\W¹²³⁰-⁹]"
_WORD = re.compile(rf"{_LETTER}+(?:['’]{_LETTER}+)*")
# Words that stand in any question and rank nothing.
_STOP_WORDS = frozenset(
    "a an and are as at be but by can do does for from had has have how i if in is it its me my of on or our so that "
    "the their them then there these they this to was we were what when where which who why will with would you "
    "your".split()
)


@cache
def _stemmer() -> Stemmer:
    from Stemmer import Stemmer

    return Stemmer("english")


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """A word as BM25 knows it: lower case, without accents and endings."""
    plain = unicodedata.normalize("NFKD", word.lower().replace("’", "'"))
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    stemmed: str = _stemmer().stemWord(plain.removesuffix("'s"))
    return stemmed


def terms(text: str) -> list[str]:
    """The terms of a text, in order and with repetitions; words that stand in any question are left out."""
    return [term for term, _, _ in term_spans(text)]


def term_spans(text: str) -> list[tuple[str, int, int]]:
    """Each term of a text with the span of its word."""
    found = [
        (stem(word.group()), word.start(), word.end())
        for word in _WORD.finditer(text)
        if word.group().lower().replace("’", "'") not in _STOP_WORDS
    ]
    return [entry for entry in found if entry[0]]  # some signs are letters and yet leave no stem
