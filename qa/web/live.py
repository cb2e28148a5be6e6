"""What the running app answers from: one loaded model and the live patient index, swapped when a build publishes.

One thread loads the model, opens the index and then watches the pointer file. A run of the page takes `serving` once
and works with it to its end; a generation that was replaced stays open for as long as somebody still uses it.
"""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from qa.audience import Audience
from qa.embed import Embedder, ModelFingerprint
from qa.errors import QAError
from qa.index import FaissIndex, current_generation, open_index
from qa.judge import Judge

POLL_SECONDS = 1.0
# A generation that could not be opened will hardly heal by itself, and checking its files is work.
RETRY_SECONDS = 60.0

_log = logging.getLogger(__name__)

OpenIndex = Callable[[Path, Audience, ModelFingerprint], FaissIndex]


@dataclass(frozen=True, slots=True)
class Serving:
    """What one run of the page works with. Without an index there is nothing to answer from."""

    embedder: Embedder | None = None
    index: FaissIndex | None = None
    judge: Judge = field(default_factory=Judge)


@dataclass(frozen=True, slots=True)
class _Failed:
    """A generation that could not be opened, and the `time.monotonic()` from which to try it again."""

    named: str | None
    retry_at: float


class LiveIndex:
    """Holds `Serving` for everybody. `load` takes seconds; `warm` answers a first question with what was opened.

    Only the patient index is ever opened. A model that cannot be loaded, and a generation that cannot be opened, are
    reported in the server's log; the generation before stays in use.
    """

    def __init__(
        self,
        index_folder: Path,
        load: Callable[[], Embedder],
        warm: Callable[[Serving], object],
        judge_of: Callable[[FaissIndex], Judge] = lambda _index: Judge(),
        open_live: OpenIndex = open_index,
    ) -> None:
        self._index_folder = index_folder
        self._load = load
        self._warm = warm
        self._judge_of = judge_of
        self._open_live = open_live
        self._serving = Serving()
        self._settled = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="live-index", daemon=True)
        self._failed: _Failed | None = None

    @property
    def serving(self) -> Serving:
        """The model and the index at this moment: take it once and keep it."""
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
            if before.index is not None and named in (before.index.generation, None):
                self._judge_again(before, before.index)
                return
            if self._failed is not None and named == self._failed.named and time.monotonic() < self._failed.retry_at:
                return
            index = self._open_live(self._index_folder, Audience.PATIENT, before.embedder.fingerprint)
            serving = Serving(before.embedder, index, self._judge_of(index))
            if before.index is None:
                self._warm(serving)
        except Exception as error:  # noqa: BLE001 - whatever it is, the next generation must still be looked for
            if self._failed is None or self._failed.named != named:
                kept = f"; generation {before.index.generation} stays in use" if before.index else ""
                reason = str(error) if isinstance(error, QAError | OSError) else type(error).__name__
                _log.error("The index cannot be opened%s: %s", kept, reason)
            self._failed = _Failed(named, time.monotonic() + RETRY_SECONDS)
            return
        self._failed = None
        self._serving = serving
        _log.info("Answering from generation %s", index.generation)
        for warning in serving.judge.warnings:
            _log.warning("%s", warning)

    def _judge_again(self, serving: Serving, index: FaissIndex) -> None:
        """Take up a calibration or pinned questions that were made anew for the same generation."""
        judge = self._judge_of(index)
        if judge != serving.judge:
            self._serving = Serving(serving.embedder, index, judge)
            _log.info("Judging answers anew from generation %s", index.generation)
