"""When, where and whom: times of day, weekdays, dates, floors and rooms, phone numbers and addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from qa.conflicts.numbers import NUMBER, number_of
from qa.conflicts.value import Value

_EDGE: Final = r"(?<![\w.$€£])"
_CLOCK = (
    r"(?P<{0}n>(?:12(?::00)?\s)?(?:noon|midnight))|"
    r"(?P<{0}h>\d{{1,2}})(?:[:.](?P<{0}m>[0-5]\d))?\s?(?P<{0}x>[ap]\.?\s?m\b\.?)?"
)
_CLOCKS = re.compile(
    rf"{_EDGE}(?:{_CLOCK.format('a')})(?:\s*(?:-|–|—|to|until|till|and|"
    rf"through)\s*(?:{_CLOCK.format('b')})(?![\w%]))?(?![\w%])",
    re.IGNORECASE,
)
_PHONE = re.compile(r"(?<![\w-])(?:\(?\d{3}\)?[\s.-])?\d{3}[.-]\d{4}(?![\w-])")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.IGNORECASE)
_MONTHS: Final = "january february march april may june july august september october november december".split()
_MONTH = rf"(?:{'|'.join(_MONTHS)}|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\.?"
_DATE = re.compile(
    rf"\b(?:(?P<y1>\d{{4}})-(?P<m1>\d\d)-(?P<d1>\d\d)|(?P<m2>{_MONTH})\s(?P<d2>\d{{1,2}})(?:st|nd|rd|"
    rf"th)?\b(?:,?\s(?P<y2>\d{{4}}))?"
    rf"|(?P<d3>\d{{1,2}})(?:st|nd|rd|th)?\s(?:of\s)?(?P<m3>{_MONTH})(?:\s(?P<y3>\d{{4}}))?)(?![\w])",
    re.IGNORECASE,
)
_MONTH_ALONE = re.compile(
    rf"\b(?:in|from|until|by|since|to|through|of|early|late|every|each) (?P<m>{'|'.join(_MONTHS)})\b", re.IGNORECASE
)
_YEAR = re.compile(r"(?<![\w-])(?:19|20)\d\d(?![\w-])")
_WEEKDAYS: Final = "monday tuesday wednesday thursday friday saturday sunday".split()
_DAY = (
    r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)days?|weekdays?|weekends?|(?:mon|tue|tues|wed|thu|"
    r"thur|thurs|fri|sat|sun)\b\.?)"
)
_DAYS = re.compile(
    rf"\b{_DAY}(?:\s*(?:-|–|—|to|through|and|or|,|, and|, or|&)\s*{_DAY})*|\b(?:every day|seven days a "
    rf"week|7 days a week|(?<!times )(?<!once )(?<!twice )daily)\b(?! of)",
    re.IGNORECASE,
)
_ORDINALS: Final = "first second third fourth fifth sixth seventh eighth ninth tenth".split()
_PLACE = re.compile(
    rf"\b(?:(?P<ordinal>{'|'.join(_ORDINALS)}|ground|\d{{1,2}}(?:st|nd|rd|th))\s(?P<a>floor|level|day|week|month)\b"
    rf"|(?P<b>floor|level|room|suite|door|gate|bay|building|bus|line|form|option|extension|ext\.?|day|"
    rf"week|step|phase|stage|type|grade|class|group|tier|plan|module|section|part|chapter|schedule)\s"
    rf"(?P<number>\d+[a-z]?\b|[A-Z]\b|{NUMBER}(?!\s\w+s\b)))",
    re.IGNORECASE,
)


def contacts(text: str) -> Iterator[Value]:
    """Phone numbers, of which the last seven digits count, and e-mail addresses."""
    for match in _PHONE.finditer(text):
        number = re.sub(r"\D", "", match[0])[-7:]
        yield Value("phone", "phone", 0, 0, *match.span(), members=frozenset({number}))
    for match in _EMAIL.finditer(text):
        name = match[0].rstrip(".").lower()
        yield Value("address", "address", 0, 0, match.start(), match.start() + len(name), members=frozenset({name}))


def dates(text: str) -> Iterator[Value]:
    """Days of the year as 100 times the month plus the day, months, and years."""
    for match in _DATE.finditer(text):
        year = match["y1"] or match["y2"] or match["y3"]
        month = match["m1"] or match["m2"] or match["m3"]
        day = int(match["d1"] or match["d2"] or match["d3"])
        in_year = int(month) if month.isdigit() else _month(month)
        if 1 <= day <= 31 and 1 <= in_year <= 12:
            days = float(in_year * 100 + day)
            yield Value("date", "date", days, days, *match.span(), members=frozenset({year} if year else ()))
    for match in _MONTH_ALONE.finditer(text):
        number = float(_month(match["m"]))
        yield Value("month", "month", number, number, *match.span("m"))
    for match in _YEAR.finditer(text):
        yield Value("calendar year", "year", float(match[0]), float(match[0]), *match.span())


def _month(name: str) -> int:
    return next(place for place, full in enumerate(_MONTHS, start=1) if full.startswith(name.lower().rstrip(".")[:3]))


def weekdays(text: str) -> Iterator[Value]:
    """Sets of weekdays."""
    for match in _DAYS.finditer(text):
        if match[0] in {"sun", "sat", "wed"}:
            continue  # words of their own
        days = _days_of(match[0].lower())
        yield Value("weekdays", "weekday", 0, 0, *match.span(), members=frozenset(days))


def _days_of(words: str) -> set[str]:
    if "every day" in words or "a week" in words or words == "daily":
        return set(_WEEKDAYS)
    days: set[str] = set()
    last: int | None = None
    to = False
    for word in re.findall(r"[a-z]+|[-–—]", words):
        if word in {"to", "through", "-", "–", "—"}:
            to = True
        elif word.startswith("weekday"):
            days.update(_WEEKDAYS[:5])
        elif word.startswith("weekend"):
            days.update(_WEEKDAYS[5:])
        elif word not in {"and", "or"}:
            place = next(number for number, day in enumerate(_WEEKDAYS) if day.startswith(word[:3]))
            if to and last is not None:
                span = range(last, place + 1) if last <= place else (*range(last, 7), *range(place + 1))
                days.update(_WEEKDAYS[each] for each in span)
            days.add(_WEEKDAYS[place])
            last, to = place, False
    return days


def places(text: str) -> Iterator[Value]:
    """Floors, rooms and other things that have a number: "week 3"."""
    for match in _PLACE.finditer(text):
        kind = (match["a"] or match["b"]).lower().rstrip(".")
        name = (match["ordinal"] or match["number"]).lower()
        if match["number"] and name == "a":
            continue  # "bus a day"
        if name in _ORDINALS:
            name = str(_ORDINALS.index(name) + 1)
        if re.fullmatch(NUMBER, name, re.IGNORECASE):
            name = f"{number_of(name):g}"
        name = re.sub(r"(?<=\d)(?:st|nd|rd|th)$", "", name)
        yield Value(f"place {kind}", kind, 0, 0, *match.span(), members=frozenset({name}))


def clocks(text: str) -> Iterator[Value]:
    """Times of day in minutes after midnight. The unit says so where the half of the day is not known."""
    for match in _CLOCKS.finditer(text):
        one, other = _clock(match, "a"), _clock(match, "b") if match["bh"] or match["bn"] else None
        written = match["am"] or match["ax"] or match["an"] or match["bm"] or match["bx"] or match["bn"]
        end = match.end()
        if other is None or one is None:
            first_end = max(match.end(name) for name in ("ah", "am", "ax", "an"))
            if one is None or not (match["am"] or match["ax"] or match["an"]):
                continue
            if text[match.start() : first_end].count(".") == 1 and not match["ax"]:
                continue  # 1.30 may be a number
            minutes, has_half = one
            yield Value("clock", "clock" if has_half else "half clock", minutes, minutes, match.start(), first_end)
            continue
        days = any(day in text[: match.start()].lower() for day in ("day", "mon", "fri", "sat", "open", "hours"))
        if not written and not (days and not re.match(r"\s+(?!and|or|on|with|but|only|daily)[a-z]", text[end:])):
            continue
        if (
            match["am"] is None
            and match["ax"] is None
            and match["an"] is None
            and not match["bx"]
            and not match["bm"]
            and not days
        ):
            continue
        low, high = one[0], other[0]
        if not one[1] and other[1] and low < 720:
            low = (
                low + 720
                if other[0] >= 720 and low + 720 < other[0] and match["bx"] and low != 0 and low < 480
                else low
            )
        sure = other[1] or one[1]
        if not sure or not other[1]:
            high += 720 if high <= low and high < 720 else 0
        yield Value("clock", "clock" if sure or high > 720 else "half clock", low, high, match.start(), end)


def _clock(match: re.Match[str], side: str) -> tuple[float, bool] | None:
    """Minutes after midnight, and whether it is known which half of the day they are in."""
    if match[f"{side}n"]:
        return (720.0 if "noon" in match[f"{side}n"].lower() else 1440.0), True
    hour, minute = int(match[f"{side}h"]), int(match[f"{side}m"] or 0)
    half = (match[f"{side}x"] or "").lower()
    if hour > 24 or (half and not 1 <= hour <= 12):
        return None
    if half:
        hour = hour % 12 + (12 if half.startswith("p") else 0)
    return hour * 60.0 + minute, bool(half) or hour > 12 or match[f"{side}h"].startswith("0")
