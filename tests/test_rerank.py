from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from builders import H, P, document, entry, index_of, passage
from conftest import WordEmbedder
from numpy.typing import NDArray

from qa.errors import ModelError
from qa.models import Candidate, Hit, Signals
from qa.retrieve import retrieve
from qa.retrieve.rerank import CosineReranker, CrossEncoderReranker, load_reranker, rerank
from qa.settings import Model, Retrieval

QUESTION = "may I drive"


class Preferring:
    """A reranker that likes texts for the words they hold, first the first of these."""

    def __init__(self, *words: str) -> None:
        self.words = words
        self.asked: list[tuple[str, tuple[str, ...]]] = []

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked.append((question, tuple(texts)))
        values = [
            max((1 / (1 + self.words.index(word)) for word in self.words if word in text), default=0) for text in texts
        ]
        return np.array(values, dtype=np.float32)


def hit(text: str, *headings: str) -> Hit:
    signals = Signals(similarity=0.5, asking=0.5, words=0.5, late=0.5, sentence=0.5)
    return Hit(passage(text, text, headings=headings), Candidate(0, 1.0, None, None, signals), range(1))


def texts(hits: Sequence[Hit]) -> list[str]:
    return [each.passage.text for each in hits]


def test_the_best_hits_take_the_rerankers_order() -> None:
    """The first hits are ordered by their scores, those behind them stay where they are."""
    hits = [hit(text) for text in ("nausea", "water", "cost", "driving")]
    assert texts(rerank(QUESTION, hits, 4, Preferring("driving", "cost"))) == ["driving", "cost", "nausea", "water"]
    assert texts(rerank(QUESTION, hits, 3, Preferring("driving", "cost"))) == ["cost", "nausea", "water", "driving"]


def test_equal_scores_keep_their_order() -> None:
    """Where the reranker sees no difference, the ranking before it decides."""
    hits = [hit(text) for text in ("b", "a", "c")]
    assert texts(rerank(QUESTION, hits, 9, Preferring("z"))) == ["b", "a", "c"]


def test_a_reranker_reads_headings_and_text() -> None:
    """It gets the question as it was asked and each passage below its headings, in one call."""
    reranker = Preferring("x")
    rerank(QUESTION, [hit("not today", "Home", "Driving"), hit("cost"), hit("more")], 2, reranker)
    assert reranker.asked == [(QUESTION, ("Home\nDriving\nnot today", "cost"))]


def test_without_hits_no_model_is_asked() -> None:
    """No hits stay no hits, without a call."""
    reranker = Preferring("x")
    assert rerank(QUESTION, [], 5, reranker) == []
    assert reranker.asked == []


def test_a_question_is_found_in_the_rerankers_order(tmp_path: Path, embedder: WordEmbedder) -> None:
    """Retrieval shows the hits in the new order, keeps their own scores, and leaves the ranking as it was."""
    documents = [
        entry("a", document((H, "Home"), (P, "driving driving"))),
        entry("b", "driving nausea"),
        entry("c", "driving cost and more"),
    ]
    index = index_of(tmp_path / "index", documents, embedder)
    reranker = Preferring("cost")
    plain, reranked = (
        retrieve(
            "drivng?",
            index=index,
            embedder=embedder,
            mask=None,
            settings=Retrieval(reranked=3),
            top=2,
            reranker=each,
        )
        for each in (None, reranker)
    )
    assert [each.passage.document_id for each in plain.hits] == ["a", "b"]
    assert [each.passage.document_id for each in reranked.hits] == ["c", "a"]
    assert reranked.hits[0].score < reranked.hits[1].score == plain.hits[0].score
    assert reranked.ranking.tolist() == plain.ranking.tolist()
    assert reranker.asked[0][0] == "drivng?", "as asked: the reranker has its own ways with misspellings"


def test_no_name_is_no_reranker() -> None:
    """By default there is none."""
    assert load_reranker(Retrieval(), Model()) is None


# Tiny models with random weights. They know seven words.

VOCABULARY = "[PAD] [UNK] [CLS] [SEP] [MASK] may drive home nausea cost water no".split()
THREE = ["drive home", "nausea", "no cost water"]


