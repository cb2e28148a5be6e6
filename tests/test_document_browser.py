"""Citations opened in the real app, in Chromium: the quote on its page, turning, zooming, copying; who gets what."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qs, urlsplit

import httpx
import numpy as np
import pytest
from browsing import DESKTOP, IN_BROWSER, PHONE, Server, Visit, browser, built, server, visit
from PIL import Image
from test_desk_browser import contrast, desk, nora

from qa.audience import Audience
from qa.embed import ModelFiles
from qa.index import FaissIndex, open_index
from qa.private_files import read_private
from qa.settings import Model
from qa.web.public_ids import LENGTH, PublicIds
from qa.web.sessions import KEY_FILE

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from playwright.sync_api import Browser, Locator, Page

__all__ = ["browser", "built", "desk", "nora", "server", "visit"]  # fixtures

DRIVING = "can I drive myself home after the infusion?"
SMALL = (320, 640)
CLIPBOARD = ["clipboard-read", "clipboard-write"]
# Also where a test has hidden the clipboard from the page.
READ_CLIPBOARD = "Object.getOwnPropertyDescriptor(Navigator.prototype, 'clipboard').get.call(navigator).readText()"

pytestmark = IN_BROWSER


def open_citation(visit: Visit, source: Locator) -> Page:
    """Follow a citation's link, which opens beside the page with the answer."""
    with visit.context.expect_page() as opened:
        source.click()
    page = opened.value
    page.wait_for_load_state("load")
    page.on("console", lambda line: visit.complaints.append(line.text) if line.type == "error" else None)
    return page


def open_driving(visit: Visit) -> Page:
    """The aftercare guide, which is a PDF, at the sentence about driving."""
    visit.ask(DRIVING)
    return open_citation(visit, visit.page.locator("article").first.locator("footer a.cq-source").first)


