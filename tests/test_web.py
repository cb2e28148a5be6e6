from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from builders import BY_SIMILARITY, H, P, document, entry, index_of
from conftest import NOW, WordEmbedder
from pages import MESSAGES, Labels, OpenedAlready, SignedIn, ask, button, open_page, service_with, shown
from starlette.applications import Starlette
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.testing.v1 import AppTest
from streamlit.web.server.app_discovery import discover_asgi_app

from qa.answer import Library
from qa.audience import Audience
from qa.clock import Clock
from qa.index import FaissIndex
from qa.judge import Judge
from qa.messages import load_messages
from qa.models import Citation, Level, PageKind, Status
from qa.settings import Settings
from qa.web import asking, markup
from qa.web.gate import Gate
from qa.web.headers import SecurityHeaders
from qa.web.service import Examples, Service, _Holder, provide
from qa.web.shell import KnownPages, page_routes, page_shell
from qa.web.urgent import emergency_banner, guidance

JUDGE = Judge(BY_SIMILARITY)
HOSTILE = "driving <script>alert(1)</script> <b>home</b> **now** ![x](https://images.example/x.png)"
DOCUMENTS = [
    entry(
        "patient/aftercare.md",
        document((H, "Who is driving me home?"), (P, "No driving until the morning after. Rest for a day.")),
        title="Aftercare guide",
    ),
    entry(
        "patient/odd.md", document((H, "Why is *this* [odd](https://odd.example)?"), (P, HOSTILE)), title="<i>Odd</i>"
    ),
]
CITATION = Citation(
    document="patient/aftercare.pdf",
    title="Aftercare guide",
    section=("Aftercare guide", "Getting home"),
    start=120,
    page=2,
    page_label="2",
    page_kind=PageKind.PAGE,
    pages=(2,),
    recognised=False,
    path="patient/aftercare.pdf",
    approved_on=date(2026, 3, 3),
    review_by=None,
    version="2.1",
    audience=Audience.PATIENT,
    status=Status.APPROVED,
    overdue_since=None,
)


# The page, as Streamlit runs it.


@pytest.fixture
def index(tmp_path: Path, embedder: WordEmbedder) -> Iterator[FaissIndex]:
    opened = index_of(tmp_path / "patient", DOCUMENTS, embedder)
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def provided(index: FaissIndex, embedder: WordEmbedder, sample_settings: Settings, clock: Clock) -> Iterator[Service]:
    live = OpenedAlready(embedder, JUDGE, patient=index)
    service = service_with(sample_settings, clock, live, SignedIn())
    provide(service)
    yield service
    _Holder.service = None


@pytest.fixture
def page(provided: Service) -> AppTest:  # noqa: ARG001 - the page finds it where it was provided
    return open_page()


def test_the_start_page_says_who_and_what(page: AppTest) -> None:
    """Before a question there are the clinic's name, its phone, the promise about questions, and examples."""
    content = shown(page)
    assert "<h1>Quillmere Infusion Clinic</h1>" in content
    assert 'href="tel:5550142"' in content
    assert MESSAGES.not_kept in content
    assert page.text_area[0].label == MESSAGES.question_label
    assert any(each.label.startswith("Who is driving me home") for each in page.button)


def test_a_question_brings_passages_with_citations(page: AppTest) -> None:
    """An answer shows the document's words, the sentence that answers best marked, and where they stand."""
    content = shown(ask(page, "May I go home driving?"))
    assert "<h3>1. Who is driving me home?</h3>" in content
    assert "<mark>No driving until the morning after.</mark> Rest for a day." in content
    assert "<cite>“Aftercare guide”</cite>" in content
    assert "</a>, section “Who is driving me home?”, version 1.0, approved March 1, 2026" in content
    assert MESSAGES.examples_heading not in content


@pytest.mark.parametrize(("sure", "level"), [(0.9, "likely"), (0.96, "possible")])
def test_an_answer_says_how_likely_it_is(
    index: FaissIndex, embedder: WordEmbedder, provided: Service, sure: float, level: str
) -> None:
    """A likely and a possible answer say so in words, with what that means, and no reply shows both."""
    judge = Judge(replace(BY_SIMILARITY, sure=sure))
    provide(replace(provided, live=OpenedAlready(embedder, judge, patient=index)))
    content = shown(ask(open_page(), "What about driving home?"))
    word, meaning = getattr(MESSAGES, f"level_{level}"), getattr(MESSAGES, f"level_{level}_means")
    assert content.count('<p class="cq-level">') == 1
    assert f'<p class="cq-level"><strong>{word}</strong> {meaning}</p>' in content


