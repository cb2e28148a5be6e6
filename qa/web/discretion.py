"""What a server's log, its error pages and its crashes may say: the kind of a trouble and its place, never its words.

The text of an exception can quote what a visitor typed, and so can what the libraries log for those who look for bugs
(at the level "debug", the connection's bytes). A memory image that a crash leaves behind holds every question of the
moment. None of that is written while the app serves, whatever the levels of the log are set to.
"""

from __future__ import annotations

import logging
import resource
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

_SCRIPT = Path(__file__).with_name("script.py")
_INTERNAL_ERROR = 1011  # RFC 6455, 7.4.1

_log = logging.getLogger(__name__)


def kind_and_place(error: BaseException) -> str:
    """`ValueError at page.py:12 render > answer.py:40 answer`."""
    frames = traceback.extract_tb(error.__traceback__)
    places = " > ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames)
    return f"{type(error).__name__} at {places}" if places else type(error).__name__


@contextmanager
def discreet() -> Iterator[None]:
    """For as long as it is entered, in the whole process: no debugging output, no words of exceptions, no core file."""
    disabled, factory = logging.root.manager.disable, logging.getLogRecordFactory()
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    rich = config.get_option("logger.enableRich")
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    logging.disable(logging.DEBUG)
    logging.setLogRecordFactory(_wordless(factory))
    config.set_option("logger.enableRich", False)  # it would print tracebacks past the log
    sys.excepthook = _on_error
    threading.excepthook = lambda happened: _on_error(happened.exc_type, happened.exc_value, happened.exc_traceback)
    sys.unraisablehook = lambda happened: _on_error(happened.exc_type, happened.exc_value, happened.exc_traceback)
    try:
        yield
    finally:
        logging.disable(disabled)
        logging.setLogRecordFactory(factory)
        config.set_option("logger.enableRich", rich)
        sys.excepthook, threading.excepthook, sys.unraisablehook = hooks


def _on_error(kind: type[BaseException], error: BaseException | None, _: TracebackType | None) -> None:
    _log.error("Something failed that nobody was waiting for: %s", kind_and_place(error) if error else kind.__name__)


def _wordless(make: Callable[..., logging.LogRecord]) -> Callable[..., logging.LogRecord]:
    """A record factory that keeps of each exception its kind and its place. What our own modules log, they mean."""

    def record(*args: Any, **kwargs: Any) -> logging.LogRecord:  # noqa: ANN401 - the library's signature
        made = make(*args, **kwargs)
        if made.name == "asyncio":
            # What follows the first line, and what goes into it, are objects with all that they hold.
            made.msg, made.args = str(made.msg).partition("\n")[0], ()
        elif isinstance(made.args, Mapping):
            made.args = {name: _without_words(value) for name, value in made.args.items()}
        elif made.args and not made.name.startswith("qa."):
            made.args = tuple(_without_words(value) for value in made.args)
        if made.exc_info:
            error = made.exc_info[1]
            made.exc_text = kind_and_place(error) if error is not None else None
            made.exc_info = None
        return made

    return record


def _without_words(value: object) -> object:
    return kind_and_place(value) if isinstance(value, BaseException) else value


class Discretion:
    """ASGI middleware that answers a failure of everything behind it with a bare 500, and logs kind and place.

    On the web socket it also takes out where on the server's disk the page's script lies.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        begun = closed = False

        async def send_noting(message: Message) -> None:
            nonlocal begun, closed
            begun, closed = True, message["type"] == "websocket.close"
            await send(_without_path(message))

        try:
            await self._app(scope, receive, send_noting)
        except Exception as error:  # noqa: BLE001 - whatever it is, neither the visitor nor the log gets its words
            _log.error("A request failed: %s", kind_and_place(error))
            if scope["type"] == "websocket" and not closed:
                await send({"type": "websocket.close", "code": _INTERNAL_ERROR})
            elif scope["type"] == "http" and not begun:
                await PlainTextResponse("Something went wrong", status_code=500)(scope, receive, send)


def _without_path(message: Message) -> Message:
    content = message.get("bytes")
    if not content or str(_SCRIPT).encode() not in content:
        return message
    told = ForwardMsg.FromString(content)
    if told.HasField("new_session"):
        told.new_session.main_script_path = _SCRIPT.name
    return {**message, "bytes": told.SerializeToString()}
