"""Pictures of pages, drawn from the bytes that the index keeps, in limited processes, and kept in memory for a while.

A picture is of the page alone: what a citation marks is drawn over it by whoever shows it.
"""

from __future__ import annotations

import base64
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from qa.errors import NoPicture, PictureError, PictureFailed, PicturesBusy, WorkerBusy, WorkerError
from qa.index.contract import PassageIndex
from qa.prepared import Prepared
from qa.settings import Pictures as PictureSettings

if TYPE_CHECKING:
    from qa.pdfium import Rendered

TARGET: Final = "qa.pdfium:render_in_worker"  # not imported: PDFium has no place in this process
WIDTH: Final = 1240  # pixels: a phone of 412 CSS pixels at three pixels each, or zoomed in twice on most
_MEGABYTE: Final = 1_000_000
_MOST_OUTPUT: Final = 32 * _MEGABYTE
_FAILURE_SECONDS: Final = 60.0  # until a page that could not be drawn is tried again
_REMEDY: Final = "Save the file again from its program and build again, or raise {} under [pictures] in clinic.toml."

_Key: TypeAlias = tuple[Path, int]  # the path names generation, audience and SHA-256; and the page


@dataclass(frozen=True, slots=True)
class Picture:
    """A page as it is shown, `width` by `height` pixels, as a file of `media_type`."""

    content: bytes
    media_type: str
    width: int
    height: int


class Pictures:
    """Draws pages and keeps their pictures, those that were not asked for longest going first.

    It holds pictures of one generation, the one that was asked for last. A page is drawn once, however many ask for it
    at the same time; one that could not be drawn is not tried again for a minute. Safe to use from several threads.
    """

    def __init__(
        self,
        limits: PictureSettings,
        *,
        target: str = TARGET,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._worker = Prepared(
            target,
            seconds=limits.seconds,
            memory_bytes=limits.memory_mb * _MEGABYTE,
            output_bytes=_MOST_OUTPUT,
        )
        self._most_bytes = int(limits.cache_mb * _MEGABYTE)
        self._now = now
        self._changing = threading.Lock()
        self._generation = ""
        self._kept: OrderedDict[_Key, Picture] = OrderedDict()
        self._bytes = 0
        self._under_way: dict[_Key, Future[Picture]] = {}
        self._failed: dict[_Key, tuple[float, PictureError]] = {}

    def prepare(self) -> None:
        """Get ready for a picture that will be asked for soon. Comes back at once."""
        self._worker.prepare()

    def picture(self, index: PassageIndex, document_id: str, page: int) -> Picture:
        """The picture of a page (from 1) of a document that whoever asks may see: this does not check it.

        Raises NoPicture where there is no such page or nothing to draw it from, PictureFailed where it cannot be drawn,
        and PicturesBusy where too many others are being drawn. Raises KeyError for a document that the index has not.
        """
        path = index.file(document_id)
        if path is None:
            raise NoPicture("there is no file to draw the document's pages from", path=document_id, page=page)
        key, digest = (path, page), index.document(document_id).digest
        with self._changing:
            if index.generation != self._generation:
                self._start_over(index.generation)
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            until, failure = self._failed.get(key, (0.0, None))
            if failure is not None and self._now() < until:
                raise failure.with_traceback(None)
            waiting = self._under_way.get(key)
            if waiting is None:
                drawing = self._under_way[key] = Future()
        if waiting is not None:
            return waiting.result()
        return self._draw(key, digest, drawing)

    def close(self) -> None:
        """Forget all pictures and end the process that waits for the next one."""
        with self._changing:
            self._start_over("")
        self._worker.close()

    def _start_over(self, generation: str) -> None:
        """Forget what is of another generation, also what is only just being drawn."""
        self._generation = generation
        self._kept.clear()
        self._bytes = 0
        self._failed.clear()
        self._under_way.clear()

    def _draw(self, key: _Key, digest: str, drawing: Future[Picture]) -> Picture:
        """Draw a page that nobody else is drawing, for all who wait for it."""
        try:
            picture = self._drawn(key, digest)
        except BaseException as error:
            with self._changing:
                if self._under_way.get(key) is drawing:
                    del self._under_way[key]
                    if isinstance(error, PictureError) and not isinstance(error, PicturesBusy):
                        self._remember_failure(key, error)
            drawing.set_exception(error)
            raise
        with self._changing:
            if self._under_way.get(key) is drawing:
                del self._under_way[key]
                self._keep(key, picture)
        drawing.set_result(picture)
        return picture

    def _drawn(self, key: _Key, digest: str) -> Picture:
        path, page = key
        try:
            answer = self._worker.run({"path": str(path), "digest": digest, "page": page, "width": WIDTH})
        except WorkerBusy as error:
            raise PicturesBusy("too many pages are being drawn", expected=error.expected) from error
        except WorkerError as error:
            remedy = _REMEDY.format("seconds or memory_mb")
            found = error.found or error.problem
            raise PictureFailed(
                "the page could not be drawn", path=path, page=page, found=found, remedy=remedy
            ) from error
        rendered = cast("Rendered", answer)
        content = base64.b64decode(rendered["image"])
        return Picture(content, rendered["media_type"], rendered["width"], rendered["height"])

    def _keep(self, key: _Key, picture: Picture) -> None:
        if len(picture.content) > self._most_bytes:
            return
        self._kept[key] = picture
        self._bytes += len(picture.content)
        while self._bytes > self._most_bytes:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= len(oldest.content)

    def _remember_failure(self, key: _Key, error: PictureError) -> None:
        now = self._now()
        self._failed = {other: entry for other, entry in self._failed.items() if now < entry[0]}
        self._failed[key] = (now + _FAILURE_SECONDS, error)
