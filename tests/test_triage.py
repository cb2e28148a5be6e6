from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from conftest import NamesEmbedder, WordEmbedder
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.cli import main
from qa.embed import ModelFingerprint, Vectors
from qa.errors import SettingsError
from qa.models import Urgency
from qa.triage import MOST_COMPARED, knows_model, load_reviewed, triage
from qa.triage.examples import Example
from qa.triage.learn import learn
from qa.triage.learned import CLASSES, read_learned
from qa.triage.units import units

LONG = "I came by bus and the weather was fine and we talked about my garden and the tomatoes and the neighbours "


def by_words(text: str) -> Urgency:
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
    assert by_words(text) is Urgency.CRISIS


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
    assert by_words(text) is Urgency.EMERGENCY


@pytest.mark.parametrize(
    "text",
    ["should i stop my lexapro before i start", "can I take ibuprofen with my lozenge", "¿debo dejar la sertralina?"],
)
def test_a_decision_about_this_person_is_advice(text: str) -> None:
    """Whether to stop or mix medicines is for a nurse to say."""
    assert by_words(text) is Urgency.ADVICE


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
        "driving",
        "parrots",
        "hola",
        "cancel",
        "x",
        "zxcv zxcv zxcv",
        "1234",
        "Wo kann ich parken?",
    ],
)
def test_harmless_questions_are_left_alone(text: str) -> None:
    """General questions, figures of speech, denials what is long over and what nobody understands raise no alarm."""
    assert by_words(text) is Urgency.NONE


def test_a_sentence_in_a_long_story_is_found() -> None:
    """One clause within a thousand words without a full stop is found."""
    assert by_words(LONG * 20 + "and i want to kill myself " + LONG * 20) is Urgency.CRISIS


def test_a_crisis_comes_before_an_emergency_and_advice() -> None:
    """Of several urgencies the first of the order counts."""
    assert by_words("Should I stop my lexapro? My chest hurts. I want to die.") is Urgency.CRISIS
    assert by_words("Should I stop my lexapro? I cannot breathe and my chest hurts.") is Urgency.EMERGENCY


def test_the_reason_never_repeats_the_text() -> None:
    """The reason names what was reviewed, so that nothing that somebody typed gets into a log."""
    for text in (
        "zanzibar and i want to die",
        "zanzibar, my chest hurts and my arm is numb",
        "should i stop zanzibar",
    ):
        assert "zanzibar" not in triage(text, rules=None, embedder=None).reason


class Broken(WordEmbedder):
    def encode(self, texts: Sequence[str]) -> Vectors:
        raise RuntimeError(f"no memory for {len(texts)} texts")


@pytest.mark.parametrize(
    ("kind", "is_packaged"), [(Broken, True), (Broken, False), (WordEmbedder, False), (NamesEmbedder, False)]
)
def test_a_model_that_fails_or_is_another_is_done_without(kind: type[WordEmbedder], *, is_packaged: bool) -> None:
    """Words alone decide where encoding raises, and with a model that triage was not learned with."""
    digest = load_reviewed().learned.model if is_packaged else "0" * 64
    embedder = kind(ModelFingerprint("toy", digest, "float32"))
    assert knows_model(None, embedder) is is_packaged
    for text in ("I want to die", "where do I park?", "my wife will not wake up"):
        assert triage(text, rules=None, embedder=embedder) == triage(text, rules=None, embedder=None)


def test_the_parts_of_a_long_text_reach_both_ends() -> None:
    """A long text is judged as a whole and in parts, the first and last words among them; a short one as a whole."""
    text = "first things first. " + ". ".join(f"sentence number {n} of many" for n in range(2000)) + ". at last we end"
    found = units(load_reviewed().spelling.sentences(text))
    assert (found[0].is_part, found[1].is_part, found[1].words[0], found[-1].words[-2]) == (False, True, "first", "end")
    assert [unit.is_part for unit in units(load_reviewed().spelling.sentences("Where do I park?"))] == [False]


class Counting(WordEmbedder):
    def encode(self, texts: Sequence[str]) -> Vectors:
        self.calls = [*getattr(self, "calls", []), len(texts)]
        return np.zeros((len(texts), load_reviewed().learned.landmarks.shape[1]), dtype=np.float32)


