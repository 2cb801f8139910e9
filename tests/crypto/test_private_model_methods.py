"""Every training method passes through one contract; then what each has of its own."""

import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from blindscore_crypto.private_model import gradient, onestep, teacher, woe
from blindscore_crypto.private_model.accounting import Budget, whole_budget
from blindscore_crypto.private_model.layout import Layout
from blindscore_crypto.private_model.methods import AUTO, METHODS, method_named
from blindscore_crypto.private_model.moments import Moments

DELTA = 1e-5
LAYOUT = Layout((4, 3, 5, 2), (True, False, True, False))
EXACT = [name for name in METHODS if name not in ("opacus", "teacher")]


def make_bins(n, seed):
    """People in bins, the first two features alike, and defaults that every ordered bin makes likelier."""
    rng = np.random.default_rng(seed)
    latent = rng.normal(size=(n, 4))
    latent[:, 1] += latent[:, 0]
    cuts = [np.linspace(-1, 1, m - 1) for m in LAYOUT.n_bins]
    bins = np.column_stack([np.searchsorted(cut, latent[:, j]) for j, cut in enumerate(cuts)]).astype(np.uint8)
    return bins, rng.random(n) < 1 / (1 + np.exp(1.5 - 0.7 * latent.sum(axis=1)))


@pytest.fixture(scope="module", params=METHODS)
def trained(request):
    budget = Budget(8.0, DELTA)
    weights, intercept = METHODS[request.param](*make_bins(4000, 1), LAYOUT, whole_budget(8.0, DELTA), budget)
    return request.param, weights, intercept, budget


def test_every_method_ranks_strangers_and_states_their_risk(trained):
    _, weights, intercept, _ = trained
    strangers, bad = make_bins(4000, 2)
    totals = intercept + np.concatenate(weights)[LAYOUT.columns(strangers)].sum(axis=1)
    assert [len(part) for part in weights] == list(LAYOUT.n_bins)
    assert roc_auc_score(bad, totals) > 0.74  # without noise about .83
    assert (1 / (1 + np.exp(-totals))).mean() == pytest.approx(bad.mean(), rel=0.25)


def test_every_method_keeps_the_budget_and_uses_it(trained):
    name, _, _, budget = trained
    assert 0.99 * budget.epsilon < budget.spent <= budget.epsilon
    assert {release.noise for release in budget.record} == ({"discrete"} if name in EXACT else {"discrete", "float"})


@pytest.mark.parametrize("name", METHODS)
def test_every_method_repeats_with_simulated_noise_and_not_without(name):
    bins, bad = make_bins(500, 3)

    def once(source=None):
        budget = Budget(2.0, DELTA, insecure_simulation_bytes=source)
        return np.concatenate(METHODS[name](bins, bad, LAYOUT, whole_budget(2.0, DELTA), budget)[0])

    seeded = [once(np.random.default_rng(5).bytes) for _ in range(2)]
    np.testing.assert_array_equal(*seeded)
    assert not np.array_equal(once(), once())


def test_auto_is_exact():
    assert method_named("auto") == AUTO
    assert AUTO in EXACT


def test_where_noise_drowns_the_counts_the_budget_repeats_them():
    """Few people or a small budget: two releases of one table, weighed into one, at the price of three."""
    bins, bad = make_bins(300, 4)
    budget = Budget(0.2, DELTA)
    onestep.train(bins, bad, LAYOUT, whole_budget(0.2, DELTA), budget)
    assert [release.what for release in budget.record] == ["people by bin and outcome"] * 2
    assert 0.98 * 0.2 < budget.spent <= 0.2
    parts = [Moments(LAYOUT, np.full((14, 2), value), sigma) for value, sigma in ((10.0, 1.0), (20.0, 2.0))]
    both = parts[0].averaged(parts[1])
    np.testing.assert_allclose(both.labels, 12.0)
    assert both.labels_sigma == pytest.approx(math.sqrt(0.8))


