"""A second model that reads question and passage again and puts the best hits in its own order. Off by default.

A cross-encoder reads both together; any other sentence-transformers model is compared by cosine. Either is slower than
all of the rest: measure with `clinic-qa evaluate` whether it pays.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from qa.errors import ModelError
from qa.models import Hit
from qa.settings import Model, Retrieval

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder, SentenceTransformer


class Reranker(Protocol):
    """Anything that says how well texts answer a question."""

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """One number for each text; higher is better."""
        ...


def rerank(question: str, hits: Sequence[Hit], count: int, reranker: Reranker) -> list[Hit]:
    """The first `count` hits in the reranker's order, then the others as they were."""
    first, rest = hits[:count], hits[count:]
    if not first:
        return list(hits)
    scores = reranker.scores(question, ["\n".join([*hit.passage.headings, hit.passage.text]) for hit in first])
    order = sorted(range(len(first)), key=lambda place: (-float(scores[place]), place))
    return [*(first[place] for place in order), *rest]


class CrossEncoderReranker:
    """Question and passage read together. One question runs at a time, whichever thread asks."""

    def __init__(self, model: CrossEncoder) -> None:
        self._model = model
        self._one_at_a_time = threading.Lock()

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `Reranker`."""
        with self._one_at_a_time:
            scores = self._model.predict([(question, text) for text in texts], show_progress_bar=False)
        return np.asarray(scores, dtype=np.float32).reshape(len(texts), -1)[:, -1]


class CosineReranker:
    """Another model's cosine. One question runs at a time, whichever thread asks."""

    def __init__(self, model: SentenceTransformer) -> None:
        self._model = model
        self._one_at_a_time = threading.Lock()

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `Reranker`."""
        with self._one_at_a_time:
            vectors = self._model.encode([question, *texts], show_progress_bar=False, normalize_embeddings=True)
        rows = np.asarray(vectors, dtype=np.float32)
        return np.asarray(rows[1:] @ rows[0], dtype=np.float32)


def load_reranker(retrieval: Retrieval, model: Model) -> Reranker | None:
    """The model that `retrieval.reranker` names: a folder, or a name that was downloaded before. None without a name.

    Raises ModelError where it cannot be loaded; nothing is downloaded.
    """
    if not retrieval.reranker:
        return None
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    import torch
    from safetensors import SafetensorError
    from sentence_transformers import CrossEncoder, SentenceTransformer

    torch.set_num_threads(model.threads or 1)
    name = str(Path(retrieval.reranker).expanduser()) if "~" in retrieval.reranker else retrieval.reranker
    try:
        if (Path(name) / "modules.json").is_file() and (Path(name) / "1_Pooling").is_dir():
            return CosineReranker(SentenceTransformer(name, device="cpu", local_files_only=True))
        return CrossEncoderReranker(CrossEncoder(name, device="cpu", local_files_only=True))
    except (OSError, ValueError, SafetensorError) as error:
        raise ModelError(
            "the reranker cannot be loaded",
            path=Path(name),
            found=str(error).partition("\n")[0],
            expected="a folder with a cross-encoder or a sentence-transformers model, or the name of one kept here",
            remedy="Change retrieval.reranker in clinic.toml, or leave it empty; nothing is downloaded at run time.",
        ) from error
