from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from builders import H, P, document, entry, index_of
from conftest import WordEmbedder

from qa import errors
from qa.audience import Audience
from qa.embed import ModelFingerprint
from qa.index.faiss_index import FaissIndex
from qa.index.lexical import term_spans, terms

DOCUMENTS = [
    entry("a", document((H, "Fasting"), (P, "fasting fasting ketamine"), (P, "driving home"))),
    entry("b", "nausea after ketamine"),
    entry("c", "fasting and driving", review_by=date(2026, 6, 30)),
]


@pytest.fixture
def index(tmp_path: Path, embedder: WordEmbedder) -> FaissIndex:
    return index_of(tmp_path / "index", DOCUMENTS, embedder)


def test_dense_ranks_by_cosine(index: FaissIndex, embedder: WordEmbedder) -> None:
    """The nearest passage comes first, with its cosine."""
    ranking = index.dense(embedder.encode(["fasting"])[0], 3, None)
    assert ranking.numbers.tolist()[:2] == [0, 3]
    assert ranking.scores.tolist()[:2] == pytest.approx([2 / 5**0.5, 1 / 2**0.5])


def test_lexical_ranks_by_bm25(index: FaissIndex) -> None:
    """Only passages with a word of the question are ranked, the more telling first."""
    assert index.lexical(["nausea"], 10, None).numbers.tolist() == [2]
    assert index.lexical(terms("fasting"), 10, None).numbers.tolist()[0] == 0
    assert index.lexical(["unheard"], 10, None).numbers.tolist() == []
    assert index.lexical([], 10, None).numbers.tolist() == []


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
    empty = index_of(tmp_path / "empty", [entry("a", "text")], embedder)
    assert empty.lexical(["nothing"], 5, None).numbers.tolist() == []


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


def test_terms_are_stemmed_and_stop_words_left_out() -> None:
    """Words are compared without case, accents, endings and curly quotes."""
    assert terms("Can I drive? The clinic’s Infusions, café") == ["drive", "clinic", "infus", "cafe"]
    assert terms("infusion") == terms("INFUSIONS")


def test_term_spans_point_at_their_words() -> None:
    """Each term knows where its word stands, for highlighting."""
    text = "Don’t drive home."
    assert [text[start:end] for _, start, end in term_spans(text)] == ["Don’t", "drive", "home"]
