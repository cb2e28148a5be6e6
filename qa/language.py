"""Which language a question is in, when that is plain.

The packaged model knows English; a question in another language would be answered with passages that only look right.
But patients type fast and misspell, so a question counts as foreign only on strong evidence: nearly certain for another
language and nearly impossible for each of the clinic's own.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lingua import LanguageDetector

# The languages told apart; a longer list makes short English questions look foreign.
_TOLD_APART = ("en", "es", "fr", "de", "pt", "it")
_CERTAIN = 0.95
_IMPOSSIBLE = 0.02
_LEAST_WORDS = 3
# Words that only English has among the languages told apart: one is enough, whatever stands beside it.
_ENGLISH_ONLY = frozenset(
    "the what how is are does did can could should would will when where why who my your with after".split()
)


def foreign_language(question: str, own: Iterable[str]) -> str | None:
    """The code of the question's language when it is plainly none of `own`, "other" for another script, else None."""
    languages = set(own)
    letters = [letter for letter in question if letter.isalpha()]
    latin = sum(unicodedata.name(letter, "").startswith("LATIN") for letter in letters)
    if languages <= set(_TOLD_APART) and letters and latin < len(letters) / 2:
        return "other"
    words = question.lower().split()
    if len(words) < _LEAST_WORDS or not languages <= set(_TOLD_APART):
        return None
    if "en" in languages and not _ENGLISH_ONLY.isdisjoint(words):
        return None
    confidence = {
        value.language.iso_code_639_1.name.lower(): value.value
        for value in _detector().compute_language_confidence_values(question)
    }
    best = max(confidence, key=lambda code: confidence[code])
    if confidence[best] >= _CERTAIN and all(confidence[code] <= _IMPOSSIBLE for code in languages):
        return best
    return None


@cache
def _detector() -> LanguageDetector:
    from lingua import IsoCode639_1, LanguageDetectorBuilder

    codes = [getattr(IsoCode639_1, code.upper()) for code in _TOLD_APART]
    return LanguageDetectorBuilder.from_iso_codes_639_1(*codes).with_low_accuracy_mode().build()
