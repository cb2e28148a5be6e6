"""The document page as it is served, over a small corpus that was really read and built, with its live labels."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np
import pytest
from builders import BY_SIMILARITY, entry, index_of
from conftest import NOW, WordEmbedder
from pages import MESSAGES, Drawn, OpenedAlready, SignedIn, service_with
from reportlab.lib.pagesizes import letter
from reportlab.pdfgen.canvas import Canvas
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from qa.answer import Library
from qa.audience import Audience
from qa.build import build
from qa.cite import citation_of
from qa.eligibility import AsBuilt
from qa.embed import Model, ModelFiles
from qa.errors import NoPicture, PictureFailed
from qa.evidence.pictures import Picture
from qa.index import FaissIndex, open_index
from qa.index.contract import Mask, PassageIndex
from qa.judge import Judge
from qa.live_labels import LiveLabels
from qa.messages import load_messages
from qa.models import Citation
from qa.sentences import sentences
from qa.settings import Limits, Settings, with_folders
from qa.web.document import document_routes
from qa.web.gate import Gate
from qa.web.headers import SecurityHeaders
from qa.web.identity import PATIENT, Identity, Role
from qa.web.links import Links
from qa.web.live import Serving
from qa.web.public_ids import LENGTH, PublicIds
from qa.web.service import Service
from qa.web.shell import KnownPages, page_routes

NURSE = Identity(Role.STAFF, "Nora")
JUDGE = Judge(BY_SIMILARITY)
APPROVED = "audience: patient\nstatus: approved\napproved_by: Dr. Test\napproved_on: 2026-11-01\nversion: '2.1'\n"
HOSTILE = "Fasting <script>alert(1)</script> & <img src=x onerror=alert(1)> \"quoted\" 'here'."
PLANTED = "The vault of the violet giraffe opens at midnight."
PAGES = (
    ("Arriving", "Come by taxi. Ring the bell twice. Somebody opens the door."),
    ("Leaving", "Somebody drives you home. No driving until the morning. Rest for a day."),
    ("Calling", "The nurse line is open all day. Say your name first. Nausea is common."),
)
LONG = [f"Paragraph {number} of the long story. " + "Ketamine and anxiety are in it. " * 30 for number in range(150)]

Change = Callable[[Path], object]


def with_status(status: str) -> str:
    return APPROVED.replace("status: approved", f"status: {status}")


def draw_leaflet(path: Path) -> None:
    """Three pages with a heading and three sentences each, labelled i, ii and iii, and a fourth without text."""
    canvas = Canvas(str(path), pagesize=letter, invariant=True)
    canvas.addPageLabel(0, "ROMAN_LOWER", 1)
    for title, said in PAGES:
        canvas.setFont("Helvetica-Bold", 20)
        canvas.drawString(72, 700, title)
        canvas.setFont("Helvetica", 11)
        canvas.drawString(72, 660, said)
        canvas.showPage()
    canvas.circle(300, 400, 50)
    canvas.showPage()
    canvas.save()


def write_corpus(folder: Path) -> None:
    def write(name: str, label: str, text: str) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"---\n{label}---\n{text}\n", encoding="utf-8")

    write(
        "home.md",
        f"title: Getting home\n{APPROVED}",
        "# Getting home\n\nBefore all.\n\n## Eating\n\nEat when you are hungry. Drink water.\n\n"
        "- toast\n- soup\n\n| Meal | Hours |\n|---|---|\n| Fasting | six |\n| Water | two |\n",
    )
    write("long.md", f"title: Long story\n{APPROVED}", "\n\n".join(LONG))
    write("new.md", f"title: New\n{with_status('draft')}", "Driving lessons in the yard.")
    write("gone.md", f"title: Gone\n{with_status('withdrawn')}", "Driving in the past.")
    write("old.md", f"title: Old\n{APPROVED}review_by: 2026-11-02\n", "Driving long ago, with anxiety.")
    write("spanish.md", f"title: Español\nlanguage: es\n{APPROVED}", "Texto en la lengua de la abuela.")
    write("vault.md", "title: Vault\naudience: staff\nstatus: approved\napproved_on: 2026-11-01\n", PLANTED)
    (folder / "odd.txt").write_text(f"{HOSTILE} Nothing else.\n")
    (folder / "odd.txt.yaml").write_text(f"title: An <b>odd</b> one\n{APPROVED}")
    draw_leaflet(folder / "leaflet.pdf")
    (folder / "leaflet.pdf.yaml").write_text(f"title: Leaflet\n{APPROVED}")


@dataclass
class Drawing(Drawn):
    """Stands for the pictures; notes what was drawn, and fails when it is told to."""

    drawn: list[tuple[str, int]] = field(default_factory=list)
    failure: Exception | None = None

    def picture(self, index: PassageIndex, document_id: str, page: int) -> Picture:
        if self.failure is not None:
            raise self.failure
        if not document_id.endswith(".pdf") or page > len(index.source(document_id).pages):
            raise NoPicture("there is no picture of this")
        self.drawn.append((document_id, page))
        return Picture(f"{document_id} {page}".encode(), "image/png", 1240, 1754)


@dataclass
class Clinic:
    """A running app without Streamlit, its corpus and who is signed in."""

    service: Service
    corpus: Path
    signed_in: SignedIn
    drawing: Drawing
    indexes: dict[Audience, FaissIndex]

    def visitor(self, peer: str = "203.0.113.7") -> TestClient:
        routes = [*page_routes(self.service), *document_routes(self.service)]
        middleware = [
            Middleware(SecurityHeaders),
            Middleware(Gate, own=routes),
            Middleware(KnownPages, routes=routes),
        ]
        app = Starlette(routes=routes, middleware=middleware)
        return TestClient(app, client=(peer, 50_000), follow_redirects=False, headers={"accept": "text/html"})

    def get(self, address: str):  # noqa: ANN201 - the test client's own type
        return self.visitor().get(address)

    def doc(self, document_id: str) -> str:
        return f"/document?doc={self.service.public_ids.document(document_id)}"

    def quote(self, document_id: str, words: str, audience: Audience = Audience.PATIENT) -> str:
        """The address that marks the sentence of a document in which these words stand."""
        index = self.indexes[audience]
        text = index.source(document_id).text
        for passage in index.passages(index.document(document_id).passages):
            for number, (start, end) in enumerate(sentences(passage.text), start=1):
                if words in passage.text[start:end]:
                    name = self.service.public_ids.passage(document_id, text, passage.start)
                    return f"{self.doc(document_id)}&passage={name}&sentence={number}"
        raise AssertionError(f"{words!r} is in no sentence of {document_id}")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, WordEmbedder]:
    """Settings over the corpus and its index, which no test changes, and the model that the index was made with."""
    folder = tmp_path_factory.mktemp("documents")
    write_corpus(folder / "corpus")
    settings = with_folders(Settings(), corpus=folder / "corpus", index=folder / "index")
    return settings, build_index(settings)


def build_index(settings: Settings, now: datetime = NOW) -> WordEmbedder:
    made: list[WordEmbedder] = []

    def load(model: Model, files: ModelFiles) -> WordEmbedder:
        made.append(WordEmbedder(files.fingerprint(model)))
        return made[0]

    build(settings, clock=lambda: now, load_embedder=load)
    return made[0]


def open_clinic(settings: Settings, embedder: WordEmbedder, **limits: int) -> Clinic:
    settings = settings.model_copy(update={"limits": Limits(**limits)})
    indexes = {audience: open_index(settings.index.folder, audience, embedder.fingerprint) for audience in Audience}
    live = OpenedAlready(embedder, JUDGE)
    live._serving = Serving(
        embedder,
        {
            audience: Library(index, LiveLabels(index, settings, lambda: NOW), JUDGE)
            for audience, index in indexes.items()
        },
    )
    signed_in, drawing = SignedIn(), Drawing()
    service = replace(service_with(settings, lambda: NOW, live, signed_in), pictures=drawing)
    return Clinic(service, settings.corpus.folder, signed_in, drawing, indexes)


@pytest.fixture
def clinic(built: tuple[Settings, WordEmbedder]) -> Iterator[Clinic]:
    clinic = open_clinic(*built)
    yield clinic
    for index in clinic.indexes.values():
        index.close()


@pytest.fixture
def own_clinic(tmp_path: Path) -> Iterator[Clinic]:
    """One whose corpus the test may change."""
    write_corpus(tmp_path / "corpus")
    settings = with_folders(Settings(), corpus=tmp_path / "corpus", index=tmp_path / "index")
    clinic = open_clinic(settings, build_index(settings))
    yield clinic
    for index in clinic.indexes.values():
        index.close()


def text_of(content: str) -> str:
    """What a page says, without its tags."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", content)).split())


