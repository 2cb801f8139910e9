"""Try to break the guarantee: tell from what was released whether one chosen person was in the training data.

Who sees what: the auditor chooses the people and the canary, knows everybody else, and reads every release (gradient
level) or the finished card alone (model level). Assumption: none; an audit gives a lower bound on what leaks, and one
above the claim is proof of a defect. Not shown: that no better attack exists.

Many runs with and without the canary give a rate of false and of true alarms with exact intervals (Clopper and Pearson,
1934), and from these a lower bound on mu of Gaussian differential privacy (Dong, Roth, Su, "Gaussian differential
privacy", JRSS B 2022): ``mu >= z(true alarms) - z(false alarms)``, z the normal quantile. The claim is turned into mu
the same way: the largest mu that is (epsilon, delta)-private.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, norm

from blindscore.errors import ParameterError
from blindscore_crypto.private_model.accounting import Budget, Counts, check_budget, whole_budget
from blindscore_crypto.private_model.layout import Layout
from blindscore_crypto.private_model.methods import METHODS, method_named
from blindscore_crypto.private_model.noise import RandomBytes
from blindscore_crypto.private_model.privacy_loss import mu_of

Floats = NDArray[np.float64]
People = tuple[NDArray[np.uint8], NDArray[np.bool_]]  # bins (n, d), outcomes (n,)
Fit = Callable[[NDArray[np.uint8], NDArray[np.bool_]], Floats]


@dataclass(frozen=True)
class Audit:
    """Result of a many-run audit; mu_low at 97.5% confidence on either rate, so 95% in all."""

    true_alarms: float  # share of runs with the canary that raised the alarm
    false_alarms: float  # share of runs without it
    runs: int  # of either kind
    mu_low: float  # lower bound on mu, by the attack; 0 where nothing was found
    mu_claimed: float  # of the claimed epsilon and delta

    @property
    def advantage(self) -> float:
        """True alarms less false alarms."""
        return self.true_alarms - self.false_alarms


def judge(
    with_canary: Floats, without: Floats, threshold: float, epsilon: float, delta: float, confidence: float = 0.95
) -> Audit:
    """Return the audit of an attack's statistics; the threshold must have been fixed without looking at them."""
    if len(with_canary) != len(without) or len(without) < 10:
        raise ParameterError("an audit needs at least 10 runs, as many with the canary as without")
    check_budget(epsilon, delta)
    n, tail = len(without), (1 - confidence) / 2
    hits, errors = int((with_canary > threshold).sum()), int((without > threshold).sum())
    hit_low = float(beta.ppf(tail, hits, n - hits + 1)) if hits else 0.0
    error_high = float(beta.ppf(1 - tail, errors + 1, n - errors)) if errors < n else 1.0
    mu_low = max(0.0, float(norm.ppf(hit_low) - norm.ppf(error_high))) if hit_low > 0 and error_high < 1 else 0.0
    return Audit(hits / n, errors / n, n, mu_low, mu_of(epsilon, delta))


def make_people(n: int, layout: Layout) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return the auditor's own people, the same every time: good payers, all in the first bin."""
    return np.zeros((n, len(layout.n_bins)), np.uint8), np.arange(n) % 10 == 0


class Watched(Budget):
    """A budget whose releases somebody writes down: the transcript that the guarantee speaks of."""

    def __init__(self, epsilon: float, delta: float, source: RandomBytes | None) -> None:
        super().__init__(epsilon, delta, insecure_simulation_bytes=source)
        self.transcript: list[tuple[Floats, float]] = []  # noisy sums, sigma

    def release(self, sums: Counts, what: str, sensitivity: float, multiplier: float) -> tuple[Floats, float]:
        """Release as usual, and keep a copy."""
        seen = super().release(sums, what, sensitivity, multiplier)
        self.transcript.append(seen)
        return seen


class TranscriptEndsError(Exception):
    """The last recorded release has been asked for."""


class Replay(Budget):
    """Answers every release from a transcript, and notes what the sums would have been without noise."""

    def __init__(self, watched: Watched) -> None:
        super().__init__(watched.epsilon, watched.delta)
        self._transcript = watched.transcript
        self.exact: list[Counts] = []

    def release(self, sums: Counts, what: str, sensitivity: float, multiplier: float) -> tuple[Floats, float]:
        """Return the recorded answer; after the last one nothing that follows is of interest."""
        self.exact.append(sums)
        if len(self.exact) == len(self._transcript):
            raise TranscriptEndsError
        return self._transcript[len(self.exact) - 1]


