"""Special codes of a number: each is a bin of its own between two edges, so that a card's edges say it all.

A code that float32 cannot hold (-0.1) stands in float32 data as its nearest neighbour there. The bin therefore reaches
from the lesser of the code and that neighbour to the next float above the greater: no amount lies between them.
"""

from __future__ import annotations

import math

import numpy as np


def nearest(code: float) -> float:
    """The code as float32 data hold it."""
    return float(np.float32(code)) if abs(code) <= float(np.finfo(np.float32).max) else code


def code_edges(code: float) -> tuple[float, float]:
    """First edge of the code's bin, and that of the bin above it."""
    narrow = nearest(code)
    return min(code, narrow), math.nextafter(max(code, narrow), math.inf)


def code_of(low: float, end: float) -> float | None:
    """The code whose bin reaches from `low` to below `end`; None where the bin holds amounts."""
    last = math.nextafter(end, -math.inf)
    if low == last or nearest(low) == last:
        return low
    return last if nearest(last) == low else None
