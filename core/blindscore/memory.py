"""Give freed memory back to the system: the C library keeps what many threads freed, for each of them."""

from __future__ import annotations

import ctypes


def give_back() -> None:
    """Hand over what is free, where the C library can be asked to."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
