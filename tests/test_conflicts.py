from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from shutil import copytree

import pytest
from builders import H, L, P, T, document, entry, passage
from click.testing import CliRunner

from qa.cli.conflicts import conflicts as command
from qa.clock import Clock
from qa.conflict_scan import values
from qa.conflict_values import Value, same
from qa.conflicts import (
    ConflictKind,
    compare_documents,
    find_conflicts,
    judge_pair,
    read_conflicts,
    write_conflicts,
)
from qa.errors import IndexCorrupt
from qa.load import load_documents
from qa.models import Status
from qa.settings import Settings, with_folders

CORPUS = Path(__file__).parent.parent / "corpus"
EIGHT = "Do not eat solid food for 8 hours before your infusion."
SIX = "Do not eat solid food for 6 hours before your infusion."


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


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (ConflictKind.TIME, EIGHT, SIX),
        (ConflictKind.TIME, "The pharmacy closes at 6 pm.", "Our pharmacy is open until 5:30 pm."),
        (ConflictKind.AMOUNT, "A missed appointment costs $40.", "The fee for a missed appointment is $60."),
        (ConflictKind.AMOUNT, "The flu vaccine costs $35.", "Service: Flu vaccine; Price: $45"),
        (ConflictKind.NUMBER, "Adults take 400 mg of ibuprofen.", "Adults take 600 mg of ibuprofen."),
        (ConflictKind.NUMBER, "Physiotherapy is in room 12.", "You will find physiotherapy in room 21."),
        (ConflictKind.CONTACT, "Call billing at 555-0131.", "Billing can be reached on 555-0139."),
        (
            ConflictKind.COUNT,
            "The first course has six laser treatments.",
            "The first course has eight laser treatments.",
        ),
        (ConflictKind.YES_NO, "Dogs are welcome in the waiting room.", "Dogs are not allowed in the waiting room."),
        (ConflictKind.YES_NO, "You need an escort after sedation.", "You do not need an escort after sedation."),
    ],
)
def test_contradictions_are_found_whichever_comes_first(kind: ConflictKind, one: str, other: str) -> None:
    """Two sentences about one thing with other values, or yes and no, contradict each other in either order."""
    for first, second in ((one, other), (other, one)):
        found = judge_pair(first, second)
        assert found is not None
        assert (found.kind, found.is_strict) == (kind, True)
    assert judge_pair(one, one) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("No solid food for 8 hours before the exam.", "Clear fluids are fine until 2 hours before the exam."),
        ("A first visit costs $250.", "A follow-up visit costs $150."),
        ("Open Monday to Thursday 9 am to 6 pm.", "Open on Friday 9 am to 4 pm."),
        ("Adults take 400 mg of ibuprofen.", "Children take 200 mg of ibuprofen."),
        ("Do not eat for 8 hours before the scan.", "Do not eat for 2 hours after the scan."),
        ("Do not drive after sedation.", "You may eat after sedation."),
        ("The pharmacy opens at 8 am.", "The pharmacy closes at 5 pm."),
        ("A two-hour pain session costs $650.", "A four-hour pain session costs $950."),
        ("You need an escort after sedation.", "You do not need an escort after local anesthesia."),
        ("You may take aspirin.", "Do not take aspirin if you are pregnant."),
        ("The exam takes 30 to 60 minutes.", "The exam takes about 45 minutes."),
        ("A sleep study costs $300.", "A sleep study takes 9 hours."),
    ],
)
def test_other_situations_do_not_contradict(one: str, other: str) -> None:
    """Another person, stage, day, thing or condition, or one value within the other, is no contradiction."""
    assert judge_pair(one, other) is None


def test_headings_say_what_a_sentence_is_about() -> None:
    """The same words under "Eating" and "Drinking" are about two things, under one heading about one."""
    stop = "Stop {} hours before your procedure."
    eating, drinking = stop.format(8), stop.format(2)
    assert judge_pair(eating, drinking, ("Solid food",), ("Clear fluids and water",)) is None


def test_an_answered_question_says_yes_or_no() -> None:
    """A bare no under a question denies what the question asks."""
    found = judge_pair(
        "No. Book it yourself.",
        "A referral is required for a sleep study.",
        ("Do I need a referral for a sleep study?",),
    )
    assert found is not None
    assert found.kind is ConflictKind.YES_NO


def test_conflicts_are_between_documents_and_have_places() -> None:
    """A conflict has both sentences with their spans; a document is not compared with itself."""
    one = passage("a", f"Welcome. {EIGHT} Bring a book.", start=100)
    other = passage("b", SIX, start=7)
    (found,) = find_conflicts([one, other])
    assert (found.one.document_id, found.one.start, found.one.end) == ("a", 109, 109 + len(EIGHT))
    assert (found.one.text, found.other.text) == (EIGHT, SIX)
    assert found.said == ("8 hours", "6 hours")
    assert (found.kind, found.is_strict) == (ConflictKind.TIME, True)
    assert find_conflicts([one, passage("a", SIX, start=900)]) == ()


