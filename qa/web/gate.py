"""What anybody may not do, whatever Streamlit would let them: upload, read its metrics, connect from another site."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_CLOSED = ("/_stcore/upload_file", "/_stcore/metrics")
_POLICY_VIOLATION = 1008  # RFC 6455, 7.4.1


class Gate:
    """ASGI middleware that turns away closed addresses and connections from other sites."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what may pass. Streamlit refuses other sites too, but asks the internet for our address first."""
        if scope["type"] == "websocket" and _is_from_elsewhere(Headers(scope=scope)):
            await receive()
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
        elif scope["type"] == "http" and scope["path"].startswith(_CLOSED):
            await PlainTextResponse("Not found", status_code=404)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _is_from_elsewhere(headers: Headers) -> bool:
    """Whether a page of another site made the connection; programs that are no browser name no origin."""
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")
