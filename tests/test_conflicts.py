from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from builders import coded, passage
from click.testing import CliRunner, Result
from conftest import NamesEmbedder, WordEmbedder

import qa.build
import qa.embed
from qa.cli import main
from qa.conflicts import Conflict, ConflictKind, Statement, find_conflicts, read_conflicts, write_conflicts
from qa.conflicts.learned import load_learned
from qa.conflicts.scan import values
from qa.conflicts.value import Value, same
from qa.embed import ModelFiles
from qa.errors import IndexCorrupt
from qa.models import EmbeddedText, Passage
from qa.offsets import Span
from qa.settings import Model

EIGHT = "Do not eat solid food for 8 hours before your infusion."
SIX = "Do not eat solid food for 6 hours before your infusion."


def places_of_words(text: str) -> list[Span]:
    """Where the fake model's tokens stand."""
    return [word.span() for word in re.finditer("[a-z]+", text.lower())]


def found_in(*passages: Passage) -> tuple[Conflict, ...]:
    """The conflicts of passages whose words each have a direction of their own."""
    fronts = ["".join(f"{heading}\n" for heading in each.headings) for each in passages]
    texts = [EmbeddedText(front + each.text, len(front)) for front, each in zip(fronts, passages, strict=True)]
    vectors, codec = coded(NamesEmbedder(), texts)
    return find_conflicts(passages, texts, vectors, codec, places_of_words)


def only(text: str) -> Value:
    """The one value of a text."""
    (value,) = values(text)
    return value


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("8 hours", "eight hours"),
        ("48 hours", "two days"),
        ("90 minutes", "an hour and a half"),
        ("1 hour and 30 minutes", "1.5 hours"),
        ("half an hour", "30 min"),
        ("$1,450", "1450 dollars"),
        ("25 cents", "$0.25"),
        ("5 pm", "17:00"),
        ("9 a.m. to 5 p.m.", "09:00-17:00"),
        ("12 noon", "12 pm"),
        ("10 %", "ten percent"),
        ("500 mg", "0.5 g"),
        ("twice a day", "2 times daily"),
        ("every 12 hours", "twice a day"),
        ("Monday to Friday", "weekdays"),
        ("third floor", "3rd floor"),
        ("March 5, 2026", "2026-03-05"),
        ("under 12", "younger than 12"),
        ("18 and over", "aged 18 or older"),
    ],
)
def test_notations_of_one_value_read_alike(one: str, other: str) -> None:
    """Digits, words, units and clocks of one value come to the same number, and nothing else is read."""
    first, second = only(one), only(other)
    assert (first.dimension, first.members) == (second.dimension, second.members)
    assert (first.low, first.high) == pytest.approx((second.low, second.high))
    assert same(first, second)


def test_values_stand_where_they_are_said_to() -> None:
    """A value's span is its own words."""
    text = "Come at 8:30 am, fast for 8 hours and bring $20."
    assert [text[value.start : value.end] for value in values(text)] == ["8:30 am", "8 hours", "$20"]


def test_conflicts_are_between_documents_and_have_places() -> None:
    """A conflict has both sentences with their spans; a document is not compared with itself."""
    one = passage("a", f"Welcome. {EIGHT} Bring a book.", start=100)
    other = passage("b", SIX, start=7)
    (found,) = found_in(one, other)
    assert (found.one.document_id, found.one.start, found.one.end) == ("a", 109, 109 + len(EIGHT))
    assert (found.one.text, found.other.text) == (EIGHT, SIX)
    assert found.said == ("8 hours", "6 hours")
    assert found.kind is ConflictKind.TIME
    assert found_in(one, passage("a", SIX, start=900)) == ()


def test_a_sentence_of_several_documents_is_listed_for_each() -> None:
    """Who says the same stands beside it in the list."""
    found = found_in(passage("a", EIGHT), passage("b", SIX), passage("c", EIGHT))
    assert {frozenset((each.one.document_id, each.other.document_id)) for each in found} == {
        frozenset("ab"),
        frozenset("cb"),
    }


@pytest.mark.parametrize(
    "other",
    [
        "Solid food is not eaten for eight hours before your infusion.",
        "Parking costs 6 dollars.",
        "Wait 6 hours after your dental surgery with alcohol.",
    ],
)
def test_other_subjects_and_equal_values_do_not_contradict(other: str) -> None:
    """The same value in other words, or another value of something else, is no contradiction."""
    assert found_in(passage("a", EIGHT), passage("b", other)) == ()


