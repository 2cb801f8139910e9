"""Deal: what a source hands lender and helper for one application: shares of the bins, and all that checks them.

::

    e (m)      indicators of the person's bins          = lender's row + helper's row
    A (d), C   masks, and the sum of their squares      = lender's row + helper's row     one-hot check (rows.py)
    b (m + 1)  pads of the lender's points              the lender's alone
    z          b_0 + <e, b> + r                         = lender's row + helper's row     blinds the total by r
    tags       of each party's rows, under the other's one-time key and pads
    u = <chi, b>  its tag, and chi's hash, with the lender; pad and chi with the helper   points check (points.py)
    window     shares of token "yes" where total + r lies within the window at r, else of token "no"

Who sees what: each receiver its own half, uniform whatever the bins are. Assumptions: an honest source as dealer;
SHAKE-256 and ChaCha as pseudorandom generators. Does not protect: against the dealer and one party together.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate

import numpy as np

from blindscore.errors import ForgeryError
from blindscore_crypto.encrypted.compare.dcf import MODULUS, VALUE_BYTES
from blindscore_crypto.encrypted.compare.window import WindowHalf, deal_window, window_bytes
from blindscore_crypto.shared.field import (
    DEGREE,
    SEED_BYTES,
    Numbers,
    T,
    cubic,
    decode,
    digest,
    dot,
    encode,
    expand,
    times,
)
from blindscore_crypto.shared.rows import Shape, tags_of

LENDER, HELPER = 1, 0
WIDTH = 1 << 14  # of the window: totals from the threshold up that stand for yes
CHALLENGE_BYTES = 16
TOKEN_BYTES, TOKEN_HASH_BYTES = VALUE_BYTES, 16
_CHI = b"chi"


@dataclass(frozen=True)
class Grown:
    """What grows from a seed: a party's key and pads for the other's tags, and its random rows."""

    key: Numbers = field(repr=False)  # (3,)
    pads: Numbers = field(repr=False)  # (R, 3)
    point_pad: Numbers = field(repr=False)  # (3,): the helper's, of the tag of u
    rows: Numbers = field(repr=False)  # (R, 3): the lender's whole, the helper's masks
    pads_of_points: Numbers = field(repr=False)  # b, (m + 1,): the lender's

    @classmethod
    def of(cls, shape: Shape, seed: bytes, who: bytes) -> Grown:
        """Grow a party's material from its seed."""
        m, d, r = shape.indicators, shape.masks, shape.rows
        numbers = expand(seed, who, m + 1 + DEGREE * (d + 1) + DEGREE * (r + 2) + m + 1)
        keys, rest = numbers[: DEGREE * (r + 2)].reshape(-1, DEGREE), numbers[DEGREE * (r + 2) :]
        scalars, rest = rest[: m + 1], rest[m + 1 :]
        cubics, pads_of_points = rest[: DEGREE * (d + 1)].reshape(-1, DEGREE), rest[DEGREE * (d + 1) :]
        single = cubic(scalars)
        rows = shape.rows_of(single[:m], cubics[:d], cubics[d], single[m])
        return cls(keys[0], keys[2:], keys[1], rows, pads_of_points)


def challenge(shape: Shape, seed: bytes) -> Numbers:
    """Return chi, (m + 1, 3): weights that the lender learns after it has sent its masked points."""
    return expand(seed, _CHI, DEGREE * (shape.indicators + 1)).reshape(-1, DEGREE)


def chi_hash(nonce: bytes, chi: bytes) -> bytes:
    """Return the hash (16 bytes) by which the lender knows chi when it is shown; others would read its points."""
    return digest(b"chi", nonce, chi)[:CHALLENGE_BYTES]


def token_hash(nonce: bytes, token: int) -> bytes:
    """Return the hash (16 bytes) by which a token of this application is known."""
    return digest(b"token", nonce, token.to_bytes(TOKEN_BYTES))[:TOKEN_HASH_BYTES]


@dataclass(frozen=True)
class HelpersHalf:
    """What the helper is dealt."""

    shape: Shape
    seed: bytes = field(repr=False)
    chi: bytes = field(repr=False)
    shares: Numbers = field(repr=False)  # of the indicators, (m,)
    squares: Numbers = field(repr=False)  # its share of the sum of squares, (3,)
    blinding: Numbers = field(repr=False)  # (1,)
    tags: Numbers = field(repr=False)  # of its rows, under the lender's key, (R, 3)
    no: int = field(repr=False)  # share of the token "no"
    window: WindowHalf

    @cached_property
    def grown(self) -> Grown:
        """Its key, pads and masks."""
        return Grown.of(self.shape, self.seed, b"helper")

    @cached_property
    def rows(self) -> Numbers:
        """Its rows, (R, 3)."""
        shape, m = self.shape, self.shape.indicators
        masks = self.grown.rows[m : m + shape.masks]
        return shape.rows_of(cubic(self.shares), masks, self.squares, cubic(self.blinding)[0])

    def token_share(self, point: int) -> int:
        """Return its share of the token at a point that both parties know."""
        return (self.no + self.window.share(T, WIDTH, point)) % MODULUS

    def encode(self) -> bytes:
        """Return the bytes of this half."""
        numbers = b"".join(encode(part) for part in (self.shares, self.squares, self.blinding, self.tags))
        return self.seed + self.chi + numbers + self.no.to_bytes(TOKEN_BYTES) + self.window.encode()

    @classmethod
    def decode(cls, shape: Shape, data: bytes) -> HelpersHalf:
        """Return a half of exactly the right length, numbers in range; else :class:`ForgeryError`."""
        m = shape.indicators
        lengths = (SEED_BYTES, CHALLENGE_BYTES, 2 * m, 2 * DEGREE, 2, 2 * DEGREE * shape.rows, TOKEN_BYTES)
        seed, chi, shares, squares, blinding, tags, no, window = pieces(data, *lengths, window_bytes(T))
        return cls(
            shape,
            seed,
            chi,
            decode(shares, m),
            decode(squares, DEGREE),
            decode(blinding, 1),
            decode(tags, shape.rows, DEGREE),
            int.from_bytes(no),
            WindowHalf.decode(T, HELPER, window),
        )


