"""The training methods by name: each turns people in bins into weights, and releases nothing but through the budget."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from blindscore_crypto.private_model import gradient, onestep, opacus_fit, teacher, woe
from blindscore_crypto.private_model.accounting import Budget
from blindscore_crypto.private_model.layout import Layout

# (bins (n, d) uint8, bad (n,) bool, layout, noise multiplier with which one release would use up what is left, budget)
# -> (weights of every feature, intercept), log-odds of default.
Trainer = Callable[
    [NDArray[np.uint8], NDArray[np.bool_], Layout, float, Budget], tuple[list[NDArray[np.float64]], float]
]

AUTO = "onestep"
METHODS: MappingProxyType[str, Trainer] = MappingProxyType(
    {
        "onestep": onestep.train,
        "woe": woe.train,
        "gradient": gradient.train,
        "opacus": opacus_fit.train,
        "teacher": teacher.train,
    }
)


def method_named(name: str) -> str:
    """Return the method itself where "auto" is asked for."""
    return AUTO if name == "auto" else name
