"""Figures of a validation, held to worked examples, to simulated truth, and to other libraries."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from blindscore.errors import DataError, ParameterError
from blindscore.scorecard.card import Card, Characteristic
from blindscore.scorecard.quality import Interval, ks
from blindscore.scorecard.validation.alarms import calibration_alarms, rank_alarms, share_alarm, shift_alarms
from blindscore.scorecard.validation.calibration import binomial_interval, calibration
from blindscore.scorecard.validation.cutoff import break_even, strategy
from blindscore.scorecard.validation.discrimination import band_edges, ks_interval, lift_table
from blindscore.scorecard.validation.fairness import fairness
from blindscore.scorecard.validation.information import close_pairs, information, information_value
from blindscore.scorecard.validation.months import by_month
from blindscore.scorecard.validation.reject import infer_rejects
from blindscore.scorecard.validation.sensitivity import shaken, without_each
from blindscore.scorecard.validation.stability import characteristic_shifts, score_bands, shift
from blindscore.scorecard.validation.swap import duel

CARD = Card(
    (
        Characteristic("x", points=(-60, 0, 60, -5), edges=(-0.5, 0.5)),
        Characteristic("copy", points=(-6, 0, 6, 0), edges=(-0.5, 0.5)),
        Characteristic("home", points=(30, -30, 0), groups=(("own",), ("rent",))),
        Characteristic("dull", points=(2, 2)),
    ),
    base=600,
)


def world(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Bins under CARD and outcomes that follow it."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    home = rng.choice(["own", "rent"], n)
    people = pd.DataFrame({"x": np.where(rng.random(n) < 0.05, np.nan, x), "copy": x, "home": home, "dull": 1.0})
    bad = rng.random(n) < expit(-1.5 - 1.2 * x + 0.8 * (home == "rent"))
    return CARD.bins(people), bad


BINS, BAD = world(4_000)
SCORE = CARD.totals(BINS)


def test_ks_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    big_bins, big_bad = world(400_000, seed=1)
    truth = ks(big_bad, CARD.totals(big_bins))
    hits = 0
    for seed in range(60):
        bins, bad = world(800, seed=100 + seed)
        found = ks_interval(bad, CARD.totals(bins))
        assert found.low <= found.value <= found.high
        hits += found.low <= truth <= found.high
    assert hits >= 51  # 95% of 60 is 57; under 51 has probability .002 if the level holds


def test_lift_table_adds_up_and_keeps_equal_scores_together() -> None:
    table = lift_table(BAD, SCORE)
    assert table.people.sum() == len(BAD)
    assert table.bads.sum() == BAD.sum()
    assert table.caught.iloc[-1] == table.refused.iloc[-1] == 1
    assert (table.high.iloc[:-1].to_numpy() < table.low.iloc[1:].to_numpy()).all()
    assert table.lift.iloc[0] == pytest.approx(BAD[table.high.iloc[0] >= SCORE].mean() / BAD.mean())
    assert band_edges([5, 5, 5], 10).size == 0
    with pytest.raises(ParameterError, match="at least two bands"):
        band_edges(SCORE, 1)


def test_calibration_knows_right_forecasts_from_wrong_ones() -> None:
    rng = np.random.default_rng(0)
    log_odds = rng.normal(-2, 1, 20_000)
    bad = rng.random(20_000) < expit(log_odds)
    right = calibration(bad, expit(log_odds))
    assert right.holds
    assert right.slope.low < 1 < right.slope.high
    assert right.intercept.low < 0 < right.intercept.high
    extreme = calibration(bad, expit(2 * log_odds))
    assert extreme.slope.value == pytest.approx(right.slope.value / 2)
    low = calibration(bad, expit(log_odds - 0.7))
    assert low.intercept.value == pytest.approx(right.intercept.value + 0.7, abs=0.01)
    assert not low.holds
    assert max(low.spiegelhalter_p, low.hosmer_lemeshow_p) < 1e-6
    assert [alarm.level for alarm in calibration_alarms(low)] == ["act"]
    assert calibration_alarms(right) == []


def test_tests_of_calibration_refuse_right_forecasts_as_seldom_as_they_say() -> None:
    rng = np.random.default_rng(0)
    found = []
    for _ in range(300):
        risk = expit(rng.normal(-2, 1, 2_000))
        own = calibration(rng.random(2_000) < risk, risk)
        found.append((own.spiegelhalter_p < 0.05, own.hosmer_lemeshow_p < 0.05))
    shares = np.mean(found, axis=0)  # .05 expected, standard error .013
    assert (shares > 0.01).all()
    assert (shares < 0.1).all()


def test_separated_outcomes_have_no_slope_and_no_certainty() -> None:
    found = calibration([0] * 20 + [1] * 20, [0.1] * 20 + [0.9] * 20)
    assert np.isnan(found.slope.value)
    assert binomial_interval(0, 10)[1:] == (0.0, pytest.approx(1 - 0.025**0.1))


def test_stability_index_passes_its_chance_limit_one_time_in_a_hundred() -> None:
    rng = np.random.default_rng(0)
    p, over = np.full(10, 0.1), 0
    for _ in range(2_000):
        found = shift(rng.multinomial(2_000, p), rng.multinomial(3_000, p))
        over += found.value > found.chance
    assert 8 <= over <= 36  # 20 expected; 99.9% interval
    small = shift(np.array([9, 11]), np.array([16, 4]))
    assert small.value > 0.25
    assert small.verdict == "stable"  # twenty people prove nothing
    assert [a.level for a in shift_alarms("score", shift(np.array([500, 500]), np.array([900, 100])))] == ["act"]


def test_score_bands_lose_nobody_beyond_the_ends() -> None:
    after = np.append(SCORE, [-(10**6), 10**6])
    bands = score_bands(SCORE, after)
    assert bands.before.sum() == len(SCORE)
    assert bands.after.sum() == len(SCORE) + 2
    assert score_bands([3, 3], [1, 5]).band.tolist() == ["everybody"]


def test_characteristic_shifts_sum_to_the_change_of_the_mean_total() -> None:
    moved = BINS[BINS[:, 0] > 0]
    table = characteristic_shifts(CARD, BINS, moved)
    assert table.points_shift.sum() == pytest.approx(CARD.totals(moved).mean() - SCORE.mean())
    assert table.set_index("feature").verdict["dull"] == "stable"
    assert table.set_index("feature").verdict["x"] == "moved much"


def test_information_value_equals_that_of_optbinning() -> None:
    optbinning = pytest.importorskip("optbinning")
    values, big = np.random.default_rng(0).normal(size=20_000), None
    big = np.random.default_rng(1).random(20_000) < expit(-1 - values)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = optbinning.OptimalBinning(user_splits=[-1.0, 0.0, 1.0], user_splits_fixed=[True] * 3)
        theirs.fit(values, big.astype(int))
        theirs.binning_table.build()
    place = np.searchsorted([-1.0, 0.0, 1.0], values, side="right").astype(np.uint8)
    assert information_value(place, big, 5) == pytest.approx(theirs.binning_table.iv, rel=2e-3)


def test_what_others_explain_is_named() -> None:
    table = information(CARD, BINS, BAD).set_index("feature")
    assert np.isnan(table.vif["dull"])
    assert table.iv["dull"] == 0
    points = CARD.points[np.arange(4), BINS][:, :3].astype(float)
    np.testing.assert_allclose(table.vif[:3], np.diag(np.linalg.inv(np.corrcoef(points, rowvar=False))), rtol=1e-6)
    pairs = close_pairs(CARD, BINS)
    assert pairs[["first", "second"]].to_numpy().tolist() == [["x", "copy"]]
    same = Card((CARD.characteristics[0], Characteristic("twin", points=(-60, 0, 60, -5), edges=(-0.5, 0.5))), 600)
    assert np.isinf(information(same, BINS[:, [0, 0]], BAD).vif).all()


def test_sensitivity_finds_what_the_score_hangs_on() -> None:
    table = without_each(CARD, BINS, BAD, 600)
    assert table.feature.iloc[0] == "x"
    assert table.variance.sum() == pytest.approx(1)
    assert table.set_index("feature").auc_lost["dull"] == 0
    rows = shaken(CARD, BINS, BAD, 600, (0.0, 0.3))
    assert rows.changed.iloc[0] == 0
    assert rows.auc.iloc[1] < rows.auc.iloc[0]
    assert rows.changed.iloc[1] > 0.05


def test_swap_set_by_hand() -> None:
    bad = np.array([1, 1, 0, 0, 0, 1, 0, 0])
    old, new = np.array([1, 2, 3, 4, 5, 6, 7, 8]), np.array([1, 2, 7, 4, 8, 3, 5, 6])
    found = duel(bad, old, new, 0.5)
    counts = dict(zip(found.swaps.who, zip(found.swaps.people, found.swaps.bad_rate, strict=True), strict=True))
    passed, would = old >= found.thresholds[0], new >= found.thresholds[1]
    assert counts["approved by both"][0] == (passed & would).sum()
    assert found.swaps.people.sum() == 8
    inside = ~passed & would
    assert counts["swapped in (challenger alone approves)"] == (inside.sum(), pytest.approx(bad[inside].mean()))
    assert found.gain.value == pytest.approx(found.challenger.value - found.champion.value)
    assert duel(BAD, SCORE, -SCORE, 0.5).verdict == "the challenger ranks worse"
    assert duel(BAD, SCORE, SCORE, 0.5).verdict == "no difference beyond chance"
    with pytest.raises(ParameterError, match="approve must lie strictly between 0 and 1"):
        duel(bad, old, new, 1.0)
    with pytest.raises(DataError, match="outcomes and both scores must have one length"):
        duel(bad, old[1:], new, 0.5)


def test_cutoffs_by_hand() -> None:
    bad, score = np.array([1, 0, 1, 0, 0]), np.array([1, 2, 3, 4, 5])
    table = strategy(bad, score, gain=2, loss=6, step=0.2).set_index("threshold")
    assert table.approved.to_dict() == {1: 1.0, 2: 0.8, 3: 0.6, 4: 0.4, 5: 0.2}
    assert table.profit.to_dict() == pytest.approx({1: -6 / 5, 2: 0, 3: -2 / 5, 4: 4 / 5, 5: 2 / 5})
    assert table.index[table.best].tolist() == [4]
    assert table.bads_caught[4] == 1
    assert break_even(1, 5) == pytest.approx(1 / 6)


def test_fairness_by_hand_and_small_groups_are_not_judged() -> None:
    group = np.array(["a"] * 100 + ["b"] * 100 + ["c"] * 5 + [None], dtype=object)
    score = np.concatenate([np.repeat([1, 0], [80, 20]), np.repeat([1, 0], [40, 60]), [0] * 5, [1]])
    bad = np.arange(206) % 4 == 0
    table = fairness(bad, score, np.full(206, 0.25), group, 1).set_index("group")
    assert table.people.sum() == 206
    assert table.ratio["b"] == pytest.approx(0.5)
    half = 1.959964 * np.sqrt(0.6 / 40 + 0.2 / 80)
    assert table.ratio_high["b"] == pytest.approx(0.5 * np.exp(half))
    assert table.below.to_dict() == {"a": False, "b": True, "c": False, "unknown": False}
    assert table.forecast["c"] == 0.25


def test_months_hold_everybody() -> None:
    month = np.array(["2024-01", "2024-02", None, "unknown"] * 1_000, dtype=object)
    table = by_month(month, SCORE, SCORE, np.full(4_000, 0.2), BAD)
    assert table.month.tolist() == ["2024-01", "2024-02", "unknown", "unknown"]
    assert table.people.tolist() == [1_000] * 4
    assert table.ks[0] == pytest.approx(ks(BAD[::4], SCORE[::4]))
    few = by_month(["m"] * 4_000, SCORE, SCORE, np.full(4_000, 0.2), np.arange(4_000) < 3)
    assert np.isnan(few.ks[0])


def test_alarms_of_rank_and_shares() -> None:
    assert rank_alarms(Interval(0.8, 0.78, 0.82), Interval(0.79, 0.77, 0.81)) == []
    assert [a.level for a in rank_alarms(Interval(0.8, 0.78, 0.82), Interval(0.7, 0.68, 0.72))] == ["act"]
    assert [a.level for a in rank_alarms(Interval(0.8, 0.79, 0.81), Interval(0.77, 0.76, 0.78))] == ["watch"]
    assert share_alarm("x", 0.01) == []
    assert len(share_alarm("x", 0.02)) == 1


def refused_world(hidden: float) -> tuple[float, pd.DataFrame, float]:
    """People refused by score, and for a reason that the card does not see (`hidden`); their true rate, the table."""
    rng = np.random.default_rng(5)
    bins, _ = world(12_000, seed=6)
    total = CARD.totals(bins)
    unseen = rng.normal(size=len(total))
    bad = rng.random(len(total)) < expit((600 - total) / 60 - 1 + hidden * unseen)
    kept = rng.random(len(total)) < expit((total - 590) / 40 - 2 * hidden * unseen)
    found = infer_rejects(CARD, bins[kept], bad[kept], bins[~kept], approve=0.6)
    return float(bad[~kept].mean()), found.table.set_index("method"), found.beyond


def test_reject_inference_is_right_where_its_assumption_holds_and_wrong_where_not() -> None:
    truth, table, beyond = refused_world(hidden=0.0)
    assert table.bad_rate_refused["parcelling"] == pytest.approx(truth, abs=0.03)
    assert table.bad_rate_refused["fuzzy"] == pytest.approx(truth, abs=0.03)
    assert np.isnan(table.bad_rate_refused["augmentation"])
    assert table.moved["accepts only"] == 0
    assert 0 <= beyond < 1
    truth, table, _ = refused_world(hidden=1.5)
    assert table.bad_rate_refused["parcelling"] < truth - 0.1  # a reason that the card does not see


def test_harsher_assumptions_make_the_refused_worse() -> None:
    rates = [
        infer_rejects(CARD, BINS[:2_000], BAD[:2_000], BINS[2_000:], approve=0.5, harsh=harsh).table.bad_rate_refused[2]
        for harsh in (1.0, 1.5)
    ]
    assert rates[1] > 1.3 * rates[0]
    with pytest.raises(ParameterError, match="harsh must be positive"):
        infer_rejects(CARD, BINS, BAD, BINS, approve=0.5, harsh=0)
    with pytest.raises(DataError, match="needs people who were refused"):
        infer_rejects(CARD, BINS, BAD, BINS[:0], approve=0.5)
    with pytest.raises(DataError, match="needs goods and bads among the accepted"):
        infer_rejects(CARD, BINS, np.zeros(len(BAD), bool), BINS, approve=0.5)
