"""Merging keeps the effects, and rounding to whole points loses less than plain rounding."""

import numpy as np
import pytest

from blindscore.scorecard.rounding import intercept_of, log_odds_of, merge_effects, merged, neutral, round_points


def test_equal_neighbours_are_merged_and_others_kept():
    effects, people = np.array([0.1, 0.1, 0.5, 0.5, 0.5, -0.2]), np.full(6, 10.0)
    assert merge_effects(effects, people, 16) == [0, 2, 5]
    np.testing.assert_allclose(merged(effects, people, [0, 2, 5]), [0.1, 0.5, -0.2], atol=1e-9)
    assert merge_effects(np.zeros(5), people[:5], 16) == [0]
    assert merge_effects(np.zeros(1), np.zeros(1), 16) == [0]


def test_too_many_bins_are_merged_where_it_costs_least():
    effects, people = np.array([0.0, 1.0, 1.1, 5.0]), np.array([1.0, 1, 1, 1])
    assert merge_effects(effects, people, 3) == [0, 1, 3]
    assert merge_effects(effects, people, 2) == [0, 3]


def test_no_bin_holds_fewer_people_than_asked_and_small_ones_say_nothing():
    effects, people = np.array([0.0, 1.0, 1.1, 5.0]), np.array([30.0, 5, 40, 3])
    assert merge_effects(effects, people, 16, least=20) == [0, 2] or merge_effects(effects, people, 16, least=20) == [
        0,
        1,
    ]
    assert merge_effects(effects, people, 16, least=1000) == [0]
    silenced = neutral(np.array([1.0, -2.0, 9.0]), np.array([30.0, 10.0, 1.0]), np.array([True, True, False]))
    np.testing.assert_allclose(silenced, [1.0, -2.0, 0.25])


def problem(seed, d=30, n=4000, m=4):
    rng = np.random.default_rng(seed)
    bins = rng.integers(0, m, (d, n)).astype(np.uint8)
    effects = [np.append(rng.normal(0, 0.15, m), 0.0) for _ in range(d)]
    margin = sum(e[b] for e, b in zip(effects, bins, strict=True)) + 1
    return bins, effects, rng.random(n) > 1 / (1 + np.exp(-margin))


@pytest.mark.parametrize("factor", [5.0, 20.0])
def test_rounding_stays_nearer_than_plain_rounding(factor):
    bins, effects, bad = problem(1)
    log_odds = log_odds_of(bins, effects)
    log_odds += intercept_of(log_odds, bad, np.ones(len(bad)))
    free, ordinary = np.zeros(30, np.int64), [len(e) - 1 for e in effects]
    base, points = round_points(bins, effects, log_odds, factor, 100.0, free, np.ones(len(bad)), ordinary)
    exact = factor * log_odds_of(bins, effects)

    def spread(points):
        return np.std(sum(p[b] for p, b in zip(points, bins, strict=True)) - exact)

    assert spread(points) < spread([np.rint(factor * e) for e in effects])
    assert all(p.dtype.kind == "i" for p in points)
    total = base + sum(p[b] for p, b in zip(points, bins, strict=True))
    risk = 1 / (1 + np.exp((total - 100.0) / factor))
    assert risk.mean() == pytest.approx(bad.mean(), abs=0.02)


def test_rounding_keeps_a_monotone_order():
    bins, effects, _ = problem(2, d=10)
    effects = [np.append(np.sort(e[:-1]), 0.0) for e in effects]
    exact, ordinary = log_odds_of(bins, effects), [len(e) - 1 for e in effects]
    _, points = round_points(bins, effects, exact, 4.0, 0.0, np.ones(10, np.int64), np.ones(4000), ordinary)
    assert all((np.diff(p[:-1]) >= 0).all() for p in points)
