"""The second opinion on where words stand: what PDFium does not find in its place is not marked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from drawn_places import recorded
from hypothesis import assume, given
from hypothesis import strategies as st
from reportlab.pdfgen.canvas import Canvas

import qa.confirm
from qa.cache import ParseCache
from qa.confirm import confirm_in_worker, confirmed, plain
from qa.errors import WorkerCrashed, WorkerTimeout
from qa.evidence.locate import locate
from qa.geometry import UNITS, Geometry, Stretch
from qa.load import LoadReport, load_corpus
from qa.models import Block, BlockKind, Document, Page
from qa.settings import Corpus

HIDDEN = "Nobody can see these words on paper."
SECONDS, MEMORY = 60, 1_000_000_000
LINES = [
    "Bring somebody who takes you home",
    "and drink clear water until noon.",
    "Call 555-0143 with questions:",
    "we’re here",
]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the PDF file of `whole` is."""
    return tmp_path_factory.mktemp("confirm") / "drawn.pdf"


@pytest.fixture(scope="module")
def whole(path: Path) -> Document:
    """Four lines on the first of two pages, each word with the place where it was drawn."""
    with recorded() as files:
        canvas = Canvas(str(path), pagesize=(400, 300))
        canvas.setFont("Helvetica", 14)
        for number, line in enumerate(LINES):
            canvas.drawString(40, 250 - 20 * number, line)
        canvas.showPage()
        canvas.drawString(40, 250, "another page")
        canvas.save()
    drawing = files[str(path)]
    text, stretches = "", []
    for drawn in drawing.texts[: len(LINES)]:
        at = 0
        for word in drawn.text.split():
            at = drawn.text.index(word, at)
            box = drawing.box(drawn, at, at + len(word))
            stretches.append(Stretch((len(text), len(text) + len(word)), 1, box))
            text += word + " "
            at += len(word)
    text = text.rstrip()
    pages = (Page("1", 0, len(text)), Page("2", len(text), len(text)))
    return Document(text, (Block(BlockKind.PARAGRAPH, 0, len(text)),), pages, geometry=Geometry.of(stretches))


def with_box(document: Document, number: int, page: int, *box: int) -> Document:
    """The document with the place of one of its words changed."""
    rows = [list(row) for row in zip(*document.geometry.columns, strict=True)]
    rows[number][2:] = [page, *box]
    return replace(document, geometry=Geometry(*zip(*rows, strict=True)))


def unconfirmed(document: Document, path: Path) -> list[int]:
    """As in the limited process."""
    rows = list(zip(*document.geometry.columns, strict=True))
    texts = [document.text[row[0] : row[1]] for row in rows]
    elsewhere, unseen = confirm_in_worker({"path": str(path), "boxes": [list(row[2:]) for row in rows], "texts": texts})
    assert not unseen
    return elsewhere


def test_places_that_are_right_are_kept(whole: Document, path: Path) -> None:
    """A document whose words stand where it says comes back as it is."""
    assert confirmed(path, whole, seconds=SECONDS, memory_bytes=MEMORY) == whole


def test_a_box_that_was_moved_is_taken_out(whole: Document, path: Path) -> None:
    """A word whose box is elsewhere loses its place, with a warning; a quote that holds it is not placed."""
    x0, y0, x1, y1 = (column[3] for column in whole.geometry.columns[3:])
    moved = with_box(whole, 3, 1, x0 + 300, y0, x1 + 300, y1)
    found = confirmed(path, moved, seconds=SECONDS, memory_bytes=MEMORY)
    assert len(found.geometry) == len(whole.geometry) - 1
    assert whole.geometry.start[3] not in found.geometry.start
    assert found.warnings == ("1 of 18 words stand elsewhere than expected, and are not marked on their pages",)
    assert locate((0, 15), found.text, found.blocks, found.geometry) is not None
    assert locate((0, 33), found.text, found.blocks, found.geometry) is None


