"""What all runs of the page share: settings, sentences, clock and live index. Made once, at the start."""

from __future__ import annotations

from dataclasses import dataclass

from qa.clock import Clock
from qa.messages import Messages
from qa.settings import Settings
from qa.web.live import LiveIndex


@dataclass(frozen=True, slots=True)
class Service:
    """`language` is the page's, which is the first of the clinic's."""

    settings: Settings
    messages: Messages
    language: str
    clock: Clock
    live: LiveIndex


class _Holder:
    service: Service | None = None


def provide(service: Service) -> None:
    """Make `service` the one that the page uses. A server does this once, before its first visitor."""
    _Holder.service = service


def current_service() -> Service:
    """What `provide` was given."""
    if _Holder.service is None:
        raise RuntimeError("the page was run without its app: start it with `make run` or `streamlit run app.py`")
    return _Holder.service
