"""What anybody may reach: our own addresses and the few of Streamlit's that the page needs. All else is not there.

Streamlit also takes uploads, serves metrics, media, components and an interface for programs, and its connection
carries messages that ask for the names of changed files in the server's folder (`load_git_info`) or that empty
everybody's caches. None of it is for a patient, and a widget that is not drawn closes none of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

import streamlit
from google.protobuf.message import DecodeError
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg

from qa.web.oidc import STREAMLIT_PATHS

_STREAM = "/_stcore/stream"
_NEEDED = frozenset({"/_stcore/health", "/_stcore/host-config"})
_MESSAGES = frozenset({"rerun_script", "stop_script", "app_heartbeat"})
_WIDGET = "$$ID"  # how Streamlit begins the ids of its widgets
# Bytes of a message. A question is a few kilobytes; looking for danger in a text takes the longer the longer it is.
_LARGEST = 256 * 1024
_POLICY_VIOLATION, _TOO_BIG = 1008, 1009  # RFC 6455, 7.4.1


class Gate:
    """ASGI middleware that lets pass what is open. `own` are our routes; `oidc` opens Streamlit's sign-in."""

    def __init__(self, app: ASGIApp, own: Iterable[BaseRoute] = (), *, oidc: bool = False) -> None:
        self._app = app
        self._own = tuple(own)
        self._open = _NEEDED | _assets() | (STREAMLIT_PATHS if oidc else frozenset())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what may pass; answer the rest with as little as possible."""
        if scope["type"] == "websocket":
            if scope["path"] != _STREAM or _is_from_elsewhere(Headers(scope=scope)):
                await receive()
                # Streamlit refuses other sites too, but asks the internet for our address first.
                await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
            else:
                await self._app(scope, _only_known(receive, send), send)
        elif scope["type"] == "http" and not self._is_open(scope):
            await PlainTextResponse("Not found", status_code=404)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _is_open(self, scope: Scope) -> bool:
        if any(route.matches(scope)[0] is not Match.NONE for route in self._own):
            return True
        if scope["method"] not in ("GET", "HEAD"):
            return False
        # A browser that asks for a page is led to one of ours, wherever it was going.
        is_led_on = scope["path"] not in STREAMLIT_PATHS and "text/html" in Headers(scope=scope).get("accept", "")
        return is_led_on or scope["path"] in self._open


def _assets() -> frozenset[str]:
    """The addresses of Streamlit's own scripts, styles and fonts, file by file."""
    root = Path(streamlit.__file__).with_name("static")
    return frozenset(f"/{file.relative_to(root).as_posix()}" for file in root.glob("static/**/*") if file.is_file())


def _is_from_elsewhere(headers: Headers) -> bool:
    """Whether a page of another site made the connection; programs that are no browser name no origin."""
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")


def _only_known(receive: Receive, send: Send) -> Receive:
    """`receive` without the messages that the page has no use for: those are ignored, and not answered.

    One that is too large ends the connection.
    """

    async def receive_known() -> Message:
        while True:
            message = await receive()
            content = message.get("bytes")
            if message["type"] == "websocket.receive" and content is not None and len(content) > _LARGEST:
                await send({"type": "websocket.close", "code": _TOO_BIG})
                return {"type": "websocket.disconnect", "code": _TOO_BIG}
            if message["type"] != "websocket.receive" or _is_known(content):
                return message

    return receive_known


def _is_known(content: bytes | None) -> bool:
    if content is None:  # text; Streamlit's own messages are bytes
        return False
    try:
        message = BackMsg.FromString(content)
    except DecodeError:
        return False
    # Streamlit fails over a widget's value whose id is no widget's.
    widgets = message.rerun_script.widget_states.widgets
    return message.WhichOneof("type") in _MESSAGES and all(widget.id.startswith(_WIDGET) for widget in widgets)
