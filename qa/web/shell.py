"""The HTML that a browser gets first, on each page: Streamlit's own, with what must not wait for a script.

The crisis and emergency lines stand in it, so they are there before the page has loaded, while the connection is lost
and without JavaScript. It also names our stylesheet and our few lines of JavaScript (`qa/data/web/`).
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import streamlit
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from qa.clock import Clock, whom_to_call
from qa.messages import Messages
from qa.settings import Settings
from qa.web.identity import Role
from qa.web.markup import with_phone_link
from qa.web.oidc import STREAMLIT_PATHS
from qa.web.service import Service
from qa.web.urgent import emergency_banner

_ASSETS = {
    "page.css": "text/css",
    "page.js": "text/javascript",
    "signin.css": "text/css",
    "document.css": "text/css",
    "icon.svg": "image/svg+xml",
}


def page_shell(settings: Settings, messages: Messages, clock: Clock, language: str) -> str:
    """Streamlit's `index.html` with the clinic's name, the urgent lines and our files in it.

    Raises ValueError where Streamlit's file is not the one that this was written for.
    """
    shell = Path(streamlit.__file__).with_name("static").joinpath("index.html").read_text(encoding="utf-8")
    call = with_phone_link(whom_to_call(settings.clinic, messages, clock(), language), settings.clinic.phone)
    no_script = html.escape(messages.needs_javascript).replace("{call}", call)
    lost = html.escape(messages.connection_lost).replace("{call}", call)
    title = html.escape(f"{settings.clinic.name}: {messages.page_title}")
    changes = (
        (r'<html lang="en">', f'<html lang="{html.escape(language)}">'),
        (r"<title>.*?</title>", f"<title>{title}</title>"),
        (r'<link rel="shortcut icon"[^>]*>', '<link rel="icon" type="image/svg+xml" href="./page/icon.svg" />'),
        (r'<link rel="service-desc"[^>]*>', ""),  # an interface for programs, which is off
        (r"<script>.*?</script>", ""),  # a flag for crawlers, and the only script that stands in the page itself
        (r"<noscript>.*?</noscript>", f'<noscript><p class="cq-noscript">{no_script}</p></noscript>'),
        (
            r"</head>",
            '<meta name="format-detection" content="telephone=no" />'
            '<link rel="stylesheet" href="./page/page.css" /><script defer src="./page/page.js"></script></head>',
        ),
        (
            r"<body>",
            f"<body>{emergency_banner(settings.urgent.crisis, settings.urgent.emergency)}"
            f'<p class="cq-lost" role="alert" hidden>{lost}</p>',
        ),
    )
    for pattern, replacement in changes:
        shell, times = re.subn(pattern, replacement.replace("\\", r"\\"), shell, flags=re.DOTALL)
        if times != 1:
            raise ValueError(f"Streamlit {streamlit.__version__} has {pattern!r} {times} times in its page, expected 1")
    return shell


def page_routes(service: Service) -> list[Route]:
    """The patient's page at `/`, the staff page at `/desk`, and our files, below `/page/`."""

    def shell() -> Response:
        content = page_shell(service.settings, service.messages, service.clock, service.language)
        # Not stored, so that the button "back" brings no earlier visitor's page with its question.
        return HTMLResponse(content, headers={"Cache-Control": "no-store"})

    async def page(_: Request) -> Response:
        return shell()

    async def staff_page(request: Request) -> Response:
        is_staff = service.identities.of_request(request).may(Role.STAFF)
        return shell() if is_staff else _nothing_here(request.scope)

    async def asset(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in _ASSETS:
            return Response(status_code=404)
        content = files("qa").joinpath("data", "web", name).read_bytes()
        return Response(content, media_type=_ASSETS[name], headers={"Cache-Control": "no-cache"})

    shell()  # a Streamlit that does not fit is an error at the start
    return [Route("/", page), Route("/desk", staff_page), Route("/page/{name}", asset)]


class KnownPages:
    """ASGI middleware that leads a browser from any address that is nothing to the patient's page."""

    def __init__(self, app: ASGIApp, routes: Sequence[BaseRoute]) -> None:
        self._app = app
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Redirect what asks for a document that no route gives."""
        if scope["type"] == "http" and _is_for_a_document(scope) and not self._is_known(scope):
            await _nothing_here(scope)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _is_known(self, scope: Scope) -> bool:
        known = (route.matches(scope)[0] is not Match.NONE for route in self._routes)
        return scope["path"] in STREAMLIT_PATHS or any(known)


def _nothing_here(scope: Scope) -> Response:
    """What any address gives that is nothing to whoever asks: a browser is led to the patient's page.

    The address is relative, so that it holds behind a proxy's sub-path. What was posted is not sent again.
    """
    if not _is_for_a_document(scope):
        return PlainTextResponse("Not found", status_code=404)
    return RedirectResponse("../" * (scope["path"].count("/") - 1) or "./", status_code=303)


def _is_for_a_document(scope: Scope) -> bool:
    return "text/html" in Headers(scope=scope).get("accept", "")
