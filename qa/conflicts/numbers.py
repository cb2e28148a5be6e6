"""Numbers in digits and in English words: "2,400", "1.5", "½", "twenty-four", "one and a half"."""

from __future__ import annotations

import re
from typing import Final

_SMALL: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_TENS: Final = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_WORTH: Final = (
    {word: float(worth) for worth, word in enumerate(_SMALL)}
    | {word: 10.0 * worth for worth, word in enumerate(_TENS, start=2)}
    | {"hundred": 100.0, "thousand": 1000.0, "dozen": 12.0, "a": 1.0, "half": 0.5, "couple": 2.0}
)
_FRACTIONS: Final = {"½": 0.5, "¼": 0.25, "¾": 0.75, "⅓": 1 / 3, "⅔": 2 / 3}
_UNITS = "|".join(_SMALL[1:10])
_WORDS = (
    rf"(?:(?:{'|'.join(_TENS)})(?:[-\s](?:{_UNITS})\b)?|"
    rf"{'|'.join(sorted(_SMALL, key=len, reverse=True))}|a(?=\s(?:hundred|thousand|dozen|couple)\b))"
    r"(?:\s(?:hundred|thousand|dozen|couple of)\b)?(?:\s(?:and\s)?a\shalf\b)?"
)
# Nothing of it is captured.
NUMBER: Final = rf"(?:\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|\d+(?:\.\d+)?(?:\s?[½¼¾⅓⅔])?|[½¼¾⅓⅔]|\b{_WORDS}\b)"


def number_of(written: str) -> float:
    """What a text that `NUMBER` matches is worth."""
    text = written.lower().replace(",", "")
    if found := re.match(r"\d+(?:\.\d+)?", text):
        return float(found[0]) + sum(_FRACTIONS.get(sign, 0.0) for sign in text[found.end() :])
    if text in _FRACTIONS:
        return _FRACTIONS[text]
    half = 0.5 if text.endswith("a half") else 0.0
    total = 0.0
    for word in re.findall(r"[a-z]+", text.removesuffix("a half") if half else text):
        worth = _WORTH.get(word)
        if worth is None:
            continue
        total = max(total, 1.0) * worth if word in {"hundred", "thousand", "dozen", "couple"} else total + worth
    return total + half
