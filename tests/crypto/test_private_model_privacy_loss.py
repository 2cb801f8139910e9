"""What a release costs, against enumeration: the claim is never below the truth, and close above it."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from blindscore_crypto.private_model.accounting import (
    Budget,
    Release,
    distance_within,
    epsilon_of,
    epsilon_pld,
    epsilon_prv,
    epsilon_rdp,
    whole_budget,
)
from blindscore_crypto.private_model.privacy_loss import (
    MOST_RELEASES,
    SLACK,
    epsilon_of_mu,
    log_delta,
    mu_of,
    rounding_variance,
)

DELTA = 1e-5


def noise(sigma):
    """Exact chances of the discrete Gaussian, out to 14 standard deviations."""
    values = np.arange(-math.ceil(14 * sigma), math.ceil(14 * sigma) + 1)
    chances = np.exp(-(values**2) / (2 * sigma**2))
    return values, chances / chances.sum()


def losses(vector, sigma):
    """Distribution of the privacy loss where one person adds a vector of integers: every value, and its chance.

    log P(y) / P(y - v) = (|v|^2 - 2 v.y) / (2 sigma^2), so that all depends on v.y alone.
    """
    values, chances = noise(sigma)
    end = int(np.abs(vector).sum() * values[-1])
    of = np.zeros(2 * end + 1)
    of[end] = 1
    for part in vector:
        of = sum(chance * np.roll(of, int(part * value)) for value, chance in zip(values, chances, strict=True))
    return (vector @ vector - 2 * np.arange(-end, end + 1)) / (2 * sigma**2), of


def likely(loss, chance):
    return loss[chance > 1e-14], chance[chance > 1e-14]


def true_delta(loss, chance, epsilon):
    above = loss > epsilon
    return float(-np.expm1(epsilon - loss[above]) @ chance[above])


def true_epsilon(releases, delta):
    """Least epsilon of independent releases, (vector, sigma) each, by going through all that may come out."""
    loss, chance = np.zeros(1), np.ones(1)
    for vector, sigma in releases:
        more, of = likely(*losses(np.array(vector), sigma))
        loss, chance = np.add.outer(loss, more).ravel(), np.multiply.outer(chance, of).ravel()
    if true_delta(loss, chance, 0.0) <= delta:
        return 0.0
    return float(brentq(lambda e: true_delta(loss, chance, e) - delta, 0.0, float(loss.max()), xtol=1e-9))


def record(releases):
    return [Release("sum", float(np.linalg.norm(vector)), sigma) for vector, sigma in releases]


@pytest.mark.parametrize(
    "releases",
    [
        [((1,), 2.5)],
        [((1, 1, 1), 4.0)],
        [((2, -2, 2), 9.0)],
        [((3, 1), 7.0)],
        [((1, 1), 4.0), ((2, 1), 8.0)],
        [((1,), 40.0), ((5,), 30.0)],
    ],
)
@pytest.mark.parametrize("delta", [1e-3, 1e-6])
def test_the_claim_is_above_the_truth_and_close_to_it(releases, delta):
    truth, claimed = true_epsilon(releases, delta), epsilon_of(record(releases), delta)
    assert truth <= claimed
    noisiest = min(sigma for _, sigma in releases)
    # The rest of the gap is the variance that rounding took, 1.2 to 1.4 of sigma squared.
    assert claimed <= 1.01 * truth * noisiest / math.sqrt(noisiest**2 - 1.5) + 2 * SLACK


@settings(max_examples=25, deadline=None)
@given(
    vector=st.lists(st.integers(-3, 3), min_size=1, max_size=3).filter(any),
    sigma=st.floats(1.5, 6.0),
    delta=st.sampled_from([1e-2, 1e-4, 1e-7]),
)
def test_no_vector_of_integers_costs_more_than_claimed(vector, sigma, delta):
    assert true_epsilon([(vector, sigma)], delta) <= epsilon_of(record([(vector, sigma)]), delta)


def test_a_release_is_a_rounding_of_a_continuous_one():
    """Draw a normal, round it at random: the discrete Gaussian of the sum of the variances, to all digits."""
    t = math.sqrt(rounding_variance(1.0))
    sigma = 3.0
    x, step = np.linspace(-40, 40, 160_001, retstep=True)
    integers = np.arange(-60, 61)
    kernel = np.exp(-((integers[:, None] - x) ** 2) / (2 * t**2))
    normal = np.exp(-(x**2) / (2 * (sigma**2 - t**2))) / math.sqrt(2 * math.pi * (sigma**2 - t**2)) * step
    rounded = (kernel / kernel.sum(axis=0)) @ normal
    values, chances = noise(sigma)
    found = rounded[np.abs(integers) <= 20]
    np.testing.assert_allclose(found, chances[np.abs(values) <= 20], rtol=2 * SLACK / MOST_RELEASES)


def test_the_filter_holds_where_the_next_noise_depends_on_the_last_answer():
    """What comes out first decides whether one or two releases follow; all transcripts together keep to delta."""
    epsilon, delta = 2.0, 1e-3
    whole, sigmas = whole_budget(epsilon, delta), {}
    for share in (1 / 2, 1 / 4):
        sigmas[share] = math.sqrt(9 * whole**2 / share + rounding_variance(3.0))
    for plan in ((1 / 2, 1 / 2), (1 / 2, 1 / 4, 1 / 4)):
        assert epsilon_of([Release("sum", 3.0, sigmas[share]) for share in plan], delta) <= epsilon
    once, once_of = likely(*losses(np.array([3]), sigmas[1 / 2]))
    half, half_of = likely(*losses(np.array([3]), sigmas[1 / 4]))
    twice, twice_of = np.add.outer(half, half).ravel(), np.multiply.outer(half_of, half_of).ravel()
    total = 0.0
    for k, (loss, of) in enumerate(zip(once, once_of, strict=True)):
        more, more_of = (once, once_of) if k % 2 else (twice, twice_of)
        total += of * true_delta(loss + more, more_of, epsilon)
    assert 0.8 * delta < total <= delta


@pytest.mark.parametrize("epsilon", [0.5, 2.0, 4.0])
def test_no_attack_on_membership_beats_the_distance(epsilon):
    """Of everything that two releases may say: the total variation distance, by enumeration, and close below it."""
    whole = whole_budget(epsilon, DELTA)
    total = np.zeros(1), np.ones(1)
    for share, vector in ((0.5, (1, 1)), (0.5, (2, 1))):
        length = math.hypot(*vector)
        sigma = math.sqrt(length**2 * whole**2 / share + rounding_variance(length))
        loss, chance = likely(*losses(np.array(vector), sigma))
        total = np.add.outer(total[0], loss).ravel(), np.multiply.outer(total[1], chance).ravel()
    truth, bound = true_delta(*total, 0.0), distance_within(epsilon, DELTA)
    assert 0.9 * bound < truth <= bound
    grown = math.exp(epsilon)
    assert bound < 0.5 * (grown - 1 + 2 * DELTA) / (grown + 1)  # what (epsilon, delta) alone would allow


@pytest.mark.parametrize("features", [4, 23])
@pytest.mark.parametrize("epsilon", [0.5, 4.0])
def test_the_accountants_agree(features, epsilon):
    """The claim lies below Renyi's bound, and a percent or so above the cost of continuous noise of the same size."""
    budget, whole = Budget(epsilon, DELTA), whole_budget(epsilon, DELTA)
    for share, sensitivity in (
        (0.25, math.sqrt(features)),
        (0.3, math.sqrt(features * (features - 1) / 2)),
        (0.45, 90),
    ):
        budget.release(np.zeros(2, np.int64), "sums", sensitivity, whole / math.sqrt(share))
    claimed, renyi, pld, prv = (f(budget.record, DELTA) for f in (epsilon_of, epsilon_rdp, epsilon_pld, epsilon_prv))
    assert 0.9995 * epsilon < claimed <= epsilon
    assert 1.05 * claimed < renyi < 1.1 * claimed
    assert pld <= claimed <= 1.02 * pld
    assert prv == pytest.approx(claimed, abs=0.02 * claimed + 0.01)


