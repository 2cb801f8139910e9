"""The rlwe engine: the same scheme in Numba, without SEAL. A research engine: use ``seal`` where it matters.

Who sees what: as for :mod:`~blindscore_crypto.encrypted.seal`; the engines share parameters, layout, encryption,
blinding and opening, and differ in who multiplies polynomials and grows the uniform one. Assumption: ring-LWE; the
uniform polynomial is drawn directly in the transform's domain from a public 32-byte seed. Does not protect: as
``seal``; and nobody else has reviewed it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blindscore_crypto.encrypted.engine import RingScheme
from blindscore_crypto.encrypted.ntt import multiply, tables
from blindscore_crypto.encrypted.parameters import Parameters
from blindscore_crypto.encrypted.sampling import expand, uniform


class RlweScheme(RingScheme):
    """The engine in Numba; see :class:`~blindscore_crypto.encrypted.scheme.Scheme`."""

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters)
        self._tables = [tables(p, parameters.degree) for p in parameters.primes]

    def product(self, seed: bytes, by: NDArray[np.int64]) -> NDArray[np.int64]:
        """Multiply by the uniform polynomial that grows from ``seed``."""
        n = self.parameters.degree
        grown = [uniform(n, p, expand(seed, b"a" + i.to_bytes(1))) for i, p in enumerate(self.parameters.primes)]
        return np.array([multiply(by, a, table) for a, table in zip(grown, self._tables, strict=True)])