def audit_gradient(
    epsilon: float,
    delta: float,
    runs: int = 1000,
    people: int = 200,
    features: int = 4,
    method: str = "auto",
    seed: int | None = None,
) -> Audit:
    """Audit a method of exact noise with every release in view.

    The canary defaults, in bins that nobody else is in. The statistic is the likelihood ratio of all noisy sums, which
    the auditor computes exactly, knowing everybody else, by playing the training again on either data set with the
    released answers: no attack on the same releases does better.

    Parameters
    ----------
    epsilon, delta : float
        The claim.
    runs : int
        Runs with the canary, and as many without.
    people, features : int
        Size of the auditor's data; the guarantee does not depend on it.
    method : str
        "auto", "onestep", "woe" or "gradient".
    seed : int, optional
        Makes the noise, and so the audit, repeat: the auditor's people are made up. Without it noise comes from the
        operating system, as in earnest.
    """
    source = None if seed is None else np.random.default_rng(seed).bytes
    train, layout = METHODS[method_named(method)], Layout((3,) * features, (True,) * features)
    multiplier = whole_budget(epsilon, delta)
    bins, bad = make_people(people, layout)
    worlds: list[People] = [(bins, bad)]
    worlds.append((np.vstack([bins, np.ones((1, features), np.uint8)]), np.append(bad, True)))

    def play(world: People, budget: Budget) -> None:
        with suppress(TranscriptEndsError):
            train(world[0], world[1], layout, multiplier, budget)

    def evidence(present: bool) -> float:
        watched = Watched(epsilon, delta, source)
        play(worlds[present], watched)
        exact = []
        for world in worlds:
            replay = Replay(watched)
            play(world, replay)
            exact.append(replay.exact)
        total: float = sum(
            float(((seen - out) ** 2 - (seen - within) ** 2).sum()) / (2 * sigma**2)
            for (seen, sigma), out, within in zip(watched.transcript, *exact, strict=True)
        )
        return total

    found = [np.array([evidence(present) for _ in range(runs)]) for present in (False, True)]
    return judge(found[1], found[0], 0.0, epsilon, delta)


def audit_model(
    fit: Fit, epsilon: float, delta: float, n_bins: tuple[int, ...] = (3, 3, 3), runs: int = 500, people: int = 200
) -> Audit:
    """Audit any training method through its finished weights alone.

    Half of the runs teach the attack what weights look like with and without the canary (a linear discriminant with a
    ridge); the other half test it, at the threshold that the first half gave.

    Parameters
    ----------
    fit : callable
        (bins (n, d) uint8, bad (n,) bool) -> what is released, as a vector of a fixed length.
    epsilon, delta : float
        The claim to test.
    n_bins : bins of each feature of the auditor's people
    runs : int
        Runs with the canary, and as many without.
    people : int
    """
    layout = Layout(n_bins, (True,) * len(n_bins))
    bins, bad = make_people(people, layout)
    more, more_bad = np.vstack([bins, np.ones((1, len(n_bins)), np.uint8)]), np.append(bad, True)
    seen = {
        True: np.array([fit(more, more_bad) for _ in range(runs)], np.float64),
        False: np.array([fit(bins, bad) for _ in range(runs)], np.float64),
    }
    half = runs // 2
    lessons = {present: seen[present][:half] for present in seen}
    gap = lessons[True].mean(axis=0) - lessons[False].mean(axis=0)
    spread = (np.cov(lessons[True].T) + np.cov(lessons[False].T)) / 2
    spread = np.atleast_2d(spread)
    direction = np.linalg.solve(spread + np.eye(len(gap)) * (1e-3 * np.trace(spread) / len(gap) + 1e-9), gap)
    threshold = float((lessons[True].mean(axis=0) + lessons[False].mean(axis=0)) @ direction / 2)
    return judge(
        seen[True][half:] @ direction, seen[False][half:][: runs - half] @ direction, threshold, epsilon, delta
    )