def test_a_sentence_of_several_documents_is_listed_for_each() -> None:
    """Who says the same stands beside it in the list."""
    found = find_conflicts([passage("a", EIGHT), passage("b", SIX), passage("c", EIGHT)])
    assert {(each.one.document_id, each.other.document_id) for each in found} == {("a", "b"), ("c", "b")}


def test_words_that_do_not_single_one_thing_out_are_not_enough() -> None:
    """Where one document gives two values with all the words that two sentences share, neither is compared."""
    one = passage("a", "The nurse measures your blood pressure every 10 minutes.")
    other = passage("b", "Blood pressure is measured every 15 minutes.", headings=("Recovery room",))
    assert len(find_conflicts([one, other])) == 1
    also = passage("b", "Blood pressure is measured every 10 minutes.", start=500, headings=("Infusion room",))
    assert find_conflicts([one, other, also]) == ()


def test_tables_and_lists_are_compared() -> None:
    """A row is one unit, named by its first cell; an item comes with the sentence that introduces its list."""
    prices = entry(
        "prices",
        document((H, "Prices"), (T, "Service: Flu vaccine; Price: $45"), (T, "Service: Tetanus vaccine; Price: $60")),
    )
    leaflet = entry("leaflet", document((P, "Please note:"), (L, "the flu vaccine costs $35"), (L, "bring your card")))
    (found,) = compare_documents([prices, leaflet])
    assert found.said == ("$45", "$35")


def test_withdrawn_documents_are_not_compared() -> None:
    """What a withdrawn document says contradicts nothing any more."""
    withdrawn = entry("old", SIX, status=Status.WITHDRAWN)
    assert compare_documents([entry("new", EIGHT), withdrawn]) == ()
    assert len(compare_documents([entry("new", EIGHT), entry("draft", SIX, status=Status.DRAFT)])) == 1


def test_newest_first() -> None:
    """The side that was approved last comes first, and one that never was comes last."""
    (found,) = find_conflicts([passage("a", EIGHT), passage("b", SIX)])
    days = {"a": date(2026, 1, 1), "b": date(2026, 5, 1)}
    assert [said for _, said in found.newest_first(days.get)] == ["6 hours", "8 hours"]
    del days["b"]
    assert [said for _, said in found.newest_first(days.get)] == ["8 hours", "6 hours"]


def test_a_file_gives_back_what_was_written(tmp_path: Path) -> None:
    """Conflicts are read as they were written, and a file that is none is an error with a sentence."""
    found = find_conflicts([passage("a", EIGHT), passage("b", SIX)])
    write_conflicts(tmp_path / "conflicts.json", found)
    assert read_conflicts(tmp_path / "conflicts.json") == found
    (tmp_path / "conflicts.json").write_text('{"conflicts": [{}]}', encoding="utf-8")
    with pytest.raises(IndexCorrupt, match="conflicts"):
        read_conflicts(tmp_path / "conflicts.json")


@pytest.fixture
def listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """The command over the sample clinic's Markdown leaflets."""
    copytree(CORPUS, tmp_path / "corpus", ignore=lambda _, names: [name for name in names if ".pdf" in name])
    (tmp_path / "clinic.toml").write_text("[clinic]\nname = 'Test'\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> str:
        result = CliRunner().invoke(command, list(words))
        assert result.exit_code == 0
        return result.output

    return run


def test_the_command_lists_both_sides(listed: Callable[..., str]) -> None:
    """The sample's two fasting hours are listed with titles, sections, sentences and dates, newest first."""
    text = " ".join(listed().split())
    for part in (EIGHT, SIX, "Before your infusion › Eating and drinking", "approved 2026-05-11", "patient/faq.md"):
        assert part in text
    assert text.index("8 hours (approved") < text.index("6 hours (approved")
    (conflict,) = json.loads(listed("--json"))
    assert [side["said"] for side in conflict["sides"]] == ["8 hours", "6 hours"]
    assert [side["document"] for side in conflict["sides"]] == ["patient/before-your-infusion.md", "patient/faq.md"]


def test_the_command_says_when_there_is_nothing(listed: Callable[..., str], tmp_path: Path) -> None:
    """Without contradictions the command says so, and JSON is an empty list."""
    (tmp_path / "corpus" / "patient" / "faq.md").unlink()
    (tmp_path / "corpus" / "patient" / "faq.md.yaml").unlink()
    assert listed().startswith("No contradictions found.")
    assert json.loads(listed("--json")) == []


def test_the_samples_fasting_hours_are_all_that_is_found(sample_settings: Settings, clock: Clock) -> None:
    """In the whole sample corpus only the fasting hours contradict each other: 6 in the FAQ, 8 elsewhere."""
    settings = with_folders(sample_settings, corpus=CORPUS, index=None)
    documents = load_documents(settings, cache=None, today=clock().date()).documents
    found = compare_documents(documents)
    assert {each.said for each in found} == {("8 hours", "6 hours")}
    assert {each.one.document_id for each in found} == {"patient/before-your-infusion.md", "patient/consent-form.pdf"}
    assert {each.other.document_id for each in found} == {"patient/faq.md"}