def marked(content: str) -> list[str]:
    return [
        unescape(re.sub(r"<[^>]+>", "", each)) for each in re.findall(r"<mark[^>]*>(.*?)</mark>", content, re.DOTALL)
    ]


def link(content: str, rel: str) -> str:
    found = re.search(rf'rel="{rel}" href="\.(/[^"]+)"', content)
    assert found is not None, f"there is no {rel}"
    return unescape(found[1]).partition("#")[0]


def copied(content: str) -> str:
    found = re.search(r'data-copy="([^"]*)"', content)
    assert found is not None
    return unquote(unescape(found[1]))


# What a page shows.


def test_a_citation_opens_the_document_at_its_sentence(clinic: Clinic) -> None:
    """The page with the quote is shown, the sentence marked in its text, with title, section, version and approval."""
    response = clinic.get(clinic.quote("leaflet.pdf", "No driving"))
    content = response.text
    assert response.status_code == 200
    assert marked(content) == ["No driving until the morning."]
    assert '<h1 lang="en">Leaflet</h1>' in content
    assert "<title>Leaflet, page ii · Our clinic</title>" in content
    assert "Section “Leaving”, version 2.1, approved November 1, 2026" in text_of(content)
    assert "Page ii, 2 of 4" in text_of(content)
    assert "Ring the bell" not in content, "another page's text"
    assert MESSAGES.not_medical_advice in text_of(content)
    assert 'href="tel:988"' in content