def width_of(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth"))


def pixels(picture: bytes) -> NDArray[np.uint8]:
    """Red, green and blue of each, without the outermost, which the browser smooths."""
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"))[2:-2, 2:-2]


@contextmanager
def index_of(server: Server, audience: Audience) -> Iterator[FaissIndex]:
    model = Model()
    index = open_index(server.index, audience, ModelFiles.find(model.name).fingerprint(model))
    yield index
    index.close()


def ids_of(server: Server) -> PublicIds:
    """The names that this server gives its documents."""
    return PublicIds(read_private(server.folder / "state" / KEY_FILE))


def test_a_citation_opens_the_page_with_the_sentence_marked(visit: Visit) -> None:
    """The answer stays open, and the page beside it has the quote under marks that colour its place in the picture."""
    page = open_driving(visit)
    assert "You may not drive" in " ".join(page.locator(".cq-doc-text mark").all_inner_texts())
    assert page.locator("h1").inner_text() == "Aftercare guide"
    mark, picture = page.locator(".cq-doc-mark").first, page.locator(".cq-doc-sheet img")
    mark.wait_for()
    assert picture.evaluate("image => image.complete && image.naturalWidth > 600")
    seen = pixels(mark.screenshot())
    mark.evaluate("mark => { mark.style.background = 'none'; }")
    bare = pixels(mark.screenshot())
    assert seen.shape == bare.shape
    paper, ink = bare.min(axis=-1) > 245, bare.max(axis=-1) < 90
    assert paper.mean() > 0.25, "there is paper below the mark"
    assert ink.mean() > 0.01, "there are words below the mark"
    assert seen[paper][:, 0].min() > 230, "the paper is yellow"
    assert seen[paper][:, 2].max() < 160, "the paper is yellow"
    assert seen[ink].max() < 110, "the words stay dark"
    assert visit.page.locator("article").count() > 0, "the answer is still there"
    assert visit.complaints == []


def test_the_mark_is_in_sight(browser: Browser, server: Server) -> None:
    """On a phone as on a desk, the page opens where the quote is, not at its top."""
    for size in (PHONE, DESKTOP):
        visit = Visit(browser, server, size)
        page = open_driving(visit)
        box = page.locator("#mark").bounding_box()
        assert box is not None
        assert 0 < box["y"] < size[1] * 0.9
        visit.context.close()


def test_an_address_has_nothing_of_the_question(visit: Visit) -> None:
    """What the browser asks for names documents and passages by keyed hashes and numbers, and no word of anybody's."""
    page = open_driving(visit)
    asked = parse_qs(urlsplit(page.url).query)
    assert set(asked) == {"doc", "passage", "page", "sentence"}
    assert all(re.fullmatch(rf"[\w-]{{{LENGTH}}}", value) for name in ("doc", "passage") for value in asked[name])
    assert all(value.isdecimal() for name in ("page", "sentence") for value in asked[name])
    assert not any(re.search("drive|home|infusion|aftercare", url, re.IGNORECASE) for url in visit.requests)
    assert page.evaluate("document.referrer") == ""


def test_pages_are_turned_and_back_and_forward_work(visit: Visit) -> None:
    """Next shows the next page's picture and text; back brings the quote again, and forward the next page."""
    page = open_driving(visit)
    first, picture = page.url, page.locator(".cq-doc-sheet img").get_attribute("src")
    page.get_by_role("link", name="Next (page 3)").first.click()
    page.wait_for_url("**page=3**")
    assert page.locator(".cq-doc-where").first.inner_text() == "Page 3 of 3"
    assert page.locator(".cq-doc-sheet img").get_attribute("src") != picture
    assert page.locator("mark, .cq-doc-mark").count() == 0
    page.go_back()
    assert page.url == first
    page.locator(".cq-doc-mark").first.wait_for()
    page.go_forward()
    assert page.locator(".cq-doc-where").first.inner_text() == "Page 3 of 3"
    page.get_by_role("link", name="Go to the quote").click()
    page.locator(".cq-doc-mark").first.wait_for()
    page.reload()
    page.locator(".cq-doc-mark").first.wait_for()


def test_an_address_can_be_shared(browser: Browser, visit: Visit) -> None:
    """Somebody else who opens the address sees the same page with the same marks."""
    page = open_driving(visit)
    context = browser.new_context()
    other = context.new_page()
    other.goto(page.url)
    assert other.locator(".cq-doc-text").inner_html() == page.locator(".cq-doc-text").inner_html()
    assert other.locator(".cq-doc-mark").count() == page.locator(".cq-doc-mark").count() > 0
    context.close()


def test_a_quote_is_copied_with_its_source(visit: Visit) -> None:
    """Both on the answer and on the document page, the button copies words and reference, and says so to everybody."""
    visit.context.grant_permissions(CLIPBOARD, origin=visit.server.url)
    visit.ask(DRIVING)
    article = visit.page.locator("article").first
    article.get_by_role("button", name="Copy quote and source").click()
    article.get_by_text("Copied", exact=True).wait_for()
    text = visit.page.evaluate(READ_CLIPBOARD)
    assert text.startswith("“")
    assert article.locator(".cq-text").inner_text() in text
    source = (
        "Aftercare guide, section “Can I drive myself home after the infusion?”, page 2, version 3.2, "
        "approved May 6, 2026"
    )
    assert text.endswith(f"”\n{source}, Quillmere Infusion Clinic")
    page = open_citation(visit, article.locator("footer a.cq-source").first)
    page.get_by_role("button", name="Copy quote and source").click()
    said = page.locator(".cq-copied")
    page.get_by_text("Copied", exact=True).wait_for()
    assert said.get_attribute("role") == "status"
    copied = page.evaluate(READ_CLIPBOARD)
    quote, _, reference = copied.rpartition("\n")
    assert all(each in quote for each in page.locator(".cq-doc-text mark").all_inner_texts())
    assert reference == f"{source}, Quillmere Infusion Clinic"


def test_copying_works_over_plain_http(visit: Visit) -> None:
    """Where a page has no clipboard, as without TLS, copying goes another way, and the focus stays where it was."""
    visit.context.grant_permissions(CLIPBOARD, origin=visit.server.url)
    visit.context.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined });")
    page = open_driving(visit)
    assert page.evaluate("navigator.clipboard === undefined")
    button = page.get_by_role("button", name="Copy quote and source")
    button.click()
    page.get_by_text("Copied", exact=True).wait_for()
    assert "\nAftercare guide, section" in page.evaluate(READ_CLIPBOARD)
    assert page.locator("textarea").count() == 0
    assert button.evaluate("button => document.activeElement === button")


