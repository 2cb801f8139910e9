"""The sparse fit: what it must find, what it must leave out, and the promises of its points."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from blindscore.scorecard import sparse
from blindscore.scorecard.scorecard import Scorecard
from blindscore.scorecard.sparse import fit_sparse


def people(n=6000, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 4))
    margin = -1.5 + 1.2 * (x[:, 0] > 0.5) - 0.8 * x[:, 1]
    return pd.DataFrame(x, columns=["step", "slope", "noise", "more noise"]), rng.random(n) < expit(margin)


def test_the_descent_reaches_the_optimum_that_scikit_learn_finds(monkeypatch):
    """One bag, one penalty: same penalised deviance as an L1 logistic regression on the same columns."""
    rng = np.random.default_rng(1)
    n, m = 3000, 6
    bins = rng.integers(0, m, (2, n)).astype(np.uint8)
    bad = rng.random(n) < expit(-1 + 0.8 * (bins[0] >= 3) - 0.5 * (bins[1] >= 1))
    bag = sparse._bag(bins, np.array([m, m]), np.ones(2, bool), bad, np.ones(n), np.random.default_rng(0))
    weight = 0.004
    bag.descend(np.array([m, m]), np.ones(2, bool), np.zeros(2, np.int64), weight)
    _, reach, scale = bag.tables
    columns = np.column_stack([(own >= k) / scale[j, k] for j, own in enumerate(bag.bins) for k in range(1, m)])
    settings = {"C": 1 / (weight * len(columns)), "l1_ratio": 1.0, "solver": "saga", "tol": 1e-8, "max_iter": 5000}
    peer = LogisticRegression(**settings).fit(columns, bag.bad)

    def objective(margin, steps):
        return np.mean(np.logaddexp(0, margin) - margin * bag.bad) + weight * np.abs(steps).sum()

    own = objective(bag.margin, (bag.steps * scale)[:, 1:m])
    theirs = objective(peer.decision_function(columns), peer.coef_)
    assert own == pytest.approx(theirs, abs=1e-6)
    assert (bag.steps[0] != 0).sum() < m - 1
    np.testing.assert_allclose(bag.margin, sparse._margins(bag.bins, bag.effects, bag.intercept), atol=1e-9)
    centres = (bag.effects[:, :m] * bag.tables[0][:, :m]).sum(axis=1)
    np.testing.assert_allclose(centres, 0, atol=1e-12)
    assert reach[0, 0] == pytest.approx(1)


def test_it_finds_the_step_and_leaves_noise_nearly_flat():
    X, bad = people()
    card = Scorecard().fit(X, bad)
    ranges = {c.feature: max(c.points) - min(c.points) for c in card.card_.characteristics}
    assert ranges["step"] > 60
    assert ranges["slope"] > 100
    assert ranges.get("noise", 0) < 12
    step = next(c for c in card.card_.characteristics if c.feature == "step")
    jump = int(np.argmax(np.abs(np.diff(step.points[:-1]))))
    assert step.edges[jump] == pytest.approx(0.5, abs=0.1)


def test_it_beats_weight_of_evidence_on_new_people():
    X, bad = people()
    new, outcome = people(seed=9)
    aucs = {m: roc_auc_score(outcome, Scorecard(m).fit(X, bad).decision_function(new)) for m in ("sparse", "woe")}
    assert aucs["sparse"] > aucs["woe"]


def test_missing_values_weigh_what_they_are_worth():
    X, bad = people()
    rng = np.random.default_rng(3)
    gone = rng.random(len(bad)) < np.where(bad, 0.4, 0.1)
    X.loc[gone, "slope"] = np.nan
    slope = next(c for c in Scorecard().fit(X, bad).card_.characteristics if c.feature == "slope")
    assert slope.points[-1] < -30
    X.loc[rng.random(len(bad)) < 0.2, "step"] = np.nan
    step = next(c for c in Scorecard().fit(X, bad).card_.characteristics if c.feature == "step")
    assert abs(step.points[-1]) < 15


@pytest.mark.parametrize("method", ["sparse", "woe"])
def test_monotone_requests_hold_after_merging_and_rounding(method):
    X, bad = people()
    wish = {"step": "increasing", "slope": "increasing", "noise": "decreasing", "more noise": "auto"}
    card = Scorecard(method, monotone=wish).fit(X, bad)
    points = {c.feature: np.diff(c.points[:-1]) for c in card.card_.characteristics}
    assert (points["slope"] >= 0).all()
    assert points["slope"].sum() > 50
    assert (points.get("step", np.zeros(1)) >= 0).all()
    assert (points.get("noise", np.zeros(1)) <= 0).all()
    assert len({np.sign(step) for step in points.get("more noise", np.zeros(1))} - {0}) <= 1


def test_the_seed_decides():
    X, bad = people(800)
    first = Scorecard(random_state=1).fit(X, bad).card_
    assert Scorecard(random_state=1).fit(X, bad).card_ == first
    assert Scorecard(random_state=2).fit(X, bad).card_ != first


def test_useless_features_give_a_flat_model():
    rng = np.random.default_rng(0)
    bins, bad = rng.integers(0, 5, (3, 500)).astype(np.uint8), rng.random(500) < 0.3
    effects = fit_sparse(bins, np.array([5, 5, 5]), np.ones(3, bool), bad, np.ones(500), np.zeros(3, np.int64), seed=0)
    assert effects.shape == (3, 6)
    assert np.abs(effects).max() < 0.4


def test_a_handful_of_people_is_enough_not_to_fail():
    X = pd.DataFrame({"a": [1.0, 2, 3, 4, np.nan, 6], "b": ["x", "y", "x", "y", "x", None]})
    for bad in ([1, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1, 0], [0, 1, 0, 1, 0, 1]):
        for method in ("sparse", "woe"):
            assert len(Scorecard(method).fit(X, bad).score_points(X)) == 6


def test_weight_of_evidence_joins_in_as_far_as_it_helps_the_people_left_out():
    """Steps that follow luck give way to evidence; steps that turn twice, which evidence cannot, stay as they are."""
    rng = np.random.default_rng(1)
    n, ordinary, ordered, free = 3000, np.array([5, 5]), np.ones(2, bool), np.zeros(2, np.int64)
    bins = rng.integers(0, 5, (2, n)).astype(np.uint8)
    for risk, steps_know in ((0.5 * np.arange(5), False), (np.array([0.0, 1.5, 0.0, 1.5, 0.0]), True)):
        bad = rng.random(n) < expit(risk[bins[0]] - 1)
        bags = [sparse._bag(bins, ordinary, ordered, bad, np.ones(n), rng) for _ in range(4)]
        effects = np.zeros((2, 6))
        effects[0, :5] = -risk if steps_know else 0.0
        told = [risk[bag.out_bins[0]] if steps_know else rng.normal(size=len(bag.out_bad)) for bag in bags]
        mixed = sparse._stack(effects, told, bags, bins, ordinary, ordered, bad, np.ones(n), free, 1)
        if steps_know:
            np.testing.assert_allclose(np.diff(mixed[0, :5]), np.diff(effects[0, :5]), rtol=0.2)
            assert np.abs(mixed[1]).max() < 0.05
        else:
            assert (np.diff(mixed[0, :5]) < -0.3).all()
