"""Sentences that claim approval, cure, safety and the like: a person signs each off before patients see its document.

The rules are data (`qa.claim_rules`). They look for words, not for truth: "esketamine is approved by the FDA for …" is
true and is found all the same, because somebody should have looked at it. What a sentence denies ("there is no cure")
is not claimed.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from qa.audience import Audience
from qa.claim_rules import Phrase, Rule, Rules, load_rules, plain
from qa.models import Block, CorpusDocument, Document, Metadata, Status
from qa.offsets import Span
from qa.sentences import sentence_spans
from qa.settings import Claims

_DENIAL_REACH = 8  # words before a phrase in which a denial counts
_TITLE: Span = (0, 0)


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence that a rule found. `span` is its place in the document's text, empty for the document's title.

    `rule` is the rule's id, `kind` its name for people; `words` are those that were found, in small letters. `digest`
    is `digest_of(sentence)`. A question that is claimed by its answer ("Is it safe? Yes.") comes with the answer.
    """

    rule: str
    kind: str
    sentence: str
    span: Span
    words: str
    reason: str
    source: str
    digest: str


@dataclass(frozen=True, slots=True)
class _Unit:
    """A sentence that is looked at. `plain` is what phrases are looked for in, `after` the plain next sentence."""

    span: Span
    plain: str
    candidates: set[Phrase]
    after: str = ""
    after_end: int = 0


def digest_of(sentence: str) -> str:
    """SHA-256 of the sentence in hexadecimal: without regard to white space and to how an accent is encoded."""
    return hashlib.sha256(" ".join(unicodedata.normalize("NFC", sentence).split()).encode()).hexdigest()


def find_claims(document: Document, rules: Rules, *, title: str = "") -> tuple[Claim, ...]:
    """What a document and its `title` claim, in reading order; one for each sentence and rule."""
    found = list(_in_title(title, rules)) if title else []
    for unit in _units(document, rules):
        for rule in rules.rules:
            if (words := _claimed(unit, rule, rules)) is None:
                continue
            span, sentence = unit.span, document.text[unit.span[0] : unit.span[1]]
            if _is_question(unit.plain, rules) and unit.after_end:
                span = (span[0], unit.after_end)
                sentence = document.text[span[0] : span[1]]
            found.append(_claim(rule, sentence, span, words))
    return tuple(found)


def claims_of(entry: CorpusDocument, rules: Rules) -> tuple[Claim, ...]:
    """What a document of the corpus claims; nothing for one that is not meant for patients or is withdrawn."""
    metadata = entry.metadata
    if metadata.audience is not Audience.PATIENT or metadata.status is Status.WITHDRAWN:
        return ()
    return find_claims(entry.document, rules, title=metadata.title)


def waiting_claims(entry: CorpusDocument, rules: Rules) -> tuple[Claim, ...]:
    """The claims of a document for patients that nobody has signed off."""
    done = signed(entry.metadata)
    return tuple(claim for claim in claims_of(entry, rules) if claim.digest not in done)


def waiting_in(documents: Iterable[CorpusDocument], settings: Claims) -> dict[str, tuple[Claim, ...]]:
    """By id, the documents in which something waits for a sign-off. Raises SettingsError for rules of no use."""
    rules = load_rules(settings.rules)
    waiting = ((entry.id, waiting_claims(entry, rules)) for entry in documents)
    return {document: claims for document, claims in waiting if claims}


def held_back(documents: Iterable[CorpusDocument], settings: Claims) -> frozenset[str]:
    """The ids of the documents that patients do not get because something waits in them."""
    return frozenset(waiting_in(documents, settings)) if settings.mode == "block" else frozenset()


def signed(metadata: Metadata) -> frozenset[str]:
    """The digests of the sentences that somebody has signed off."""
    return frozenset(sign_off.digest for sign_off in metadata.signed_off)


def _in_title(title: str, rules: Rules) -> Iterator[Claim]:
    text = plain(title)
    unit = _Unit(_TITLE, text, rules.candidates(text))
    for rule in rules.rules:
        if (words := _claimed(unit, rule, rules)) is not None:
            yield _claim(rule, title, _TITLE, words)


def _claim(rule: Rule, sentence: str, span: Span, words: str) -> Claim:
    shown = " ".join(sentence.split())
    return Claim(rule.id, rule.kind, shown, span, words, rule.reason, rule.source, digest_of(shown))


def _units(document: Document, rules: Rules) -> Iterator[_Unit]:
    """The sentences of the blocks in which there may be a claim, each with what follows it."""
    blocks = document.blocks
    interesting = [rules.may_claim(plain(document.text[block.start : block.end])) for block in blocks]
    spans: list[Span] = []
    wanted: list[bool] = []
    for place, block in enumerate(blocks):
        # The block after one, too: it may answer a question.
        if interesting[place] or (place and interesting[place - 1]):
            cut = _cut(document.text, block)
            spans += cut
            wanted += [interesting[place]] * len(cut)
    for place, span in enumerate(spans):
        if wanted[place]:
            after = spans[place + 1] if place + 1 < len(spans) else None
            follows = plain(document.text[after[0] : after[1]]) if after else ""
            text = plain(document.text[span[0] : span[1]])
            yield _Unit(span, text, rules.candidates(text), follows, after[1] if after else 0)


def _cut(text: str, block: Block) -> Sequence[Span]:
    return sentence_spans(text, block.start, block.end)


def _claimed(unit: _Unit, rule: Rule, rules: Rules) -> str | None:
    """The words with which the sentence makes the rule's claim; None when it does not."""
    words = _by_question(unit, rule, rules) if _is_question(unit.plain, rules) else _by_words(unit, rule, rules)
    return words if words is not None and not (rule.unless and rule.unless.search(unit.plain)) else None


def _by_question(unit: _Unit, rule: Rule, rules: Rules) -> str | None:
    """What a question claims by its answer: "Is it safe? Yes.", "Is it addictive? No."."""
    if rules.yes.match(unit.after):
        return _by_words(unit, rule, rules)
    says_no = rules.no.match(unit.after) or rules.no.match(unit.after.rpartition(", ")[2])
    denied = rule.answered_no.search(unit.plain) if says_no and rule.answered_no is not None else None
    return f"{denied[0]}? no" if denied else None


def _by_words(unit: _Unit, rule: Rule, rules: Rules) -> str | None:
    text = unit.plain
    if text.rstrip(" .!") in rule.alone:
        return text.rstrip(" .!")
    for phrase in rule.phrases if unit.candidates else ():
        for match in phrase.pattern.finditer(text) if phrase in unit.candidates else ():
            is_denied_within = any(gap and rules.denials.search(gap) for gap in match.groups())
            if not is_denied_within and not _denied(text, match.span(), rules):
                return match[0]
    return None


def _is_question(text: str, rules: Rules) -> bool:
    """Whether the sentence really asks: "Is it safe?" does, "How does it cure me?" takes the cure for granted."""
    if not text.rstrip("\"')” ").endswith("?") or rules.no_questions.match(text):
        return False
    return rules.questions.match(text) is not None


def _denied(text: str, span: Span, rules: Rules) -> bool:
    """Whether the clause denies what stands at `span`: before it, within a few words, or right after it."""
    start = 0
    for end in rules.clause_ends.finditer(text, 0, span[0]):
        start = end.end()
    before = rules.no_denials.sub(" ", text[start : span[0]])
    near = " ".join(before.split()[-_DENIAL_REACH:])
    return rules.denials.search(near) is not None or rules.denied_after.match(text, span[1]) is not None
