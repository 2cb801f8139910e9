"""Whether forecast probabilities of default can be taken at their word: tests beside the table of ``reliability``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit
from scipy.stats import beta, chi2, norm

from blindscore.scorecard.inputs import as_flags
from blindscore.scorecard.monitoring import reliability
from blindscore.scorecard.quality import Interval, brier

STEPS = 50  # of Newton's method
EDGE = 1e-9  # probabilities are kept this far from 0 and 1


@dataclass(frozen=True)
class Calibration:
    """Forecast against outcome; p-values under the hypothesis that the forecasts are right."""

    people: int
    forecast: float  # mean probability of default
    observed: Interval  # share who defaulted, with Clopper and Pearson's interval (1934)
    slope: Interval  # 1 = right; below, forecasts are too extreme (Cox, 1958); NaN where outcomes are separated
    intercept: Interval  # 0 = right at slope 1, in log-odds; above, too few defaults were forecast
    spiegelhalter_p: float  # Spiegelhalter (1986): Brier score against what the forecasts themselves expect
    hosmer_lemeshow_p: float  # Hosmer and Lemeshow (1980), on people not used in the fit: as many degrees as bands
    brier: float
    brier_constant: float  # of the observed rate for everybody

    @property
    def holds(self) -> bool:
        """The forecast rate lies within the interval of the observed one."""
        return self.observed.low <= self.forecast <= self.observed.high


def binomial_interval(k: int, n: int, level: float = 0.95) -> Interval:
    """Share k/n with the exact interval of Clopper and Pearson (1934)."""
    tail = (1 - level) / 2
    low = float(beta.ppf(tail, k, n - k + 1)) if k else 0.0
    high = float(beta.ppf(1 - tail, k + 1, n - k)) if k < n else 1.0
    return Interval(k / n, low, high)


def calibration(bad: ArrayLike, probability: ArrayLike, bands: int = 10) -> Calibration:
    """Return every figure of calibration; `probability` (n,) is that of default."""
    outcome, risk = as_flags(bad), np.clip(np.asarray(probability, np.float64), EDGE, 1 - EDGE)
    n, k = len(outcome), int(outcome.sum())
    score = brier(outcome, risk)
    return Calibration(
        people=n,
        forecast=float(risk.mean()),
        observed=binomial_interval(k, n),
        slope=_logistic(outcome, np.column_stack([logit(risk), np.ones(n)]), np.zeros(n))[0],
        intercept=_logistic(outcome, np.ones((n, 1)), logit(risk))[0],
        spiegelhalter_p=_spiegelhalter(outcome, risk),
        hosmer_lemeshow_p=_hosmer_lemeshow(outcome, risk, bands),
        brier=score,
        brier_constant=k / n * (1 - k / n),
    )


def _spiegelhalter(outcome: NDArray[np.bool_], risk: NDArray[np.float64]) -> float:
    top = ((outcome - risk) * (1 - 2 * risk)).sum()
    spread = np.sqrt(((1 - 2 * risk) ** 2 * risk * (1 - risk)).sum())
    return float(2 * norm.sf(abs(top / spread))) if spread > 0 else float("nan")


def _hosmer_lemeshow(outcome: NDArray[np.bool_], risk: NDArray[np.float64], bands: int) -> float:
    table = reliability(outcome, risk, bands)
    expected = table.people * table.forecast
    spread = expected * (1 - table.forecast)
    return float(chi2.sf(((table.people * table.observed - expected) ** 2 / spread).sum(), len(table)))


def _logistic(outcome: NDArray[np.bool_], x: NDArray[np.float64], offset: NDArray[np.float64]) -> list[Interval]:
    """Coefficients of a logistic regression with Wald's 95% intervals, by Newton's method; NaN where it runs away."""
    weights = np.zeros(x.shape[1])
    nothing = [Interval(float("nan"), float("-inf"), float("inf"))] * len(weights)
    hessian = np.eye(len(weights))
    for _ in range(STEPS):
        p = expit(x @ weights + offset)
        hessian = (x * (p * (1 - p))[:, None]).T @ x
        try:
            step = np.linalg.solve(hessian, x.T @ (outcome - p))
        except np.linalg.LinAlgError:
            return nothing
        weights = weights + step
        if not np.isfinite(weights).all() or np.abs(weights).max() > 1e3:
            return nothing
        if np.abs(step).max() < 1e-9:
            half = norm.ppf(0.975) * np.sqrt(np.diag(np.linalg.inv(hessian)))
            return [Interval(float(w), float(w - h), float(w + h)) for w, h in zip(weights, half, strict=True)]
    return nothing
