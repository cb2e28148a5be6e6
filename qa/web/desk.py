"""The staff page: the same box, both audiences' documents, each passage marked with whom it is for and how it stands.

Who looks is asked of the server's own record at every draw, in every callback and fragment, and once more right before
a document's text is put out: looking up takes a moment, and somebody may have been signed out meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from qa.audience import Audience
from qa.web import markup
from qa.web.asking import Asking, Reply, forget
from qa.web.both_sides import both_sides
from qa.web.identity import Role
from qa.web.service import current_service, given_to_patients

NAME = "desk"
_LOOK_AGAIN_SECONDS = 5.0


def render() -> None:
    """Draw the page for somebody signed in; for anybody else, nothing."""
    service = current_service()
    identity = service.identities.current()
    if not identity.may(Role.STAFF):
        forget(NAME)
        return
    clinic, messages = service.settings.clinic, service.messages
    page = Asking(service, Audience.STAFF, NAME, allowed=lambda: service.identities.current().may(Role.STAFF))
    st.set_page_config(page_title=f"{clinic.name}: {messages.desk_title}", layout="centered")
    st.html(markup.desk_header(clinic.name, identity.name, messages))
    page.form()
    reply = page.reply()
    if not page.allowed():
        forget(NAME)
        st.rerun()
    if reply is not None and reply.passages:
        st.html(_passages(page, reply))
    library = service.live.serving.library(Audience.STAFF)
    if library is not None and library.judge.warnings:
        st.html(markup.warnings(library.judge.warnings, messages))
    _watch(page, page.index_state())


def _passages(page: Asking, reply: Reply) -> str:
    """All passages; where there is danger, those of the emergency protocol first, under a heading of their own.

    What documents disagree about stands before the passages that answer.
    """
    service, messages, language = page.service, page.service.messages, page.service.language
    protocol = service.settings.clinic.emergency_protocol if reply.urgency.is_danger else None
    first = [cited for cited in reply.passages if cited.citation.document == protocol]
    rest = [cited for cited in reply.passages if cited.citation.document != protocol]
    given, links = given_to_patients(service), page.links(reply)

    def drawing(draw: Callable[..., str]) -> Callable[..., str]:
        clinic = service.settings.clinic.name
        return partial(draw, messages=messages, language=language, clinic=clinic, link_to=links.link_to, given=given)

    answer, side = drawing(markup.answer), drawing(partial(markup.passage, is_ranked=False))
    parts: list[str] = []

    def number() -> int | None:
        """The reply's number, for its first part."""
        return None if parts else reply.first_part

    if first:
        parts.append(answer(first, messages.protocol_heading, number=number()))
    if reply.disagreements:
        parts.append(both_sides(reply.disagreements, messages, side, number()))
    if rest:
        title = messages.other_passages_heading if parts else messages.passages_heading
        parts.append(answer(rest, title, number=number(), level=reply.level_to_say))
    return "".join(parts)


@st.fragment(run_every=_LOOK_AGAIN_SECONDS)
def _watch(page: Asking, before: tuple[bool, bool]) -> None:
    """Draw the whole page again when there is an index, and take it away when whoever looks is signed out.

    This looks by itself, so it keeps nobody from being idle.
    """
    is_staff = page.service.identities.current(active=False).may(Role.STAFF)
    if not is_staff:
        forget(NAME)
    if not is_staff or page.index_state() != before:
        st.rerun()
