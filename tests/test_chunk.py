from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from builders import H, L, P, T, document, entry

from qa.chunk import ModelTokens, embedded_text, split
from qa.embed import ModelFiles
from qa.models import BlockKind, CorpusDocument, EmbeddedText, Page, Passage
from qa.offsets import Span
from qa.settings import Passages

SMALL = Passages(min_tokens=4, max_tokens=16)
LIMIT = 24


class Words:
    """Counts words instead of tokens, so that sizes can be worked out by eye."""

    def count(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    def offsets(self, text: str) -> list[Span]:
        return [(word.start(), word.end()) for word in re.finditer(r"\S+", text)]


def texts(read: CorpusDocument, settings: Passages = SMALL) -> list[str]:
    return [passage.text for passage in split(read, Words(), settings, LIMIT)]


def sentence(words: int, name: str = "Word") -> str:
    return " ".join([name, *["word"] * (words - 1)]) + "."


def test_a_passage_never_crosses_a_heading() -> None:
    """Short sections stay apart, however short they are, and know their headings."""
    read = entry("a", document((H, "One"), (P, "First."), (H, "Two"), (P, "Second."), (H, "Deep", 2), (P, "Third.")))
    passages = split(read, Words(), SMALL, LIMIT)
    assert [(passage.text, passage.headings) for passage in passages] == [
        ("First.", ("One",)),
        ("Second.", ("Two",)),
        ("Third.", ("Two", "Deep")),
    ]


def test_short_neighbours_of_a_section_are_put_together() -> None:
    """Paragraphs of one section share a passage while they fit."""
    read = entry("a", document((P, "One two three."), (P, "Four five six.")))
    assert texts(read) == ["One two three.\n\nFour five six."]


def test_sentences_stay_whole() -> None:
    """A section that is too long is cut between sentences, into parts of about one size."""
    sentences = [sentence(6, name) for name in ("Alpha", "Beta", "Gamma", "Delta")]
    assert texts(entry("a", " ".join(sentences))) == [" ".join(sentences[:2]), " ".join(sentences[2:])]


def test_a_very_long_sentence_is_cut_after_a_comma() -> None:
    """What cannot stay whole is cut where a reader would breathe; nothing is lost."""
    long = "one two three four five six seven eight nine ten, " + "more " * 10 + "end."
    parts = texts(entry("a", long))
    assert parts[0].endswith("ten,")
    assert " ".join(parts) == long


def test_a_list_keeps_the_line_that_introduces_it() -> None:
    """The introducing line shares a passage with the first item, and later parts carry it as their lead-in."""
    items = [(L, sentence(5, name)) for name in ("Alpha", "Beta", "Gamma", "Delta")]
    read = entry("a", document((P, "Bring these things:"), *items))
    first, second = split(read, Words(), SMALL, LIMIT)
    assert first.text.startswith("Bring these things:\n\nAlpha")
    assert first.lead_in == ""
    assert second.lead_in == "Bring these things:"


def test_a_list_item_and_a_table_row_are_never_cut() -> None:
    """Items and rows stay whole even when they hold several sentences."""
    row = "Service: Infusion; Price: high. Ask us. Please do."
    read = entry("a", document((T, row), (T, row), (T, row)))
    assert all(set(part.split("\n\n")) == {row} for part in texts(read))


def test_ids_are_document_and_place() -> None:
    """A passage's id does not depend on other documents, nor on the passages around it."""
    first, second = (split(entry(name, "Same text."), Words(), SMALL, LIMIT)[0] for name in ("a.md", "b.md"))
    assert (first.id, second.id) == ("a.md#0-10", "b.md#0-10")


def test_pages_are_those_that_the_passage_touches() -> None:
    """A passage over a page break names both pages."""
    read = entry("a", document((P, "One two."), (P, "Three four."), pages=(Page("i", 0, 8), Page("ii", 10, 21))))
    assert [passage.pages for passage in split(read, Words(), SMALL, LIMIT)] == [(1, 2)]


def test_a_heading_with_nothing_under_it_can_be_found() -> None:
    """A heading that stands alone is a passage; one that has text below it is not."""
    read = entry("a", document((H, "We moved to Main Street"), (H, "Top"), (H, "Below", 2), (P, "Text.")))
    assert texts(read) == ["We moved to Main Street", "Text."]


def test_every_character_is_in_one_passage() -> None:
    """But for headings and the white space between blocks nothing is lost and nothing stands twice."""
    blocks = [(P, " ".join(sentence(n % 9 + 1) for n in range(7))), (L, sentence(30)), (T, sentence(3)), (P, "x" * 300)]
    read = entry("a", document((H, "Heading"), *blocks, (H, "Other"), *blocks))
    spans = [(passage.start, passage.end) for passage in split(read, Words(), SMALL, LIMIT)]
    covered = "".join(read.document.text[start:end] for start, end in spans)
    expected = "".join(
        read.document.text[block.start : block.end]
        for block in read.document.blocks
        if block.kind is not BlockKind.HEADING
    )
    assert "".join(covered.split()) == "".join(expected.split())
    assert spans == sorted(spans)


def embedded(passage: Passage, title: str, limit: int = LIMIT) -> list[str]:
    return embedded_text(passage, title, Words(), limit).text.split("\n")


def test_title_and_headings_stand_in_front() -> None:
    """What is embedded begins with where the passage stands."""
    (passage,) = split(entry("a", document((H, "Costs"), (P, "Ask us."))), Words(), SMALL, LIMIT)
    text = embedded_text(passage, "Price list", Words(), LIMIT)
    assert text == EmbeddedText("Price list\nCosts\nAsk us.", front=len("Price list\nCosts\n"))
    assert text.own == "Ask us."


def test_the_front_gives_way_and_the_text_never_does() -> None:
    """When all does not fit, outer headings go first and the innermost stays longest."""
    blocks = [(H, f"Outer heading number {level}", level) for level in (1, 2, 3)]
    read = entry("a", document(*blocks, (H, "Inner", 4), (P, sentence(16))))
    (passage,) = split(read, Words(), SMALL, LIMIT)
    assert embedded(passage, "A title") == ["A title", "Inner", sentence(16)]


@pytest.mark.parametrize("text", ["word " * 3000, "x" * 5000, "ketamine, " * 900, "日本語" * 800, "a b. " * 1500])
def test_the_models_limit_is_never_reached(text: str) -> None:
    """Counted with the model's own tokenizer, what is embedded fits, whatever the text, headings and title."""
    model = ModelFiles.find("all-MiniLM-L6-v2")
    tokens = ModelTokens(model.tokenizer())
    headings = [(H, f"Heading of some length, number {level}", level) for level in range(1, 60)]
    read = entry("a", document(*headings, (P, text.strip())))
    passages = split(read, tokens, Passages(), model.limit)
    assert passages
    for passage in passages:
        sizes = tokens.count([passage.text, embedded_text(passage, "title " * 100, tokens, model.limit).text])
        assert sizes[0] <= 200
        assert sizes[1] + 2 <= model.limit


def test_long_headings_and_lead_ins_are_kept_short_around_passages() -> None:
    """What every passage of a section carries is at most 300 characters, cut at a word and marked as cut."""
    items = [(L, sentence(5, name)) for name in ("Alpha", "Beta", "Gamma", "Delta")]
    long = "heading " * 1_000
    read = entry("a", document((H, long.strip()), (P, "x, " * 1_000 + "bring:"), *items))
    passages = split(read, Words(), SMALL, LIMIT)
    carried = {text for passage in passages for text in (*passage.headings, passage.lead_in)}
    assert max(map(len, carried)) <= 300
    assert passages[-1].headings[0].endswith(" heading…")
    assert passages[-1].lead_in.endswith("…")


def test_a_heading_that_is_cut_short_is_a_passage_too() -> None:
    """Of a heading too long to be carried whole nothing is lost: it is text of its own, above what is under it."""
    long = " ".join(f"word{number}" for number in range(80))
    read = entry("a", document((H, "Top"), (H, long, 2), (P, "Under it.")))
    passages = split(read, Words(), SMALL, LIMIT)
    assert " ".join(passage.text for passage in passages) == f"{long} Under it."
    assert passages[0].headings == ("Top",)
    assert passages[-1].headings[0] == "Top"
    assert len(passages[-1].headings) == 2


def test_a_deep_path_keeps_its_ends() -> None:
    """Of more than eight headings above a passage the two outermost and the six innermost stay."""
    headings = [(H, f"Level {level}", level) for level in range(1, 13)]
    (passage,) = split(entry("a", document(*headings, (P, "Text."))), Words(), SMALL, LIMIT)
    assert passage.headings == tuple(f"Level {level}" for level in (1, 2, 7, 8, 9, 10, 11, 12))


def test_a_long_title_is_counted_short() -> None:
    """What the tokenizer is given for each passage does not grow with the title."""
    given: list[str] = []

    class Watched(Words):
        def count(self, texts: Sequence[str]) -> list[int]:
            given.extend(texts)
            return super().count(texts)

    (passage,) = split(entry("a", "Ask us."), Words(), SMALL, LIMIT)
    assert embedded_text(passage, "title " * 10_000, Watched(), LIMIT) == EmbeddedText("Ask us.", front=0)
    assert max(map(len, given)) <= 300
