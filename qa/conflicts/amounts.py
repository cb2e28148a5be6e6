"""How much: durations, doses, measures, money, ages, how often, and how many of what."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from qa.conflicts.numbers import NUMBER, number_of
from qa.conflicts.value import Bound, Value
from qa.terms import stem

_EDGE: Final = r"(?<![\w.$€£])"
# What one of each unit is in its dimension's own unit: minutes, grams, meters, liters, degrees Celsius apart.
_UNITS: Final[dict[str, tuple[str, str, float]]] = {}
for _names, _dimension, _size in (
    ("second sec", "duration", 1 / 60),
    ("minute min mins", "duration", 1.0),
    ("hour hr hrs h", "duration", 60.0),
    ("day night", "duration", 1440.0),
    ("week wk wks", "duration", 10080.0),
    ("month mo", "duration", 43830.0),
    ("year yr yrs", "duration", 525960.0),
    ("microgram mcg µg μg ug", "mass", 1e-6),
    ("milligram mg", "mass", 1e-3),
    ("gram g", "mass", 1.0),
    ("kilogram kilo kg kgs", "weight", 1.0),
    ("pound lb lbs", "weight", 0.4536),
    ("milliliter millilitre ml cc", "volume", 1e-3),
    ("liter litre l", "volume", 1.0),
    ("ounce oz", "volume in ounces", 1.0),
    ("cup", "volume in cups", 1.0),
    ("glass glasses", "volume in glasses", 1.0),
    ("teaspoon tsp", "volume in teaspoons", 1.0),
    ("tablespoon tbsp", "volume in tablespoons", 1.0),
    ("millimeter millimetre mm", "length", 1e-3),
    ("centimeter centimetre cm", "length", 1e-2),
    ("meter metre m", "length", 1.0),
    ("kilometer kilometre km", "length", 1e3),
    ("inch inches", "length in inches", 1.0),
    ("foot feet ft", "length in inches", 12.0),
    ("mile", "length in miles", 1.0),
    ("block", "length in blocks", 1.0),
    ("mmhg", "pressure", 1.0),
    ("bpm", "pulse", 1.0),
    ("°c ºc celsius c", "temperature in C", 1.0),
    ("°f ºf fahrenheit f", "temperature in F", 1.0),
    ("unit iu", "units", 1.0),
    ("calorie kcal", "calories", 1.0),
    ("percent % pct", "percent", 1.0),
    ("dollar usd", "money $", 1.0),
    ("cent", "money $", 0.01),
    ("euro eur", "money €", 1.0),
    ("pound gbp sterling", "money £", 1.0),
):
    for _name in _names.split():
        _UNITS.setdefault(_name, (_dimension, _names.split()[0], _size))
_CURRENCIES: Final = {"$": "dollar", "€": "euro", "£": "gbp"}
_UNIT: Final = "|".join(sorted((re.escape(name) for name in _UNITS), key=len, reverse=True))
_RANGE = r"\s*(?:-|–|—|to|or|and|through)\s*"
_MEASURE = re.compile(
    rf"{_EDGE}(?:(?P<between>between|from)\s+)?(?P<low>{NUMBER})"
    rf"(?:(?:\s*-?(?P<first>{_UNIT})s?)?(?P<range>{_RANGE})(?P<high>{NUMBER}))?"
    rf"(?:\s*|-|\s(?P<kind>business|working|calendar|full|whole|clear|consecutive|more|solid|"
    rf"U\.?S\.?)\s|\s(?P<half>and a half)\s)"
    rf"(?P<unit>{_UNIT})(?P<plural>s?)(?P<own>['’]s?)?(?P<rest>\s+and\s+(?:a\s+half|a\s+quarter))?(?![\w])",
    re.IGNORECASE,
)
_ONE = re.compile(
    r"\b(?P<much>half an?|an?|one)\s+(?P<unit>minute|hour|day|night|week|fortnight|month|"
    r"year)\b(?!['’]s)(?P<rest> and a half)?",
    re.IGNORECASE,
)
_MONEY = re.compile(
    r"(?P<sign>[$€£])\s?(?P<low>\d[\d,]*(?:\.\d+)?)(?:\s*(?:-|–|to)\s*[$€£]?\s?(?P<high>\d[\d,]*(?:\.\d+)?))?(?![\w])"
)
_FREE = re.compile(
    r"\b(?:free(?: of charge)?(?! (?:to|from|of|time|day|hand|space|will))|(?:no|without(?: any)?|at "
    r"no) (?:extra |additional )?"
    r"(?:charge|cost|fee)s?|complimentary|not charged?|nothing extra)\b",
    re.IGNORECASE,
)
_AGE = re.compile(
    rf"(?P<under>(?:under|below)(?: the)? age(?: of)?|under|younger than)\s(?P<a>{NUMBER})(?: years?(?: old| of "
    rf"age)?)?\b(?! ?(?:{_UNIT}|business|working|beats|pages|people))"
    rf"|(?:aged?|ages|age of|years of)\s(?P<b>{NUMBER})(?:\s*(?:-|–|to|and|"
    rf"through)\s*(?P<c>\d+))?(?P<b_more> (?:years )?(?:and|or) (?:over|older|above|up)\b|"
    rf"\+)?(?P<b_less> (?:years )?(?:and|or) (?:under|younger|below)\b)?"
    rf"|\b(?P<d>{NUMBER})(?:\s(?:years?\s)?(?P<d_more>(?:and|or) (?:over|older|above|up)\b)|"
    rf"\s(?:years?\s)?(?P<d_less>(?:and|or) (?:younger)\b)|[\s-]years?[\s-](?:old|of "
    rf"age)s?(?P<d_later> (?:and|or) (?:over|older|above|up)\b)?|\+(?= |$))"
    rf"|\b(?P<over>(?:over|above) the age of|over|older than) (?P<e>{NUMBER})\b(?! ?(?:{_UNIT}|people|person|patient|"
    rf"business|working|beats)|[%$,.]\d)",
    re.IGNORECASE,
)
_RATE = re.compile(
    rf"\b(?:(?P<times>once|twice|{NUMBER} times|{NUMBER} visits?)\s(?P<adverb>daily|weekly|monthly|"
    rf"yearly|(?:an?|per|each|every|in an?)\s(?P<per>day|week|month|year|hour))"
    rf"|every\s(?:(?P<gap>{NUMBER}|other)\s)?(?P<every>minute|hour|day|week|month|year)s?)\b",
    re.IGNORECASE,
)
_COUNT = re.compile(
    rf"{_EDGE}(?P<low>{NUMBER})(?:(?P<range>{_RANGE})(?P<high>{NUMBER}))?"
    rf"(?=\s+(?P<noun>[a-z][\w'-]*(?:\s+[a-z][\w'-]*){{0,2}}))",
    re.IGNORECASE,
)
_SHORTEST_NOUN: Final = 3  # letters; what is shorter is a unit that is not known here
# What is no noun that can be counted.
_NOT_COUNTED: Final = frozenset(
    "of to or and in at on is are was the a an for from by with after before time times year years more other if per "
    "as can may must will has have who that than too should away on off each o'clock am pm a.m p.m until till floor "
    "minutes hours percent mg ml noon".split()
)


def money(text: str) -> Iterator[Value]:
    """Amounts of money; what is free is 0 dollars."""
    for match in _MONEY.finditer(text):
        low = float(match["low"].replace(",", "").rstrip("."))
        high = float(match["high"].replace(",", "")) if match["high"] else low
        dimension, unit, _ = _UNITS[_CURRENCIES[match["sign"]]]
        yield Value(dimension, unit, low, max(low, high), *match.span())
    for match in _FREE.finditer(text):
        yield Value("money $", "free", 0.0, 0.0, *match.span())


def rates(text: str) -> Iterator[Value]:
    """How often something happens, in times a minute."""
    for match in _RATE.finditer(text):
        if match["every"]:
            gap = 2.0 if match["gap"] == "other" else number_of(match["gap"]) if match["gap"] else 1.0
            rate = 1 / (max(gap, 1e-9) * _UNITS[match["every"].lower()][2])
        else:
            times = match["times"].lower()
            much = {"once": 1.0, "twice": 2.0}.get(times) or number_of(times.split()[0])
            per = (
                match["per"]
                or {"daily": "day", "weekly": "week", "monthly": "month", "yearly": "year"}[match["adverb"].lower()]
            )
            rate = much / _UNITS[per.lower()][2]
        yield Value("rate", "rate", rate, rate, *match.span())


def ages(text: str) -> Iterator[Value]:
    """Ages in years."""
    for match in _AGE.finditer(text):
        number = next(match[name] for name in "abde" if match[name])
        low = high = number_of(number)
        if match["c"]:
            high = number_of(match["c"])
        bound = Bound.EXACT
        if match["under"] or match["b_less"] or match["d_less"]:
            bound = Bound.MOST
        elif match["over"] or match["b_more"] or match["d_more"] or match["d_later"] or match[0].endswith("+"):
            bound = Bound.LEAST
        if low <= 120:
            yield Value("age", "year", low, high, *match.span(), bound=bound)


def measures(text: str) -> Iterator[Value]:
    """Durations in minutes, masses in grams, and other measures in the unit of their dimension."""
    for match in _MEASURE.finditer(text):
        written = match["unit"].lower()
        if match["kind"] and match["kind"].lower() == "solid":
            continue
        if written in {"m", "h", "g", "l", "in", "unit", "mo", "block"} and not match["low"][0].isdigit():
            continue
        dimension, unit, size = _UNITS[written]
        low = number_of(match["low"])
        if match["half"] or match["rest"]:
            low += 0.25 if match["rest"] and "quarter" in match["rest"] else 0.5
        high = number_of(match["high"]) if match["high"] else low
        first = _UNITS[match["first"].lower()] if match["first"] else (dimension, unit, size)
        if first[0] != dimension:
            continue
        if (
            match["first"]
            and first != (dimension, unit, size)
            and "and" in match["range"].lower()
            and not match["between"]
        ):
            total = low * first[2] + high * size
            yield Value(dimension, first[1], total, total, match.start("low"), match.end())
            continue
        low, high = low * first[2], high * size
        if re.match(r"\s?(?:/|per )\s?(?:kg|kilo)", text[match.end() :]) and dimension in {"mass", "volume"}:
            dimension = f"{dimension} per kg"
        working = (match["kind"] or "").lower() in {"business", "working"}
        if working:
            dimension = "business days"
        # "a 2-hour infusion": one word with what follows
        attached = "-" in text[match.end("low") : match.start("unit")] and not match["plural"] and not match["high"]
        end = match.end()
        yield Value(dimension, unit, min(low, high), max(low, high), match.start("low"), end, qualifies=attached)
    for match in _ONE.finditer(text):
        if re.search(
            r"(?:[\d%]|times|once|twice|percent|half|dollars|per|\bday|visits?|night|(?:\d|one|two|"
            r"three|four|five|six) in)\s$",
            text[: match.start()],
            re.IGNORECASE,
        ):
            continue
        dimension, unit, size = _UNITS.get(match["unit"].lower(), ("duration", "week", 20160.0))
        much = 0.5 if match["much"].lower().startswith("half") else 1.5 if match["rest"] else 1.0
        yield Value(dimension, unit, much * size, much * size, *match.span())


def counts(text: str) -> Iterator[Value]:
    """How many of what; `members` are the stems of the words after the number."""
    for match in _COUNT.finditer(text):
        words: list[str] = []
        for word in match["noun"].lower().split():
            if word in _NOT_COUNTED or len(word) < _SHORTEST_NOUN:
                break
            words.append(word)
        if not words:
            continue
        low = number_of(match["low"])
        high = number_of(match["high"]) if match["high"] else low
        members = frozenset(stem(word) for word in words)
        yield Value(
            "count",
            words[0],
            min(low, high),
            max(low, high),
            match.start(),
            match.end("high") if match["high"] else match.end("low"),
            members=members,
        )
