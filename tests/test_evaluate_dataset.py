from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from qa.errors import EvaluationError
from qa.evaluate.dataset import (
    AnswerSpan,
    Entry,
    Query,
    corpus_file,
    digest_of,
    qrels_file,
    queries_file,
    read_corpus,
    read_qrels,
    read_queries,
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file to write into."""
    return tmp_path / "file.jsonl"


def test_documents_are_read_packed_or_not(file: Path) -> None:
    """A compressed file gives the same documents; titles may be missing, and a line may hold U+2028."""
    lines = (
        '{"_id": "a/1", "title": "T", "text": "One\u2028line."}\n\n{"_id": "b", "title": null, "text": ""}\n'.encode()
    )
    expected = [Entry("a/1", "T", "One\u2028line."), Entry("b", "", "")]
    file.write_bytes(lines)
    assert list(read_corpus(file)) == expected
    plain = digest_of(file)
    file.write_bytes(gzip.compress(lines))
    assert list(read_corpus(file)) == expected
    assert digest_of(file) == plain


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("{", "Expecting"),
        ("[]", "list"),
        ('{"_id": "b"}', "the keys _id"),
        ('{"_id": 3, "text": "x"}', "the keys _id, text"),
        ('{"_id": "a", "text": "x"}', "'a' again"),
        ('{"_id": "b", "text": "\xff"}', "0xff"),
    ],
)
def test_a_bad_line_of_documents_is_named(file: Path, line: str, found: str) -> None:
    """A line that is no document stops the reading with its number."""
    file.write_bytes(b'{"_id": "a", "text": "x"}\n\n' + line.encode("latin-1"))
    with pytest.raises(EvaluationError, match="line 3 cannot be used") as caught:
        list(read_corpus(file))
    assert found in str(caught.value)


def test_a_damaged_packed_file_is_an_error(file: Path) -> None:
    """A gzip file that was cut off is said to be damaged."""
    file.write_bytes(gzip.compress(b'{"_id": "a", "text": "x"}\n' * 100)[:-12])
    with pytest.raises(EvaluationError, match="damaged"):
        list(read_corpus(file))


def test_questions_and_their_answers(file: Path) -> None:
    """A field further in can be asked, and an answer's span comes with its question."""
    metadata = '{"summary": "short", "article": "d", "answer_start": 4, "answer_text": "text"}'
    file.write_text(f'{{"_id": "1", "text": "long", "metadata": {metadata}}}\n', encoding="utf-8")
    answer = AnswerSpan("d", 4, 8, "text")
    assert read_queries(file, "text") == (Query("1", "long", answer),)
    assert read_queries(file, "metadata.summary") == (Query("1", "short", answer),)


@pytest.mark.parametrize(
    "line",
    [
        '{"_id": "1", "text": "x", "metadata": {"article": "d"}}',
        '{"_id": "1", "text": "x", "metadata": {"article": "d", "answer_start": -1, "answer_text": "y"}}',
        '{"_id": "1", "query": "x"}',
    ],
)
def test_a_bad_line_of_questions_is_named(file: Path, line: str) -> None:
    """A question without its text, or with half an answer, is an error with its line."""
    file.write_text(line, encoding="utf-8")
    with pytest.raises(EvaluationError, match="line 1 cannot be used"):
        read_queries(file, "text")


def test_a_field_that_is_not_there_is_named(file: Path) -> None:
    """Asking a field that a question lacks names the field."""
    file.write_text('{"_id": "1", "text": "x"}', encoding="utf-8")
    with pytest.raises(EvaluationError, match=r"metadata\.summary"):
        read_queries(file, "metadata.summary")


def test_no_questions_are_an_error(file: Path) -> None:
    """An empty file of questions is not an evaluation."""
    file.write_text("\n", encoding="utf-8")
    with pytest.raises(EvaluationError, match="holds no question"):
        read_queries(file, "text")


def test_judgements_with_and_without_a_header(file: Path) -> None:
    """The header is no judgement; a grade below 0 counts as 0; ids may hold spaces."""
    expected = {"1": {"a b": 3, "c": 0}, "2": {"a b": 0}}
    lines = "1\ta b\t3\n1\tc\t0\n2\ta b\t-1\n2\ta b\t0\n"
    file.write_text(lines, encoding="utf-8")
    assert read_qrels(file) == expected
    file.write_text("query-id\tcorpus-id\tscore\n" + lines, encoding="utf-8")
    assert read_qrels(file) == expected


@pytest.mark.parametrize("line", ["1\ta", "1\ta\tx", "1 a 2", "1\ta\t1.5", "1\ta\t99", "1\tb\t1", "1\ta\t--1"])
def test_a_bad_judgement_is_named(file: Path, line: str) -> None:
    """A judgement that cannot be used, or contradicts an earlier one, is an error with its line."""
    file.write_text(f"query-id\tcorpus-id\tscore\n1\tb\t2\n{line}\n", encoding="utf-8")
    with pytest.raises(EvaluationError, match="line 3 cannot be used"):
        read_qrels(file)


def test_finding_the_files(tmp_path: Path) -> None:
    """Each file is found packed or not; the only judgements, else test.tsv, are taken without being named."""
    with pytest.raises(EvaluationError, match="no such folder"):
        corpus_file(tmp_path / "none")
    with pytest.raises(EvaluationError, match=r"corpus\.jsonl or corpus\.jsonl\.gz"):
        corpus_file(tmp_path)
    (tmp_path / "corpus.jsonl.gz").touch()
    assert corpus_file(tmp_path).name == "corpus.jsonl.gz"
    with pytest.raises(EvaluationError, match="not there"):
        queries_file(tmp_path, tmp_path / "mine.jsonl")
    assert qrels_file(tmp_path, None) is None
    folder = tmp_path / "qrels"
    folder.mkdir()
    (folder / "dev.tsv").touch()
    assert qrels_file(tmp_path, None) == folder / "dev.tsv"
    (folder / "train.tsv.gz").touch()
    with pytest.raises(EvaluationError, match=r"dev\.tsv, train\.tsv\.gz"):
        qrels_file(tmp_path, None)
    (folder / "test.tsv").touch()
    assert qrels_file(tmp_path, None) == folder / "test.tsv"
    assert qrels_file(tmp_path, folder / "dev.tsv") == folder / "dev.tsv"
