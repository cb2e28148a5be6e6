"""The addresses of documents: `/document`, a leaf of one with what an address marks, and `/document/picture`.

Who asks is looked up for every request, what they may see in their own library alone, and the document's label again
right before anything of it is given out. Whatever is not there for them gets one and the same answer.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, move_on_after, to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from qa.answer import Library
from qa.audience import Audience
from qa.cite import citation_of
from qa.clock import whom_to_call
from qa.errors import NoPicture, PictureError
from qa.evidence.locate import Mark, locate, together
from qa.index.contract import IndexedDocument
from qa.limits import Limiter, address_of
from qa.models import Citation, PageKind, pages_of
from qa.replies import sentence
from qa.settings import Limits
from qa.web import markup
from qa.web.document_page import Pictured, Reader, Size, Words, document_page, not_here_page, notice_page
from qa.web.identity import Role
from qa.web.opened import Opened, Place, find, may_show, open_at, place_in
from qa.web.service import Service, given_to_patients

_SECONDS = 60.0
_AT_ONCE = 8  # documents that are being laid out, and pictures that are being waited for, each
_PATIENCE = 1.5  # seconds that a page waits for its picture's size; a page without it is better than none
_NO_STORE = {"Cache-Control": "no-store"}

_log = logging.getLogger(__name__)

_T = TypeVar("_T")


class PageLimits:
    """How many pages, and how many pictures of pages, one address may open in a minute."""

    def __init__(self, limits: Limits) -> None:
        self._trusted = limits.trusted_proxies
        self._pages = Limiter(limits.pages_per_minute_and_address, _SECONDS)
        self._pictures = Limiter(limits.pages_per_minute_and_address, _SECONDS)

    def allow_page(self, request: Request) -> bool:
        """Count a page; False when it is one too many."""
        return self._pages.allows(self._address(request))

    def allow_picture(self, request: Request) -> bool:
        """Count a picture; False when it is one too many."""
        return self._pictures.allows(self._address(request))

    def _address(self, request: Request) -> str:
        peer = request.client.host if request.client else None
        return address_of(peer, request.headers.getlist("x-forwarded-for"), self._trusted)


def document_routes(service: Service) -> list[Route]:
    """Our addresses for documents."""
    handlers = _Handlers(service)
    return [
        Route("/document", handlers.page, methods=["GET"]),
        Route("/document/picture", handlers.picture, methods=["GET"]),
    ]


class _Handlers:
    def __init__(self, service: Service) -> None:
        self._service = service
        self._words = Words(service.settings, service.messages, service.language)
        self._limits = PageLimits(service.settings.limits)
        self._laying_out = CapacityLimiter(_AT_ONCE)
        self._drawing = CapacityLimiter(_AT_ONCE)

    async def page(self, request: Request) -> Response:
        """One leaf of a document."""
        if not self._limits.allow_page(request):
            limited = self._html(notice_page(self._service.messages.too_many_pages, self._words), 429)
            limited.headers["Retry-After"] = str(round(_SECONDS))
            return limited
        audience = self._audience(request, active=True)
        library = self._service.live.serving.library(audience)
        if library is None:
            return self._html(notice_page(self._sentence_without_index(), self._words), 503)
        place = place_in(request.query_params)
        opened = await self._in_thread(lambda: self._open(place, library)) if place is not None else None
        if place is None or opened is None:
            return self._not_here()
        pictured = await self._pictured(opened, library)
        content = await self._in_thread(lambda: self._content(opened, place, pictured, library, audience))
        if not await self._in_thread(lambda: may_show(opened.document, library.eligibility)):
            return self._not_here()
        if self._audience(request) is not audience:  # looking up takes a moment
            return self._not_here()
        return self._html(content)

    async def picture(self, request: Request) -> Response:
        """The picture of one page, without any marks."""
        if not self._limits.allow_picture(request):
            return Response(status_code=429, headers={**_NO_STORE, "Retry-After": str(round(_SECONDS))})
        audience = self._audience(request)
        library = self._service.live.serving.library(audience)
        place = place_in(request.query_params)
        missing = Response(status_code=404, headers=_NO_STORE)
        if library is None or place is None or place.page is None:
            return missing
        page = place.page
        document = await self._in_thread(lambda: self._find_with_page(place, page, library))
        if document is None:
            return missing
        draw = self._service.pictures.picture
        try:
            picture = await self._in_thread(lambda: draw(library.index, document.id, page), self._drawing)
        except NoPicture:
            return missing
        except PictureError as error:
            _log.warning("A page is shown without its picture: %s", type(error).__name__)
            return Response(status_code=503, headers=_NO_STORE)
        if not await self._in_thread(lambda: may_show(document, library.eligibility)):
            return missing
        if self._audience(request) is not audience:
            return missing
        return Response(picture.content, media_type=picture.media_type, headers=_NO_STORE)

    def _audience(self, request: Request, *, active: bool = False) -> Audience:
        """Whose documents are shown. A picture comes by itself, so it keeps nobody from being idle."""
        is_staff = self._service.identities.of_request(request, active=active).may(Role.STAFF)
        return Audience.STAFF if is_staff else Audience.PATIENT

    def _find(self, place: Place, library: Library) -> IndexedDocument | None:
        return find(place.document, library, self._service.public_ids, self._service.clock().date())

    def _find_with_page(self, place: Place, page: int, library: Library) -> IndexedDocument | None:
        """No process is started for a page that is not there, however many of them are asked for."""
        document = self._find(place, library)
        has_page = document is not None and page <= len(library.index.source(document.id).pages)
        return document if has_page else None

    def _open(self, place: Place, library: Library) -> Opened | None:
        document = self._find(place, library)
        return open_at(place, document, library, self._service.public_ids) if document is not None else None

    async def _pictured(self, opened: Opened, library: Library) -> Pictured | None:
        """What is known of a leaf's picture, soon: one that takes long may come while the text is being read."""
        page, index = opened.leaf.page, library.index
        if page is None or opened.source.page_kind is not PageKind.PAGE:
            return None
        self._service.pictures.prepare()
        marks = await self._in_thread(lambda: _marks_on(page, opened, library))
        draw = self._service.pictures.picture
        with move_on_after(_PATIENCE):
            try:
                picture = await to_thread.run_sync(
                    draw, index, opened.document.id, page, abandon_on_cancel=True, limiter=self._drawing
                )
            except PictureError as error:
                _log.warning("A page is shown without its picture: %s", type(error).__name__)
                return Pictured(None, is_awaited=False, marks=marks)
            return Pictured(Size(picture.width, picture.height), is_awaited=False, marks=marks)
        return Pictured(None, is_awaited=True, marks=marks)

    def _content(
        self, opened: Opened, place: Place, pictured: Pictured | None, library: Library, audience: Audience
    ) -> str:
        service, messages = self._service, self._service.messages
        citation = self._citation(opened, library)
        if audience is Audience.STAFF:
            standing = markup.standing(citation, messages, service.language, given_to_patients(service))
            reader = Reader("./desk", standing, messages.desk_reminder)
        else:
            reader = Reader("./", "", messages.not_medical_advice)
        return document_page(opened, place, pictured, citation, reader, self._words)

    def _citation(self, opened: Opened, library: Library) -> Citation:
        passage = opened.passage
        first = opened.marks[0] if opened.marks else (passage.start, passage.end)
        marked = (first[0] - passage.start, first[1] - passage.start)
        today = self._service.clock().date()
        return citation_of(passage, library.index, library.eligibility, today, marked=marked)

    def _not_here(self) -> Response:
        service = self._service
        call = whom_to_call(service.settings.clinic, service.messages, service.clock(), service.language)
        return self._html(not_here_page(call, self._words), 404)

    def _sentence_without_index(self) -> str:
        service = self._service
        if not service.live.settled:
            return service.messages.opening_index
        return sentence("no_index", service.settings, service.clock(), audience=Audience.PATIENT)

    def _html(self, content: str, status: int = 200) -> HTMLResponse:
        return HTMLResponse(content.encode("utf-8", "replace"), status_code=status, headers=_NO_STORE)

    async def _in_thread(self, work: Callable[[], _T], limiter: CapacityLimiter | None = None) -> _T:
        return await to_thread.run_sync(work, limiter=limiter or self._laying_out)


def _marks_on(page: int, opened: Opened, library: Library) -> tuple[Mark, ...] | None:
    """Where what is marked stands on a page; None where it has no place that is sure."""
    found: list[Mark] = []
    for mark in opened.marks:
        pages = pages_of(mark, opened.source.pages)
        if page not in pages:
            continue
        geometry = together(library.index.geometry(opened.document.id, each) for each in pages)
        located = locate(mark, opened.source.text, opened.blocks, geometry)
        if located is None:
            return None
        found += (each for each in located if each.page == page)
    return tuple(found)
