"""What all runs of the page share: settings, sentences, clock, live index, who is who. Made once, at the start."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from qa.answer import Library, example_questions
from qa.audience import Audience
from qa.clock import Clock
from qa.evidence.pictures import Pictures
from qa.index.contract import Mask
from qa.messages import Messages
from qa.settings import Settings
from qa.web.identity import Identities
from qa.web.live import LiveIndex
from qa.web.public_ids import PublicIds
from qa.web.visitor import QuestionLimits

EXAMPLES = 4


class Examples:
    """The example questions, worked out once for each generation, day and state of the labels."""

    def __init__(self) -> None:
        self._made: tuple[tuple[str, date] | None, Mask | None, dict[str, str]] = (None, None, {})

    def of(self, library: Library, today: date) -> tuple[str, ...]:
        """Questions that the documents of `library` answer which may be shown today."""
        wanted = (library.index.generation, today)
        mask = library.eligibility.mask(today)
        made_for, made_under, examples = self._made
        is_made = made_for == wanted and made_under is mask
        # The labels may have changed since the watcher's last look.
        if not is_made or not library.eligibility.confirm(set(examples.values())):
            examples = example_questions(library, EXAMPLES, today)
            self._made = (wanted, mask, examples)
        return tuple(examples)


@dataclass(frozen=True, slots=True)
class Service:
    """`language` is the page's, which is the first of the clinic's."""

    settings: Settings
    messages: Messages
    language: str
    clock: Clock
    live: LiveIndex
    identities: Identities
    question_limits: QuestionLimits
    public_ids: PublicIds
    pictures: Pictures
    examples: Examples = field(default_factory=Examples)


def given_to_patients(service: Service) -> frozenset[str]:
    """The documents that patients get at this moment."""
    library = service.live.serving.library(Audience.PATIENT)
    if library is None:
        return frozenset()
    mask = library.eligibility.mask(service.clock().date())
    documents = library.index.documents()
    return frozenset(each.id for each in documents if mask is None or mask[each.passages].all())


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
