"""The digital footprint that a browser leaves at a shop's checkout.

The variables are those of Berg, Burg, Gombovic and Puri, "On the rise of FinTechs: credit scoring using digital
footprints" (Review of Financial Studies 33(7), 2020); a footprint is a noisy reading of one latent, digital habits.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from blindscore.kernel_cache import njit
from blindscore.people.counter_draws import uniform
from blindscore.people.latents import Floats
from blindscore.people.variables import DEVICE_TYPE, DIGITAL, HOST, LOWER, NAME, NIGHT, NUMBER, SYSTEM, TYPO

_DEVICE = 200  # first variable number in the noise


@njit(cache=True)
def _pick(weights: Floats, u: float) -> int:
    """Index drawn in proportion to the weights."""
    total = u * weights.sum()
    for k in range(weights.size - 1):
        total -= weights[k]
        if total < 0.0:
            return k
    return weights.size - 1


@njit(cache=True)
def _chance(seed: int, draw: int, i: int, log_odds: float) -> bool:
    happens: bool = uniform(seed, _DEVICE, draw, i) < 1.0 / (1.0 + math.exp(-log_odds))
    return happens


@njit(cache=True)
def device(seed: int, root: Floats) -> NDArray[np.int8]:
    """Digital footprint, (n, 8): codes of device, system and e-mail host, then 0/1 flags."""
    n = root.shape[0]
    out = np.zeros((n, 8), np.int8)
    kinds = np.empty(4)
    system = np.empty(5)
    hosts = np.empty(7)
    for i in range(n):
        d, o = root[i, DIGITAL], out[i]
        kinds[0], kinds[1] = 0.60, 0.17 * math.exp(0.10 * d)
        kinds[2], kinds[3] = 0.052 * math.exp(1.4 * d), 0.14 * math.exp(0.1 * d)
        kind = _pick(kinds, uniform(seed, _DEVICE, 0, i))
        system[:] = 0.0
        if kind == 0 or kind == 3:
            system[0], system[1], system[4] = 0.80, 0.17 * math.exp(-0.35 * d), 0.03
        else:
            system[2], system[3], system[4] = 0.39 * math.exp(0.50 * d), 0.57 * math.exp(-0.1 * d), 0.03
        hosts[0], hosts[1] = 0.23, 0.22
        hosts[2], hosts[3] = 0.12 * math.exp(-0.9 * d), 0.20 * math.exp(0.1 * d)
        hosts[4], hosts[5], hosts[6] = 0.033 * math.exp(1.0 * d), 0.08 * math.exp(0.6 * d), 0.12
        o[DEVICE_TYPE] = kind
        o[SYSTEM] = _pick(system, uniform(seed, _DEVICE, 1, i))
        o[HOST] = _pick(hosts, uniform(seed, _DEVICE, 2, i))
        o[TYPO] = _chance(seed, 3, i, 5.0 * d - 12.0)
        o[NUMBER] = _chance(seed, 4, i, 1.7 * d - 1.8)
        o[NAME] = _chance(seed, 5, i, 0.9 - 1.7 * d)
        o[LOWER] = _chance(seed, 6, i, 1.8 * d - 3.0)
        o[NIGHT] = _chance(seed, 7, i, 1.3 * d - 3.2)
    return out
