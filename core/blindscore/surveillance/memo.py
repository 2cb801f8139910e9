"""Memo: what was computed once, for all attacks that ask for it."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Memo:
    """What was computed under which key; two threads that ask for one key at once compute it once."""

    def __init__(self) -> None:
        self._found: dict[tuple[Any, ...], Any] = {}
        self._at_work: defaultdict[tuple[Any, ...], threading.Lock] = defaultdict(threading.Lock)

    def once(self, key: tuple[Any, ...], compute: Callable[[], T]) -> T:
        """Return ``compute()``, or what it returned under this key before."""
        with self._at_work[key]:
            if key not in self._found:
                self._found[key] = compute()
        result: T = self._found[key]
        return result
