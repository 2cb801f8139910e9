"""Discrete Gaussian noise against its own definition, against OpenDP, and against the ways it must not be used."""

import inspect

import numpy as np
import pytest
from scipy import stats

from blindscore.errors import ParameterError
from blindscore_crypto.private_model.noise import MAX_SIGMA, Variance, cumulative, discrete_gaussian, draw_all


def goodness(draws: np.ndarray, sigma: float) -> float:
    """P-value of a chi-square test against P(y) proportional to exp(-y^2 / (2 sigma^2)), about 40 cells."""
    reach = int(np.ceil(12 * sigma))
    y = np.arange(-reach, reach + 1)
    mass = np.exp(-(y**2) / (2 * sigma**2))
    cell = np.clip(np.round(y / max(1.0, sigma / 5)), -20, 20).astype(int) + 20
    expected = np.bincount(cell, mass / mass.sum(), minlength=41) * len(draws)
    seen = np.bincount(cell[draws + reach], minlength=41)
    enough = expected > 5
    return float(stats.chisquare(seen[enough], expected[enough] * seen[enough].sum() / expected[enough].sum()).pvalue)


@pytest.mark.parametrize("sigma", [0.3, 1.7, 40.0, 300.0])
def test_the_table_is_the_definition_to_110_bits(sigma):
    """Held against mpmath at 200 digits, entry by entry."""
    import mpmath

    variance = Variance.at_least(sigma)
    high, low = cumulative(variance)
    with mpmath.workdps(200):
        weights = [mpmath.exp(-mpmath.mpf(k * k) * variance.den / (2 * variance.num)) for k in range(len(high) + 40)]
        total = weights[0] + 2 * mpmath.fsum(weights[1:])
        below = weights[0]
        for k in range(len(high) - 1):
            ours = mpmath.mpf((int(high[k]) << 64) + int(low[k])) / mpmath.mpf(2) ** 128
            assert abs(ours - below / total) < mpmath.mpf(2) ** -118
            below += 2 * weights[k + 1]


def test_the_kernel_agrees_with_its_plain_twin():
    high, low = cumulative(Variance.at_least(30.0))
    table = [(int(h) << 64) + int(l) for h, l in zip(high, low, strict=True)]
    rng = np.random.default_rng(1)
    words = rng.integers(0, 2**64, 2 * 500 + 8, dtype=np.uint64)
    words[:4] = [high[3], low[3], high[3], low[3] - np.uint64(1)]  # just at an entry, and just below
    out = np.empty(500, np.int64)
    draw_all(high, low, words, out)
    for i, draw in enumerate(out):
        u = (int(words[2 * i]) << 64) + int(words[2 * i + 1])
        size = next((k for k, entry in enumerate(table) if u < entry), len(table) - 1)
        negative = int(words[1000 + i // 64]) >> (i % 64) & 1
        assert draw == (-size if negative else size)
    assert (abs(out[0]), abs(out[1])) == (4, 3)


@pytest.mark.parametrize("sigma", [0.3, 0.8, 1.5, 7.0, 64.0, 250.5])
def test_draws_follow_the_definition(sigma):
    draws, exact = discrete_gaussian(sigma, 40_000)
    assert goodness(draws, exact) > 1e-6
    # The same test notices a sigma that is 5% off, so it can fail.
    assert goodness(draws, exact * 1.05) < 1e-6 or sigma < 0.5


def test_draws_agree_with_opendp():
    import opendp.prelude as dp

    dp.enable_features("contrib")
    space = dp.vector_domain(dp.atom_domain(T=int)), dp.l2_distance(T=float)
    theirs = np.array(dp.m.make_gaussian(*space, scale=20.0)([0] * 5000))
    ours, _ = discrete_gaussian(20.0, 40_000)
    assert stats.ks_2samp(theirs, ours).pvalue > 1e-6
    assert stats.ks_2samp(theirs, ours + 3).pvalue < 1e-6


def test_the_largest_sigma_stays_inside_the_integers():
    draws, exact = discrete_gaussian(MAX_SIGMA, 20_000)
    assert exact == MAX_SIGMA
    assert abs(draws.std() / MAX_SIGMA - 1) < 0.04
    assert abs(draws.mean()) < 6 * MAX_SIGMA / np.sqrt(20_000)


@pytest.mark.parametrize("sigma", [0.31, 1.0, 12.34, 63.999, 64.001, 999.9])
def test_the_variance_is_never_rounded_down(sigma):
    assert sigma <= Variance.at_least(sigma).sigma < sigma * 1.03


@pytest.mark.parametrize("sigma", [0.0, -1.0, float("nan"), float("inf"), 2 * MAX_SIGMA])
def test_a_sigma_out_of_range_is_refused(sigma):
    with pytest.raises(ParameterError, match="sigma"):
        discrete_gaussian(sigma, 1)


def test_noise_is_the_operating_systems_unless_a_caller_says_insecure():
    parameters = inspect.signature(discrete_gaussian).parameters
    assert list(parameters) == ["sigma", "size", "insecure_simulation_bytes"]
    np.random.seed(1)  # noqa: NPY002  # the point: the global seed has no effect
    first, _ = discrete_gaussian(50.0, 64)
    np.random.seed(1)  # noqa: NPY002
    second, _ = discrete_gaussian(50.0, 64)
    assert not np.array_equal(first, second)


def test_simulated_noise_repeats_and_has_the_same_distribution():
    def simulated(seed):
        return discrete_gaussian(7.0, 40_000, insecure_simulation_bytes=np.random.default_rng(seed).bytes)

    np.testing.assert_array_equal(simulated(1)[0], simulated(1)[0])
    assert not np.array_equal(simulated(1)[0], simulated(2)[0])
    assert goodness(*simulated(1)) > 1e-6
