"""A peer that no kept library offers, for ``bench_private_model.py``: Newton's method with two kinds of noise."""

import numpy as np
from scipy.special import expit

from blindscore_crypto.private_model.accounting import whole_budget
from blindscore_crypto.private_model.domains import Category

STEPS = 15  # of 1, 3, 8 and 15 tried on Adult and Barcelona: the best from epsilon 1 on
GRADIENT_SHARE, TRACE_SHARE = 0.75, 0.1  # of a step's budget; and of what the direction then gets
SMOOTH = 0.25  # greatest second derivative of the logistic loss


def declared_bins(people, domains):
    """Bin of each person in each feature, (n, d), by what is declared alone, and how many there are; missing last."""
    bins, sizes = [], []
    for name, domain in domains.features:
        column = people[name]
        if isinstance(domain, Category):
            found = np.zeros(len(column), int)
            for index, group in enumerate(domain.groups):
                found[column.isin(group)] = index
            size = len(domain.groups)
        else:
            found = np.searchsorted(domain.edges, column.astype(float).fillna(0), side="right")
            size = len(domain.edges) + 1
        bins.append(np.where(column.isna(), size, found))
        sizes.append(size + 1)
    return np.array(bins).T, np.array(sizes)


def one_hot(people, domains):
    """One column a bin and an intercept; every row has norm 1."""
    bins, sizes = declared_bins(people, domains)
    columns = [bins[:, j] == b for j, size in enumerate(sizes) for b in range(size)]
    return np.column_stack([np.ones(len(bins)), *columns]) / np.sqrt(1 + len(sizes))


def dp_newton(x, y, epsilon, delta, rng, steps=STEPS):
    """Newton's method with noise on gradient and direction (Ganesh, Haghifam, Steinke, Thakurta, arXiv 2305.13209).

    Each step releases the gradient; then the trace of the Hessian, from which the shift of its eigenvalues follows;
    then the direction, which one person of norm 1 moves by no more than the shift allows. Charged as ours are, by
    Gaussian privacy, which is cheaper than the authors' own accounting; the number of people counts as known.

    Parameters
    ----------
    x : (n, d) float64, rows of norm at most 1
    y : (n,) of -1 and 1
    """
    n, d = x.shape
    mu = 1 / (whole_budget(epsilon, delta) * np.sqrt(steps))  # of one step
    of_gradient, rest = mu * np.sqrt(GRADIENT_SHARE), mu * np.sqrt(1 - GRADIENT_SHARE)
    of_trace, of_direction = rest * np.sqrt(TRACE_SHARE), rest * np.sqrt(1 - TRACE_SHARE)
    weights = np.zeros(d)
    for _ in range(steps):
        risk = expit(-y * (x @ weights))
        gradient = -(x * (y * risk)[:, None]).mean(axis=0) + rng.normal(0, 1 / (n * of_gradient), d)
        hessian = (x * (risk * (1 - risk))[:, None]).T @ x / n
        trace = max(np.trace(hessian) + rng.normal(0, SMOOTH / (n * of_trace)), 0.0)
        # The authors' choice of the shift, which balances bias against the direction's noise.
        shift = max((2 * trace / (n * of_direction) ** 2) ** (1 / 3), 1 / n)
        moved = SMOOTH * np.linalg.norm(gradient) / (n * shift**2 + SMOOTH * shift)
        noise = rng.normal(0, moved / of_direction, d)
        weights = weights - np.linalg.solve(hessian + shift * np.eye(d), gradient) + noise
    return weights
