"""Words in pages that are only pictures, with the extra `ocr`.

Each page is recognised in a limited process of its own, so that one at which the libraries crash or take too long
costs that page. The models come inside the library's package; nothing is fetched.
"""

from __future__ import annotations

import os
import platform
import threading
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from qa.errors import BrokenDocument, QAError, WorkerCrashed
from qa.geometry import Box
from qa.readers.recognised import RecognisedWord, font_size, from_rows, to_rows
from qa.worker import JSON, run_limited

if TYPE_CHECKING:
    import numpy as np
    from rapidocr import RapidOCR

    Picture = np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]
    Shades = np.ndarray[tuple[int, int], np.dtype[np.uint8]]

Corners = Sequence[Sequence[float]]  # x and y of each, in pixels

_TARGET = "qa.recognise:recognise_in_worker"
_COUNT_TARGET = "qa.recognise:count_in_worker"
EXTRA: Final = 'pip install "clinic-qa[ocr]"'
MOST_PAGES: Final = 200  # of one file; at some three seconds each
_VERSION = 1  # raised by hand whenever this module finds other words in the same picture
_LIBRARIES = ("rapidocr", "onnxruntime", "pypdfium2")
# The longer side of a page's picture, in pixels: Letter at 180 dots per inch. Sharper pictures gave no better words,
# and the memory below is measured for this one.
_SIDE = 2_000
_MOST_ENLARGED = 300 / 72  # pixels a point: a small page has no more in it
_FLATTEST = 20  # times as long as wide: nobody writes on such pages, and the library would blow them up
# Where text is searched. A larger picture takes longer and misses more of the small things, such as bullets.
_SEARCHED_SIDE = 1_280
# A line of which the model is less sure is left out. Over clean, poor and hopeless copies of four printed pages, some
# upside down, 1,623 lines in all: of those above, 94 in 100 were right to the last letter; of those below, 17. Lines
# are left out as a whole: a sentence without its "not" would be worse than none.
_SURE = 0.9
_HIGH = 1.1  # ems from above a line's capitals to below its descenders
_SHORT = 4  # characters: the width of fewer says little about their size
_SPECKS = 0.03  # of the height of a column of pixels that count as white all the same
_STEEPEST, _TALLEST = 0.15, 1.5  # a line that rises more, or is taller for its width, is not read from left to right
_MOST_LEFT_OUT = 0.25  # of a page's characters; beyond, its text has too many holes to be passed on
_MEMORY_BYTES = 2_000_000_000  # address space: a page full of small print takes 1.4 GB, 0.6 GB of it in use
_OUTPUT_BYTES = 16_000_000
_AT_ONCE = threading.BoundedSemaphore(min(os.cpu_count() or 1, 4))  # for the memory's sake


@dataclass(frozen=True, slots=True)
class RecognisedPage:
    """What was recognised on a page, and how many of its lines were not."""

    words: tuple[RecognisedWord, ...]
    lines: int
    lines_left_out: int


@cache
def is_available() -> bool:
    """Whether the extra is installed."""
    return all(find_spec(library) for library in _LIBRARIES)


@cache
def identity() -> str:
    """What recognised words depend on besides the page, for the parse cache. The extra must be installed."""
    libraries = [f"{library}={version(library)}" for library in _LIBRARIES]
    return " ".join(["recognise", str(_VERSION), platform.machine(), *libraries])


def count_pages(path: Path, *, seconds: float) -> int:
    """How many pages a PDF has. Raises ReadError or WorkerError."""
    return cast("int", _limited(_COUNT_TARGET, {"path": str(path.absolute())}, seconds))


