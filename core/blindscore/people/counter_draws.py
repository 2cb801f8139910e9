"""Counter-based noise: a draw is a hash of (seed, variable, draw, person) and of nothing else.

So a person's noise is fixed by construction: no order of evaluation, no number of people and no intervention elsewhere
can change it. That is what makes `do(...)` exact (Pearl, "Causality", 2009, ch. 7: abduction, action, prediction).

Source of the mixer: the finaliser of SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators",
OOPSLA 2014). Of the normal quantile: Acklam's rational approximation, relative error below 1.2e-9.
For simulation only; protective noise never comes from here.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from blindscore.kernel_cache import njit

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_ODD = np.uint64(0xD1B54A32D192ED03)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
DRAWS = 64  # draws that one variable may use for one person
_DRAW = "int64, int64, int64, int64"  # seed, variable, draw, person: one kernel for all of the many constants


@njit("uint64(uint64)", cache=True)
def mix(x: np.uint64) -> np.uint64:
    """SplitMix64's finaliser: a bijection of 64-bit words."""
    x = np.uint64(x)
    x = (x ^ (x >> _S30)) * _MIX_1
    x = (x ^ (x >> _S27)) * _MIX_2
    return x ^ (x >> _S31)


@njit(f"uint64({_DRAW})", cache=True)
def bits(seed: int, variable: int, draw: int, person: int) -> np.uint64:
    """64 bits for one draw of one variable of one person; `0 <= draw < DRAWS`."""
    key = mix(np.uint64(seed) + _GOLDEN * np.uint64(variable * DRAWS + draw + 1))
    mixed: np.uint64 = mix(key + _ODD * np.uint64(person + 1))
    return mixed


@njit(f"float64({_DRAW})", cache=True)
def uniform(seed: int, variable: int, draw: int, person: int) -> float:
    """Uniform on the open interval (0, 1), a multiple of 2^-53 plus 2^-54."""
    return (float(bits(seed, variable, draw, person) >> _S11) + 0.5) * 1.1102230246251565e-16


@njit("float64(float64)", cache=True)
def quantile(p: float) -> float:
    """Standard normal quantile of p in (0, 1)."""
    if p < 0.02425 or p > 0.97575:
        q = math.sqrt(-2.0 * math.log(min(p, 1.0 - p)))
        top = -7.784894002430293e-03 * q - 3.223964580411365e-01
        top = ((top * q - 2.400758277161838) * q - 2.549732539343734) * q + 4.374664141464968
        top = top * q + 2.938163982698783
        low = ((7.784695709041462e-03 * q + 3.224671290700398e-01) * q + 2.445134137142996) * q + 3.754408661907416
        z = top / (low * q + 1.0)
        return z if p < 0.5 else -z
    q = p - 0.5
    r = q * q
    top = (-3.969683028665376e01 * r + 2.209460984245205e02) * r - 2.759285104469687e02
    top = ((top * r + 1.383577518672690e02) * r - 3.066479806614716e01) * r + 2.506628277459239
    low = (-5.447609879822406e01 * r + 1.615858368580409e02) * r - 1.556989798598866e02
    low = ((low * r + 6.680131188771972e01) * r - 1.328068155288572e01) * r + 1.0
    return top * q / low


@njit(f"float64({_DRAW})", cache=True)
def normal(seed: int, variable: int, draw: int, person: int) -> float:
    """Standard normal draw."""
    value: float = quantile(uniform(seed, variable, draw, person))
    return value


@njit(cache=True)
def count(mean: float, u: float) -> float:
    """Poisson count of the given mean by inversion of the uniform u; above a mean of 40 by the normal approximation."""
    if mean > 40.0:
        count: float = max(0.0, math.floor(mean + math.sqrt(mean) * quantile(u) + 0.5))
        return count
    term = math.exp(-mean)
    total = term
    k = 0
    while total < u and k < 200:
        k += 1
        term *= mean / k
        total += term
    return float(k)


@njit(cache=True)
def coin(seed: int, variable: int, n: int) -> NDArray[np.bool_]:
    """One fair coin a person, (n,)."""
    out = np.empty(n, np.bool_)
    for i in range(n):
        out[i] = uniform(seed, variable, 0, i) < 0.5
    return out


@njit(cache=True)
def labels(seed: int, n: int) -> NDArray[np.uint64]:
    """One 64-bit label a person, (n,); the mixer is a bijection, so no two are equal."""
    out = np.empty(n, np.uint64)
    start = mix(np.uint64(seed) + _GOLDEN)
    for i in range(n):
        out[i] = mix(start + np.uint64(i))
    return out
