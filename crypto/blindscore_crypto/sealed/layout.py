"""Layout: which bins a source vouches for. Edges and groups, public; never points.

A source that signs bins learns neither the lender nor the scorecard: any card over these edges can use what it signed.
One commitment stands for each bin but a characteristic's first, whose indicator follows from the others.
Who sees what: everything here is public. Assumption: SHA-256 is collision resistant (fingerprints).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from blindscore.errors import DataError
from blindscore.scorecard.card import Card, Characteristic


@dataclass(frozen=True)
class Layout:
    """The bins of one source's characteristics, in card order."""

    source: str
    characteristics: tuple[Characteristic, ...]  # points are ignored and blanked

    def __post_init__(self) -> None:
        blank = tuple(
            Characteristic(c.feature, (0,) * c.n_bins, edges=c.edges, groups=c.groups, other=c.other)
            for c in self.characteristics
        )
        object.__setattr__(self, "characteristics", blank)

    @property
    def features(self) -> list[str]:
        """Names of the features, in order."""
        return [c.feature for c in self.characteristics]

    @cached_property
    def n_commitments(self) -> int:
        """Committed indicators: bins less one, over all characteristics."""
        return sum(c.n_bins - 1 for c in self.characteristics)

    @cached_property
    def fingerprint(self) -> bytes:
        """SHA-256 of source, edges and groups."""
        plain = [[c.feature, c.edges, c.groups, c.other, c.n_bins] for c in self.characteristics]
        canonical = json.dumps([self.source, plain], separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(b"blindscore/layout/v2" + canonical.encode()).digest()

    def indicators(self, bins: Sequence[int]) -> list[int]:
        """Return the bits that are committed, from one bin a characteristic.

        Raises
        ------
        DataError
            A bin lies outside its characteristic, or their number is wrong. The bin itself is not repeated.
        """
        if len(bins) != len(self.characteristics):
            raise DataError(f"source {self.source!r} vouches for {len(self.characteristics)} bins, got {len(bins)}")
        bits: list[int] = []
        for c, chosen in zip(self.characteristics, bins, strict=True):
            if not 0 <= chosen < c.n_bins:
                raise DataError(f"{c.feature}: bin outside 0..{c.n_bins - 1}")
            bits += [int(b == chosen) for b in range(1, c.n_bins)]
        return bits

    def weights(self, card: Card) -> tuple[int, list[int]]:
        """Return (constant, one weight a commitment) such that constant + weights . bits are the points under `card`.

        Raises
        ------
        DataError
            The card bins one of these features by other edges, so that what was signed does not fit it.
        """
        by_feature = {c.feature: c for c in card.characteristics}
        constant, weights = 0, []
        for mine in self.characteristics:
            theirs = by_feature.get(mine.feature)
            if theirs is None or _binning(theirs) != _binning(mine):
                raise DataError(f"{mine.feature}: the card and source {self.source!r} bin it differently")
            constant += theirs.points[0]
            weights += [p - theirs.points[0] for p in theirs.points[1:]]
        return constant, weights


def _binning(c: Characteristic) -> tuple[object, ...]:
    return c.edges, c.groups, c.other, c.n_bins


def layouts_of(card: Card, source_of: Mapping[str, str]) -> tuple[Layout, ...]:
    """Return one layout a source for the card's features, sources in order of first mention.

    Raises
    ------
    DataError
        A feature of the card has no source.
    """
    orphans = [name for name in card.features if name not in source_of]
    if orphans:
        raise DataError(f"no source vouches for {', '.join(orphans)}; name one for each feature of the card")
    sources = list(dict.fromkeys(source_of[name] for name in card.features))
    return tuple(
        Layout(source, tuple(c for c in card.characteristics if source_of[c.feature] == source)) for source in sources
    )
