"""What all runs of the page share: settings, sentences, clock and live index. Made once, at the start."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from qa.answer import example_questions
from qa.clock import Clock
from qa.index import PassageIndex
from qa.messages import Messages
from qa.settings import Settings
from qa.web.live import LiveIndex

EXAMPLES = 4


class Examples:
    """The example questions, worked out once for each generation and day: every visit shows them."""

    def __init__(self) -> None:
        self._made: tuple[tuple[str, date] | None, tuple[str, ...]] = (None, ())

    def of(self, index: PassageIndex, today: date) -> tuple[str, ...]:
        """Questions that the documents in `index` answer which may be shown today."""
        made_for, examples = self._made
        if made_for != (index.generation, today):
            examples = example_questions(index, EXAMPLES, today)
            self._made = ((index.generation, today), examples)
        return examples


@dataclass(frozen=True, slots=True)
class Service:
    """`language` is the page's, which is the first of the clinic's."""

    settings: Settings
    messages: Messages
    language: str
    clock: Clock
    live: LiveIndex
    examples: Examples = field(default_factory=Examples)


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
