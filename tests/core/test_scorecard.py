"""The estimator: fits, scores in whole points, explains every point, and refuses what it cannot use."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

from blindscore.errors import BlindscoreError, CardError, DataError, ParameterError
from blindscore.scorecard.scorecard import Scorecard

TAIWAN = Path(__file__).parents[3] / "shared/data/taiwan_default.csv.gz"


def society(n=3000, seed=1):
    """People with an income, a noisy copy of nothing, a home, and gaps; y follows income and home."""
    rng = np.random.default_rng(seed)
    income = rng.lognormal(10, 0.6, n)
    home = rng.choice(["own", "rent", "other"], n, p=[0.4, 0.5, 0.1])
    risk = 1 / (1 + np.exp(1.2 + 1.5 * (np.log(income) - 10) + 0.8 * (home == "own")))
    people = pd.DataFrame({"income": income, "noise": rng.normal(size=n), "home": home})
    people.loc[rng.random(n) < 0.1, "income"] = np.nan
    return people, rng.random(n) < risk


@pytest.fixture(scope="module")
def fitted():
    people, bad = society()
    return Scorecard().fit(people, bad), people, bad


def test_it_ranks_new_people(fitted):
    card, _, _ = fitted
    people, bad = society(seed=2)
    assert roc_auc_score(bad, card.predict_proba(people)[:, 1]) > 0.65
    assert roc_auc_score(bad, -card.score_points(people).astype(int)) > 0.65


def test_scores_are_whole_points_on_the_scale(fitted):
    card, people, _ = fitted
    points = card.score_points(people)
    assert points.dtype == np.int16
    assert points.min() >= 350
    assert points.max() <= 950
    assert len(np.unique(points)) > 6


def test_probabilities_follow_the_scale(fitted):
    """600 points stand for the training people's own odds, and every 50 points double them."""
    card, people, bad = fitted
    risk = card.predict_proba(people)[:, 1]
    totals = card.card_.totals(card.card_.bins(people))
    odds = float(f"{(~bad).sum() / bad.sum():.3g}")
    np.testing.assert_allclose((1 - risk) / risk, odds * 2 ** ((totals - 600) / 50))
    assert risk.mean() == pytest.approx(bad.mean(), abs=0.01)


def test_explained_points_add_up_to_the_score(fitted):
    card, people, _ = fitted
    totals = card.explain(people).sum(axis=1).to_numpy()
    np.testing.assert_array_equal(card.card_.clip(totals), card.score_points(people))


def test_reasons_are_the_costliest_features(fitted):
    card, people, _ = fitted
    best = {c.feature: max(c.points[k] for k in c.plain_bins) for c in card.card_.characteristics}
    for reasons, explained in zip(card.reasons(people.head(50), k=2), card.explain(people.head(50)).iloc, strict=True):
        lost = sorted((max(0, best[name] - explained[name]) for name in best), reverse=True)
        assert [reason.lost for reason in reasons] == [cost for cost in lost[:2] if cost > 0]
        assert all(reason.points == explained[reason.feature] for reason in reasons)
    assert all(len(reasons) == 0 for reasons in card.reasons(people.head(3), k=0))


def test_the_table_lists_every_bin_and_its_people(fitted):
    card, people, bad = fitted
    table = card.table()
    income = table[table.feature == "income"]
    assert income.people.sum() == len(people)
    assert income.points.is_monotonic_increasing or income.points.nunique() > 2
    assert income[income.bin == "missing"].people.item() == people.income.isna().sum()
    assert (income.bad_rate * income.people).sum() == pytest.approx(bad.sum())


def test_features_without_points_are_not_asked_for(fitted):
    card, people, _ = fitted
    assert set(card.card_.features) <= {"income", "noise", "home"}
    assert {"income", "home"} <= set(card.card_.features)
    people = people.assign(flat=1.0)
    card = Scorecard().fit(people, fitted[2])
    assert "flat" not in card.card_.features
    assert (card.score_points(people.drop(columns="flat")) == card.score_points(people)).all()


def test_columns_are_matched_by_name(fitted):
    card, people, _ = fitted
    shuffled = people.assign(extra=1)[["home", "extra", "noise", "income"]]
    np.testing.assert_array_equal(card.score_points(shuffled), card.score_points(people))


