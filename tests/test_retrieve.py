from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from builders import H, P, document, entry, index_of
from conftest import WordEmbedder

from qa.index.contract import Ranking
from qa.models import CorpusDocument
from qa.retrieve import Retrieved, Wording, fuse, retrieve
from qa.settings import Retrieval

SETTINGS = Retrieval(rrf_k=10, lexical_weight=0.5, candidates=10, top=5, returned_tokens=6)


def ranking(*numbers: int) -> Ranking:
    return Ranking(np.array(numbers, dtype=np.int64), np.linspace(1, 0.5, len(numbers), dtype=np.float32))


def test_fusion_adds_weighted_reciprocal_ranks() -> None:
    """A passage scores 1/(k + rank) by meaning and weight/(k + rank) by words; ties go to the earlier passage."""
    fused = fuse(ranking(7, 3), ranking(3, 5), SETTINGS)
    assert [(number, score) for number, score, _, _ in fused] == [
        (3, pytest.approx(1 / 12 + 0.5 / 11)),
        (7, pytest.approx(1 / 11)),
        (5, pytest.approx(0.5 / 12)),
    ]
    assert [
        number for number, *_ in fuse(ranking(9), Ranking(np.array([2]), np.array([1.0])), Retrieval(lexical_weight=1))
    ] == [2, 9]


def found(tmp_path: Path, documents: list[CorpusDocument], question: str, settings: Retrieval = SETTINGS) -> Retrieved:
    embedder = WordEmbedder()
    index = index_of(tmp_path / "index", documents, embedder)
    embedder.encoded.clear()
    result = retrieve(question, index=index, embedder=embedder, mask=None, settings=settings, top=settings.top)
    assert embedder.encoded == [question]  # one encoding for each question
    return result


def test_the_best_passage_comes_first(tmp_path: Path) -> None:
    """A passage that both rankings like best stands first and carries both places."""
    documents = [entry("a", "nausea and cost"), entry("b", "driving driving"), entry("c", "driving and nausea")]
    result = found(tmp_path, documents, "driving")
    assert [hit.passage.document_id for hit in result.hits] == ["b", "c", "a"]
    first = result.hits[0]
    assert first.dense is not None
    assert first.lexical is not None
    assert (first.dense.rank, first.dense.score) == (1, pytest.approx(1.0))
    assert first.lexical.rank == 1
    assert result.similarity == pytest.approx(1.0)


def test_neighbours_of_one_section_are_merged(tmp_path: Path) -> None:
    """Passages that follow each other become one hit with the text between them, in the document's order."""
    read = entry(
        "a", document((H, "Home"), (P, "driving later"), (P, "driving driving never"), (H, "Other"), (P, "driving"))
    )
    result = found(tmp_path, [read], "driving")
    assert [hit.passage.text for hit in result.hits] == ["driving later\n\ndriving driving never", "driving"]
    merged = result.hits[0]
    assert merged.passage.text == read.document.text[merged.passage.start : merged.passage.end]
    assert merged.merged == ("a#6-19", "a#21-42")
    assert merged.passage.tokens == 5


def test_merging_stops_at_its_limit(tmp_path: Path) -> None:
    """Neighbours that are too long together stay apart."""
    read = entry("a", document((P, "driving one two three"), (P, "driving four five six")))
    assert len(found(tmp_path, [read], "driving").hits) == 2


def test_the_same_text_is_one_hit_with_all_its_sources(tmp_path: Path) -> None:
    """A paragraph that stands in two documents is shown once and names both."""
    text = "no driving until the morning after your treatment"
    result = found(tmp_path, [entry("a", text), entry("b", text), entry("c", "driving")], "driving")
    by_document = {hit.passage.document_id: [other.document_id for other in hit.also_in] for hit in result.hits}
    assert by_document == {"c": [], "a": ["b"]}


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


def test_an_index_where_nothing_may_be_shown_gives_nothing(tmp_path: Path) -> None:
    """With every passage masked there are no hits and no similarity."""
    embedder = WordEmbedder()
    index = index_of(tmp_path / "index", [entry("a", "driving")], embedder)
    mask = np.zeros(1, dtype=np.bool_)
    result = retrieve("driving", index=index, embedder=embedder, mask=mask, settings=SETTINGS, top=5)
    assert result == Retrieved(hits=(), similarity=0.0)
