"""Join neighbouring bins whose bad rates may differ by luck: a constraint that some card owners must keep to.

The test is that of two proportions with pooled variance (chi-square with one degree of freedom). It counts rows,
whatever their weight, and knows nothing of the many cuts that were tried before these were chosen, so its p-values
flatter.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2


def differing(bads: NDArray[np.int64], heads: NDArray[np.int64], starts: Sequence[int], max_pvalue: float) -> list[int]:
    """Return the starts that are left when every two neighbouring bins differ with at most that p-value.

    Parameters
    ----------
    bads, heads : (m,) bad people, and all, in the fine bins
    starts : where each bin starts among them; the first is 0

    Notes
    -----
    The two neighbours that differ least surely are joined first, again and again.
    """
    left = list(starts)
    while len(left) > 1:
        chances = pvalues(np.add.reduceat(bads, left), np.add.reduceat(heads, left))
        worst = int(np.argmax(chances))
        if chances[worst] <= max_pvalue:
            break
        del left[worst + 1]
    return left


def pvalues(bads: NDArray[np.int64], heads: NDArray[np.int64]) -> NDArray[np.float64]:
    """P-value of each two neighbouring bins' bad rates being one, (bins - 1,); 1 where nobody, or nothing, differs."""
    n, k = heads.astype(np.float64), bads.astype(np.float64)
    together = (k[1:] + k[:-1]) / np.maximum(n[1:] + n[:-1], 1.0)
    spread = together * (1 - together) * (1 / np.maximum(n[1:], 1e-300) + 1 / np.maximum(n[:-1], 1e-300))
    apart = k[1:] / np.maximum(n[1:], 1.0) - k[:-1] / np.maximum(n[:-1], 1.0)
    known = (n[1:] > 0) & (n[:-1] > 0) & (spread > 0)
    return np.where(known, chi2.sf(apart**2 / np.where(known, spread, 1.0), 1), 1.0)