@given(
    number=st.integers(0, 17),
    right=st.integers(-UNITS, UNITS),
    down=st.integers(-UNITS, UNITS),
    page=st.sampled_from([1, 2]),
)
def test_no_moved_box_is_confirmed(whole: Document, path: Path, number: int, right: int, down: int, page: int) -> None:
    """Wherever a box is moved, by its own width or height or more or to another page, its word is not there."""
    x0, y0, x1, y1 = (column[number] for column in whole.geometry.columns[3:])
    assume(page == 2 or abs(right) >= x1 - x0 or abs(down) >= y1 - y0)
    box = [min(max(side + by, 0), UNITS) for side, by in ((x0, right), (y0, down), (x1, right), (y1, down))]
    assert unconfirmed(with_box(whole, number, page, *box), path) == [number]


def test_words_that_changed_places_are_both_out(whole: Document, path: Path) -> None:
    """Two words with each other's boxes are both unconfirmed."""
    boxes = [[column[number] for column in whole.geometry.columns[3:]] for number in (1, 2)]
    swapped = with_box(with_box(whole, 1, 1, *boxes[1]), 2, 1, *boxes[0])
    assert unconfirmed(swapped, path) == [1, 2]


def test_a_box_over_two_words_is_out(whole: Document, path: Path) -> None:
    """A box that holds its word and the next is as wrong as one that holds another."""
    (x0, y0, _, y1), (_, _, x1, _) = ([column[number] for column in whole.geometry.columns[3:]] for number in (1, 2))
    assert unconfirmed(with_box(whole, 1, 1, x0, y0, x1, y1), path) == [1]


@pytest.mark.parametrize("page", [0, 3, 999])
def test_a_page_that_is_not_there_confirms_nothing(whole: Document, path: Path, page: int) -> None:
    """A place on a page that the file does not have is out."""
    assert unconfirmed(with_box(whole, 4, page, *(column[4] for column in whole.geometry.columns[3:])), path) == [4]


def test_a_file_that_pdfium_cannot_open_confirms_nothing(whole: Document, tmp_path: Path) -> None:
    """Nothing is marked on pages that could not be drawn either."""
    (tmp_path / "torn.pdf").write_bytes(b"%PDF-1.4 and no more")
    found = confirmed(tmp_path / "torn.pdf", whole, seconds=SECONDS, memory_bytes=MEMORY)
    assert not len(found.geometry)
    assert found.text == whole.text


def test_recognised_words_are_kept(whole: Document, path: Path) -> None:
    """Words of a page that was recognised stand in a picture, where PDFium reads nothing: they are not asked for."""
    moved = with_box(whole, 3, 2, 5_000, 5_000, 5_500, 5_200)
    pages = (whole.pages[0], replace(whole.pages[1], recognised=True))
    assert confirmed(path, replace(moved, pages=pages), seconds=SECONDS, memory_bytes=MEMORY).geometry == moved.geometry
    nothing = replace(whole, geometry=Geometry())
    assert confirmed(Path("nowhere.pdf"), nothing, seconds=SECONDS, memory_bytes=MEMORY) == nothing


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ﬁnal oﬃce", "finaloffice"),
        ("anti-", "anti"),
        ("co\xadop", "co‐op"),
        ("10³", "103"),
        ("Ａ", "A"),
        ("a\u00a0b\u200b", "ab"),
        ("\ud83d\ude00", "😀"),
        ("é", "e\u0301"),
    ],
)
def test_writings_of_the_same_are_the_same(one: str, other: str) -> None:
    """Ligatures, hyphens, white space, compatibility forms and halves of characters make no difference."""
    assert plain(one) == plain(other)


@pytest.mark.parametrize(
    ("one", "other"), [("15", "51"), ("a", "A"), ("-", ""), ("–", "-"), ("μg", "mg"), ("1.5", "15")]
)
def test_other_writings_are_others(one: str, other: str) -> None:
    """Order, capitals, points and units do make a difference, and a hyphen alone is not nothing."""
    assert plain(one) != plain(other)


def _white(canvas: Canvas) -> None:
    canvas.setFillGray(1)
    canvas.drawString(72, 600, HIDDEN)


def _invisible(canvas: Canvas) -> None:
    canvas.drawString(72, 600, HIDDEN, mode=3)


def _blacked_out(canvas: Canvas) -> None:
    canvas.drawString(72, 600, HIDDEN)
    canvas.rect(70, 594, 260, 18, stroke=0, fill=1)


def _clipped(canvas: Canvas) -> None:
    path = canvas.beginPath()
    path.rect(0, 0, 10, 10)
    canvas.clipPath(path, stroke=0)
    canvas.drawString(72, 600, HIDDEN)


