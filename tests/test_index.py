from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from builders import H, L, P, document, entry, index_of
from conftest import WordEmbedder

from qa import errors
from qa.audience import Audience
from qa.embed import ModelFingerprint
from qa.index.faiss_index import FaissIndex
from qa.terms import terms

DOCUMENTS = [
    entry("a", document((H, "Fasting"), (P, "fasting fasting ketamine"), (P, "driving home"))),
    entry("b", "nausea after ketamine"),
    entry("c", "fasting and driving", review_by=date(2026, 6, 30)),
]


@pytest.fixture
def index(tmp_path: Path, embedder: WordEmbedder) -> FaissIndex:
    return index_of(tmp_path / "index", DOCUMENTS, embedder)


def test_dense_ranks_by_cosine(index: FaissIndex, embedder: WordEmbedder) -> None:
    """The nearest passage comes first, with its cosine, which two bytes a number move by less than 0.001."""
    ranking = index.dense(embedder.encode(["fasting"])[0], 3, None)
    assert ranking.numbers.tolist()[:2] == [0, 3]
    assert ranking.scores.tolist()[:2] == pytest.approx([2 / 5**0.5, 1 / 2**0.5], abs=1e-3)


def test_lexical_ranks_by_bm25(index: FaissIndex) -> None:
    """Only passages with a word of the question are ranked, the more telling first."""
    assert index.lexical(["nausea"], 10, None).numbers.tolist() == [2]
    assert index.lexical(terms("fasting"), 10, None).numbers.tolist()[0] == 0
    assert index.lexical(["unheard"], 10, None).numbers.tolist() == []
    assert index.lexical([], 10, None).numbers.tolist() == []


def test_cosines_are_given_for_chosen_passages(index: FaissIndex, embedder: WordEmbedder) -> None:
    """Each vector is compared with each passage asked for, in that order; of none there is nothing."""
    fasting, driving = embedder.encode(["fasting", "driving"])
    assert index.cosines(driving, [3, 1]).tolist() == pytest.approx([1 / 2**0.5, 1.0], abs=1e-3)
    both = index.cosines(np.stack([fasting, driving]), np.array([0, 1]))
    assert both == pytest.approx(np.array([[2 / 5**0.5, 0], [0, 1]]), abs=1e-3)
    assert index.cosines(fasting, []).shape == (0,)
    assert index.cosines(np.stack([fasting, driving]), []).shape == (2, 0)


def test_word_scores_are_those_of_the_ranking(index: FaissIndex) -> None:
    """A chosen passage scores what it scores in the ranking by words, and 0 where it has none of them."""
    ranking = index.lexical(["ketamin"], 10, None)
    assert index.word_scores(["ketamin"], ranking.numbers).tolist() == pytest.approx(ranking.scores.tolist())
    assert index.word_scores(["ketamin", "unheard"], [1, 3]).tolist() == [0, 0]
    assert index.word_scores(["unheard"], [1, 3]).tolist() == [0, 0]
    assert index.word_scores([], [1]).tolist() == [0]


def test_rare_terms_tell_most(index: FaissIndex) -> None:
    """A term in n of N passages tells ln(1 + (N - n + 0.5) / (n + 0.5)); one that none has, most of all."""
    tells, held = index.information(["nausea", "ketamin", "unheard"])
    # One, two and none of four passages.
    assert tells.tolist() == pytest.approx([math.log(1 + 3.5 / 1.5), math.log(2), math.log(10)])
    assert held.tolist() == [True, True, False]
    assert index.information([])[0].shape == (0,)


def test_no_passage_scores_more_than_the_question_tells(index: FaissIndex) -> None:
    """BM25 of a term stays below what the term tells, so that a part of it is below 1."""
    tells, _ = index.information(["fast"])
    assert 0 < index.word_scores(["fast"], [0])[0] < tells[0]


def test_words_are_matched_segment_by_segment(tmp_path: Path, embedder: WordEmbedder) -> None:
    """Each passage has a segment for what stands in front and one for each sentence, with its nearest word's cosine."""
    read = entry("a", document((P, "Nausea passes. Driving is out."), (P, "The cost of it.")))
    index = index_of(tmp_path / "index", [read], embedder, front="Ketamine\n")
    words = embedder.encode(["driving", "ketamine", "cost", "nausea"])
    found = index.match(words, [1, 0])
    assert found.starts.tolist() == [0, 2, 5]
    assert found.best == pytest.approx(
        np.array([[0, 1, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1], [1, 0, 0, 0]]), abs=1e-5
    )


def test_nothing_is_matched_with_nothing(index: FaissIndex, embedder: WordEmbedder) -> None:
    """Without passages there are no segments, and without words the segments have no columns."""
    assert index.match(embedder.encode(["driving"]), []).best.shape == (0, 1)
    assert index.match(embedder.encode(["driving"])[:0], [0, 2]).best.shape == (4, 0)


def test_a_segment_without_words_matches_nothing(tmp_path: Path, embedder: WordEmbedder) -> None:
    """What holds only words that stand in any question has no words to match."""
    index = index_of(tmp_path / "index", [entry("a", "Can I? Driving home."), entry("b", "Are you?")], embedder)
    found = index.match(embedder.encode(["driving"]), [0, 1])
    assert found.best[:, 0].tolist() == pytest.approx([0, 0, 1, 0, 0], abs=1e-5)
    assert index.match(embedder.encode(["driving"]), [1]).best.tolist() == [[0], [0]]


