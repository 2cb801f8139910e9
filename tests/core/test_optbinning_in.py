"""A card read from optbinning gives the scores that optbinning itself gives."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from blindscore.errors import CardError
from blindscore.scorecard.forms.optbinning import from_optbinning

SCALE = {"pdo": 50, "odds": 30, "scorecard_points": 600}


def people(n=1500, seed=0):
    rng = np.random.default_rng(seed)
    income = np.where(rng.random(n) < 0.1, -1.0, rng.lognormal(8, 0.6, n).round())
    home = rng.choice(["own", "rent", "other"], n)
    margin = np.where(income == -1, 0.5, -1 - (income > 3000)) - (home == "own")
    income[rng.random(n) < 0.05] = np.nan
    return pd.DataFrame({"income": income, "home": home}), rng.random(n) < 1 / (1 + np.exp(-margin))


def fitted(X, bad, special=None, **settings):
    optbinning = pytest.importorskip("optbinning")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        params = {"income": {"special_codes": special}} if special else None
        process = optbinning.BinningProcess(
            list(X.columns), categorical_variables=["home"], binning_fit_params=params, special_codes=None
        )
        card = optbinning.Scorecard(
            process, LogisticRegression(), **({"scaling_method": "pdo_odds", "scaling_method_params": SCALE} | settings)
        )
        return card.fit(X, bad.astype(int), metric_missing="empirical", metric_special="empirical")


@pytest.mark.parametrize("intercept_based", [False, True])
@pytest.mark.parametrize("special", [None, [-1]])
def test_scores_are_those_of_optbinning(intercept_based, special):
    X, bad = people()
    peer = fitted(X, bad, special, rounding=True, intercept_based=intercept_based)
    card = from_optbinning(peer)
    new, _ = people(seed=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = peer.score(new)
    assert len(np.unique(expected)) > 4
    np.testing.assert_array_equal(card.scores(card.bins(new)), expected)
    assert card.scale.base_odds == 30


@pytest.mark.parametrize("intercept_based", [False, True])
@pytest.mark.parametrize("special", [None, [-1], {"no account": [-1], "wealthy": [9999, 9998]}], ids=str)
def test_cards_between_two_ends_and_lists_of_special_codes_are_read(intercept_based, special):
    X, bad = people()
    X.loc[:60, "income"], X.loc[61:90, "income"] = 9999.0, 9998.0
    ends = {"scaling_method": "min_max", "scaling_method_params": {"min": 300, "max": 850}}
    peer = fitted(X, bad, special, intercept_based=intercept_based, rounding=True, **ends)
    card = from_optbinning(peer)
    new = X.sample(300, random_state=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected, risk = peer.score(new), peer.predict_proba(new)[:, 1]
    np.testing.assert_array_equal(card.scores(card.bins(new)), expected)
    ours = 1 / (1 + np.exp((expected - card.scale.offset) / card.scale.factor))
    np.testing.assert_allclose(ours, risk, atol=0.01)


def test_points_are_rounded_only_on_request():
    X, bad = people()
    peer = fitted(X, bad)
    with pytest.raises(CardError, match="not whole"):
        from_optbinning(peer)
    card = from_optbinning(peer, rounding=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert np.abs(card.scores(card.bins(X)) - peer.score(X)).max() <= 1


def test_what_no_card_holds_is_refused():
    X, bad = people()
    with pytest.raises(CardError, match="fit\\(\\) first"):
        from_optbinning(LogisticRegression())
    with pytest.raises(CardError, match="pdo_odds"):
        from_optbinning(fitted(X, bad, scaling_method=None, scaling_method_params=None))
    with pytest.raises(CardError, match="rise with risk"):
        from_optbinning(fitted(X, bad, reverse_scorecard=True, rounding=True))
