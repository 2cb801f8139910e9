"""Trees: gradient-boosted ones and forests of LightGBM (Ke et al. 2017), on one thread, the same at every fit.

What LightGBM's own estimators for scikit-learn do with the same settings, figure for figure. They write each fitted
model out as text and read it in again, which costs a small model a tenth of its fit; here it is asked as it stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from blindscore.extras import needs

with needs("frontier"):
    import lightgbm

Columns = NDArray[np.float64]
ALWAYS: Mapping[str, Any] = {
    "learning_rate": 0.1,
    "max_bin": 63,
    "num_threads": 1,
    "seed": 0,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}


@dataclass
class Trees:
    """Trees of so many leaves, for classes a tree each in every round (for two classes one)."""

    rounds: int
    leaves: int
    smallest: int  # people in a leaf
    more: Mapping[str, Any] = field(default_factory=dict)  # further parameters, by LightGBM's names
    _booster: Any = field(default=None, repr=False)

    def fit(self, columns: Columns, secret: NDArray[np.generic]) -> Self:
        """Learn classes, two at least, from columns (n, c), NaN = missing, and the class of each person, (n,)."""
        self.classes_, code = np.unique(secret, return_inverse=True)
        k = len(self.classes_)
        return self._learn(
            columns, code, {"objective": "multiclass", "num_class": k} if k > 2 else {"objective": "binary"}
        )

    def fit_number(self, columns: Columns, wanted: Columns) -> Self:
        """Learn a number, (n,), by least squares; :meth:`margins` then foretells it."""
        return self._learn(columns, wanted, {"objective": "regression"})

    def _learn(self, columns: Columns, label: NDArray[Any], aim: Mapping[str, Any]) -> Self:
        shape = {"num_leaves": self.leaves, "min_data_in_leaf": self.smallest}
        settings = {**ALWAYS, **shape, **self.more, **aim}
        people = lightgbm.Dataset(columns, label, params=settings)
        self._booster = lightgbm.train(settings, people, self.rounds, keep_training_booster=True)
        return self

    def predict_proba(self, columns: Columns) -> Columns:
        """Return the probability of each of ``classes_``, (m, k)."""
        told = np.asarray(self._booster.predict(columns, num_threads=1))
        return told if told.ndim == 2 else np.column_stack([1.0 - told, told])

    def margins(self, columns: Columns) -> Columns:
        """Return the sum over the trees, (m,): of two classes the log-odds of the second, of a number the number."""
        return np.asarray(self._booster.predict(columns, raw_score=True, num_threads=1))
