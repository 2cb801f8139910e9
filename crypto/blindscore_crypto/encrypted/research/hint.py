"""Hint: the smallest exchange, 3.5 KB an application, by a polynomial that a lender publishes once a card and epoch.

The uniform polynomial a is one for everybody: it grows from a public hash. So the lender can fix its multiplier W for a
card and an epoch and publish ``H = a W + e2`` beforehand, low bits dropped. An application is ``b = e + (q - 1) / t * x
- a s`` at N = 1024, without a seed; the answer is *one* coefficient of ``b W``, masked and flooded; the applicant adds
that coefficient of ``H s`` to it. The lender's work is one inner product.

Source: the hint of SimplePIR (Henzinger, Hong, Corrigan-Gibbs, Meiklejohn, Vaikuntanathan, USENIX Security 2023), over
a ring and blinded, so that it hides the lender's points as well.

Who sees what: the lender ciphertext; the key holder one masked total an application, and H. Assumptions: ring-LWE, with
one a and many secrets for the uploads; for H ring-LWE with hints (Mera et al., 2022; Kim, Lee, Seo, Song, 2023): W
serves many answers, and each shows the key holder ``e . W - e2 . s`` for an e and s that it knows, plus a flood.
Does not protect: a research engine, without MAC and with no statistical flooding (:attr:`Lender.flooding_bits`). An
answer tells at most :attr:`Lender.leak_bits` about the points, and these add up over all key holders who pool what
they saw, across epochs. The lender stops at :attr:`HintParameters.replies` answers an epoch. A precomputation on a
serves an attacker against all of an epoch's uploads: rotate. A lender that publishes another H to one person marks
that person: take H from where everybody takes it.
"""

from __future__ import annotations

import hashlib
import math
import os
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blindscore.errors import CardError, ForgeryError, ParameterError
from blindscore_crypto.encrypted.parameters import LOG2_Q_128, SEAL_ERROR_VARIANCE, TAIL, hidden_needed
from blindscore_crypto.encrypted.points import Points
from blindscore_crypto.encrypted.ring.kernels import bits_packed, bits_unpacked
from blindscore_crypto.encrypted.ring.ntt import Tables, multiply, reduced, tables
from blindscore_crypto.encrypted.ring.sampling import (
    Draw,
    below,
    binomial,
    centred,
    expand,
    open_stream,
    ternary,
    uniform,
)
from blindscore_crypto.layout import Layout

ANSWER_BYTES = 4
_TERNARY_VARIANCE = 2 / 3


@dataclass(frozen=True)
class HintParameters:
    """One parameter set; refuses to exist below 128 bits."""

    name: str
    degree: int  # N, a power of two
    prime: int  # q
    t: int  # plain modulus, a prime; as many totals as a card may have
    spread: int  # the hint's error e2 is uniform in [-spread, spread)
    dropped: int  # low bits of H that are not sent
    flood: int  # the flood is a sum of values uniform in [-flood, flood), a power of two, so nearly Gaussian
    replies: int  # most answers an epoch

    def __post_init__(self) -> None:
        if self.degree not in LOG2_Q_128 or math.log2(self.prime) > LOG2_Q_128[self.degree]:
            raise ParameterError(f"{self.name}: N = {self.degree} and q = {self.prime} are below 128 bits of security")
        if self.prime % (2 * self.degree) != 1 or self.prime % self.t != 1:
            raise ParameterError(f"{self.name}: q must be 1 modulo 2 N and modulo t")

    @property
    def bits(self) -> int:
        """Bits of a coefficient of an upload."""
        return self.prime.bit_length()

    @property
    def upload_bytes(self) -> int:
        """Bytes of the encrypted bins of every person."""
        return self.degree * self.bits // 8

    @property
    def hint_bytes(self) -> int:
        """Bytes of a hint, once a card and epoch."""
        return self.degree * (self.bits - self.dropped) // 8

    @property
    def tables(self) -> Tables:
        """Of the transform."""
        return tables(self.prime, self.degree)

    def flood_terms(self, weights: NDArray[np.int64]) -> int:
        """Terms of the flood: as many as an exact answer leaves room for, for points of shape (D,).

        The noise of an answer is ``e . W - e2 . s + flood``, all independent and strictly subgaussian (a uniform
        variable's proxy is its variance: Arbel, Marchal, Nguyen, 2020), so that variances add up and :data:`TAIL`
        deviations are passed with probability below 2^-64. Dropped bits count as one more error of H.
        """
        e2 = ((self.spread + 0.5) ** 2 + 4.0**self.dropped / 4) / 3
        hidden = self.degree - len(weights)
        spent = SEAL_ERROR_VARIANCE * (float(weights @ weights) + hidden) + e2 * self.degree
        carry = len(weights) + 2  # q = 1 modulo t: one unit each time a total wraps
        room = (self.prime / (2 * self.t) - carry) / TAIL
        return int((room**2 - spent) / ((self.flood + 0.5) ** 2 / 3))


HINTED = HintParameters("hinted", 1024, 133261313, 2099, spread=100, dropped=6, flood=1024, replies=1024)


def common(parameters: HintParameters, layout: Layout, epoch: int) -> NDArray[np.int64]:
    """Return the transform of the polynomial a, shape (N,): nothing up anybody's sleeve, the same for all people."""
    named = parameters.name.encode() + b"/" + layout.fingerprint + epoch.to_bytes(8)
    seed = hashlib.sha256(b"blindscore/hint/v1/" + named).digest()
    return uniform(parameters.degree, parameters.prime, open_stream(seed))


def _secret(parameters: HintParameters, key: bytes) -> NDArray[np.int64]:
    return ternary(parameters.degree, expand(key, b"hint secret"))


