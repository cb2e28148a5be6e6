from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel

from qa.audience import Audience
from qa.errors import SettingsError
from qa.settings import Settings, load_settings

CLINIC_TOML = Path(__file__).parent.parent / "clinic.toml"
SHIPPED = Path(__file__).with_name("clinic.toml")  # as it came, whatever a clinic has made of its own; CI compares them


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "clinic.toml"
    path.write_text(text, encoding="utf-8")
    return path


def sections() -> list[tuple[str, type[BaseModel]]]:
    return [(name, type(getattr(Settings(), name))) for name in Settings.model_fields]


@pytest.mark.parametrize(("name", "model"), sections())
def test_every_setting_stands_in_clinic_toml(name: str, model: type[BaseModel]) -> None:
    """The clinic's file writes out every setting that there is; those that are nothing by default are commented out."""
    text = CLINIC_TOML.read_text(encoding="utf-8")
    set_there = set(tomllib.loads(text).get(name, {}))
    nothing = {key for key, field in model.model_fields.items() if field.default is None}
    assert set_there >= set(model.model_fields) - nothing
    with_examples = tomllib.loads(re.sub(r"(?m)^# (?=\w+ = )", "", text))[name]
    assert set(with_examples) == set(model.model_fields)
    model.model_validate(with_examples)


@pytest.mark.parametrize("name", [name for name, _ in sections() if name != "clinic"])
def test_clinic_toml_has_the_defaults(name: str) -> None:
    """Outside the sample clinic's own section, every value in the file is the default."""
    content = tomllib.loads(SHIPPED.read_text(encoding="utf-8"))
    section = type(getattr(Settings(), name))
    assert section.model_validate(content[name]) == section()  # whatever the environment says


def test_every_setting_is_explained() -> None:
    """Each line that sets something is explained on the line or in the comment above it."""
    lines = CLINIC_TOML.read_text(encoding="utf-8").splitlines()
    block_is_explained = False
    for line in lines:
        if not line.strip():
            block_is_explained = False
        elif line.startswith("#"):
            block_is_explained = True
        elif re.match(r"\w+ = ", line):
            assert block_is_explained or "#" in line, line


def test_folders_are_relative_to_the_file(tmp_path: Path) -> None:
    """The command works from any folder, because folders in the file are taken from where the file is."""
    settings = load_settings(written(tmp_path, '[corpus]\nfolder = "documents"'))
    assert settings.corpus.folder == tmp_path / "documents"
    assert settings.index.folder == tmp_path / "index"


def test_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable overrides the same key of the file and leaves its neighbours alone."""
    monkeypatch.setenv("CLINIC_QA_RETRIEVAL__TOP", "7")
    settings = load_settings(written(tmp_path, "[retrieval]\ntop = 2\ncandidates = 9"))
    assert (settings.retrieval.top, settings.retrieval.candidates) == (7, 9)


@pytest.mark.parametrize(
    ("text", "wrong", "nearest"),
    [
        ('[index]\nfoldr = "x"', "index.foldr", "folder"),
        ("[retreival]\ntop = 3", "retreival", "retrieval"),
        ('[clinic]\nphon = "1"', "clinic.phon", "phone"),
    ],
)
def test_an_unknown_key_names_the_nearest_known_one(tmp_path: Path, text: str, wrong: str, nearest: str) -> None:
    """A misspelt key is an error that says what was probably meant."""
    with pytest.raises(SettingsError) as error:
        load_settings(written(tmp_path, text))
    assert wrong in str(error.value)
    assert f"Did you mean {nearest}?" in str(error.value)


def test_an_unknown_variable_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt environment variable is not ignored either."""
    monkeypatch.setenv("CLINIC_QA_INDX__FOLDER", "/x")
    with pytest.raises(SettingsError, match="Did you mean index"):
        load_settings(written(tmp_path, ""))


@pytest.mark.parametrize(
    "text",
    [
        "[answering]\nthreshold = 3",
        '[clinic.hours]\nmon = ["9-17"]',
        '[clinic.hours]\nmon = ["17:00-08:00"]',
        '[clinic]\ntimezone = "Mars/Olympus"',
        '[corpus.folder_audience]\npatient = "everyone"',
        '[corpus.folder_audience]\n"../other" = "patient"',
        "[passages]\nmin_tokens = 200\nmax_tokens = 100",
        "[sign_in]\nabsolute_hours = inf",
        "this is not TOML",
    ],
)
def test_a_value_that_cannot_be_used_is_an_error(tmp_path: Path, text: str) -> None:
    """Wrong values are refused with the file's name."""
    with pytest.raises(SettingsError, match=re.escape("clinic.toml")):
        load_settings(written(tmp_path, text))


@pytest.mark.parametrize("text", ["  ", "\u200b", "\u2060\u00ad", "..."])
@pytest.mark.parametrize("key", ["crisis", "emergency"])
def test_guidance_cannot_be_emptied(tmp_path: Path, key: str, text: str) -> None:
    """What a person in danger is told can be reworded, but neither switched off nor made of what nobody sees."""
    with pytest.raises(SettingsError, match="person in danger"):
        load_settings(written(tmp_path, f'[urgent]\n{key} = "{text}"'))


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    """A settings file that was asked for by name and is missing is an error, not the defaults."""
    with pytest.raises(SettingsError, match="not there"):
        load_settings(tmp_path / "other.toml")


def test_folders_give_no_audience_by_default() -> None:
    """Without the clinic's word, no folder makes its documents readable for patients."""
    assert Settings().corpus.folder_audience == {}
    assert load_settings(SHIPPED).corpus.folder_audience == {}


def test_folder_audience_is_read(tmp_path: Path) -> None:
    """The clinic can say once for a folder whom its documents are for."""
    settings = load_settings(written(tmp_path, '[corpus.folder_audience]\n"." = "patient"'))
    assert settings.corpus.folder_audience == {".": Audience.PATIENT}
