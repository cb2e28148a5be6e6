"""The patient's page, which is everybody's: ask, read, clear."""

from __future__ import annotations

import streamlit as st

from qa.audience import Audience
from qa.web import markup
from qa.web.asking import Asking
from qa.web.service import Service, current_service

_LOOK_AGAIN_SECONDS = 2.0


def render() -> None:
    """Draw the page for one visitor, as it stands after the last click."""
    service = current_service()
    clinic, messages = service.settings.clinic, service.messages
    page = Asking(service, Audience.PATIENT, "patient", allowed=lambda: True)
    st.set_page_config(page_title=f"{clinic.name}: {messages.page_title}", layout="centered")
    st.html(markup.page_header(clinic.name, messages.page_title, clinic.phone, clinic.hours_line))
    page.form()
    reply = page.reply()
    if reply is not None and reply.passages:
        st.html(
            markup.answer(
                reply.passages,
                messages.passages_heading,
                messages,
                service.language,
                clinic=clinic.name,
                link_to=page.links(reply).link_to,
                number=reply.first_part,
                level=reply.level_to_say,
            )
        )
    elif reply is None:
        _examples(service, page)
    st.html(markup.page_foot(messages))
    if not page.index_state()[0]:
        _await_index(page, page.index_state())


def _examples(service: Service, page: Asking) -> None:
    library = service.live.serving.library(Audience.PATIENT)
    if library is None:
        return
    with st.container(key="examples"):
        st.html(markup.heading(service.messages.examples_heading))
        for example in service.examples.of(library, service.clock().date()):
            st.button(markup.markdown_literal(example), width="stretch", on_click=page.ask, args=(example,))


@st.fragment(run_every=_LOOK_AGAIN_SECONDS)
def _await_index(page: Asking, before: tuple[bool, bool]) -> None:
    """Draw the whole page again when there is an index, or when it has become clear that there is none yet."""
    if page.index_state() != before:
        st.rerun()