def test_the_picture_is_zoomed_on_a_phone(browser: Browser, server: Server) -> None:
    """Large buttons, and keys, make the picture larger within its own box, and the page no wider."""
    visit = Visit(browser, server, PHONE)
    page = open_driving(visit)
    sheet, box = page.locator(".cq-doc-sheet"), page.locator(".cq-doc-box")
    fitted = sheet.bounding_box()
    assert fitted is not None
    assert fitted["width"] <= PHONE[0]
    page.get_by_text("Larger", exact=True).click()
    larger = sheet.bounding_box()
    assert larger is not None
    assert larger["width"] > fitted["width"] * 1.5
    page.keyboard.press("ArrowRight")
    largest = sheet.bounding_box()
    assert largest is not None
    assert largest["width"] > fitted["width"] * 2.5
    assert box.evaluate("box => box.scrollWidth > box.clientWidth")
    assert width_of(page) <= PHONE[0]
    mark, window = page.locator("#mark").bounding_box(), box.bounding_box()
    assert mark is not None
    assert window is not None
    assert window["x"] <= mark["x"] + mark["width"] / 2 <= window["x"] + window["width"]
    heights = page.locator(".cq-doc-zoom label, .cq-doc-turn a, .cq-copy").evaluate_all(
        "all => all.map(each => each.getBoundingClientRect().height)"
    )
    assert min(heights) >= 44
    assert "user-scalable" not in page.content()
    assert visit.complaints == []
    visit.context.close()


def test_without_scripts_all_but_copying_works(browser: Browser, visit: Visit) -> None:
    """The page has its marks, its zoom and its ways on, and no button that would do nothing."""
    address = open_driving(visit).url
    context = browser.new_context(java_script_enabled=False, viewport={"width": PHONE[0], "height": PHONE[1]})
    page = context.new_page()
    page.goto(address)
    before = page.locator(".cq-doc-sheet").bounding_box()
    page.get_by_text("Largest", exact=True).click()
    after = page.locator(".cq-doc-sheet").bounding_box()
    assert before is not None
    assert after is not None
    assert after["width"] > before["width"] * 2
    assert not page.get_by_role("button", name="Copy quote and source").is_visible()
    page.get_by_role("link", name="Previous (page 1)").first.click()
    page.wait_for_url("**page=1**")
    context.close()


def every_address(server: Server, audience: Audience) -> list[str]:
    """Each document of an audience, opened without a quote."""
    ids = ids_of(server)
    with index_of(server, audience) as index:
        return [f"{server.url}/document?doc={ids.document(each.id)}" for each in index.documents()]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_document_fits_a_small_phone(browser: Browser, server: Server, scheme: Literal["light", "dark"]) -> None:
    """No document, and not the page where nothing is, is wider than 320 pixels; headings skip no level."""
    context = browser.new_context(viewport={"width": SMALL[0], "height": SMALL[1]}, color_scheme=scheme)
    page = context.new_page()
    for address in (*every_address(server, Audience.PATIENT), f"{server.url}/document?doc=x"):
        page.goto(address)
        assert width_of(page) <= SMALL[0], address
        levels = page.locator("h1, h2, h3, h4, h5, h6").evaluate_all("all => all.map(each => Number(each.tagName[1]))")
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(later - earlier <= 1 for earlier, later in pairwise(levels)), address
        assert page.locator(".cq-urgent a[href='tel:911']").is_visible()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_written_can_be_read(browser: Browser, server: Server, scheme: Literal["light", "dark"]) -> None:
    """In both schemes text has a contrast of 4.5 or more, on marks, too."""
    visit = Visit(browser, server, PHONE, scheme)
    visit.page = open_driving(visit)
    for part in ("h1", ".cq-doc-facts", ".cq-doc-turn a", ".cq-doc-text p", ".cq-doc-text mark", ".cq-copy"):
        assert contrast(visit, part) >= 4.5, part
    for part in (".cq-doc-zoom input:checked + label", ".cq-doc-zoom input:not(:checked) + label", ".cq-doc-top a"):
        assert contrast(visit, part) >= 4.5, part
    visit.context.close()


