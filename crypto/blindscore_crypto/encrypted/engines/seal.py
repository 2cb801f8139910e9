"""The SEAL engine: the lender's multiplication by BFV in Microsoft SEAL, through TenSEAL's bindings. The default.

Who sees what: the evaluator sees an RLWE ciphertext; the key holder sees K masked values, one polynomial that is
pseudorandom to it (``a W + e2``), and noise drowned in a uniform flood. Assumption: ring-LWE at the dimension and
modulus that :mod:`~blindscore_crypto.encrypted.parameters` checks. Does not protect: against a source that encrypts
falsely, or timing inside SEAL itself.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from blindscore.errors import ParameterError
from blindscore.extras import needs
from blindscore_crypto.encrypted.engines.ring_scheme import RingScheme
from blindscore_crypto.encrypted.engines.seal_bytes import (
    CIPHER_WORDS,
    cipher_bytes,
    load,
    plain_bytes,
    save,
)
from blindscore_crypto.encrypted.parameters import Parameters
from blindscore_crypto.encrypted.ring.ntt import back

with needs("frontier"):
    import tenseal.sealapi as seal


class Engine(NamedTuple):
    """SEAL, set up for one parameter set."""

    context: Any
    evaluator: Any


@cache
def engine(parameters: Parameters) -> Engine:
    """Return SEAL set up for a parameter set, once a process."""
    chosen = seal.EncryptionParameters(seal.SCHEME_TYPE.BFV)
    chosen.set_poly_modulus_degree(parameters.degree)
    primes = [*parameters.primes, parameters.special] if parameters.special else [*parameters.primes]
    chosen.set_coeff_modulus([seal.Modulus(p) for p in primes])
    chosen.set_plain_modulus(seal.Modulus(parameters.t))
    context = seal.SEALContext(chosen, True, seal.SEC_LEVEL_TYPE.TC128)
    if not context.parameters_set():
        raise ParameterError(f"{parameters.name}: SEAL refuses this set: {context.parameters_error_message()}")
    return Engine(context, seal.Evaluator(context))


class SealScheme(RingScheme):
    """The engine on SEAL; see :class:`~blindscore_crypto.encrypted.engines.scheme.Scheme`."""

    def product(self, seed: bytes, by: NDArray[np.int64]) -> NDArray[np.int64]:
        """Multiply by the uniform polynomial that grows from ``seed``: one plaintext multiplication.

        Of the upload's first polynomial only K coefficients of the product are wanted, so it stays outside: SEAL gets
        zero in its place. No byte from outside reaches SEAL: it parses numbers that grew here from the seed.
        """
        p, (context, evaluator) = self.parameters, engine(self.parameters)
        a = np.array([back(row, table) for row, table in zip(self.grown(seed), self._tables, strict=True)])
        cipher = load(seal.Ciphertext(), context, cipher_bytes(context.first_parms_id(), np.zeros_like(a), a))
        plain = load(seal.Plaintext(), context, plain_bytes(by % p.t))
        evaluator.multiply_plain_inplace(cipher, plain)
        second = np.frombuffer(save(cipher), "<i8", 2 * a.size, CIPHER_WORDS)[a.size :]
        return second.reshape(a.shape)
