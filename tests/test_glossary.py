from __future__ import annotations

from pathlib import Path

import pytest

from qa.errors import SettingsError
from qa.glossary import Expansion, Glossary, load_glossary

GLOSSARY = Glossary(
    {
        "bp": ("blood pressure",),
        "sugar": ("glucose",),
        "sugar test": ("hemoglobin A1c", "blood glucose"),
        "can't sleep": ("insomnia",),
        "check-up": ("examination",),
    }
)


def found(question: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(question[each.start : each.end], each.meanings) for each in GLOSSARY.expansions(question)]


def test_an_entry_is_found_where_it_stands() -> None:
    """Each entry in the question comes with its place and what documents say instead, in order."""
    assert GLOSSARY.expansions("sugar and BP?") == [
        Expansion(0, 5, ("glucose",)),
        Expansion(10, 12, ("blood pressure",)),
    ]


def test_the_longest_entry_wins() -> None:
    """Where entries overlap, the one of more words counts, once."""
    assert found("my sugar test and my sugar") == [
        ("sugar test", ("hemoglobin A1c", "blood glucose")),
        ("sugar", ("glucose",)),
    ]


@pytest.mark.parametrize("question", ["I CAN’T SLEEP", "i can't   sleep!", "Can't\nsleep?"])
def test_spelling_of_spaces_capitals_and_apostrophes_does_not_matter(question: str) -> None:
    """However somebody types an entry, it is found."""
    assert [meanings for _, meanings in found(question)] == [("insomnia",)]


@pytest.mark.parametrize("question", ["", "bps", "a bpm", "sugars", "checkup", "can't you sleep"])
def test_a_part_of_a_word_is_no_entry(question: str) -> None:
    """Entries are whole words, side by side."""
    assert found(question) == []


def test_a_hyphen_holds_a_word_together() -> None:
    """An entry with a hyphen is one word."""
    assert found("a check-up today") == [("check-up", ("examination",))]


def test_an_empty_glossary_finds_nothing() -> None:
    """Without entries nothing is added to any question."""
    assert Glossary({}).expansions("bp") == []


def test_every_packaged_entry_can_be_found() -> None:
    """An entry that no question could match would be a line that does nothing."""
    glossary = load_glossary()
    lost = [
        entry
        for entry, meanings in glossary.meanings.items()
        if glossary.expansions(entry) != [Expansion(0, len(entry), meanings)]
    ]
    assert lost == []
    assert glossary.meanings["bp"] == ("blood pressure",)


def test_a_clinics_entries_are_added_to_the_packaged_ones(tmp_path: Path) -> None:
    """A file of the clinic's own adds entries, in any case, and changes those that it has, too."""
    path = tmp_path / "glossary.toml"
    path.write_text('[expansions]\n"The Spa" = ["infusion suite"]\n"bp" = ["arterial pressure"]\n', encoding="utf-8")
    own = load_glossary(path)
    assert own.meanings["the spa"] == ("infusion suite",)
    assert own.meanings["bp"] == ("arterial pressure",)
    assert own.meanings.keys() == load_glossary().meanings.keys() | {"the spa"}
    assert load_glossary().meanings["bp"] == ("blood pressure",)


@pytest.mark.parametrize("entry", ["Can’t  breathe", "O2\tlevel"])
def test_a_clinics_entry_is_found_as_it_is_written(tmp_path: Path, entry: str) -> None:
    """A curly apostrophe or a wide space in the file is no reason not to find an entry."""
    path = tmp_path / "glossary.toml"
    path.write_text(f"[expansions]\n'{entry}' = ['oxygen']\n", encoding="utf-8")
    assert [each.meanings for each in load_glossary(path).expansions(f"my {entry}")] == [("oxygen",)]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("bp = ", "cannot be read"),
        ("", r"no table \[expansions\]"),
        ('bp = ["blood pressure"]', r"no table \[expansions\]"),
        ('other = 1\n[expansions]\nbp = ["blood pressure"]', "or more than it"),
        ('[expansions]\nbp = "blood pressure"', "'bp' cannot be used"),
        ("[expansions]\nbp = []", "'bp' cannot be used"),
        ("[expansions]\nbp = [7]", "'bp' cannot be used"),
    ],
)
def test_a_glossary_that_cannot_be_used_says_why(tmp_path: Path, content: str, problem: str) -> None:
    """The error names the file, what is wrong in it and how a line should look."""
    path = tmp_path / "glossary.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SettingsError, match=problem) as error:
        load_glossary(path)
    assert str(path) in str(error.value)
    assert '"bp" = ["blood pressure"]' in str(error.value)


def test_a_glossary_that_is_not_there_says_so(tmp_path: Path) -> None:
    """A wrong path in the settings is an error, not an empty glossary."""
    with pytest.raises(SettingsError, match="cannot be read"):
        load_glossary(tmp_path / "nothing.toml")
