"""Domains: what is declared about each feature before anybody looks at the private data.

A bin edge or a category name that was read off the private data is a release. Here it is either declared by the
caller, from public knowledge, or it is estimated from noisy counts that spend budget; there is no third way.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.errors import ParameterError
from blindscore.scorecard.binning import categories, kind_of
from blindscore.scorecard.card import MAX_BINS, Characteristic

LEVELS = 10  # halvings from the whole range to one cell
CELLS = 2**LEVELS
STEPS_PER_OCTAVE = 8  # of the universal grid: neighbouring edges differ by 6 to 12.5%
SMALLEST_EXPONENT = -20  # the universal grid begins at 2^-20, about one millionth


@dataclass(frozen=True)
class Number:
    """A numeric feature: declared bin edges, or declared bounds, or nothing at all.

    Without ``edges`` they are estimated and spend budget: on a grid of 1,024 cells between ``low`` and ``high``, or,
    where those are not given either, on a universal grid of about 8 steps an octave up to 2^43.
    """

    low: float | None = None  # in the feature's own unit
    high: float | None = None
    edges: tuple[float, ...] | None = None  # increasing; at most 15

    def __post_init__(self) -> None:
        if self.edges is not None:
            finite = all(math.isfinite(edge) for edge in self.edges)
            if not finite or any(a >= b for a, b in pairwise(self.edges)) or len(self.edges) >= MAX_BINS:
                raise ParameterError(f"declared edges must be finite, increasing and at most {MAX_BINS - 1}")
        if (self.low is None) != (self.high is None):
            raise ParameterError("declare both bounds of a number or neither")
        if self.low is not None and self.high is not None:
            bounds = (self.low, self.high)
            if not all(math.isfinite(bound) for bound in bounds) or self.low >= self.high:
                raise ParameterError(f"bounds must be finite with low < high, got {self.low} and {self.high}")

    def grid(self) -> NDArray[np.float64]:
        """Return the 1,023 public edges between the 1,024 cells on which counts are taken."""
        if self.low is not None and self.high is not None:
            return np.linspace(self.low, self.high, CELLS + 1)[1:-1]
        steps = np.arange((CELLS - 2) // 2)  # as many on either side of zero
        octave, step = np.divmod(steps, STEPS_PER_OCTAVE)
        side = np.ldexp(1.0 + step / STEPS_PER_OCTAVE, octave + SMALLEST_EXPONENT)
        return np.concatenate([-side[::-1], [0.0], side])


@dataclass(frozen=True)
class Category:
    """A categorical feature: its declared groups of categories, one a bin, at most 16."""

    groups: tuple[tuple[str, ...], ...]

    def __post_init__(self) -> None:
        listed = [name for group in self.groups for name in group]
        if not 1 <= len(self.groups) <= MAX_BINS or len(listed) != len(set(listed)):
            raise ParameterError(f"declare 1 to {MAX_BINS} groups of categories, and no category twice")

    @classmethod
    def of(cls, names: Iterable[str]) -> Category:
        """Return one group a category, in the order given; from the sixteenth on they share the last group."""
        names = list(names)
        alone = tuple((name,) for name in names[: MAX_BINS - 1])
        rest = tuple(names[MAX_BINS - 1 :])
        return cls((*alone, rest) if rest else alone)


Domain = Number | Category


@dataclass(frozen=True)
class Domains:
    """The declared domain of every feature that a private model may read."""

    features: tuple[tuple[str, Domain], ...]

    @classmethod
    def declared(cls, features: Mapping[str, Domain]) -> Domains:
        """Return domains from a mapping feature -> :class:`Number` or :class:`Category`.

        Raises
        ------
        ParameterError
            Nothing is declared, or a value is neither.
        """
        if not features:
            raise ParameterError("domains are empty; declare one for every feature")
        for name, domain in features.items():
            if not isinstance(domain, Number | Category):
                raise ParameterError(f"domain of {name!r} must be a Number or a Category")
        return cls(tuple(features.items()))

    def require(self, names: Iterable[str]) -> tuple[tuple[str, Domain], ...]:
        """Return the domains of the named features, in that order.

        Raises
        ------
        ParameterError
            A feature has no declared domain.
        """
        known = dict(self.features)
        names = list(names)
        missing = [name for name in names if name not in known]
        if missing:
            raise ParameterError(
                f"no domain declared for {', '.join(missing)}; reading bounds or categories from the private data "
                "would leak it. Declare a Number or a Category; Number() alone spends budget on its edges"
            )
        return tuple((name, known[name]) for name in names)

    def restrict(self, people: pd.DataFrame) -> pd.DataFrame:
        """Return people with every category outside its declared domain set to missing; numbers are left alone."""
        out = people.copy()
        for name, domain in self.require(list(people.columns)):
            if isinstance(domain, Category) and kind_of(people[name]) == "category":
                codes, names = categories(people[name])
                listed = {label for group in domain.groups for label in group}
                known = np.array([label in listed for label in names] + [False])
                out[name] = people[name].where(known[codes])
        return out


def characteristic(name: str, domain: Domain, edges: tuple[float, ...] = ()) -> Characteristic:
    """Return a feature's bins with no points yet; ``edges`` are those of a number that declares none."""
    if isinstance(domain, Category):
        return Characteristic(name, (0,) * (len(domain.groups) + 1), groups=domain.groups)
    edges = edges if domain.edges is None else domain.edges
    return Characteristic(name, (0,) * (len(edges) + 2), edges=edges)
