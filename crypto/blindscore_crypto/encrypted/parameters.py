"""Parameters: every parameter set in one table, each checked for security, exactness and flooding before use.

What is assumed, one by one: (1) the decisional ring-LWE problem is as hard as the published table says for its
dimension and modulus (Bossuat et al., "Security Guidelines for Implementing Homomorphic Encryption", 2024, eprint
2024/463: ternary secret, error 3.2, 128 bits, against classical and against quantum computers); (2) with a larger error
and fewer unknown coefficients it is as hard as the table says at that ratio of q to the error, along the straight line
through its rows (:func:`hidden_needed`); that is an interpolation of ours, held to a derivation of ours
(:mod:`~blindscore_crypto.encrypted.estimate`); (3) nothing is drawn from rounding: dropping low bits of a reply is done
to what (1) and (2) hide already. Which column of the table a set is held to is a field of it. Does not protect:
anything, if the table is wrong.

One product of polynomials does it all. With ``K`` outputs and ``D`` bins in the card, the person's bins stand at the
exponents ``K i`` of the encrypted polynomial, and the lender multiplies by *one* plaintext polynomial W. Its top
``K D`` coefficients hold points, so that the coefficients ``N-K .. N-1`` of the product are the K answers; its other
``N - K D`` coefficients are fresh ternary noise u, which meets only encryptions of zero at those K places and
therefore costs no range. Sent back are ``a W + e2`` and K coefficients; ``a u + e2`` is a ring-LWE sample, so the
points inside W stay hidden from the key holder. No public key, no evaluation key, no second multiplication.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from blindscore.errors import ForgeryError, ParameterError

# Largest log2 q at 128 bits by ring dimension, ternary secret: Security Guidelines (2024).
LOG2_Q_128 = {1024: 26, 2048: 53, 4096: 106, 8192: 214}  # classical
LOG2_Q_128_QUANTUM = {1024: 20, 2048: 40, 4096: 80, 8192: 161}
STANDARD_ERROR = 3.2  # the standard deviation that the table assumes
SEAL_ERROR_VARIANCE = 10.5  # of SEAL's default error, a centred binomial of 42 coins
TAIL = 9.6  # standard deviations; a subgaussian passes them with probability below 2^-65
REPLY_BYTES = 5  # a coefficient of a reply: what rounding leaves open of a step is what false encryption reads
REPLY_BITS = 8 * REPLY_BYTES
SEED_BYTES = 32  # from which the uniform polynomial grows


def of_code(code: int) -> Parameters:
    """Return the set of the table with this code; no sender's own numbers are ever used.

    Raises
    ------
    ForgeryError
        No set has it.
    """
    for p in TABLE.values():
        if p.code == code:
            return p
    raise ForgeryError(f"parameter set refused: none has the code {code}; ask for the table's sets")


def hidden_needed(degree: int, q: int, error: float, limits: Mapping[int, int] = LOG2_Q_128) -> float:
    """Return how many unknown coefficients a blinding secret needs for 128 bits, at an error of this deviation.

    Hardness depends on the dimension and on q over the error (Albrecht, Player, Scott, 2015), so the table is read
    at that ratio and, between its rows, along the straight line on which they lie.
    """
    return degree * (math.log2(q) - math.log2(error / STANDARD_ERROR)) / limits[degree]


@dataclass(frozen=True)
class Parameters:
    """One parameter set; refuses to exist below 128 bits."""

    name: str
    code: int  # one byte, names the set and its engine in frames
    engine: Literal["seal", "rlwe"]
    degree: int  # N, a power of two
    primes: tuple[int, ...]  # q is their product
    special: int  # SEAL's extra prime, which no ciphertext uses; 0 where there is one prime only
    t: int  # plain modulus, a prime: masks and MAC live modulo t
    outputs: int  # K: masked values in a reply; 1 = a mask alone, more = a MAC
    spread: int  # the reply's error e2 is uniform in [-spread, spread), a power of two
    largest: int  # largest absolute coefficient of points in W; t // 2 where a MAC multiplies them
    column: Literal["classical", "quantum"] = "quantum"  # of the published limits: against whom the set is to hold

    def __post_init__(self) -> None:
        if self.degree not in LOG2_Q_128:
            raise ParameterError(f"{self.name}: dimension {self.degree} is not in the published table")
        spent = math.log2(math.prod(self.primes) * max(self.special, 1))
        if spent > LOG2_Q_128[self.degree]:
            raise ParameterError(
                f"{self.name}: log2 q = {spent:.1f} at N = {self.degree} is below 128 bits of security; "
                f"the table allows {LOG2_Q_128[self.degree]}"
            )
        if math.log2(self.q) > self.limits[self.degree]:
            raise ParameterError(
                f"{self.name}: log2 q = {math.log2(self.q):.1f} at N = {self.degree}; the {self.column} column allows "
                f"{self.limits[self.degree]}"
            )
        if any(p % (2 * self.degree) != 1 or p % self.t != 1 for p in self.primes):
            raise ParameterError(f"{self.name}: every prime must be 1 modulo 2 N and modulo t")
        if self.capacity < 1:
            raise ParameterError(f"{self.name}: no room for a scorecard beside the blinding noise at 128 bits")

    @property
    def q(self) -> int:
        """Ciphertext modulus."""
        return math.prod(self.primes)

    @property
    def residue_bytes(self) -> int:
        """Bytes of one residue on the wire."""
        return (max(self.primes).bit_length() + 7) // 8

    @property
    def upload_bytes(self) -> int:
        """Bytes of the encrypted bins: a seed for one polynomial, and the other one."""
        return SEED_BYTES + self.degree * len(self.primes) * self.residue_bytes

    @property
    def reply_bytes(self) -> int:
        """Bytes of the encrypted answer: K coefficients and one polynomial, low bits dropped."""
        return (self.degree + self.outputs) * REPLY_BYTES

    @property
    def capacity(self) -> int:
        """Most bins, over all characteristics, that a card may have: the others must hide W (:func:`hidden_needed`).

        By the column that the set is held to; :meth:`most_bins` says it for either.
        """
        return self.most_bins(self.limits)

    @property
    def limits(self) -> Mapping[int, int]:
        """Largest log2 q by ring dimension, as the set's column has it."""
        return LOG2_Q_128_QUANTUM if self.column == "quantum" else LOG2_Q_128

    @property
    def uncovered(self) -> float:
        """Part of a step, q / t, that the flood leaves uncovered for the sake of exactness, for the widest card.

        Flooding hides the noise of uploads that a source made as it should. A source that encrypts falsely moves an
        answer by what it likes, and reads from where in the uncovered part it falls.
        """
        return 1 - (2 * self.flood_width(self.capacity) + 1) * self.t / self.q

    def bits_by_false_encryption(self, replies: int) -> float:
        """Bound on what a source that encrypts falsely, and a key holder with it, learn of a card by so many replies.

        Whatever the upload is, an answer's place within its step is uniform on the covered part, and its step is
        masked; so one value tells at most ``-log2(1 - uncovered)`` bits, and K values a reply add up.
        """
        return -replies * self.outputs * math.log2(1 - self.uncovered)

    def of_source(self, bins: int) -> int:
        """Return how many replies one source gets a card, unless its lender trusts it with more.

        As many as the card's life, or as keep what false encryption can tell under :data:`SOURCE_BITS`.
        """
        return max(1, min(self.life(bins), int(SOURCE_BITS / self.bits_by_false_encryption(1))))

    def most_bins(self, limits: Mapping[int, int]) -> int:
        """Return how many bins leave enough unknown coefficients by these limits; 0 where q is over them."""
        if math.log2(self.q) > limits[self.degree]:
            return 0
        hidden = hidden_needed(self.degree, self.q, self.spread / math.sqrt(3), limits)
        return max(0, int(min(self.degree - hidden, self.degree / 2) // self.outputs))

    def noise_bound(self, bins: int) -> float:
        """Bound on the noise of one answer before flooding; passed with probability below 2^-64.

        ``(e * W) + (e2 * s)``: both factors of a product are independent, so subgaussian tails (Hoeffding) give
        ``TAIL * sqrt(variance) * norm``. ``bins`` is D.
        """
        norm_squared = self.outputs * bins * self.largest**2 + self.degree
        from_error = math.sqrt(SEAL_ERROR_VARIANCE * norm_squared)
        from_reply = self.spread * math.sqrt(self.degree)
        carry = bins  # q = 1 modulo t, so a product that wraps modulo t leaves at most this behind
        return TAIL * (from_error + from_reply) + carry

    def rounding_bound(self) -> float:
        """Bound on the error that dropping low bits leaves, in units of the reply's last bit."""
        return TAIL * 0.5 * math.sqrt(self.degree) + 2

    def flood_width(self, bins: int) -> int:
        """Half width B of the uniform flooding noise: as wide as exact decryption allows.

        Raises
        ------
        ParameterError
            The noise leaves no room at all.
        """
        room = 1 - 2 * self.t * self.rounding_bound() / 2**REPLY_BITS
        width = int(self.q / (2 * self.t) * room - self.noise_bound(bins))
        if width < 1:
            raise ParameterError(f"{self.name}: the noise leaves no room for an exact answer; take a larger set")
        return width

    def flooding_bits(self, bins: int) -> float:
        """Statistical distance of a reply's noise from noise that knows no points, as -log2 of it.

        A uniform variable on [-B, B] moved by v is within ``|v| / (2 B + 1)`` of itself; K answers add up.
        """
        noise, width = self.noise_bound(bins), self.flood_width(bins)
        return -math.log2(self.outputs * (noise / (2 * width + 1) + 2.0**-64))

    def life(self, bins: int) -> int:
        """Return how many replies a card gives before its flooding, all together, falls to :data:`LIFE_BITS`.

        Distances add up over the replies of all who pool them. Then the card is renewed: other points.
        """
        return max(1, int(2 ** (self.flooding_bits(bins) - LIFE_BITS)))

    def soundness_bits(self, span: int) -> float:
        """-log2 of the chance that a changed opening passes as another total, for a card of ``span`` possible totals.

        An opening moved by ``(d_1 .. d_K)`` passes only if one shift d of the total, out of ``span - 1``, fits every
        secret factor: ``d_k = alpha_k d mod t``. One output has a mask but no MAC: 0 bits.
        """
        return self.outputs * math.log2(self.t - 1) - math.log2(max(span - 1, 1)) if self.outputs > 1 else 0.0


BARE = Parameters(
    "bare", 1, "seal", 2048, (1125899638161409,), 0, 4093, outputs=1, spread=64, largest=255, column="classical"
)
DEFAULT = Parameters(
    "default", 2, "seal", 4096, (1099109007361, 1097632792577), 1032193, 8191, outputs=4, spread=16384, largest=4095
)
WIDE = Parameters(
    "wide",
    3,
    "seal",
    8192,
    (1097431597057, 1096089665537, 1095016120321),
    1032193,
    16381,
    outputs=4,
    spread=1024,
    largest=8190,
)
RLWE = replace(DEFAULT, name="rlwe", code=4, engine="rlwe")
LEAN = replace(BARE, name="lean", code=5, engine="rlwe")
COLUMNS = replace(
    BARE, name="columns", code=6, degree=8192, column="quantum"
)  # for batches: longer columns cost SEAL less a person
TABLE = {p.name: p for p in (BARE, DEFAULT, WIDE, RLWE, LEAN)}

MIN_FLOODING_BITS = 40.0  # of one reply
LIFE_BITS = 30.0  # of all replies of one card together
SOURCE_BITS = 20.0  # of a card, at most, that one source reads by encrypting falsely: about three points of hundreds
MIN_SOUNDNESS_BITS = 40.0


def fitting(bins: int, span: int) -> Parameters:
    """Return the smallest set that carries a card of so many bins and totals with a full MAC and full flooding.

    Raises
    ------
    ParameterError
        No set is large enough.
    """
    for p in (DEFAULT, WIDE):
        fits = bins <= p.capacity and span <= p.t
        if fits and p.soundness_bits(span) >= MIN_SOUNDNESS_BITS and p.flooding_bits(bins) >= MIN_FLOODING_BITS:
            return p
    raise ParameterError(
        f"a card of {bins} bins and {span} possible totals fits no parameter set; use fewer bins, fewer features "
        f"or a smaller PDO (at most {WIDE.capacity} bins)"
    )


def table(bins: int = 144) -> list[dict[str, object]]:
    """Return every set with what it holds for a card of ``bins`` bins: the rows of the table in ``docs/encrypted.md``.

    ``headroom_bits`` is the noise budget left for the flood: log2 of the room for noise over the noise bound.
    """
    return [
        {
            "set": p.name,
            "engine": p.engine,
            "N": p.degree,
            "log2_q": round(math.log2(p.q), 1),
            "limit_classical": LOG2_Q_128[p.degree],
            "limit_quantum": LOG2_Q_128_QUANTUM[p.degree],
            "t": p.t,
            "outputs": p.outputs,
            "held_to": p.column,
            "most_bins_classical": p.most_bins(LOG2_Q_128),
            "most_bins_quantum": p.most_bins(LOG2_Q_128_QUANTUM),
            "uncovered": f"{p.uncovered:.1e}",
            "replies_a_card": p.life(bins),
            "replies_a_source": p.of_source(bins),
            "headroom_bits": round(math.log2(p.q / (2 * p.t)) - math.log2(p.noise_bound(bins)), 1),
            "flooding_bits": round(p.flooding_bits(bins), 1),
            "mac_bits": round(p.soundness_bits(2000), 1),
            "bytes_up": p.upload_bytes,
            "bytes_down": p.reply_bytes,
        }
        for p in TABLE.values()
    ]
