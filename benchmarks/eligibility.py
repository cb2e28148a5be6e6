"""What it costs to look at labels: at five documents before they are shown, and at all of them in the background.

    python benchmarks/eligibility.py [--documents 100 10000]

Writes that many Markdown files with front matter and text files with labels, a hundred to a folder, and builds an index
over them with vectors of no meaning: nothing here depends on them.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter, sleep
from typing import TypeVar

import numpy as np

from qa.audience import Audience
from qa.build import build
from qa.clock import clinic_clock
from qa.embed import ModelFiles, ModelFingerprint, Tokens, Vectors, unit
from qa.index import open_index
from qa.live_labels import LiveLabels
from qa.settings import Settings, with_folders

T = TypeVar("T")

_IN_A_FOLDER = 100
_SHOWN = 5  # documents in one answer
_SETTLED_SECONDS = 2.5  # until a file's times are trusted
_LABEL = "audience: patient\napproved_by: Dr. Test\nreview_by: 2099-12-31\n"


def main() -> None:
    """Measure and print, for each number of documents."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, nargs="+", default=[100, 10_000])
    for documents in parser.parse_args().documents:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            write_documents(folder / "corpus", documents)
            settings = with_folders(Settings(), corpus=folder / "corpus", index=folder / "index")
            measure(settings)


def measure(settings: Settings) -> None:
    """The first look at everything, a refresh, a confirmation, and both right after a change."""
    clock = clinic_clock(settings.clinic.timezone)
    build(
        settings,
        clock=clock,
        load_embedder=lambda model, files: Meaningless(files.fingerprint(model)),
        calibrated=False,
    )
    fingerprint = ModelFiles.find(settings.model.name).fingerprint(settings.model)
    index = open_index(settings.index.folder, Audience.PATIENT, fingerprint)
    ids = [document.id for document in index.documents()]
    shown = ids[:: max(1, len(ids) // _SHOWN)][:_SHOWN]
    sleep(_SETTLED_SECONDS)
    first, labels = timed(lambda: LiveLabels(index, settings, clock))
    labels.mask(clock().date())
    refresh = np.median([timed(labels.refresh)[0] for _ in range(9)])
    confirm = np.median([timed(lambda: labels.confirm(shown))[0] for _ in range(99)])
    mask = np.median([timed(lambda: labels.mask(clock().date()))[0] for _ in range(99)])
    (settings.corpus.folder / f"{shown[0]}.yaml").write_text("status: withdrawn\n", encoding="utf-8")
    noticed, confirmed = timed(lambda: labels.confirm(shown))
    anew = timed(lambda: labels.mask(clock().date()))[0]
    print(f"{len(ids)} documents")
    print(f"  the first look at all of them   {first * 1000:9.1f} ms")
    print(f"  a refresh, nothing changed      {refresh * 1000:9.1f} ms")
    print(f"  a confirmation of {len(shown)} documents   {confirm * 1000:9.3f} ms")
    print(f"  the same, one just withdrawn    {noticed * 1000:9.3f} ms (confirmed: {confirmed})")
    print(f"  a mask, nothing changed         {mask * 1000:9.3f} ms; worked out anew {anew * 1000:.1f} ms")


class Meaningless:
    """Vectors drawn at random, the same ones for every word."""

    def __init__(self, fingerprint: ModelFingerprint) -> None:
        self.fingerprint = fingerprint
        self._random = np.random.default_rng(1)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One random unit vector for each text."""
        return unit(self._random.standard_normal((len(texts), 8)).astype(np.float32))

    def encode_tokens(self, texts: Sequence[str]) -> tuple[Vectors, list[Tokens]]:
        """The same, and one token for each text."""
        vectors = self.encode(texts)
        return vectors, [Tokens(vector[None], np.array([[0, 1]], dtype=np.int32)) for vector in vectors]

    def knows(self, word: str) -> bool:  # noqa: ARG002 - the contract's signature
        """No word at all."""
        return False


def write_documents(folder: Path, documents: int) -> None:
    """Half of them Markdown with front matter, half text with a label."""
    for number in range(documents):
        place = folder / f"{number // _IN_A_FOLDER:04}"
        place.mkdir(parents=True, exist_ok=True)
        text = f"# Leaflet {number}\n\nThis is what leaflet number {number} says about visits.\n"
        if number % 2:
            (place / f"{number:06}.md").write_text(f"---\n{_LABEL}---\n{text}", encoding="utf-8")
        else:
            (place / f"{number:06}.txt").write_text(text, encoding="utf-8")
            (place / f"{number:06}.txt.yaml").write_text(_LABEL, encoding="utf-8")


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """How many seconds `work` took, and what it gave."""
    started = perf_counter()
    given = work()
    return perf_counter() - started, given


if __name__ == "__main__":
    main()
