"""Numbers as lists write them."""

from __future__ import annotations

from typing import Final

_ALPHABET: Final = 26
_MOST_LETTERS: Final = 5
_ROMAN: Final = (
    *((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl")),
    *((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")),
)


def letters(number: int) -> str:
    """1 is "a", 26 "z", 27 "aa", 28 "ab"; "" for numbers below 1."""
    written = ""
    while number > 0:
        number, place = divmod(number - 1, _ALPHABET)
        written = _letter(place) + written
    return written


def repeated_letters(number: int) -> str:
    """1 is "a", 26 "z", 27 "aa", 28 "bb", as word processors count; "" for numbers below 1 and above 130."""
    count, place = divmod(number - 1, _ALPHABET)
    return _letter(place) * (count + 1) if 0 <= count < _MOST_LETTERS else ""


def roman(number: int) -> str:
    """1 is "i", 4 "iv"; "" for numbers below 1 and above 3,999."""
    written = ""
    if 0 < number < 4000:
        for value, sign in _ROMAN:
            count, number = divmod(number, value)
            written += sign * count
    return written


def _letter(place: int) -> str:
    return chr(ord("a") + place)
