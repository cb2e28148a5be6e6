"""Contradictions between documents: other numbers, times, amounts, days or yes and no for the same thing.

A sentence's words have been encoded for searching anyway; how near those of two sentences are, and a few things that
vectors do not tell, say whether both speak about the same thing. How much each counts was learned from labelled pairs.
See docs/conflicts.md.
"""

from qa.conflicts.conflict import Conflict, ConflictKind, Statement, read_conflicts, write_conflicts
from qa.conflicts.find import find_conflicts, knows_model

__all__ = [
    "Conflict",
    "ConflictKind",
    "Statement",
    "find_conflicts",
    "knows_model",
    "read_conflicts",
    "write_conflicts",
]
