"""Layout: the public half of a scorecard, by which a source bins its own records. Features, edges, groups; no points.

A layout that many lenders share names none of them; a layout that only one lender uses names that lender.
Who sees what: everything here is public. Assumption: SHA-256 is collision resistant (two layouts with one fingerprint
cannot be found). Does not protect: a fingerprint says how values are binned, not that a card over the bins is fair.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blindscore.errors import CardError, DataError, ForgeryError
from blindscore.scorecard.binning import bin_value
from blindscore.scorecard.card import MAX_CHARACTERISTICS, Card, Characteristic

DOMAIN = b"blindscore/layout/v2"
MAX_BYTES = 1 << 20  # of an encoded layout
MAX_NAME = 256  # characters of a feature or category


@dataclass(frozen=True)
class Layout:
    """How each of a card's features falls into bins, in card order.

    Raises
    ------
    CardError
        No characteristic, too many, or one feature twice.
    """

    characteristics: tuple[Characteristic, ...]  # points and weights are dropped

    def __post_init__(self) -> None:
        bare = tuple(
            Characteristic(
                c.feature, (0,) * c.n_bins, edges=tuple(float(e) + 0.0 for e in c.edges), groups=c.groups, other=c.other
            )  # no -0.0
            for c in self.characteristics
        )
        object.__setattr__(self, "characteristics", bare)
        if not 1 <= len(bare) <= MAX_CHARACTERISTICS or len(set(self.features)) != len(bare):
            raise CardError(f"a layout names 1 to {MAX_CHARACTERISTICS} features, none of them twice")

    @classmethod
    def of(cls, card: Card) -> Layout:
        """Return the layout of a card."""
        return cls(card.characteristics)

    def part(self, features: Iterable[str]) -> Layout:
        """Return one source's share: the characteristics of the named features, in card order.

        Raises
        ------
        CardError
            No feature is named, or one that the layout does not have.
        """
        wanted = set(features)
        if wanted - set(self.features):
            raise CardError(f"the layout does not have {', '.join(sorted(wanted - set(self.features)))}")
        return Layout(tuple(c for c in self.characteristics if c.feature in wanted))

    @property
    def features(self) -> list[str]:
        """Names of the features, in card order."""
        return [c.feature for c in self.characteristics]

    @cached_property
    def n_bins(self) -> tuple[int, ...]:
        """Bins of each characteristic, the missing one included: what edges and groups say, never a sender."""
        return tuple(c.n_bins for c in self.characteristics)

    @cached_property
    def size(self) -> int:
        """D, bins over all characteristics."""
        return sum(self.n_bins)

    @cached_property
    def fingerprint(self) -> bytes:
        """SHA-256 (32 bytes) over features, edges and groups."""
        return sha256(DOMAIN + self.encode()).digest()

    def encode(self) -> bytes:
        """Return the one encoding of this layout: JSON, no spaces."""
        tail = ([] if c.other is None else [c.other] for c in self.characteristics)
        plain = [
            [c.feature, list(c.edges), c.groups, *more] for c, more in zip(self.characteristics, tail, strict=True)
        ]
        return json.dumps(plain, separators=(",", ":"), allow_nan=False).encode()

    @classmethod
    def decode(cls, data: bytes) -> Layout:
        """Return the layout that these bytes encode, checked whole.

        Raises
        ------
        ForgeryError
            Not bytes, too long, or not exactly what :meth:`encode` gives for some layout.
        """
        if not isinstance(data, bytes) or len(data) > MAX_BYTES:
            raise ForgeryError(f"layout refused: not bytes, or more than {MAX_BYTES}; ask for the layout again")
        return _decoded(data)

    def bins(self, record: Mapping[str, Any]) -> list[int]:
        """Return the bin of one person in each characteristic; the record may hold other features too.

        Raises
        ------
        DataError
            A feature is not in the record, or a value that cannot be binned; the value itself is not repeated.
        """
        missing = [name for name in self.features if name not in record]
        if missing:
            raise DataError(f"the record does not hold {', '.join(missing)}")
        return [bin_value(c, record[c.feature]) for c in self.characteristics]

    def ones(self, bins: Sequence[int] | NDArray[np.integer[Any]]) -> NDArray[np.int64]:
        """Return the position, 0 .. D-1, of each of a person's bins, shape (d,).

        Raises
        ------
        DataError
            Wrong number, or a bin that the layout does not have; the bin, the person's own data, is not repeated.
        """
        chosen, widths = np.asarray(bins), np.array(self.n_bins)
        if chosen.shape != widths.shape:
            raise DataError(f"bins of shape {chosen.shape}; this layout has {len(widths)} characteristics")
        if (chosen < 0).any() or (chosen >= widths).any():
            raise DataError("a bin lies outside its characteristic; bin the person with this layout's own edges")
        return np.asarray(np.cumsum(widths) - widths + chosen, np.int64)

    def indicators(self, bins: Sequence[int] | NDArray[np.integer[Any]]) -> list[int]:
        """Return one bit a bin but each characteristic's first, whose bit follows from the others: D - d bits.

        Raises
        ------
        DataError
            As :meth:`ones`.
        """
        self.ones(bins)
        return [int(b == one) for n, one in zip(self.n_bins, bins, strict=True) for b in range(1, n)]


@lru_cache(maxsize=64)  # a bank sees the same few layouts again and again
def _decoded(data: bytes) -> Layout:
    try:
        layout = Layout(tuple(map(_characteristic, json.loads(data))))
        if layout.encode() == data:
            return layout
    except (ValueError, TypeError, RecursionError):
        pass
    raise ForgeryError("layout refused: not the encoding of features, edges and groups; ask for the layout again")


def _characteristic(entry: Any) -> Characteristic:
    feature, edges, groups, *more = entry
    other = more[0] if more else None
    names = [feature, *(name for group in groups or () for name in group)]
    if any(type(name) is not str or len(name) > MAX_NAME for name in names) or any(type(e) is not float for e in edges):
        raise ValueError
    if type(other) not in (int, type(None)):
        raise ValueError
    n = 2 + len(edges) if groups is None else 1 + len(groups)
    listed = None if groups is None else tuple(map(tuple, groups))
    return Characteristic(feature, (0,) * n, edges=tuple(edges), groups=listed, other=other)