def test_other_formats_show_their_text_marked(visit: Visit) -> None:
    """A citation of a document without pages opens its text, laid out, at the marked sentence."""
    visit.ask("When do quokka visits happen?")
    source = visit.page.locator("article", has_text="Quokka").first.locator("footer a.cq-source").first
    page = open_citation(visit, source)
    assert page.locator("mark#mark").count() == 1
    assert page.locator("img, b, u").count() == 0
    assert "<u>Quokka</u> guide" in page.locator("h1").inner_text()
    assert visit.complaints == []


# Who gets what.


def test_staff_open_their_documents_from_the_desk(desk: Visit) -> None:
    """A citation on the staff page opens for whoever is signed in, with whom the document is for, and its picture."""
    desk.ask("Tell me about marmalade zeppelin refunds")
    source = desk.page.locator("article", has_text="Marmalade").first.locator("footer a.cq-source").first
    page = open_citation(desk, source)
    assert page.locator(".cq-mark-staff").inner_text() == "Staff only"
    assert "Marmalade zeppelin" in page.locator("mark").first.inner_text()
    letter = desk.context.new_page()  # a link in a letter, or on another site: at first the browser tells no role
    letter.goto(f"data:text/html,<a href='{page.url.replace('#', '%23')}'>look</a>")
    letter.get_by_text("look").click()
    assert letter.locator("h1").inner_text() == "This page is not here"
    letter.get_by_role("link", name="Open it again").click()
    letter.locator(".cq-mark-staff").wait_for()
    ids = ids_of(desk.server)
    picture = f"{desk.server.url}/document/picture?doc={ids.document('staff/phone-talking-points.pdf')}&page=1"
    response = desk.context.request.get(picture)
    assert (response.status, response.headers["content-type"].partition("/")[0]) == (200, "image")
    desk.context.clear_cookies()
    page.reload()
    assert page.locator("h1").inner_text() == "This page is not here"
    assert "Marmalade" not in page.content()
    assert desk.context.request.get(picture).status == 404


def test_a_patient_who_tries_every_staff_address_gets_nothing(server: Server) -> None:
    """Each staff document, page, passage and picture is to a patient what does not exist, byte by byte."""
    ids = ids_of(server)
    with index_of(server, Audience.STAFF) as staff, index_of(server, Audience.PATIENT) as patient:
        theirs = {each.id for each in patient.documents()}
        pages, pictures = [], []
        for document in staff.documents():
            if document.id in theirs:
                continue
            source, address = staff.source(document.id), f"doc={ids.document(document.id)}"
            names = [ids.passage(document.id, source.text, each.start) for each in staff.passages(document.passages)]
            pages += [f"/document?{address}", *(f"/document?{address}&passage={name}" for name in names)]
            pages += [f"/document?{address}&passage={name}&sentence=1" for name in names]
            numbers = range(1, len(source.pages) + 2)
            pages += [f"/document?{address}&page={number}" for number in numbers]
            pictures += [f"/document/picture?{address}&page={number}" for number in numbers]
        assert len(pages) > 100
        assert len(pictures) > 10
    with httpx.Client(base_url=server.url, headers={"accept": "text/html"}) as client:
        nothing = client.get(f"/document?doc={'A' * LENGTH}")
        assert nothing.status_code == 404
        for address in pages:
            response = client.get(address)
            assert (response.status_code, response.content) == (404, nothing.content), address
        for address in pictures:
            response = client.get(address)
            assert (response.status_code, response.content) == (404, b""), address
    assert "zeppelin" not in nothing.text
