"""HTML for the page. Every text is escaped here, whoever wrote it; the tags and links are ours alone."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Container, Sequence
from urllib.parse import quote

from qa.audience import Audience
from qa.clock import long_date
from qa.messages import Messages
from qa.models import Citation, CitedPassage, Level, PageKind, Status
from qa.offsets import Span

# Gives the address of the document page at a citation, with these sentences of its passage marked, or all of it.
LinkTo = Callable[[Citation, Sequence[int]], str]

# All punctuation that Markdown, or Streamlit's additions to it, could take for a sign of its own.
_MARKDOWN = re.compile(r"([!-/:-@\[-`{-~])")


def markdown_literal(text: str) -> str:
    """`text` for a button's label, which Streamlit reads as Markdown, so that it shows as it stands."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))


def page_header(clinic: str, title: str, phone: str, hours_line: str) -> str:
    """The clinic's name, what this page is, and the phone."""
    contact = " · ".join(part for part in (with_phone_link(phone, phone), html.escape(hours_line)) if part)
    contact = f'<p class="cq-contact">{contact}</p>' if contact else ""
    return (
        f'<header class="cq-header" data-page="patient"><h1>{html.escape(clinic)}</h1>'
        f'<p class="cq-subtitle">{html.escape(title)}</p>{contact}</header>'
    )


def desk_header(clinic: str, name: str, messages: Messages) -> str:
    """The clinic's name, that this is the staff page, who is signed in, and the ways out."""
    signed_in = html.escape(messages.signed_in_as.format(name=name))
    return (
        f'<header class="cq-header" data-page="desk"><h1>{html.escape(clinic)}</h1>'
        f'<p class="cq-subtitle">{html.escape(messages.desk_title)}</p>'
        f'<p class="cq-contact">{signed_in} <a class="cq-link" href="./signin">{html.escape(messages.sign_out)}</a></p>'
        f'<p class="cq-contact">{html.escape(messages.desk_reminder)}</p></header>'
    )


def page_foot(messages: Messages) -> str:
    """The way for staff, small."""
    return (
        f'<footer class="cq-foot"><a class="cq-link" href="./signin">{html.escape(messages.staff_sign_in)}</a></footer>'
    )


def quiet_line(text: str) -> str:
    """A remark in a quieter tone."""
    return f'<p class="cq-quiet">{html.escape(text)}</p>'


def spoken_only(text: str) -> str:
    """A remark for screen readers; it may be empty."""
    return f'<p class="cq-spoken">{html.escape(text)}</p>'


def heading(text: str) -> str:
    """A heading of the second level."""
    return f'<h2 class="cq-heading">{html.escape(text)}</h2>'


def notices(sentences: Sequence[str], phone: str, number: int | None = None) -> str:
    """Sentences for people, in a box, the phone number ready to be tapped; `number` as in `answer`, for a reply."""
    reply = f' data-reply="{number}"' if number is not None else ""
    paragraphs = "".join(f"<p>{with_phone_link(text, phone)}</p>" for text in sentences)
    return f'<div class="cq-notice"{reply}>{paragraphs}</div>'


def status(sentences: Sequence[str], found: str, phone: str, number: int | None) -> str:
    """What a reply says besides guidance and passages; `found` is for screen readers. `number` as in `answer`."""
    spoken = spoken_only(found)
    return notices(sentences, phone, number) + spoken if sentences else spoken


def answer(
    passages: Sequence[CitedPassage],
    title: str,
    messages: Messages,
    language: str,
    *,
    clinic: str,
    link_to: LinkTo,
    number: int | None = None,
    level: Level | None = None,
    given: Container[str] | None = None,
) -> str:
    """Passages of a reply under a heading, each leading to its document.

    `given` is for staff, and names the documents that patients get now: each passage says whom it is for and how it
    stands. `clinic` is the name that a copied source ends with. `number` tells the reply from the one before, so that
    the page can bring it into sight; the first part of a reply has it.
    """
    reply = f' data-reply="{number}"' if number is not None else ""
    whose_words = quiet_line(messages.not_medical_advice) if given is None else ""
    articles = (passage(cited, messages, language, given, clinic=clinic, link_to=link_to) for cited in passages)
    return (
        f"<section{reply}>{heading(title)}{_how_sure(level, messages, for_staff=given is not None)}{whose_words}"
        f"{''.join(articles)}</section>"
    )


