"""Attacks side by side: the libraries that fit an attacker's models let go of the interpreter while they work."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
U = TypeVar("U")


def each(play: Callable[[U], T], of: Iterable[U]) -> list[T]:
    """Return ``play`` of each item, in order, played on as many threads as there are cores."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(play, of))