def test_words_of_another_tokenizer_are_not_compared() -> None:
    """Where the words do not fit the codes, nothing is found, instead of something wrong."""
    texts = [EmbeddedText(EIGHT, 0), EmbeddedText(SIX, 0)]
    vectors, codec = coded(NamesEmbedder(), texts)
    passages = [passage("a", EIGHT), passage("b", SIX)]
    assert find_conflicts(passages, texts, vectors, codec, lambda text: [(0, len(text))]) == ()
    assert find_conflicts([], [], [], codec, places_of_words) == ()


def test_what_was_learned_belongs_to_the_examples_and_the_packaged_model() -> None:
    """The packaged weights were learned from the packaged examples, with the packaged model."""
    learned = load_learned()  # raises where the examples have changed
    assert learned.model == ModelFiles.find(Model().name).digest
    for scale in (learned.values, learned.yes_no):
        assert scale.weights.keys() == scale.means.keys() == scale.deviations.keys()
        assert 0.5 < scale.listed <= scale.strict <= 1


def made(one: str = EIGHT, other: str = SIX) -> Conflict:
    """A conflict of two files."""
    return Conflict(
        Statement("a.txt", 8, 8 + len(one), one),
        Statement("b.txt", 8, 8 + len(other), other),
        ConflictKind.TIME,
        ("8 hours", "6 hours"),
        is_strict=True,
    )


def test_newest_first() -> None:
    """The side that was approved last comes first, and one that never was comes last."""
    days = {"a.txt": date(2026, 1, 1), "b.txt": date(2026, 5, 1)}
    assert [said for _, said in made().newest_first(days.get)] == ["6 hours", "8 hours"]
    del days["b.txt"]
    assert [said for _, said in made().newest_first(days.get)] == ["8 hours", "6 hours"]


def test_a_file_gives_back_what_was_written(tmp_path: Path) -> None:
    """Conflicts are read as they were written, and a file that is none is an error with a sentence."""
    write_conflicts(tmp_path / "conflicts.json", [made()])
    assert read_conflicts(tmp_path / "conflicts.json") == (made(),)
    (tmp_path / "conflicts.json").write_text('{"conflicts": [{}]}', encoding="utf-8")
    with pytest.raises(IndexCorrupt, match="conflicts"):
        read_conflicts(tmp_path / "conflicts.json")


@pytest.fixture
def listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command over two built leaflets, between which the build finds `conflicts`."""

    def load(_cls: type, settings: Model, files: ModelFiles, **_threads: object) -> WordEmbedder:
        return WordEmbedder(files.fingerprint(settings))

    def run(*words: str, conflicts: tuple[Conflict, ...] = (made(),)) -> Result:
        monkeypatch.setattr(qa.build, "find_conflicts", lambda *_: conflicts)
        built = CliRunner().invoke(main, ["build"])
        assert built.exit_code == 0, built.output
        return CliRunner().invoke(main, ["conflicts", *words])

    monkeypatch.setattr(qa.embed.SentenceEmbedder, "load", classmethod(load))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clinic.toml").write_text("[clinic]\nname = 'Test'\n", encoding="utf-8")
    (tmp_path / "corpus").mkdir()
    for name, text in (("a", EIGHT), ("b", SIX)):
        (tmp_path / "corpus" / f"{name}.txt").write_text(f"Eating\n\n{text}\n", encoding="utf-8")
    return run


def test_the_command_lists_both_sides(listed: Callable[..., Result]) -> None:
    """What the last build found is listed with sentences and documents, for people and for machines."""
    text = " ".join(listed().output.split())
    for part in (EIGHT, SIX, "a.txt", "b.txt", "1 contradiction found at the last build"):
        assert part in text
    (conflict,) = json.loads(listed("--json").output)
    assert [side["said"] for side in conflict["sides"]] == ["8 hours", "6 hours"]
    assert [side["document"] for side in conflict["sides"]] == ["a.txt", "b.txt"]


def test_the_command_says_when_there_is_nothing(listed: Callable[..., Result]) -> None:
    """Without contradictions the command says so, and JSON is an empty list."""
    assert listed(conflicts=()).output.startswith("No contradictions were found")
    assert json.loads(listed("--json", conflicts=()).output) == []
