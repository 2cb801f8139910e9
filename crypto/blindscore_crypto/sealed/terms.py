"""Terms: the one public document under which a lender decides. Who meets it is approved; the log holds one an epoch.

Terms say all that a wallet, a lender and a judge must know: lender and its key, purpose, epoch, card, threshold, the
sources with keys and layouts, and in the one-show form the sources' blind-signing keys. They travel as bytes and are
checked whole. A lender that invents a threshold for one person finds no wallet that answers, since a wallet answers
only the document that the public log (:mod:`.log`) holds under (lender's key, purpose, epoch).

Who sees what: everything here is public. Assumptions: SHA-256, Ed25519.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from blindscore.errors import DataError, ForgeryError, ParameterError
from blindscore.scorecard.card import Card, Characteristic
from blindscore.scorecard.forms.json import card_from_json, card_to_json
from blindscore_crypto.channel.purposes import Purpose
from blindscore_crypto.channel.signatures import PUBLIC_BYTES, SIGNATURE_BYTES, VerifyingKey
from blindscore_crypto.layout import MAX_BYTES as MAX_LAYOUT
from blindscore_crypto.layout import Layout
from blindscore_crypto.sealed.blind.acl import AclKey
from blindscore_crypto.sealed.groups.group import P256_GROUP, Group
from blindscore_crypto.sealed.groups.ristretto import group_named
from blindscore_crypto.sealed.proofs.range_proof import MAX_BITS
from blindscore_crypto.sealed.wire import Reader, blob, text, u32

MAX_SOURCES = 16
MAX_BYTES = 1 << 20  # of encoded terms
LOAN = "loan"
_MAGIC = b"BST2"


@dataclass(frozen=True)
class Epoch:
    """An issuing period and its last day, published by the sources; one for all, so that neither marks a person."""

    number: int
    last_day: int  # days since 1970-01-01

    def encode(self) -> bytes:
        """Return 8 bytes."""
        return u32("epoch", self.number) + u32("last day", self.last_day)


@dataclass(frozen=True)
class EpochKey:
    """A source's blind-signing key for one layout and one epoch; whoever is signed for under it looks alike.

    One key an epoch stands in for dates inside the signature: nothing in a signature can mark a person. A key made for
    one person would: the log holds one a source, layout and epoch, and wallets take no other.
    """

    layout: bytes  # fingerprint
    epoch: Epoch
    key: AclKey
    signature: bytes  # by the source's long-term key

    @staticmethod
    def context(layout: bytes, epoch: Epoch) -> bytes:
        """Return what signatures under such a key mean; it enters the key's tag."""
        return hashlib.sha256(b"blindscore/sealed/v1/epoch" + layout + epoch.encode()).digest()

    @property
    def signed(self) -> bytes:
        """What the source puts its name to, and what the log holds."""
        group = self.key.group
        return self.layout + self.epoch.encode() + text("group", group.name) + group.encode(self.key.y)

    def encode(self) -> bytes:
        """Return the bytes that travel."""
        return self.signed + self.signature

    @classmethod
    def decode(cls, data: bytes, source: VerifyingKey) -> EpochKey:
        """Return the key, after checking that this source published it.

        Raises
        ------
        ForgeryError
            Malformed, or not signed by the source.
        """
        reader = Reader("epoch key", data)
        layout, epoch = reader.take(32), Epoch(reader.number(4), reader.number(4))
        group = _group(reader.text())
        y = group.decode(reader.take(group.point_bytes))
        signature = reader.take(SIGNATURE_BYTES)
        reader.end()
        source.require(data[:-SIGNATURE_BYTES], signature, Purpose.EPOCH_KEY)
        return cls(layout, epoch, AclKey(group, y, cls.context(layout, epoch)), signature)


