"""The web: one `st.App` with the patient's page and the staff page."""

from __future__ import annotations

import os
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
from qa.evidence.pictures import Pictures
from qa.journal import Journal, Retention
from qa.judge import open_judge
from qa.limits import refuse_rewritten_addresses
from qa.live_labels import LiveLabels
from qa.messages import load_messages
from qa.private_files import private_folder
from qa.retrieve.rerank import load_reranker
from qa.settings import Settings, load_settings
from qa.triage import load_reviewed
from qa.web.discretion import Discretion, discreet
from qa.web.document import document_routes
from qa.web.gate import Gate
from qa.web.headers import SecurityHeaders
from qa.web.identity import Identities
from qa.web.live import LiveIndex, Serving
from qa.web.public_ids import PublicIds
from qa.web.service import Service, provide
from qa.web.sessions import cookie_key
from qa.web.shell import KnownPages, page_routes
from qa.web.signin import ProviderReturn, sign_in_routes
from qa.web.visitor import QuestionLimits

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
    refuse_rewritten_addresses(os.environ)
    service = create_service(load_settings())
    provide(service)
    retention = Retention(Journal(service.settings, service.clock))

    @asynccontextmanager
    async def lifespan(_: st.App) -> AsyncGenerator[None]:
        with discreet():
            service.live.start()
            retention.start()
            service.pictures.prepare()
            yield
            service.pictures.close()
            retention.stop()
            service.live.stop()

    routes = [*page_routes(service), *sign_in_routes(service), *document_routes(service)]
    return AppParts(
        script_path=SCRIPT,
        lifespan=lifespan,
        routes=routes,
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(Discretion),
            Middleware(Gate, own=routes, oidc=service.settings.sign_in.method == "oidc"),
            Middleware(KnownPages, routes=routes),
            Middleware(ProviderReturn, settings=service.settings),
        ],
    )


def create_service(settings: Settings) -> Service:
    """What the pages work with, for these settings. Raises SettingsError."""
    load_reviewed(settings.urgent.rules)  # files that cannot be used are an error at the start, not at a question
    language = settings.clinic.languages[0]
    clock = clinic_clock(settings.clinic.timezone)

    def warm(serving: Serving) -> None:
        # A whole answer, so that the first visitor waits for no part that is made on its first use.
        for audience in Audience:
            answer(
                "What should I bring with me?",
                audience,
                library=serving.library(audience),
                embedder=serving.embedder,
                settings=settings,
                clock=clock,
            )

    reranker = cache(lambda: load_reranker(settings.retrieval, settings.model))
    live = LiveIndex(
        settings.index.folder,
        lambda: SentenceEmbedder.load(settings.model, threads=1),
        warm,
        eligibility_of=lambda index: LiveLabels(index, settings, clock),
        judge_of=lambda index: open_judge(index, settings, reranker()),
    )
    return Service(
        settings,
        load_messages(language),
        language,
        clock,
        live,
        identities=Identities(settings, clock),
        question_limits=QuestionLimits(settings.limits),
        public_ids=PublicIds(cookie_key(private_folder(settings))),
        pictures=Pictures(settings.pictures),
    )
