"""What is said besides passages: guidance in danger, why a question is not looked up, whom to call."""

from __future__ import annotations

from datetime import datetime

from qa.audience import Audience
from qa.clock import whom_to_call
from qa.language import foreign_language
from qa.messages import known_languages, load_messages
from qa.models import Urgency
from qa.settings import Settings

SPANISH = "En español"  # so begins the line of the guidance for those who read Spanish


def guidance(urgency: Urgency, question: str, settings: Settings, now: datetime) -> tuple[str, ...]:
    """What somebody in danger is told first, the clinic's own line last; nothing where there is no danger.

    Whoever seems to write Spanish finds the Spanish line before the others.
    """
    lines = {
        Urgency.CRISIS: settings.urgent.crisis_guidance,
        Urgency.EMERGENCY: settings.urgent.emergency_guidance,
    }
    if urgency not in lines:
        return ()
    said = lines[urgency]
    if foreign_language(question, settings.clinic.languages) == "es":
        said = tuple(sorted(said, key=lambda line: not line.startswith(SPANISH)))
    return (*said, _whom_to_call(settings, now, besides=True))


def advice(settings: Settings, now: datetime, *, call: bool) -> str:
    """What stands above the passages when somebody asks for a decision about their own treatment.

    `call`: whether it says whom to call, where no other notice does.
    """
    return f"{settings.urgent.advice} {_whom_to_call(settings, now)}" if call else settings.urgent.advice


def why_not_looked_up(
    question: str, settings: Settings, now: datetime, audience: Audience = Audience.PATIENT
) -> tuple[str, ...]:
    """What to say instead of searching, for questions that cannot be searched; empty for the others."""
    messages = load_messages(settings.clinic.languages[0])
    limit = settings.answering.max_question_characters
    if not question.strip():
        return (messages.question_empty,)
    if len(question) > limit:
        return (messages.question_too_long.format(length=len(question), limit=limit),)
    if not any(character.isalpha() for character in question):
        return (messages.question_without_words,)
    language = foreign_language(question, settings.clinic.languages)
    if language is None:
        return ()
    theirs = [language] if language in known_languages() else []
    return tuple(
        sentence("question_other_language", settings, now, language=each, audience=audience)
        for each in (*theirs, settings.clinic.languages[0])
    )


def sentence(
    name: str,
    settings: Settings,
    now: datetime,
    language: str | None = None,
    audience: Audience = Audience.PATIENT,
) -> str:
    """A message that may name the documents' languages and, for patients, whom to call: staff are those who answer."""
    spoken = language or settings.clinic.languages[0]
    messages = load_messages(spoken)
    pattern: str = getattr(messages, name)
    names = [messages.language_names.get(code, code) for code in settings.clinic.languages]
    call = whom_to_call(settings.clinic, messages, now, spoken) if audience is Audience.PATIENT else ""
    return pattern.format(call=call, languages=", ".join(names)).strip()


def _whom_to_call(settings: Settings, now: datetime, *, besides: bool = False) -> str:
    spoken = settings.clinic.languages[0]
    return whom_to_call(settings.clinic, load_messages(spoken), now, spoken, besides=besides)
