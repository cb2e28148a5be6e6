"""The one clock, in the clinic's time zone, and what it says about the phone: open now, or when next."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from qa.messages import Messages
from qa.settings import WEEKDAYS, Clinic

Clock = Callable[[], datetime]

_DAY_NAMES = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "es": ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
}
_DAYS_AHEAD = 60


def clinic_clock(timezone: str) -> Clock:
    """A clock that gives the present moment in `timezone`. Tests pass a function of their own instead."""
    zone = ZoneInfo(timezone)
    return lambda: datetime.now(zone)


def whom_to_call(
    clinic: Clinic, messages: Messages, now: datetime, language: str = "en", *, besides: bool = False
) -> str:
    """The sentence that hands over to a person: the number, and when it is answered; `besides` others to call first."""
    hours = _hours_sentence(clinic, messages, now, language)
    first = messages.call_with_number if clinic.phone else messages.call_without_number
    also = messages.also_call_with_number if clinic.phone else messages.also_call_without_number
    pattern = also if besides else first
    return pattern.format(phone=clinic.phone, hours=hours).strip()


def _hours_sentence(clinic: Clinic, messages: Messages, now: datetime, language: str) -> str:
    """When the phone is answered, from `hours`; without any, the clinic's own `hours_line`, which may be empty."""
    if not any(clinic.hours.values()):
        return clinic.hours_line
    for days in range(_DAYS_AHEAD):
        day = (now + timedelta(days=days)).date()
        if day in clinic.closed_on:
            continue
        for opening in sorted(clinic.hours.get(WEEKDAYS[day.weekday()], ()), key=lambda opening: opening.opens):
            if days == 0 and opening.closes <= now.time():
                continue
            if days == 0 and opening.opens <= now.time():
                return messages.open_now.format(closes=_clock_time(opening.closes, language))
            opens = _clock_time(opening.opens, language)
            if days == 0:
                return messages.opens_later_today.format(opens=opens)
            if days == 1:
                return messages.opens_tomorrow.format(opens=opens)
            name = _DAY_NAMES.get(language, _DAY_NAMES["en"])[day.weekday()]
            return messages.opens_on.format(day=name, date=_short_date(day.month, day.day, language), opens=opens)
    return clinic.hours_line


def _clock_time(moment: time, language: str) -> str:
    """8:00 as a reader of `language` writes it: "8 am" or "8:30 am" in English, "8:30" elsewhere."""
    if language != "en":
        return f"{moment.hour}:{moment:%M}"
    minutes = f":{moment:%M}" if moment.minute else ""
    return f"{(moment.hour - 1) % 12 + 1}{minutes} {'am' if moment.hour < 12 else 'pm'}"


_MONTHS = {
    "en": "January February March April May June July August September October November December".split(),
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre".split(),
}


def long_date(day: date, language: str = "en") -> str:
    """A day as a reader of `language` writes it: "March 3, 2026"."""
    name = _short_date(day.month, day.day, language)
    return f"{name} de {day.year}" if language == "es" else f"{name}, {day.year}"


def _short_date(month: int, day: int, language: str) -> str:
    name = _MONTHS.get(language, _MONTHS["en"])[month - 1]
    return f"{day} de {name}" if language == "es" else f"{name} {day}"
