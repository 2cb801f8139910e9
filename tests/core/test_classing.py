"""Classing: bins follow the outcome, stay readable, and keep a monotone promise."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blindscore.scorecard.classing import (
    TURN,
    class_numbers,
    fine_edges,
    log_likelihood,
    merge,
    pool_turns,
    pool_violators,
    rises,
    short_edge,
)


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
def test_a_short_edge_separates_its_neighbours(a, b):
    low, high = min(a, b), max(a, b)
    if low < high:
        assert low < short_edge(low, high) <= high


def test_short_edges_are_short():
    assert short_edge(3.0, 4.0) == 4.0
    assert short_edge(0.34971, 0.35218) == 0.35
    assert short_edge(1.0, np.nextafter(1.0, 2.0)) == np.nextafter(1.0, 2.0)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=7), st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_the_merge_is_the_best_of_all_merges(counts, max_bins):
    bad, good = (np.array(column, float) for column in zip(*counts, strict=True))
    people = (bad + good).sum()
    if people == 0:
        return
    price = 0.5 * np.log(people + 1)

    def worth(starts):
        parts = zip(starts, [*starts[1:], len(bad)], strict=True)
        sums = [(bad[a:b].sum(), good[a:b].sum()) for a, b in parts]
        if any(b + g < 1 for b, g in sums):
            return -np.inf
        return sum(float(log_likelihood(np.array([b]), np.array([g]))[0]) for b, g in sums) - price * (len(starts) - 1)

    every = (
        [0, *rest] for k in range(min(max_bins, len(bad))) for rest in itertools.combinations(range(1, len(bad)), k)
    )
    assert worth(merge(bad, good, max_bins, 1.0)) == pytest.approx(max(map(worth, every)))


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), min_size=1, max_size=12), st.booleans())
@settings(deadline=None)  # the first call compiles
def test_pooled_blocks_have_monotone_bad_rates(counts, rising):
    bad, good = (np.array(column, float) for column in zip(*counts, strict=True))
    starts = pool_violators(bad, good, rising)
    rates = np.add.reduceat(bad, starts) / np.add.reduceat(bad + good, starts)
    steps = np.diff(rates)
    assert (steps > -1e-12).all() if rising else (steps < 1e-12).all()


def test_bins_find_the_cliff():
    rng = np.random.default_rng(3)
    x = rng.integers(0, 100, 5000).astype(float)
    bad = rng.random(5000) < np.where(x >= 60, 0.5, 0.1)
    assert class_numbers(x, bad, 8).edges == (60.0,)
    assert class_numbers(x, rng.random(5000) < 0.3, 8).edges == ()


@pytest.mark.parametrize("sign", [1, -1])
def test_monotone_bins_keep_their_direction(sign):
    rng = np.random.default_rng(4)
    x = rng.normal(size=8000)
    bad = rng.random(8000) < np.clip(0.3 + 0.1 * x - 0.15 * np.cos(3 * x), 0.02, 0.98)
    edges = class_numbers(x, bad, 8, sign).edges
    at = np.searchsorted(edges, x, side="right")
    rates = np.bincount(at, weights=bad) / np.bincount(at)
    assert (sign * np.diff(rates) <= 0).all()  # a falling score is a rising risk, which is the truth here
    assert len(edges) >= 2 or sign > 0
    assert rises(x, bad) is False


def test_no_bin_holds_fewer_heads_than_asked_whatever_they_weigh():
    rng = np.random.default_rng(4)
    x = rng.normal(size=3000)
    bad = rng.random(3000) < np.clip(0.3 + 0.1 * x, 0.02, 0.98)
    for weight in (None, rng.lognormal(0, 1, 3000)):
        edges = class_numbers(x, bad, 16, price=0.0, least=200, weight=weight).edges
        assert len(edges) >= 3
        assert np.bincount(np.searchsorted(edges, x, side="right")).min() >= 200


def test_empty_and_constant_columns_get_one_bin():
    nobody = np.zeros(0)
    assert class_numbers(nobody, nobody.astype(bool), 8).n_ordinary == 1
    assert class_numbers(np.ones(10), np.arange(10) < 4, 8).n_ordinary == 1


def test_fine_edges_stand_between_distinct_values():
    values = np.repeat([1.0, 2.0, 5.0], [90, 5, 5])
    assert fine_edges(values).tolist() == [2.0, 4.0]
    many = np.random.default_rng(1).normal(size=10_000)
    edges = fine_edges(many, 20)
    assert len(edges) == 19
    assert np.bincount(np.searchsorted(edges, many, side="right")).min() > 300


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), min_size=1, max_size=8))
@settings(max_examples=60, deadline=None)
def test_a_rate_that_may_turn_once_is_the_likeliest_such(counts):
    """Against every split into two monotone parts, each fitted alone."""
    bad, good = (np.array(column, float) for column in zip(*counts, strict=True))

    def fit(starts):
        return log_likelihood(np.add.reduceat(bad, starts), np.add.reduceat(good, starts)).sum()

    worth = {}
    for rising, split in itertools.product([True, False], range(1, len(bad) + 1)):
        left = pool_violators(bad[:split], good[:split], rising)
        right = pool_violators(bad[split:], good[split:], not rising)
        starts = tuple(np.concatenate([left, split + right]).tolist())
        worth[starts] = max(worth.get(starts, -np.inf), fit(np.array(starts)) - (TURN if split < len(bad) else 0))
    chosen = pool_turns(bad, good)
    assert worth[tuple(chosen.tolist())] == pytest.approx(max(worth.values()))
    turns = np.sign(np.diff(np.add.reduceat(bad, chosen) / np.add.reduceat(bad + good, chosen)))
    assert (np.diff(turns[turns != 0]) != 0).sum() <= 1
