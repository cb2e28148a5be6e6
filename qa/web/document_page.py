"""HTML of the document page: one leaf of a document, its picture with marks over it, and its text. No script is needed.

Every text is escaped here or where it is laid out, whoever wrote it.
"""

from __future__ import annotations

import html
from dataclasses import dataclass, replace
from itertools import count

from qa.evidence.locate import Mark
from qa.messages import Messages
from qa.models import Citation, PageKind
from qa.settings import Settings
from qa.web import markup
from qa.web.document_text import document_html
from qa.web.links import MARK, TEXT_MARK, document_address, picture_address
from qa.web.opened import Leaf, Opened, Place
from qa.web.urgent import emergency_banner

_ZOOMS = ("fit", "large", "largest")


@dataclass(frozen=True, slots=True)
class Size:
    """Of a picture, in pixels."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Pictured:
    """The picture of a leaf. `marks` are None where what is marked in the text cannot be placed on it.

    `size` is None where the picture cannot be had, and `is_awaited` says that it may still come.
    """

    size: Size | None
    is_awaited: bool
    marks: tuple[Mark, ...] | None

    @property
    def is_shown(self) -> bool:
        """Whether there is a picture, or may be one."""
        return self.size is not None or self.is_awaited


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: `home` is the address of their own page. `standing` is HTML for staff, how the document stands."""

    home: str
    standing: str
    reminder: str


@dataclass(frozen=True, slots=True)
class Words:
    """What the pages are written with."""

    settings: Settings
    messages: Messages
    language: str


def document_page(
    opened: Opened, place: Place, pictured: Pictured | None, citation: Citation, reader: Reader, words: Words
) -> str:
    """The whole page. `pictured` is None for a document without pictures; `citation` says where the quote stands."""
    messages = words.messages
    language = html.escape(opened.document.metadata.language)
    title, name = citation.title, leaf_name(opened, opened.number, messages)
    facts = ", ".join(markup.source_parts(_without_page(citation, opened), messages, words.language))
    content = (
        f'<h1 lang="{language}">{html.escape(title)}</h1>{reader.standing}'
        f'<div class="cq-doc-head"><p class="cq-doc-facts">{html.escape(_sentence_case(facts))}</p>'
        f"{_copy(opened, citation, words)}</div>{_notices(opened, place, pictured, messages)}"
        f"{_turning(opened, place, messages)}"
        f'<div class="cq-doc-spread">{_picture(opened, place, pictured, name, messages)}'
        f"{_text(opened, pictured, language, messages)}</div>"
        f"{_turning(opened, place, messages, is_last=True)}{markup.quiet_line(reader.reminder)}"
    )
    return _page(f"{title}, {name}" if name else title, content, home=reader.home, words=words)


def not_here_page(call: str, words: Words) -> str:
    """What everybody gets at the address of anything that is not there for them, whatever the reason."""
    messages = words.messages
    said = markup.with_phone_link(messages.not_here.format(call=call), words.settings.clinic.phone)
    content = (
        f"<h1>{html.escape(messages.not_here_title)}</h1><p>{said}</p>"
        f'<p><a class="cq-button" href="./">{html.escape(messages.ask_something)}</a></p>'
        # A browser does not say who is signed in when a link leads here from elsewhere, such as from a letter; from
        # this page, it does.
        f'<p class="cq-quiet">{html.escape(messages.not_here_for_staff)} '
        f'<a class="cq-link" href="">{html.escape(messages.open_again)}</a> · '
        f'<a class="cq-link" href="./signin">{html.escape(messages.staff_sign_in)}</a></p>'
    )
    return _page(messages.not_here_title, content, home="./", words=words, is_narrow=True)


def notice_page(sentence: str, words: Words) -> str:
    """A page with one sentence, such as that there is nothing to look into yet."""
    said = markup.notices([sentence], words.settings.clinic.phone)
    return _page(words.messages.page_title, said, home="./", words=words, is_narrow=True)


def leaf_name(opened: Opened, number: int, messages: Messages) -> str:
    """What a leaf is called, without which it is the whole document: "page iv", "slide 3", "part 2 of 5"."""
    leaf = opened.leaves[number]
    names = [_page_name(opened, leaf.page, messages)] if leaf.page is not None else []
    if leaf.parts > 1:
        names.append(messages.part_of.format(number=leaf.part, count=leaf.parts))
    return ", ".join(names)