def test_a_document_is_shown_as_text(page: AppTest) -> None:
    """Tags and Markdown of a document, of its title and of its headings are never the page's own."""
    assert any("\\*this\\*" in each.label for each in page.button)
    content = shown(ask(page, "driving home now"))
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in content
    assert "<script" not in content
    assert "<b>" not in content
    assert "<i>" not in content


def test_an_uncovered_question_leads_to_the_phone(page: AppTest) -> None:
    """When the documents do not answer there is a number that can be tapped, and no passage."""
    content = shown(ask(page, "zebra"))
    assert "Our documents do not answer this question." in content
    assert "until 5 pm" in content
    assert '<a class="cq-phone" href="tel:5550142">555-0142</a>' in content
    assert "<article" not in content
    assert "cq-level" not in content


def test_clearing_forgets_everything(page: AppTest) -> None:
    """After clearing, box, answer and session hold nothing of the question, and the box is a new one."""
    ask(page, "May I go home driving?")
    before = page.text_area[0].key
    button(page, MESSAGES.clear_button).click().run()
    assert page.text_area[0].value == ""
    assert page.text_area[0].key != before
    assert "<article" not in shown(page)
    assert MESSAGES.examples_heading in shown(page)
    assert "driving" not in str(page.session_state)


def test_an_example_asks_at_once(page: AppTest) -> None:
    """Pressing an example puts it into the box and answers it."""
    next(each for each in page.button if each.label.startswith("Who is driving")).click().run()
    assert page.text_area[0].value == "Who is driving me home?"
    assert "<article" in shown(page)


def test_an_empty_question_is_met_politely(page: AppTest) -> None:
    """Asking nothing asks for a question."""
    assert MESSAGES.question_empty in shown(ask(page, "   "))


def test_without_an_index_there_is_the_phone(provided: Service, embedder: WordEmbedder) -> None:
    """A page without an index says so calmly, keeps its box, and answers with the phone."""
    provide(replace(provided, live=OpenedAlready(embedder, JUDGE)))
    page = open_page()
    assert "cannot be searched yet" in shown(page)
    content = shown(ask(page, "May I go home driving?"))
    assert "cannot be searched yet" in content
    assert "555-0142" in content