def test_without_sentences_the_whole_passage_is_marked(clinic: Clinic) -> None:
    """An address that names no sentence marks its passage from its beginning to its end."""
    address = clinic.quote("leaflet.pdf", "No driving").partition("&sentence")[0]
    assert " ".join(marked(clinic.get(address).text)) == PAGES[1][1]


def test_sentences_are_counted_on_through_the_passages_that_follow(clinic: Clinic) -> None:
    """A quote that was put together from neighbors is marked in each of them; what lies between is left out."""
    index = clinic.indexes[Audience.PATIENT]
    source = index.source("leaflet.pdf")
    first = index.passages(index.document("leaflet.pdf").passages)[0]
    name = clinic.service.public_ids.passage("leaflet.pdf", source.text, first.start)
    address = f"{clinic.doc('leaflet.pdf')}&passage={name}&sentence=1&sentence=5"
    content = clinic.get(address).text
    assert marked(content) == ["Come by taxi."]
    assert copied(content).startswith("“Come by taxi. … No driving until the morning.”")
    assert marked(clinic.get(link(content, "next")).text) == ["No driving until the morning."]


def test_pages_are_turned(clinic: Clinic) -> None:
    """Previous and next lead through all pages and keep what is marked; the first and the last page lead one way."""
    address = clinic.quote("leaflet.pdf", "No driving")
    content = clinic.get(address).text
    after = clinic.get(link(content, "next")).text
    assert "Say your name first." in after
    assert marked(after) == []
    back = re.search(r'href="\.(/document[^"]+)">Go to the quote', after)
    assert back is not None
    assert marked(clinic.get(unescape(back[1]).partition("#")[0]).text) == ["No driving until the morning."]
    assert marked(clinic.get(link(after, "prev")).text) == ["No driving until the morning."]
    last = clinic.get(link(after, "next")).text
    assert 'rel="next"' not in last
    assert MESSAGES.document_without_text in last
    first = clinic.get(link(content, "prev")).text
    assert "Ring the bell twice." in first
    assert 'rel="prev"' not in first


def test_a_page_without_a_quote_is_just_the_page(clinic: Clinic) -> None:
    """A document opens at its first page, or at the one that is asked for, without any mark or thing to copy."""
    assert "Ring the bell twice." in clinic.get(clinic.doc("leaflet.pdf")).text
    content = clinic.get(clinic.doc("leaflet.pdf") + "&page=3").text
    assert "Say your name first." in content
    assert marked(content) == []
    assert "data-copy" not in content


def test_the_picture_comes_with_its_size(clinic: Clinic) -> None:
    """The page names its picture by our own route, says it in words, and with its size, so that nothing jumps."""
    content = clinic.get(clinic.quote("leaflet.pdf", "No driving")).text
    picture = re.search(r'<img src="\.(/document/picture[^"]+)" alt="([^"]+)" width="1240" height="1754" />', content)
    assert picture is not None
    assert "page ii" in picture[2]
    response = clinic.get(unescape(picture[1]))
    assert (response.status_code, response.content) == (200, b"leaflet.pdf 2")
    assert (response.headers["content-type"], response.headers["cache-control"]) == ("image/png", "no-store")


