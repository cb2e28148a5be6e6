"""A second opinion on where the words of a PDF stand: the reader's places are kept where PDFium finds the same words.

The reader works out places by its own arithmetic, from a file that may be odd, broken or hostile, and the pictures of
its pages come from PDFium. What both agree on can be marked on the picture, if it is to be seen there: a text may be
white, covered by a bar, on a layer that is off or clipped away.
"""

from __future__ import annotations

import ctypes
import math
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from qa.errors import WorkerError, WorkerTimeout
from qa.geometry import UNITS, Geometry
from qa.models import Document
from qa.worker import JSON, run_limited

if TYPE_CHECKING:
    from PIL import Image

TARGET: Final = "qa.confirm:confirm_in_worker"
_OUTPUT_BYTES: Final = 64_000_000
# How far outside of its box a character's middle may lie: what rounding takes, and a little of the line's height.
_ROUNDING: Final = 1 / UNITS
_LEEWAY: Final = 0.02
_WHITE = frozenset(map(ord, " \t\r\n\xa0"))
_HYPHENS = frozenset("-\u2010\u2011")
_ROWS: Final = 128  # and as many columns, of the grid that finds the characters in a box
# The longer side, in pixels, of the picture in which words are looked for, and by how much of 255 any of its three
# colors differs within the box of a word that is to be seen. Small print in pale gray differs by 8 there.
_SIDE: Final = 1_000
_CONTRAST: Final = 4
_SMALLEST: Final = 3  # pixels; a smaller box is made larger, or it might hold nothing but ink
_Places = dict[tuple[int, int], list[tuple[int, float, float]]]


def confirmed(path: Path, document: Document, *, seconds: float, memory_bytes: int) -> Document:
    """`document`, read from the PDF at `path`, with those of its stretches that PDFium confirms, and warnings.

    What was recognised in a picture stands in no text that PDFium could read, and is kept. Raises WorkerError where the
    second reading takes more than its limits or breaks off.
    """
    geometry = document.geometry
    recognised = {number for number, page in enumerate(document.pages, 1) if page.recognised}
    asked = [number for number, page in enumerate(geometry.page) if page not in recognised]
    if not asked:
        return document
    rows = list(zip(*geometry.columns, strict=True))
    request: dict[str, JSON] = {
        "path": str(path.absolute()),
        "boxes": [[*rows[number][2:]] for number in asked],
        "texts": [document.text[rows[number][0] : rows[number][1]] for number in asked],
    }
    answer = run_limited(TARGET, request, seconds=seconds, memory_bytes=memory_bytes, output_bytes=_OUTPUT_BYTES)
    elsewhere, unseen = ({asked[place] for place in places} for places in cast("list[list[int]]", answer))
    if not elsewhere | unseen:
        return document
    keep = [number not in elsewhere | unseen for number in range(len(geometry))]
    kept = Geometry(*(tuple(compress(column, keep)) for column in geometry.columns))
    warnings = [
        f"{len(bad):,} of {len(asked):,} words {what}"
        for bad, what in (
            (elsewhere, "stand elsewhere than expected, and are not marked on their pages"),
            (unseen, "cannot be seen on their pages (white, covered or hidden), but are read as text: check them"),
        )
        if bad
    ]
    return replace(document, geometry=kept, warnings=(*document.warnings, *warnings))


def unplaced(document: Document, error: WorkerError) -> Document:
    """`document` without the places that nobody confirmed, and a warning why."""
    why = "took too long" if isinstance(error, WorkerTimeout) else "broke off"
    warning = f"Nothing can be marked on its pages: confirming where its words stand {why}"
    return replace(document, geometry=Geometry(), warnings=(*document.warnings, warning))


def confirm_in_worker(request: dict[str, Any]) -> list[list[int]]:
    """`{"path", "boxes": [[page, x0, y0, x1, y1], …], "texts"}` to the numbers of two kinds of boxes.

    The first are those without their text, the second those with it in which nothing is to be seen. Boxes are those of
    a `Geometry`. For the limited process: PDFium takes hostile files apart, and is not thread-safe.
    """
    import pypdfium2

    by_page: defaultdict[int, list[int]] = defaultdict(list)
    for number, (page, *_) in enumerate(request["boxes"]):
        by_page[page].append(number)
    elsewhere: list[int] = []
    unseen: list[int] = []
    try:
        pdf = pypdfium2.PdfDocument(request["path"])
        pdf.init_forms()  # what fills a form is drawn over what stands below
    except pypdfium2.PdfiumError:
        return [list(range(len(request["boxes"]))), []]
    for page, numbers in sorted(by_page.items()):
        try:
            signs, places = _characters(pdf[page - 1])
            picture = _picture(pdf[page - 1])
        except (pypdfium2.PdfiumError, IndexError):
            elsewhere += numbers
            continue
        for number in numbers:
            box = request["boxes"][number][1:]
            if plain(request["texts"][number]) != plain(_in_box(signs, places, box)):
                elsewhere.append(number)
            elif not _is_seen(picture, box):
                unseen.append(number)
    return [elsewhere, unseen]


