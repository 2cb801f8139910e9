"""Reject inference: what the card might look like had the refused been lent to, under four assumptions.

Nobody knows how the refused would have paid. Every method below fills the gap by an assumption that the data at hand
cannot test (Hand and Henley, 1993; Crook and Banasik, 2004, find little or no gain from any). They are shown side by
side, so that a reviewer sees how much hangs on the choice; none is applied to the card.

- accepts only: the refused are left out.
- augmentation: an accepted person stands for the refused of the same score band (Hsia, 1978).
- parcelling: the refused of a band default as its accepted do, times `harsh`, drawn at random (Siddiqi, 2006, ch. 7).
- fuzzy: each refused person counts as bad with the model's probability times `harsh`, and as good with the rest.

All four refit points on the bins of the card by ridge logistic regression, so differences come from the assumption
alone.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.errors import DataError, ParameterError
from blindscore.scorecard.card import Card
from blindscore.scorecard.quality import Interval, auc_interval
from blindscore.scorecard.validation.discrimination import band_edges

BANDS = 10
RIDGE = 1.0  # inverse strength of the ridge penalty


@dataclass(frozen=True)
class Inference:
    """The effect of each assumption."""

    table: pd.DataFrame  # method, bad_rate_refused, bad_rate_all, auc, low, high, moved
    beyond: float  # share of the refused in score bands that hold no accepted person: nothing is known of them
    accepted: int
    refused: int
    harsh: float


def infer_rejects(
    card: Card,
    bins: NDArray[np.uint8],
    bad: NDArray[np.bool_],
    refused: NDArray[np.uint8],
    *,
    approve: float,
    harsh: float = 1.0,
    seed: int = 0,
) -> Inference:
    """Refit under every assumption on a random half of the accepted and all the refused, judge on the other half.

    Parameters
    ----------
    bins, bad : (n, d), (n,) of the accepted
    refused : (m, d) bins of the refused
    approve : share of all (n + m) whom a refitted model is to approve
    harsh : how many times worse than the accepted of equal score the refused are taken to be, > 0

    Returns
    -------
    Inference
        In `table`: bad_rate_refused is what the assumption implies (NaN where it implies nothing), auc (with low and
        high) that on the accepted who were left out, moved the share of all people whose decision differs from
        "accepts only".

    Raises
    ------
    DataError
        Nobody was refused, or the accepted lack goods or bads.
    ParameterError
        `harsh` is not positive, or `approve` lies not strictly between 0 and 1.
    """
    if not harsh > 0 or not 0 < approve < 1:
        raise ParameterError("harsh must be positive, and approve lie strictly between 0 and 1")
    if len(refused) == 0:
        raise DataError("reject inference needs people who were refused")
    rng = np.random.default_rng(seed)
    half = rng.permutation(len(bad)) % 2 == 0
    for part in (bad[half], bad[~half]):
        if part.all() or not part.any():
            raise DataError("reject inference needs goods and bads among the accepted; give more people")
    x, z = _one_hot(card, bins), _one_hot(card, refused)
    train, y = x[half], bad[half]
    plain = _Model(train, y, np.ones(len(y)))
    risk, risk_refused = plain.risk(train), plain.risk(z)
    edges = band_edges(np.concatenate([risk, risk_refused]), BANDS)
    own, theirs = (np.searchsorted(edges, values, side="right") for values in (risk, risk_refused))
    n_own, n_bad, n_theirs = (
        np.bincount(place, weights=w, minlength=len(edges) + 1)
        for place, w in ((own, None), (own, y.astype(float)), (theirs, None))
    )
    rate = np.where(n_own > 0, n_bad / np.maximum(n_own, 1), np.nan)
    assumed = np.minimum(1.0, harsh * np.where(np.isnan(rate[theirs]), risk_refused, rate[theirs]))
    fuzzy = np.minimum(1.0, harsh * risk_refused)
    drawn = rng.random(len(z)) < assumed
    stands_for = np.where(n_own > 0, (n_own + n_theirs) / np.maximum(n_own, 1), 1.0)[own]
    everybody, ones = np.vstack([train, z]), np.ones(len(y))
    models = {
        "accepts only": (plain, np.nan),
        "augmentation": (_Model(train, y, stands_for), np.nan),
        "parcelling": (
            _Model(everybody, np.append(y, drawn), np.ones(len(everybody))),
            float(drawn.mean()),
        ),
        "fuzzy": (
            _Model(
                np.vstack([everybody, z]),
                np.concatenate([y, np.ones(len(z), bool), np.zeros(len(z), bool)]),
                np.concatenate([ones, fuzzy, 1 - fuzzy]),
            ),
            float(fuzzy.mean()),
        ),
    }
    people = np.vstack([x, z])
    first = _approved(plain.risk(people), approve)
    rows = []
    for name, (model, implied) in models.items():
        found: Interval = auc_interval(bad[~half], -model.risk(x[~half]))
        rows.append(
            {
                "method": name,
                "bad_rate_refused": implied,
                "bad_rate_all": (bad.sum() + implied * len(z)) / len(people),
                "auc": found.value,
                "low": found.low,
                "high": found.high,
                "moved": float((_approved(model.risk(people), approve) != first).mean()),
            }
        )
    return Inference(pd.DataFrame(rows), float((n_own[theirs] == 0).mean()), len(bad), len(z), harsh)


def _approved(risk: NDArray[np.float64], approve: float) -> NDArray[np.bool_]:
    return np.asarray(risk <= np.quantile(risk, approve, method="closest_observation"))


def _one_hot(card: Card, bins: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Bins as columns of 0 and 1, (n, sum of bins)."""
    starts = np.cumsum([0, *card.n_bins])
    out = np.zeros((len(bins), starts[-1]), np.float32)
    for j, start in enumerate(starts[:-1]):
        out[np.arange(len(bins)), start + bins[:, j]] = 1.0
    return out


class _Model:
    """Ridge logistic regression on bins."""

    def __init__(self, x: NDArray[np.float32], y: NDArray[np.bool_], weight: NDArray[np.float64]) -> None:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression

        self.fitted = LogisticRegression(C=RIDGE, max_iter=300)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # ranks are stable long before the last digit is
            self.fitted.fit(x, y, weight)

    def risk(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        return np.asarray(self.fitted.predict_proba(x)[:, 1], np.float64)