def tiny_encoder(folder: Path, labels: int) -> Path:
    """A cross-encoder with this many labels."""
    from transformers import BertForSequenceClassification

    BertForSequenceClassification(tiny_config(num_labels=labels)).save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return folder


def tiny_config(**more: int):  # noqa: ANN201 - the library's
    import torch
    from transformers import BertConfig
    from transformers.utils import logging

    logging.disable_progress_bar()
    torch.manual_seed(1)
    return BertConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=32,
        initializer_range=0.5,  # so that texts differ by more than rounding
        **more,
    )


def tiny_tokenizer():  # noqa: ANN201 - the library's
    from transformers import BertTokenizerFast

    return BertTokenizerFast(vocab={word: number for number, word in enumerate(VOCABULARY)})


@pytest.mark.model
def test_a_cross_encoder_reads_question_and_passage_together(tmp_path: Path) -> None:
    """Scores are the model's own for each pair, in the order of the texts, whatever stands beside them."""
    import torch
    from transformers import BertForSequenceClassification

    folder = tiny_encoder(tmp_path / "cross", labels=1)
    reranker = load_reranker(Retrieval(reranker=str(folder)), Model(threads=1))
    assert isinstance(reranker, CrossEncoderReranker)
    scores = reranker.scores("may drive", THREE)
    assert (scores.dtype, scores.shape) == (np.float32, (3,))
    assert len(set(scores.tolist())) == 3
    model, tokenizer = BertForSequenceClassification.from_pretrained(folder).eval(), tiny_tokenizer()
    with torch.no_grad():
        by_hand = [
            float(torch.sigmoid(model(**tokenizer("may drive", text, return_tensors="pt")).logits)) for text in THREE
        ]
    assert scores == pytest.approx(np.array(by_hand), abs=1e-5)
    assert reranker.scores("may drive", THREE[::-1]) == pytest.approx(scores[::-1], abs=1e-5)


@pytest.mark.model
def test_of_several_labels_the_last_one_counts(tmp_path: Path) -> None:
    """A model that says "no" and "yes" ranks by its "yes"."""
    from sentence_transformers import CrossEncoder

    folder = tiny_encoder(tmp_path / "two", labels=2)
    reranker = load_reranker(Retrieval(reranker=str(folder)), Model(threads=1))
    assert reranker is not None
    both = CrossEncoder(str(folder), device="cpu").predict([("may drive", text) for text in THREE])
    assert both.shape == (3, 2)
    assert reranker.scores("may drive", THREE) == pytest.approx(both[:, 1], abs=1e-5)


@pytest.mark.model
def test_another_sentence_model_is_compared_by_cosine(tmp_path: Path) -> None:
    """The same text as the question has a cosine of 1, and no other text has more."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertModel

    plain = tmp_path / "plain"
    BertModel(tiny_config()).save_pretrained(plain)
    tiny_tokenizer().save_pretrained(plain)
    SentenceTransformer(modules=[Transformer(str(plain)), Pooling(16)], device="cpu").save(str(tmp_path / "sentence"))
    reranker = load_reranker(Retrieval(reranker=str(tmp_path / "sentence")), Model(threads=1))
    assert isinstance(reranker, CosineReranker)
    scores = reranker.scores("no cost water", THREE)
    assert (scores.dtype, scores.shape) == (np.float32, (3,))
    assert scores[2] == pytest.approx(1, abs=1e-5)
    assert max(scores[:2]) < 0.999


@pytest.mark.model
@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "no weights", "another format"])
def test_what_is_no_model_is_an_error_with_a_remedy(tmp_path: Path, damage: str) -> None:
    """A folder that is missing, empty or damaged says what to change; nothing is downloaded."""
    folder = tmp_path / "reranker"
    if damage == "empty":
        folder.mkdir()
    elif damage != "missing":
        tiny_encoder(folder, labels=1)
        weights = folder / "model.safetensors"
        if damage == "cut":
            weights.write_bytes(weights.read_bytes()[:-99])
        elif damage == "no weights":
            weights.unlink()
        else:
            (folder / "config.json").write_text("{", encoding="utf-8")
    with pytest.raises(ModelError, match=r"retrieval\.reranker in clinic\.toml") as caught:
        load_reranker(Retrieval(reranker=str(folder)), Model(threads=1))
    assert caught.value.path == str(folder)
    assert caught.value.found