@pytest.mark.parametrize("hide", [_white, _invisible, _blacked_out, _clipped])
def test_what_cannot_be_seen_is_not_marked(tmp_path: Path, hide: Callable[[Canvas], None]) -> None:
    """Words that stand in the file but not in its picture have no place, and the report says that they are read."""
    canvas = Canvas(str(tmp_path / "one.pdf"))
    canvas.drawString(72, 700, "Drink a glass of water before your visit.")
    hide(canvas)
    canvas.save()
    ((entry,), (line,)) = (report := load(tmp_path)).documents, report.lines
    document = entry.document
    assert HIDDEN in document.text
    assert document.text[document.geometry.start[-1] : document.geometry.end[-1]] == "visit."
    assert [warning for warning in line.warnings if "seen" in warning] == [
        "7 of 15 words cannot be seen on their pages (white, covered or hidden), but are read as text: check them"
    ]


@pytest.mark.parametrize("size", [5, 11, 40])
@pytest.mark.parametrize("gray", [(0.0, 1.0), (0.85, 1.0), (1.0, 0.0), (0.6, 0.7)])
def test_small_large_and_pale_words_are_seen(tmp_path: Path, size: int, gray: tuple[float, float]) -> None:
    """Whatever can be read is marked: small print, a full stop alone, gray on white, white on black, gray on gray."""
    canvas = Canvas(str(tmp_path / "one.pdf"))
    canvas.setFillGray(gray[1])
    canvas.rect(0, 0, 600, 842, stroke=0, fill=1)
    canvas.setFillGray(gray[0])
    canvas.setFont("Helvetica", size)
    for down, said in enumerate(("No - it is .", "I’ll: call 1 ¹ * – l")):
        canvas.drawString(72, 700 - 60 * down, said)
    canvas.save()
    (entry,) = load(tmp_path).documents
    assert len(entry.document.geometry) == len(entry.document.text.split())


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A folder with one PDF file."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    canvas = Canvas(str(folder / "one.pdf"))
    canvas.drawString(72, 700, "Drink a glass of water before your visit.")
    canvas.save()
    return folder


def load(folder: Path, cache: ParseCache | None = None) -> LoadReport:
    return load_corpus(folder, Corpus(), cache=cache, today=date(2026, 11, 23))


def test_loading_confirms_and_keeps_the_result(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was confirmed is in the cache: a file that did not change is not looked at again."""
    with ParseCache.open(corpus.parent / "cache.sqlite") as cache:
        (first,) = load(corpus, cache).documents
        assert len(first.document.geometry) == 8
        monkeypatch.setattr(qa.confirm, "TARGET", "tests.worker_targets:leak")
        (again,) = load(corpus, cache).documents
    assert again == first


@pytest.mark.parametrize(
    ("target", "error", "why"),
    [
        ("tests.worker_targets:leak", WorkerCrashed, "broke off"),
        ("tests.worker_targets:spin", WorkerTimeout, "took too long"),
    ],
)
def test_a_confirming_process_that_ends_badly_costs_the_marks_alone(
    corpus: Path, monkeypatch: pytest.MonkeyPatch, target: str, error: type[Exception], why: str
) -> None:
    """The document keeps its text and loses its places, the report says so, and the next build tries again."""
    with ParseCache.open(corpus.parent / "cache.sqlite") as cache:
        with monkeypatch.context() as patched:
            patched.setattr(qa.confirm, "TARGET", target)
            document = Document("Water", (), geometry=Geometry((0,), (5,), (1,), (0,), (0,), (9,), (9,)))
            with pytest.raises(error):
                confirmed(corpus / "one.pdf", document, seconds=1, memory_bytes=MEMORY)
            limits = Corpus(read_seconds=8)  # enough for a busy machine to read the file
            report = load_corpus(corpus, limits, cache=cache, today=date(2026, 11, 23))
        (entry,) = report.documents
        assert "glass of water" in entry.document.text
        assert not len(entry.document.geometry)
        assert [warning for warning in report.lines[0].warnings if "its pages" in warning] == [
            f"Nothing can be marked on its pages: confirming where its words stand {why}"
        ]
        (healed,) = load(corpus, cache).documents
    assert len(healed.document.geometry) == 8
