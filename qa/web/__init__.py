"""The web: one `st.App` with the patient's page."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Protocol, TypedDict

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import Route

from qa.answer import answer
from qa.audience import Audience
from qa.clock import clinic_clock
from qa.embed import SentenceEmbedder
from qa.judge import open_judge
from qa.messages import load_messages
from qa.retrieve.rerank import load_reranker
from qa.settings import Settings, load_settings
from qa.web.gate import Gate
from qa.web.headers import SecurityHeaders
from qa.web.live import LiveIndex, Serving
from qa.web.service import Service, provide
from qa.web.shell import OnePage, page_routes

SCRIPT = Path(__file__).with_name("script.py")


class Lifespan(Protocol):
    """What an `st.App` runs around its serving."""

    def __call__(self, app: st.App, /) -> AbstractAsyncContextManager[None]:
        """Enter when the server starts, leave when it stops."""
        ...


class AppParts(TypedDict):
    """The arguments of `st.App`."""

    script_path: Path
    lifespan: Lifespan
    routes: Sequence[Route]
    middleware: Sequence[Middleware]


def create_app() -> st.App:
    """The app for any ASGI server. Raises SettingsError."""
    return st.App(**app_parts())


def app_parts() -> AppParts:
    """Read the settings and put together what the app is made of. Nothing slow: the model is loaded once it serves."""
    service = create_service(load_settings())
    provide(service)

    @asynccontextmanager
    async def lifespan(_: st.App) -> AsyncGenerator[None]:
        service.live.start()
        yield
        service.live.stop()

    return AppParts(
        script_path=SCRIPT,
        lifespan=lifespan,
        routes=page_routes(service.settings, service.messages, service.clock, service.language),
        middleware=[Middleware(SecurityHeaders), Middleware(Gate), Middleware(OnePage)],
    )


def create_service(settings: Settings) -> Service:
    """What the page works with, for these settings."""
    language = settings.clinic.languages[0]
    clock = clinic_clock(settings.clinic.timezone)

    def warm(serving: Serving) -> None:
        # A whole answer, so that the first visitor waits for no part that is made on its first use.
        answer(
            "What should I bring with me?",
            Audience.PATIENT,
            index=serving.index,
            embedder=serving.embedder,
            settings=settings,
            clock=clock,
            judge=serving.judge,
        )

    reranker = cache(lambda: load_reranker(settings.retrieval, settings.model))
    live = LiveIndex(
        settings.index.folder,
        lambda: SentenceEmbedder.load(settings.model, threads=1),
        warm,
        judge_of=lambda index: open_judge(index, settings, reranker()),
    )
    return Service(settings, load_messages(language), language, clock, live)
