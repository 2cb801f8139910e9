"""An observer of packets finds what is planted in them, down to 20 microseconds, and nothing in shuffled labels."""

from __future__ import annotations

import numpy as np
import pytest

from blindscore.errors import ParameterError
from blindscore.surveillance.inference.traces import (
    clopper_pearson,
    features,
    nearest_neighbour_limit,
    paired_difference,
    wire_advantage,
)


def exchange(rng, answer_after, down=1500):
    """One request and its answer, as a tap sees them: a heavy-tailed wait around what the service took."""
    wait = answer_after + rng.lognormal(-9.5, 0.6)
    return np.array([[0.0, 900.0], [0.0002, 400.0], [0.0002 + wait, -down], [0.0004 + wait, -60.0]])


def test_a_late_refusal_and_a_longer_answer_are_both_read_off():
    rng = np.random.default_rng(1)
    secret = np.arange(800) % 2
    late = features([exchange(rng, 0.001 + 0.006 * s) for s in secret])
    found = wire_advantage(late, secret)
    assert found.low > 0.95
    assert found.nearest_neighbour_limit > 0.9
    longer = features([exchange(rng, 0.001, down=1500 + 8 * s) for s in secret])
    assert wire_advantage(longer, secret).low > 0.95


def test_where_nothing_differs_nothing_is_found_and_the_upper_end_says_how_sure_that_is():
    rng = np.random.default_rng(2)
    secret = np.arange(3000) % 2
    rows = features([exchange(rng, 0.001) for _ in secret])
    found = wire_advantage(rows, secret)
    assert found.low < 0 < found.high < 0.15
    assert found.exchanges == 1500
    assert wire_advantage(rows[:600], secret[:600]).high > found.high


def test_a_planted_shift_of_20_microseconds_is_found_in_pairs_and_shuffled_labels_are_not():
    rng = np.random.default_rng(3)
    one = 0.03 + rng.lognormal(-9.5, 0.6, 10_000)
    other = 0.03 + 20e-6 + rng.lognormal(-9.5, 0.6, 10_000)
    found = paired_difference(other, one)
    assert found.wilcoxon_p < 1e-4
    assert found.sign_p < 1e-3
    assert found.median_difference > 5e-6
    flip = rng.random(10_000) < 0.5
    shuffled = paired_difference(np.where(flip, one, other), np.where(flip, other, one))
    assert shuffled.wilcoxon_p > 0.001
    assert paired_difference(one, one).sign_p == 1.0


def test_the_limit_of_neighbours_lies_above_what_an_attacker_reaches_on_known_distributions():
    rng = np.random.default_rng(4)
    secret = np.arange(4000) % 2
    rows = rng.normal(size=(4000, 1)) + secret[:, None]  # the best attacker has 2 Phi(1/2) - 1 = .383
    learnt = rng.random(4000) < 0.5
    assert 0.383 < nearest_neighbour_limit(rows, secret, learnt) < 0.65


def test_exact_limits_are_those_of_the_books():
    low, high = clopper_pearson(np.array([True] * 8 + [False] * 2), 0.025)
    assert (round(low, 4), round(high, 4)) == (0.4439, 0.9748)  # Clopper and Pearson's table for 8 of 10
    assert clopper_pearson(np.ones(5, bool), 0.05) == (pytest.approx(0.05 ** (1 / 5)), 1.0)


def test_a_trace_without_packets_is_refused():
    with pytest.raises(ParameterError, match="none may be empty"):
        features([np.zeros((0, 2))])
    assert features([np.array([[0.0, 100.0]])]).shape == (1, 36 + 20)
