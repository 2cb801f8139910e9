"""Bounds hold against every function of the view, and meet their textbook special cases."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blindscore.surveillance.inference.bound import (
    dp_bound,
    entropy_bits,
    finite_view_bound,
    finite_view_bounds,
    identification_bound,
    plug_in_bias,
    share_bound,
)

PEOPLE = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=2, max_size=40)


@given(PEOPLE)
def test_no_function_of_the_view_beats_the_bound_and_the_best_one_meets_it(pairs):
    view, secret = (np.array(column) for column in zip(*pairs, strict=True))
    classes = np.unique(secret)
    k = len(classes)
    best = 0.0
    if k > 1:
        for rule in itertools.product(range(k), repeat=4):
            guess = classes[np.array(rule)[view]]
            recall = np.mean([(guess[secret == c] == c).mean() for c in classes])
            best = max(best, (k * recall - 1) / (k - 1))
    assert finite_view_bound(view, secret) == pytest.approx(best, abs=1e-12)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2))
def test_for_one_bit_the_bound_is_the_demographic_parity_gap(pairs):
    view, secret = (np.array(column) for column in zip(*pairs, strict=True))
    if len(set(secret)) == 2:
        gap = abs(view[secret].mean() - view[~secret].mean())
        assert finite_view_bound(view.astype(int), secret.astype(int)) == pytest.approx(gap)


def test_the_bias_of_the_plug_in_is_stated_by_shuffling():
    rng = np.random.default_rng(0)
    view, secret = rng.integers(0, 50, 2000), rng.integers(0, 2, 2000)
    assert finite_view_bound(view, secret) == pytest.approx(plug_in_bias(view, secret, rng), abs=0.03)


def test_identification_is_limited_by_the_alphabet():
    assert identification_bound(1, 100) == 0.0
    assert identification_bound(100, 100) == 1.0
    assert identification_bound(601, 50) == 1.0
    assert identification_bound(2, 1) == 0.0


def test_the_dp_bound_at_the_ends():
    assert dp_bound(0.0, 0.0) == 0.0
    assert dp_bound(1.0, 0.0) == pytest.approx(math.tanh(0.5))
    assert dp_bound(0.0, 1.0) == 1.0
    assert dp_bound(1e6, 0.0) == pytest.approx(1.0)


def test_entropy_of_a_fair_coin_is_one_bit():
    assert entropy_bits(np.array([0, 1] * 10)) == pytest.approx(1.0)
    assert entropy_bits(np.zeros(5)) == 0.0


LEVEL = 0.05


@pytest.mark.parametrize(("people", "values"), [(400, 2), (4000, 2), (2000, 12)])
def test_a_printed_bound_lies_under_the_populations_value_no_oftener_than_it_says(people, values):
    rng = np.random.default_rng(people + values)
    low_these = low_alike = 0
    rounds = 300
    for _ in range(rounds):
        shares = rng.dirichlet(np.full(values, 3.0), size=2)
        true = 0.5 * np.abs(shares[0] - shares[1]).sum()
        secret = (rng.random(people) < 0.1).astype(int)
        view = np.where(secret, rng.choice(values, people, p=shares[1]), rng.choice(values, people, p=shares[0]))
        bound = finite_view_bounds(view, secret, values, LEVEL)
        assert bound.alike >= bound.these == finite_view_bound(view, secret)
        low_these += bound.these < true - 1e-12
        low_alike += bound.alike < true
    assert low_alike <= LEVEL * rounds
    assert values > 2 or low_these > 0.2 * rounds  # the exact figure of these people is no bound for others


def test_values_that_nobody_showed_count_in_the_bound_on_others():
    none = np.zeros(300, int)
    secret = np.arange(300) % 2
    assert finite_view_bounds(none, secret, 1) == (0.0, 0.0)
    two, many = finite_view_bounds(none, secret, 2), finite_view_bounds(none, secret)
    assert 0.0 < two.alike < many.alike
    assert two.these == 0.0


def test_a_hit_rate_has_a_limit_too():
    rng = np.random.default_rng(5)
    low = 0
    for _ in range(300):
        hits, prior = (rng.random(500) < 0.3).mean(), (rng.random(500) < 0.2).mean()
        low += share_bound(hits, prior, 500, LEVEL).alike < (0.3 - 0.2) / 0.8
    assert low <= LEVEL * 300
    assert share_bound(0.3, 0.2, 500).these == pytest.approx(0.125)