@dataclass(frozen=True)
class LendersHalf:
    """What the lender is dealt."""

    shape: Shape
    seed: bytes = field(repr=False)
    tags: Numbers = field(repr=False)  # of its rows, under the helper's key, (R, 3)
    point_tag: Numbers = field(repr=False)  # of u, (3,)
    chi: bytes  # hash
    hashes: tuple[bytes, bytes]  # of the tokens "no" and "yes"
    no: int = field(repr=False)  # share of the token "no"
    window: WindowHalf

    @cached_property
    def grown(self) -> Grown:
        """Its key, pads, rows and pads of points."""
        return Grown.of(self.shape, self.seed, b"lender")

    def token_share(self, point: int) -> int:
        """Return its share of the token at a point that both parties know."""
        return (self.no + self.window.share(T, WIDTH, point)) % MODULUS

    def encode(self) -> bytes:
        """Return the bytes of this half."""
        numbers = encode(self.tags) + encode(self.point_tag)
        return (
            self.seed
            + numbers
            + self.chi
            + b"".join(self.hashes)
            + self.no.to_bytes(TOKEN_BYTES)
            + self.window.encode()
        )

    @classmethod
    def decode(cls, shape: Shape, data: bytes) -> LendersHalf:
        """Return a half of exactly the right length, numbers in range; else :class:`ForgeryError`."""
        cubic, hashed = 2 * DEGREE, TOKEN_HASH_BYTES
        lengths = (SEED_BYTES, cubic * shape.rows, cubic, CHALLENGE_BYTES, hashed, hashed, TOKEN_BYTES)
        seed, tags, point_tag, chi, no_hash, yes_hash, no, window = pieces(data, *lengths, window_bytes(T))
        return cls(
            shape,
            seed,
            decode(tags, shape.rows, DEGREE),
            decode(point_tag, DEGREE),
            chi,
            (no_hash, yes_hash),
            int.from_bytes(no),
            WindowHalf.decode(T, LENDER, window),
        )


def helpers_bytes(shape: Shape) -> int:
    """Bytes of a helper's half."""
    numbers = shape.indicators + DEGREE + 1 + DEGREE * shape.rows
    return SEED_BYTES + CHALLENGE_BYTES + 2 * numbers + TOKEN_BYTES + window_bytes(T)


def lenders_bytes(shape: Shape) -> int:
    """Bytes of a lender's half."""
    numbers = 2 * DEGREE * (shape.rows + 1)
    return SEED_BYTES + numbers + CHALLENGE_BYTES + 2 * TOKEN_HASH_BYTES + TOKEN_BYTES + window_bytes(T)


def pieces(data: bytes, *lengths: int) -> list[bytes]:
    """Return pieces of these lengths that make up the whole; else :class:`ForgeryError`."""
    if not isinstance(data, bytes) or len(data) != sum(lengths):
        raise ForgeryError(f"dealt shares refused: {len(data)} bytes, not {sum(lengths)}; apply again")
    return [data[end - length : end] for end, length in zip(accumulate(lengths), lengths, strict=True)]


def deal(shape: Shape, indicators: list[int], nonce: bytes, phi: Numbers) -> tuple[HelpersHalf, LendersHalf]:
    """Deal one application of a person with these indicators, (m,); all but phi (points.py) is fresh."""
    m, d = shape.indicators, shape.masks
    seeds = secrets.token_bytes(SEED_BYTES), secrets.token_bytes(SEED_BYTES)
    helper, lender = Grown.of(shape, seeds[HELPER], b"helper"), Grown.of(shape, seeds[LENDER], b"lender")
    chi = secrets.token_bytes(CHALLENGE_BYTES)
    ones = np.array(indicators, np.int64)
    begin, no, yes = secrets.randbelow(T), secrets.randbelow(MODULUS), secrets.randbelow(MODULUS)
    masks = (lender.rows[m : m + d] + helper.rows[m : m + d]) % T
    squares = (dot(masks, masks) - lender.rows[m + d]) % T
    b = lender.pads_of_points
    blinding = (b[0] + ones @ b[1:] + begin - lender.rows[-1, 0]) % T
    windows = deal_window(T, begin, (yes - no) % MODULUS)
    hidden = secrets.randbelow(MODULUS)
    shares = (ones - lender.rows[:m, 0]) % T
    rows = shape.rows_of(cubic(shares), helper.rows[m : m + d], squares, cubic(np.array([blinding]))[0])
    u = b @ challenge(shape, chi) % T
    return (
        HelpersHalf(
            shape,
            seeds[HELPER],
            chi,
            shares,
            squares,
            np.array([blinding]),
            tags_of(lender.key, rows, lender.pads),
            hidden,
            windows[HELPER],
        ),
        LendersHalf(
            shape,
            seeds[LENDER],
            tags_of(helper.key, lender.rows, helper.pads),
            (times(phi, u) + helper.point_pad) % T,
            chi_hash(nonce, chi),
            (token_hash(nonce, no), token_hash(nonce, yes)),
            (no - hidden) % MODULUS,
            windows[LENDER],
        ),
    )
