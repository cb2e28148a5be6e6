"""The sections of `clinic.toml`, typed; `clinic.toml` at the top of this project explains every key."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, IPvAnyNetwork, field_validator, model_validator

from qa.audience import Audience

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"no time zone is called {name!r}; use a name such as America/Chicago") from error
    return name


def _not_blank(text: str) -> str:
    if not any(character.isalnum() for character in text):  # an invisible character is no text either
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
    """Who the clinic is and when its phone is answered.

    `emergency_protocol` is the id of the document that staff see first when somebody is in danger.
    """

    name: str = "Our clinic"
    phone: str = ""
    hours_line: str = ""
    hours: dict[Weekday, tuple[Opening, ...]] = Field(default_factory=dict)
    closed_on: tuple[date, ...] = ()
    emergency_protocol: str = ""
    timezone: Annotated[str, AfterValidator(_known_zone)] = "America/New_York"
    languages: tuple[str, ...] = Field(default=("en",), min_length=1)


class Urgent(_Section):
    """What a person in danger is told. No text can be empty.

    `crisis` and `emergency` stand on every page. The lines of guidance come first in the answer to a question that is
    one. `rules` is a folder with the clinic's own triage rules; None means those of the package.
    """

    crisis: Guidance = "Thinking about suicide, or afraid for somebody? Call or text 988 at any hour."
    emergency: Guidance = "If somebody is in danger right now, call 911."
    crisis_guidance: tuple[Guidance, ...] = Field(
        default=(
            "You do not have to be alone with this. Somebody will talk with you now.",
            "Call 988 or text 988, at any hour, or chat at 988lifeline.org. It is free and confidential.",
            "En español: llame al 988 y oprima el 2, o envíe la palabra AYUDA en un mensaje de texto al 988.",
            "If somebody is hurt, or may be in the next minutes, call 911.",
        ),
        min_length=1,
    )
    emergency_guidance: tuple[Guidance, ...] = Field(
        default=(
            "Call 911 now, and do what they tell you. Please do not wait for an answer on this page.",
            "Stay with the person. Nobody who is unwell should drive.",
            "En español: llame al 911 ahora.",
            "If somebody wanted to die, call 911 first; 988 (call or text) helps at any hour.",
        ),
        min_length=1,
    )
    advice: Guidance = "This is general information. Your nurse can tell you what applies to you."
    rules: Path | None = None


class Corpus(_Section):
    """Where the documents are and which are let in."""

    folder: Path = Path("corpus")
    folder_audience: dict[str, Audience] = Field(default_factory=dict)
    require_approval: bool = True
    max_file_mb: float = Field(default=25.0, gt=0)
    read_seconds: float = Field(default=60.0, gt=0)
    read_memory_mb: int = Field(default=1024, ge=256)
    recognise: bool = True
    recognise_seconds: float = Field(default=60.0, gt=0)

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


class State(_Section):
    """Where the app keeps what is neither document nor index: accounts, the key of its cookies, the journal.

    None means `clinic-qa` in the user's state folder (`$XDG_STATE_HOME`, or `~/.local/state`).
    """

    folder: Path | None = None


class Oidc(_Section):
    """Who signs people in, as `[auth.PROVIDER]` in Streamlit's secrets, and which values of a claim make them what."""

    provider: str = ""
    claim: str = ""
    staff: tuple[str, ...] = ()
    manager: tuple[str, ...] = ()


class SignIn(_Section):
    """How staff sign in. Tries are counted over fifteen minutes."""

    method: Literal["accounts", "oidc"] = "accounts"
    idle_minutes: int = Field(default=30, ge=1)
    absolute_hours: float = Field(default=12, gt=0, allow_inf_nan=False)
    tries_per_account: int = Field(default=5, ge=1)
    tries_per_address: int = Field(default=20, ge=1)
    tries_in_all: int = Field(default=100, ge=1)
    oidc: Oidc = Oidc()


class Limits(_Section):
    """How often may be asked. Behind a `trusted_proxies` address, `X-Forwarded-For` says who asks."""

    questions_per_minute: int = Field(default=15, ge=1)
    questions_per_minute_and_address: int = Field(default=120, ge=1)
    pages_per_minute_and_address: int = Field(default=240, ge=1)
    trusted_proxies: tuple[IPvAnyNetwork, ...] = ()


class Pictures(_Section):
    """What drawing a page as a picture may take, and how many pictures are kept in memory."""

    cache_mb: float = Field(default=64.0, ge=0, allow_inf_nan=False)
    seconds: float = Field(default=10.0, gt=0, allow_inf_nan=False)
    memory_mb: int = Field(default=512, ge=256)


class Claims(_Section):
    """Whether a sentence that claims too much keeps its document from patients until somebody signs it off.

    `rules` is the clinic's own file of rules; None means those of the package.
    """

    mode: Literal["block", "warn"] = "block"
    rules: Path | None = None


class Journal(_Section):
    """Whether questions are written down, and for how many days."""

    questions: Literal["none", "full"] = "none"
    keep_days: int = Field(default=30, ge=1)
