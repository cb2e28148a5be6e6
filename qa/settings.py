"""The clinic's settings: environment variables such as `CLINIC_QA_INDEX__FOLDER`, then `clinic.toml`, then defaults.

Every key has a default, and `clinic.toml` at the top of this project writes out and explains every one. A key that does
not exist is an error that names the nearest one that does, because a misspelt setting that is silently ignored is how a
clinic gets a different system from the one it configured.
"""

from __future__ import annotations

import os
import tomllib
from datetime import date, time
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from qa.audience import Audience
from qa.errors import SettingsError

SETTINGS_FILE = "clinic.toml"
ENV_PREFIX = "CLINIC_QA_"

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"no time zone is called {name!r}; use a name such as America/Chicago") from error
    return name


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("this text must not be empty: it is what a person in danger sees first")
    return text


Guidance = Annotated[str, AfterValidator(_not_blank)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Opening(_Section):
    """One stretch of a day on which somebody answers the phone; both times in the clinic's zone."""

    opens: time
    closes: time

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        opens, dash, closes = value.partition("-")
        if not dash:
            raise ValueError(f'opening hours look like "08:00-17:00", not {value!r}')
        return {"opens": opens.strip(), "closes": closes.strip()}

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.opens >= self.closes:
            raise ValueError(f"opens at {self.opens:%H:%M} but closes at {self.closes:%H:%M}, which is not later")
        return self


class Clinic(_Section):
    """Who the clinic is and when its phone is answered."""

    name: str = "Our clinic"
    phone: str = ""
    hours_line: str = ""
    hours: dict[Weekday, tuple[Opening, ...]] = Field(default_factory=dict)
    closed_on: tuple[date, ...] = ()
    timezone: Annotated[str, AfterValidator(_known_zone)] = "America/New_York"
    languages: tuple[str, ...] = Field(default=("en",), min_length=1)


class Urgent(_Section):
    """What a person in danger is told, on every page. Neither text can be empty."""

    crisis: Guidance = "Thinking about suicide, or afraid for somebody? Call or text 988 at any hour."
    emergency: Guidance = "If somebody is in danger right now, call 911."


class Corpus(_Section):
    """Where the documents are and which are let in."""

    folder: Path = Path("corpus")
    folder_audience: dict[str, Audience] = Field(default_factory=dict)
    require_approval: bool = False
    max_file_mb: float = Field(default=25.0, gt=0)
    read_seconds: float = Field(default=60.0, gt=0)
    read_memory_mb: int = Field(default=1024, ge=256)

    @field_validator("folder_audience")
    @classmethod
    def _below_the_corpus(cls, value: dict[str, Audience]) -> dict[str, Audience]:
        for folder in value:
            path = PurePosixPath(folder)
            if path.is_absolute() or ".." in path.parts:
                raise ValueError(f"{folder!r} must be a folder below the corpus folder, such as patient or .")
        return value


class Index(_Section):
    """Where the build puts what it makes."""

    folder: Path = Path("index")
    keep_generations: int = Field(default=3, ge=1)


class Model(_Section):
    """Which sentence-transformers model turns text into vectors."""

    name: str = "all-MiniLM-L6-v2"
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    batch_size: int = Field(default=32, ge=1)
    threads: int = Field(default=0, ge=0)


class Passages(_Section):
    """How documents are cut. Sizes are in the model's own tokens."""

    min_tokens: int = Field(default=80, ge=1)
    max_tokens: int = Field(default=200, ge=16)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min_tokens > self.max_tokens:
            raise ValueError(f"min_tokens ({self.min_tokens}) is above max_tokens ({self.max_tokens})")
        return self


class Retrieval(_Section):
    """How passages are ranked."""

    candidates: int = Field(default=1000, ge=1)
    compared: int = Field(default=100, ge=1)
    words_weight: float = Field(default=1.2, ge=0)
    glossary: Path | None = None
    reranker: str = ""
    reranked: int = Field(default=20, ge=1)
    top: int = Field(default=5, ge=1, le=50)
    returned_tokens: int = Field(default=200, ge=1)
    duplicate_overlap: float = Field(default=0.9, gt=0, le=1)


class Answering(_Section):
    """When passages are shown at all."""

    most_wrong: float = Field(default=0.05, gt=0, lt=1)
    expected_unanswerable: float = Field(default=0.2, ge=0, lt=1)
    questions: Path | None = None
    foreign_questions: Path | None = None
    max_question_characters: int = Field(default=4000, ge=100)


class Settings(BaseSettings):
    """All sections, frozen. Folders are absolute once loaded with `load_settings`."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True, env_prefix=ENV_PREFIX, env_nested_delimiter="__")

    clinic: Clinic = Clinic()
    urgent: Urgent = Urgent()
    corpus: Corpus = Corpus()
    index: Index = Index()
    model: Model = Model()
    passages: Passages = Passages()
    retrieval: Retrieval = Retrieval()
    answering: Answering = Answering()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the library's signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file, whose content arrives as keyword arguments."""
        return (env_settings, init_settings)


def load_settings(path: Path | None = None) -> Settings:
    """Read `path`, or else `clinic.toml` in the working directory where there is one.

    Relative folders in the file are taken from the file's own folder, so that the command works from anywhere.
    Raises SettingsError for a file that is missing (when named) or unreadable, and for keys and values that are wrong.
    """
    named = path or (Path(os.environ[ENV_PREFIX + "SETTINGS"]) if ENV_PREFIX + "SETTINGS" in os.environ else None)
    file = named or Path(SETTINGS_FILE)
    content: dict[str, object] = {}
    if file.is_file():
        try:
            content = tomllib.loads(file.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsError("is not valid TOML", path=file, found=str(error), remedy="Mend that line.") from error
    elif named:
        raise SettingsError("the settings file is not there", path=file, remedy="Check the name after --settings.")
    _check_environment()
    try:
        settings = Settings(**content)  # type: ignore[arg-type] # pydantic checks the types
    except ValidationError as error:
        raise _settings_error(error, file if content else None) from error
    base = file.resolve().parent
    settings = _with_files(settings, base)
    return with_folders(settings, corpus=base / settings.corpus.folder, index=base / settings.index.folder)


def _with_files(settings: Settings, base: Path) -> Settings:
    """The same settings, with the files they name taken from `base` where their paths are relative."""
    retrieval, answering = settings.retrieval, settings.answering
    reranker = retrieval.reranker
    if reranker and (base / reranker).is_dir():
        reranker = str(base / reranker)
    glossary = base / retrieval.glossary if retrieval.glossary else None
    named = {
        name: base / path
        for name in ("questions", "foreign_questions")
        if (path := getattr(answering, name)) is not None
    }
    return settings.model_copy(
        update={
            "retrieval": retrieval.model_copy(update={"glossary": glossary, "reranker": reranker}),
            "answering": answering.model_copy(update=named),
        }
    )


def with_folders(settings: Settings, *, corpus: Path | None, index: Path | None) -> Settings:
    """The same settings with other folders, made absolute; None leaves a folder as it is."""
    corpus_folder = (corpus or settings.corpus.folder).absolute()
    index_folder = (index or settings.index.folder).absolute()
    return settings.model_copy(
        update={
            "corpus": settings.corpus.model_copy(update={"folder": corpus_folder}),
            "index": settings.index.model_copy(update={"folder": index_folder}),
        }
    )


def _check_environment() -> None:
    for variable in os.environ:
        section = variable.removeprefix(ENV_PREFIX).partition("__")[0].lower()
        if variable.startswith(ENV_PREFIX) and section != "settings" and section not in Settings.model_fields:
            raise SettingsError(
                f"the environment variable {variable} names no section of the settings",
                remedy=_suggestion(section, list(Settings.model_fields)),
            )


def _settings_error(error: ValidationError, file: Path | None) -> SettingsError:
    first = error.errors()[0]
    location = [str(part) for part in first["loc"]]
    key = ".".join(location)
    if first["type"] == "extra_forbidden":
        known = _known_keys(location[:-1])
        return SettingsError(f"there is no setting {key}", path=file, remedy=_suggestion(location[-1], known))
    return SettingsError(
        f"the setting {key} cannot be used",
        path=file,
        found=repr(first["input"]),
        expected=first["msg"].removeprefix("Value error, "),
        remedy="clinic.toml explains every setting.",
    )


def _known_keys(sections: list[str]) -> list[str]:
    model: type[BaseModel] = Settings
    for section in sections:
        field = model.model_fields.get(section)
        if field is None or not (isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)):
            return []
        model = field.annotation
    return list(model.model_fields)


def _suggestion(key: str, known: list[str]) -> str:
    nearest = get_close_matches(key, known, n=1, cutoff=0.5)
    return f"Did you mean {nearest[0]}?" if nearest else f"Known here: {', '.join(known)}."
