"""Work side by side: our kernels, and the libraries that fit models, let go of the interpreter while they work."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
U = TypeVar("U")


def cores() -> int:
    """Return how many cores this process may use; where no scheduler says so, as many as the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def each(play: Callable[[U], T], of: Iterable[U]) -> list[T]:
    """Return ``play`` of each item, in order, played on as many threads as this process has cores."""
    with ThreadPoolExecutor(cores()) as pool:  # made anew: a kept one would not survive a fork
        return list(pool.map(play, of))
