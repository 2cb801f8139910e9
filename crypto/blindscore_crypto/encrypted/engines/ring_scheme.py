"""Engine: everything of a scheme but the lender's multiplication.

Who sees what, and what is assumed: see :mod:`~blindscore_crypto.encrypted.parameters`. Encryption (symmetric BFV: Fan,
Vercauteren, 2012), checks, blinding and opening are the same for all engines, and so are the bytes; what an engine
adds is the product of the uniform polynomial and the lender's. Keys and errors come from the operating system,
expanded by ChaCha20; the uniform polynomial is drawn in the transform's domain from a public 32-byte seed by AES-256.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blindscore.errors import ForgeryError
from blindscore_crypto.encrypted.engines.scheme import KEY_BYTES
from blindscore_crypto.encrypted.parameters import SEED_BYTES, Parameters
from blindscore_crypto.encrypted.ring.ntt import multiply, reduced, tables
from blindscore_crypto.encrypted.ring.placement import blind, exponents, multiplier, open_reply, pack, secret_of, unpack
from blindscore_crypto.encrypted.ring.sampling import Draw, binomial, expand, open_stream, uniform


class RingScheme(ABC):
    """A :class:`~blindscore_crypto.encrypted.engines.scheme.Scheme` over a ring; stateless, keys come by argument."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self.t = parameters.t
        self.outputs = parameters.outputs
        self.capacity = parameters.capacity
        self.upload_bytes = parameters.upload_bytes
        self.reply_bytes = parameters.reply_bytes
        self._tables = [tables(p, parameters.degree) for p in parameters.primes]

    @abstractmethod
    def product(self, seed: bytes, by: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return ``a * by`` for the polynomial a that ``seed`` stands for, shape (primes, N), in [0, p)."""

    def grown(self, seed: bytes) -> list[NDArray[np.int64]]:
        """Return the transform of the uniform polynomial a, one row a prime."""
        p, draw = self.parameters, open_stream(seed)
        return [uniform(p.degree, prime, draw) for prime in p.primes]

    def encrypt(self, key: bytes, ones: NDArray[np.integer[Any]]) -> bytes:
        """Encrypt a person as ``e + (q - 1) / t * x - a s``."""
        p, seed = self.parameters, os.urandom(SEED_BYTES)
        secret, error = secret_of(p, key), binomial(p.degree, expand(os.urandom(KEY_BYTES), b"error"))
        where, body = exponents(p, ones), []
        for a, table in zip(self.grown(seed), self._tables, strict=True):
            row = reduced(error, table.prime) - multiply(secret, a, table)
            row[where] += (p.q - 1) // p.t % table.prime
            body.append(reduced(row, table.prime))
        return seed + pack(np.array(body), p.residue_bytes)

    def check(self, upload: bytes) -> None:
        """Raise :class:`ForgeryError` unless the size is right and every residue lies below its prime."""
        if len(upload) != self.upload_bytes:
            raise ForgeryError(f"encrypted bins refused: {len(upload)} bytes, not {self.upload_bytes}")
        if (self.words(upload) >= np.array(self.parameters.primes, np.int64)[:, None]).any():
            raise ForgeryError("encrypted bins refused: a residue is not below its prime; encrypt afresh")

    def words(self, upload: bytes) -> NDArray[np.int64]:
        """Return the first polynomial of an upload, shape (primes, N)."""
        p = self.parameters
        return unpack(upload[SEED_BYTES:], p.residue_bytes).reshape(len(p.primes), p.degree)

    def evaluate(self, upload: bytes, weights: NDArray[np.int64], masks: NDArray[np.int64], draw: Draw) -> bytes:
        """Answer blind."""
        p = self.parameters
        by = multiplier(p, weights, draw)
        width = p.flood_width(weights.shape[1])
        return blind(p, self.words(upload), by, self.product(upload[:SEED_BYTES], by), masks, width, draw)

    def open(self, key: bytes, reply: bytes) -> NDArray[np.int64]:
        """Return the K values of a reply."""
        if len(reply) != self.reply_bytes:
            raise ForgeryError(f"reply refused: {len(reply)} bytes, not {self.reply_bytes}")
        return open_reply(self.parameters, secret_of(self.parameters, key), reply)
