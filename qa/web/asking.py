"""What both pages do: the question box, guidance before anything else, the reply, and clearing.

It translates between widgets and `answer`, and decides nothing. A question lives in the session's memory alone, under
a key that clearing throws away: no address, file or log has it.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import streamlit as st

from qa.answer import Library, answer
from qa.audience import Audience
from qa.embed import Embedder
from qa.journal import Journal
from qa.models import Answer, CitedPassage, Disagreement, Level, Urgency
from qa.replies import sentence
from qa.web import markup, urgent
from qa.web.links import Links
from qa.web.service import Service

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

_CERTAIN = 0.9  # probability of danger from which guidance is shown at once and stays
_WAIT_SECONDS = 60.0  # for a question that was asked while the server still starts

_log = logging.getLogger(__name__)

# What a question is looked up with, and what is said instead of looking it up.
_Attempt = tuple[Library | None, Embedder | None, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Reply:
    """What is kept of an answer while it is on the page: not the question. `number` counts a page's replies from 1.

    `generation` is the one that its passages are from.
    """

    number: int
    urgency: Urgency = Urgency.NONE
    score: float = 0.0
    guidance: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    passages: tuple[CitedPassage, ...] = ()
    level: Level | None = None
    generation: str | None = None
    disagreements: tuple[Disagreement, ...] = ()

    @property
    def first_part(self) -> int | None:
        """`number` where the passages are the first that is seen of the reply."""
        return None if self.guidance or self.notices else self.number

    @property
    def level_to_say(self) -> Level | None:
        """How sure we are. In danger, and where only a nurse can answer, nothing is called a likely answer."""
        return None if self.level is Level.LIKELY and self.urgency is not Urgency.NONE else self.level


@dataclass(frozen=True, slots=True)
class Asking:
    """One of the pages that ask. `name` begins its keys in the session; `allowed` says whether this visitor may.

    For somebody who may not (any more), nothing is looked up, and what the session had of the page is thrown away.
    """

    service: Service
    audience: Audience
    name: str
    allowed: Callable[[], bool]

    def form(self) -> None:
        """Draw the question box and its buttons."""
        messages = self.service.messages
        with st.form(self._key("form"), border=True):
            st.text_area(messages.question_label, key=self._box(), placeholder=messages.question_help, height=128)
            with st.container(horizontal=True, key="buttons"):
                st.form_submit_button(messages.ask_button, type="primary", on_click=self.ask)
                st.form_submit_button(messages.clear_button, on_click=self.clear)
            st.html(markup.quiet_line(self._what_is_kept()))

    def ask(self, example: str | None = None) -> None:
        """What the button does, or an example: the question is looked up while the page is drawn."""
        if not self.allowed():
            forget(self.name)
            return
        if example is not None:
            st.session_state[self._box()] = example
        asked = st.session_state.get(self._box(), "")
        # A program may send what is no text.
        st.session_state[self._key("pending")] = asked if isinstance(asked, str) else ""

    def clear(self) -> None:
        """Forget question and reply. How often stays, so that the next box is a new one."""
        clearings = st.session_state.get(self._key("clearings"), 0) + 1
        forget(self.name)
        if self.allowed():
            st.session_state[self._key("clearings")] = clearings

    def reply(self) -> Reply | None:
        """Draw guidance and notices of the reply to the question just asked, or of the one before; and give it.

        Guidance that the patterns ask for is drawn before anything is waited for.
        """
        question: str | None = st.session_state.pop(self._key("pending"), None)
        with st.container(key="guidance"):
            place = st.empty()
        with st.container(key="status"), st.empty():
            if question is not None:
                self._look_up(question, place)
            reply = self._kept()
            self._guide(reply, place)
            self._status(reply)
        return reply

    def index_state(self) -> tuple[bool, bool]:
        """Whether there is something to answer from, and whether it has become clear that there is nothing yet."""
        live = self.service.live
        return live.serving.library(self.audience) is not None, live.settled

    def links(self, reply: Reply) -> Links:
        """What leads from the citations of a reply to their documents."""
        library = self.service.live.serving.library(self.audience)
        is_current = library is not None and library.index.generation == reply.generation
        return Links(self.service.public_ids, library.index if library is not None and is_current else None)

    def _key(self, name: str) -> str:
        return f"{self.name}-{name}"

    def _box(self) -> str:
        """The question box's key. Clearing begins a new box, because a browser can undo what emptied an old one."""
        return self._key(f"question-{st.session_state.get(self._key('clearings'), 0)}")

    def _look_up(self, question: str, place: DeltaGenerator) -> None:
        number = st.session_state.get(self._key("asked"), 0) + 1
        st.session_state[self._key("asked")] = number
        messages = self.service.messages
        # By words alone, which takes no time.
        at_once = replace(self._reply_from(number, question, [(None, None, ("",))], journal=False), notices=())
        if self.service.live.settled and at_once.score < _CERTAIN:
            at_once = Reply(number)  # the model has the last word, and is there
        # Kept from here on: whatever interrupts the rest takes no guidance away.
        self._keep(at_once)
        self._guide(at_once, place)
        with st.spinner(messages.searching if self.service.live.settled else messages.opening_index):
            allowed = self.service.question_limits.allow_one_more()
            found = self._reply_from(number, question, self._attempts(allowed=allowed), journal=allowed)
        if at_once.guidance and not found.guidance:
            found = replace(found, urgency=at_once.urgency, guidance=at_once.guidance)
        self._keep(found)

    def _keep(self, reply: Reply) -> None:
        st.session_state[self._key("reply")] = reply

    def _kept(self) -> Reply | None:
        """The reply, for good without its passages once patients may not read one of their documents any more."""
        reply: Reply | None = st.session_state.get(self._key("reply"))
        if reply is None or not reply.passages or self.audience is not Audience.PATIENT:
            return reply
        library = self.service.live.serving.library(self.audience)
        shown = {each.document for cited in reply.passages for each in (cited.citation, *cited.citation.also_in)}
        try:
            if library is not None and library.eligibility.confirm(shown):
                return reply
        except KeyError:
            pass  # a newer index has a document no more
        notices = () if reply.guidance else (*reply.notices, self._sentence("not_covered"))
        self._keep(replace(reply, notices=notices, passages=(), level=None))
        return self._kept()

    def _attempts(self, *, allowed: bool) -> list[_Attempt]:
        """How to look a question up, best first: with everything, or with as much as still works."""
        live = self.service.live
        if not allowed:
            said = (self._sentence("too_many_questions"),)
            return [(live.serving.library(self.audience), None, said), (None, None, said)]
        serving = live.wait(_WAIT_SECONDS)
        library, said = serving.library(self.audience), (self._sentence("something_wrong"),)
        return [(library, serving.embedder, ()), (library, None, said), (None, None, said)]

    def _reply_from(self, number: int, question: str, attempts: list[_Attempt], *, journal: bool) -> Reply:
        """The reply of the first attempt that does not fail; where all do, one with words for that."""
        for library, embedder, instead in attempts:
            found = self._try(question, library, embedder, instead)
            if found is not None:
                if journal:
                    Journal(self.service.settings, self.service.clock).record(found)
                # Somebody in danger is told nothing of limits, languages or what the documents lack; the guidance
                # names whom to call. Staff need to know why they see no protocol.
                is_cold = found.level is Level.NOT_COVERED or self.audience is Audience.PATIENT
                is_cold = is_cold and found.triaged.urgency.is_danger
                notices = () if is_cold else found.notices
                return Reply(
                    number,
                    found.triaged.urgency,
                    found.triaged.score,
                    found.guidance,
                    notices,
                    found.passages,
                    found.level,
                    found.generation,
                    found.disagreements,
                )
        return Reply(number, notices=(self._sentence("something_wrong"),))

    def _try(
        self, question: str, library: Library | None, embedder: Embedder | None, instead: tuple[str, ...]
    ) -> Answer | None:
        try:
            return answer(
                question,
                self.audience,
                library=library,
                embedder=embedder,
                settings=self.service.settings,
                clock=self.service.clock,
                instead=instead,
            )
        except Exception as error:  # noqa: BLE001 - left alone, Streamlit would log its text, which can quote the question
            places = " > ".join(f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__))
            _log.error("A question could not be looked up: %s in %s", type(error).__name__, places)
            return None

    def _guide(self, reply: Reply | None, place: DeltaGenerator) -> None:
        """Where a screen reader is interrupted; something stands here always, so that only its content changes."""
        if reply is not None and reply.guidance:
            place.html(urgent.guidance(reply.guidance, self.service.settings.clinic.phone, reply.number))
        else:
            place.html(markup.spoken_only(""))

    def _status(self, reply: Reply | None) -> None:
        """Where a screen reader listens; something stands here always, as above."""
        service, messages = self.service, self.service.messages
        phone = service.settings.clinic.phone
        if reply is not None:
            found = messages.passages_found.format(count=len(reply.passages)) if reply.passages else ""
            st.html(markup.status(reply.notices, found, phone, None if reply.guidance else reply.number))
        elif service.live.serving.library(self.audience) is not None:
            st.html(markup.spoken_only(""))
        else:
            line = self._sentence("no_index") if service.live.settled else messages.opening_index
            st.html(markup.notices([line], phone))

    def _what_is_kept(self) -> str:
        kept, messages = self.service.settings.journal, self.service.messages
        return messages.not_kept if kept.questions == "none" else messages.kept.format(days=kept.keep_days)

    def _sentence(self, name: str) -> str:
        return sentence(name, self.service.settings, self.service.clock(), audience=self.audience)


def forget(page: str) -> None:
    """Leave nothing of this page in the session: neither question nor reply."""
    for key in list(st.session_state):
        if str(key).startswith(f"{page}-"):
            del st.session_state[key]
