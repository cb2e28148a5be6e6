from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import NamesEmbedder, WordEmbedder
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.cli import main
from qa.embed import Vectors
from qa.errors import SettingsError
from qa.models import Urgency
from qa.triage import tells_apart, triage
from qa.triage.meaning import MOST_UNITS, units
from qa.triage.phrases import parse
from qa.triage.rules import load_rules

LONG = "I came by bus and the weather was fine and we talked about my garden and the tomatoes and the neighbours "


def by_phrases(text: str) -> Urgency:
    return triage(text, rules=None, embedder=None).urgency


@pytest.mark.parametrize(
    "text",
    [
        "I want to kill myself",
        "i wanna k!ll mys3lf",
        "I don’t want to be here any more",
        "i dont want to live anymore",
        "su1c1dal rn",
        "s u i c i d e is all I think about",
        "im feeling sucidal again",
        "iwanttodie",
        "i want to diiiie",
        "I want to d\u200bie",
        "My daughter is cutting herself",
        "Do you have parking? I want to kill myself.",
        "ya no quiero vivir",
        "me kiero morir",
        "mi hermano se quiere matar",
    ],
)
def test_a_crisis_is_found_however_it_is_spelt(text: str) -> None:
    """Leetspeak, missing apostrophes, curly quotes, hidden characters, misspellings and Spanish hide nothing."""
    assert by_phrases(text) is Urgency.CRISIS


@pytest.mark.parametrize(
    "text",
    [
        "I cant breathe",
        "c4nt br34the",
        "he is unconcious",
        "she just had a siezure",
        "My mother's face is drooping and her speech is slurred",
        "my toddler swallowed my pills",
        "my throat is closing up",
        "mi mamá no despierta",
        "no puedo respirar",
    ],
)
def test_an_emergency_is_found_however_it_is_spelt(text: str) -> None:
    """Breathing, consciousness, seizures, strokes, swallowed things and allergies, misspelt and in Spanish."""
    assert by_phrases(text) is Urgency.EMERGENCY


@pytest.mark.parametrize(
    "text",
    ["should i stop my lexapro before i start", "can I take ibuprofen with my lozenge", "¿debo dejar la sertralina?"],
)
def test_a_decision_about_this_person_is_advice(text: str) -> None:
    """Whether to stop or mix medicines is for a nurse to say."""
    assert by_phrases(text) is Urgency.ADVICE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "...",
        "do you treat people with a history of suicide attempts?",
        "this traffic is killing me",
        "I'm not suicidal, but can you help my anxiety?",
        "I attempted in 2015, am I still a candidate?",
        "what is the usual dose?",
        "what happens if somebody has a seizure during the infusion?",
        "me muero por saber cuánto cuesta",
        "where do I park?",
    ],
)
def test_harmless_questions_are_left_alone(text: str) -> None:
    """General questions, figures of speech, denials and what is long over raise no alarm."""
    assert by_phrases(text) is Urgency.NONE


def test_a_sentence_in_a_long_story_is_found() -> None:
    """One clause within a thousand words without a full stop is found by its phrase."""
    assert by_phrases(LONG * 20 + "and i want to kill myself " + LONG * 20) is Urgency.CRISIS


def test_a_crisis_comes_before_an_emergency_and_advice() -> None:
    """Of several urgencies the first of the order counts."""
    assert by_phrases("Should I stop my lexapro? My chest hurts. I want to die.") is Urgency.CRISIS
    assert by_phrases("Should I stop my lexapro? My chest hurts.") is Urgency.EMERGENCY


def test_the_reason_never_repeats_the_text() -> None:
    """The reason is a rule's name, so that nothing that somebody typed gets into a log."""
    found = triage("zanzibar and i want to die", rules=None, embedder=None)
    assert found.reason == "wants to die"


class Broken(WordEmbedder):
    def encode(self, texts: Sequence[str]) -> Vectors:
        raise RuntimeError(f"no memory for {len(texts)} texts")


@pytest.mark.parametrize("embedder", [Broken(), WordEmbedder(), NamesEmbedder()], ids=lambda each: type(each).__name__)
def test_a_model_that_fails_or_tells_nothing_apart_changes_nothing(embedder: WordEmbedder) -> None:
    """Phrases alone decide where encoding raises, or where the model cannot tell the examples apart."""
    assert not tells_apart(None, embedder)
    for text in ("I want to die", "where do I park?", "my wife will not wake up"):
        assert triage(text, rules=None, embedder=embedder) == triage(text, rules=None, embedder=None)