def test_marks_stand_over_the_words_in_the_picture(clinic: Clinic) -> None:
    """The sentence is one rectangle over its line, where the leaflet was drawn, hidden from screen readers."""
    content = clinic.get(clinic.quote("leaflet.pdf", "No driving")).text
    (style,) = re.findall(r'<span class="cq-doc-mark" aria-hidden="true" id="mark" style="([^"]+)"></span>', content)
    place = {name: float(value) / 100 for name, value in re.findall(r"(\w+):([\d.]+)%", style)}
    canvas = Canvas("unused", pagesize=letter)
    before, said = PAGES[1][1].split("No driving")[0], "No driving until the morning."
    left = 72 + canvas.stringWidth(before, "Helvetica", 11)
    assert place["left"] == pytest.approx(left / 612, abs=0.005)
    assert place["width"] == pytest.approx(canvas.stringWidth(said, "Helvetica", 11) / 612, abs=0.005)
    assert place["top"] < (792 - 660) / 792 < place["top"] + place["height"] + 0.005
    assert marked(content), "the text has the same mark"
    assert content.count('id="mark"') == 1


def test_from_the_picture_a_link_leads_to_the_quote_as_text(clinic: Clinic) -> None:
    """Whoever cannot read the picture gets to the quote beside it; without a mark on the picture there is no link."""
    content = clinic.get(clinic.quote("leaflet.pdf", "No driving")).text
    assert f'<a class="cq-link" href="#quote">{MESSAGES.quote_in_text}</a>' in content
    assert content.count('<mark id="quote">') == 1
    assert MESSAGES.quote_in_text not in clinic.get(clinic.doc("leaflet.pdf")).text