def test_other_tables_score_alike(fitted):
    polars = pytest.importorskip("polars")
    card, people, bad = fitted
    table = polars.from_pandas(people)
    for other in (table, table.to_arrow()):
        np.testing.assert_array_equal(card.score_points(other), card.score_points(people))
    assert Scorecard().fit(table, bad).card_ == card.card_


def test_arrays_fit_and_score():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(800, 3))
    y = np.where(X[:, 1] + rng.normal(size=800) > 0, "bad", "a good one")
    card = Scorecard().fit(X, y)
    assert set(card.predict(X)) == {"bad", "a good one"}
    assert (card.predict(X) == y).mean() > 0.7
    assert (card.predict(X) == np.where(card.predict_proba(X)[:, 1] > 0.5, "bad", "a good one")).all()


def test_a_monotone_request_holds_in_points():
    rng = np.random.default_rng(6)
    x = rng.normal(size=(4000, 2))
    bad = rng.random(4000) < 1 / (1 + np.exp(1 + x[:, 0] + np.sin(4 * x[:, 0]) - x[:, 1]))
    people = pd.DataFrame(x, columns=["up", "down"])
    card = Scorecard(monotone={"up": "increasing", "down": "decreasing"}).fit(people, bad)
    points = {c.feature: np.diff(c.points[:-1]) for c in card.card_.characteristics}
    assert (points["up"] >= 0).all()
    assert (points["down"] <= 0).all()
    free = Scorecard().fit(people, bad)
    assert (np.diff(free.card_.characteristics[0].points[:-1]) < 0).any()


def test_declared_categories_need_not_occur():
    people, bad = society()
    people["home"] = pd.Categorical(people.home, categories=["own", "rent", "other", "boat"])
    card = Scorecard(unknown="error").fit(people, bad)
    assert len(card.score_points(pd.DataFrame({"income": [1e4], "noise": [0.0], "home": ["boat"]}))) == 1
    with pytest.raises(DataError, match="home"):
        card.score_points(pd.DataFrame({"income": [1e4], "noise": [0.0], "home": ["tent"]}))


def test_fitting_again_gives_the_same_card(fitted):
    card, people, bad = fitted
    assert clone(card).fit(people, bad).card_.fingerprint == card.card_.fingerprint


def test_an_estimator_around_a_card_scores_alike(fitted):
    card, people, _ = fitted
    again = Scorecard.from_card(card.card_)
    np.testing.assert_array_equal(again.score_points(people), card.score_points(people))
    np.testing.assert_array_equal(again.predict(people), card.predict(people))
    assert again.table().people.isna().all()


def test_it_refuses_what_it_cannot_use(fitted):
    card, people, bad = fitted
    twice = pd.concat([people, people[["income"]]], axis=1)
    for broken, outcome, word in (
        (people.iloc[:0], bad[:0], "0 rows"),
        (people[[]], bad, "0 columns"),
        (twice, bad, "occur twice: income"),
        (people.assign(income=np.inf), bad, "infinity"),
        (people.assign(home=[["a"]] * len(people)), bad, "home"),
        (people, np.zeros(len(people)), "one class"),
        (people, np.arange(len(people)), "classes"),
        (people, np.where(bad, 1.0, np.nan), "missing outcome"),
        (people, bad[:-1], "one a person"),
        (people.assign(when=pd.Timestamp("2020-01-01")), bad, "when"),
    ):
        with pytest.raises(DataError, match=word) as caught:
            Scorecard().fit(broken, outcome)
        assert isinstance(caught.value, ValueError)
    with pytest.raises(DataError, match="columns missing"):
        card.score_points(people.drop(columns="income"))
    with pytest.raises(DataError, match="row 0: infinity"):
        card.score_points(people.assign(income=np.inf))
    with pytest.raises(DataError, match="2 dimensions"):
        card.score_points(np.zeros(3))
    assert len(Scorecard().fit(people, bad).card_.features) >= 2


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"max_bins": 17}, "max_bins must be 2 to 16, got 17"),
        ({"max_bins": 1}, "max_bins must be 2 to 16, got 1"),
        ({"method": "trees"}, "method must be one of"),
        ({"strength": 0}, "strength must be positive"),
        ({"monotone": "sideways"}, "monotone must be one of"),
    ],
    ids=["max_bins above", "max_bins below", "method", "strength", "monotone"],
)
def test_settings_out_of_range_are_refused(settings, said):
    people, bad = society(200)
    with pytest.raises(ParameterError, match=said):
        Scorecard(**settings).fit(people, bad)


