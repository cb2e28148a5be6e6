from __future__ import annotations

from pathlib import Path

import pytest

from qa.index.spelling import Spelling, write_words

SPELLING = Spelling(("infusion", "driving", "dosage", "nausea", "ketamine", "nurse", "hypertension", "clonazepam"))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("drivng", "driving"),  # a letter is missing
        ("drivving", "driving"),  # one too many
        ("driwing", "driving"),  # a wrong one
        ("drviing", "driving"),  # two swapped
        ("NAUSAE", "nausea"),
        ("infuzsion", "infusion"),
        ("ketamin", "ketamine"),
        ("kettamin", None),  # two slips, however long the word
        ("hypotension", None),
        ("lorazepam", None),
        ("riving", None),  # the first letter is missing
        ("busage", None),
        ("dnausea", None),
        ("driving", "driving"),
        ("nurze", "nurse"),
        ("nurs", None),  # too short
        ("nurse2", None),  # no plain word
        ("450", None),
        ("", None),
        ("zebra", None),
    ],
)
def test_a_slip_of_the_fingers_is_forgiven(written: str, meant: str | None) -> None:
    """One slip after the first letter of a word of five letters or more; numbers and short words stay what they are."""
    assert SPELLING.nearest(written) == meant


def test_another_drug_is_never_meant() -> None:
    """Words of one beginning that differ by more than one slip are two words."""
    drugs = Spelling(("hydroxyzine", "prednisone", "cephalexin"))
    assert [drugs.nearest(name) for name in ("hydralazine", "prednisolone", "celexa")] == [None, None, None]


def test_of_equally_near_words_the_most_frequent_is_meant() -> None:
    """The order of the words decides between two that are as near."""
    assert Spelling(("dosing", "dozing")).nearest("dofing") == "dosing"
    assert Spelling(("dozing", "dosing")).nearest("dofing") == "dozing"


def test_words_are_kept_by_how_often_they_stand(tmp_path: Path) -> None:
    """Words that may be meant are written once each, in lower case, the most frequent first; others are left out."""
    path = tmp_path / "words.txt"
    write_words(path, ["Nausea and driving", "NAUSEA, water 450 x2345 at two", "the cost and these rests"])
    assert Spelling.open(path).words == ("nausea", "driving", "rests", "water")


def test_without_words_nothing_is_meant(tmp_path: Path) -> None:
    """An index without passages reads every word as it is written."""
    path = tmp_path / "words.txt"
    write_words(path, [])
    assert Spelling.open(path).nearest("driving") is None