def test_what_cannot_be_placed_is_not_marked_on_the_picture(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a sure place, the picture has no mark, the page says so, and the text has it."""
    monkeypatch.setattr("qa.web.document.locate", lambda *_: None)
    content = clinic.get(clinic.quote("leaflet.pdf", "No driving")).text
    assert "cq-doc-mark" not in content
    assert MESSAGES.quote_not_placed in content
    assert marked(content) == ["No driving until the morning."]
    assert '<mark id="mark">' in content
    assert MESSAGES.quote_not_placed not in clinic.get(clinic.doc("leaflet.pdf")).text


@pytest.mark.parametrize("failure", [PictureFailed("it crashed"), NoPicture("none was kept")])
def test_without_its_picture_the_page_has_its_text(clinic: Clinic, failure: Exception) -> None:
    """A page that cannot be drawn still shows its text with the mark, and says that there is no picture."""
    clinic.drawing.failure = failure
    content = clinic.get(clinic.quote("leaflet.pdf", "No driving")).text
    assert MESSAGES.document_picture_missing in content
    assert "<img" not in content
    assert '<mark id="mark">' in content


def test_other_formats_are_laid_out(clinic: Clinic) -> None:
    """Headings, lists and tables of a document without pages are what they are, in one piece and without a picture."""
    content = clinic.get(clinic.quote("home.md", "Eat when")).text
    assert re.search(r"<h\d[^>]*>Eating</h\d>", content)
    assert re.search(r"<li[^>]*>toast</li>", content)
    assert re.search(r"<td[^>]*>six</td>", content)
    assert marked(content) == ["Eat when you are hungry."]
    assert "<img" not in content
    assert "cq-doc-turn" not in content


def test_a_long_document_comes_in_parts(clinic: Clinic) -> None:
    """What is too long for one page is cut between blocks, begins at the quote, and every word is in one part."""
    content = clinic.get(clinic.quote("long.md", "Paragraph 149 ")).text
    assert "Part 3 of 3" in text_of(content)
    assert len(marked(content)) == 1
    part, told = clinic.get(clinic.doc("long.md")).text, ""
    assert "Part 1 of 3" in text_of(part)
    for _ in range(2):
        told += text_of(part)
        part = clinic.get(link(part, "next")).text
    told += text_of(part)
    assert 'rel="next"' not in part
    assert [int(number) for number in re.findall(r"Paragraph (\d+) of", told)] == list(range(150))


def test_hostile_titles_and_texts_are_shown_as_they_stand(clinic: Clinic) -> None:
    """Tags of a title or text are never the page's own, in what is seen, in attributes and in what is copied."""
    content = clinic.get(clinic.quote("odd.txt", "<script>")).text
    assert HOSTILE in text_of(re.sub(r"</?mark[^>]*>", "", content))
    assert "An &lt;b&gt;odd&lt;/b&gt; one" in content
    assert "<b>" not in content
    assert not re.search(r"<script(?! defer src=\"\./page/page\.js\">)", content)
    assert re.findall(r"<img[^>]*>", content) == []
    assert "<script>alert(1)</script>" in copied(content)


def test_a_document_speaks_its_own_language(clinic: Clinic) -> None:
    """Title and text are declared in the document's language, the rest in the clinic's."""
    content = clinic.get(clinic.doc("spanish.md")).text
    assert '<h1 lang="es">Español</h1>' in content
    assert re.search(r'lang="es"[^>]*>(<[^>]+>)*Texto en la lengua', content)
    assert content.startswith('<!doctype html><html lang="en">')


def test_a_clinic_whose_language_is_spanish_has_spanish_pages(clinic: Clinic) -> None:
    """All that we say ourselves comes from the catalogue."""
    clinic.service = replace(clinic.service, messages=load_messages("es"), language="es")
    content = clinic.get(clinic.quote("leaflet.pdf", "No driving")).text
    assert "Página ii, 2 de 4" in text_of(content)
    assert "aprobado el 1 de noviembre de 2026" in text_of(content)
    assert "Esta página no está aquí" in clinic.get("/document?doc=x").text


def test_a_quote_is_copied_with_its_source(clinic: Clinic) -> None:
    """What the button copies is plain text: the words, and a full reference with the clinic's name."""
    content = clinic.get(clinic.quote("leaflet.pdf", "No driving")).text
    assert copied(content) == (
        "“No driving until the morning.”\n"
        "Leaflet, section “Leaving”, page ii, version 2.1, approved November 1, 2026, Our clinic"
    )


# Links.


def test_links_lead_to_what_they_were_made_for(clinic: Clinic) -> None:
    """A citation's link opens its page with its sentences marked, and names nothing but ids and numbers."""
    index = clinic.indexes[Audience.PATIENT]
    passage = next(each for each in index.passages(index.document("leaflet.pdf").passages) if "No driving" in each.text)
    cited = citation(index, "leaflet.pdf", passage.start, page=2)
    address = Links(clinic.service.public_ids, index).link_to(cited, (2, 3))
    asked = parse_qs(urlsplit(address).query)
    assert set(asked) == {"doc", "passage", "page", "sentence"}
    assert (asked["page"], asked["sentence"]) == (["2"], ["2", "3"])
    assert all(len(asked[name][0]) == LENGTH for name in ("doc", "passage"))
    assert urlsplit(address).fragment == "mark"
    content = clinic.get(address.removeprefix(".").partition("#")[0]).text
    assert marked(content) == ["No driving until the morning.", "Rest for a day."]


def test_links_from_a_generation_that_is_gone_mark_nothing(clinic: Clinic) -> None:
    """Where the citation's index is not open any more, its link opens the document, and says nothing of changes."""
    cited = citation(clinic.indexes[Audience.PATIENT], "leaflet.pdf", 0, page=2)
    address = Links(clinic.service.public_ids, None).link_to(cited, (1,))
    content = clinic.get(address.removeprefix(".")).text
    assert marked(content) == []
    assert MESSAGES.quote_changed not in content


def citation(index: FaissIndex, document_id: str, start: int, page: int | None) -> Citation:
    passages = index.passages(index.document(document_id).passages)
    passage = next((each for each in passages if each.start == start), passages[0])
    return replace(citation_of(passage, index, AsBuilt(index), NOW.date()), page=page)


def test_names_are_the_installations_own() -> None:
    """Names stay the same for one key, differ with key, kind, document, text and place, and tell nothing."""
    ids, same, other = PublicIds(b"key"), PublicIds(b"key"), PublicIds(b"another key")
    assert ids.document("a.md") == same.document("a.md") != other.document("a.md")
    names = {
        ids.document("a.md"),
        ids.document("b.md"),
        ids.passage("a.md", "text", 0),
        ids.passage("a.md", "text", 1),
        ids.passage("b.md", "text", 0),
        ids.passage("a.md", "other", 0),
    }
    assert len(names) == 6
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{16}", name) for name in names)
    ids.document("odd \udcff.md")


def test_a_changed_text_is_not_marked(own_clinic: Clinic) -> None:
    """A link to what a newer build has changed opens the document without a mark, and says that it has changed."""
    clinic = own_clinic
    before = clinic.quote("home.md", "Eat when")
    assert marked(clinic.get(before).text)
    path = clinic.corpus / "home.md"
    path.write_text(path.read_text().replace("Eat when you are hungry.", "Eat nothing."))
    settings = clinic.service.settings
    newer = open_clinic(settings, build_index(settings, NOW + timedelta(minutes=1)))
    content = newer.get(before).text
    assert marked(content) == []
    assert MESSAGES.quote_changed in content
    assert "Eat nothing." in content
    assert "data-copy" not in content
    for index in newer.indexes.values():
        index.close()


# Who gets what.


def test_whatever_is_not_there_is_the_same_page(clinic: Clinic) -> None:
    """Unknown, malformed, staff's, draft, withdrawn, overdue, out of range: one and the same answer, byte by byte."""
    leaflet, unknown = clinic.doc("leaflet.pdf"), "A" * LENGTH
    quote = clinic.quote("leaflet.pdf", "No driving")
    addresses = [
        "/document",
        "/document?doc=",
        "/document?doc=x",
        f"/document?doc={unknown}",
        f"/document?doc={unknown}&doc={unknown}",
        "/document?doc=..%2Fvault.md",
        "/document?doc=vault.md",
        *(clinic.doc(name) for name in ("vault.md", "new.md", "gone.md", "old.md", "none.md")),
        clinic.quote("vault.md", "violet", Audience.STAFF),
        clinic.quote("vault.md", "violet", Audience.STAFF) + "&page=1",
        *(f"{leaflet}&page={page}" for page in ("0", "5", "-1", "x", "1.0", "٣", "99999", "9" * 40, "", "1&page=1")),
        f"{leaflet}&part=2",
        f"{leaflet}&sentence=1",
        f"{leaflet}&passage=x",
        f"{leaflet}&passage={'é' * LENGTH}",
        f"{quote}&sentence=0",
        f"{quote}&sentence=99999",
        quote + "&sentence=1" * 30,
        f"{clinic.doc('home.md')}&page=1",
        f"{clinic.doc('home.md')}&part=2",
    ]
    responses = [clinic.get(address) for address in addresses]
    assert {response.status_code for response in responses} == {404}
    assert len({response.content for response in responses}) == 1
    assert len({tuple(sorted(response.headers.items())) for response in responses}) == 1
    assert "violet" not in responses[0].text
    assert MESSAGES.not_here_title in responses[0].text
    assert 'href="./"' in responses[0].text


def test_whatever_picture_is_not_there_is_the_same(clinic: Clinic) -> None:
    """A picture of a staff page, of no page, of no document or of what has none: 404, without a byte."""
    addresses = [
        f"{clinic.doc(name)}&page={page}"
        for name, page in (("vault.md", 1), ("none.md", 1), ("leaflet.pdf", 5), ("leaflet.pdf", 0), ("home.md", 1))
    ]
    addresses += ["/document?", clinic.doc("leaflet.pdf"), clinic.doc("leaflet.pdf") + "&page=x"]
    responses = [clinic.get(address.replace("/document?", "/document/picture?")) for address in addresses]
    assert {(response.status_code, response.content) for response in responses} == {(404, b"")}
    assert len({tuple(sorted(response.headers.items())) for response in responses}) == 1


def test_a_page_that_the_text_has_not_is_not_even_tried(clinic: Clinic) -> None:
    """No process is started for a page that is not there: whoever counts up would keep others from their pictures."""
    clinic.drawing.failure = PictureFailed("drawn all the same")
    for name, page in (("leaflet.pdf", 5), ("leaflet.pdf", 99_999), ("home.md", 1)):
        picture = f"{clinic.doc(name)}&page={page}".replace("/document?", "/document/picture?")
        assert clinic.get(picture).status_code == 404, (name, page)


def test_an_unknown_passage_of_a_known_document_tells_nothing(clinic: Clinic) -> None:
    """A passage's name that is nothing to this document is a text that has changed, whoever's passage it is."""
    secret = parse_qs(urlsplit(clinic.quote("vault.md", "violet", Audience.STAFF)).query)["passage"][0]
    pages = [clinic.get(f"{clinic.doc('leaflet.pdf')}&passage={name}").text for name in ("A" * LENGTH, secret)]
    assert pages[0].replace("A" * LENGTH, secret) == pages[1]
    assert MESSAGES.quote_changed in pages[0]


def test_staff_open_everything_with_how_it_stands(clinic: Clinic) -> None:
    """Staff get their own documents and those that patients do not get, marked in words; the way back is the desk."""
    clinic.signed_in.identity = NURSE
    standing = {
        "vault.md": ["Staff only"],
        "leaflet.pdf": ["For patients"],
        "new.md": ["For patients", "Draft"],
        "gone.md": ["For patients", "Withdrawn"],
        "old.md": ["For patients", "Review overdue since November 2, 2026"],
    }
    for name, words in standing.items():
        content = clinic.get(clinic.doc(name)).text
        assert re.findall(r'<li class="cq-mark-[^"]+">([^<]+)</li>', content) == words
        assert '<a class="cq-link" href="./desk">' in content
        assert MESSAGES.desk_reminder in text_of(content)
    assert marked(clinic.get(clinic.quote("vault.md", "violet", Audience.STAFF)).text) == [PLANTED]


def test_an_address_is_the_same_for_staff_and_patients(clinic: Clinic) -> None:
    """What staff find for patients can be handed on to them."""
    address = clinic.quote("leaflet.pdf", "No driving", Audience.STAFF)
    assert address == clinic.quote("leaflet.pdf", "No driving")


@pytest.mark.parametrize(
    "take_away",
    [
        lambda folder: (folder / "leaflet.pdf.yaml").write_text(APPROVED.replace("patient", "staff")),
        lambda folder: (folder / "leaflet.pdf.yaml").write_text(with_status("withdrawn")),
        lambda folder: (folder / "leaflet.pdf.yaml").write_text("{{"),
        lambda folder: (folder / "leaflet.pdf").unlink(),
    ],
    ids=["relabelled", "withdrawn", "unreadable", "deleted"],
)
def test_what_was_taken_away_is_gone_at_once(own_clinic: Clinic, take_away: Change) -> None:
    """From the moment a label changes, page and picture are what nobody has ever heard of; no refresh is waited for."""
    clinic, missing = own_clinic, own_clinic.get("/document?doc=x")
    address = clinic.quote("leaflet.pdf", "No driving")
    picture = f"{clinic.doc('leaflet.pdf')}&page=2".replace("/document?", "/document/picture?")
    assert (clinic.get(address).status_code, clinic.get(picture).status_code) == (200, 200)
    take_away(clinic.corpus)
    assert clinic.get(address).content == missing.content
    assert (clinic.get(picture).status_code, clinic.get(picture).content) == (404, b"")


def test_what_is_taken_away_while_it_is_drawn_is_not_given_out(own_clinic: Clinic) -> None:
    """The label is looked at again after the picture was made, right before page or picture leave."""
    clinic = own_clinic
    draw = clinic.drawing.picture

    def slow(index: PassageIndex, document_id: str, page: int) -> Picture:
        drawn = draw(index, document_id, page)
        (clinic.corpus / "leaflet.pdf.yaml").write_text(APPROVED.replace("patient", "staff"))
        return drawn

    clinic.drawing.picture = slow  # type: ignore[method-assign] # this one alone is slow
    assert clinic.get(clinic.doc("leaflet.pdf")).status_code == 404


@pytest.mark.parametrize("address", ["/document", "/document/picture"])
def test_signing_out_ends_what_is_under_way(clinic: Clinic, address: str) -> None:
    """Somebody who was signed out while a page was being made gets nothing of it."""
    clinic.signed_in.identity = NURSE
    draw = clinic.drawing.picture

    def slow(index: PassageIndex, document_id: str, page: int) -> Picture:
        clinic.signed_in.identity = PATIENT
        return draw(index, document_id, page)

    clinic.drawing.picture = slow  # type: ignore[method-assign] # as above
    wanted = f"{clinic.doc('leaflet.pdf')}&page=1".replace("/document", address)
    assert clinic.get(wanted).status_code == 404


def test_a_picture_is_checked_each_time(clinic: Clinic) -> None:
    """The same picture is there for staff, and a moment later not for a patient, though it was drawn already."""
    hold_back_from_patients(clinic, "leaflet.pdf")
    picture = f"{clinic.doc('leaflet.pdf')}&page=1".replace("/document?", "/document/picture?")
    clinic.signed_in.identity = NURSE
    assert clinic.get(picture).status_code == 200
    clinic.signed_in.identity = PATIENT
    assert clinic.get(picture).status_code == 404
    assert clinic.drawing.drawn == [("leaflet.pdf", 1)]


def hold_back_from_patients(clinic: Clinic, document_id: str) -> None:
    """Serve on with a mask that leaves this document out of the patients' library."""

    class HeldBack(AsBuilt):
        def mask(self, today: date) -> Mask | None:  # noqa: ARG002 - as the real one
            mask = np.ones(sum(len(each.passages) for each in patients.index.documents()), dtype=bool)
            mask[patients.index.document(document_id).passages] = False
            return mask

    libraries = clinic.service.live.serving.libraries
    patients = libraries[Audience.PATIENT]
    held_back = replace(patients, eligibility=HeldBack(patients.index))
    clinic.service.live._serving = Serving(None, {**libraries, Audience.PATIENT: held_back})


def test_a_failing_picture_costs_itself_alone(clinic: Clinic) -> None:
    """A picture that cannot be drawn is a bare 503."""
    clinic.drawing.failure = PictureFailed("it crashed")
    response = clinic.get(f"{clinic.doc('leaflet.pdf')}&page=1".replace("/document?", "/document/picture?"))
    assert (response.status_code, response.content) == (503, b"")


def test_damaged_text_is_not_shown(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    """A document that does not read as it did at the build is not there."""
    monkeypatch.setattr(FaissIndex, "is_intact", lambda *_: False)
    assert clinic.get(clinic.doc("leaflet.pdf")).content == clinic.get("/document?doc=x").content


def test_nothing_is_kept_and_nothing_is_loaded_from_elsewhere(clinic: Clinic) -> None:
    """Pages are not stored, carry the security headers, and name none but relative addresses."""
    response = clinic.get(clinic.quote("leaflet.pdf", "No driving"))
    assert response.headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
    addresses = re.findall(r'(?:href|src)="([^"]+)"', response.text)
    assert all(address.startswith(("./", "#", "tel:", "sms:")) for address in addresses)
    assert "set-cookie" not in response.headers
    assert "user-scalable" not in response.text


def test_heads_are_told(clinic: Clinic) -> None:
    """Programs that ask for the headers alone get them, here and where nothing is; other methods are closed."""
    visitor = clinic.visitor()
    assert visitor.head(clinic.doc("leaflet.pdf")).status_code == 200
    assert visitor.head("/document?doc=x").status_code == 404
    assert visitor.post("/document?doc=x").status_code == 405


def test_one_address_opens_so_many_pages(built: tuple[Settings, WordEmbedder]) -> None:
    """Beyond the limit there is neither page nor picture for a moment, whatever is asked for; others go on."""
    clinic = open_clinic(*built, pages_per_minute_and_address=3)
    visitor = clinic.visitor()
    address = clinic.doc("leaflet.pdf")
    assert [visitor.get(address).status_code for _ in range(4)] == [200, 200, 200, 429]
    limited = visitor.get("/document?doc=x")
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "60")
    assert MESSAGES.too_many_pages in limited.text
    picture = f"{address}&page=1".replace("/document?", "/document/picture?")
    assert [visitor.get(picture).status_code for _ in range(4)] == [200, 200, 200, 429]
    other = TestClient(visitor.app, client=("198.51.100.9", 50_000))
    assert other.get(address).status_code == 200
    for index in clinic.indexes.values():
        index.close()


def test_before_there_is_an_index_the_page_says_so(clinic: Clinic) -> None:
    """Without documents there is the phone, and no claim that anything is missing."""
    live = OpenedAlready(None, JUDGE)
    clinic.service = replace(clinic.service, live=live)
    response = clinic.get(clinic.doc("leaflet.pdf"))
    assert response.status_code == 503
    assert "cannot be searched yet" in response.text


def test_ten_thousand_documents_are_named_once(
    tmp_path: Path, embedder: WordEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The names of an index are worked out at the first look-up alone."""
    index = index_of(tmp_path / "index", [entry("a.md", "Driving."), entry("b.md", "Fasting.")], embedder)
    ids = PublicIds(b"key")
    name = ids.document("b.md")
    assert ids.find_document(name, index) == "b.md"
    monkeypatch.setattr(PublicIds, "_name", lambda *_: pytest.fail("worked out again"))
    assert ids.find_document(name, index) == "b.md"
    assert ids.find_document("A" * LENGTH, index) is None
    index.close()
