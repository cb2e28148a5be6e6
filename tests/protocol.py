"""A visitor without a browser: speaks Streamlit's protocol over a web socket, and may say what no page would let it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Subprotocol

WAIT_SECONDS = 60.0


@dataclass
class Run:
    """What one run of the script sent: the bytes of all messages, and the messages."""

    raw: bytes = b""
    messages: list[ForwardMsg] = field(default_factory=list)

    def widgets(self) -> dict[str, str]:
        """The ids of the widgets that were drawn, each with its label."""
        found = {}
        for message in self.messages:
            element = message.delta.new_element
            kind = element.WhichOneof("type")
            if kind is not None and hasattr(getattr(element, kind), "id"):
                widget = getattr(element, kind)
                found[widget.id] = getattr(widget, "label", "")
        return found

    def fragments(self) -> set[str]:
        """The ids of the fragments in which something was drawn."""
        return {message.delta.fragment_id for message in self.messages if message.delta.fragment_id}

    @property
    def page(self) -> str:
        """The hash of the page that was run."""
        return next((m.navigation.page_script_hash for m in self.messages if m.HasField("navigation")), "")


class Visitor:
    """One web socket. `session` resumes another visitor's session, if the server lets it."""

    def __init__(
        self,
        url: str,
        *,
        cookie: str = "",
        session: str = "",
        xsrf: str = "none",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        protocols = [Subprotocol("streamlit"), Subprotocol(xsrf), *([Subprotocol(session)] if session else [])]
        self._socket = connect(
            url.replace("http", "ws", 1) + "/_stcore/stream",
            subprotocols=protocols,
            origin=url,  # type: ignore[arg-type] # a NewType of str
            additional_headers={**({"Cookie": cookie} if cookie else {}), **(headers or {})},
            max_size=None,
        )
        self.session = ""

    def __enter__(self) -> Self:
        self._socket.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._socket.close()

    def run(
        self,
        widgets: Iterable[WidgetState] = (),
        *,
        query: str = "",
        page: str = "",
        page_name: str = "",
        fragment: str = "",
        seconds: float = WAIT_SECONDS,
    ) -> Run:
        """Ask for a run of the script, with these widgets, and give all that it sends until it has finished.

        Nothing comes of a fragment that the server does not know: then `seconds` is how long to wait.
        """
        state = ClientState(query_string=query, page_script_hash=page, page_name=page_name, fragment_id=fragment)
        state.widget_states.widgets.extend(widgets)
        return self.send(BackMsg(rerun_script=state), seconds)

    def send(self, message: BackMsg, seconds: float = WAIT_SECONDS) -> Run:
        """Send anything, and give what comes back until a run has finished, or until nothing came for `seconds`."""
        self._socket.send(message.SerializeToString())
        return self.receive(seconds)

    def send_bytes(self, content: bytes, seconds: float) -> Run:
        """Send what is no message at all."""
        self._socket.send(content)
        return self.receive(seconds)

    def receive(self, seconds: float) -> Run:
        """What comes until a run has finished, the socket was closed, or so many seconds are over."""
        run = Run()
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                content = self._socket.recv(timeout=left)
            except (TimeoutError, ConnectionClosed):
                break
            raw = content.encode() if isinstance(content, str) else content
            message = ForwardMsg.FromString(raw)
            run.raw += raw
            run.messages.append(message)
            if message.HasField("new_session"):
                self.session = message.new_session.initialize.session_id or self.session
            if message.HasField("script_finished"):
                break
        return run


def typed(widget: str, text: str) -> WidgetState:
    """Text in a box."""
    return WidgetState(id=widget, string_value=text)


def pressed(widget: str) -> WidgetState:
    """A button that was pressed."""
    return WidgetState(id=widget, trigger_value=True)