def _page_name(opened: Opened, page: int, messages: Messages) -> str:
    return markup.page_name(opened.source.page_kind, opened.source.pages[page - 1].label, messages)


def _place_name(opened: Opened, messages: Messages) -> str:
    """Where among all pages a leaf is: "page 4 of 12", "page iv, 4 of 12"."""
    leaf, pages = opened.leaf, opened.source.pages
    if leaf.page is None:
        return leaf_name(opened, opened.number, messages)
    is_counted = pages[leaf.page - 1].label == str(leaf.page) and opened.source.page_kind is not PageKind.SHEET
    pattern = messages.page_of if is_counted else messages.page_among
    place = pattern.format(place=_page_name(opened, leaf.page, messages), number=leaf.page, count=len(pages))
    if leaf.parts == 1:
        return place
    return f"{place}, {messages.part_of.format(number=leaf.part, count=leaf.parts)}"


def _without_page(citation: Citation, opened: Opened) -> Citation:
    """The page is said elsewhere; without a quote there is no section either."""
    return replace(citation, page=None, recognised=False, section=citation.section if opened.marks else ())


def _notices(opened: Opened, place: Place, pictured: Pictured | None, messages: Messages) -> str:
    said: list[str] = []
    if opened.is_changed:
        said.append(html.escape(messages.quote_changed))
    if opened.marks and not opened.marks_here:
        address = html.escape(document_address(replace(place, page=None, part=None)))
        said.append(f'<a class="cq-link" href="{address}">{html.escape(messages.quote_elsewhere)}</a>')
    if pictured is not None and pictured.is_shown and pictured.marks is None:
        said.append(html.escape(messages.quote_not_placed))
    leaf = opened.leaf
    if leaf.page is not None and opened.source.pages[leaf.page - 1].recognised:
        said.append(html.escape(messages.document_recognised))
    return "".join(f'<p class="cq-doc-notice">{sentence}</p>' for sentence in said)


def _copy(opened: Opened, citation: Citation, words: Words) -> str:
    if not opened.marks:
        return ""
    clinic = words.settings.clinic.name
    copied = markup.reference(opened.quote, opened.passage.lead_in, citation, words.messages, words.language, clinic)
    return markup.copy_button(copied, words.messages)


def _turning(opened: Opened, place: Place, messages: Messages, *, is_last: bool = False) -> str:
    """The ways to the leaves before and after, which keep what is marked."""
    if len(opened.leaves) == 1 and opened.leaf.page is None:
        return ""
    if is_last and len(opened.leaves) == 1:
        return ""
    links = [
        _turn(opened, place, opened.number - 1, "prev", messages.previous, messages),
        _turn(opened, place, opened.number + 1, "next", messages.next, messages),
    ]
    where = "" if is_last else html.escape(_sentence_case(_place_name(opened, messages)))
    label = html.escape(messages.pages)
    where = f'<span class="cq-doc-where">{where}</span>'
    return f'<nav class="cq-doc-turn" aria-label="{label}">{links[0]}{where}{links[1]}</nav>'


def _turn(opened: Opened, place: Place, number: int, rel: str, word: str, messages: Messages) -> str:
    if not 0 <= number < len(opened.leaves):
        return "<span></span>"
    leaf = opened.leaves[number]
    part = leaf.part if leaf.parts > 1 else None
    address = html.escape(document_address(replace(place, page=leaf.page, part=part)))
    spoken = f'<span class="cq-spoken"> ({html.escape(leaf_name(opened, number, messages))})</span>'
    return f'<a class="cq-doc-{rel}" rel="{rel}" href="{address}">{html.escape(word)}{spoken}</a>'


