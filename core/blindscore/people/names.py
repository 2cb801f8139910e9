"""Given names in a register: they carry sex, and most of the time an ethnic group.

A name belongs to one sex and one group. Three people in four bear a name of their own group, the others one of any
group of their sex; within a group a few names are common (weights 1 / (k + 2)). The names are numbers: which names
are whose in a country is no part of the model, how much a name tells is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blindscore.kernel_cache import njit
from blindscore.people.counter_draws import uniform
from blindscore.people.latents import Floats
from blindscore.people.variables import GROUP, SEX

GROUPS, PER_CELL = 3, 8  # names of each sex in each group
OWN = 0.75  # share of people who bear a name of their own group
NAMES = tuple(f"name {k:02d}" for k in range(2 * GROUPS * PER_CELL))
_NAME = 1010  # variable number in the noise


@njit(cache=True)
def names(seed: int, root: Floats) -> NDArray[np.int64]:
    """Number of each person's name, (n,), index into NAMES."""
    weight = 1.0 / (np.arange(PER_CELL) + 2.0)
    below = np.cumsum(weight) / weight.sum()
    out = np.empty(root.shape[0], np.int64)
    for i in range(root.shape[0]):
        group = int(root[i, GROUP])
        if uniform(seed, _NAME, 0, i) >= OWN:
            group = int(GROUPS * uniform(seed, _NAME, 1, i))
        k = min(np.searchsorted(below, uniform(seed, _NAME, 2, i)), PER_CELL - 1)
        out[i] = (int(root[i, SEX]) * GROUPS + group) * PER_CELL + k
    return out
