"""Estimate: what the best known lattice attack on a set costs, derived again from published formulas.

The attack is the primal one: embed the secret and the error as an unusually short vector (Bai, Galbraith, ACISP 2014,
the secret scaled up to the error's size) and find it by BKZ of block size beta. It works once
``sigma sqrt(beta) <= delta^(2 beta - d - 1) vol^(1/d)`` (Alkim, Ducas, Poeppelmann, Schwabe, USENIX 2016, section
6.3), with ``delta`` as Chen (2013) has it. Costs of one block, log2: quantum ``0.257 beta`` (Chailloux, Loyer,
ASIACRYPT 2021), no other step counted; classical ``0.292 beta + 16.4 + log2(8 d)`` (Becker, Ducas, Gama, Laarhoven,
SODA 2016, as the lattice estimator counts it). Not counted: dual and hybrid attacks, whatever comes after; so a figure
here is an upper limit on what the set reaches, and the published table stays the rule.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

SECRET_DEVIATION = math.sqrt(2 / 3)  # of a uniform ternary coefficient


@dataclass(frozen=True)
class Cost:
    """Of the primal attack, in bits (log2 of operations)."""

    block: int  # beta
    dimension: int  # d, of the lattice
    classical: float
    quantum: float


def primal(unknown: int, log2_q: float, deviation: float, samples: int) -> Cost:
    """Return the cost of finding ``unknown`` ternary coefficients from so many samples modulo q.

    Parameters
    ----------
    unknown
        Coefficients of the secret that are not known.
    log2_q, deviation
        Modulus, and standard deviation of the error.
    samples
        Coefficients of the ring element that is seen.
    """
    scaled = math.log2(max(1.0, deviation / SECRET_DEVIATION))
    for block in range(50, 4 * unknown):
        log2_delta = math.log2(block / (2 * math.pi * math.e) * (math.pi * block) ** (1 / block)) / (2 * (block - 1))
        best = math.sqrt((unknown * (log2_q - scaled) + log2_q) / log2_delta)
        d = int(min(max(best, unknown + block // 4), unknown + samples + 1))
        log2_volume = (d - unknown - 1) * log2_q + unknown * scaled
        if 0.5 * math.log2(block) + math.log2(deviation) <= (2 * block - d - 1) * log2_delta + log2_volume / d:
            return Cost(block, d, 0.292 * block + 16.4 + math.log2(8 * d), 0.257 * block)
    return Cost(4 * unknown, unknown + samples + 1, math.inf, math.inf)