def test_a_scale_out_of_range_is_refused():
    people, bad = society(200)
    for scale, said in (
        ({"pdo": 0}, "pdo > 0"),
        ({"base_odds": -1}, "base_odds > 0"),
        ({"low": 900, "high": 400}, "low < high, got 900 and 400"),
        ({"high": 40_000}, "within"),
    ):
        with pytest.raises(CardError, match=said):
            Scorecard(**scale).fit(people, bad)
    with pytest.raises(BlindscoreError, match="points"):
        Scorecard(pdo=1e6).fit(people, bad)


def test_a_real_file_is_ranked_as_well_as_by_its_peers():
    """Held-out AUC of weight of evidence on these data: .768 by optbinning (three more digits are noise)."""
    if not TAIWAN.exists():
        pytest.skip("the Taiwan file is not here")
    people = pd.read_csv(TAIWAN)
    bad = people.pop("default").to_numpy() == 1
    train = np.arange(len(bad)) % 5 > 0
    card = Scorecard().fit(people[train], bad[train])
    assert roc_auc_score(bad[~train], card.decision_function(people[~train])) > 0.76


def delinquency(n=4000, seed=0):
    """Months late, where -2 means "never used" (risky) and -1 "paid in full" (safe); some values are missing."""
    rng = np.random.default_rng(seed)
    late = rng.choice([-2.0, -1.0, 0.0, 1.0, 2.0, 3.0, np.nan], n)
    margin = np.select([late == -2, late == -1, np.isnan(late)], [0.8, -2.5, 0.0], np.nan_to_num(late) - 2)
    return pd.DataFrame({"late": late, "noise": rng.normal(size=n)}), rng.random(n) < 1 / (1 + np.exp(-margin))


@pytest.mark.parametrize("method", ["sparse", "woe"])
def test_special_codes_have_bins_of_their_own_outside_the_order(method):
    people, bad = delinquency()
    card = Scorecard(method, special={"late": [-2, -1]}, monotone={"late": "decreasing"}).fit(people, bad)
    table = card.table().set_index(["feature", "bin"]).loc["late"]
    assert table.people["-2"] == (people.late == -2).sum()
    assert table.bad_rate["-1"] == pytest.approx(bad[people.late == -1].mean())
    assert table.people.sum() == len(people)
    at = dict(zip(people.late, card.explain(people)["late"], strict=True))
    assert at[-1] > at[0] > at[1] > at[2] > at[3]
    assert at[0] > table.points["missing"] > at[-2]
    between = pd.DataFrame({"late": [-1.5, -3.0, -0.5, -(1 - 2**-50)], "noise": 0.0})
    assert len(set(card.explain(between)["late"])) == 1  # no amount down there was seen: the lowest ordinary bin
    assert card.explain(between)["late"][0] == at[0]
    narrow = people.astype(np.float32)
    assert (card.score_points(narrow) == card.score_points(people)).all()
    assert (card.score_points(people) == card.card_.scores(card.card_.bins(people))).all()


def test_special_codes_change_nothing_where_none_are_declared():
    people, bad = delinquency(1000)
    assert Scorecard(special={}).fit(people, bad).card_ == Scorecard().fit(people, bad).card_


@pytest.mark.parametrize(
    ("special", "word"),
    [
        ({"age": [-1]}, "not there: age"),
        ({"late": [np.nan]}, "finite"),
        ({"late": range(8)}, "at most 7"),
        ({"home": [-1]}, "holds categories"),
    ],
)
def test_special_codes_that_cannot_be_are_refused(special, word):
    people, bad = delinquency(300)
    with pytest.raises(ParameterError, match=word):
        Scorecard(special=special).fit(people.assign(home="own"), bad)