@dataclass(frozen=True)
class Signatory:
    """A source that these terms believe, and what it signs."""

    name: str
    key: VerifyingKey
    layout: Layout
    blind: EpochKey | None = None  # one-show: the key under which it signs blindly

    @cached_property
    def n_commitments(self) -> int:
        """Committed indicators: bins less one, over all characteristics."""
        return sum(n - 1 for n in self.layout.n_bins)


@dataclass(frozen=True)
class Terms:
    """What a lender publishes: approved if, and only if, score >= threshold under this card.

    Raises
    ------
    ParameterError
        The threshold is no threshold: outside (low, high], where clipping would change its meaning, or out of reach.
    DataError
        The layouts do not cover the card's features exactly once, bin them otherwise than the card, or only some
        sources sign blindly.
    ForgeryError
        A blind-signing key is of another source, layout, epoch or group.
    """

    lender: str
    lender_key: VerifyingKey
    purpose: str
    epoch: Epoch
    card: Card
    threshold: int
    sources: tuple[Signatory, ...]
    group: Group = P256_GROUP

    def __post_init__(self) -> None:
        scale = self.card.scale
        if not scale.low < self.threshold <= scale.high:
            # Only there does the clipped score pass the threshold exactly when the sum of points does.
            raise ParameterError(f"threshold {self.threshold} must lie above {scale.low} and at most at {scale.high}")
        if self.threshold > self.card.max_total:
            raise ParameterError(
                f"threshold {self.threshold} is out of reach: the card gives {self.card.max_total} at most"
            )
        if not 0 < len(self.sources) <= MAX_SOURCES:
            raise DataError(f"terms name 1 to {MAX_SOURCES} sources, got {len(self.sources)}")
        if sorted(f for s in self.sources for f in s.layout.features) != sorted(self.card.features):
            raise DataError("the sources' layouts must cover the card's features, each exactly once")
        if self.bits > MAX_BITS or self.group.order.bit_length() < 252:
            raise ParameterError("the points span more than a range proof covers, or the group is too small")
        for source in self.sources:
            weights_of(self.card, source.layout)
        self._check_blind()

    def _check_blind(self) -> None:
        keys = [(s, s.blind) for s in self.sources if s.blind is not None]
        if len(keys) not in (0, len(self.sources)):
            raise DataError("either every source signs blindly or none")
        for source, key in keys:
            if (key.layout, key.epoch, key.key.group) != (source.layout.fingerprint, self.epoch, self.group):
                raise ForgeryError(f"the epoch key of {source.name!r} is of another layout, epoch or group")
            source.key.require(key.signed, key.signature, Purpose.EPOCH_KEY)

    @property
    def is_blind(self) -> bool:
        """Whether the sources sign blindly: the one-show form."""
        return self.sources[0].blind is not None

    @cached_property
    def bits(self) -> int:
        """k: score - threshold lies in [0, 2^k) for everybody who passes; the same for all, so it tells nothing."""
        return max(1, (self.card.max_total - self.threshold).bit_length())

    @cached_property
    def by_source(self) -> tuple[tuple[int, tuple[int, ...]], ...]:
        """(constant, weights) of each source's points."""
        return tuple(weights_of(self.card, source.layout) for source in self.sources)

    @cached_property
    def linear(self) -> tuple[int, tuple[int, ...]]:
        """(constant, weights): score - threshold = constant + weights . committed bits, over all sources in order."""
        constant = self.card.base - self.threshold + sum(c for c, _ in self.by_source)
        return constant, tuple(w for _, weights in self.by_source for w in weights)

    @cached_property
    def fingerprint(self) -> bytes:
        """SHA-256 of all of it; names these terms in offers and proofs."""
        return hashlib.sha256(b"blindscore/sealed/v2/terms" + self.encode()).digest()

    def encode(self) -> bytes:
        """Return the document's bytes."""
        head = _MAGIC + bytes([self.is_blind]) + text("lender", self.lender) + self.lender_key.raw
        head += text("purpose", self.purpose) + self.epoch.encode() + text("group", self.group.name)
        head += self.threshold.to_bytes(4, "big", signed=True) + blob(card_to_json(self.card).encode())
        parts = [head, bytes([len(self.sources)])]
        for source in self.sources:
            parts += [text("source", source.name), source.key.raw, blob(source.layout.encode())]
            parts += [] if source.blind is None else [blob(source.blind.encode())]
        return b"".join(parts)

    @classmethod
    def decode(cls, data: bytes) -> Terms:
        """Return the terms that these bytes encode, checked whole.

        Raises
        ------
        ForgeryError
            Malformed, or terms that could not stand.
        """
        if not isinstance(data, bytes) or len(data) > MAX_BYTES:
            raise ForgeryError(f"terms: not bytes, or longer than {MAX_BYTES}")
        return _decode(data)