def _how_sure(level: Level | None, messages: Messages, *, for_staff: bool) -> str:
    """How likely the passages answer: a word or two, and what they mean."""
    possible = messages.desk_level_possible_means if for_staff else messages.level_possible_means
    said = {
        Level.LIKELY: (messages.level_likely, messages.level_likely_means),
        Level.POSSIBLE: (messages.level_possible, possible),
    }
    if level not in said:
        return ""
    word, meaning = said[level]
    return f'<p class="cq-level"><strong>{html.escape(word)}</strong> {html.escape(meaning)}</p>'


def passage(
    cited: CitedPassage,
    messages: Messages,
    language: str,
    given: Container[str] | None = None,
    *,
    clinic: str,
    link_to: LinkTo,
    is_ranked: bool = True,
) -> str:
    """One passage under the heading that it stands under, because "No." answers nothing without its question."""
    innermost = [cited.citation.title, *cited.citation.section][-1]
    name = messages.passage_heading.format(rank=cited.rank, heading=innermost) if is_ranked else innermost
    lead_in = f'<p class="cq-lead-in">{html.escape(cited.lead_in)}</p>' if cited.lead_in else ""
    marks = standing(cited.citation, messages, language, given) if given is not None else ""
    also_in = _also_in(cited.citation, messages, language, given, link_to)
    address = link_to(cited.citation, cited.sentences)
    copied = reference(cited.text, cited.lead_in, cited.citation, messages, language, clinic)
    return (
        f'<article class="cq-passage"><h3>{html.escape(name)}</h3>{marks}'
        f'<blockquote>{lead_in}<p class="cq-text">{highlighted(cited.text, cited.highlights)}</p></blockquote>'
        f"<footer><p>{citation(cited.citation, messages, language, address)}</p>{also_in}"
        f"{copy_button(copied, messages)}</footer></article>"
    )


def standing(cited: Citation, messages: Messages, language: str, given: Container[str]) -> str:
    """Whom a document is for and how it stands, in words."""
    items = "".join(
        f'<li class="cq-mark-{kind}">{html.escape(words)}</li>'
        for kind, words in _standing(cited, messages, language, given).items()
    )
    return f'<ul class="cq-marks">{items}</ul>'


def _standing(cited: Citation, messages: Messages, language: str, given: Container[str]) -> dict[str, str]:
    """Each mark of a document and its words, whom it is for first.

    What nothing else marks and patients still do not get, such as a document with a claim that waits for a sign-off, is
    marked for that.
    """
    standing = {
        Audience.STAFF: {"staff": messages.mark_staff},
        Audience.PATIENT: {"patient": messages.mark_patient},
    }[cited.audience]
    if cited.status is Status.DRAFT:
        standing["draft"] = messages.mark_draft
    if cited.status is Status.WITHDRAWN:
        standing["withdrawn"] = messages.mark_withdrawn
    if cited.overdue_since is not None:
        standing["overdue"] = messages.mark_overdue.format(date=long_date(cited.overdue_since, language))
    if list(standing) == ["patient"] and cited.document not in given:
        return {"not-yet": messages.mark_not_yet}
    return standing


def highlighted(text: str, spans: Sequence[Span]) -> str:
    """`text` escaped, with a `<mark>` around each span. Spans that overlap or leave the text are cut to fit."""
    pieces: list[str] = []
    done = 0
    for start, end in sorted(spans):
        start, end = max(start, done), min(end, len(text))
        if start < end:
            pieces += [html.escape(text[done:start]), f"<mark>{html.escape(text[start:end])}</mark>"]
            done = end
    return "".join([*pieces, html.escape(text[done:])])


def citation(cited: Citation, messages: Messages, language: str, address: str = "") -> str:
    """In words: “Aftercare guide”, section “Getting home”, page 2, version 2.1, approved March 3, 2026.

    The title leads to `address`, where there is one.
    """
    title = f"<cite>“{html.escape(cited.title)}”</cite>"
    if address:
        title = _opening(address, title, messages)
    return ", ".join([title, *map(html.escape, source_parts(cited, messages, language))])