def test_a_failure_is_not_logged_with_the_question(
    page: AppTest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever goes wrong, the visitor gets the phone, and the log gets the kind of error but not its words."""

    def fail(question: str, *_: object, **__: object) -> None:
        raise ValueError(f"cannot digest {question}")

    monkeypatch.setattr(asking, "answer", fail)
    content = shown(ask(page, "my secret ailment"))
    assert "Something went wrong on our side" in content
    assert "ValueError" in caplog.text
    assert "ailment" not in caplog.text
    assert "ailment" not in content


# The texts.


def test_highlights_are_marked_and_all_else_is_escaped() -> None:
    """Marks stand around spans alone; spans that overlap or leave the text are cut to fit."""
    assert markup.highlighted("a <b> & c", ()) == "a &lt;b&gt; &amp; c"
    assert markup.highlighted("a <b> c", ((2, 5),)) == "a <mark>&lt;b&gt;</mark> c"
    assert markup.highlighted("abcdef", ((3, 99), (1, 4))) == "a<mark>bcd</mark><mark>ef</mark>"


def test_a_citation_reads_as_words() -> None:
    """Title, section without the title again, page, approval and version, as a person would say them."""
    assert markup.citation(CITATION, MESSAGES, "en") == (
        "<cite>“Aftercare guide”</cite>, section “Getting home”, page 2, version 2.1, approved March 3, 2026"
    )
    bare = replace(CITATION, section=(), page=None, page_label=None, pages=(), approved_on=None, version=None)
    assert markup.citation(bare, MESSAGES, "en") == "<cite>“Aftercare guide”</cite>"
    assert "3 de marzo de 2026" in markup.citation(CITATION, load_messages("es"), "es")


def test_a_sheet_is_named_once() -> None:
    """A sheet whose heading is its own name stands in the citation as the sheet, not as a section as well."""
    sheet = replace(CITATION, page_kind=PageKind.SHEET, page_label="Prices", section=("Prices", "Massage"))
    said = markup.citation(sheet, MESSAGES, "en")
    assert "section “Massage”, sheet “Prices”" in said
    assert said.count("Prices") == 1


def test_the_level_is_words_or_nothing() -> None:
    """A reply without a level has no line for it."""
    answer = partial(
        markup.answer, (), "What we found", MESSAGES, "en", clinic="Our clinic", link_to=lambda *_: "./document"
    )
    assert "cq-level" not in answer()
    assert "cq-level" in answer(level=Level.POSSIBLE)


@pytest.mark.parametrize(
    ("text", "label"),
    [("What now?", r"What now\?"), ("*a* [b](c) :red[d] $e$", r"\*a\* \[b\]\(c\) \:red\[d\] \$e\$"), ("a\nb", "a b")],
)
def test_a_label_is_literal_markdown(text: str, label: str) -> None:
    """A heading of a document becomes a button's label without becoming Markdown."""
    assert markup.markdown_literal(text) == label


def test_the_urgent_numbers_can_be_tapped() -> None:
    """988 dials and takes messages, 911 dials, and the clinic's own wording stays text."""
    banner = emergency_banner("Call or text 988 <now>.", "In danger? 911. Room 9112.")
    assert 'Call or <a href="sms:988">text</a> <a href="tel:988">988</a> &lt;now&gt;.' in banner
    assert '<a href="tel:911">911</a>. Room 9112.' in banner


def test_the_guidance_links_its_numbers_and_nothing_else() -> None:
    """Numbers dial, text or chat; the clinic's number stays whole; all else that a clinic writes is text."""
    said = guidance(
        (
            "Call 988 or text 988.",
            "Chat at 988lifeline.org, not at https://evil.example/?988lifeline=1 <b>.",
            "En español: llame al 988, o un mensaje de texto al 988.",
            "Please call us at 555-911-0000. Room 9112.",
        ),
        "555-911-0000",
        7,
    )
    assert said.startswith('<section class="cq-guidance" data-reply="7"><h2>')
    assert '<a href="tel:988">Call 988</a> or <a href="sms:988">text 988</a>.' in said
    chat = "https://988lifeline.org/chat"
    assert f'<a href="{chat}" target="_blank" rel="noreferrer noopener">988lifeline.org</a>' in said
    assert "not at https://evil.example/?988lifeline=1 &lt;b&gt;." in said
    assert '<p lang="es">En español: <a href="tel:988">llame al 988</a>' in said
    assert '<a href="sms:988">texto al 988</a>' in said
    assert '<a class="cq-phone" href="tel:5559110000">555-911-0000</a>. Room 9112.' in said
    assert said.count("<a ") == 6


# What is served around the page.


def get(app: ASGIApp, path: str, accept: str = "*/*") -> tuple[int, dict[str, str], str]:
    """Status, headers and body of one GET request to an ASGI app."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": [(b"accept", accept.encode())],
    }
    asyncio.run(app(scope, receive, send))
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(each.get("body", b"") for each in sent[1:]).decode()


@pytest.fixture
def served(provided: Service) -> ASGIApp:
    routes = page_routes(provided)
    return SecurityHeaders(KnownPages(Starlette(routes=routes), routes))


def test_the_first_html_has_the_urgent_lines(served: ASGIApp) -> None:
    """Before and without any script, the page has the urgent lines, the phone, its title and its language."""
    status, headers, body = get(served, "/", "text/html")
    assert (status, headers["cache-control"]) == (200, "no-store")
    assert 'href="tel:988"' in body
    assert 'href="tel:911"' in body
    assert "555-0142" in body.partition("<noscript>")[2].partition("</noscript>")[0]
    assert "<title>Quillmere Infusion Clinic: Questions and answers</title>" in body
    assert '<html lang="en">' in body
    assert "<script>" not in body, "the security policy allows no script in the page itself"


def test_the_first_html_takes_settings_as_text(sample_settings: Settings, clock: Clock) -> None:
    """A clinic's name is no HTML and no pattern, and another language is declared."""
    clinic = sample_settings.clinic.model_copy(update={"name": r"Clínica \1 <x>", "languages": ("es",)})
    shell = page_shell(sample_settings.model_copy(update={"clinic": clinic}), load_messages("es"), clock, "es")
    assert r"<title>Clínica \1 &lt;x&gt;: Preguntas y respuestas</title>" in shell
    assert '<html lang="es">' in shell


def test_every_response_carries_the_security_headers(served: ASGIApp) -> None:
    """The policy, no sniffing and no referrer come with pages, files, redirects and errors alike."""
    for path, accept in (("/", "text/html"), ("/page/page.css", "*/*"), ("/page/none.css", "*/*"), ("/a", "text/html")):
        _, headers, _ = get(served, path, accept)
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


def test_only_our_own_files_are_served(served: ASGIApp) -> None:
    """The stylesheet is there; other names are not, whatever they climb to."""
    assert get(served, "/page/page.css")[0] == 200
    assert get(served, "/page/page.js")[1]["content-type"].startswith("text/javascript")
    for path in ("/page/none", "/page/..%2Fmessages%2Fen.toml", "/page/../messages/en.toml"):
        assert get(served, path)[0] == 404


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/staff", "./"),
        ("/desk", "./"),
        ("/desk/", "../"),
        ("/a/b/c", "../../"),
        ("/index.html", "./"),
        ("/page/x/y", "../../"),
        ("/_stcore/elsewhere", "../"),
        ("/favicon.ico2", "./"),
    ],
)
def test_there_is_one_page(served: ASGIApp, path: str, location: str) -> None:
    """A browser that asks for any other page is led to the only one, so that none lacks the urgent lines."""
    status, headers, _ = get(served, path, "text/html,*/*")
    assert (status, headers["location"]) == (303, location)