def recognise(
    path: Path, pages: Sequence[int], *, seconds: float, stopped: threading.Event | None = None
) -> dict[int, RecognisedPage | QAError]:
    """The words in the pictures of these pages, which count from 1; or why there are none, a ReadError or WorkerError.

    `seconds` is for each page. Once `stopped` is set, no further page is begun.
    """

    def one(page: int) -> RecognisedPage | QAError:
        with _AT_ONCE:
            if stopped is not None and stopped.is_set():
                return WorkerCrashed("nobody waits for the page any more")
            try:
                answer = _limited(_TARGET, {"path": str(path.absolute()), "page": page}, seconds)
            except QAError as error:
                return error
        found = cast("dict[str, Any]", answer)
        return RecognisedPage(from_rows(found["words"]), found["lines"], found["lines_left_out"])

    with ThreadPoolExecutor(max_workers=4, thread_name_prefix="recognise") as pool:
        return dict(zip(pages, pool.map(one, pages), strict=True))


def _limited(target: str, request: dict[str, JSON], seconds: float) -> JSON:
    return run_limited(target, request, seconds=seconds, memory_bytes=_MEMORY_BYTES, output_bytes=_OUTPUT_BYTES)


def count_in_worker(request: Mapping[str, str]) -> int:
    """`{"path": path}` to the number of pages. Raises BrokenDocument."""
    from pypdfium2 import PdfDocument, PdfiumError

    try:
        return len(PdfDocument(request["path"]))
    except PdfiumError as error:
        raise _undrawn() from error


def recognise_in_worker(request: Mapping[str, Any]) -> dict[str, object]:
    """`{"path": path, "page": number from 1}` to a `RecognisedPage` as JSON. Raises BrokenDocument."""
    picture = _picture(request["path"], request["page"])
    if picture is None:
        return {"words": [], "lines": 0, "lines_left_out": 0}
    height, width = picture.shape[:2]
    # The library is imported only now: PDFium has given its memory back before the models take theirs.
    lines = list(_lines(picture))
    sure = [line for line in lines if line.is_sure]
    if sum(line.length for line in sure) < (1 - _MOST_LEFT_OUT) * sum(line.length for line in lines):
        sure = []
    words = []
    for number, line in enumerate(sure):
        for text, (left, top, right, bottom) in line.words:
            box = Box(_part(left, width), _part(top, height), _part(right, width), _part(bottom, height))
            words.append(RecognisedWord(_cleaned(text), box, round(line.score, 3), number))
    return {"words": to_rows(words), "lines": len(lines), "lines_left_out": len(lines) - len(sure)}


def _part(place: float, size: int) -> float:
    return round(min(max(place / size, 0.0), 1.0), 5)


def _picture(path: str, page: int) -> Picture | None:
    """The page as it is shown, as rows of pixels of blue, green and red; None where it has no room for words."""
    from pypdfium2 import PdfDocument, PdfiumError

    try:
        document = PdfDocument(path)
        document.init_forms()
        shown = document[page - 1]
        long, short = max(shown.get_size()), min(shown.get_size())
        if not 0 < long < _FLATTEST * short:
            return None
        bitmap = shown.render(scale=min(_SIDE / long, _MOST_ENLARGED))
        picture: Picture = bitmap.to_numpy()[:, :, :3].copy()
        document.close()
    except PdfiumError as error:
        raise _undrawn() from error
    return picture


def _undrawn() -> BrokenDocument:
    return BrokenDocument("the page cannot be drawn", remedy="Print or save the file as a new PDF.")


@dataclass(frozen=True, slots=True)
class _Line:
    """One line as it was recognised: its words, each with its left, top, right and bottom in pixels."""

    score: float
    words: Sequence[tuple[str, list[float]]]

    @property
    def is_sure(self) -> bool:
        return self.score >= _SURE

    @property
    def length(self) -> int:
        return sum(len(text) for text, _ in self.words)


