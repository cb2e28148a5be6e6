"""Raised and lowered figures: "10³" must not read as 103, nor "5" with the mark of footnote 2 as 52."""

from __future__ import annotations

import re

from qa.readers.pdf_words import Word

# "3", "−1", "2+", and the marks of footnotes, "1,2" and "3–5".
_RAISED = re.compile(r"[-−–+]?[0-9]+(?:[,;–-][0-9]+)*[-−+]?")
_LOWERED = re.compile(r"[0-9]+")
_SUPERSCRIPTS = str.maketrans("0123456789+-−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻")
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_FIGURE_BEFORE = re.compile(r"[0-9⁰¹²³⁴-⁹₀-₉]\Z|[⁰¹²³⁴-⁹][/⁄]\Z")


def script_of(word: Word, last: Word, base: Word) -> int:
    """1 for a word that is set small and raised beside `last`, -1 for a lowered one, else 0.

    `base` is the nearest word before it that is neither; it may be `last` itself.
    """
    if word.size >= 0.85 * base.size or word.spaced or word.x0 - last.x1 >= 0.3 * base.size:
        return 0
    rise = (base.y - word.y) / base.size
    return 1 if 0.1 < rise < 0.75 else -1 if -0.5 < rise < -0.05 else 0


def written(text: str, script: int, before: str) -> str | None:
    """A raised or lowered figure as it is to be read after `before`, with as many characters; None if it is no figure.

    Raised ones become superscripts. Lowered ones do so only after another figure: people write, and search, "CO2".
    """
    if script > 0 and _RAISED.fullmatch(text):
        return re.sub("^–", "⁻", text).translate(_SUPERSCRIPTS)
    if script < 0 and _LOWERED.fullmatch(text):
        return text.translate(_SUBSCRIPTS) if _FIGURE_BEFORE.search(before) else text
    return None
