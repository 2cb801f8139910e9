"""From effects in log-odds to whole points: merge bins that hardly differ, then round so that little fit is lost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blindscore.scorecard.classing import best_segments

SAME = 0.005  # root mean square in log-odds under which merged bins count as equal: a third of a point at PDO 50
MAX_SWEEPS = 20


def merge_effects(
    effects: NDArray[np.float64],
    people: NDArray[np.float64],
    max_bins: int,
    least: float = 0,
    heads: NDArray[np.int64] | None = None,
) -> list[int]:
    """Start of each bin after merging neighbours, as few as keep the effects, at most `max_bins`.

    Parameters
    ----------
    effects : (m,) log-odds of the ordinary fine bins
    people : (m,) how many stand in each
    least : least head count of a bin; one bin where so many are not there
    heads : (m,) head counts, where `people` are weighted
    """
    weight = people + 1e-9 * max(1.0, people.sum())  # a bin without people still follows its own effect
    mass, first, second = (np.concatenate([[0.0], np.cumsum(weight * effects**power)]) for power in (0, 1, 2))
    w, a, b = (sums[None, :] - sums[:, None] for sums in (mass, first, second))
    reached = np.concatenate([[0.0], np.cumsum(people if heads is None else heads)])
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.where(w > 0, b - a * a / w, np.inf)  # [i, j]: loss of one bin of i..j-1
    places = np.arange(len(effects) + 1)
    allowed = (places[:, None] < places[None, :]) & (reached[None, :] - reached[:, None] >= least)
    found = best_segments(np.where(allowed, -np.maximum(spread, 0.0), -np.inf), max_bins)
    possible = [pair for pair in found if np.isfinite(pair[0])]
    if not possible:
        return [0]
    enough = [starts for total, starts in possible if -total <= SAME**2 * mass[-1]]
    return enough[0] if enough else possible[-1][1]


def merged(effects: NDArray[np.float64], people: NDArray[np.float64], starts: list[int]) -> NDArray[np.float64]:
    """Mean effect of each merged bin."""
    weight = people + 1e-9 * max(1.0, people.sum())
    return np.add.reduceat(weight * effects, starts) / np.add.reduceat(weight, starts)


def neutral(effects: NDArray[np.float64], people: NDArray[np.float64], told: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Effects in which bins that are not `told` say nothing of their own: they get the average of the rest."""
    average = float(np.average(effects[told], weights=people[told])) if people[told].sum() > 0 else 0.0
    return np.where(told, effects, average)


def log_odds_of(bins: NDArray[np.uint8], effects: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Sum of each person's effects, (n,), from bins (d, n)."""
    exact = np.zeros(bins.shape[1])
    for own, effect in zip(bins, effects, strict=True):
        exact += effect[own]
    return exact


def intercept_of(margin: NDArray[np.float64], bad: NDArray[np.bool_], weight: NDArray[np.float64]) -> float:
    """Intercept at which mean risk equals the bad rate, by Newton's method from the rate's own log-odds."""
    share = weight / weight.sum()
    rate = float(share @ bad)
    intercept = float(np.log((1 - rate) / rate))
    for _ in range(50):
        risk = 1.0 / (1.0 + np.exp(margin + intercept))
        step = (float(share @ risk) - rate) / max(float(share @ (risk * (1 - risk))), 1e-12)
        intercept += float(np.clip(step, -2, 2))
        if abs(step) < 1e-10:
            break
    return intercept


def round_points(
    bins: NDArray[np.uint8],
    effects: list[NDArray[np.float64]],
    exact: NDArray[np.float64],
    factor: float,
    offset: float,
    signs: NDArray[np.int64],
    weight: NDArray[np.float64],
    ordinary: list[int],
) -> tuple[int, list[NDArray[np.int64]]]:
    """Whole points of base and bins whose total stays nearest the exact one, weighted as the likelihood weighs it.

    Near its minimum the log-likelihood loses ``h (error)^2 / 2`` a person, h = p(1 - p), so each bin moves by the whole
    number nearest the weighted mean error of its people, until none moves. A monotone feature moves only where its
    order survives.

    Parameters
    ----------
    bins : (d, n); effects : of each feature, log-odds of good a bin, the missing bin last
    exact : (n,) log-odds of good, intercept included
    factor, offset : points per unit of log-odds, points at log-odds 0
    signs : (d,) +1 where points must rise, -1 where they must fall, 0 where they are free
    weight : (n,) for how many people each stands
    ordinary : bins of each feature that the order binds: the first so many

    Returns
    -------
    base, points of each feature
    """
    risk = 1.0 / (1.0 + np.exp(exact))
    h = weight * np.maximum(risk * (1 - risk), 1e-4)
    points = [np.rint(factor * effect).astype(np.int64) for effect in effects]
    error = -(factor * exact + offset)
    for own, p in zip(bins, points, strict=True):
        error += p[own]
    shift = -round(float(np.average(error, weights=h)))
    error += shift
    for _ in range(MAX_SWEEPS):
        moved = False
        for own, p, sign, m in zip(bins, points, signs, ordinary, strict=True):
            mass = np.bincount(own, weights=h, minlength=len(p))
            mean = np.bincount(own, weights=h * error, minlength=len(p)) / np.where(mass > 0, mass, 1.0)
            move = -np.rint(mean).astype(np.int64)
            steps = np.diff((p + move)[:m])
            if not move.any() or (sign * steps < 0).any():
                continue
            p += move
            error += move[own]
            moved = True
        if not moved:
            break
    return shift, points
