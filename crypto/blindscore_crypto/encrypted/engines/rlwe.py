"""The rlwe engine: the lender's multiplication in Numba. A research engine: use ``seal`` where it matters.

Who sees what: as for :mod:`~blindscore_crypto.encrypted.engines.seal`. Assumption: ring-LWE. Does not protect: as
``seal``; and nobody else has reviewed it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blindscore_crypto.encrypted.engines.ring_scheme import RingScheme
from blindscore_crypto.encrypted.ring.ntt import multiply


class RlweScheme(RingScheme):
    """The engine in Numba; see :class:`~blindscore_crypto.encrypted.engines.scheme.Scheme`."""

    def product(self, seed: bytes, by: NDArray[np.int64]) -> NDArray[np.int64]:
        """Multiply by the uniform polynomial that grows from ``seed``."""
        rows = zip(self.grown(seed), self._tables, strict=True)
        return np.array([multiply(by, a, table) for a, table in rows])
