"""Pages that are only pictures: what is recognised, what is reported, and what a bad page costs."""

from __future__ import annotations

import io
import socket
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from rapidfuzz.distance import Levenshtein
from reportlab.lib.pagesizes import LETTER
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

import qa.load
import qa.reading
import qa.recognise
from qa.cache import ParseCache
from qa.errors import BrokenDocument, QAError, ReadError, WorkerCrashed, WorkerTimeout
from qa.geometry import Box
from qa.load import LoadReport, Outcome, ReportLine, load_corpus
from qa.models import BlockKind
from qa.readers.recognised import RecognisedWord, font_size, from_rows, to_rows
from qa.recognise import RecognisedPage, count_pages, recognise, recognise_in_worker
from qa.settings import Corpus

ROOT = Path(__file__).parents[1]
NOTICE_PAGE = (ROOT / "corpus/patient/getting-here-and-parking.pdf", 2)
TODAY = date(2026, 11, 23)
WIDTH, HEIGHT = 1700, 2200

Asked = list[tuple[str, list[int]]]
Answer = Callable[[Sequence[int]], Mapping[int, RecognisedPage | QAError]]


def picture(*lines: str, size: int = 48, height: int = HEIGHT) -> Image.Image:
    """A Letter page at 200 dots to the inch with these lines."""
    page = Image.new("L", (WIDTH, height), 250)
    for number, line in enumerate(lines):
        ImageDraw.Draw(page).text((150, 200 + 90 * number), line, fill=20, font=ImageFont.load_default(size))
    return page


def pdf(*pages: str | Image.Image) -> bytes:
    """A PDF file with these pages: text, or a picture that fills the page."""
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=LETTER)
    for page in pages:
        if isinstance(page, str):
            canvas.drawString(72, 700, page)
        else:
            canvas.drawImage(ImageReader(page), 0, 0, *LETTER)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def page_of(words: str, *, left_out: int = 0) -> RecognisedPage:
    """A recognised page with these words, all on one line."""
    found = tuple(
        RecognisedWord(word, Box(0.1 + 0.08 * number, 0.1, 0.17 + 0.08 * number, 0.12), 0.99)
        for number, word in enumerate(words.split())
    )
    return RecognisedPage(found, len(found) and 1 + left_out, left_out)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A folder with `mixed.pdf`, whose second page is a picture, and `text.pdf`, which has none."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "mixed.pdf").write_bytes(pdf("Please ring the bell.", Image.new("L", (85, 110), 250)))
    (folder / "text.pdf").write_bytes(pdf("Bring a warm blanket."))
    return folder


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """The extra seems installed, and finds "Locked at six." on every page; the files and pages that it is asked for."""
    calls: Asked = []

    def answer(path: Path, pages: Sequence[int], **_: Any) -> dict[int, RecognisedPage]:
        calls.append((path.name, list(pages)))
        return {page: page_of("Locked at six.") for page in pages}

    monkeypatch.setattr(qa.recognise, "is_available", lambda: True)
    monkeypatch.setattr(qa.recognise, "identity", lambda: "recognise test")
    monkeypatch.setattr(qa.recognise, "recognise", answer)
    return calls


