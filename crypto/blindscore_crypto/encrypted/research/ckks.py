"""CKKS: a person's own probability of default, computed by a lender on encrypted bins. A demonstration, not a protocol.

The lender computes the log-odds, linear in the one-hot bins, in one product (Cheon, Kim, Kim, Song, 2017; TenSEAL's
``dot``); the person decrypts and applies the logistic function, exactly. Scores are never computed so: BFV is exact.

Who sees what: the lender ciphertext; the person its probability, to three decimals. Assumption: ring-LWE at N = 8192
and log2 q = 150, within the published limit of 218. Does not protect: the lender's points. The reply is TenSEAL's own,
without blinding, and its unused slots hold partial sums: only for a card that its person may know. No MAC; and
TenSEAL's loaders trust their bytes (``docs/encrypted.md``), so both roles live in one process here: put no network
between them.

**Never shared back.** A CKKS decryption carries the encryption's own noise, and whoever has the ciphertext and the
exact decryption computes the key (Li, Micciancio, 2021; a test does so). So :class:`Person` has no method that returns
it: what comes out is rounded to :data:`DECIMALS`, a step four thousand times as wide as the error, so that what is told
hangs on the true value alone but for one case in about two thousand, near the middle between two steps. Tell the
rounded value if you must, and once a key.

**Scale.** TenSEAL takes every rescaled value to have its global scale, although a prime was divided out that is no
power of two. The lender multiplies its weights by ``prime / 2^40``, which cancels that drift.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blindscore.extras import needs
from blindscore.scorecard.card import Card
from blindscore_crypto.encrypted.points import Points
from blindscore_crypto.layout import Layout

DEGREE, SCALE_BITS, PRIME_BITS = 8192, 40, (50, 40, 60)
DECIMALS = 3
# Of the log-odds; a probability moves by a quarter of it at most. Rotations add noise in proportion to the first prime
# over the last: with 2^50 over 2^60 a deviation of 2^-25.6 was measured, with 2^60 over 2^60 one of 2^-18.
ERROR_BOUND = 2.0**-20


def drift() -> float:
    """Return what a rescaled product is off by unless mended: the middle prime over the scale."""
    with needs("frontier"):
        import tenseal.sealapi as seal

    return float(seal.CoeffModulus.Create(DEGREE, list(PRIME_BITS))[1].value()) / 2.0**SCALE_BITS


class Person:
    """Holds the bins and the key; gives out a rounded probability and nothing finer."""

    def __init__(self) -> None:
        with needs("frontier"):
            import tenseal as ts

        self._context = ts.context(ts.SCHEME_TYPE.CKKS, DEGREE, coeff_mod_bit_sizes=list(PRIME_BITS))
        self._context.global_scale = 2.0**SCALE_BITS
        self._context.generate_galois_keys()

    def public(self) -> bytes:
        """Return what the lender computes with: parameters and rotation keys, 18 MB, without the secret."""
        return bytes(self._context.serialize(save_secret_key=False))

    def ask(self, layout: Layout, bins: NDArray[np.integer[Any]]) -> bytes:
        """Return the encrypted one-hot bins, of shape (d,) before.

        Raises
        ------
        DataError
            Bins outside the layout.
        """
        with needs("frontier"):
            import tenseal as ts

        hot = np.zeros(layout.size)
        hot[layout.ones(bins)] = 1
        return bytes(ts.ckks_vector(self._context, hot.tolist()).serialize())

    def open(self, reply: bytes) -> float:
        """Return the probability of default, rounded to :data:`DECIMALS`."""
        with needs("frontier"):
            import tenseal as ts

        logit = float(ts.ckks_vector_from(self._context, reply).decrypt()[0])
        return round(1 / (1 + math.exp(-logit)), DECIMALS) if logit > -700 else 0.0


class Lender:
    """Holds the points; takes no secret key.

    Parameters
    ----------
    card
        Its scorecard.
    public
        From :meth:`Person.public`.
    """

    def __init__(self, card: Card, public: bytes) -> None:
        with needs("frontier"):
            import tenseal as ts

        points, scale = Points.of(card), card.scale
        self._context = ts.context_from(public)
        self._weights = (-points.weights / scale.factor * drift()).tolist()
        self._base = (scale.offset - points.offset) / scale.factor  # log-odds of default at no points at all

    def answer(self, asked: bytes) -> bytes:
        """Return the encrypted log-odds of default."""
        with needs("frontier"):
            import tenseal as ts

        logit = ts.ckks_vector_from(self._context, asked).dot(self._weights)
        logit += [self._base]
        return bytes(logit.serialize())