def plain_coefficient_gradient(rows, bad, coefficients, intercept, clip, unit):
    out = np.zeros(rows.shape[1], np.int64)
    for row, outcome in zip(rows, bad, strict=True):
        residual = float(outcome) - 1 / (1 + math.exp(-(intercept + coefficients @ row)))
        out += np.rint(residual * row / max(np.linalg.norm(row), clip) * unit).astype(np.int64)
    return out


def test_the_coefficient_gradient_agrees_with_its_plain_twin_and_its_bound():
    rng = np.random.default_rng(6)
    rows, bad = rng.normal(size=(200, 5)) * rng.gamma(1.0, 2.0, (200, 1)), rng.random(200) < 0.4
    at = rng.normal(size=5), -0.3, 1.5, 64
    np.testing.assert_array_equal(woe.coefficient_gradient(rows, bad, *at), plain_coefficient_gradient(rows, bad, *at))
    for row in rows:  # the worst case too: everybody's residual close to one
        alone = woe.coefficient_gradient(row[None, :], np.array([True]), np.zeros(5), -30.0, 1.5, 64)
        assert np.linalg.norm(alone) <= woe.gradient_sensitivity(5, 64)


def test_descent_stays_put_without_people_and_does_not_diverge():
    bins = np.zeros((3, 4), np.uint8)
    for train in (gradient.train, woe.train):
        weights, intercept = train(
            bins, np.array([1, 0, 0], bool), LAYOUT, whole_budget(0.1, DELTA), Budget(0.1, DELTA)
        )
        assert np.abs(np.concatenate(weights)).max() < 5
        assert np.isfinite(intercept)


def test_a_card_imitates_an_additive_teacher_exactly():
    rng = np.random.default_rng(7)
    bins, truth = make_bins(3000, 8)[0], rng.normal(size=14)
    columns = LAYOUT.columns(bins)
    rows = np.zeros((3000, 14), bool)
    rows[np.arange(3000)[:, None], columns] = True
    answers = truth[columns].sum(axis=1)
    found = teacher.imitate(rows, answers)[columns].sum(axis=1)
    np.testing.assert_allclose(found, answers - answers.mean(), atol=0.05)


def test_more_budget_does_not_hurt_where_one_feature_says_nearly_everything():
    """A step of the same curvature for all bins overshoots where risk is high: it once ranked such people at random."""
    rng = np.random.default_rng(9)
    layout = Layout((10, 10, 10), (True,) * 3)
    latent = rng.normal(size=(18_000, 3))
    bins = np.searchsorted(np.linspace(-1.6, 1.6, 8), latent).astype(np.uint8)
    bad = rng.random(18_000) < 1 / (1 + np.exp(7 - 3 * latent[:, 0]))
    half = slice(0, 9_000), slice(9_000, None)
    found = []
    for _ in range(3):
        weights, _ = onestep.train(bins[half[0]], bad[half[0]], layout, whole_budget(4.0, DELTA), Budget(4.0, DELTA))
        found.append(roc_auc_score(bad[half[1]], np.concatenate(weights)[layout.columns(bins[half[1]])].sum(axis=1)))
    assert min(found) > 0.9  # the truth gives about .95


def test_a_long_step_by_a_wrong_curvature_is_taken_with_caution():
    """Few defaults, nearly all in one corner: a card that trusts the second gradient alone goes far astray."""
    rng = np.random.default_rng(3)
    layout = Layout((10,) * 8, (True,) * 8)
    latent = rng.normal(size=(30_000, 8))
    bins = np.searchsorted(np.linspace(-1.6, 1.6, 8), latent).astype(np.uint8)
    bad = rng.random(30_000) < 1 / (1 + np.exp(5 - 2 * latent[:, 0]))
    half = slice(0, 24_000), slice(24_000, None)
    budget = Budget(4.0, DELTA, insecure_simulation_bytes=np.random.default_rng(1).bytes)
    weights, _ = onestep.train(bins[half[0]], bad[half[0]], layout, whole_budget(4.0, DELTA), budget)
    totals = np.concatenate(weights)[layout.columns(bins[half[1]])].sum(axis=1)
    assert roc_auc_score(bad[half[1]], totals) > 0.865  # without the caution .64, and .83 without any of this
