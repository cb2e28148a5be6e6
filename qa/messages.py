"""Every sentence that a person reads, by language: `qa/data/messages/<language>.toml`.

`Messages` has one field for each sentence, so that a misspelt name is a type error and a missing one is found when the
file is read. Placeholders are written `{phone}` and filled with `str.format`.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files

from qa.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Messages:
    """The catalogue of one language; each field is a sentence, or a pattern with named placeholders."""

    # The page.
    page_title: str
    not_kept: str
    kept: str
    question_label: str
    question_help: str
    ask_button: str
    clear_button: str
    examples_heading: str
    passages_heading: str
    passage_heading: str
    searching: str
    passages_found: str
    something_wrong: str
    needs_javascript: str
    connection_lost: str
    opening_index: str
    no_index: str
    not_medical_advice: str
    level_likely: str
    level_likely_means: str
    level_possible: str
    level_possible_means: str
    too_many_questions: str
    staff_sign_in: str
    # The staff page.
    desk_title: str
    desk_reminder: str
    desk_level_possible_means: str
    signed_in_as: str
    sign_out: str
    # Signing in and out.
    account_name: str
    account_password: str
    sign_in: str
    sign_in_wrong: str
    sign_in_limited: str
    sign_in_refused: str
    sign_in_broken: str
    sign_in_without_role: str
    sign_out_everywhere: str
    signed_out: str
    to_staff_page: str
    to_patient_page: str
    # What stands on the staff page.
    desk_warnings: str
    protocol_heading: str
    other_passages_heading: str
    desk_disagree: str
    desk_disagree_means: str
    desk_disagree_said: str
    mark_staff: str
    mark_patient: str
    mark_not_yet: str
    mark_draft: str
    mark_withdrawn: str
    mark_overdue: str
    # A citation.
    page: str
    slide: str
    sheet: str
    recognised: str
    section: str
    approved_on: str
    version: str
    also_in: str
    opens_in_new_tab: str
    copy_quote: str
    copied: str
    not_copied: str
    # The document page.
    document_text: str
    document_picture: str
    document_picture_and_text: str
    document_picture_missing: str
    document_without_text: str
    document_recognised: str
    page_of: str
    page_among: str
    part_of: str
    pages: str
    previous: str
    next: str
    zoom: str
    zoom_fit: str
    zoom_large: str
    zoom_largest: str
    quote_not_placed: str
    quote_changed: str
    quote_elsewhere: str
    quote_in_text: str
    not_here_title: str
    not_here: str
    not_here_for_staff: str
    open_again: str
    ask_something: str
    too_many_pages: str
    # Answers without passages.
    not_covered: str
    not_covered_at_once: str
    documents_disagree: str
    question_empty: str
    question_too_long: str
    question_without_words: str
    question_other_language: str
    language_names: dict[str, str]
    # Whom to call.
    call_with_number: str
    call_without_number: str
    also_call_with_number: str
    also_call_without_number: str
    open_now: str
    opens_later_today: str
    opens_tomorrow: str
    opens_on: str


def known_languages() -> tuple[str, ...]:
    """The languages that have a catalogue, sorted."""
    folder = files("qa").joinpath("data", "messages")
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")))


@cache
def load_messages(language: str = "en") -> Messages:
    """The catalogue of `language` (a lower-case code). Raises SettingsError where there is none or it has gaps."""
    if language not in known_languages():
        raise SettingsError(
            "there are no messages in this language",
            found=repr(language),
            expected=" or ".join(known_languages()),
            remedy="Add qa/data/messages/<language>.toml with every sentence of en.toml.",
        )
    entry = files("qa").joinpath("data", "messages", f"{language}.toml")
    sentences = tomllib.loads(entry.read_text(encoding="utf-8"))
    expected = {field.name for field in fields(Messages)}
    if sentences.keys() != expected:
        raise SettingsError(
            "the messages do not match what the program says",
            path=entry.name,
            found=", ".join(sorted(sentences.keys() ^ expected)),
            expected="exactly the sentences of en.toml",
            remedy="Add what is missing and take out what is unknown.",
        )
    return Messages(**sentences)
