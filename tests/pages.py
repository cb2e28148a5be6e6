"""The pages, as Streamlit runs them, without a server: libraries that are open already, and somebody who asks."""

from __future__ import annotations

from pathlib import Path

from conftest import WordEmbedder
from starlette.requests import HTTPConnection
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from qa.answer import Library
from qa.audience import Audience
from qa.clock import Clock
from qa.eligibility import AsBuilt
from qa.evidence.pictures import Picture, Pictures
from qa.index import FaissIndex
from qa.index.contract import PassageIndex
from qa.judge import Judge
from qa.messages import load_messages
from qa.settings import Settings
from qa.web import SCRIPT, desk
from qa.web.identity import PATIENT, Identities, Identity
from qa.web.live import LiveIndex, Serving
from qa.web.public_ids import PublicIds
from qa.web.service import Service
from qa.web.visitor import QuestionLimits

MESSAGES = load_messages("en")


class Labels(AsBuilt):
    """Labels that stay as they were built; counts how often they were looked at again."""

    looks = 0

    def refresh(self) -> None:
        self.looks += 1


class OpenedAlready(LiveIndex):
    """A live index that needs no thread."""

    def __init__(self, embedder: WordEmbedder | None, judge: Judge, **indexes: FaissIndex) -> None:
        super().__init__(Path("unused"), lambda: WordEmbedder(), lambda _serving: None, eligibility_of=Labels)
        libraries = {Audience(name): Library(index, Labels(index), judge) for name, index in indexes.items()}
        self._serving = Serving(embedder, libraries)
        self._settled.set()


class Drawn(Pictures):
    """Pictures that need no process: each page is one pixel."""

    def __init__(self) -> None:
        pass

    def prepare(self) -> None:
        pass

    def picture(self, index: PassageIndex, document_id: str, page: int) -> Picture:  # noqa: ARG002 - as the real one
        return Picture(b"pixel", "image/png", 1, 1)


class SignedIn(Identities):
    """Stands for the server's record of who is signed in: everybody is `identity`, until somebody changes it."""

    def __init__(self, identity: Identity = PATIENT) -> None:
        self.identity = identity
        self.asked = 0

    def current(self, *, active: bool = True) -> Identity:  # noqa: ARG002 - as the real one
        self.asked += 1
        return self.identity

    def of_request(self, request: HTTPConnection, *, active: bool = True) -> Identity:  # noqa: ARG002 - as above
        return self.identity


def service_with(settings: Settings, clock: Clock, live: LiveIndex, identities: Identities) -> Service:
    return Service(
        settings,
        MESSAGES,
        "en",
        clock,
        live,
        identities,
        QuestionLimits(settings.limits),
        public_ids=PublicIds(b"for tests"),
        pictures=Drawn(),
    )


def open_page(name: str = "") -> AppTest:
    """The patient's page, or the one of that name, as it is first drawn."""
    page = AppTest.from_file(str(SCRIPT), default_timeout=20)
    if name == desk.NAME:
        # AppTest changes to pages that are files; ours are functions.
        page._page_hash = page_hash(name)
    return page.run()


def page_hash(name: str) -> str:
    """What a browser sends for a page: Streamlit's hash of its address."""
    return calc_hash(name)


def ask(page: AppTest, question: str) -> AppTest:
    page.text_area[0].set_value(question)
    return button(page, MESSAGES.ask_button).click().run()


def button(page: AppTest, label: str):  # noqa: ANN201 - Streamlit's own type
    return next(each for each in page.button if each.label == label)


def shown(page: AppTest) -> str:
    assert not page.exception
    return "\n".join(element.proto.body for element in page.get("html"))
