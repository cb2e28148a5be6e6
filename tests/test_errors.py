from __future__ import annotations

from qa import errors


def test_the_sentence_names_evidence_and_remedy() -> None:
    """An error reads as where, what, found, expected and what to do."""
    error = errors.ReadError(
        "the table ends early", path="a.pdf", page=3, found="2 rows", expected="3 rows", remedy="Print it again."
    )
    assert str(error) == "a.pdf, page 3: the table ends early (found 2 rows, expected 3 rows). Print it again."


def test_the_drawn_tree_is_the_real_one() -> None:
    """The tree in the module's docstring names every error, each below its parent."""
    drawn: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        branch, dashes, rest = line.partition("── ")
        if dashes:
            drawn.append((len(branch), rest.split()[0]))
    parents = {"QAError": "Exception"}
    stack: list[tuple[int, str]] = [(-1, "QAError")]
    for depth, name in drawn:
        while stack[-1][0] >= depth:
            stack.pop()
        parents[name] = stack[-1][1]
        stack.append((depth, name))
    real = {
        name: kind.__bases__[0].__name__
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.QAError)
    }
    assert parents == real
