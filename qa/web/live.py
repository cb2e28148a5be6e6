"""What the running app answers from: one loaded model, and a library for each audience, swapped when a build publishes.

One thread loads the model, opens both indexes and then watches the pointer file and the labels. A run of a page takes
`serving` once and works with it to its end; a generation that was replaced stays open for as long as somebody uses it.
"""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from qa.answer import Library
from qa.audience import Audience
from qa.eligibility import Eligibility
from qa.embed import Embedder, ModelFingerprint
from qa.errors import QAError
from qa.index import FaissIndex
from qa.index.faiss_index import open_generation
from qa.index.generations import current_generation, live_generation
from qa.judge import Judge

POLL_SECONDS = 1.0
# A generation that could not be opened will hardly heal by itself, and checking its files is work.
RETRY_SECONDS = 60.0
_BUSY = 0.02  # at most this part of the time goes into looking the labels up

_log = logging.getLogger(__name__)

OpenIndex = Callable[[Path, str, Audience, ModelFingerprint], FaissIndex]


class LiveEligibility(Eligibility, Protocol):
    """An eligibility that is told when to look at the disk again."""

    def refresh(self) -> object:
        """Look all labels up again."""
        ...


@dataclass(frozen=True, slots=True)
class Serving:
    """What one run of a page works with. Without a library there is nothing to answer from."""

    embedder: Embedder | None = None
    libraries: Mapping[Audience, Library] = field(default_factory=lambda: MappingProxyType({}))

    def library(self, audience: Audience) -> Library | None:
        """The documents of this audience, and of no other."""
        return self.libraries.get(audience)

    @property
    def generation(self) -> str | None:
        """The generation that all libraries are of; None before the first."""
        return next((library.index.generation for library in self.libraries.values()), None)


@dataclass(frozen=True, slots=True)
class _Opened:
    """One audience's index, and what looks at its labels."""

    index: FaissIndex
    eligibility: LiveEligibility


@dataclass(frozen=True, slots=True)
class _Failed:
    """A generation that could not be opened, and the `time.monotonic()` from which to try it again."""

    named: str | None
    retry_at: float


class LiveIndex:
    """Holds `Serving` for everybody. `load` takes seconds; `warm` answers a first question with what was opened.

    Both audiences' indexes are opened, and taken up together or not at all. A model that cannot be loaded, and a
    generation that cannot be opened, are reported in the server's log; the generation before stays in use.
    """

    def __init__(
        self,
        index_folder: Path,
        load: Callable[[], Embedder],
        warm: Callable[[Serving], object],
        *,
        eligibility_of: Callable[[FaissIndex], LiveEligibility],
        judge_of: Callable[[FaissIndex], Judge] = lambda _index: Judge(),
        open_one: OpenIndex = open_generation,
    ) -> None:
        self._index_folder = index_folder
        self._load = load
        self._warm = warm
        self._eligibility_of = eligibility_of
        self._judge_of = judge_of
        self._open_one = open_one
        self._serving = Serving()
        self._opened: dict[Audience, _Opened] = {}
        self._settled = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="live-index", daemon=True)
        self._failed: _Failed | None = None
        self._refresh_at = 0.0

    @property
    def serving(self) -> Serving:
        """The model and the libraries at this moment: take it once and keep it."""
        return self._serving

    @property
    def settled(self) -> bool:
        """Whether the first attempt to open everything is over, well or badly."""
        return self._settled.is_set()

    def wait(self, seconds: float) -> Serving:
        """`serving`, once settled or after so many seconds."""
        self._settled.wait(seconds)
        return self._serving

    def start(self) -> None:
        """Begin to load and to watch, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Watch no longer. What is open stays open until nobody uses it."""
        self._stopping.set()

    def _watch(self) -> None:
        try:
            embedder = self._load_model()
            if embedder is not None:
                self.look()
                # Once, now that the model is in memory: Streamlit collects garbage after every run of the page, and
                # going through torch's objects each time would cost a third of a second.
                gc.collect()
                gc.freeze()
        finally:
            self._settled.set()
        while embedder is not None and not self._stopping.wait(POLL_SECONDS):
            self.look()

    def _load_model(self) -> Embedder | None:
        try:
            embedder = self._load()
        except (QAError, OSError, ImportError) as error:
            _log.error("The page answers no questions until the app is started again: %s", error)
            return None
        self._serving = Serving(embedder)
        return embedder

    def look(self) -> None:
        """Open the generation that the pointer names, if it is another than the one in use, and swap."""
        before = self._serving
        if before.embedder is None:
            return
        named: str | None = None
        try:
            named = current_generation(self._index_folder)
            if self._opened and named in (before.generation, None):
                self._refresh()
                self._judge_again(before)
                return
            if self._failed is not None and named == self._failed.named and time.monotonic() < self._failed.retry_at:
                self._refresh()
                return
            opened = self._open_both(named or live_generation(self._index_folder), before.embedder.fingerprint)
            serving = Serving(before.embedder, MappingProxyType(self._libraries(opened)))
            if not self._opened:
                self._warm(serving)
        except Exception as error:  # noqa: BLE001 - whatever it is, the next generation must still be looked for
            if self._failed is None or self._failed.named != named:
                kept = f"; generation {before.generation} stays in use" if before.generation else ""
                reason = str(error) if isinstance(error, QAError | OSError) else type(error).__name__
                _log.error("The index cannot be opened%s: %s", kept, reason)
            self._failed = _Failed(named, time.monotonic() + RETRY_SECONDS)
            return
        self._failed = None
        self._opened = opened
        self._serving = serving
        _log.info("Answering from generation %s", serving.generation)
        self._warn(serving)

    def _open_both(self, generation: str, fingerprint: ModelFingerprint) -> dict[Audience, _Opened]:
        opened = {}
        for audience in Audience:
            index = self._open_one(self._index_folder, generation, audience, fingerprint)
            opened[audience] = _Opened(index, self._eligibility_of(index))
        return opened

    def _libraries(self, opened: Mapping[Audience, _Opened]) -> dict[Audience, Library]:
        return {
            audience: Library(each.index, each.eligibility, self._judge_of(each.index))
            for audience, each in opened.items()
        }

    def _refresh(self) -> None:
        """Look the labels up again, after a pause as long as the last look deserves."""
        started = time.monotonic()
        if started < self._refresh_at:
            return
        for opened in self._opened.values():
            opened.eligibility.refresh()
        ended = time.monotonic()
        self._refresh_at = ended + (ended - started) / _BUSY

    def _judge_again(self, serving: Serving) -> None:
        """Take up a calibration or pinned questions that were made anew for the same generation."""
        libraries = self._libraries(self._opened)
        if any(library.judge != serving.libraries[audience].judge for audience, library in libraries.items()):
            self._serving = replace(serving, libraries=MappingProxyType(libraries))
            _log.info("Judging answers anew from generation %s", serving.generation)
            self._warn(self._serving)

    def _warn(self, serving: Serving) -> None:
        for warning in dict.fromkeys(each for library in serving.libraries.values() for each in library.judge.warnings):
            _log.warning("%s", warning)