def encrypt(parameters: HintParameters, a: NDArray[np.int64], key: bytes, ones: NDArray[np.int64]) -> bytes:
    """Encrypt a person's ones (:meth:`Layout.ones`) under a key of 32 bytes that serves this once.

    Parameters
    ----------
    a
        From :func:`common`.
    """
    p = parameters
    row = binomial(p.degree, expand(os.urandom(32), b"error")) - multiply(_secret(p, key), a, p.tables)
    row[ones] += (p.prime - 1) // p.t
    return bits_packed(reduced(row, p.prime), p.bits).tobytes()


class Lender:
    """Holds points and multiplier of one epoch; publishes the hint.

    Parameters
    ----------
    points
        The card's, at most ``t`` possible totals.
    layout
        The card's public half.
    epoch
        Its number; a new one brings a new a, W and hint.

    Raises
    ------
    CardError
        The card leaves no room for an exact answer, or too few coefficients to hide it at 128 bits.
    """

    def __init__(
        self, parameters: HintParameters, points: Points, layout: Layout, epoch: int, draw: Draw = os.urandom
    ) -> None:
        p, weights = parameters, points.weights
        self.parameters = p
        self._weights = weights
        self._terms = p.flood_terms(weights)
        hidden = p.degree - len(weights)
        if points.span > p.t or self._terms < 1 or hidden < hidden_needed(p.degree, p.prime, self._error_left()):
            raise CardError(
                f"card of {len(weights)} bins, {points.span} possible totals and points of norm "
                f"{np.linalg.norm(weights):.0f}: too large for the set {p.name}; take the default protocol"
            )
        multiplier = np.concatenate([ternary(hidden, draw), weights[::-1]])
        product = multiply(multiplier, common(p, layout, epoch), p.tables)
        noisy = reduced(product + uniform(p.degree, 2 * p.spread, draw) - p.spread, p.prime)
        self.hint = bits_packed(noisy >> p.dropped, p.bits - p.dropped).tobytes()
        self._backwards = multiplier[::-1].copy()
        self._draw = draw
        self.left = p.replies  # answers that this epoch has left

    @property
    def _flood_variance(self) -> float:
        return self._terms * self.parameters.flood**2 / 3

    def _error_left(self) -> float:
        """Standard deviation that e2 has left, to a key holder that saw all of an epoch's answers.

        Each tells ``e2 . s`` up to the flood, so the variances' harmonic sum is left on (geometric) average, which is
        what lattice attacks depend on (Dachman-Soled, Ducas, Gong, Rossi, 2020, approximate hints).
        """
        p = self.parameters
        told = p.replies * _TERNARY_VARIANCE / self._flood_variance if self._terms > 0 else math.inf
        return 1 / math.sqrt(3 / p.spread**2 + told)

    @property
    def leak_bits(self) -> float:
        """Most that one answer tells about the points, bits: the capacity of a Gaussian channel (Shannon, 1948)."""
        signal = SEAL_ERROR_VARIANCE * float(self._weights @ self._weights)
        return math.log2(1 + signal / self._flood_variance) / 2

    @property
    def flooding_bits(self) -> float:
        """Statistical distance of an answer's noise from noise that knows no points, as -log2 of it; 0 is none."""
        moved = TAIL * math.sqrt(SEAL_ERROR_VARIANCE * float(self._weights @ self._weights))
        return max(0.0, -math.log2(moved / math.sqrt(2 * math.pi * self._flood_variance)))

    def answer(self, upload: bytes, mask: int) -> bytes:
        """Return an encryption of ``points . person + mask mod t``; the upload's authenticity is the caller's to check.

        Raises
        ------
        ForgeryError
            Wrong size, or a coefficient not below q.
        ParameterError
            The epoch's answers are used up.
        """
        p = self.parameters
        if len(upload) != p.upload_bytes:
            raise ForgeryError(f"encrypted bins refused: {len(upload)} bytes, not {p.upload_bytes}")
        b = bits_unpacked(np.frombuffer(upload, np.uint8), p.bits, p.degree)
        if (b >= p.prime).any():
            raise ForgeryError("encrypted bins refused: a coefficient is not below q; encrypt afresh")
        if self.left < 1:
            raise ParameterError(f"this hint has served {p.replies} answers; publish the next epoch's")
        self.left -= 1
        flood = int(centred(self._terms, p.flood, self._draw).sum())
        value = int(b @ self._backwards) + mask * ((p.prime - 1) // p.t) + flood
        return (value % p.prime).to_bytes(ANSWER_BYTES, "little")


def open_answer(parameters: HintParameters, key: bytes, hint: bytes, answer: bytes) -> int:
    """Return the masked total, in [0, t).

    Raises
    ------
    ForgeryError
        Hint or answer of the wrong size, or the answer not below q.
    """
    p = parameters
    value = int.from_bytes(answer, "little")
    if len(hint) != p.hint_bytes or len(answer) != ANSWER_BYTES or value >= p.prime:
        raise ForgeryError("hint or answer refused: not of this parameter set; ask for a fresh one")
    published = bits_unpacked(np.frombuffer(hint, np.uint8), p.bits - p.dropped, p.degree) << p.dropped
    middle = (1 << p.dropped) >> 1
    phase = (value + int((published + middle) @ _secret(p, key)[::-1])) % p.prime
    return (phase * p.t + p.prime // 2) // p.prime % p.t


def fresh_mask(parameters: HintParameters, draw: Draw = os.urandom) -> int:
    """Return a mask for one answer, uniform in [0, t)."""
    return below(parameters.t, draw)