def test_a_story_goes_through_the_model_once() -> None:
    """All parts of a text are encoded in one batch, of bounded size however long the text is."""
    embedder = Counting(ModelFingerprint("toy", load_reviewed().learned.model, "float32"))
    triage(LONG * 10, rules=None, embedder=embedder)
    triage(LONG * 10_000, rules=None, embedder=embedder)
    assert len(embedder.calls) == 2
    assert embedder.calls[1] <= MOST_COMPARED


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=400))
def test_any_text_gets_an_answer(text: str) -> None:
    """No text whatever makes triage raise, and a score lies between 0 and 1."""
    assert 0 <= triage(text, rules=None, embedder=None).score <= 1


@pytest.mark.parametrize(
    "piece", ["a", "i want to ", ". ", "not not ", "k*", "*", "'", "s u i ", "😀", "\u200b", "(((("]
)
def test_a_hostile_text_is_answered(piece: str) -> None:
    """A hundred thousand characters of the worst come back."""
    assert triage(piece * (100_000 // len(piece)), rules=None, embedder=None).urgency in Urgency


def copied(folder: Path) -> Path:
    shutil.copytree(str(files("qa").joinpath("data", "triage")), folder)
    return folder


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("always.toml", "crisis = [", "not valid TOML"),
        ("always.toml", 'crisis = ["a"]', "a list is missing"),
        ("always.toml", 'crisis = []\nemergency = ["a"]', "crisis is no list, or empty"),
        ("always.toml", 'crisis = ["…"]\nemergency = ["a"]', "has no words"),
        ("en/crisis.txt", "# nothing\n", "clinic-qa triage --learn"),
        ("spelling.toml", "keywords = []", "clinic-qa triage --learn"),
        ("learned.npz", "rubbish", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, file: str, content: str, said: str) -> None:
    """A clinician's slip gives a sentence with what is wrong and where, or the command that takes the change up."""
    folder = copied(tmp_path / "triage")
    (folder / file).write_text(content, encoding="utf-8")
    with pytest.raises(SettingsError, match=said):
        load_reviewed(folder)


def test_own_files_that_cannot_be_used_take_no_guidance_away(tmp_path: Path) -> None:
    """With a clinic's own files damaged, the packaged ones judge."""
    folder = copied(tmp_path / "triage")
    (folder / "learned.npz").write_text("rubbish", encoding="utf-8")
    assert triage("I want to kill myself", rules=folder, embedder=None).urgency is Urgency.CRISIS


def test_a_clinic_has_phrases_of_its_own(tmp_path: Path) -> None:
    """A phrase in the clinic's own folder counts there, however it is spelt, and nowhere else."""
    folder = copied(tmp_path / "triage")
    always = folder / "always.toml"
    always.write_text(always.read_text().replace("crisis = [", 'crisis = [\n  "I am under the blue umbrella",'))
    assert triage("Well, I’m under the BLUE umbrella", rules=folder, embedder=None).urgency is Urgency.CRISIS
    assert by_words("Well, I’m under the BLUE umbrella") is Urgency.NONE


def test_what_was_learned_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    """Words and meaning say the same after a round trip through the file, and each example's own urgency."""
    texts = {
        "red fire now": Urgency.CRISIS,
        "blue fall now": Urgency.EMERGENCY,
        "may i": Urgency.ADVICE,
        "tea": Urgency.NONE,
    }
    examples = [Example(text, urgency, "en") for text, urgency in texts.items() for _ in range(3)]
    words = [tuple(example.text.split()) for example in examples]
    vectors = np.repeat(np.eye(4, dtype=np.float32), 3, axis=0)
    fitted = learn(words, examples, vectors, digest="d", model="m", known=frozenset({"tea"}))
    fitted.learned.save(tmp_path / "learned.npz")
    back = read_learned((tmp_path / "learned.npz").read_bytes(), "learned.npz")
    for each in (None, vectors):
        said = back.probabilities(words, each)
        assert [CLASSES[best] for best in said.argmax(axis=1)] == [example.urgency for example in examples]
        assert np.allclose(said, fitted.learned.probabilities(words, each), atol=0.02)
    assert (back.known, back.examples, back.model) == (frozenset({"tea"}), "d", "m")
    assert back.nearest(vectors[0], Urgency.CRISIS) == "red fire now"


def test_the_command_prints_lines_in_order_without_the_texts() -> None:
    """A batch gives one object a line, with its number and id, and never the text."""
    lines = '{"text": "I want to die", "id": 7}\n\n{"text": "where is the zanzibar room"}\n'
    result = CliRunner().invoke(main, ["triage", "--patterns-only", "--batch", "-"], input=lines)
    first, second = (json.loads(line) for line in result.stdout.splitlines())
    assert (first["line"], first["id"], first["urgency"], first["reason"]) == (1, 7, "crisis", "says “i want to die”")
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
