"""One check for many equations: a random linear combination that must come to nothing.

Source: the small-exponents test of Bellare, Garay and Rabin (EUROCRYPT 1998). Every equation enters with a weight of
128 random bits that its author could not foresee, so that a false one survives with probability at most 2^-128. Equal
bases are multiplied once, whichever equations they stand in: proofs share generators, which is where a batch gains.
Who sees what: public values only, in variable time. Assumption: none beyond the operating system's generator.
"""

from __future__ import annotations

import secrets

from blindscore_crypto.sealed.groups.group import Group, Point

WEIGHT_BITS = 128


def weight() -> int:
    """Return a fresh weight in [1, 2^128)."""
    return 1 + secrets.randbelow((1 << WEIGHT_BITS) - 1)


class Combination:
    """A sum of scalars times elements, collected first and computed once."""

    def __init__(self, group: Group) -> None:
        self._group = group
        self._generator = 0
        self._scalars: dict[int, int] = {}
        self._points: dict[int, Point] = {}

    def add(self, scalar: int, point: Point) -> None:
        """Add scalar times `point`. One object is one base: shared generators come from one cached tuple."""
        key = id(point)  # stays unique, since the object is kept here
        self._points[key] = point
        self._scalars[key] = self._scalars.get(key, 0) + scalar

    def add_generator(self, scalar: int) -> None:
        """Add scalar times the standard generator."""
        self._generator += scalar

    def is_nothing(self) -> bool:
        """Say whether the sum is the identity."""
        keys = list(self._points)
        total = self._group.combine([self._scalars[k] for k in keys], [self._points[k] for k in keys])
        return self._group.equal(self._group.add(total, self._group.base_mul(self._generator)), self._group.identity())
