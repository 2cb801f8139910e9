"""Rows: what source deals of one person to a server, and the three functions of it that the servers open.

One server's rows are ``R = m + d + 2`` elements: its share of the m indicators (one a bin but each characteristic's
first), of d masks, of the sum of the masks' squares, and of the blinding of the total. Each function below is linear,
so it is applied alike to values, to their tags and to the pads of their tags (:func:`tags_of`).

**Each characteristic holds at most one one** (Boneh, Boyle, Corrigan-Gibbs, Gilboa, Ishai, "Lightweight Techniques for
Private Heavy Hitters", S&P 2021: a sketch for vectors with one entry). With random weights ``rho``
that nobody knew when the shares were dealt, ``(sum_i rho_i e_i)^2 - sum_i rho_i^2 e_i`` is zero for such a
characteristic; else it is a nonzero polynomial of degree two. The sum over all characteristics, and a false sum of
squares, keep it nonzero, so false shares pass with probability at most ``2 / t^3``, below 2^-46.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from blindscore.errors import ParameterError
from blindscore_crypto.layout import Layout
from blindscore_crypto.shared.field import Numbers, T, dot, times


@dataclass(frozen=True)
class Shape:
    """How many indicators each characteristic has; public, like the layout that it comes from.

    Raises
    ------
    ParameterError
        There is no indicator: everybody falls into the same bins.
    """

    widths: tuple[int, ...]  # bins but the first; at least 1

    def __post_init__(self) -> None:
        if not self.widths:
            raise ParameterError("a layout under which everybody falls into the same bins has nothing to share")

    @staticmethod
    def of(layout: Layout) -> Shape:
        """Return the shape of a layout; a characteristic of one bin has no indicator."""
        return _shape_of(layout.n_bins)

    @cached_property
    def indicators(self) -> int:
        """m."""
        return sum(self.widths)

    @cached_property
    def masks(self) -> int:
        """d."""
        return len(self.widths)

    @property
    def rows(self) -> int:
        """R."""
        return self.indicators + self.masks + 2

    @cached_property
    def starts(self) -> Numbers:
        """Where each characteristic's indicators begin, (d,)."""
        return np.cumsum((0, *self.widths[:-1]))

    def rows_of(self, indicators: Numbers, masks: Numbers, squares: Numbers, blinding: Numbers) -> Numbers:
        """Return rows, (R, 3), of indicators (m, 3), masks (d, 3), and two elements (3,)."""
        return np.concatenate([indicators, masks, squares[None], blinding[None]])

    def masked(self, rho: Numbers, rows: Numbers) -> Numbers:
        """Return each characteristic's weighted sum less its mask, (d, 3)."""
        m = self.indicators
        return (np.add.reduceat(times(rho, rows[:m]), self.starts) - rows[m : m + self.masks]) % T

    def defect(self, rho: Numbers, opened: Numbers, rows: Numbers) -> Numbers:
        """Return what is zero for valid shares, but for ``sum_k opened_k^2``, (3,)."""
        m = self.indicators
        crossed = 2 * dot(opened, rows[m : m + self.masks]) + rows[m + self.masks]
        checks: Numbers = (crossed - dot(times(rho, rho), rows[:m])) % T
        return checks

    def total(self, points: Numbers, rows: Numbers) -> Numbers:
        """Return the blinded total of public masked points, (m,), as an element (3,)."""
        totals: Numbers = (points @ rows[: self.indicators] + rows[-1]) % T
        return totals


@lru_cache(maxsize=64)  # public, and asked for with every message
def _shape_of(n_bins: tuple[int, ...]) -> Shape:
    return Shape(tuple(n - 1 for n in n_bins if n > 1))


def tags_of(key: Numbers, values: Numbers, pads: Numbers) -> Numbers:
    """Return one-time tags ``key * value + pad``: whoever changes a value must guess the change times the key."""
    return (times(key, values) + pads) % T
