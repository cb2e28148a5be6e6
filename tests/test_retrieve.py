from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from builders import H, P, document, entry, index_of
from conftest import WordEmbedder

from qa.models import CorpusDocument, Evidence
from qa.retrieve import Retrieved, find, retrieve
from qa.settings import Retrieval

SETTINGS = Retrieval(candidates=10, top=5, returned_tokens=6)
ONCE, TWICE = 1 / 1.9, 2 / 2.9  # what a passage of usual length has of a term's idf


def found(
    tmp_path: Path,
    documents: list[CorpusDocument],
    question: str,
    settings: Retrieval = SETTINGS,
    mask: list[bool] | None = None,
) -> Retrieved:
    embedder = WordEmbedder()
    index = index_of(tmp_path / "index", documents, embedder)
    embedder.encoded.clear()
    result = retrieve(
        question,
        index=index,
        embedder=embedder,
        mask=None if mask is None else np.array(mask),
        settings=settings,
        top=settings.top,
    )
    assert embedder.encoded == [result.query.searched]  # one encoding for each question
    return result


def test_the_best_passage_comes_first(tmp_path: Path) -> None:
    """A passage that both searches like best stands first and carries both places."""
    documents = [entry("a", "nausea and cost"), entry("b", "driving driving"), entry("c", "driving and nausea")]
    result = found(tmp_path, documents, "driving")
    assert [hit.passage.document_id for hit in result.hits] == ["b", "c", "a"]
    assert result.ranking.tolist() == [1, 2, 0]
    first = result.hits[0].candidate
    assert first.dense is not None
    assert first.lexical is not None
    assert (first.dense.rank, first.dense.score) == (1, pytest.approx(1.0))
    assert first.lexical.rank == 1
    assert first.signals.similarity == pytest.approx(1.0)
    assert [hit.score for hit in result.hits] == sorted((hit.score for hit in result.hits), reverse=True)


def test_neighbours_of_one_section_are_merged(tmp_path: Path) -> None:
    """Passages that follow each other become one hit with the text between them, in the document's order."""
    read = entry(
        "a", document((H, "Home"), (P, "driving later"), (P, "driving driving never"), (H, "Other"), (P, "driving"))
    )
    result = found(tmp_path, [read], "driving")
    assert {hit.passage.text for hit in result.hits} == {"driving later\n\ndriving driving never", "driving"}
    merged = next(hit for hit in result.hits if len(hit.numbers) > 1)
    assert merged.passage.text == read.document.text[merged.passage.start : merged.passage.end]
    assert (merged.passage.id, merged.numbers) == ("a#6-42", range(2))
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


def test_what_merging_takes_is_made_up_for(tmp_path: Path) -> None:
    """As many hits are shown as were asked for, although neighbours and duplicates became one."""
    together = entry("a", document((P, "driving driving"), (P, "driving driving")))
    settings = Retrieval(top=2, returned_tokens=6)
    result = found(tmp_path, [together, entry("b", "driving nausea")], "driving", settings)
    assert [hit.passage.document_id for hit in result.hits] == ["a", "b"]


def test_the_glossary_finds_what_a_lay_word_means(tmp_path: Path) -> None:
    """What the glossary says is searched by words as well as by meaning."""
    glossary = tmp_path / "glossary.toml"
    glossary.write_text('[expansions]\n"throwing up" = ["nausea"]\n', encoding="utf-8")
    documents = [entry("x", "driving home"), entry("y", "nausea passes")]
    result = found(tmp_path, documents, "I keep throwing up", Retrieval(glossary=glossary))
    assert result.query.searched == "I keep nausea"
    assert result.hits[0].passage.document_id == "y"
    assert result.hits[0].candidate.lexical is not None


DOCUMENTS = [entry("x", "driving cost"), entry("y", "driving driving"), entry("z", "nausea nausea")]


def test_evidence_is_the_best_of_the_first_hits(tmp_path: Path) -> None:
    """What judges an answer is the best that the first three hits have, and what the whole ranking tells."""
    result = found(tmp_path, DOCUMENTS, "driving")
    trust = (2 * TWICE) ** 2
    assert result.trust == pytest.approx(trust)
    # The first scores 1.5 and the words' part, the last of three candidates, which is no tenth one, nothing.
    margin = 1.5 + SETTINGS.words_weight * trust * (TWICE + 1 + 2)
    assert result.evidence == Evidence(
        similarity=pytest.approx(1),
        coverage=pytest.approx(TWICE),
        late=pytest.approx(1, abs=1e-5),
        sentence=pytest.approx(1, abs=1e-5),
        asking=pytest.approx(1),
        margin=pytest.approx(margin, abs=1e-3),
        known=1.0,
        agreement=pytest.approx(2 / 3),
        length=1.0,
    )


