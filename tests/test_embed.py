from __future__ import annotations

import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from qa import embed
from qa.embed import PACKAGED_MODEL, ModelFiles, SentenceEmbedder, Tokens, cpu_has_bfloat16, unit
from qa.errors import ModelError
from qa.settings import Model


def test_the_packaged_weights_are_the_originals() -> None:
    """The packaged model is found without a network and its weights have the original's digest."""
    found = ModelFiles.find(PACKAGED_MODEL)
    assert found.file_digests["model.safetensors"] == embed.PACKAGED_WEIGHTS_SHA256
    assert found.limit == 256


def test_other_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights that were swapped or damaged are never used."""
    folder = tmp_path / "model"
    shutil.copytree(ModelFiles.find(PACKAGED_MODEL).folder, folder)
    with (folder / "model.safetensors").open("r+b") as file:
        file.seek(1000)
        file.write(b"\x01\x02\x03")
    monkeypatch.setattr(embed, "files", lambda _package: tmp_path)
    with pytest.raises(ModelError, match="not the original's"):
        ModelFiles.find(PACKAGED_MODEL)


def test_a_folder_without_a_model_says_what_is_missing(tmp_path: Path) -> None:
    """A wrong name in the settings is an error, not a download."""
    with pytest.raises(ModelError, match=r"no modules\.json"):
        ModelFiles.find(str(tmp_path))


def test_any_file_that_shapes_a_vector_changes_the_digest(tmp_path: Path) -> None:
    """A model with another tokenizer or configuration is another model."""
    folder = tmp_path / "model"
    shutil.copytree(ModelFiles.find(PACKAGED_MODEL).folder, folder)
    before = ModelFiles.find(str(folder)).digest
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 128}', encoding="utf-8")
    after = ModelFiles.find(str(folder))
    assert after.digest != before
    assert after.limit == 128
    pooling = folder / "1_Pooling" / "config.json"
    pooling.write_text(pooling.read_text(encoding="utf-8").replace("true", "false"), encoding="utf-8")
    assert ModelFiles.find(str(folder)).digest != after.digest


def test_the_dtype_is_detected_or_named() -> None:
    """`auto` follows the processor; a named dtype is taken as it is."""
    files = ModelFiles.find(PACKAGED_MODEL)
    best = "bfloat16" if cpu_has_bfloat16() else "float32"
    assert files.fingerprint(Model()).dtype == best
    assert files.fingerprint(Model(dtype="float32")).dtype == "float32"


def test_unit_vectors_have_length_one() -> None:
    """Rows are divided by their length, and an empty row stays empty."""
    assert unit(np.array([[3, 4], [0, 0]], dtype=np.float32)) == pytest.approx(np.array([[0.6, 0.8], [0, 0]]))


def test_tokens_need_a_span_each() -> None:
    """Tokens whose vectors and spans differ in number are not made."""
    with pytest.raises(ValueError, match="2 token vectors but 1 spans"):
        Tokens(np.eye(2, dtype=np.float32), np.zeros((1, 2), dtype=np.int32))


TEXTS = [
    "May I drive home after the infusion?",
    "No driving until the day after.",
    "The clinic closes at five.",
    "a",
    "word " * 250,
]


@pytest.fixture(scope="module")
def float32() -> SentenceEmbedder:
    """The real model, in float32."""
    return SentenceEmbedder.load(Model(dtype="float32"))


@pytest.mark.model
def test_vectors_are_unit_float32_in_the_order_given(float32: SentenceEmbedder) -> None:
    """Each text has its own vector, whatever batch it was encoded in."""
    together = float32.encode(TEXTS)
    assert (together.dtype, together.shape) == (np.float32, (5, 384))
    assert np.linalg.norm(together, axis=1) == pytest.approx(np.ones(5), abs=1e-5)
    alone = np.vstack([float32.encode([text]) for text in TEXTS])
    assert np.sum(together * alone, axis=1) == pytest.approx(np.ones(5), abs=1e-5)


@pytest.mark.model
def test_meaning_counts(float32: SentenceEmbedder) -> None:
    """The passage that answers is nearer than one that does not."""
    question, answer, other = float32.encode(TEXTS[:3])
    assert question @ answer > question @ other


@pytest.mark.model
def test_bfloat16_is_nearly_float32(float32: SentenceEmbedder) -> None:
    """Computing in bfloat16 moves no vector by more than a cosine of 0.001 (it runs on every processor, if slowly)."""
    bfloat16 = SentenceEmbedder.load(Model(dtype="bfloat16"))
    assert np.sum(bfloat16.encode(TEXTS) * float32.encode(TEXTS), axis=1).min() > 0.999


@pytest.mark.model
def test_tokens_come_from_the_same_pass(float32: SentenceEmbedder) -> None:
    """Texts have the vectors that `encode` gives, and each word a unit vector at its place in the text."""
    texts = [*TEXTS, "Ångström’s 2.5 mg — wasn't it?"]
    vectors, tokens = float32.encode_tokens(texts)
    assert (vectors.dtype, vectors.shape) == (np.float32, (6, 384))
    assert np.sum(vectors * float32.encode(texts), axis=1) == pytest.approx(np.ones(6), abs=1e-5)
    for text, of_text in zip(texts, tokens, strict=True):
        assert of_text.vectors.dtype == np.float32
        assert np.linalg.norm(of_text.vectors, axis=1) == pytest.approx(np.ones(len(of_text.spans)), abs=1e-5)
        assert (np.diff(of_text.spans[:, 0]) > 0).all()
        assert of_text.spans[-1, 1] <= len(text)
    assert [texts[1][start:end] for start, end in tokens[1].spans] == [
        "No",
        "driving",
        "until",
        "the",
        "day",
        "after",
        ".",
    ]
    assert [texts[3][start:end] for start, end in tokens[3].spans] == ["a"]
    # Long words come in pieces that lie side by side.
    whole = "".join(texts[5][start:end] for start, end in tokens[5].spans)
    assert whole == texts[5].replace(" ", "")


@pytest.mark.model
def test_what_the_model_does_not_read_has_no_tokens(float32: SentenceEmbedder) -> None:
    """Of a text that is too long the first tokens are there, as many as the model reads beside its two special ones."""
    _, (tokens,) = float32.encode_tokens(["word " * 1_000])
    assert len(tokens.spans) == ModelFiles.find(PACKAGED_MODEL).limit - 2
    assert tokens.spans[-1].tolist() == [253 * 5, 253 * 5 + 4]


@pytest.mark.model
def test_the_same_word_in_its_context_is_nearest(float32: SentenceEmbedder) -> None:
    """A word of the question comes nearer to its own form in a passage than to the other words there."""
    _, (question, passage) = float32.encode_tokens(["May I drive home?", "No driving until the day after."])
    drive = question.vectors[2]
    assert (passage.vectors @ drive).argmax() == 1


@pytest.mark.model
def test_one_encoding_runs_at_a_time(float32: SentenceEmbedder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Questions that come together wait for each other instead of fighting for the processor."""
    inside = 0
    most = 0
    real = float32._model.encode

    def watched(*words: object, **options: object) -> object:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        result = real(*words, **options)
        inside -= 1
        return result

    monkeypatch.setattr(float32._model, "encode", watched)
    threads = [threading.Thread(target=float32.encode, args=([text],)) for text in TEXTS * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