def test_the_formulas_agree_with_many_digits():
    mpmath = pytest.importorskip("mpmath")
    with mpmath.workdps(60):
        for epsilon in (1e-3, 0.5, 4.0, 50.0):
            for delta in (1e-3, 1e-5, 1e-12):
                mu = mu_of(epsilon, delta)
                upper, lower = (mpmath.ncdf(side * mpmath.mpf(mu) / 2 - epsilon / mpmath.mpf(mu)) for side in (1, -1))
                assert float((upper - mpmath.exp(epsilon) * lower) / delta) == pytest.approx(1, abs=1e-8)
                assert epsilon_of_mu(mu, delta) == pytest.approx(epsilon, rel=1e-8)
                assert math.exp(log_delta(mu, epsilon)) == pytest.approx(delta, rel=1e-8)


def test_noise_too_small_to_be_a_rounding_and_too_many_releases_are_never_cheap():
    assert epsilon_of([Release("sum", 1.0, 1.0)], DELTA) == math.inf
    assert epsilon_of([Release("sum", 1.0, 1.0, noise="float")], DELTA) < 10
    fine = Release("sum", 1.0, 1e4, MOST_RELEASES)
    assert epsilon_of([fine], DELTA) < 0.1
    assert epsilon_of([fine, fine], DELTA) == math.inf


def test_steps_and_single_releases_cost_the_same_and_the_order_does_not_matter():
    steps, parts = [Release("sum", 2.0, 40.0, 3)], [Release("sum", 2.0, 40.0)] * 3
    assert epsilon_of(steps, DELTA) == pytest.approx(epsilon_of(parts, DELTA), rel=1e-12)
    mixed = [Release("a", 1.0, 9.0), Release("b", 3.0, 50.0)]
    assert epsilon_of(mixed, DELTA) == pytest.approx(epsilon_of(mixed[::-1], DELTA), rel=1e-12)
    assert epsilon_of(mixed, DELTA) > epsilon_of(mixed[:1], DELTA) > epsilon_of(mixed[:1], 1e-3)