def test_evidence_looks_at_three_hits(tmp_path: Path) -> None:
    """What only the fourth hit has speaks for no answer."""
    documents = [entry(f"x{n}", "driving parking") for n in range(3)] + [entry("w", "driving cost cost cost cost")]
    settings = Retrieval(words_weight=0, duplicate_overlap=1)
    result = found(
        tmp_path,
        [*documents[:1], entry("v", "driving home"), entry("u", "driving bus"), documents[3]],
        "driving driving driving driving driving cost",
        settings,
    )
    assert [hit.passage.document_id for hit in result.hits][3] == "w"
    # The fourth has both words of the question, the others one that tells little, as all have it.
    assert result.hits[3].candidate.signals.late == pytest.approx(1, abs=1e-5)
    assert result.evidence.late == result.hits[0].candidate.signals.late < 0.5


def test_the_margin_is_over_the_tenth_candidate(tmp_path: Path) -> None:
    """What lies beyond the tenth candidate, and how many hits are shown, changes no margin."""
    documents = [entry("x", "driving driving")] + [entry(f"x{n}", "driving cost") for n in range(10)]
    result = found(tmp_path, [*documents, entry("y", "nausea nausea")], "driving")
    tenth = result.compared[9]
    assert tenth.signals.similarity == pytest.approx(1 / 2**0.5, abs=1e-3)
    assert result.evidence.margin == pytest.approx(result.compared[0].score - tenth.score)


@pytest.mark.parametrize("top", [1, 2, 3, 5])
def test_evidence_does_not_depend_on_how_many_hits_are_shown(tmp_path: Path, top: int) -> None:
    """Whoever wants one passage gets the same judgement as whoever wants five."""
    # By meaning the same text comes first five times, which is one hit; the next has the words that tell more.
    repeated = [entry(f"x{n}", "cost and cost and cost") for n in range(5)]
    documents = [*repeated, entry("y", "driving nausea"), entry("z", "driving driving home")]
    embedder = WordEmbedder()
    index = index_of(tmp_path / "index", documents, embedder)
    few, more = (
        retrieve(
            "cost cost cost nausea driving",
            index=index,
            embedder=embedder,
            mask=None,
            settings=Retrieval(words_weight=0),
            top=number,
        )
        for number in (top, 5)
    )
    assert more.evidence.late == more.hits[1].candidate.signals.late > more.hits[0].candidate.signals.late
    assert few.evidence == more.evidence
    assert few.hits == more.hits[:top]


def test_a_question_that_was_read_is_found_alike(tmp_path: Path, embedder: WordEmbedder) -> None:
    """Reading a question and finding its passages are two steps of the same."""
    index = index_of(tmp_path / "index", DOCUMENTS, embedder)
    query = retrieve("driving", index=index, embedder=embedder, mask=None, settings=SETTINGS, top=5).query
    embedder.encoded.clear()
    again = find(query, index=index, mask=None, settings=SETTINGS, top=2)
    assert embedder.encoded == []
    assert [hit.passage.document_id for hit in again.hits] == ["y", "x"]


def test_an_index_where_nothing_may_be_shown_gives_nothing(tmp_path: Path) -> None:
    """With every passage masked there are no hits and no evidence but what the question itself tells."""
    result = found(tmp_path, [entry("a", "driving")], "driving", mask=[False])
    assert (result.hits, result.ranking.tolist(), result.compared, result.trust) == ((), [], (), 0)
    assert result.evidence == Evidence(
        similarity=0, coverage=0, late=0, sentence=0, asking=0, margin=0, known=1, agreement=0, length=1
    )


def test_an_index_without_passages_gives_nothing(tmp_path: Path) -> None:
    """A clinic without documents for patients has no hits, and that is no error."""
    result = found(tmp_path, [], "driving")
    assert result.hits == ()
    assert result.evidence.known == 0
