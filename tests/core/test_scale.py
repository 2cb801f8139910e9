"""The scale fits the people: hardly anybody is cut off, so the score ranks as the points behind it do."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blindscore.designs.plain import choose_threshold
from blindscore.errors import CardError, ScorecardWarning
from blindscore.scorecard.quality import auc
from blindscore.scorecard.scale import ScaleWish, beyond
from blindscore.scorecard.scorecard import Scorecard


def portfolio(rate, features, strength, n, seed):
    """People with so many features, each of which tells something, and about such a bad rate."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, features))
    margin = strength * x @ rng.normal(size=features) / np.sqrt(features)
    bad = margin + rng.logistic(size=n) > np.quantile(margin + rng.logistic(size=n), 1 - rate)
    return pd.DataFrame(x, columns=[f"x{j}" for j in range(features)]), bad


@given(
    st.floats(0.005, 0.6), st.integers(1, 60), st.floats(0.3, 6.0), st.integers(0, 100),
)  # fmt: skip
@settings(max_examples=12, deadline=None)
def test_clipping_costs_no_rank_at_any_bad_rate_and_number_of_features(rate, features, strength, seed):
    people, bad = portfolio(rate, features, strength, 6000, seed)
    if not 10 < bad[:3000].sum() < 2990 or not 3 < bad[3000:].sum() < 2997:
        return
    card = Scorecard("woe").fit(people[:3000], bad[:3000])
    new, outcome = people[3000:], bad[3000:]
    scores, totals = card.score_points(new), -card.decision_function(new)
    assert max(card.beyond_) < 0.001
    assert auc(outcome, totals) - auc(outcome, scores) < 0.0005
    assert card.card_.scale.low + 1 < choose_threshold(card.score_points(people[:3000])) < card.card_.scale.high


def test_half_of_the_people_bad_is_no_reason_to_score_everybody_350():
    people, bad = portfolio(0.52, 20, 2.5, 4000, 1)
    card = Scorecard().fit(people, bad)
    scores = card.score_points(people)
    assert (scores == 350).mean() < 0.001
    assert card.card_.scale.base_odds == pytest.approx((~bad).mean() / bad.mean(), rel=0.01)
    assert card.card_.scale.pdo == int(card.card_.scale.pdo) <= 50


def test_a_chosen_scale_is_obeyed_and_warned_about_where_it_cuts_people_off():
    people, bad = portfolio(0.52, 20, 2.5, 2000, 1)
    with pytest.warns(ScorecardWarning, match="below 350"):
        card = Scorecard("woe", base_odds=30, pdo=50).fit(people, bad)
    assert (card.card_.scale.base_odds, card.card_.scale.pdo) == (30, 50)
    assert card.beyond_[0] > 0.01
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        wide = Scorecard("woe", base_odds=30, pdo=50, low=-2000, high=3000, base_score=600).fit(people, bad)
        fitted = Scorecard("woe", low=0, high=100).fit(people, bad)
    assert wide.beyond_ == (0, 0)
    assert fitted.card_.scale.base_score == 42
    assert max(fitted.beyond_) < 0.001
    assert np.corrcoef(wide.decision_function(people), fitted.decision_function(people))[0, 1] > 0.99


@given(st.floats(-3, 3), st.floats(0.1, 5), st.floats(0.01, 0.9))
@settings(max_examples=50, deadline=None)
def test_the_fitted_doubling_is_the_greatest_whole_one_that_cuts_nobody_off(middle, spread, rate):
    log_odds = np.random.default_rng(0).normal(middle, spread, 5000)

    def cut(pdo):
        scale = wish.scale(found.base_odds, pdo)
        return max(beyond(scale, scale.offset + scale.factor * log_odds))

    wish = ScaleWish()
    found = wish.fit(log_odds, rate)
    assert cut(found.pdo) < 0.001 or found.pdo == 1
    assert found.pdo == 50 or cut(found.pdo + 1) >= 0.001


def test_a_wish_that_is_no_scale_is_refused():
    for wish, said in (
        ({"low": 5, "high": 5}, "low < high, got 5 and 5"),
        ({"pdo": 0.0}, "pdo > 0"),
        ({"base_odds": -1.0}, "base_odds > 0"),
        ({"base_score": float("nan")}, "must be finite"),
    ):
        with pytest.raises(CardError, match=said):
            ScaleWish(**wish)
    assert ScaleWish(low=0, high=1000).scale(3.0, 40.0).base_odds == 3.0
