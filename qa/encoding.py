"""The vectors of all texts of a build: what was worked out before comes from the cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from qa.embed import Embedder, ModelFingerprint
from qa.index import generations
from qa.models import EmbeddedText
from qa.passage_vectors import PassageVectors, encode_passages, word_tokens
from qa.settings import Settings
from qa.token_codec import TokenCodec
from qa.vector_cache import VectorCache, open_vector_cache

Progress = Callable[[str, int, int], None]

_SLAB = 256  # texts between two reports of progress, and what a dying build can lose
_LEARNED_FROM = 256  # texts whose words a codec is learned from: 25,000 words or so


def encode_all(
    texts: Sequence[EmbeddedText],
    learned_from: Sequence[EmbeddedText],
    settings: Settings,
    fingerprint: ModelFingerprint,
    progress: Progress,
    load: Callable[[], Embedder],
) -> tuple[list[PassageVectors], TokenCodec, int]:
    """The vectors of all texts, what their words are encoded with, and how many texts had to be worked out."""
    with open_vector_cache(generations.vector_cache(settings.index.folder), fingerprint) as known_vectors:
        codec = known_vectors.codec()
        if codec is None:
            codec = _learn_codec(learned_from, load(), known_vectors)
        known = known_vectors.get(texts, codec)
        # Longest first, so that a batch holds texts of about one length and little is padded.
        unknown = sorted(
            {text for place, text in enumerate(texts) if place not in known},
            key=lambda text: (-len(text.text), text.text, text.front),
        )
        fresh: dict[EmbeddedText, PassageVectors] = {}
        if unknown:
            embedder = load()
            for start in range(0, len(unknown), _SLAB):
                slab = unknown[start : start + _SLAB]
                vectors = encode_passages(slab, *embedder.encode_tokens([text.text for text in slab]), codec)
                known_vectors.put(slab, vectors, codec)
                fresh.update(zip(slab, vectors, strict=True))
                progress("embed", len(texts) - len(unknown) + start + len(slab), len(texts))
        else:
            progress("embed", len(texts), len(texts))
        known_vectors.prune()
    rows = [known[place] if place in known else fresh[text] for place, text in enumerate(texts)]
    return rows, codec, len(unknown)


def _learn_codec(texts: Sequence[EmbeddedText], embedder: Embedder, cache: VectorCache) -> TokenCodec:
    """Learn how to encode words from all parts of these texts, which patients may read: it goes into their index."""
    step = max(len(texts) // _LEARNED_FROM, 1)
    sample = [text.text for text in texts[::step]][:_LEARNED_FROM]
    _, tokens = embedder.encode_tokens(sample)
    words = [word_tokens(text, of_text)[1].vectors for text, of_text in zip(sample, tokens, strict=True)]
    found = np.concatenate(words)
    # A corpus of nothing but stop words has no words: any token will do.
    codec = TokenCodec.fit(found if len(found) else np.concatenate([each.vectors for each in tokens]))
    cache.put_codec(codec)
    return codec