def source_parts(cited: Citation, messages: Messages, language: str) -> list[str]:
    """What a citation says after the title: section without title and sheet again, page, version, approval."""
    said = {cited.title.casefold()}
    if cited.page_kind is PageKind.SHEET and cited.page_label is not None:
        said.add(cited.page_label.casefold())
    headings = [name for name in cited.section if name.casefold() not in said]
    parts: list[str] = []
    if headings:
        parts.append(messages.section.format(section=" › ".join(headings)))
    if cited.page is not None:
        parts.append(page_name(cited.page_kind, cited.page_label or str(cited.page), messages))
    if cited.recognised:
        parts.append(messages.recognised)
    if cited.version is not None:
        parts.append(messages.version.format(version=cited.version))
    if cited.approved_on is not None:
        parts.append(messages.approved_on.format(date=long_date(cited.approved_on, language)))
    return parts


def page_name(kind: PageKind, label: str, messages: Messages) -> str:
    """What a page is called: "page iv", "slide 3", "sheet “Prices”"."""
    pattern = {PageKind.PAGE: messages.page, PageKind.SLIDE: messages.slide, PageKind.SHEET: messages.sheet}[kind]
    return pattern.format(label=label)


def reference(text: str, lead_in: str, cited: Citation, messages: Messages, language: str, clinic: str) -> str:
    """A quote with its full source, as plain text for copying: the words in quotation marks, then where they stand."""
    quoted = f"{lead_in}\n{text}" if lead_in else text
    source = ", ".join([cited.title, *source_parts(cited, messages, language), clinic])
    return f"“{quoted}”\n{source}"


def copy_button(text: str, messages: Messages) -> str:
    """A button that copies `text`, and a place beside it that says so. page.js does the copying.

    The text stands in the button as in an address, so that nothing on its way takes it for HTML.
    """
    packed = quote(text.encode("utf-8", "replace"), safe=" ")
    return (
        f'<p class="cq-actions"><button type="button" class="cq-copy" data-copy="{html.escape(packed)}"'
        f' data-copied="{html.escape(messages.copied)}" data-not-copied="{html.escape(messages.not_copied)}">'
        f'{html.escape(messages.copy_quote)}</button><span class="cq-copied" role="status"></span></p>'
    )


def _opening(address: str, content: str, messages: Messages) -> str:
    """A link around `content`, which is HTML. It opens beside the page, which would otherwise lose its answer."""
    return (
        f'<a class="cq-source" href="{html.escape(address)}" target="_blank" rel="noopener">{content}'
        f'<span class="cq-spoken"> ({html.escape(messages.opens_in_new_tab)})</span></a>'
    )


def with_phone_link(text: str, phone: str) -> str:
    """`text` escaped, each `phone` in it a link that dials it."""
    escaped = html.escape(text)
    digits = re.sub(r"[^0-9+]", "", phone)
    if not digits:
        return escaped
    number = html.escape(phone)
    return escaped.replace(number, f'<a class="cq-phone" href="tel:{digits}">{number}</a>')


def warnings(sentences: Sequence[str], messages: Messages) -> str:
    """What whoever looks after the documents should know, at the foot of the staff page."""
    items = "".join(f"<li>{html.escape(each)}</li>" for each in sentences)
    return f'<section class="cq-warnings">{heading(messages.desk_warnings)}<ul>{items}</ul></section>'


def _also_in(cited: Citation, messages: Messages, language: str, given: Container[str] | None, link_to: LinkTo) -> str:
    places: dict[str, str] = {}
    for other in cited.also_in:
        name = f"“{other.title}”"
        if given is not None:
            name += f" ({', '.join(_standing(other, messages, language, given).values())})"
        places.setdefault(name, _opening(link_to(other, ()), html.escape(name), messages))
    if not places:
        return ""
    said = html.escape(messages.also_in).replace("{titles}", ", ".join(places.values()))
    return f'<p class="cq-also">{said}</p>'