@pytest.mark.parametrize("hidden", [0, 1, 2, 3])
def test_a_masked_passage_is_in_no_ranking(index: FaissIndex, embedder: WordEmbedder, hidden: int) -> None:
    """What the mask hides is neither found by meaning nor by words, and takes nobody's place."""
    mask = np.ones(4, dtype=np.bool_)
    mask[hidden] = False
    vector = embedder.encode(["fasting driving nausea ketamine"])[0]
    words = terms("fasting driving nausea ketamine")
    assert set(index.dense(vector, 10, mask).numbers.tolist()) == {0, 1, 2, 3} - {hidden}
    assert set(index.lexical(words, 10, mask).numbers.tolist()) == {0, 1, 2, 3} - {hidden}


def test_an_empty_mask_finds_nothing(index: FaissIndex, embedder: WordEmbedder) -> None:
    """When nothing may be shown, nothing is found."""
    mask = np.zeros(4, dtype=np.bool_)
    assert index.dense(embedder.encode(["fasting"])[0], 10, mask).numbers.tolist() == []
    assert index.lexical(terms("fasting"), 10, mask).numbers.tolist() == []


def test_passages_come_in_the_order_asked_for(index: FaissIndex) -> None:
    """Passages are given by number, in any order."""
    assert [passage.text for passage in index.passages([2, 0])] == ["nausea after ketamine", "fasting fasting ketamine"]
    with pytest.raises(KeyError):
        index.passages([99])


def test_documents_and_sources_are_kept(index: FaissIndex) -> None:
    """A document comes back as it went in, with its text and its passages' numbers."""
    kept = index.document("a")
    assert kept.metadata == DOCUMENTS[0].metadata
    assert kept.passages == range(2)
    assert index.source("a").text == DOCUMENTS[0].document.text
    assert index.headings(kept) == ["Fasting"]
    with pytest.raises(KeyError):
        index.source("staff-only")


def test_blocks_keep_the_numbers_of_items(tmp_path: Path, embedder: WordEmbedder) -> None:
    """A list item comes back with its own number, which is not in the text; other blocks have none."""
    plain = document((L, "Sit"), (P, "Wait."))
    blocks = (replace(plain.blocks[0], marker="3."), plain.blocks[1])
    index = index_of(tmp_path / "index", [entry("a", replace(plain, blocks=blocks))], embedder)
    assert index.blocks("a") == blocks


def test_patients_do_not_get_what_is_past_its_review_date(index: FaissIndex) -> None:
    """The mask follows the clock: on the last day a document is there, on the next it is not."""
    assert index.eligible(date(2026, 6, 30)) is None
    mask = index.eligible(date(2026, 7, 1))
    assert mask is not None
    assert mask.tolist() == [True, True, True, False]


def test_staff_see_what_is_past_its_review_date(tmp_path: Path, embedder: WordEmbedder) -> None:
    """Age hides nothing from staff."""
    assert index_of(tmp_path / "staff", DOCUMENTS, embedder, Audience.STAFF).eligible(date(2030, 1, 1)) is None


def test_an_index_without_passages_opens_and_finds_nothing(tmp_path: Path, embedder: WordEmbedder) -> None:
    """A clinic that has labelled nothing for patients yet has an empty index, not a broken one."""
    empty = index_of(tmp_path / "empty", [], embedder)
    vector = embedder.encode(["driving"])[0]
    assert empty.lexical(["nothing"], 5, None).numbers.tolist() == []
    assert empty.dense(vector, 5, None).numbers.tolist() == []
    assert empty.information(["nothing"])[1].tolist() == [False]
    assert empty.match(vector.reshape(1, -1), []).best.shape == (0, 1)
    assert empty.eligible(date(2026, 6, 30)) is None


Damage = Callable[[Path], None]


def other_format(folder: Path) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 99}))


def gaps(folder: Path) -> None:
    path = folder / "manifest.json"
    content = json.loads(path.read_text())
    del content["files"]
    path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (lambda folder: (folder / "manifest.json").unlink(), errors.IndexIncomplete),
        (lambda folder: (folder / "dense.faiss").unlink(), errors.IndexIncomplete),
        (lambda folder: (folder / "lexical" / "vocab.index.json").unlink(), errors.IndexIncomplete),
        (lambda folder: (folder / "tokens" / "codec.bin").unlink(), errors.IndexIncomplete),
        (lambda folder: (folder / "tokens" / "codes.npy").write_bytes(b"codes"), errors.IndexCorrupt),
        (lambda folder: (folder / "manifest.json").write_text("{"), errors.IndexCorrupt),
        (gaps, errors.IndexCorrupt),
        (lambda folder: (folder / "store.sqlite").write_bytes(b"SQLite"), errors.IndexCorrupt),
        (other_format, errors.IndexFormatMismatch),
    ],
)
def test_a_damaged_index_says_what_is_wrong_and_what_to_run(
    tmp_path: Path, embedder: WordEmbedder, damage: Damage, expected: type[errors.IndexProblem]
) -> None:
    """Half an index, a changed file or another format is never searched; the error names the command."""
    index_of(tmp_path / "index", DOCUMENTS, embedder).close()
    damage(tmp_path / "index")
    with pytest.raises(expected, match="clinic-qa build"):
        FaissIndex.open(tmp_path / "index", embedder.fingerprint)


@pytest.mark.parametrize(
    "other",
    [
        ModelFingerprint("another", "0" * 64, "float32"),
        ModelFingerprint("words", "1" * 64, "float32"),
        ModelFingerprint("words", "0" * 64, "bfloat16"),
    ],
)
def test_an_index_of_another_model_is_not_opened(
    tmp_path: Path, embedder: WordEmbedder, other: ModelFingerprint
) -> None:
    """Vectors of another model, other weights or another dtype are never compared."""
    index_of(tmp_path / "index", DOCUMENTS, embedder).close()
    with pytest.raises(errors.IndexModelMismatch, match="clinic-qa build"):
        FaissIndex.open(tmp_path / "index", other)
