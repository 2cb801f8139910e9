"""Memo: what was computed once, for all attacks that ask for it."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")
_NOTHING: Any = object()


def digest_of(*arrays: NDArray[Any]) -> bytes:
    """Return one SHA-256 over the bytes of arrays, for a key: their shapes and kinds are the asker's to add."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return digest.digest()


class Memo:
    """What was computed under which key; two threads that ask for one key at once compute it once.

    Parameters
    ----------
    most
        How many results are kept, those asked for last; all if None.
    """

    def __init__(self, most: int | None = None) -> None:
        self._most = most
        self._found: OrderedDict[tuple[Any, ...], Any] = OrderedDict()
        self._at_work: defaultdict[tuple[Any, ...], threading.Lock] = defaultdict(threading.Lock)
        self._one_at_a_time = threading.Lock()

    def once(self, key: tuple[Any, ...], compute: Callable[[], T]) -> T:
        """Return ``compute()``, or what it returned under this key before."""
        with self._at_work[key]:
            result = self._found.get(key, _NOTHING)
            if result is _NOTHING:
                result = self._found[key] = compute()
            if self._most is not None:
                self._forget(key)
        found: T = result
        return found

    def _forget(self, used: tuple[Any, ...]) -> None:
        """Let go of what was asked for longest ago."""
        with self._one_at_a_time:
            if used in self._found:
                self._found.move_to_end(used)
            while self._most is not None and len(self._found) > self._most:
                old, _ = self._found.popitem(last=False)
                if not self._at_work[old].locked():
                    del self._at_work[old]
