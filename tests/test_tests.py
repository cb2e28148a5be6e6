from __future__ import annotations

import ast
from pathlib import Path

import pytest

FILES = sorted(Path(__file__).parent.glob("test_*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_test_says_what_holds(path: Path) -> None:
    """Each test has a docstring of at least one sentence."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    silent = [
        function.name
        for function in functions
        if function.name.startswith("test_") and "." not in (ast.get_docstring(function) or "")
    ]
    assert silent == []