@pytest.mark.parametrize("path", ["/_stcore/upload_file/a/b", "/_stcore/metrics"])
def test_nobody_uploads_or_reads_metrics(served: ASGIApp, path: str) -> None:
    """Streamlit's addresses that a patient has no business with are not there."""
    assert get(Gate(served), path)[0] == 404


@pytest.mark.parametrize(
    ("origin", "passes"),
    [(b"http://clinic.example:8501", True), (None, True), (b"http://evil.example", False), (b"null", False)],
)
def test_other_sites_cannot_connect(origin: bytes | None, *, passes: bool) -> None:
    """A page of another site gets no connection, before Streamlit looks at it."""
    reached: list[str] = []
    sent: list[Message] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        reached.append(scope["type"])

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"host", b"clinic.example:8501"), *([(b"origin", origin)] if origin else [])]
    asyncio.run(Gate(app)({"type": "websocket", "path": "/_stcore/stream", "headers": headers}, receive, send))
    assert reached == (["websocket"] if passes else [])
    assert sent == ([] if passes else [{"type": "websocket.close", "code": 1008}])


def test_streamlit_finds_the_app() -> None:
    """`streamlit run app.py` takes app.py for an app, not for a script."""
    assert discover_asgi_app(Path(__file__).parent.parent / "app.py").import_string == "app:app"


def test_examples_follow_the_generation_the_day_and_the_labels(tmp_path: Path, embedder: WordEmbedder) -> None:
    """They are worked out once, and again when one of the three is another: what has expired is no example."""
    asks = document((H, "Who is driving me home?"), (P, "driving"))
    index = index_of(tmp_path / "one", [entry("a", asks, review_by=NOW.date())], embedder)
    counted: list[str] = []
    real = index.headings
    index.headings = lambda of: counted.append(of.id) or real(of)  # type: ignore[method-assign] # counts the calls
    labels = Labels(index)
    examples = Examples()
    for _ in range(3):
        assert examples.of(Library(index, labels), NOW.date()) == ("Who is driving me home?",)
    assert counted == ["a"]
    labels.mask = lambda _today: np.zeros(1, dtype=bool)  # type: ignore[method-assign] # as after a withdrawal
    assert examples.of(Library(index, labels), NOW.date()) == ()
    del labels.mask  # type: ignore[attr-defined] # back to what it was
    assert examples.of(Library(index, labels), NOW.date() + timedelta(days=1)) == ()


def test_a_reply_that_is_drawn_again_holds_nothing_that_was_taken_away(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that stays open, or comes back, does not send a passage again whose document patients may not read now."""
    assert "<article" in shown(ask(page, "May I go home driving?"))
    assert "<article" in shown(page.run())
    monkeypatch.setattr(Labels, "confirm", lambda *_: False)
    content = shown(page.run())
    assert "<article" not in content
    assert "555-0142" in content
    monkeypatch.setattr(Labels, "confirm", lambda *_: True)
    assert "<article" not in shown(page.run())