def _picture(opened: Opened, place: Place, pictured: Pictured | None, name: str, messages: Messages) -> str:
    if pictured is None:
        return ""
    label = html.escape(messages.document_picture.format(place=name))
    if not pictured.is_shown:
        return (
            f'<section class="cq-doc-picture" aria-label="{label}">'
            f'<p class="cq-doc-missing">{html.escape(messages.document_picture_missing)}</p></section>'
        )
    address = html.escape(picture_address(replace(place, page=opened.leaf.page)))
    size = f' width="{pictured.size.width}" height="{pictured.size.height}"' if pictured.size else ""
    alt = html.escape(messages.document_picture_and_text.format(place=name))
    # On a phone the words in the picture are small, and who cannot see it needs those beside it.
    reading = (
        f'<a class="cq-link" href="#{TEXT_MARK}">{html.escape(messages.quote_in_text)}</a>' if pictured.marks else ""
    )
    numbers = count()
    marks = "".join(_mark(mark, next(numbers)) for mark in pictured.marks or () if mark.page == opened.leaf.page)
    return (
        f'<section class="cq-doc-picture" aria-label="{label}">{_zoom(messages)}'
        f'<div class="cq-doc-box" tabindex="0" role="group" aria-label="{label}"><div class="cq-doc-sheet">'
        f'<img src="{address}" alt="{alt}"{size} />{marks}</div></div>{reading}</section>'
    )


def _mark(mark: Mark, number: int) -> str:
    """A rectangle over the picture, in percent; the text beside it tells the same to who cannot see it."""
    box = mark.box
    place = f"left:{box.x0:.2%};top:{box.y0:.2%};width:{box.x1 - box.x0:.2%};height:{box.y1 - box.y0:.2%}"
    id_ = f' id="{MARK}"' if number == 0 else ""
    return f'<span class="cq-doc-mark" aria-hidden="true"{id_} style="{place}"></span>'


def _zoom(messages: Messages) -> str:
    """How large the picture is, by buttons that need no script: a choice whose look depends on what is chosen."""
    names = dict(zip(_ZOOMS, (messages.zoom_fit, messages.zoom_large, messages.zoom_largest), strict=True))
    choices = "".join(
        f'<input type="radio" name="zoom" id="zoom-{each}"{" checked" if each == _ZOOMS[0] else ""} />'
        f'<label for="zoom-{each}">{html.escape(name)}</label>'
        for each, name in names.items()
    )
    legend = f'<legend class="cq-spoken">{html.escape(messages.zoom)}</legend>'
    return f'<fieldset class="cq-doc-zoom">{legend}{choices}</fieldset>'


def _text(opened: Opened, pictured: Pictured | None, language: str, messages: Messages) -> str:
    leaf: Leaf = opened.leaf
    is_marked_on_picture = pictured is not None and pictured.is_shown and bool(pictured.marks)
    content = document_html(
        opened.source.text,
        opened.blocks,
        leaf.span,
        opened.marks_here,
        mark_id=TEXT_MARK if is_marked_on_picture else MARK,
        top=2 if pictured is None else 3,
    )
    if not content:
        content = f'<p class="cq-quiet">{html.escape(messages.document_without_text)}</p>'
        language = ""
    lang = f' lang="{language}"' if language else ""
    heading = markup.heading(messages.document_text) if pictured is not None else ""
    return f'<section class="cq-doc-words">{heading}<div class="cq-doc-text"{lang}>{content}</div></section>'


def _sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]


def _page(title: str, content: str, *, home: str, words: Words, is_narrow: bool = False) -> str:
    """A whole page of ours, with the urgent lines on top and the way back to the questions."""
    settings, clinic = words.settings, html.escape(words.settings.clinic.name)
    urgent = emergency_banner(settings.urgent.crisis, settings.urgent.emergency)
    narrow = " cq-narrow" if is_narrow else ""
    return (
        f'<!doctype html><html lang="{html.escape(words.language)}"><head><meta charset="utf-8" />'
        f"<title>{html.escape(title)} · {clinic}</title>"
        '<meta name="viewport" content="width=device-width, initial-scale=1" />'
        '<meta name="format-detection" content="telephone=no" />'
        '<link rel="icon" type="image/svg+xml" href="./page/icon.svg" />'
        '<link rel="stylesheet" href="./page/page.css" /><link rel="stylesheet" href="./page/signin.css" />'
        '<link rel="stylesheet" href="./page/document.css" /><script defer src="./page/page.js"></script>'
        f'</head><body class="cq-plain cq-doc{narrow}">{urgent}'
        f'<header class="cq-doc-top"><a class="cq-link" href="{home}">{clinic}</a></header>'
        f"<main>{content}</main></body></html>"
    )