@lru_cache(maxsize=16)  # one document is read again at every message
def _decode(data: bytes) -> Terms:
    reader = Reader("terms", data)
    reader.magic(_MAGIC)
    blind = reader.count(1, 1)
    try:
        lender, key = reader.text(), VerifyingKey(reader.take(PUBLIC_BYTES))
        purpose, epoch = reader.text(), Epoch(reader.number(4), reader.number(4))
        group, threshold = _group(reader.text()), reader.signed(4)
        card = card_from_json(reader.blob(MAX_BYTES), where="terms")
        sources = tuple(_read_source(reader, bool(blind)) for _ in range(reader.count(1, MAX_SOURCES)))
        reader.end()
        terms = Terms(lender, key, purpose, epoch, card, threshold, sources, group)
    except ValueError as error:
        raise ForgeryError(f"terms: {error}") from None
    if terms.encode() != data:
        raise ForgeryError("terms: not in the one form that they have")
    return terms


def _read_source(reader: Reader, blind: bool) -> Signatory:
    name, key = reader.text(), VerifyingKey(reader.take(PUBLIC_BYTES))
    layout = Layout.decode(reader.blob(MAX_LAYOUT))
    return Signatory(name, key, layout, EpochKey.decode(reader.blob(1024), key) if blind else None)


def _group(name: str) -> Group:
    try:
        return group_named(name)
    except ParameterError as error:
        raise ForgeryError(str(error)) from None


def weights_of(card: Card, layout: Layout) -> tuple[int, tuple[int, ...]]:
    """Return (constant, one weight a commitment) such that constant + weights . bits are the points under `card`.

    Raises
    ------
    DataError
        The card bins one of these features by other edges, so that what was signed does not fit it.
    """
    by_feature = {c.feature: c for c in card.characteristics}
    constant, weights = 0, []
    for mine in layout.characteristics:
        theirs = by_feature.get(mine.feature)
        if theirs is None or _rule(theirs) != _rule(mine):
            raise DataError(f"{mine.feature}: the card and its source bin it differently")
        constant += theirs.points[0]
        weights += [p - theirs.points[0] for p in theirs.points[1:]]
    return constant, tuple(weights)


def _rule(c: Characteristic) -> tuple[object, ...]:
    """How a characteristic bins."""
    return c.edges, c.groups, c.other, c.n_bins


def layouts_of(card: Card, source_of: Mapping[str, str]) -> dict[str, Layout]:
    """Return each source's layout of the card's features, sources in order of first mention.

    Raises
    ------
    DataError
        A feature of the card has no source.
    """
    orphans = [name for name in card.features if name not in source_of]
    if orphans:
        raise DataError(f"no source vouches for {', '.join(orphans)}; name one for each feature of the card")
    whole, names = Layout.of(card), list(dict.fromkeys(source_of[name] for name in card.features))
    return {name: whole.part([f for f in card.features if source_of[f] == name]) for name in names}


def bins_by_feature(terms: Terms, bins: Sequence[Sequence[int]]) -> dict[str, int]:
    """Return the bin of each feature from one row of bins a source."""
    features = [feature for source in terms.sources for feature in source.layout.features]
    return dict(zip(features, (b for row in bins for b in row), strict=True))
