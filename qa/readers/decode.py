"""Bytes to text: the raw text that offsets point into."""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from typing import Final

from charset_normalizer import from_bytes

from qa.errors import BrokenDocument, EmptyDocument

_REMEDY: Final = "Save it again as UTF-8 text."

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: its mark begins with UTF-16's
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_OTHER_FORMATS: Final = (
    (b"%PDF-", "a PDF file"),
    (b"PK\x03\x04", "a ZIP archive, as DOCX files are"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office file"),
    (b"{\\rtf", "a Rich Text file"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"\x1f\x8b", "a gzip archive"),
)
_HTML_SUFFIXES: Final = frozenset({".html", ".htm", ".xhtml"})
_DECLARED = re.compile(
    rb"""(?:<meta\s[^>]{0,200}?charset|<\?xml\s[^>]{0,100}?encoding)\s*=\s*["']?\s*([\w.:-]+)""", re.I
)
# Browsers read these names as the Windows code page, which holds the same letters and more.
_WINDOWS: Final = frozenset({"iso8859-1", "ascii"})
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\x84\x86-\x9f\ufffd]")
_WORD = r"[A-Za-z\u00c0-\u00ff]"
# What English or other West European text in cp1252 does not hold: a capital after a small letter where both are not
# plain, three accented letters on end, or a sign within a word.
_IMPLAUSIBLE = re.compile(f"[a-z][À-ÖØ-Þ]|[À-ÖØ-öø-ÿ]{{3}}|{_WORD}[¡-¤¦-¬¯±-´¶¸-¿ˆ˜†‡‰ƒ‹›]{_WORD}|[\x80-\x9fƒˆ˜¦¨¬¯´¸]")
_MOST_CONTROLS: Final = 0.02
_MOST_HIGH_BYTES: Final = 0.2
_FEW_HIGH_BYTES: Final = 4  # in a very short text, a few are no sign of another script
# Declarations that name a character set for pages; Python knows other codecs, for other ends.
_CHARACTER_SETS = re.compile(r"utf-8|cp\d+|iso8859-\d+|koi8-[rut]|mac-\w+|gb\w+|big5\w*|euc_\w+|shift_jis\w*|tis-620")
# Never a guess: a few accents among ASCII look like these to the statistics.
_NOT_GUESSED: Final = [
    *("utf_16", "utf_16_be", "utf_16_le", "utf_32", "utf_7"),
    *("cp037", "cp273", "cp424", "cp500", "cp875"),
]


def decode(data: bytes, path: Path) -> tuple[str, tuple[str, ...]]:
    """The text of a text file, without its byte order mark, and warnings; newlines stay as they are.

    A byte order mark is believed first, then UTF-8, then what an HTML file declares; else the encoding is guessed, with
    a warning. Raises `EmptyDocument` or `BrokenDocument`.
    """
    if not data.strip():
        raise _empty(path, data)
    text, warnings = _decoded(data, path)
    if not text or text.isspace():
        raise _empty(path, data)
    controls = len(_CONTROL.findall(text))
    if controls > max(_MOST_CONTROLS * len(text), 1):
        raise BrokenDocument(
            "this is not a text file",
            path=path,
            found=f"{controls:,} control characters among {len(text):,}",
            expected="text",
            remedy=_REMEDY,
        )
    return text, warnings


def _empty(path: Path, data: bytes) -> EmptyDocument:
    found = f"{len(data):,} bytes of white space" if data else "no bytes"
    return EmptyDocument(
        "the file holds no text", path=path, found=found, expected="text", remedy="Fill it or remove it."
    )


def _decoded(data: bytes, path: Path) -> tuple[str, tuple[str, ...]]:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _strict(data[len(mark) :], encoding, path), ()
    for magic, name in _OTHER_FORMATS:
        if data.startswith(magic):
            raise BrokenDocument(
                "the file is not what its name says",
                path=path,
                found=name,
                expected="text",
                remedy="Give it the right ending, or save it again as text.",
            )
    declared = _declared(data) if path.suffix.lower() in _HTML_SUFFIXES else None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return _other(data, path, declared)
    sides = data[0::2].count(0), data[1::2].count(0)
    if max(sides) > len(data) // 5 and min(sides) <= len(data) // 50:
        encoding = "utf-16-be" if sides[0] > sides[1] else "utf-16-le"
        return _strict(data, encoding, path), (_warning(encoding),)
    if declared not in (None, "utf-8", "cp1252") and not text.isascii():
        return text, (f"says that it is {declared} but is UTF-8; read as utf-8; check its accents",)
    return text, ()


def _strict(data: bytes, encoding: str, path: Path) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise BrokenDocument(
            f"the file is cut off or is not {encoding}",
            path=path,
            found=f"byte {data[error.start] if error.start < len(data) else 0:#04x} at {error.start:,}",
            expected=f"{encoding} text",
            remedy=_REMEDY,
        ) from error


def _declared(data: bytes) -> str | None:
    match = _DECLARED.search(data, 0, 4096)
    if match is None:
        return None
    try:
        name = codecs.lookup(match.group(1).decode("ascii", "replace")).name
    except LookupError:
        return None
    if name in _WINDOWS:
        return "cp1252"
    return name if _CHARACTER_SETS.fullmatch(name) else None


def _other(data: bytes, path: Path, declared: str | None) -> tuple[str, tuple[str, ...]]:
    if declared is not None and declared != "utf-8":
        try:
            return data.decode(declared), ()
        except UnicodeDecodeError:
            pass  # a false declaration is as good as none
    western = _western(data)
    if western is not None:
        return western, (_warning("cp1252"),)
    most = max(data.count(byte) for byte in set(data[:4096]))
    guess = from_bytes(data, cp_exclusion=_NOT_GUESSED).best() if most <= len(data) // 2 else None
    if guess is None:
        raise BrokenDocument(
            "this is not a text file",
            path=path,
            found=f"bytes of no known encoding, such as {data[:4].hex(' ')}",
            expected="text",
            remedy=_REMEDY,
        )
    return _strict(data, guess.encoding, path).removeprefix("\ufeff"), (_warning(guess.encoding),)


def _western(data: bytes) -> str | None:
    """The text in cp1252 if it looks like West European text; statistics guess badly on a few accents."""
    high = len(data) - len(data.translate(None, bytes(range(128, 256))))
    if high > max(_MOST_HIGH_BYTES * len(data), _FEW_HIGH_BYTES):
        return None
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        return None
    return None if _IMPLAUSIBLE.search(text) else text


def _warning(encoding: str) -> str:
    return f"not UTF-8; read as {encoding}; check its accents"
