"""A page that is only a picture: the parking notice, as a flatbed scanner would give it."""

from __future__ import annotations

from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

DOTS_PER_INCH = 200
PAGE = (1700, 2200)  # Letter, in dots
PAPER, INK, FADED = 244, 38, 96

NOTICE = (
    "Parking here is for patients and companions",
    "of Quillmere Infusion Clinic only.",
    "",
    "14 spaces, two of them accessible",
    "Free of charge with a permit on the dashboard",
    "Permits: front desk, ask for the green card",
    "Longest stay: 4 hours, pain infusions 8 hours",
    "Height limit at the gate: 6 feet 8 inches",
    "",
    "The gate is locked at 6:00 p.m. from Monday to",
    "Thursday, and at 4:00 p.m. on Friday.",
    "No parking overnight or on weekends.",
    "",
    "Cars without a permit are towed at the owner's cost.",
    "Towed? Call Eastholm Towing, 555-0158.",
    "Locked in? Call the after-hours line, 555-0146.",
)


def parking_notice() -> BytesIO:
    """The notice as a gray JPEG file of a Letter page at 200 dpi."""
    page = Image.new("L", PAGE, PAPER)
    draw = ImageDraw.Draw(page)
    for x in range(48):  # the shadow that the binding of a folder leaves
        draw.line([(x, 0), (x, PAGE[1])], fill=PAPER - (48 - x) * 2)
    draw.rectangle([150, 170, 1550, 2030], outline=INK, width=9)
    draw.rectangle([172, 192, 1528, 2008], outline=FADED, width=3)
    draw.rectangle([172, 192, 1528, 440], fill=INK)
    _center(draw, 252, "PATIENT PARKING", 108, PAPER, bold=3)
    for number, line in enumerate(NOTICE):
        _center(draw, 540 + number * 74, line, 48, INK)
    draw.line([(500, 1770), (1200, 1770)], fill=FADED, width=3)
    _center(draw, 1800, "Priya Lindqvist, clinic manager", 40, FADED)
    _center(draw, 1866, "12 Quillmere Lane, Eastholm", 40, FADED)
    for x in (260, 1440):  # the holes of the drawing pins
        draw.ellipse([x - 16, 96, x + 16, 128], fill=FADED)
    file = BytesIO()
    page.save(file, "JPEG", quality=60, dpi=(DOTS_PER_INCH, DOTS_PER_INCH))
    file.seek(0)
    return file


def _center(draw: ImageDraw.ImageDraw, y: int, text: str, size: int, fill: int, bold: int = 0) -> None:
    font = ImageFont.load_default(size)
    draw.text((PAGE[0] / 2, y), text, fill=fill, font=font, anchor="ma", stroke_width=bold, stroke_fill=fill)
