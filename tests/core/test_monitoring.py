"""Stability, calibration and groups, against cases worked by hand; pictures draw what the numbers say."""

import numpy as np
import pandas as pd
import pytest

from blindscore.errors import DataError, ParameterError
from blindscore.scorecard.card import Card, Characteristic
from blindscore.scorecard.monitoring import (
    UNKNOWN,
    by_group,
    calibration_error,
    characteristic_stability,
    moved_bins,
    psi,
    reliability,
    score_stability,
)
from blindscore.scorecard.plots import plot_calibration, plot_gains, plot_points, plot_scores
from blindscore.scorecard.quality import auc, brier, ks, profit

CARD = Card(
    (
        Characteristic("age", points=(-10, 20, 0), edges=(30.0,)),
        Characteristic("home", points=(5, -5, 0), groups=(("own",), ("rent",))),
    ),
    600,
)


def test_psi_by_hand():
    assert psi([50, 50], [50, 50]) == 0
    assert psi([50, 50], [500, 500]) == 0
    expected = (0.8 - 0.5) * np.log(0.8 / 0.5) + (0.2 - 0.5) * np.log(0.2 / 0.5)
    assert psi([50, 50], [80, 20]) == pytest.approx(expected)
    assert np.isfinite(psi([10, 0], [0, 10]))
    for before, after, said in (
        ([1], [1, 2], "over the same bands"),
        ([0, 0], [1, 1], "somebody on both sides"),
        ([-1, 2], [1, 1], "counts of 0 or more"),
    ):
        with pytest.raises(DataError, match=said):
            psi(before, after)


def test_scores_that_move_are_noticed():
    rng = np.random.default_rng(0)
    scores = rng.normal(620, 50, 5000).clip(350, 950)
    assert score_stability(scores, rng.permutation(scores)) == 0
    assert score_stability(scores, scores - 60) > 0.25


def test_scores_beyond_the_usual_scale_are_counted_and_missing_ones_refused():
    """Nine in ten leave the scale: that must show, which it did not while they were dropped."""
    scores = np.full(1000, 620.0)
    moved = np.where(np.arange(1000) < 900, 1200.0, 620.0)
    assert score_stability(scores, moved) > 1
    assert score_stability(moved - 1000, moved) > 1
    with pytest.raises(DataError, match="row 3"):
        score_stability(scores, np.where(np.arange(1000) == 3, np.nan, 620))
    with pytest.raises(ParameterError, match="increase"):
        score_stability(scores, scores, cuts=[600, 600])


@pytest.mark.parametrize("unknown", [None, np.nan, pd.NA])
def test_people_of_unknown_group_are_counted(unknown):
    table = by_group([0, 1, 0, 1], [600, 500, 640, 520], np.array(["a", "a", unknown, unknown], object), 550)
    assert table.group.tolist() == ["a", UNKNOWN]
    assert table.people.tolist() == [2, 2]
    assert table.mean_score.tolist() == [550, 580]


@pytest.mark.parametrize(
    ("bad", "word"),
    [
        ([0, 1, np.nan, 1], "row 2: missing"),
        ([0, 1, None, 1], "row 2"),
        ([0, 1, 2, 1], "row 2: neither"),
        (["0", "1", "0", "1"], "row 0: neither"),
    ],
)
def test_outcomes_that_are_not_known_are_no_defaults(bad, word):
    score, risk = np.array([600, 500, 640, 520]), np.array([0.1, 0.4, 0.1, 0.3])
    for measure in (
        lambda: auc(bad, score), lambda: brier(bad, risk), lambda: profit(bad, score, 550), lambda: ks(bad, score),
        lambda: reliability(bad, risk, 2), lambda: by_group(bad, score, ["a"] * 4, 550), lambda: plot_gains(bad, score),
    ):  # fmt: skip
        with pytest.raises(DataError, match=word):
            measure()
    assert auc([0.0, 1.0, 0.0, 1.0], score) == auc(np.array([False, True, False, True]), score)


def test_the_feature_that_moved_is_named():
    before = pd.DataFrame({"age": [20.0, 40, 40, 40] * 50, "home": ["own", "rent"] * 100})
    after = before.assign(age=[20.0, 20, 20, 40] * 50)
    table = characteristic_stability(CARD, before, after).set_index("feature")
    assert table.psi["home"] == 0
    assert table.psi["age"] > 0.25
    assert table.points_shift["age"] == pytest.approx(-15)
    moved = moved_bins(CARD, before, after, "age")
    assert moved.before.tolist() == [0.25, 0.75, 0]
    assert moved.after.tolist() == [0.75, 0.25, 0]
    with pytest.raises(ParameterError, match="income"):
        moved_bins(CARD, before, after, "income")


def test_reliability_covers_a_calibrated_forecast():
    rng = np.random.default_rng(1)
    risk = rng.random(20_000)
    bad = rng.random(20_000) < risk
    table = reliability(bad, risk)
    assert table.people.sum() == 20_000
    assert ((table.low <= table.forecast) & (table.forecast <= table.high)).sum() >= 9
    assert table.forecast.is_monotonic_increasing
    assert calibration_error(bad, risk) < 0.02
    assert calibration_error(bad, risk**2) > 0.1
    assert reliability([0, 0], [0.1, 0.2], bands=5)[["low"]].eq(0).all().item()
    with pytest.raises(DataError, match="one probability an outcome"):
        reliability([0], [0.1, 0.2])
    with pytest.raises(ParameterError, match="at least one band"):
        reliability([0], [0.1], bands=0)


def test_groups_by_hand():
    bad = [0, 0, 1, 1, 0, 0]
    score = [700, 500, 400, 650, 700, 700]
    table = by_group(bad, score, ["a", "a", "a", "a", "b", "b"], threshold=600).set_index("group")
    assert table.approved.tolist() == [0.5, 1.0]
    assert table.good_refused.tolist() == [0.5, 0.0]
    assert table.bad_approved["a"] == 0.5
    assert table.auc["a"] == pytest.approx(0.75)
    assert np.isnan(table.auc["b"])
    with pytest.raises(DataError, match="outcomes, scores and groups must have one length"):
        by_group(bad, score, ["a"], 600)


def test_pictures_show_the_numbers():
    rng = np.random.default_rng(2)
    bad = rng.random(500) < 0.3
    score = 650 - 80 * bad + rng.normal(0, 40, 500)
    bars = plot_points(CARD, "age").patches
    assert [bar.get_width() for bar in bars] == [-10, 20, 0]
    assert "AUC" in plot_scores(bad, score).get_title()
    caught = plot_gains(bad, score).lines[0].get_ydata()
    assert caught[0] == 0
    assert caught[-1] == pytest.approx(1)
    assert caught[250] > 0.6
    axes = plot_calibration(bad, np.full(500, 0.3))
    assert plot_calibration(bad, rng.random(500), axes=axes) is axes
