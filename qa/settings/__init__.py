"""The clinic's settings: environment variables such as `CLINIC_QA_INDEX__FOLDER`, then `clinic.toml`, then defaults.

Every key has a default, and `clinic.toml` at the top of this project writes out and explains every one. A key that does
not exist is an error that names the nearest one that does, because a misspelt setting that is silently ignored is how a
clinic gets a different system from the one it configured.
"""

from __future__ import annotations

import os
import tomllib
from difflib import get_close_matches
from pathlib import Path

from pydantic import BaseModel, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from qa.errors import SettingsError
from qa.settings.sections import (
    WEEKDAYS,
    Answering,
    Claims,
    Clinic,
    Corpus,
    Index,
    Journal,
    Limits,
    Model,
    Oidc,
    Passages,
    Pictures,
    Retrieval,
    SignIn,
    State,
    Urgent,
    Weekday,
)

__all__ = [
    "WEEKDAYS",
    "Answering",
    "Claims",
    "Clinic",
    "Corpus",
    "Index",
    "Journal",
    "Limits",
    "Model",
    "Oidc",
    "Passages",
    "Pictures",
    "Retrieval",
    "Settings",
    "SignIn",
    "State",
    "Urgent",
    "Weekday",
    "load_settings",
    "with_folders",
]

SETTINGS_FILE = "clinic.toml"
ENV_PREFIX = "CLINIC_QA_"
_NOT_SECTIONS = ("settings", "cookie_key")  # the settings file's name, and the key that signs staff's cookies


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
    claims: Claims = Claims()
    sign_in: SignIn = SignIn()
    limits: Limits = Limits()
    pictures: Pictures = Pictures()
    journal: Journal = Journal()
    state: State = State()

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
    retrieval, answering, urgent, claims = settings.retrieval, settings.answering, settings.urgent, settings.claims
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
            "urgent": urgent.model_copy(update={"rules": base / urgent.rules if urgent.rules else None}),
            "claims": claims.model_copy(update={"rules": base / claims.rules if claims.rules else None}),
            "state": State(folder=base / settings.state.folder if settings.state.folder else state_folder()),
        }
    )


def state_folder() -> Path:
    """Where this user's programs keep their state; below it, our folder."""
    home = os.environ.get("XDG_STATE_HOME", "")
    return (Path(home) if Path(home).is_absolute() else Path.home() / ".local" / "state") / "clinic-qa"


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
        if variable.startswith(ENV_PREFIX) and section not in (*_NOT_SECTIONS, *Settings.model_fields):
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
        expected=first["msg"].removeprefix("Value error, ").removeprefix("Input should be "),
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
