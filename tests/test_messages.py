from __future__ import annotations

from dataclasses import asdict
from string import Formatter

import pytest

from qa.errors import SettingsError
from qa.messages import known_languages, load_messages


def placeholders(pattern: object) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(str(pattern)) if name}


def test_english_is_there() -> None:
    """The catalogue has at least the language of the sample documents."""
    assert "en" in known_languages()


@pytest.mark.parametrize("language", known_languages())
def test_every_language_fills_the_same_places(language: str) -> None:
    """A translation has every sentence, with the placeholders of the English one."""
    english, other = asdict(load_messages("en")), asdict(load_messages(language))
    assert {name: placeholders(text) for name, text in other.items()} == {
        name: placeholders(text) for name, text in english.items()
    }


def test_an_unknown_language_is_an_error() -> None:
    """A language without a catalogue is refused with those that there are."""
    with pytest.raises(SettingsError, match="en or es"):
        load_messages("xx")
