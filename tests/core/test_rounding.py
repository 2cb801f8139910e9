"""Merging keeps the effects, and rounding to whole points loses less than plain rounding."""

import numpy as np
import pytest

from blindscore.scorecard.rounding import merge_effects, merged, round_points


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


def problem(seed, d=30, n=4000, m=4):
    rng = np.random.default_rng(seed)
    bins = rng.integers(0, m, (d, n)).astype(np.uint8)
    effects = [np.append(rng.normal(0, 0.15, m), 0.0) for _ in range(d)]
    margin = sum(e[b] for e, b in zip(effects, bins, strict=True)) + 1
    return bins, effects, rng.random(n) > 1 / (1 + np.exp(-margin))


@pytest.mark.parametrize("factor", [5.0, 20.0])
def test_rounding_stays_nearer_than_plain_rounding(factor):
    bins, effects, bad = problem(1)
    base, points = round_points(
        bins, effects, factor, 100.0, np.zeros(30, np.int64), bad, [len(e) - 1 for e in effects]
    )
    exact = factor * sum(e[b] for e, b in zip(effects, bins, strict=True))

    def spread(points):
        return np.std(sum(p[b] for p, b in zip(points, bins, strict=True)) - exact)

    assert spread(points) < spread([np.rint(factor * e) for e in effects])
    assert all(p.dtype.kind == "i" for p in points)
    total = base + sum(p[b] for p, b in zip(points, bins, strict=True))
    risk = 1 / (1 + np.exp((total - 100.0) / factor))
    assert risk.mean() == pytest.approx(bad.mean(), abs=0.02)


def test_rounding_keeps_a_monotone_order():
    bins, effects, bad = problem(2, d=10)
    effects = [np.append(np.sort(e[:-1]), 0.0) for e in effects]
    _, points = round_points(bins, effects, 4.0, 0.0, np.ones(10, np.int64), bad, [len(e) - 1 for e in effects])
    assert all((np.diff(p[:-1]) >= 0).all() for p in points)
