"""A spreadsheet's values as a person sees them: "$1,250.00", "15%", "3:30 PM", "24 May 2026".

The number formats are those of ISO/IEC 29500-1, 18.8.30 and 18.8.31, with English names of months and days.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, time, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from itertools import takewhile
from typing import Final, TypeAlias

from qa.readers.date_format import shown_date
from qa.readers.format_codes import Section, Token, sections_of

Value: TypeAlias = str | bool | int | float | date | time | timedelta

# How these two look is for each computer to say ("5/6/2026" is a day in May or in June): they are written out.
_COMPUTERS_OWN: Final = {"mm-dd-yy": "d mmmm yyyy", "m/d/yy h:mm": "d mmmm yyyy h:mm"}
_PRECISION: Final = 15  # digits that a spreadsheet keeps
_MOST_DIGITS: Final = 15  # of a whole number that is not written with an exponent
_GROUPS = re.compile(r"(?<=\d)(?=(?:\d{3})+$)")
_COMPARISONS: Final[dict[str, Callable[[Decimal, Decimal], bool]]] = {
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
    "=": lambda one, other: one == other,
    "<>": lambda one, other: one != other,
}


_POINT: Final = Token("sign", ".")
_COMMA: Final = Token("sign", ",")
_PERCENT: Final = Token("sign", "%")
_SLASH: Final = Token("sign", "/")


def shown(value: Value, number_format: str) -> str:
    """`value` as its cell shows it, however narrow the column is; empty where the format hides it.

    Whole numbers of up to 15 digits are written in full, where a spreadsheet has an exponent from 12 on.
    """
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    sections = sections_of(_COMPUTERS_OWN.get(number_format, number_format))
    if isinstance(value, str):
        return _text(value, sections)
    if isinstance(value, int | float):
        return _number(Decimal(repr(value)), sections)
    return shown_date(value, sections[0])


def _text(value: str, sections: Sequence[Section]) -> str:
    section = sections[3] if len(sections) > 3 else sections[-1]
    signs = [token.text for token in section.tokens if token.kind == "sign"]
    if len(sections) <= 3 and "@" not in signs:
        return value
    return "".join(value if token.text == "@" else token.text for token in section.tokens).strip()


def _number(value: Decimal, sections: Sequence[Section]) -> str:
    if not value.is_finite():
        return ""
    section, is_bare = _section_for(value, sections[:3])
    if section is None:
        return "#" * 3
    kinds = section.kinds()
    if "date" in kinds or "elapsed" in kinds:
        return shown_date(timedelta(days=float(value)), section) if 0 <= value < 3_000_000 else _general(value)
    size = abs(value)
    if "digit" in kinds or "exponent" in kinds:
        body, is_zero = _figures(size, section.tokens)
    else:
        # A format without a place for the number shows its words alone.
        parts = [
            _general(size) if token.kind == "general" or token.text == "@" else token.text for token in section.tokens
        ]
        body, is_zero = "".join(parts), value == 0
        is_bare = is_bare and bool(kinds & {"general", "sign"})
    sign = "-" if value < 0 and is_bare and not is_zero else ""
    return sign + body.strip()


def _section_for(value: Decimal, sections: Sequence[Section]) -> tuple[Section | None, bool]:
    """The section for a number, and whether it leaves a minus sign to be written."""
    if any(section.condition for section in sections):
        for section in sections:
            if section.condition is None:
                return section, True
            comparison, limit = section.condition
            if _COMPARISONS[comparison](value, limit):
                return section, not (comparison in ("<", "<=") and limit <= 0)
        return None, True
    if len(sections) == 1 or value > 0 or (value == 0 and len(sections) == 2):
        return sections[0], True
    return sections[1 if value < 0 else 2], False


def _general(value: Decimal) -> str:
    """A number without a format of its own."""
    if value == value.to_integral_value() and abs(value) < 10**_MOST_DIGITS:
        return str(int(value))
    shortest = f"{value:.10g}"
    mantissa, e, exponent = shortest.partition("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}E{exponent[0]}{int(exponent[1:]):02}" if e else mantissa


def _figures(value: Decimal, tokens: Sequence[Token]) -> tuple[str, bool]:
    """A number in the places that the tokens keep for its digits, and whether only zeros are left of it."""
    if len(value.as_tuple().digits) > _PRECISION:
        value = Decimal(f"{value:.{_PRECISION}g}")
    value *= 100 ** tokens.count(_PERCENT)
    if _SLASH in tokens:
        return _fraction(value, tokens), value == 0
    end = next((index for index, token in enumerate(tokens) if token.kind == "exponent"), len(tokens))
    point = tokens.index(_POINT, 0, end) if _POINT in tokens[:end] else end
    whole = [index for index in range(point) if tokens[index].kind == "digit"]
    decimals = [index for index in range(point, end) if tokens[index].kind == "digit"]
    is_grouped = bool(whole) and _COMMA in tokens[whole[0] : whole[-1]]
    for last in {places[-1] for places in (whole, decimals) if places}:
        value /= 1_000 ** len(list(takewhile(_COMMA.__eq__, tokens[last + 1 :])))
    exponent = 0
    if end < len(tokens) and value:
        step = max(len(whole), 1)
        exponent = value.adjusted() // step * step
        value = value.scaleb(-exponent)
        if _rounded(value, len(decimals)) >= 10**step:
            exponent, value = exponent + step, value.scaleb(-step)
    rounded = _rounded(value, len(decimals))
    before, _, after = f"{rounded:f}".partition(".")
    written = _whole(before.lstrip("0"), whole, tokens, is_grouped=is_grouped) | _decimals(after, decimals, tokens)
    if end < len(tokens):
        sign = "-" if exponent < 0 else "+" if tokens[end].text == "e+" else ""
        least = sum(token.kind == "digit" for token in tokens[end:])
        written[end] = f"E{sign}{abs(exponent):0{least}}"
    parts = [
        written.get(index, "") if token.kind in ("digit", "exponent") else "" if token == _COMMA else token.text
        for index, token in enumerate(tokens)
    ]
    if point < end and decimals and not any(written[index] for index in decimals):
        parts[point] = ""  # a spreadsheet would leave "5."
    return "".join(parts), rounded == 0


def _rounded(value: Decimal, decimals: int) -> Decimal:
    with localcontext() as context:
        context.prec = 400  # of the largest number that a spreadsheet holds
        return value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def _whole(digits: str, places: Sequence[int], tokens: Sequence[Token], *, is_grouped: bool) -> dict[int, str]:
    """The digits before the point in their places, from right to left; the first takes all that are left."""
    if not places:
        return {}
    digits = digits.zfill(sum(tokens[index].text == "0" for index in places))
    if is_grouped:
        return {places[0]: _GROUPS.sub(",", digits)}
    written: dict[int, str] = {}
    for index in reversed(places[1:]):
        written[index], digits = digits[-1:], digits[:-1]
    return written | {places[0]: digits}


def _decimals(digits: str, places: Sequence[int], tokens: Sequence[Token]) -> dict[int, str]:
    """The digits after the point in their places, without the zeros at the end that no "0" asks for."""
    kept = len(places)
    while kept and tokens[places[kept - 1]].text != "0" and digits[kept - 1] == "0":
        kept -= 1
    return {index: digits[number] if number < kept else "" for number, index in enumerate(places)}


def _fraction(value: Decimal, tokens: Sequence[Token]) -> str:
    """A whole number, where there is a place for it, and a fraction: "1 1/2"."""
    slash = tokens.index(_SLASH)
    above = slash
    while above and tokens[above - 1].kind == "digit":
        above -= 1
    below = "".join(token.text for token in tokens[slash + 1 :] if token.kind in ("digit", "literal")).strip()
    fixed = re.match(r"[1-9]\d*", below)
    most = 10 ** min(sum(token.kind == "digit" for token in tokens[slash:]), 4) - 1
    exact = Fraction(value)
    near = Fraction(round(exact * int(fixed[0])), int(fixed[0])) if fixed else exact.limit_denominator(max(most, 1))
    whole = 0
    if any(token.kind == "digit" for token in tokens[:above]):
        whole, near = int(near), near - int(near)
    scale = int(fixed[0]) // near.denominator if fixed else 1
    part = f"{near.numerator * scale}/{near.denominator * scale}" if near else ""
    return f"{whole} {part}".strip() if whole else part or "0"
