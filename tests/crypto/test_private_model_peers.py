"""The peer that is written here: what its noise costs is what its budget says."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np

from blindscore_crypto.private_model.accounting import whole_budget

PATH = Path(__file__).parents[2] / "benchmarks" / "private_model_peers.py"
SPEC = importlib.util.spec_from_file_location("private_model_peers", PATH)
PEERS = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(PEERS)
STEPS = 4


class Noiseless:
    """Draws zeros, and notes with what deviation it was asked to draw."""

    def __init__(self):
        self.scales = []

    def normal(self, mean, scale, size=None):
        self.scales.append(scale)
        return 0.0 if size is None else np.zeros(size)


def test_newtons_noise_covers_what_one_person_moves_and_spends_no_more_than_the_budget():
    rng, noise, n, d = np.random.default_rng(1), Noiseless(), 400, 5
    x = rng.normal(size=(n, d))
    x /= np.linalg.norm(x, axis=1)[:, None]
    y = np.where(rng.random(n) < 0.5 + 0.4 * x[:, 0], 1.0, -1.0)
    PEERS.dp_newton(x, y, 1.0, 1e-5, noise, STEPS)
    of_gradient, of_trace, of_direction = noise.scales[:3]  # of the first step, from weights of zero
    gradient, hessian = -(x * y[:, None]).mean(axis=0) / 2, x.T @ x / (4 * n)
    shift = (2 * np.trace(hessian) / (n * np.sqrt(0.25 * 0.9) / (whole_budget(1.0, 1e-5) * 2)) ** 2) ** (1 / 3)
    modified = hessian + shift * np.eye(d)
    moved = max(
        np.linalg.norm(
            np.linalg.solve(modified + np.outer(one, one) / (4 * n), gradient) - np.linalg.solve(modified, gradient)
        )
        for one in np.vstack([np.linalg.eigh(hessian)[1].T, x])
    )
    spent = (1 / n / of_gradient) ** 2 + (1 / (4 * n) / of_trace) ** 2
    budget = 1 / whole_budget(1.0, 1e-5) ** 2 / STEPS  # of one step
    assert 0.77 * budget < spent < 0.78 * budget  # three quarters, and a tenth of the last
    assert moved < of_direction * np.sqrt(budget - spent)
    assert len(noise.scales) == 3 * STEPS


def test_newton_learns_with_much_budget():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(3000, 3))
    x /= np.linalg.norm(x, axis=1)[:, None]
    y = np.where(rng.random(3000) < 0.5 + 0.45 * x[:, 1], 1.0, -1.0)
    weights = PEERS.dp_newton(x, y, 20.0, 1e-5, rng, STEPS)
    assert weights[1] / np.linalg.norm(weights) > 0.95
