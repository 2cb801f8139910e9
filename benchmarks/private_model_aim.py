"""A peer for ``bench_private_model.py``: sufficient statistics out of marginals that are chosen by the data (AIM).

Source: Ferrando and Sheldon, "Private regression via data-dependent sufficient statistic perturbation" (arXiv
2405.15002), over the mechanism AIM (McKenna, Mullins, Sheldon, Miklau, VLDB 2022): marginals of one feature first, then
in rounds the pair that the present estimate fits worst. Its graphical model does not end on 20 features (the kept
package ran 25 minutes); here pairs that were measured are made to agree with their single features in closed form, and
others follow from the outcome alone, which is what that model holds of them while no pair without outcome is measured.
Regression: the quadratic approximation of the logistic loss (Huggins, Adams, Broderick, 2017), as the authors do it.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from blindscore_crypto.private_model.accounting import ORDERS

ROUNDS_A_FEATURE = 16  # AIM's own; adaptive, so fewer are played
MEASURING = 0.9  # of a round's budget, AIM's own; the rest chooses
CURVATURE = 0.25  # of the logistic loss at even odds: scales the weights, and moves no rank
WITH_OUTCOME = (
    5.0  # weight in the workload of a pair with the outcome, for 1 of another; of 1, 5 and 25 tried there too
)
RIDGE = 10.0  # in units of the least deviation of a count: of 0.3, 1, 3 and 10 tried on Adult and Barcelona


@dataclass
class Spent:
    """What was charged: deviations of Gaussian marginals (one person moves one count by one), epsilons of choices."""

    deviations: list[float] = field(default_factory=list)
    choices: list[float] = field(default_factory=list)

    @property
    def rho(self):
        """Zero-concentrated differential privacy of all of it."""
        return sum(1 / (2 * s**2) for s in self.deviations) + sum(e**2 / 8 for e in self.choices)


def rho_of(epsilon, delta):
    """Largest rho whose concentrated privacy keeps within (epsilon, delta), by Renyi orders of ``dp-accounting``."""
    from dp_accounting import ZCDpEvent
    from dp_accounting.rdp import RdpAccountant

    low, high = 0.0, epsilon
    for _ in range(40):
        middle = (low + high) / 2
        fits = RdpAccountant(ORDERS).compose(ZCDpEvent(middle)).get_epsilon(delta) <= epsilon
        low, high = (middle, high) if fits else (low, middle)
    return low


class Marginals:
    """Estimated counts of all pairs of bins, (k, k), from noisy marginals; the outcome is the last attribute."""

    def __init__(self, sizes):
        self.starts = np.concatenate([[0], np.cumsum(sizes)])
        self.sizes = list(sizes)
        self.single = {}  # attribute: (counts, variance)
        self.pairs = {}  # (i, j): (counts, variance)

    def of(self, attribute):
        return slice(self.starts[attribute], self.starts[attribute + 1])

    def add(self, which, counts, variance):
        """Take a measurement in, beside earlier ones of the same marginal by their precision."""
        held = self.pairs if len(which) == 2 else self.single
        which = which if len(which) == 2 else which[0]
        if which in held:
            before, spread = held[which]
            total = 1 / variance + 1 / spread
            counts, variance = (counts / variance + before / spread) / total, 1 / total
        held[which] = (counts, variance)

    def counts(self, attribute, people):
        """Counts of one attribute: its own measurement and the sums of its pairs, at least zero, for all people."""
        counts, variance = self.single[attribute]
        total, weight = counts / variance, 1 / variance
        for (i, j), (pair, spread) in self.pairs.items():
            if attribute in (i, j):
                along = pair.sum(axis=1 if attribute == i else 0)
                each = spread * pair.size / len(along)
                total, weight = total + along / each, weight + 1 / each
        return projected(total / weight, people)

    def estimate(self):
        """Return (k, k) counts of all pairs of bins."""
        weights = [1 / (len(c) * v) for c, v in self.single.values()]
        people = float(np.dot([c.sum() for c, _ in self.single.values()], weights) / sum(weights))
        people = max(people, 1.0)
        alone = [self.counts(a, people) for a in range(len(self.sizes))]
        last = len(self.sizes) - 1
        fitted = {w: agreeing(c, alone[w[0]], alone[w[1]]) for w, (c, _) in self.pairs.items()}
        shared = [
            fitted.get((a, last), np.outer(alone[a], alone[last]) / people) if a < last else np.diag(alone[last])
            for a in range(last + 1)
        ]
        by_outcome = np.vstack(shared)
        out = (by_outcome / np.maximum(alone[last], 1e-9)) @ by_outcome.T
        for a, counts in enumerate(alone):
            out[self.of(a), self.of(a)] = np.diag(counts)
        for (i, j), pair in fitted.items():
            out[self.of(i), self.of(j)], out[self.of(j), self.of(i)] = pair, pair.T
        return out


def projected(counts, people):
    """Nearest counts of at least zero with this sum."""
    down = np.sort(counts)[::-1]
    excess = (np.cumsum(down) - people) / np.arange(1, len(down) + 1)
    return np.maximum(counts - excess[np.flatnonzero(down > excess)[-1]], 0.0)


def agreeing(pair, rows, columns):
    """Counts of a pair near the measured ones that add up to both single marginals, at least zero."""
    people = rows.sum()
    pair = pair + (rows - pair.sum(axis=1))[:, None] / len(columns)
    pair = pair + (columns - pair.sum(axis=0)) / len(rows)
    pair = np.maximum(pair, 1e-9)
    for _ in range(20):  # proportional fitting: zeros stay, sums agree
        pair = pair * (rows / np.maximum(pair.sum(axis=1), 1e-12))[:, None]
        pair = pair * (columns / np.maximum(pair.sum(axis=0), 1e-12))
    return pair * people / pair.sum()


def measured(bins, sizes, rho, rng):
    """Play AIM on attributes of these sizes, (n, d) bins; return the marginals and what was spent."""
    d, spent, held = len(sizes), Spent(), Marginals(sizes)
    starts = held.starts
    hot = np.zeros((len(bins), starts[-1]), np.float32)
    hot[np.arange(len(bins))[:, None], bins + starts[:-1]] = 1
    true = (hot.T @ hot).astype(float)
    rounds = ROUNDS_A_FEATURE * d
    sigma, choice = math.sqrt(rounds / (2 * MEASURING * rho)), math.sqrt(8 * (1 - MEASURING) * rho / rounds)

    def measure(which, sigma):
        block = np.diag(true)[held.of(which[0])] if len(which) == 1 else true[held.of(which[0]), held.of(which[1])]
        spent.deviations.append(sigma)
        held.add(which, block + rng.normal(0, sigma, block.shape), sigma**2)

    for attribute in range(d):
        measure((attribute,), sigma)
    candidates = [(i, j) for j in range(d) for i in range(j)]
    cells = np.array([sizes[i] * sizes[j] for i, j in candidates])
    wanted = np.array([WITH_OUTCOME if j == d - 1 else 1.0 for _, j in candidates])
    guess, done = held.estimate(), False
    while not done:
        left = rho - spent.rho
        if left < 2 * (1 / (2 * sigma**2) + choice**2 / 8):
            sigma, choice, done = math.sqrt(1 / (2 * MEASURING * left)), math.sqrt(8 * (1 - MEASURING) * left), True
        away = np.add.reduceat(np.add.reduceat(np.abs(true - guess), starts[:-1], axis=0), starts[:-1], axis=1)
        quality = wanted * (np.array([away[i, j] for i, j in candidates]) - math.sqrt(2 / math.pi) * sigma * cells)
        spent.choices.append(choice)  # one person moves a quality by no more than the greatest weight
        likely = choice / (2 * wanted.max()) * quality
        which = candidates[int(np.argmax(likely + rng.gumbel(size=len(candidates))))]
        measure(which, sigma)
        before, guess = guess, held.estimate()
        block = held.of(which[0]), held.of(which[1])
        if np.abs(guess[block] - before[block]).sum() <= math.sqrt(2 / math.pi) * sigma * guess[block].size:
            sigma, choice = sigma / 2, choice * 2  # AIM's own: what noise hides is asked again with less of it
    return guess, spent


def aim_regression(bins, sizes, bad, epsilon, delta, rng):
    """Weights of all bins, (k,), of a regression on the estimated sums of products.

    Parameters
    ----------
    bins : (n, d) int
    sizes : (d,) int
    bad : (n,) bool
    """
    counts, spent = measured(np.column_stack([bins, bad]), [*sizes, 2], rho_of(epsilon, delta), rng)
    products, outcome = counts[:-2, :-2], counts[:-2, -1] - counts[:-2, -2]
    alone, people = np.diag(products), counts[-1, -1] + counts[-2, -2]
    ridge = RIDGE * min(spent.deviations) * np.eye(len(alone))
    # With an intercept that no ridge holds back; solved for, it leaves covariances in place of products.
    return np.linalg.solve(
        CURVATURE * (products - np.outer(alone, alone) / people) + ridge,
        (outcome - alone * (counts[-1, -1] - counts[-2, -2]) / people) / 2,
    )