@pytest.fixture
def answering(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> Callable[[Answer], None]:
    """Has another function of the pages recognise them."""

    def use(answer: Answer) -> None:
        def recognised(path: Path, pages: Sequence[int], **_: Any) -> Mapping[int, RecognisedPage | QAError]:
            asked.append((path.name, list(pages)))
            return answer(pages)

        monkeypatch.setattr(qa.recognise, "recognise", recognised)

    return use


def load(folder: Path, cache: ParseCache | None = None, **settings: Any) -> LoadReport:
    """The report on the folder."""
    return load_corpus(folder, Corpus(**settings), cache=cache, today=TODAY)


def line(report: LoadReport, path: str) -> ReportLine:
    """The line of the report for `path`."""
    (found,) = (line for line in report.lines if line.path == path)
    return found


def text(report: LoadReport, path: str) -> str:
    """The text of the document at `path`."""
    (found,) = (document for document in report.documents if document.id == path)
    return found.document.text


def overlap(one: Box, other: Box) -> float:
    """The area of both boxes' common part, as a part of that of both together."""
    wide = min(one.x1, other.x1) - max(one.x0, other.x0)
    high = min(one.y1, other.y1) - max(one.y0, other.y0)
    shared = max(wide, 0) * max(high, 0)
    areas = sum((box.x1 - box.x0) * (box.y1 - box.y0) for box in (one, other))
    return shared / (areas - shared)


@pytest.fixture(scope="module")
def notice_lines() -> tuple[tuple[str, ...], ...]:
    """The lines that the sample corpus's script draws on the parking notice, and where they are centered."""
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        from sample_documents.scan import NOTICE
    finally:
        sys.path.remove(str(ROOT / "scripts"))
    return tuple(tuple(words.split()) for words in NOTICE)


@pytest.fixture(scope="module")
def notice() -> RecognisedPage:
    """The sample corpus's parking notice, recognised."""
    path, number = NOTICE_PAGE
    page = recognise(path, [number], seconds=60)[number]
    assert isinstance(page, RecognisedPage)
    return page


@pytest.mark.model
def test_the_parking_notice_is_read_right(notice: RecognisedPage, notice_lines: tuple[tuple[str, ...], ...]) -> None:
    """Of the notice's characters at least 99 in 100 are right, spaces included, and no line is missing."""
    drawn = " ".join(
        [
            *("PATIENT PARKING", *(" ".join(words) for words in notice_lines if words)),
            *("Priya Lindqvist, clinic manager", "12 Quillmere Lane, Eastholm"),
        ]
    )
    found = " ".join(word.text for word in notice.words)
    assert notice.lines_left_out == 0
    assert Levenshtein.distance(found, drawn) <= len(drawn) / 100


@pytest.mark.model
def test_words_are_found_where_they_are_drawn(
    notice: RecognisedPage, notice_lines: tuple[tuple[str, ...], ...]
) -> None:
    """A word's box lies over the one that the drawing script gives it."""
    font = ImageFont.load_default(48)
    ascent, descent = font.getmetrics()
    overlaps = []
    for number, words in enumerate(notice_lines):
        found = [word for word in notice.words if abs(word.box.y0 * HEIGHT - (540 + number * 74)) < 20]
        assert [word.text for word in found] == list(words)
        start = (WIDTH - font.getlength(" ".join(words))) / 2
        top = 540 + number * 74
        for at, word in enumerate(found):
            x0 = start + font.getlength(" ".join([*words[:at], ""]))
            x1 = x0 + font.getlength(words[at])
            drawn = Box(x0 / WIDTH, top / HEIGHT, x1 / WIDTH, (top + ascent + descent) / HEIGHT)
            overlaps.append(overlap(word.box, drawn))
    assert sum(overlaps) / len(overlaps) > 0.78
    assert min(overlaps) > 0.6


@pytest.mark.model
def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    """The models come from inside the package: a page is recognised without a single socket."""
    monkeypatch.setattr(socket, "socket", None)
    path, number = NOTICE_PAGE
    assert recognise_in_worker({"path": str(path), "page": number})["lines"] == 16


@pytest.mark.model
def test_tilted_and_smudged(tmp_path: Path) -> None:
    """A page that lies a little askew and is not quite sharp is read, line by line."""
    lines = ("Do not eat for 8 hours before your infusion.", "Clear fluids until 2 hours before.")
    askew = picture(*lines).rotate(1.0, fillcolor=250, resample=Image.Resampling.BICUBIC)
    path = tmp_path / "askew.pdf"
    path.write_bytes(pdf(askew.filter(ImageFilter.GaussianBlur(1.2))))
    page = recognise(path, [1], seconds=60)[1]
    assert isinstance(page, RecognisedPage)
    assert [" ".join(word.text for word in page.words if word.line == number) for number in (0, 1)] == list(lines)


@pytest.mark.model
@pytest.mark.parametrize("turned", [90, 180, 270])
def test_a_page_that_is_not_upright_gives_no_words(tmp_path: Path, turned: int) -> None:
    """A page on its side or head gives no words, rather than wrong ones, and says that there were lines."""
    page = picture(*["The gate is locked at 6:00 p.m. from Monday to Thursday."] * 8).rotate(turned, expand=True)
    path = tmp_path / "turned.pdf"
    path.write_bytes(pdf(page.resize((WIDTH, HEIGHT))))
    found = recognise(path, [1], seconds=60)[1]
    assert isinstance(found, RecognisedPage)
    assert found.words == ()
    assert found.lines == found.lines_left_out > 0


@pytest.mark.model
def test_pages_of_all_sizes(tmp_path: Path) -> None:
    """A huge, a tiny and a threadlike page cost no more than any other, and an empty one gives nothing."""
    path = tmp_path / "sizes.pdf"
    canvas = Canvas(str(path))
    for width, height in ((14_400, 14_400), (3, 3), (14_400, 3), (612, 792)):
        canvas.setPageSize((width, height))
        canvas.showPage()
    canvas.save()
    assert recognise(path, [1, 2, 3, 4], seconds=60) == dict.fromkeys([1, 2, 3, 4], RecognisedPage((), 0, 0))


def test_rows_are_the_words() -> None:
    """Words go to JSON and back unchanged."""
    words = page_of("Locked at six.").words
    assert from_rows(to_rows(words)) == words


@pytest.mark.parametrize("font", ["Helvetica", "Times-Roman"])
@pytest.mark.parametrize(
    "sentence", ["Do not eat solid food for 8 hours before your infusion.", "Mild nausea or headache", "Call 555-0146."]
)
def test_the_size_of_a_line(font: str, sentence: str) -> None:
    """How large text is follows from how wide it is, whatever the font, nearly enough to tell a heading."""
    assert font_size(sentence, stringWidth(sentence, font, 11)) == pytest.approx(11, rel=0.15)


def test_a_page_of_headings_and_text(corpus: Path, answering: Callable[[Answer], None]) -> None:
    """On a recognised page larger lines are headings, and the lines of a paragraph are put together."""
    (corpus / "mixed.pdf").write_bytes(pdf(Image.new("L", (85, 110), 250)))
    lines = [
        (20, "Before your visit"),
        (11, "Do not eat solid food for 8 hours before your infusion. You may drink"),
        (11, "clear fluids until 2 hours before."),
        (20, "After your visit"),
        (11, "Rest at home. Do not drive until the next day, after a night of sleep."),
    ]
    words = []
    for number, (size, sentence) in enumerate(lines):
        top = 100 + 16 * number + (20 if number > 2 else 0) - (size - 11)
        for at, word in enumerate(sentence.split()):
            x0 = 72 + stringWidth(" ".join([*sentence.split()[:at], ""]), "Helvetica", size)
            x1 = x0 + stringWidth(word, "Helvetica", size)
            box = Box(x0 / 612, top / 792, x1 / 612, (top + 1.1 * size) / 792)
            words.append(RecognisedWord(word, box, 0.99, number))
    answering(lambda _: {1: RecognisedPage(tuple(words), 5, 0)})
    found = load(corpus).documents[0].document
    assert [(block.kind, found.text[block.start : block.end]) for block in found.blocks] == [
        (BlockKind.HEADING, "Before your visit"),
        (
            BlockKind.PARAGRAPH,
            "Do not eat solid food for 8 hours before your infusion. You may drink clear fluids until 2 hours before.",
        ),
        (BlockKind.HEADING, "After your visit"),
        (BlockKind.PARAGRAPH, "Rest at home. Do not drive until the next day, after a night of sleep."),
    ]


def test_pages_are_counted(tmp_path: Path) -> None:
    """The number of pages is had without reading them; a file that is no PDF is refused."""
    (tmp_path / "three.pdf").write_bytes(pdf("One", "Two", "Three"))
    (tmp_path / "none.pdf").write_bytes(b"%PDF-1.4 nothing")
    assert count_pages(tmp_path / "three.pdf", seconds=20) == 3
    with pytest.raises(ReadError):
        count_pages(tmp_path / "none.pdf", seconds=20)


def test_a_bad_page_costs_that_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page at which the process crashes, and one that takes too long, are missing; the others are there."""
    monkeypatch.syspath_prepend(str(ROOT))
    monkeypatch.setattr(qa.recognise, "_TARGET", "tests.worker_targets:recognise")
    found = recognise(tmp_path / "any.pdf", [1, 2, 3, 4], seconds=3)
    assert isinstance(found[2], WorkerCrashed)
    assert isinstance(found[3], WorkerTimeout)
    for page in (1, 4):
        recognised = found[page]
        assert isinstance(recognised, RecognisedPage)
        assert [word.text for word in recognised.words] == [f"page-{page}"]


def test_a_file_that_cannot_be_drawn(tmp_path: Path) -> None:
    """A file that the text reader can take apart and PDFium cannot costs its pages, each by itself."""
    (tmp_path / "none.pdf").write_bytes(b"%PDF-1.4 nothing")
    found = recognise(tmp_path / "none.pdf", [1, 2], seconds=20)
    assert all(isinstance(page, BrokenDocument) for page in found.values())


def test_nobody_waits(tmp_path: Path) -> None:
    """Once a build is broken off, no further page is begun."""
    stopped = threading.Event()
    stopped.set()
    found = recognise(tmp_path / "any.pdf", range(1, 101), seconds=60, stopped=stopped)
    assert all(isinstance(page, WorkerCrashed) for page in found.values())


def test_recognised_words_are_the_pages_text(corpus: Path, asked: Asked) -> None:
    """A page without text gets the words in its picture, is marked, and the report says to check it."""
    report = load(corpus)
    assert asked == [("mixed.pdf", [2])]
    mixed = report.documents[0].document
    assert mixed.text == "Please ring the bell.\n\nLocked at six."
    assert [page.recognised for page in mixed.pages] == [False, True]
    assert line(report, "mixed.pdf").warnings[0] == "Page 2 was recognised from its picture: check it"
    assert not any("Page" in warning for warning in line(report, "text.pdf").warnings)


@pytest.mark.usefixtures("asked")
def test_highlights_have_the_recognised_boxes(corpus: Path) -> None:
    """The words of the picture stand in the document's geometry where they were recognised."""
    mixed = load(corpus).documents[0].document
    start = mixed.text.index("Locked")
    (stretch,) = mixed.geometry.stretches((start, start + len("Locked")))
    assert stretch.page == 2
    assert overlap(stretch.box, Box(0.1, 0.1, 0.17, 0.12)) > 0.95


def test_without_the_extra(corpus: Path, asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra the report says what is missing and how to get it, once for a file, and the rest is read."""
    monkeypatch.setattr(qa.recognise, "is_available", lambda: False)
    report = load(corpus)
    assert asked == []
    assert text(report, "mixed.pdf") == "Please ring the bell."
    assert line(report, "mixed.pdf").warnings[:2] == (
        "Page 2 has no text (scanned?)",
        'To have pages without text recognised, have this installed, and build again: pip install "clinic-qa[ocr]"',
    )
    assert not any("recognised" in warning for warning in line(report, "text.pdf").warnings)


def test_switched_off(corpus: Path, asked: Asked) -> None:
    """A clinic that wants no recognition gets none, and no advertisement for it."""
    report = load(corpus, recognise=False)
    assert asked == []
    assert line(report, "mixed.pdf").warnings[0] == "Page 2 has no text (scanned?)"
    assert not any("recognised" in warning for warning in line(report, "mixed.pdf").warnings)


def test_a_file_of_pictures_alone(corpus: Path, asked: Asked) -> None:
    """A file that was scanned as a whole becomes a document."""
    (corpus / "mixed.pdf").write_bytes(pdf(*[Image.new("L", (85, 110), 250)] * 2))
    report = load(corpus)
    assert asked == [("mixed.pdf", [1, 2])]
    assert text(report, "mixed.pdf") == "Locked at six.\n\nLocked at six."


@pytest.mark.usefixtures("asked")
def test_a_file_of_pictures_without_the_extra(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra it is not read, and the report says how it can be."""
    monkeypatch.setattr(qa.recognise, "is_available", lambda: False)
    (corpus / "mixed.pdf").write_bytes(pdf(Image.new("L", (85, 110), 250)))
    found = line(load(corpus), "mixed.pdf")
    assert found.outcome is Outcome.FAILED
    assert found.reason == (
        "no page has any text (found 1 page, only pictures or blank pages). If it was scanned: to have it recognised, "
        'have this installed, and build again: pip install "clinic-qa[ocr]".'
    )


def test_an_empty_file_is_still_empty(corpus: Path, asked: Asked) -> None:
    """A file without pages is not taken for a scanned one."""
    (corpus / "mixed.pdf").write_bytes(b"   \n")
    found = line(load(corpus), "mixed.pdf")
    assert asked == []
    assert "the file is empty" in found.reason


def test_what_could_not_be_recognised(corpus: Path, answering: Callable[[Answer], None]) -> None:
    """The report tells lost lines, an unreadable page, a crash, a time-out, a broken and an empty page apart."""
    blank = Image.new("L", (85, 110), 250)
    (corpus / "mixed.pdf").write_bytes(pdf("Please ring the bell.", *[blank] * 6))
    pages = {
        2: page_of("Locked at six.", left_out=3),
        3: RecognisedPage((), 40, 40),
        4: WorkerCrashed("the worker ended", found="signal SIGABRT"),
        5: WorkerTimeout("the worker took too long", expected="at most 60 seconds"),
        6: BrokenDocument("the page cannot be drawn", remedy="Save it anew."),
        7: RecognisedPage((), 0, 0),
    }
    answering(lambda _: pages)
    warnings = [warning for warning in line(load(corpus), "mixed.pdf").warnings if warning.startswith("Page")]
    assert warnings == [
        *(f"Page {page} has no text (scanned?)" for page in (3, 4, 5, 6, 7)),
        "Page 2 was recognised from its picture, all but 3 of its 4 lines: check it",
        "Page 3 was not recognised: its writing is too faint, or not upright. Scan it again",
        "Page 4 was not recognised: recognising it broke off",
        "Page 5 was not recognised: recognising it takes too long",
        "Page 6 was not recognised: the page cannot be drawn",
    ]


def test_no_words_in_any_picture(corpus: Path, answering: Callable[[Answer], None]) -> None:
    """A file in whose pictures nothing is recognised is not read, and the report says how to scan it better."""
    (corpus / "mixed.pdf").write_bytes(pdf(Image.new("L", (85, 110), 250)))
    answering(lambda pages: {page: RecognisedPage((), 0, 0) for page in pages})
    assert "scan them again" in line(load(corpus), "mixed.pdf").reason
    answering(lambda pages: {page: WorkerTimeout("slow", expected="at most 60 seconds") for page in pages})
    assert "recognise_seconds" in line(load(corpus), "mixed.pdf").reason


def test_very_long_scans(corpus: Path, asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond so many pages of a file none is recognised, and the report says so."""
    monkeypatch.setattr(qa.reading, "MOST_PAGES", 2)
    (corpus / "mixed.pdf").write_bytes(pdf("Please ring the bell.", *[Image.new("L", (85, 110), 250)] * 3))
    report = load(corpus)
    assert asked == [("mixed.pdf", [2, 3])]
    assert "Only the first 2 pages without text were recognised: split the file" in line(report, "mixed.pdf").warnings


def test_pictures_are_recognised_once(corpus: Path, tmp_path: Path, asked: Asked) -> None:
    """A second build takes the recognised words from the cache, with the same report."""
    with ParseCache.open(tmp_path / "parsed.sqlite") as cache:
        first = load(corpus, cache)
        assert load(corpus, cache) == first
    assert asked == [("mixed.pdf", [2])]


@pytest.mark.usefixtures("asked")
def test_installing_the_extra_reads_pictures_again(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the extra was installed just the files with pictures are read again, and without it they are as before."""
    read = qa.load.read_isolated
    names: list[str] = []
    monkeypatch.setattr(qa.load, "read_isolated", lambda file, *rest: names.append(file.id) or read(file, *rest))
    with ParseCache.open(tmp_path / "parsed.sqlite") as cache:
        before = load(corpus, cache, recognise=False)
        names.clear()
        assert "Locked at six." in text(load(corpus, cache), "mixed.pdf")
        assert names == ["mixed.pdf"]
        assert load(corpus, cache, recognise=False) == before
        assert names == ["mixed.pdf"]


def test_a_page_that_broke_off_is_tried_again(
    corpus: Path, tmp_path: Path, answering: Callable[[Answer], None]
) -> None:
    """A page that crashed or took too long on a busy day is recognised by the next build."""
    with ParseCache.open(tmp_path / "parsed.sqlite") as cache:
        answering(lambda pages: {page: WorkerTimeout("slow", expected="at most 1 second") for page in pages})
        assert text(load(corpus, cache), "mixed.pdf") == "Please ring the bell."
        answering(lambda pages: {page: page_of("Locked at six.") for page in pages})
        assert "Locked at six." in text(load(corpus, cache), "mixed.pdf")
