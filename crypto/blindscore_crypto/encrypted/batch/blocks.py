"""What both batch engines check of a block before they touch it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from blindscore.errors import DataError, ForgeryError


def check_columns(columns: NDArray[np.integer[Any]], people: int, modulus: int) -> None:
    """Raise :class:`DataError` unless columns are (m, 1 to people) whole numbers from 0 to modulus - 1."""
    if columns.ndim != 2 or not 1 <= columns.shape[1] <= people:
        raise DataError(f"a block takes columns of 1 to {people} people, got shape {columns.shape}")
    if columns.size and not (columns.min() >= 0 and columns.max() < modulus):
        raise DataError(f"a block takes whole numbers from 0 to {modulus - 1}")


def check_length(data: bytes, expected: int, what: str) -> None:
    """Raise :class:`ForgeryError` unless the bytes of a "block" or "reply" are as many as its shape asks for."""
    if len(data) != expected:
        raise ForgeryError(f"batch {what} refused: {len(data)} bytes, not {expected}")
