"""The SEAL engine: BFV (Fan, Vercauteren, 2012) through TenSEAL's bindings, one plaintext multiplication a person.

Who sees what: the evaluator sees an RLWE ciphertext; the key holder sees K masked values, one polynomial that is
pseudorandom to it (``a W + e2``), and noise drowned in a uniform flood. Assumption: ring-LWE at the dimension and
modulus that :mod:`~blindscore_crypto.encrypted.parameters` checks. Does not protect: against a source that encrypts
falsely, or timing inside SEAL itself. SEAL seeds its own generator from the system's (``std::random_device``).
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
import tenseal.sealapi as seal
from numpy.typing import NDArray

from blindscore.errors import ForgeryError, ParameterError
from blindscore_crypto.encrypted.parameters import REPLY_BYTES, Parameters
from blindscore_crypto.encrypted.ring import (
    REPLY_BITS,
    exponents,
    multiplier,
    open_reply,
    pack,
    recombine,
    round_coefficients,
    secret_of,
    top_of_product,
    unpack,
)
from blindscore_crypto.encrypted.sampling import Draw, below, centred
from blindscore_crypto.encrypted.seal_bytes import (
    CIPHER_WORDS,
    SEED_BYTES,
    key_from,
    load,
    plain_bytes,
    save,
    seeded_bytes,
)


class _Engine(NamedTuple):
    context: Any
    evaluator: Any


@cache
def _engine(parameters: Parameters) -> _Engine:
    chosen = seal.EncryptionParameters(seal.SCHEME_TYPE.BFV)
    chosen.set_poly_modulus_degree(parameters.degree)
    primes = [*parameters.primes, parameters.special] if parameters.special else [*parameters.primes]
    chosen.set_coeff_modulus([seal.Modulus(p) for p in primes])
    chosen.set_plain_modulus(seal.Modulus(parameters.t))
    context = seal.SEALContext(chosen, True, seal.SEC_LEVEL_TYPE.TC128)
    if not context.parameters_set():
        raise ParameterError(f"{parameters.name}: SEAL refuses this set: {context.parameters_error_message()}")
    return _Engine(context, seal.Evaluator(context))


class SealScheme:
    """The engine for one parameter set; stateless, keys come in by argument."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self.t = parameters.t
        self.outputs = parameters.outputs
        self.capacity = parameters.capacity
        self.upload_bytes = parameters.upload_bytes
        self.reply_bytes = parameters.reply_bytes

    def encrypt(self, key: bytes, ones: NDArray[np.integer[Any]]) -> bytes:
        """Encrypt a person; see :class:`~blindscore_crypto.encrypted.scheme.Scheme`."""
        p, engine = self.parameters, _engine(self.parameters)
        where = np.sort(exponents(p, ones))[::-1]
        plain = seal.Plaintext(" + ".join(f"1x^{e}" if e else "1" for e in where.tolist()))
        secret = key_from(engine.context, engine.evaluator, secret_of(p, key), p.t)
        raw = save(seal.Encryptor(engine.context, secret).encrypt_symmetric(plain))
        count = len(p.primes) * p.degree
        words = np.frombuffer(raw, "<u8", count, CIPHER_WORDS)
        return raw[-SEED_BYTES:] + pack(words, p.residue_bytes)

    def check(self, upload: bytes) -> None:
        """Raise :class:`ForgeryError` unless the size is right and every residue lies below its prime."""
        if len(upload) != self.upload_bytes:
            raise ForgeryError(f"encrypted bins refused: {len(upload)} bytes, not {self.upload_bytes}")
        if (self._words(upload) >= np.array(self.parameters.primes, np.uint64)[:, None]).any():
            raise ForgeryError("encrypted bins refused: a residue is not below its prime; encrypt afresh")

    def _words(self, upload: bytes) -> NDArray[np.uint64]:
        words = unpack(upload[SEED_BYTES:], self.parameters.residue_bytes)
        return words.reshape(len(self.parameters.primes), self.parameters.degree)

    def evaluate(self, upload: bytes, weights: NDArray[np.int64], masks: NDArray[np.int64], draw: Draw) -> bytes:
        """Answer blind; see :class:`~blindscore_crypto.encrypted.scheme.Scheme`."""
        p, engine = self.parameters, _engine(self.parameters)
        width = p.flood_width(weights.shape[1])
        by = multiplier(p, weights, draw)
        words = self._words(upload)
        # Of the first polynomial only K coefficients are wanted, so SEAL multiplies the second one alone.
        seeded = seeded_bytes(engine.context.first_parms_id(), np.zeros_like(words), upload[:SEED_BYTES])
        cipher = load(seal.Ciphertext(), engine.context, seeded)
        plain = load(seal.Plaintext(), engine.context, plain_bytes(by % p.t))
        engine.evaluator.multiply_plain_inplace(cipher, plain)
        product = np.frombuffer(save(cipher), "<u8", 2 * words.size, CIPHER_WORDS)[words.size :]
        noisy = product.astype(np.int64).reshape(words.shape) + centred(p.degree, p.spread, draw)
        a = (noisy % np.array(p.primes, np.int64)[:, None]).astype(np.uint64)
        answers = recombine(p, top_of_product(p, words, by))
        out = [
            _rounded(p, answer + int(mask) * ((p.q - 1) // p.t) + below(2 * width + 1, draw) - width)
            for answer, mask in zip(answers, masks, strict=True)
        ]
        return pack(np.array(out, np.uint64), REPLY_BYTES) + pack(round_coefficients(p, a), REPLY_BYTES)

    def open(self, key: bytes, reply: bytes) -> NDArray[np.int64]:
        """Return the K values of a reply; see :class:`~blindscore_crypto.encrypted.scheme.Scheme`."""
        if len(reply) != self.reply_bytes:
            raise ForgeryError(f"reply refused: {len(reply)} bytes, not {self.reply_bytes}")
        return open_reply(self.parameters, secret_of(self.parameters, key), reply)


def _rounded(parameters: Parameters, value: int) -> int:
    """Return ``value * 2^24 / q`` rounded, modulo 2^24."""
    q = parameters.q
    return ((value % q << REPLY_BITS) + q // 2) // q % 2**REPLY_BITS
