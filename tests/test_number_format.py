"""Values of spreadsheets, as their cells show them."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.readers.number_format import Value, shown

ACCOUNTING = r'_("$"* #,##0.00_);_("$"* \(#,##0.00\);_("$"* "-"??_);_(@_)'
PHONE = "[<=9999999]###-####;(###) ###-####"
DAY = datetime(2026, 5, 24, 15, 30)  # noqa: DTZ001 - a sheet knows no time zones


@pytest.mark.parametrize(
    ("value", "number_format", "expected"),
    [
        # Amounts.
        (1250, '"$"#,##0.00', "$1,250.00"),
        (1234567.5, "#,##0.00", "1,234,567.50"),
        (1250, ACCOUNTING, "$1,250.00"),
        (-1250, ACCOUNTING, "$(1,250.00)"),
        (0, ACCOUNTING, "$-"),
        (12, "[$€-407] #,##0.00", "€ 12.00"),
        (12.5, r"#,##0.00\ [$€-1]", "12.50 €"),
        (-3, "0;[Red](0)", "(3)"),
        (-5, "0.00", "-5.00"),
        (-0.001, "0.00", "0.00"),
        # Digits: half is rounded away from zero, and what the format does not ask for is left out.
        (1.005, "0.00", "1.01"),
        (2.5, "0", "3"),
        (5, "#.##", "5"),
        (0.5, "#.00", ".50"),
        (3.0, "0.0#", "3.0"),
        (0, "#", ""),
        (0.155, "0.0%", "15.5%"),
        (0.15, "0%", "15%"),
        (1_500_000, '0.0,,"M"', "1.5M"),
        (1_500, '#,##0,"K"', "2K"),
        (501, "00000", "00501"),
        (5551234, PHONE, "555-1234"),
        (5035551234, PHONE, "(503) 555-1234"),
        (123456789, "000-00-0000", "123-45-6789"),
        (12345, "0.00E+00", "1.23E+04"),
        (99999, "0.0E+00", "1.0E+05"),
        (12345, "##0.0E+0", "12.3E+3"),
        (1.5, "# ?/?", "1 1/2"),
        (0.25, "# ??/??", "1/4"),
        (2, "# ?/?", "2"),
        (1.375, "# ?/8", "1 3/8"),
        # Without a format of their own.
        (0.1 + 0.2, "General", "0.3"),
        (15551234567, "General", "15551234567"),
        (1e20, "General", "1E+20"),
        (-1.5e-7, "General", "-1.5E-07"),
        (5, 'General" kg"', "5 kg"),
        (5, "", ""),
        (True, "0.00", "TRUE"),
        # Words.
        (45, '0 "min"', "45 min"),
        ("5", '@" mg"', "5 mg"),
        ("on request", "0.00", "on request"),
        (3, '"n/a"', "n/a"),
        (3, ";;;", ""),
        ("hidden", ";;;", ""),
        # Days and times; those that each computer shows in its own way are written out.
        (DAY, "d mmmm yyyy", "24 May 2026"),
        (DAY, "mm-dd-yy", "24 May 2026"),
        (DAY, "m/d/yy h:mm", "24 May 2026 15:30"),
        (DAY, "dd/mm/yyyy", "24/05/2026"),
        (DAY, "[$-F800]dddd, mmmm dd, yyyy", "Sunday, May 24, 2026"),
        (DAY, "ddd d mmm yy, h:mm a/p", "Sun 24 May 26, 3:30 P"),
        (DAY, "mmmmm", "M"),
        (date(2026, 5, 4), "yyyy-mm-dd", "2026-05-04"),
        (time(15, 30), "h:mm AM/PM", "3:30 PM"),
        (time(0, 5), "h:mm AM/PM", "12:05 AM"),
        (time(1, 2, 3, 500_000), "mm:ss.0", "02:03.5"),
        (timedelta(hours=30, minutes=5), "[h]:mm", "30:05"),
        (timedelta(minutes=65, seconds=9), "[mm]:ss", "65:09"),
    ],
)
def test_values_are_shown_as_their_formats_say(value: Value, number_format: str, expected: str) -> None:
    """Numbers, amounts, words, days and times have the look that a person sees in the sheet."""
    assert shown(value, number_format) == expected


@given(
    st.one_of(
        st.integers(-(10**18), 10**18),
        st.floats(),
        st.text(),
        st.datetimes(),
        st.dates(),
        st.times(),
        st.timedeltas(timedelta(0), timedelta(days=2_000_000)),
    ),
    st.text('0#?.,%/@;"\\_*[]$-<=>1ymdhsAPE+ General'),
)
def test_any_format_shows_any_value(value: Value, number_format: str) -> None:
    """No format, however odd, stops a value from being shown in one way or another."""
    assert isinstance(shown(value, number_format), str)


@given(st.integers(0, 10**15 - 1), st.integers(0, 4))
def test_digits_are_those_of_the_number(value: int, decimals: int) -> None:
    """A number with thousands and decimals reads back as itself."""
    text = shown(value, "#,##0" + ("." + "0" * decimals if decimals else ""))
    assert text == f"{value:,.{decimals}f}"
