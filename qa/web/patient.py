"""The patient's page: ask, read, clear. It translates between widgets and `answer`, and decides nothing.

A question lives in the session's memory alone, under a key that clearing throws away: no address, file or log has it.
"""

from __future__ import annotations

import logging
import traceback
from dataclasses import dataclass

import streamlit as st

from qa.answer import answer
from qa.audience import Audience
from qa.clock import whom_to_call
from qa.models import CitedPassage, Level
from qa.web import markup
from qa.web.live import Serving
from qa.web.service import Service, current_service

_WAIT_SECONDS = 60.0  # for a question that was asked while the server still starts
_LOOK_AGAIN_SECONDS = 2.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reply:
    """What is kept of an answer while it is on the page: not the question. `number` counts from 1."""

    number: int
    notices: tuple[str, ...] = ()
    passages: tuple[CitedPassage, ...] = ()
    level: Level | None = None


def render() -> None:
    """Draw the page for one visitor, as it stands after the last click."""
    service = current_service()
    clinic, messages = service.settings.clinic, service.messages
    st.set_page_config(page_title=f"{clinic.name}: {messages.page_title}", layout="centered")
    st.html(markup.page_header(clinic.name, clinic.phone, clinic.hours_line, messages))
    _question_form(service)
    with st.container(key="status"), st.empty():
        reply = _reply(service)
        serving = service.live.serving
        _status(service, reply, serving)
    if reply is not None and reply.passages:
        st.html(markup.answer(reply.passages, reply.level, reply.number, service.messages, service.language))
    elif reply is None and serving.index is not None:
        with st.container(key="examples"):
            st.html(markup.heading(messages.examples_heading))
            for example in service.examples.of(serving.index, service.clock().date()):
                st.button(markup.markdown_literal(example), width="stretch", on_click=_ask, args=(example,))
    if serving.index is None:
        _await_index(service.live.settled)


def _question_form(service: Service) -> None:
    messages = service.messages
    with st.form("question", border=True):
        st.text_area(messages.question_label, key=_box(), placeholder=messages.question_help, height=128)
        with st.container(horizontal=True, key="buttons"):
            st.form_submit_button(messages.ask_button, type="primary", on_click=_ask)
            st.form_submit_button(messages.clear_button, on_click=_clear)
        st.html(markup.quiet_line(messages.not_kept))


def _box() -> str:
    """The question box's key. Clearing begins a new box, because a browser can undo what emptied an old one."""
    return f"question-{st.session_state.get('clearings', 0)}"


def _ask(example: str | None = None) -> None:
    if example is not None:
        st.session_state[_box()] = example
    st.session_state["pending"] = st.session_state.get(_box(), "")


def _clear() -> None:
    clearings = st.session_state.get("clearings", 0) + 1
    st.session_state.clear()
    st.session_state["clearings"] = clearings


def _reply(service: Service) -> Reply | None:
    """What to show: the reply to a question just asked, else the one from before, else none."""
    question = st.session_state.pop("pending", None)
    if question is not None:
        before: Reply | None = st.session_state.pop("reply", None)
        with st.spinner(service.messages.searching if service.live.settled else service.messages.opening_index):
            st.session_state["reply"] = _look_up(service, question, before.number + 1 if before else 1)
    reply: Reply | None = st.session_state.get("reply")
    return reply


def _look_up(service: Service, question: str, number: int) -> Reply:
    serving = service.live.wait(_WAIT_SECONDS)
    try:
        found = answer(
            question,
            Audience.PATIENT,
            index=serving.index,
            embedder=serving.embedder,
            settings=service.settings,
            clock=service.clock,
            judge=serving.judge,
        )
    except Exception as error:  # noqa: BLE001 - left alone, Streamlit would log its text, which can quote the question
        places = " > ".join(f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__))
        _log.error("A question could not be looked up: %s in %s", type(error).__name__, places)
        return Reply(number, notices=(_with_call(service, service.messages.something_wrong),))
    return Reply(number, found.notices, found.passages, found.level)


def _status(service: Service, reply: Reply | None, serving: Serving) -> None:
    """Where a screen reader listens; something stands here always, so that only its content changes."""
    messages, phone = service.messages, service.settings.clinic.phone
    if reply is not None and reply.notices:
        st.html(markup.notices(reply.notices, phone, reply.number))
    elif reply is not None:
        st.html(markup.spoken_only(messages.passages_found.format(count=len(reply.passages))))
    elif serving.index is not None:
        st.html(markup.spoken_only(""))
    elif service.live.settled:
        st.html(markup.notices([_with_call(service, messages.no_index)], phone))
    else:
        st.html(markup.notices([messages.opening_index], phone))


@st.fragment(run_every=_LOOK_AGAIN_SECONDS)
def _await_index(was_settled: bool) -> None:
    """Draw the whole page again when there is an index, or when it has become clear that there is none yet."""
    live = current_service().live
    if live.serving.index is not None or live.settled != was_settled:
        st.rerun()


def _with_call(service: Service, pattern: str) -> str:
    call = whom_to_call(service.settings.clinic, service.messages, service.clock(), service.language)
    return pattern.format(call=call).strip()
