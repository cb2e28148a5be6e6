from __future__ import annotations

from datetime import date, datetime

import pytest

from qa.clock import clinic_clock, whom_to_call
from qa.messages import load_messages
from qa.settings import Clinic, Settings


def call(clinic: Clinic, moment: str, language: str = "en") -> str:
    return whom_to_call(clinic, load_messages(language), datetime.fromisoformat(moment), language)


@pytest.mark.parametrize(
    ("moment", "hours"),
    [
        ("2026-11-23T10:00", "We are open now, until 5 pm."),  # a Monday
        ("2026-11-23T08:00", "We are open now, until 5 pm."),
        ("2026-11-23T07:59", "We open today at 8 am."),
        ("2026-11-23T17:00", "We open tomorrow at 8 am."),
        ("2026-11-27T15:00", "We open on Monday, November 30, at 8 am."),  # a Friday
        ("2026-11-29T12:00", "We open tomorrow at 8 am."),  # a Sunday
    ],
)
def test_the_phone_line_knows_the_hours(sample_settings: Settings, moment: str, hours: str) -> None:
    """A person is told whether somebody answers now, or when next."""
    assert call(sample_settings.clinic, moment) == f"Please call us at 555-0142. {hours}"


def test_a_day_off_is_closed(sample_settings: Settings) -> None:
    """Days that the clinic names as closed are passed over."""
    clinic = sample_settings.clinic.model_copy(update={"closed_on": (date(2026, 11, 23),)})
    assert call(clinic, "2026-11-23T10:00").endswith("We open tomorrow at 8 am.")


def test_a_lunch_break_is_closed() -> None:
    """A day can have several stretches."""
    clinic = Clinic.model_validate({"phone": "555-0100", "hours": {"mon": ["08:00-12:00", "13:30-17:00"]}})
    assert call(clinic, "2026-11-23T12:30") == "Please call us at 555-0100. We open today at 1:30 pm."


def test_without_hours_the_clinics_own_line_stands() -> None:
    """A clinic that gives no hours gets its hours line, word for word, and no guess."""
    clinic = Clinic(phone="555-0100", hours_line="Mornings.")
    assert call(clinic, "2026-11-23T12:30") == "Please call us at 555-0100. Mornings."


def test_without_a_number_no_number_is_made_up() -> None:
    """A clinic without a phone number is named without one."""
    assert call(Clinic(), "2026-11-23T12:30") == "Please call the clinic."


def test_spanish_is_spanish(sample_settings: Settings) -> None:
    """The same sentence is there for people who asked in Spanish."""
    expected = "Por favor, llámenos al 555-0142. Abrimos el lunes 30 de noviembre a las 8:00."
    assert call(sample_settings.clinic, "2026-11-27T20:00", "es") == expected


def test_the_clock_is_in_the_clinics_zone() -> None:
    """Moments carry the clinic's time zone."""
    moment = clinic_clock("America/Chicago")()
    assert str(moment.tzinfo) == "America/Chicago"
