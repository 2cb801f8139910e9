"""Traces: what an observer makes of packets on a line, by size, direction and time.

Attackers: the package's own classifiers on the features of k-fingerprinting (Hayes and Danezis, "k-fingerprinting",
USENIX Security 2016) and on the cumulative sums of CUMUL (Panchenko et al., NDSS 2016), trained on one half of the
exchanges and judged on the other. Beside them stands an estimate of the least error that any attacker could reach on
these features, from nearest neighbours (Cherubin, "Bayes, not Naive", PoPETs 2017; Cover and Hart 1967): it needs no
strong attacker, and says nothing about features that are not among them.

Exchanges are played in pairs, one of either secret, interleaved and in random order, so that a drift of the machine
falls on both. A difference is then tested within pairs (Wilcoxon 1945; the sign test), which asks for no independence
between pairs beyond their order; samples on one machine depend on each other, so tests for independent ones are not
used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, binomtest, wilcoxon
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from blindscore.errors import ParameterError
from blindscore.surveillance.inference.classifiers import infer
from blindscore.surveillance.inference.evidence import Evidence
from blindscore.surveillance.knowledge import UNKNOWN, Labels

CUMULATIVE = 20  # points at which cumulative sums are read off
LEVEL = 0.05

Trace = NDArray[np.float64]  # (packets, 2): seconds since the first packet; bytes, negative towards the person


def features(traces: Sequence[Trace]) -> NDArray[np.float64]:
    """Return the features of traces, (n, 36 + CUMULATIVE): counts, sizes, gaps by direction, cumulative sums.

    Raises
    ------
    ParameterError
        A trace is empty or of another shape.
    """
    if any(trace.ndim != 2 or trace.shape[1] != 2 or not len(trace) for trace in traces):
        raise ParameterError("a trace has a row a packet and two columns, time and signed bytes; none may be empty")
    return np.stack([_features(trace) for trace in traces])


def _features(trace: Trace) -> NDArray[np.float64]:
    time, size = trace[:, 0] - trace[0, 0], trace[:, 1]
    parts: list[float] = [len(trace), time[-1], np.abs(size).sum()]
    for way in (size > 0, size < 0):
        own, gaps = np.abs(size[way]), np.diff(time[way])
        parts += [own.size, own.sum(), *_spread(own), *_spread(gaps)]
    gaps = np.diff(time)
    parts += _spread(gaps)
    turns = np.flatnonzero(np.diff(np.sign(size)) != 0)
    waits = time[turns + 1] - time[turns] if turns.size else np.zeros(1)
    parts += [turns.size, waits.max(), waits[-1], time[turns[-1] + 1] if turns.size else 0.0]
    sums = np.cumsum(size)
    at = np.linspace(0, len(sums) - 1, CUMULATIVE)
    return np.array([*parts, *np.interp(at, np.arange(len(sums)), sums)])


def _spread(values: NDArray[np.float64]) -> list[float]:
    if not values.size:
        return [0.0] * 5
    return [values.mean(), values.std(), values.min(), float(np.median(values)), values.max()]


@dataclass(frozen=True)
class WireResult:
    """What the best attacker made of a line."""

    attack: str
    advantage: float  # TPR - FPR on exchanges that it was not trained on
    low: float  # 95%
    high: float
    nearest_neighbour_limit: float  # estimate of what no attacker on these features exceeds
    exchanges: int


def wire_advantage(rows: NDArray[np.float64], secret: NDArray[np.integer], seed: int = 0) -> WireResult:
    """Return what the features tell of a secret of two classes.

    The upper end is that of two Clopper-Pearson limits, one for each class's share of right answers, each at 1.25%:
    together at most 2.5% wrong above, and likewise below.

    Parameters
    ----------
    rows : (n, d)
    secret : (n,) 0 or 1
    """
    secret = np.asarray(secret, np.int64)
    rng = np.random.default_rng([seed, 0x3197])
    learnt = np.zeros(len(secret), np.bool_)
    for kind in (0, 1):
        members = rng.permutation(np.flatnonzero(secret == kind))
        learnt[members[: len(members) // 2]] = True
    guess = infer(Evidence.of(rows), Labels(np.where(learnt, secret, UNKNOWN), 2), learnt, seed)
    right = guess.best == secret
    ends = np.array([clopper_pearson(right[(secret == kind) & ~learnt], LEVEL / 4) for kind in (0, 1)])
    recall = [float(right[(secret == kind) & ~learnt].mean()) for kind in (0, 1)]
    low, high = ends.sum(axis=0) - 1.0
    limit = nearest_neighbour_limit(rows, secret, learnt)
    return WireResult(guess.attack, sum(recall) - 1.0, float(low), float(high), limit, int((~learnt).sum()))


def nearest_neighbour_limit(rows: NDArray[np.float64], secret: NDArray[np.integer], learnt: NDArray[np.bool_]) -> float:
    """Return 1 - 2 R for the estimate R of the Bayes error: ``(1 - sqrt(1 - 2 E)) / 2``, E that of one neighbour.

    Classes are weighted alike. An estimate of a limit, good as the number of exchanges grows, and no bound.
    """
    scale = StandardScaler().fit(rows[learnt])
    model = KNeighborsClassifier(1).fit(scale.transform(rows[learnt]), secret[learnt])
    wrong = model.predict(scale.transform(rows[~learnt])) != secret[~learnt]
    error = float(np.mean([wrong[secret[~learnt] == kind].mean() for kind in (0, 1)]))
    return float(np.sqrt(max(0.0, 1.0 - 2.0 * min(error, 0.5))))


def clopper_pearson(right: NDArray[np.bool_], level: float) -> tuple[float, float]:
    """Return exact limits of a share, each wrong with chance at most ``level`` (Clopper and Pearson 1934)."""
    n, k = len(right), int(right.sum())
    low = float(beta.ppf(level, k, n - k + 1)) if k else 0.0
    high = float(beta.ppf(1 - level, k + 1, n - k)) if k < n else 1.0
    return low, high


@dataclass(frozen=True)
class PairedResult:
    """Whether one figure differs within pairs."""

    median_difference: float
    wilcoxon_p: float
    sign_p: float


def paired_difference(one: NDArray[np.float64], other: NDArray[np.float64]) -> PairedResult:
    """Test whether a figure of paired exchanges differs, (n,) each; two-sided."""
    difference = one - other
    told = difference[difference != 0]
    if not told.size:
        return PairedResult(0.0, 1.0, 1.0)
    sign = binomtest(int((told > 0).sum()), told.size).pvalue
    return PairedResult(float(np.median(difference)), float(wilcoxon(told).pvalue), float(sign))
