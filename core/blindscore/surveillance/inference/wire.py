"""Wire: who listens to a line, what they make of it, and how sure that is.

Attackers learn on the exchanges of one half of the people and are judged on the other's, then the other way round, so
that nobody is recognised by having been heard before. Three: the best of the package's own classifiers; a forest on the
same features, as in k-fingerprinting (Hayes and Danezis 2016); nearest neighbours. Beside them stands an estimate of
the least error that any attacker on these features could reach (Cherubin, "Bayes, not Naive", PoPETs 2017; Cover and
Hart 1967). It needs no strong attacker, says nothing about features that are not among them, and is no bound.

Exchanges played one after another depend on each other, and so do those of one person. Intervals are therefore those
of the means of stretches of time (batch means; Law and Kelton), or of clusters of people (Liang and Zeger 1986) where
those are wider, never of single exchanges. What taught an attacker in one direction judges it in the other, so the two
err together (for a linear rule they are one inner product; no estimate of that from the same exchanges is unbiased:
Bengio and Grandvalet, JMLR 5, 2004). Their reaches are therefore added as if they were one error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t
from sklearn.ensemble import RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from blindscore.errors import ParameterError
from blindscore.surveillance.inference.classifiers import infer
from blindscore.surveillance.inference.evidence import Evidence
from blindscore.surveillance.knowledge import UNKNOWN, Labels

STRETCHES = 40  # whose means carry the interval
TREES = 100
Rows = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Heard:
    """What one attacker made of a line.

    Parameters
    ----------
    advantage
        ``(k BA - 1)/(k - 1)`` over k classes, on exchanges of people that it did not learn from.
    low, high
        95%.
    """

    attack: str
    advantage: float
    low: float
    high: float
    exchanges: int


def listen(
    rows: Rows, secret: Codes, half: Codes, seed: int = 0, who: Codes | None = None, group: Codes | None = None
) -> list[Heard]:
    """Return what each attacker makes of a secret.

    Parameters
    ----------
    rows : (n, d)
        Features, in the order of play.
    secret : (n,) 0 .. k-1, each as often, or nearly
    half : (n,) 0 or 1
        Attackers learn on one and are judged on the other.
    who : (n,), optional
        The person, where one is heard several times.
    group : (n,), optional
        Within which a secret is told from others; attackers learn of each by itself. By default all is one.

    Raises
    ------
    ParameterError
        Too few exchanges for the interval, or a class that one half lacks.
    """
    secret = np.asarray(secret, np.int64)
    k = int(secret.max()) + 1
    fewest = min(int((np.asarray(half) == side).sum()) for side in (0, 1))
    if fewest < STRETCHES or k < 2:
        raise ParameterError(
            f"listening needs {STRETCHES} exchanges of either half at least, and of two kinds; got {fewest}"
        )
    within = np.zeros(len(secret), np.int64) if group is None else np.asarray(group)
    parts = [np.flatnonzero(within == one) for one in np.unique(within)]
    if any(len(np.unique(secret[part][half[part] == side])) < k for part in parts for side in (0, 1)):
        raise ParameterError("a kind of exchange is missing in one half of the people; play more")
    heard = []
    for name, attack in ATTACKERS.items():
        guess = np.empty_like(secret)
        for part in parts:
            for side in (0, 1):
                learnt = half[part] == side
                guess[part[~learnt]] = attack(rows[part], secret[part], learnt, k, seed)[~learnt]
        heard.append(judged(name, guess, secret, k, who, half))
    return heard


def judged(
    name: str, guess: Codes, secret: Codes, k: int, who: Codes | None = None, half: Codes | None = None
) -> Heard:
    """Return the advantage of guesses, classes weighted alike, with its interval.

    Parameters
    ----------
    who : (n,), optional
        The person, where one is heard several times.
    half : (n,), optional
        Which half each exchange is of, where either was judged by what the other taught. By default nothing was
        learnt from what is judged.
    """
    share = np.bincount(secret, minlength=k) / len(secret)
    scored = (k * (guess == secret) / (share[secret] * k) - 1.0) / (k - 1.0)
    sides = [np.ones(len(secret), np.bool_)] if half is None else [half == side for side in np.unique(half)]
    reach = sum(float(side.mean()) * _reach(scored[side], None if who is None else who[side]) for side in sides)
    value = float(scored.mean())
    return Heard(name, value, max(-1.0, value - reach), min(1.0, value + reach), len(secret))


def _reach(scored: Rows, who: Codes | None) -> float:
    """Return how far 95% of a mean reaches, either way.

    Where a stretch's means do not vary at all, the rule of three (3/n) says what was not seen; n counts people where
    they are known.
    """
    n, value = len(scored), scored.mean()
    means = np.array([part.mean() for part in np.array_split(scored, STRETCHES)])
    reach = float(t.ppf(0.975, STRETCHES - 1) * means.std(ddof=1) / np.sqrt(STRETCHES))
    if who is not None:
        _, person = np.unique(who, return_inverse=True)
        sums, people = np.bincount(person, weights=scored - value), int(person.max()) + 1
        if people > 1:
            spread = np.sqrt(people / (people - 1.0) * float(sums @ sums)) / n
            reach, n = max(reach, float(t.ppf(0.975, people - 1)) * spread), people
    return max(reach, 3.0 / n)


def _best_of_several(rows: Rows, secret: Codes, learnt: NDArray[np.bool_], k: int, seed: int) -> Codes:
    return infer(Evidence.of(rows), Labels(np.where(learnt, secret, UNKNOWN), k), learnt, seed).best


def _forest(rows: Rows, secret: Codes, learnt: NDArray[np.bool_], k: int, seed: int) -> Codes:
    model = RandomForestClassifier(TREES, min_samples_leaf=5, class_weight="balanced", random_state=seed, n_jobs=1)
    return np.asarray(model.fit(rows[learnt], secret[learnt]).predict(rows), np.int64)


def _neighbours(rows: Rows, secret: Codes, learnt: NDArray[np.bool_], k: int, seed: int) -> Codes:
    scaled = StandardScaler().fit(rows[learnt]).transform(rows)
    model = KNeighborsClassifier(min(25, int(learnt.sum()) // 4), algorithm="brute")
    return np.asarray(model.fit(scaled[learnt], secret[learnt]).predict(scaled), np.int64)


ATTACKERS: dict[str, Callable[[Rows, Codes, NDArray[np.bool_], int, int], Codes]] = {
    "best of several": _best_of_several,
    "forest": _forest,
    "nearest neighbours": _neighbours,
}


def nearest_neighbour_limit(rows: Rows, secret: Codes, half: Codes) -> float:
    """Return an estimate of the largest advantage that any attacker on these features could have.

    ``1 - k/(k-1) R`` for the Bayes error ``R = (k-1)/k (1 - sqrt(1 - k/(k-1) E))``, E that of one neighbour (Cover and
    Hart 1967), so that the estimate is ``sqrt(1 - k/(k-1) E)``. Classes are weighted alike. It is good as the number of
    exchanges grows, is pushed up by chance where nothing is to be heard (by the root of a small number), and bounds
    nothing.
    """
    k = int(secret.max()) + 1
    wrong = np.empty(len(secret), np.bool_)
    for side in (0, 1):
        learnt = half == side
        scale = StandardScaler().fit(rows[learnt])
        model = KNeighborsClassifier(1).fit(scale.transform(rows[learnt]), secret[learnt])
        wrong[~learnt] = model.predict(scale.transform(rows[~learnt])) != secret[~learnt]
    error = float(np.mean([wrong[secret == kind].mean() for kind in range(k)]))
    return float(np.sqrt(max(0.0, 1.0 - k / (k - 1.0) * error)))
