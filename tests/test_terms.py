from __future__ import annotations

import pytest

from qa.terms import stem, term_spans, terms


def test_terms_are_stemmed_and_stop_words_left_out() -> None:
    """Words are compared without case, accents, endings and curly quotes."""
    assert terms("Can I drive? The clinic’s Infusions, café") == ["drive", "clinic", "infus", "cafe"]
    assert terms("infusion") == terms("INFUSIONS")


def test_terms_keep_order_and_repetitions() -> None:
    """A word that stands twice counts twice, in its place."""
    assert terms("cost nausea cost") == ["cost", "nausea", "cost"]


@pytest.mark.parametrize("text", ["", "?! …", "Can I do it with them?", "HOW ARE YOU"])
def test_a_text_may_have_no_terms(text: str) -> None:
    """Marks, and words that stand in any question, are no terms."""
    assert terms(text) == []


def test_a_negation_is_a_term() -> None:
    """Words such as "no", "not" and "never" are what an answer turns on, and are kept."""
    assert terms("do not drive, never, no") == ["not", "drive", "never", "no"]


def test_a_stem_has_no_case_accents_or_possessive() -> None:
    """Forms of one word are one stem, whichever apostrophe was typed."""
    assert {stem(word) for word in ("Patient's", "patient’s", "PATIENTS", "patient")} == {"patient"}
    assert stem("Crème") == stem("creme")


def test_term_spans_point_at_their_words() -> None:
    """Each term knows where its word stands."""
    text = "Don’t drive home."
    assert [text[start:end] for _, start, end in term_spans(text)] == ["Don’t", "drive", "home"]


def test_a_sign_without_a_stem_is_no_term() -> None:
    """A letter that is nothing but a mark on others, as Japanese has, leaves nothing to compare."""
    assert term_spans("\uff9e drive") == [("drive", 2, 7)]


@pytest.mark.parametrize(
    ("text", "expected"), [("ketamine¹,² helps", ["ketamin", "help"]), ("10³ cells", ["10", "cell"]), ("m²", ["m"])]
)
def test_raised_figures_are_no_part_of_a_word(text: str, expected: list[str]) -> None:
    """A footnote's mark or a power leaves the word beside it as it is searched for."""
    assert terms(text) == expected
