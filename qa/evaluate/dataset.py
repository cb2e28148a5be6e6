"""Test collections in the BEIR layout: corpus.jsonl, queries.jsonl and qrels/*.tsv, each compressed (.gz) or not."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qa.errors import EvaluationError

Qrels = dict[str, dict[str, int]]

_WHOLE = re.compile(r"-?[0-9]{1,9}")
_GZIP = b"\x1f\x8b"
_CORPUS = "corpus.jsonl"
_QUERIES = "queries.jsonl"
_USUAL_QRELS = "test.tsv"
_HIGHEST_GRADE = 10  # a gain is 2^grade - 1


@dataclass(frozen=True, slots=True)
class Entry:
    """One document of a collection."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class AnswerSpan:
    """Where an answer stands: `text` from the character `start` of the document's text, before `end`."""

    document: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Query:
    """One question; `answer` is None where the collection gives no span."""

    id: str
    text: str
    answer: AnswerSpan | None = None


def corpus_file(data: Path) -> Path:
    """The file with the documents. Raises EvaluationError where there is none."""
    if not data.is_dir():
        found = "a file" if data.exists() else "no such folder"
        raise EvaluationError(
            "the data set is not there", path=data, found=found, expected="a folder in the BEIR layout"
        )
    return _file(data / _CORPUS)


def queries_file(data: Path, named: Path | None) -> Path:
    """The file with the questions: `named`, or the collection's own. Raises EvaluationError where there is none."""
    return _file(named or data / _QUERIES)


def qrels_file(data: Path, named: Path | None) -> Path | None:
    """The file with the judgements: `named`, or the only one of the collection, or test.tsv; None where there is none.

    Raises EvaluationError where several are there and none of them is test.tsv.
    """
    if named is not None:
        return _file(named)
    files = sorted([*(data / "qrels").glob("*.tsv"), *(data / "qrels").glob("*.tsv.gz")])
    usual = [file for file in files if file.name.removesuffix(".gz") == _USUAL_QRELS]
    if len(files) > 1 and not usual:
        names = ", ".join(file.name for file in files)
        raise EvaluationError(
            "there are several files of judgements", path=data / "qrels", found=names, remedy="Name one with --qrels."
        )
    return next(iter(usual or files), None)


def read_corpus(path: Path) -> Iterator[Entry]:
    """The documents, in order. Raises EvaluationError for a line that is no document and for an id that comes twice."""
    seen: set[str] = set()
    for number, content in _objects(path):
        id_, text, title = content.get("_id"), content.get("text"), content.get("title") or ""
        if not isinstance(id_, str) or not isinstance(text, str) or not isinstance(title, str):
            raise _bad_line(path, number, _keys(content), '{"_id": "…", "title": "…", "text": "…"}')
        if id_ in seen:
            raise _bad_line(path, number, f"the _id {id_!r} again", "every _id once")
        seen.add(id_)
        yield Entry(id_, title, text)


def read_queries(path: Path, field: str) -> tuple[Query, ...]:
    """The questions, in order; `field` says which text is asked: "text", or "metadata.summary" for one further in.

    Raises EvaluationError for a line that is no question, for one without this field, and for an id that comes twice.
    """
    queries: dict[str, Query] = {}
    for number, content in _objects(path):
        id_, text = content.get("_id"), _at(content, field)
        if not isinstance(id_, str) or not isinstance(text, str):
            raise _bad_line(path, number, _keys(content), f'{{"_id": "…", …}} with a text in {field}')
        if id_ in queries:
            raise _bad_line(path, number, f"the _id {id_!r} again", "every _id once")
        queries[id_] = Query(id_, text, _answer_span(content, path, number))
    if not queries:
        raise EvaluationError("the file holds no question", path=path, expected="one JSON object a line")
    return tuple(queries.values())


def read_qrels(path: Path) -> Qrels:
    """The grade of each judged document, by question. Grades below 0 count as 0.

    Raises EvaluationError for a line without three columns or a whole grade up to 10, and for two grades of one pair.
    """
    qrels: Qrels = {}
    for number, line in _lines(path):
        columns = line.split("\t")
        grade = columns[2].strip() if len(columns) == 3 else ""
        is_whole = _WHOLE.fullmatch(grade) is not None
        if number == 1 and len(columns) == 3 and not is_whole:
            continue  # the header
        if not is_whole or int(grade) > _HIGHEST_GRADE:
            expected = f"query, document and a whole grade up to {_HIGHEST_GRADE}, with tabs between them"
            raise _bad_line(path, number, repr(line[:60]), expected)
        judged = qrels.setdefault(columns[0].strip(), {})
        document, value = columns[1].strip(), max(int(grade), 0)
        if judged.setdefault(document, value) != value:
            raise _bad_line(path, number, f"grade {value} for {document!r}, which had {judged[document]}", "one grade")
    return qrels


def digest_of(*paths: Path | None) -> str:
    """SHA-256 over the content of these files, uncompressed, in hexadecimal."""
    total = hashlib.sha256()
    for path in paths:
        if path is None:
            continue
        part = hashlib.sha256()
        for line in _raw_lines(path):
            part.update(line)
        total.update(part.digest())
    return total.hexdigest()


def _file(path: Path) -> Path:
    """`path`, or the compressed file beside it."""
    packed = path.with_name(path.name + ".gz")
    found = next((candidate for candidate in (path, packed) if candidate.is_file()), None)
    if found is None:
        raise EvaluationError("the file is not there", path=path, expected=f"{path.name} or {packed.name}")
    return found


def _raw_lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as start:
        packed = start.read(len(_GZIP)) == _GZIP
    with gzip.open(path) if packed else path.open("rb") as opened:
        try:
            yield from opened
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise EvaluationError("the file is damaged", path=path, found=str(error), expected="gzip data") from error


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Each line that is not blank, with its number from 1."""
    for number, raw in enumerate(_raw_lines(path), start=1):
        try:
            line = raw.decode("utf-8-sig").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise _bad_line(path, number, f"the byte {raw[error.start]:#04x}", "UTF-8 text") from error
        if line.strip():
            yield number, line


def _objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in _lines(path):
        try:
            content = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise _bad_line(path, number, str(error), "a JSON object") from error
        if not isinstance(content, dict):
            raise _bad_line(path, number, type(content).__name__, "a JSON object")
        yield number, content


def _answer_span(content: dict[str, Any], path: Path, number: int) -> AnswerSpan | None:
    names = ("metadata.article", "metadata.answer_start", "metadata.answer_text")
    document, start, text = (_at(content, name) for name in names)
    if document is None and start is None and text is None:
        return None
    if (
        not isinstance(document, str)
        or not isinstance(start, int)
        or not isinstance(text, str)
        or start < 0
        or not text
    ):
        found = f"{document!r}, {start!r}, {text!r}"
        raise _bad_line(path, number, found, "metadata with article, answer_start (from 0) and answer_text")
    return AnswerSpan(document, start, start + len(text), text)


def _at(content: dict[str, Any], field: str) -> object:
    value: object = content
    for key in field.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _keys(content: dict[str, Any]) -> str:
    return f"the keys {', '.join(content)}" if content else "no keys"


def _bad_line(path: Path, number: int, found: str, expected: str) -> EvaluationError:
    return EvaluationError(f"line {number} cannot be used", path=path, found=found, expected=expected)
