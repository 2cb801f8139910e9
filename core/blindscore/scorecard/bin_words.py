"""Words that bins' names are made of, so that a reason can be said in another language than English."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BinWords:
    """Words of bins' names; braces stand for edges."""

    missing: str = "missing"
    other: str = "any other"
    any_value: str = "any value"
    between: str = "{low} to < {high}"


ENGLISH = BinWords()
