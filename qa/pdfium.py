"""What PDFium does for us, in the limited process: it draws a page of a PDF file.

PDFium is not thread-safe, and a hostile file can crash it: nothing here may run in the program's own process. The build
of it that we use knows no JavaScript, so that no script in a form can run.
"""

from __future__ import annotations

import base64
import hashlib
import io
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeAlias, TypedDict, cast

import pypdfium2 as pdfium
from PIL import Image, WebPImagePlugin  # noqa: F401 - Pillow would look for it only when it saves

from qa.errors import NoPicture, PictureFailed

Image.preinit()  # likewise PNG: an order should not wait for imports

Color: TypeAlias = tuple[int, int, int]

_MOST_PIXELS: Final = 8_000_000  # of one picture; a page of A4 has 2.2 million
_MOST_PIXELS_A_SIDE: Final = 16_000  # WebP ends at 16,383
_FEWEST_PIXELS_A_SIDE: Final = 16
_SAMPLED: Final = 4  # every so many pixels in each direction are looked at to choose how a picture is encoded
# A picture is flat when its commonest colors cover this share of it, and there are not many: a page of dense text has
# 0.86 and 250 colors, a photograph as large as a quarter of its page 0.78 and 17,000, a noisy scan 0.47.
_COMMONEST: Final = 16
_FLAT_SHARE: Final = 0.75
_FLAT_COLORS: Final = 4_096
_PALETTE: Final = 256
_STEPS: Final = [round(value / 17) * 17 for value in range(256)]
_REMEDY: Final = "Delete the files of this name below the index folder and run `clinic-qa build`."


class Rendered(TypedDict):
    """A picture; `image` is base64."""

    media_type: str
    width: int
    height: int
    image: str


class RenderOrder(TypedDict):
    """Which page (from 1) of the file at `path` with the SHA-256 `digest`, and how many pixels wide."""

    path: str
    digest: str
    page: int
    width: int


def render_in_worker(request: RenderOrder) -> Rendered:
    """The page as it is shown, cropped and turned, on white, with its annotations and the values in its form fields.

    It is as wide as asked for, or less where it would be larger than we allow. Raises NoPicture and PictureFailed.
    """
    with opened(Path(request["path"]), request["digest"]) as document:
        image = _drawn(document, request["page"], request["width"])
    content, media_type = encoded(image)
    return {
        "media_type": media_type,
        "width": image.width,
        "height": image.height,
        "image": base64.b64encode(content).decode("ascii"),
    }


@contextmanager
def opened(path: Path, digest: str) -> Iterator[pdfium.PdfDocument]:
    """The PDF file at `path`, which must have this SHA-256. Raises PictureFailed where PDFium or we cannot take it."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PictureFailed("the kept file cannot be opened", found=error.strerror, remedy=_REMEDY) from error
    if hashlib.sha256(content).hexdigest() != digest:
        raise PictureFailed("the kept file was changed or is damaged", path=path, remedy=_REMEDY)
    try:
        document = pdfium.PdfDocument(content)
        try:
            document.init_forms()
            yield document
        finally:
            document.close()
    except pdfium.PdfiumError as error:
        raise PictureFailed("PDFium cannot take the file apart", found=str(error)) from error


def _drawn(document: pdfium.PdfDocument, number: int, width: int) -> Image.Image:
    if not 1 <= number <= len(document):
        raise NoPicture("there is no such page", page=number, expected=f"1 to {len(document)}")
    page = document[number - 1]
    # A hair less, or else PDFium's library rounds 1,240.0000001 pixels up.
    points_wide, points_high = page.get_size()
    scale = _scale(points_wide, points_high, width) * (1 - 1e-9)
    bitmap = page.render(scale=scale, rev_byteorder=True, fill_color=(255, 255, 255, 255))
    image: Image.Image = bitmap.to_pil()
    return image.convert("RGB")


def _scale(points_wide: float, points_high: float, width: int) -> float:
    """Pixels a point. Raises PictureFailed for a page that is a line, or of no size at all."""
    if not (0 < points_wide < math.inf and 0 < points_high < math.inf):
        raise PictureFailed("the page has no size", found=f"{points_wide} × {points_high} points")
    scale = min(
        width / points_wide,
        math.sqrt(_MOST_PIXELS / (points_wide * points_high)),
        _MOST_PIXELS_A_SIDE / max(points_wide, points_high),
    )
    if min(points_wide, points_high) * scale < _FEWEST_PIXELS_A_SIDE:
        raise PictureFailed(
            "the page is too long for its width to be drawn", found=f"{points_wide:g} × {points_high:g} points"
        )
    return scale


def encoded(image: Image.Image) -> tuple[bytes, str]:
    """`image` as a file, and its media type: its text is crisp, and a phone's line carries it quickly.

    What stands on a plain ground becomes a PNG of 256 colors at most. Over the sample's pages, 1,240 pixels wide, that
    takes 30 to 125 kB and about 30 ms, with no color off by more than 16 of 255. WebP without loss took 140 to 240 kB;
    with loss (quality 80) 75 to 165 kB, with halos around the letters, which JPEG has at 100 to 270 kB. Pillow's own
    exact choice of colors takes 30 ms longer. Scans and photographs, which few colors do not cover, become a WebP with
    loss.
    """
    file = io.BytesIO()
    colors = _sampled_colors(image)
    covered, total = (sum(count for count, _ in some) for some in (colors[-_COMMONEST:], colors))
    if covered >= _FLAT_SHARE * total and len(colors) <= _FLAT_COLORS:
        _with_palette(image, colors).save(file, "PNG", compress_level=4)
        return file.getvalue(), "image/png"
    image.save(file, "WEBP", quality=80, method=2)
    return file.getvalue(), "image/webp"


def _sampled_colors(image: Image.Image) -> list[tuple[int, Color]]:
    """How often each color comes in a sample of the pixels, the commonest last."""
    size = max(image.width // _SAMPLED, 1), max(image.height // _SAMPLED, 1)
    found = image.resize(size, Image.Resampling.NEAREST).getcolors(size[0] * size[1]) or []
    return sorted(cast("list[tuple[int, Color]]", found))


def _with_palette(image: Image.Image, colors: list[tuple[int, Color]]) -> Image.Image:
    """`image` with a palette: 16 steps of red, green and blue, each palette color the commonest one near its step.

    So the shades at the edges of letters are rounded, and the ground, text and tints stay what they are.
    """
    rounded = image.point(_STEPS * 3).quantize(_PALETTE, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    commonest = {_step(color): color for _, color in colors}
    palette = rounded.getpalette() or []
    for start in range(0, len(palette), 3):
        step = _step((palette[start], palette[start + 1], palette[start + 2]))
        palette[start : start + 3] = commonest.get(step, step)
    rounded.putpalette(palette)
    return rounded


def _step(color: Color) -> Color:
    red, green, blue = color
    return _STEPS[red], _STEPS[green], _STEPS[blue]
