"""Several banks train one scorecard without pooling their people: masked counts, one round, dropouts survived.

Who sees what: a bank sees its own people; the collector sees masked vectors that look random, the noisy sum over all
banks that answered, and who dropped out; the public sees the card, made from that sum. Nobody sees an exact sum: every
bank adds its share of the noise before it masks, sized so that the shares of the honest banks that must answer,
``threshold - colluders``, suffice alone. Assumption: X25519, ChaCha20 and HKDF-SHA256; public keys are authentic; banks
and collector follow the protocol, and at most ``colluders`` banks pool what they know with the collector. Not
protected: one person's weight where several banks count the same person, and a bank that lies about its own counts.

The sum of h discrete Gaussians is one discrete Gaussian but for a factor of at most exp(10 h exp(-pi^2 sigma^2)) an
entry, sigma being that of one share (Kairouz, Liu and Steinke, "The distributed discrete Gaussian mechanism for
federated learning with secure aggregation", ICML 2021). A share has sigma of at least :data:`LEAST_SIGMA`, where the
exponent is below 10^-49; it is not counted.

Protocol: Bonawitz et al., "Practical secure aggregation for privacy-preserving machine learning" (CCS 2017): pairwise
masks that cancel, a mask of each bank's own, and Shamir shares of the seeds of both. For one bank either may be opened,
never both: the pairwise key of a bank that dropped out, or the own mask of one that answered.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from Crypto.Cipher import ChaCha20, ChaCha20_Poly1305
from Crypto.Hash import SHA256
from Crypto.Protocol.DH import import_x25519_public_key, key_agreement
from Crypto.Protocol.KDF import HKDF
from Crypto.Protocol.SecretSharing import Shamir
from Crypto.PublicKey import ECC
from numpy.typing import NDArray

from blindscore.errors import ForgeryError, ParameterError
from blindscore.scorecard.card import Card, Characteristic, Scale
from blindscore_crypto.private_model.accounting import Release, whole_budget
from blindscore_crypto.private_model.counts import (
    Counts,
    label_counts,
    label_sensitivity,
    pair_counts,
    pair_sensitivity,
)
from blindscore_crypto.private_model.layout import Layout
from blindscore_crypto.private_model.moments import Moments
from blindscore_crypto.private_model.noise import Variance, discrete_gaussian
from blindscore_crypto.private_model.onestep import from_moments
from blindscore_crypto.private_model.points import centred, make_card
from blindscore_crypto.private_model.privacy_loss import rounding_variance

Masked = NDArray[np.uint64]
SEED_BYTES = 32
SHARE_BYTES = 2 * SEED_BYTES  # of the two seeds, each in two halves of 16 bytes
SEALED_BYTES = 12 + 16 + SHARE_BYTES  # nonce, tag, shares
DOMAIN = b"blindscore/federated/v1/"
BUDGET_SHARES = (0.6, 0.4)  # of counts by outcome and by pairs
LEAST_SIGMA = 3.5  # of one bank's noise


@dataclass(frozen=True)
class Plan:
    """What all banks agree on beforehand; public."""

    layout: Layout
    banks: int
    threshold: int  # banks whose shares open a seed; more than half of all
    epsilon: float
    delta: float
    colluders: int = 1  # banks that may pool what they know with the collector

    def __post_init__(self) -> None:
        if not (2 <= self.banks <= 64 and self.banks / 2 < self.threshold <= self.banks):
            raise ParameterError("a plan needs 2 to 64 banks, and a threshold of more than half of them")
        if not 0 <= self.colluders < self.threshold:
            raise ParameterError("fewer banks may collude than must answer: 0 <= colluders < threshold")
        if min(share.sigma for share in self.shares_of_noise) < LEAST_SIGMA:
            raise ParameterError(
                "the noise of one bank is too small to add up; choose a smaller epsilon or fewer banks"
            )

    @property
    def honest(self) -> int:
        """Banks whose noise the collector does not know, at least."""
        return self.threshold - self.colluders

    @cached_property
    def shares_of_noise(self) -> tuple[Variance, Variance]:
        """Variance of the noise that each bank adds to a count by bin and outcome, and by pairs of bins."""
        d, noise = self.layout.features, whole_budget(self.epsilon, self.delta)
        parts = zip((label_sensitivity(d), pair_sensitivity(max(d, 2))), BUDGET_SHARES, strict=True)
        needed = [noise**2 / share * length**2 + rounding_variance(length) for length, share in parts]
        first, second = (Variance.at_least(math.sqrt(v / self.honest)) for v in needed)
        return first, second

    def sigma(self, share: Variance, banks: int) -> float:
        """Standard deviation of the noise of so many banks."""
        return share.sigma * math.sqrt(banks)

    @property
    def length(self) -> int:
        """Entries of a vector: counts by bin and outcome, then by pairs of bins."""
        total = int(self.layout.starts[-1])
        return 2 * total + total * (total - 1) // 2

    def flatten(self, labels: Counts, pairs: Counts) -> Masked:
        """Return both tables as one vector, (length,) uint64."""
        upper = np.triu_indices(len(pairs), 1)
        return np.concatenate([labels.ravel(), pairs[upper]]).astype(np.uint64)

    def unflatten(self, vector: Masked) -> tuple[Counts, Counts]:
        """Return (labels (k, 2), pairs (k, k) upper triangle), the inverse of :meth:`flatten`."""
        total = int(self.layout.starts[-1])
        whole = vector.astype(np.int64)
        pairs = np.zeros((total, total), np.int64)
        pairs[np.triu_indices(total, 1)] = whole[2 * total :]
        return whole[: 2 * total].reshape(total, 2), pairs


def _stream(key: bytes, length: int) -> Masked:
    """Expand a 256-bit key, used for nothing else, into uniform words."""
    return np.frombuffer(ChaCha20.new(key=key, nonce=bytes(12)).encrypt(bytes(8 * length)), "<u8").astype(np.uint64)


def _derive(secret: bytes, purpose: bytes) -> bytes:
    return bytes(HKDF(secret, 32, b"", SHA256, context=DOMAIN + purpose))


def _agree(seed: bytes, theirs: bytes, purpose: bytes) -> bytes:
    """Key that the holder of ``seed`` shares with the holder of public key ``theirs``, the same from either side."""
    mine = ECC.construct(curve="Curve25519", seed=seed)
    ends = b"".join(sorted([_public(seed), theirs]))
    try:
        return bytes(
            key_agreement(
                static_priv=mine, static_pub=import_x25519_public_key(theirs), kdf=lambda z: _derive(z, purpose + ends)
            )
        )
    except ValueError as error:
        raise ForgeryError("a bank's public key is no X25519 key; ask it for another") from error


def _public(seed: bytes) -> bytes:
    return bytes(ECC.construct(curve="Curve25519", seed=seed).public_key().export_key(format="raw"))


def _split(secret: bytes, plan: Plan) -> list[bytes]:
    """Shamir shares of 32 bytes, one a bank; pycryptodome shares 16 bytes at a time."""
    halves = [Shamir.split(plan.threshold, plan.banks, secret[k : k + 16]) for k in (0, 16)]
    return [first[1] + second[1] for first, second in zip(*halves, strict=True)]


def _join(shares: Mapping[int, bytes]) -> bytes:
    """Secret of 32 bytes from shares by bank number."""
    return b"".join(bytes(Shamir.combine([(i + 1, s[k : k + 16]) for i, s in shares.items()])) for k in (0, 16))


class Bank:
    """Holds its own people and two seeds; everything that leaves it goes through the four methods, in order."""

    def __init__(self, plan: Plan, number: int, columns: Counts, bad: NDArray[np.bool_]) -> None:
        self.plan, self.number = plan, number
        total = int(plan.layout.starts[-1])
        # The noise is drawn once: two answers with two draws would let the collector average it away.
        exact = (label_counts(columns, bad, total), pair_counts(columns, total))
        self._counts = plan.flatten(*(with_noise(counts, v) for counts, v in zip(exact, plan.shares_of_noise)))
        self._pair_seed, self._own_seed = secrets.token_bytes(SEED_BYTES), secrets.token_bytes(SEED_BYTES)
        self._keys: dict[int, bytes] = {}
        self._answered = False

    def public_key(self) -> bytes:
        """Step 1: 32 bytes of X25519, to everybody."""
        return _public(self._pair_seed)

    def deal(self, keys: Mapping[int, bytes]) -> dict[int, bytes]:
        """Step 2: a sealed pair of shares for every bank (its own included), to be passed on by the collector.

        Raises
        ------
        ForgeryError
            Keys are missing, or two banks show the same one.
        """
        if sorted(keys) != list(range(self.plan.banks)) or len(set(keys.values())) != self.plan.banks:
            raise ForgeryError("one different public key of every bank is needed; the collector sent something else")
        self._keys = dict(keys)
        shares = zip(_split(self._pair_seed, self.plan), _split(self._own_seed, self.plan), strict=True)
        return {to: self._seal(to, first + second) for to, (first, second) in enumerate(shares)}

    def _cipher(self, other: int, sender: int, receiver: int, nonce: bytes) -> ChaCha20_Poly1305.ChaCha20Poly1305Cipher:
        key = _agree(self._pair_seed, self._keys[other], b"seal/" + bytes([sender, receiver]))
        return ChaCha20_Poly1305.new(key=key, nonce=nonce)

    def _seal(self, to: int, shares: bytes) -> bytes:
        nonce = secrets.token_bytes(12)
        text, tag = self._cipher(to, self.number, to, nonce).encrypt_and_digest(shares)
        return bytes(nonce + tag + text)

    def masked(self) -> Masked:
        """Step 3: own counts plus all masks, modulo 2^64, (length,) uint64; uniform to whoever lacks the seeds."""
        out = self._counts + _stream(_derive(self._own_seed, b"own"), self.plan.length)
        for other, key in self._keys.items():
            if other != self.number:
                mask = _stream(_agree(self._pair_seed, key, b"mask"), self.plan.length)
                out = out + mask if self.number < other else out - mask
        return out

    def reveal(self, sealed: Mapping[int, bytes], answered: Iterable[int]) -> dict[int, bytes]:
        """Step 4, once: of every bank one share, of the own mask if it answered, of the pairwise key if not.

        Raises
        ------
        ForgeryError
            Asked a second time (two lists would open both seeds of one bank), too few banks answered, or a share was
            tampered with.
        """
        present = set(answered)
        if self._answered:
            raise ForgeryError("shares were revealed already; a second list of banks could lay open a bank's counts")
        if len(present) < self.plan.threshold or not present <= set(self._keys):
            raise ForgeryError("too few banks answered to open the sum; start again")
        out = {}
        for sender, envelope in sealed.items():
            if len(envelope) != SEALED_BYTES or sender not in self._keys:
                raise ForgeryError(f"the shares of bank {sender} have the wrong size; start again without it")
            nonce, tag, text = envelope[:12], envelope[12:28], envelope[28:]
            try:
                shares = self._cipher(sender, sender, self.number, nonce).decrypt_and_verify(text, tag)
            except ValueError as error:
                raise ForgeryError(f"the shares of bank {sender} were tampered with; start again") from error
            out[sender] = bytes(shares[SEED_BYTES:] if sender in present else shares[:SEED_BYTES])
        self._answered = True
        return out


def collect(
    plan: Plan, keys: Mapping[int, bytes], vectors: Mapping[int, Masked], shares: Mapping[int, Mapping[int, bytes]]
) -> tuple[Counts, Counts]:
    """Return the sum of the noisy counts of all banks that answered.

    Parameters
    ----------
    plan : Plan
    keys : bank -> public key
    vectors : bank -> masked vector, of those that answered
    shares : revealing bank -> {bank: share} of :meth:`Bank.reveal`

    Raises
    ------
    ForgeryError
        A vector of the wrong length or type, or fewer shares than the threshold.
    """
    if any(v.shape != (plan.length,) or v.dtype != np.uint64 for v in vectors.values()):
        raise ForgeryError(f"a masked vector must hold {plan.length} words; ask its bank again")
    if len(shares) < plan.threshold or not vectors:
        raise ForgeryError(f"{len(shares)} banks revealed shares, {plan.threshold} are needed; start again")
    total = np.zeros(plan.length, np.uint64)
    for vector in vectors.values():
        total = total + vector
    for bank in keys:
        seed = _join({of: given[bank] for of, given in list(shares.items())[: plan.threshold]})
        if bank in vectors:
            total = total - _stream(_derive(seed, b"own"), plan.length)
            continue
        for other in vectors:  # the masks that the others added for a bank that never came
            mask = _stream(_agree(seed, keys[other], b"mask"), plan.length)
            total = total - mask if other < bank else total + mask
    return plan.unflatten(total)


def releases(plan: Plan) -> tuple[Release, ...]:
    """Return what a round lets out, charged with the noise of the honest banks alone."""
    d = plan.layout.features
    by_outcome, by_pair = plan.shares_of_noise
    out = [Release("people by bin and outcome", label_sensitivity(d), plan.sigma(by_outcome, plan.honest))]
    if d > 1:
        out.append(Release("people by pairs of bins", pair_sensitivity(d), plan.sigma(by_pair, plan.honest)))
    return tuple(out)


def card_from_sum(
    plan: Plan,
    answered: int,
    labels: Counts,
    pairs: Counts,
    empty: list[Characteristic],
    scale: Scale | None = None,
) -> Card:
    """Return the card that follows from the noisy sum: one round, no gradient, nothing further to charge.

    Parameters
    ----------
    plan : Plan
    answered : int
        Banks in the sum; their noise is in it.
    labels, pairs : of :func:`collect`
    empty : declared bins of every feature, with points still zero
    scale : Scale, optional
    """
    by_outcome, by_pair = plan.shares_of_noise
    moments = Moments(
        plan.layout,
        labels.astype(np.float64),
        plan.sigma(by_outcome, answered),
        pairs.astype(np.float64) if plan.layout.features > 1 else None,
        plan.sigma(by_pair, answered),
    )
    weights, intercept = from_moments(moments)
    parts, middle = centred(plan.layout.split(weights))
    return make_card(empty, parts, intercept + middle, scale or Scale())


def with_noise(counts: Counts, variance: Variance) -> Counts:
    """Return counts with a bank's share of the noise, from the operating system."""
    draws, _ = discrete_gaussian(variance.sigma, counts.size)
    return counts + draws.reshape(counts.shape)
