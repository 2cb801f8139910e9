"""Sparse cuts: an additive step model under an L1 penalty on every step, averaged over random parts of the people.

Each feature's fine bins are coded as a thermometer (column k is 1 from bin k upwards), so a coefficient is the height
of one step; the penalty on steps (Tibshirani, 1996; on thermometers it is the fused lasso of Tibshirani et al., 2005)
removes most cuts. Minimised by cyclic coordinate descent on a local quadratic (Friedman, Hastie and Tibshirani, 2010).
Several fits on random parts of the people choose the penalty on the people they left out, and their average is the
model (bagging: Breiman, 1996); an average of step models is a step model.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from blindscore.kernel_cache import njit
from blindscore.scorecard.woe import fit_weights, fit_woe
from blindscore.threads import each

BAGS, MOST_BAGS = 8, 48
BAG_PEOPLE = 60_000  # among fewer people luck decides more and a fit costs less, so there are more bags
IN_BAG = 0.7  # share of the people in a bag
MAX_IN_BAG = 150_000  # people; more would cost time and change no second digit
PENALTIES = np.geomspace(0.03, 0.0003, 20)  # per person, times sd ** 0.5 of the step's column
PATIENCE = 3  # penalties without improvement before the path ends
MAX_SWEEPS = 40
TOLERANCE = 1e-3  # greatest change of a sweep, in units of log-odds times the root of the curvature


@njit(cache=True, nogil=True)
def _solve_steps(gradient: Any, hessian: Any, penalty: Any, steps: Any, sign: Any) -> None:
    """Minimise gradient.t + t.hessian.t / 2 + penalty.|steps + t| over one feature's steps, which change in place.

    sign : +1 or -1 where all steps must have that sign, 0 where they are free
    """
    for _ in range(100):
        greatest = 0.0
        for k in range(gradient.size):
            curvature = hessian[k, k]
            if curvature <= 1e-12:
                continue
            pull = curvature * steps[k] - gradient[k]
            step = np.sign(pull) * max(0.0, abs(pull) - penalty[k]) / curvature
            change = (0.0 if sign * step < 0 else step) - steps[k]
            if change != 0.0:
                steps[k] += change
                for m in range(gradient.size):
                    gradient[m] += hessian[k, m] * change
                greatest = max(greatest, abs(change) * np.sqrt(curvature))
        if greatest < 1e-6:
            break


@njit(cache=True, nogil=True)
def _descend(
    bins: Any, ordinary: Any, ordered: Any, bad: Any, mass: Any, share: Any, reach: Any, scale: Any, signs: Any,
    weight: Any, steps: Any, effects: Any, margin: Any, intercept: Any,
) -> Any:  # fmt: skip
    """Continue one bag's descent at penalty `weight`; steps, effects and margin change in place; return the intercept.

    bins : (d, n) uint8; ordinary : (d,) bins without the missing one; bad : (n,) float64
    ordered : (d,) True for a number; categories have no steps, but an effect each, as the missing bin has
    mass : (n,) share of each person, which sums to 1
    share : (d, w) share of people in each bin; reach : (d, w) share of those present who are in bin k or above
    scale : (d, w) penalty scale of each step, that of the missing bin at place ordinary[j]
    steps, effects : (d, w); margin : (n,) log-odds of default
    """
    d, n = bins.shape
    width = effects.shape[1]
    g, h = np.empty(n), np.empty(n)
    grad, hess, new, above = np.zeros(width), np.zeros(width), np.zeros(width), np.zeros(width + 1)
    pull, curvature, sums = np.zeros(width), np.zeros((width, width)), np.zeros((width, 2))
    active = np.ones(d, np.bool_)
    least, old = np.inf, (steps.copy(), effects.copy(), margin.copy(), intercept)
    for sweep in range(MAX_SWEEPS):
        for _ in range(30):  # a sweep that overshot is taken back by halves: the loss is convex
            loss = 0.0
            for j in range(d):
                first = ordinary[j] if ordered[j] else 0
                for k in range(1, first):
                    loss += weight * scale[j, k] * abs(steps[j, k])
                for k in range(first, ordinary[j] + 1):
                    loss += weight * scale[j, k] * abs(effects[j, k])
            for i in range(n):
                e = np.exp(-abs(margin[i]))
                p = (1.0 if margin[i] > 0 else e) / (1.0 + e)
                g[i] = (p - bad[i]) * mass[i]
                h[i] = max(p * (1.0 - p), 1e-4) * mass[i]
                loss += (np.log(1.0 + e) + max(margin[i], 0.0) - bad[i] * margin[i]) * mass[i]
            if loss <= least + 1e-12:
                break
            for j in range(d):  # by elements: whole arrays would take half of the time that this kernel is compiled in
                for k in range(width):
                    steps[j, k] = (steps[j, k] + old[0][j, k]) / 2
                    effects[j, k] = (effects[j, k] + old[1][j, k]) / 2
            for i in range(n):
                margin[i] = (margin[i] + old[2][i]) / 2
            intercept = (intercept + old[3]) / 2
        least, old = loss, (steps.copy(), effects.copy(), margin.copy(), intercept)
        everything, greatest = sweep % 4 == 0, 0.0
        whole, shift = h.sum(), 0.0
        for j in range(d):
            if not (everything or active[j]):
                continue
            m, own = ordinary[j], bins[j]
            sums[:] = 0.0
            for i in range(n):  # the shift that the feature before left is made on the way
                margin[i] += shift
                g[i] += h[i] * shift
                sums[own[i], 0] += g[i]
                sums[own[i], 1] += h[i]
            shift = 0.0
            for k in range(width):
                grad[k], hess[k] = sums[k, 0], sums[k, 1]
            first = 0
            if ordered[j]:
                first = m
                above[m] = 0.0
                for k in range(m - 1, -1, -1):
                    above[k] = above[k + 1] + hess[k]
                tail, present = 0.0, grad[:m].sum()
                for k in range(m - 1, 0, -1):  # columns are centred among those present: a missing value means average
                    tail += grad[k]
                    pull[k] = tail - reach[j, k] * present
                    for q in range(1, k + 1):
                        a, b = reach[j, k], reach[j, q]
                        curvature[k, q] = above[k] - b * above[k] - a * above[q] + a * b * above[0]
                        curvature[q, k] = curvature[k, q]
                _solve_steps(pull[1:m], curvature[1:m, 1:m], weight * scale[j, 1:m], steps[j, 1:m], signs[j])
                level = 0.0
                for k in range(1, m):
                    level -= steps[j, k] * reach[j, k]
                for k in range(m):
                    level += steps[j, k]
                    new[k] = level
            for k in range(first, m + 1):
                new[k] = 0.0
                if share[j, k] > 0.0:
                    wish = hess[k] * effects[j, k] - grad[k]
                    new[k] = np.sign(wish) * max(0.0, abs(wish) - weight * scale[j, k]) / hess[k]
            change = 0.0
            for k in range(m + 1):
                grad[k] = new[k] - effects[j, k]
                change = max(change, abs(grad[k]) * np.sqrt(hess[k]))
                effects[j, k] = new[k]
            active[j] = change > 0.0 or np.any(effects[j] != 0.0)
            if change > 0.0:
                greatest = max(greatest, change)
                left = 0.0
                for i in range(n):
                    margin[i] += grad[own[i]]
                    g[i] += h[i] * grad[own[i]]
                    left += g[i]
                shift = -left / whole
                intercept += shift
        for i in range(n):
            margin[i] += shift
        if everything and greatest < TOLERANCE:
            break
    return intercept


@njit(cache=True, nogil=True)
def _margins(bins: Any, effects: Any, intercept: Any) -> Any:
    """Log-odds of default, (n,), of people with bins (d, n)."""
    out = np.full(bins.shape[1], intercept)
    for j in range(bins.shape[0]):
        for i in range(bins.shape[1]):
            out[i] += effects[j, bins[j, i]]
    return out


@dataclass
class _Bag:
    """One random part of the people, the descent so far, and the people left out."""

    bins: NDArray[np.uint8]
    bad: NDArray[np.float64]
    weight: NDArray[np.float64]
    out_bins: NDArray[np.uint8]
    out_bad: NDArray[np.bool_]
    out_weight: NDArray[np.float64]
    tables: tuple[NDArray[np.float64], ...]  # share, reach, scale
    steps: NDArray[np.float64]
    effects: NDArray[np.float64]
    margin: NDArray[np.float64]
    intercept: float

    def descend(
        self, ordinary: NDArray[np.int64], ordered: NDArray[np.bool_], signs: NDArray[np.int64], weight: float
    ) -> NDArray[np.float64]:
        """Continue at a smaller penalty; return the log-odds of default of the people left out."""
        self.intercept = _descend(
            self.bins, ordinary, ordered, self.bad, self.weight / self.weight.sum(), *self.tables, signs, weight,
            self.steps, self.effects, self.margin, self.intercept,
        )  # fmt: skip
        return np.asarray(_margins(self.out_bins, self.effects, self.intercept))


def _bag(
    bins: NDArray[np.uint8], ordinary: NDArray[np.int64], ordered: NDArray[np.bool_], bad: NDArray[np.bool_],
    weight: NDArray[np.float64], rng: np.random.Generator,
) -> _Bag:  # fmt: skip
    inside, outside = [], []
    for outcome in (False, True):
        people = rng.permutation(np.flatnonzero(bad == outcome))
        share = min(IN_BAG, MAX_IN_BAG / len(bad))
        cut = min(max(1, round(share * len(people))), max(1, len(people) - 1))
        inside.append(people[:cut])
        outside.append(people[cut:][: max(1, cut // 2)] if len(people) > 1 else people)
    rows, rest = np.sort(np.concatenate(inside)), np.sort(np.concatenate(outside))
    own = np.ascontiguousarray(bins[:, rows])
    d, width = len(bins), int(ordinary.max()) + 1
    mass = weight[rows] / weight[rows].sum()
    share_of = np.array([np.bincount(column, weights=mass, minlength=width) for column in own])
    reach, scale = np.zeros((d, width)), np.zeros((d, width))
    for j, m in enumerate(ordinary):
        present = share_of[j, :m].sum()
        if present > 0:
            reach[j, :m] = np.cumsum(share_of[j, :m][::-1])[::-1] / present
        scale[j, : m + 1] = np.sqrt(np.sqrt((share_of[j, : m + 1] * (1 - share_of[j, : m + 1])).clip(0)))
        if ordered[j]:
            scale[j, :m] = np.sqrt(np.sqrt(reach[j, :m] * (1 - reach[j, :m]).clip(0) * present))
    odds = float(mass @ bad[rows]) / float(mass @ ~bad[rows])
    zeros = np.zeros((d, width))
    start = float(np.log(odds))
    return _Bag(
        own, bad[rows].astype(np.float64), weight[rows], np.ascontiguousarray(bins[:, rest]), bad[rest], weight[rest],
        (share_of, reach, scale), zeros, zeros.copy(), np.full(len(rows), start), start,
    )  # fmt: skip


def fit_sparse(
    bins: NDArray[np.uint8], ordinary: NDArray[np.int64], ordered: NDArray[np.bool_], bad: NDArray[np.bool_],
    weight: NDArray[np.float64], signs: NDArray[np.int64], seed: int, least: float = 1,
) -> NDArray[np.float64]:  # fmt: skip
    """Effects in log-odds of *good* of every fine bin, (d, widest), the missing bin of feature j at ordinary[j].

    Parameters
    ----------
    bins : (d, n) fine bin of each person; ordinary : (d,) bins without the missing one
    ordered : (d,) True for a number, False for categories
    bad : (n,) True = defaulted; weight : (n,) for how many people each stands
    signs : (d,) +1 where points must rise with the bin, -1 where they must fall, 0 where they are free
    seed : of the random parts
    least : least people whom evidence may come from

    Notes
    -----
    An effect of a bin without people is that of the bin below it, and of the missing bin 0, the average.
    """
    rng = np.random.default_rng(seed)
    bags = [
        _bag(bins, ordinary, ordered, bad, weight, rng)
        for _ in range(max(BAGS, min(MOST_BAGS, BAG_PEOPLE // len(bad))))
    ]
    best, since, least, left_out = np.zeros_like(bags[0].effects), 0, float("inf"), [np.zeros(len(bags[0].out_bad))]
    for penalty in map(float, PENALTIES):
        margins = each(partial(_Bag.descend, ordinary=ordinary, ordered=ordered, signs=-signs, weight=penalty), bags)
        told = [_deviance(m, bag.out_bad, bag.out_weight) for m, bag in zip(margins, bags, strict=True)]
        deviance = float(np.mean(told))
        if deviance < least:
            least, since, left_out = deviance, 0, margins
            best = np.mean([bag.effects for bag in bags], axis=0)
        elif deviance > least:  # equal while nothing has entered yet
            since += 1
            if since == PATIENCE:
                break
    return _stack(-best, left_out, bags, bins, ordinary, ordered, bad, weight, signs, least)


def _deviance(margin: NDArray[np.float64], bad: NDArray[np.bool_], weight: NDArray[np.float64]) -> float:
    return float(np.average(np.logaddexp(0.0, margin) - margin * bad, weights=weight))


def _stack(
    sparse: NDArray[np.float64], left_out: list[NDArray[np.float64]], bags: list[_Bag], bins: NDArray[np.uint8],
    ordinary: NDArray[np.int64], ordered: NDArray[np.bool_], bad: NDArray[np.bool_], weight: NDArray[np.float64],
    signs: NDArray[np.int64], least: float,
) -> NDArray[np.float64]:  # fmt: skip
    """Average with weight of evidence by how well each does on the people left out.

    Two models of effects make another model of effects. Among few people or weak features weight of evidence, with one
    free number a feature, loses less to luck than free steps do. Three candidates, the sparse effects, the evidence,
    and the best sum of both (stacked regressions: Breiman, 1996), are averaged by their Akaike weights on the people
    left out (Buckland, Burnham and Augustin, "Model selection: an integral part of inference", Biometrics 1997).
    """

    def evidence(own: NDArray[np.uint8], outcome: NDArray[np.bool_], mass: NDArray[np.float64]) -> NDArray[np.float64]:
        woe, found = np.zeros_like(sparse), fit_woe(own, ordinary, ordered, outcome, mass, signs, 1.0, least)
        for row, effects in zip(woe, found, strict=True):
            row[: len(effects)] = effects
        return woe

    def told(bag: _Bag) -> NDArray[np.float64]:
        return np.asarray(_margins(bag.out_bins, evidence(bag.bins, bag.bad > 0.5, bag.weight), 0.0))

    left = np.column_stack([-np.concatenate(left_out), np.concatenate(each(told, bags))])
    out_bad = np.concatenate([bag.out_bad for bag in bags])
    out_weight = np.concatenate([bag.out_weight for bag in bags])
    mixes, costs = np.zeros((3, 2)), np.zeros(3)
    for row, used in enumerate(([0], [1], [0, 1])):
        intercept, weights = fit_weights(left[:, used], out_bad, np.inf, out_weight)
        mixes[row, used] = weights
        told_of_it = _deviance(-(left[:, used] @ weights + intercept), out_bad, out_weight)
        costs[row] = weight.sum() * told_of_it + len(used)
    mix = softmax(-costs) @ mixes
    return np.asarray(mix[0] * sparse + mix[1] * evidence(bins, bad, weight))
