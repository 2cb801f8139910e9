"""Two peers that are written here: what their noise costs, by ``dp-accounting``, is what their budget says."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from blindscore_crypto.private_model.accounting import ORDERS
from blindscore_crypto.private_model.opacus_fit import SAMPLING, STEPS

EPSILON, DELTA = 1.0, 1e-5


@pytest.fixture(scope="module")
def peers():
    folder = str(Path(__file__).parents[2] / "benchmarks")
    sys.path.insert(0, folder)
    yield import_module("private_model_aim"), import_module("private_model_banded")
    sys.path.remove(folder)


class Noting:
    """Draws as a generator does, and notes with what deviation and how much."""

    def __init__(self, seed=0):
        self._rng = np.random.default_rng(seed)
        self.normals = []

    def normal(self, mean, scale, size=None):
        self.normals.append((scale, size))
        return self._rng.normal(mean, scale, size)

    def __getattr__(self, name):
        return getattr(self._rng, name)


def people(n=3_000, seed=1):
    rng = np.random.default_rng(seed)
    bins = rng.integers(0, 4, (n, 3))
    return bins, rng.random(n) < np.where(bins[:, 0] > 1, 0.4, 0.1)


def test_marginals_cost_what_they_may(peers):
    from dp_accounting import GaussianDpEvent, ZCDpEvent
    from dp_accounting.rdp import RdpAccountant

    aim, _ = peers
    bins, bad = people()
    noise = Noting()
    _, spent = aim.measured(np.column_stack([bins, bad]), [4, 4, 4, 2], aim.rho_of(EPSILON, DELTA), noise)
    assert [scale for scale, _ in noise.normals] == spent.deviations  # nothing is drawn that is not charged
    assert len(spent.choices) == len(spent.deviations) - 4 > 0  # one choice a pair; singles are measured unasked
    accountant = RdpAccountant(ORDERS)
    for sigma in spent.deviations:
        accountant.compose(GaussianDpEvent(sigma))
    for choice in spent.choices:
        accountant.compose(ZCDpEvent(choice**2 / 8))  # an exponential mechanism: Cesar and Rogers, 2021
    assert 0.99 * EPSILON < accountant.get_epsilon(DELTA) <= EPSILON * (1 + 1e-6)


def test_one_person_moves_one_count_of_a_marginal_by_one(peers):
    aim, _ = peers
    bins, bad = people(50)
    with_one, without = (
        aim.measured(np.column_stack([bins, bad])[:n], [4, 4, 4, 2], 1e12, np.random.default_rng(0))[0]
        for n in (50, 49)
    )
    moved = np.abs(with_one - without)
    blocks = np.add.reduceat(np.add.reduceat(moved, [0, 4, 8, 12], axis=0), [0, 4, 8, 12], axis=1)
    assert np.allclose(blocks, 1, atol=1e-3)  # so a marginal's norm, and a quality, move by one at most


def test_without_noise_the_estimate_is_the_counts(peers):
    aim, _ = peers
    bins, bad = people()
    columns = np.column_stack([bins, bad])
    counts, _ = aim.measured(columns, [4, 4, 4, 2], 1e12, np.random.default_rng(0))
    hot = np.column_stack([columns[:, j] == b for j, size in enumerate([4, 4, 4, 2]) for b in range(size)]).astype(
        float
    )
    assert np.allclose(counts, hot.T @ hot, atol=0.01)
    weights = aim.aim_regression(bins, [4, 4, 4], bad, 50.0, DELTA, np.random.default_rng(0))
    assert min(weights[2:4]) > max(weights[:2])


@pytest.mark.parametrize("bands", [1, 5, 20])
def test_a_person_meets_no_two_steps_of_one_band(peers, bands):
    _, banded = peers
    c = banded.factor(bands)
    assert np.allclose(np.linalg.norm(c, axis=0), 1)
    shared = c.T @ c
    steps = np.arange(STEPS)
    apart = np.abs(steps[:, None] - steps) >= bands
    assert (shared[apart] == 0).all()  # so a person's T / b steps are T / b mechanisms, each of norm one
    assert bands == 1 or shared[0, 1] > 0


@pytest.mark.parametrize("bands", [1, 5, 20])
def test_banded_noise_is_that_of_its_multiplier_and_spends_no_more_than_the_budget(peers, bands):
    from dp_accounting import GaussianDpEvent, PoissonSampledDpEvent, SelfComposedDpEvent
    from dp_accounting.pld import PLDAccountant

    _, banded = peers
    noise = Noting()
    x = np.random.default_rng(1).normal(size=(300, 4))
    x /= np.linalg.norm(x, axis=1)[:, None]
    banded.banded_descent(x, x[:, 0] > 0, EPSILON, DELTA, noise, bands=bands)
    ((sigma, size),) = noise.normals
    assert size == (STEPS, 4)
    chance, rounds = bands * SAMPLING, -(-STEPS // bands)
    one = GaussianDpEvent(sigma) if chance >= 1 else PoissonSampledDpEvent(chance, GaussianDpEvent(sigma))
    spent = PLDAccountant(value_discretization_interval=1e-3).compose(SelfComposedDpEvent(one, rounds))
    assert 0.98 * EPSILON < spent.get_epsilon(DELTA) <= EPSILON


def test_banded_descent_learns_with_much_budget_and_takes_bands_only_where_they_help(peers):
    _, banded = peers
    rng = np.random.default_rng(2)
    x = rng.normal(size=(3_000, 3))
    x /= np.linalg.norm(x, axis=1)[:, None]
    weights = banded.banded_descent(x, rng.random(3_000) < 0.5 + 0.45 * x[:, 1], 20.0, DELTA, rng)
    assert weights[1] / np.linalg.norm(weights) > 0.95
    assert banded.plan(0.5, DELTA)[0] == 1
    assert banded.plan(4.0, DELTA)[0] > 1
