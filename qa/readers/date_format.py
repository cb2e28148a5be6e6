"""Days, times and lengths of time as a spreadsheet's number format shows them, with English names."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

from qa.readers.format_codes import Section, sections_of

_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_SECONDS: Final = {"h": 3_600, "m": 60, "s": 1}


def shown_date(value: date | time | timedelta, section: Section) -> str:
    """A day, a time or a length of time in the places that the tokens keep for its parts."""
    tokens = section.tokens
    if not section.kinds() & {"date", "elapsed"}:
        tokens = sections_of("d mmmm yyyy h:mm" if isinstance(value, datetime) else "d mmmm yyyy")[0].tokens
    day = value if isinstance(value, date) else date(1899, 12, 31)
    if isinstance(value, timedelta):
        seconds = Decimal(round(value.total_seconds() * 1_000)) / 1_000
    elif isinstance(value, datetime | time):
        seconds = (
            Decimal(value.hour * 3_600 + value.minute * 60 + value.second) + Decimal(value.microsecond) / 1_000_000
        )
    else:
        seconds = Decimal(0)
    clock = seconds % 86_400
    is_halved = any(token.kind == "half" for token in tokens)
    parts: list[str] = []
    times = [(index, token) for index, token in enumerate(tokens) if token.kind in ("date", "elapsed")]
    after_hour = before_second = False
    for index, token in enumerate(tokens):
        if token.kind == "half":
            half = "AM" if clock < 43_200 else "PM"
            parts.append(half if token.text == "am/pm" else half[0])
        elif token.kind == "elapsed":
            parts.append(f"{int(seconds // _SECONDS[token.text[0]]):0{len(token.text)}}")
            after_hour = token.text[0] == "h"
        elif token.kind == "date":
            before_second = next((other.text[0] == "s" for at, other in times if at > index), False)
            if token.text[0] == "m" and len(token.text) < 3 and (after_hour or before_second):
                parts.append(f"{int(clock // 60 % 60):0{len(token.text)}}")
            elif token.text[0] in "hs":
                parts.append(_clock(clock, token.text, is_halved=is_halved))
            else:
                parts.append(_day(day, token.text))
            after_hour = token.text[0] == "h"
        elif token.kind not in ("digit", "exponent", "general") and token.text != "@":
            parts.append(token.text)
    return "".join(parts).strip()


def _clock(seconds: Decimal, token: str, *, is_halved: bool) -> str:
    if token[0] == "h":
        hour = int(seconds // 3_600)
        return f"{(hour % 12 or 12) if is_halved else hour:0{min(len(token), 2)}}"
    whole, _, decimals = token.partition(".")
    written = f"{seconds % 60:0{min(len(whole), 2) + (len(decimals) + 1 if decimals else 0)}.{len(decimals)}f}"
    return written if decimals else f"{int(seconds % 60):0{min(len(whole), 2)}}"


def _day(day: date, token: str) -> str:
    size = len(token)
    if token[0] == "y":
        return f"{day.year % 100:02}" if size < 3 else f"{day.year:04}"
    number, name = (day.month, _MONTHS[day.month - 1]) if token[0] == "m" else (day.day, _DAYS[day.weekday()])
    if size < 3:
        return f"{number:0{size}}"
    return name[:3] if size == 3 else name[:1] if size == 5 and token[0] == "m" else name