def plain(text: str) -> str:
    """What is compared of a text: its characters in their plainest form, without white space, hyphens and controls.

    Of a text of nothing else, that there is something.
    """
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    signs = [sign for sign in unicodedata.normalize("NFKC", whole) if not sign.isspace()]
    kept = [sign for sign in signs if sign not in _HYPHENS and unicodedata.category(sign)[0] != "C"]
    return "".join(kept) or ("-" if signs else "")


def _characters(page: Any) -> tuple[list[str], _Places]:  # noqa: ANN401 - pypdfium2 has no types
    """The characters of a page, in PDFium's order, and by the fields of a grid their numbers and middles.

    Middles are in parts of the page as it is shown.
    """
    import pypdfium2.raw as pdfium

    left, bottom, right, top = page.get_bbox()
    width, height = max(right - left, 1e-6), max(top - bottom, 1e-6)
    turn = page.get_rotation()
    text = page.get_textpage()
    raw, box = text.raw, pdfium.FS_RECTF()
    at = ctypes.byref(box)
    signs: list[str] = []
    places: _Places = defaultdict(list)
    for number in range(text.count_chars()):
        code = pdfium.FPDFText_GetUnicode(raw, number)
        signs.append(chr(code) if code <= 0x10FFFF else "")
        # White space is not compared, and much of it is PDFium's own.
        if code in _WHITE or not pdfium.FPDFText_GetLooseCharBox(raw, number, at):
            continue
        across = ((box.left + box.right) / 2 - left) / width
        up = ((box.bottom + box.top) / 2 - bottom) / height
        x, y = _shown(across, up, turn)
        if 0 <= x <= 1 and 0 <= y <= 1:
            places[int(x * _ROWS), int(y * _ROWS)].append((number, x, y))
    return signs, places


def _picture(page: Any) -> Image.Image:  # noqa: ANN401 - pypdfium2 has no types
    """A page as its picture shows it, but smaller."""
    scale = _SIDE / max(*page.get_size(), 1e-6)
    picture: Image.Image = page.render(scale=scale, rev_byteorder=True).to_pil()
    return picture.convert("RGB")


def _is_seen(picture: Image.Image, box: Sequence[int]) -> bool:
    """Whether there is anything in a box of a `Geometry` besides its ground."""
    left, right = _pixels(box[0], box[2], picture.width)
    top, bottom = _pixels(box[1], box[3], picture.height)
    extremes = cast("tuple[tuple[int, int], ...]", picture.crop((left, top, right, bottom)).getextrema())
    return any(most - least >= _CONTRAST for least, most in extremes)


def _pixels(start: int, end: int, size: int) -> tuple[int, int]:
    """The pixels that lie wholly between two places, or a few around them."""
    first, after = math.ceil(start / UNITS * size), math.floor(end / UNITS * size)
    if after - first < _SMALLEST:
        first, after = first - 1, max(after, first) + 1
    return min(max(first, 0), size - 1), max(min(after, size), 1)


def _shown(across: float, up: float, turn: int) -> tuple[float, float]:
    """A place in parts of a page, y upward, on that page turned clockwise by `turn` degrees, y downward."""
    match turn:
        case 90:
            return up, across
        case 180:
            return 1 - across, up
        case 270:
            return 1 - up, 1 - across
        case _:
            return across, 1 - up


def _in_box(signs: Sequence[str], places: _Places, box: Sequence[int]) -> str:
    """The characters whose middles lie in a box of a `Geometry`, in PDFium's order."""
    x0, y0, x1, y1 = (side / UNITS for side in box)
    leeway = _ROUNDING + _LEEWAY * min(x1 - x0, y1 - y0)
    found = [
        number
        for field in _fields(x0 - leeway, y0 - leeway, x1 + leeway, y1 + leeway)
        for number, x, y in places.get(field, ())
        if x0 - leeway <= x <= x1 + leeway and y0 - leeway <= y <= y1 + leeway
    ]
    return "".join(signs[number] for number in sorted(found))


def _fields(x0: float, y0: float, x1: float, y1: float) -> Iterator[tuple[int, int]]:
    for column in range(max(int(x0 * _ROWS), 0), int(x1 * _ROWS) + 1):
        for row in range(max(int(y0 * _ROWS), 0), int(y1 * _ROWS) + 1):
            yield column, row