def test_the_stretches_for_the_model_are_few_and_reach_both_ends() -> None:
    """However long a text is, at most `MOST_UNITS` stretches are encoded, its first and last words among them."""
    rules = load_rules()
    text = (
        "first things first. " + ". ".join(f"sentence number {number} of many" for number in range(2000)) + ". at last"
    )
    found = units(rules.sentences(text))
    assert len(found) == MOST_UNITS
    assert found[0].words[0] == "first"
    assert found[-1].words[-1] == "last"


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=400))
def test_any_text_gets_an_answer(text: str) -> None:
    """No text whatever makes triage raise, and a score lies between 0 and 1."""
    assert 0 <= triage(text, rules=None, embedder=None).score <= 1


@pytest.mark.parametrize("piece", ["a", "i want to ", ". ", "not not ", "k*", "'", "s u i ", "😀", "\u200b", "(((("])
def test_a_hostile_text_is_answered(piece: str) -> None:
    """A hundred thousand characters of the worst come back; time is linear, as no phrase repeats without bound."""
    assert triage(piece * (100_000 // len(piece)), rules=None, embedder=None).urgency in Urgency


RULE = '[[rule]]\nname = "a rule"\nwhy = "a test"\nphrases = ["PHRASE"]\nmatches = ["a"]\n'


def copied(folder: Path) -> Path:
    shutil.copytree(str(files("qa").joinpath("data", "triage")), folder)
    return folder


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("crisis.toml", "[[rule", "cannot be read"),
        ("crisis.toml", '[[rule]]\nname = "x"\nwhy = "y"\nphrases = ["(a|b"]\nmatches = ["a"]', "not closed"),
        ("crisis.toml", '[[rule]]\nname = "x"\nwhy = "y"\nphrases = ["{nobody}"]\nmatches = ["a"]', "nobody"),
        ("crisis.toml", '[[rule]]\nname = "x"\nwhy = "y"\nphrases = ["Don\'t"]\nmatches = ["a"]', "small letters"),
        (
            "emergency.toml",
            '[[rule]]\nname = "x"\nwhy = "y"\nphrases = ["a"]\nunless = ["z"]\nmatches = ["a"]',
            "found z",
        ),
        ("advice.toml", '[[rule]]\nname = "x"\nphrases = ["a"]\nmatches = ["a"]', "why"),
        ("examples.toml", 'crisis = ["a"]', "a list is missing"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, file: str, content: str, said: str) -> None:
    """A clinician's slip gives a sentence with the file and what is wrong in it."""
    folder = copied(tmp_path / "triage")
    (folder / file).write_text(content, encoding="utf-8")
    with pytest.raises(SettingsError, match=said) as raised:
        load_rules(folder)
    assert file in str(raised.value)


def test_a_clinic_has_rules_of_its_own(tmp_path: Path) -> None:
    """A rule in the clinic's own folder counts there, and nowhere else."""
    folder = copied(tmp_path / "triage")
    with (folder / "crisis.toml").open("a", encoding="utf-8") as file:
        file.write(
            '\n[[rule]]\nname = "ours"\nwhy = "a test"\nphrases = ["blue umbrella"]\nmatches = ["blue umbrella"]\n'
        )
    assert triage("a blue umbrella", rules=folder, embedder=None).reason == "ours"
    assert by_phrases("a blue umbrella") is Urgency.NONE


def test_gaps_and_signs_of_phrases_mean_what_they_say() -> None:
    """Two dots let up to three words between, a question mark may be left out, a star ends a word openly."""
    phrase = parse("^ {who} (very)? tired .. of liv* $", {"who": ("i am", "she")})
    for text, stands in [
        ("i am tired of living ", True),
        ("she very tired a b c of life ", False),
        ("she very tired a b c of lives ", True),
        ("she tired a b c d of living ", False),
        ("and she tired of living ", False),
    ]:
        assert phrase.stands_in(text, set(text.split())) is stands


def test_the_command_prints_lines_in_order_without_the_texts() -> None:
    """A batch gives one object a line, with its number and id, and never the text."""
    lines = '{"text": "I want to die", "id": 7}\n\n{"text": "where is the zanzibar room"}\n'
    result = CliRunner().invoke(main, ["triage", "--patterns-only", "--batch", "-"], input=lines)
    first, second = (json.loads(line) for line in result.stdout.splitlines())
    assert (first["line"], first["id"], first["urgency"], first["reason"]) == (1, 7, "crisis", "wants to die")
    assert (second["line"], second["urgency"]) == (3, "none")
    assert "zanzibar" not in result.output


@pytest.mark.parametrize("line", ['{"text": 3}', "[]", "secret words", '"text"'])
def test_a_line_that_cannot_be_used_is_named_by_its_number(line: str) -> None:
    """The error names the line of the batch and does not repeat it."""
    result = CliRunner().invoke(
        main, ["triage", "--patterns-only", "--batch", "-"], input=f'{{"text": "hi"}}\n{line}\n'
    )
    assert result.exit_code == 1
    assert "line 2" in result.output
    assert "secret" not in result.output
