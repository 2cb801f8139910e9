"""The default method: integer sums against plain twins, exact sensitivities, and what comes out without noise."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from blindscore_crypto.private_model import counts, onestep
from blindscore_crypto.private_model.accounting import Budget, whole_budget
from blindscore_crypto.private_model.layout import Layout
from blindscore_crypto.private_model.moments import Moments

LAYOUT = Layout((4, 3, 6), (True, False, True))


def make_bins(n, seed, layout=LAYOUT):
    """Correlated bins and an outcome that follows the first and the last feature."""
    rng = np.random.default_rng(seed)
    common = rng.random(n)
    bins = np.column_stack(
        [np.minimum(((common + rng.random(n)) / 2 * m).astype(int), m - 1) for m in layout.n_bins]
    ).astype(np.uint8)
    risk = 1 / (1 + np.exp(2.0 - 0.8 * bins[:, 0] + 0.5 * bins[:, -1] - 0.4))
    return bins, rng.random(n) < risk


def make_columns(n, seed):
    bins, bad = make_bins(n, seed)
    return bins.astype(np.int64) + LAYOUT.starts[:-1], bad


def one_hot(columns, total):
    return np.eye(total, dtype=np.int64)[columns].sum(axis=1)


def test_the_kernels_agree_with_their_plain_twins():
    columns, bad = make_columns(200, 1)
    total = int(LAYOUT.starts[-1])
    rows = one_hot(columns, total)
    np.testing.assert_array_equal(
        counts.label_counts(columns, bad, total), np.column_stack([rows[~bad].sum(0), rows[bad].sum(0)])
    )
    np.testing.assert_array_equal(counts.pair_counts(columns, total), np.triu(rows.T @ rows, 1))
    weights, low, high, unit = np.linspace(-2, 2, total), -0.6, 0.8, 64
    steps = np.rint((np.clip(bad - 1 / (1 + np.exp(-(rows @ weights + 0.3))), low, high) - (low + high) / 2) * unit)
    steps = np.clip(steps, -math.floor(unit * 0.7), math.floor(unit * 0.7))
    found = counts.residual_sums(columns, bad, weights, 0.3, low, high, unit)
    np.testing.assert_array_equal(found, (steps.astype(np.int64)[:, None] * rows).sum(0))


@settings(max_examples=40, deadline=None)
@given(
    row=st.tuples(st.integers(0, 3), st.integers(4, 6), st.integers(7, 12)),
    outcome=st.booleans(),
    tilt=st.floats(-50, 50),
    unit=st.integers(2, 300),
    ends=st.sampled_from([(-0.6, 0.8), (-1.0, 1.0), (-0.31, 0.77)]),
)
def test_no_person_adds_more_than_the_sensitivity(row, outcome, tilt, unit, ends):
    columns, bad, total, d = np.array([row], np.int64), np.array([outcome]), 13, 3
    labels = counts.label_counts(columns, bad, total)
    assert np.linalg.norm(labels) == pytest.approx(counts.label_sensitivity(d))
    assert np.linalg.norm(counts.pair_counts(columns, total)) == pytest.approx(counts.pair_sensitivity(d))
    sums = counts.residual_sums(columns, bad, np.full(total, tilt), -tilt, *ends, unit)
    assert np.linalg.norm(sums) <= counts.residual_sensitivity(d, *ends, unit) + 1e-9


def test_a_saturated_person_reaches_the_sensitivity():
    columns, bad = np.array([[0, 4, 7]], np.int64), np.array([True])
    sums = counts.residual_sums(columns, bad, np.full(13, -20.0), 0.0, -0.6, 0.8, 64)
    assert np.linalg.norm(sums) == pytest.approx(counts.residual_sensitivity(3, -0.6, 0.8, 64))


def exact_moments(n, seed):
    columns, bad = make_columns(n, seed)
    total = int(LAYOUT.starts[-1])
    labels, pairs = counts.label_counts(columns, bad, total), counts.pair_counts(columns, total)
    return Moments(LAYOUT, labels.astype(float), 0.0, pairs.astype(float), 0.0), columns, bad


def test_exact_counts_give_exact_moments():
    moments, columns, bad = exact_moments(3000, 2)
    rows = one_hot(columns, int(LAYOUT.starts[-1])).astype(float)
    assert moments.people == 3000
    assert moments.bad_rate == pytest.approx(bad.mean(), abs=1e-3)
    np.testing.assert_allclose(moments.shares, rows.mean(0))
    centred = rows - rows.mean(0)
    np.testing.assert_allclose(moments.scatter(), centred.T @ centred, atol=1e-6)


def test_shrinkage_brings_a_noisy_scatter_nearer_to_the_truth():
    layout = Layout((9,) * 12, (True,) * 12)
    bins, bad = make_bins(2000, 3, layout)
    columns, total = bins.astype(np.int64) + layout.starts[:-1], 108
    labels = counts.label_counts(columns, bad, total).astype(float)
    pairs = counts.pair_counts(columns, total).astype(float)
    noisy = pairs + np.triu(np.random.default_rng(4).normal(0, 30, pairs.shape), 1)
    truth = Moments(layout, labels, 0.0, pairs, 0.0).scatter()
    shrunk = Moments(layout, labels, 0.0, noisy, 30.0).scatter()
    naive = Moments(layout, labels, 0.0, noisy, 0.0).scatter()
    assert np.linalg.norm(shrunk - truth) < 0.6 * np.linalg.norm(naive - truth)


def test_with_a_vast_budget_it_ranks_like_logistic_regression():
    (bins, bad), (strangers, theirs) = make_bins(20_000, 5), make_bins(10_000, 6)
    budget = Budget(50.0, 1e-5)
    weights, intercept = onestep.train(bins, bad, LAYOUT, whole_budget(50.0, 1e-5), budget)
    rows = one_hot(strangers + LAYOUT.starts[:-1], int(LAYOUT.starts[-1]))
    ours = rows @ np.concatenate(weights) + intercept
    fitted = LogisticRegression(C=100.0, max_iter=500).fit(
        one_hot(bins + LAYOUT.starts[:-1], int(LAYOUT.starts[-1])), bad
    )
    clear = roc_auc_score(theirs, fitted.decision_function(rows))
    assert clear > 0.65
    assert roc_auc_score(theirs, ours) > clear - 0.005
    assert (1 / (1 + np.exp(-ours))).mean() == pytest.approx(theirs.mean(), rel=0.05)


def test_less_budget_costs_quality_and_the_card_goes_flat_not_wild():
    bins, bad = make_bins(500, 7)
    spread = {}
    for epsilon in (0.02, 50.0):
        totals = []
        for _ in range(5):
            weights, _ = onestep.train(bins, bad, LAYOUT, whole_budget(epsilon, 1e-5), Budget(epsilon, 1e-5))
            totals.append(np.abs(np.concatenate(weights)).max())
        spread[epsilon] = np.mean(totals)
    assert spread[0.02] < 1.0
    assert spread[50.0] > 0.5


def test_three_releases_use_up_the_budget():
    bins, bad = make_bins(3000, 8)
    budget = Budget(1.0, 1e-5)
    onestep.train(bins, bad, LAYOUT, whole_budget(1.0, 1e-5), budget)
    assert len(budget.record) == 3
    assert all(release.noise == "discrete" for release in budget.record)
    assert 0.999 < budget.spent <= 1.0
    assert math.isclose(sum(onestep.SHARES), 1.0)


def test_the_first_gradient_counts_less_by_as_much_as_it_misses_beyond_the_noise():
    rng, k, true = np.random.default_rng(9), 2000, np.diag(np.full(2000, 3.0))
    at = rng.normal(size=k)
    first = onestep.Gradient(np.zeros(k), 3.0 * np.ones(k) + 2 * rng.normal(size=k), 4.0)
    then = onestep.Gradient(at, 3.0 * (1 - at) + rng.normal(size=k), 1.0)
    assert onestep.unexplained(true, first, then) < 0.5  # chance alone
    # A curvature that is one too large misses by the weights themselves, whose variance is one.
    assert onestep.unexplained(true + np.eye(k), first, then) == pytest.approx(1.0, abs=0.7)
    assert onestep.unexplained(2 * true, first, then) == pytest.approx(9.0, rel=0.2)


def test_less_noise_in_the_counts_does_not_hurt():
    """Exact counts once drew the card to the first gradient, whose curvature the noisy pairs give."""
    layout = Layout((9,) * 14, (True,) * 14)
    rng = np.random.default_rng(10)
    latent = 0.7 * rng.normal(size=(20_000, 1)) + 0.7 * rng.normal(size=(20_000, 14))
    bins = np.searchsorted(np.linspace(-1.4, 1.4, 7), latent).astype(np.uint8)
    bad = rng.random(20_000) < 1 / (1 + np.exp(1.3 - latent @ rng.normal(0, 0.4, 14)))

    class Clear(Budget):
        def release(self, sums, what, sensitivity, multiplier):
            noisy, sigma = super().release(sums, what, sensitivity, multiplier)
            return (sums.astype(float), 1e-3) if "outcome" in what else (noisy, sigma)

    ranks = {}
    for ledger in (Budget, Clear):
        found = []
        for seed in range(3):
            budget = ledger(0.5, 1e-5, insecure_simulation_bytes=np.random.default_rng(seed).bytes)
            weights, _ = onestep.train(bins[:15_000], bad[:15_000], layout, whole_budget(0.5, 1e-5), budget)
            totals = np.concatenate(weights)[layout.columns(bins[15_000:])].sum(axis=1)
            found.append(roc_auc_score(bad[15_000:], totals))
        ranks[ledger] = np.mean(found)
    assert ranks[Clear] > ranks[Budget] - 0.002


def test_one_feature_and_one_bin_are_enough():
    layout = Layout((2,), (True,))
    bins = np.zeros((50, 1), np.uint8)
    weights, intercept = onestep.train(bins, np.arange(50) < 5, layout, whole_budget(5.0, 1e-5), Budget(5.0, 1e-5))
    assert len(weights) == 1
    assert np.isfinite([*weights[0], intercept]).all()
