from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from builders import H, P, document, entry, index_of
from conftest import WordEmbedder

from qa.index import FaissIndex
from qa.models import Candidate, CorpusDocument, Hit, Page, Signals
from qa.retrieve.merge import Wording, collapse_duplicates, merge_neighbours

Ranked = Callable[..., tuple[list[Hit], FaissIndex]]


@pytest.fixture
def ranked(tmp_path: Path, embedder: WordEmbedder) -> Ranked:
    """Hits for the passages of these documents with these numbers, best first, and the index they are in."""

    def rank(numbers: list[int], *documents: CorpusDocument) -> tuple[list[Hit], FaissIndex]:
        index = index_of(tmp_path / "index", documents, embedder)
        signals = Signals(similarity=0, asking=0, words=0, late=0, sentence=0)
        candidates = [Candidate(number, 1 - place / 10, None, None, signals) for place, number in enumerate(numbers)]
        hits = [
            Hit(passage, candidate, range(candidate.number, candidate.number + 1))
            for candidate, passage in zip(candidates, index.passages(numbers), strict=True)
        ]
        return hits, index

    return rank


THREE = entry("a", document((H, "Home"), (P, "One two."), (P, "Three four."), (P, "Five six.")))


@pytest.mark.parametrize("order", [[0, 1, 2], [1, 2, 0], [2, 1, 0], [0, 2, 1], [2, 0, 1]])
def test_neighbours_become_one_in_the_documents_order(ranked: Ranked, order: list[int]) -> None:
    """Whichever is found first, the merged text is the document's own, and the best hit's score is kept."""
    (merged,) = merge_neighbours(*ranked(order, THREE), most_tokens=6)
    assert merged.passage.text == "One two.\n\nThree four.\n\nFive six."
    assert merged.passage.text == THREE.document.text[merged.passage.start : merged.passage.end]
    assert merged.passage.id == "a#6-38"
    assert (merged.numbers, merged.passage.tokens) == (range(3), 6)
    assert (merged.candidate.number, merged.score) == (order[0], 1)


def test_merging_stops_at_the_limit(ranked: Ranked) -> None:
    """A third neighbour that would make the hit too long stays a hit of its own."""
    merged = merge_neighbours(*ranked([0, 1, 2], THREE), most_tokens=5)
    assert [hit.numbers for hit in merged] == [range(2), range(2, 3)]


def test_other_sections_and_documents_are_not_merged(ranked: Ranked) -> None:
    """Passages that follow each other in the index, but not in one section, stay apart."""
    read = entry("a", document((H, "One"), (P, "Text."), (H, "Two"), (P, "Text.")))
    merged = merge_neighbours(*ranked([0, 1, 2], read, entry("b", "Text.")), most_tokens=100)
    assert [hit.numbers for hit in merged] == [range(1), range(1, 2), range(2, 3)]


def test_a_merged_hit_is_on_all_its_pages(ranked: Ranked) -> None:
    """Over a page break the hit names both pages."""
    read = entry("a", document((P, "One."), (P, "Two."), pages=(Page("1", 0, 4), Page("2", 6, 10))))
    (merged,) = merge_neighbours(*ranked([1, 0], read), most_tokens=10)
    assert merged.passage.pages == (1, 2)


def test_the_best_of_equal_texts_names_the_others(ranked: Ranked) -> None:
    """The same text of other documents is listed with the best hit, in the order in which it was found."""
    text = "No driving until the morning after your treatment."
    hits, _ = ranked([2, 0, 1, 3], entry("a", text), entry("b", text), entry("c", text), entry("d", "Other text here."))
    kept = collapse_duplicates(hits, 0.9)
    assert [hit.passage.document_id for hit in kept] == ["c", "d"]
    assert [other.document_id for other in kept[0].also_in] == ["a", "b"]


def test_a_text_that_one_document_repeats_is_not_collapsed(ranked: Ranked) -> None:
    """Two places of one document stay two hits: each has its own section."""
    hits, _ = ranked([0, 1], entry("a", document((P, "Rest until noon."), (P, "Rest until noon."))))
    assert len(collapse_duplicates(hits, 0.9)) == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "Please stop eating 8 hours before you come in for the treatment.",
            "Please stop eating 6 hours before you come in for the treatment.",
        ),
        (
            "You may drive on the day of your treatment if you feel well enough to do so.",
            "You may not drive on the day of your treatment if you feel well enough to do so.",
        ),
        (
            "The price of one infusion in our clinic is $450.00 for every patient who comes.",
            "The price of one infusion in our clinic is $475.00 for every patient who comes.",
        ),
    ],
)
def test_texts_that_contradict_each_other_are_never_collapsed(one: str, other: str) -> None:
    """A different number or a "not" is what a reader must see, however alike the rest is."""
    assert not Wording.of(one).is_within(Wording.of(other), 0.6)
    assert not Wording.of(other).is_within(Wording.of(one), 0.6)


def test_a_text_within_a_longer_one_is_the_same() -> None:
    """A paragraph that is quoted whole in a longer passage adds nothing of its own."""
    short = "Bring a companion who takes you home afterwards."
    long = f"Eat lightly. {short} Rest for 2 hours and do not work."
    assert Wording.of(short).is_within(Wording.of(long), 0.9)
    assert not Wording.of(long).is_within(Wording.of(short), 0.9)