def _lines(picture: Picture) -> Iterator[_Line]:
    """The lines in the picture, from top to bottom."""
    # Any: declared as one of four kinds of answer, of which these settings give one.
    found: Any = _engine()(picture, return_word_box=True, return_single_char_box=True)
    if not found.txts:
        return
    for text, score, corners, characters in zip(found.txts, found.scores, found.boxes, found.word_results, strict=True):
        left_top, right_top, _, left_bottom = corners.tolist()
        across, sinks = right_top[0] - left_top[0], right_top[1] - left_top[1]
        is_level = abs(sinks) < _STEEPEST * across and left_bottom[1] - left_top[1] < _TALLEST * across
        is_placed = "".join(sign for sign, _, _ in characters) == "".join(text.split())
        words = _parted(text.split(), [box for _, _, box in characters], picture[:, :, 1]) if is_placed else []
        if words:
            _even_out(text, words)
        yield _Line(score if is_level and words else 0.0, words or [(text, [])])


def _parted(texts: Sequence[str], corners: Sequence[Corners], shades: Shades) -> list[tuple[str, list[float]]]:
    """The words of a line, of whose characters `corners` are the places.

    The model is about half a character off in saying where along the line one is. So that no word ends inside a letter,
    it ends at the widest white between the middles of its last character and the next one, and begins likewise.
    """
    words: list[tuple[str, list[float]]] = []
    after = 0.0  # the middle of the character before, or as far left as the line may begin
    for text in texts:
        own, corners = corners[: len(text)], corners[len(text) :]
        xs, ys = [x for box in own for x, _ in box], [y for box in own for _, y in box]
        sides = [min(xs), min(ys), max(xs), max(ys)]
        beyond = (sides[3] - sides[1]) / 2
        start = _white(shades, sides, after or sides[0] - beyond, _middle(own[0]))
        if start:
            sides[0] = start[1]
            if words:
                words[-1][1][2] = start[0]
        after = _middle(own[-1])
        if not corners and (end := _white(shades, sides, after, sides[2] + beyond)):
            sides[2] = end[0]
        words.append((text, sides))
    return words


def _even_out(text: str, words: Sequence[tuple[str, list[float]]]) -> None:
    """Give the words of a line the height of their font. As they are found, one in three is half as high again."""
    if len(text) < _SHORT:
        return
    high = _HIGH * font_size(text, words[-1][1][2] - words[0][1][0])
    for _, sides in words:
        middle = (sides[1] + sides[3]) / 2
        sides[1], sides[3] = middle - high / 2, middle + high / 2


def _middle(corners: Corners) -> float:
    return sum(x for x, _ in corners) / len(corners)


def _white(shades: Shades, sides: Sequence[float], left: float, right: float) -> tuple[float, float] | None:
    """From where to where nothing is drawn between `left` and `right`, at the height of `sides`; the widest such."""
    import numpy as np

    first = max(int(left), 0)
    between = shades[max(int(sides[1]), 0) : int(sides[3]), first : max(int(right), 0)].astype(np.int16)
    if not between.size:
        return None
    differs = abs(between - int(np.median(between)))
    is_white = (differs > differs.max() / 3).mean(axis=0) <= _SPECKS
    columns = groupby(range(len(is_white)), key=lambda column: bool(is_white[column]))
    widest = max((list(run) for white, run in columns if white), key=len, default=None)
    return (first + widest[0], first + widest[-1] + 1) if widest else None


def _engine() -> RapidOCR:
    import rapidocr
    from rapidocr import RapidOCR

    models = Path(rapidocr.__file__).parent / "models"
    return RapidOCR(
        params={
            # By name: models that the library has to find by itself, it may want to fetch.
            "Det.model_path": str(models / "PP-OCRv6_det_small.onnx"),
            "Rec.model_path": str(models / "PP-OCRv6_rec_small.onnx"),
            "Det.limit_type": "max",
            "Det.limit_side_len": _SEARCHED_SIDE,
            "Rec.rec_batch_num": 1,
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            "Global.max_side_len": _SIDE,
            "Global.use_cls": False,  # it would turn lines around, and be mistaken with short ones
            "Global.text_score": 0.0,
            "Global.log_level": "critical",
        }
    )


def _cleaned(text: str) -> str:
    """The model was taught Chinese, too, and so it gives wide punctuation, and one sign for "°F", often after a "°"."""
    return unicodedata.normalize("NFKC", text).replace("°°", "°")
