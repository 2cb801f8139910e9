"""Intervals cover what they should about as often as they say."""

from __future__ import annotations

import numpy as np
import pytest

from blindscore.surveillance.inference.intervals import balanced_advantage, mean_interval, tpr_at_fpr


def test_perfect_and_useless_guesses_sit_at_the_ends_of_the_scale():
    truth = np.array([0, 1] * 200)
    rng = np.random.default_rng(0)
    assert balanced_advantage(truth, truth, rng) == pytest.approx((1.0, 0.97, 1.0))
    assert balanced_advantage(truth, np.zeros_like(truth), rng) == pytest.approx((0.0, -0.015, 0.015))
    assert balanced_advantage(np.zeros(5, int), np.zeros(5, int), rng) == (0.0, 0.0, 0.6)


def test_a_guess_that_never_moves_has_an_interval_as_wide_as_the_rarest_class_is_rare():
    rare = (np.arange(1000) < 20).astype(int)
    found = balanced_advantage(rare, np.zeros(1000, int), np.random.default_rng(0))
    assert found == pytest.approx((0.0, -3 / 980, 3 / 20))


def test_the_interval_covers_the_truth_nineteen_times_in_twenty():
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(300):
        truth = (rng.random(400) < 0.2).astype(int)
        guess = np.where(rng.random(400) < 0.75, truth, 1 - truth)  # recall .75 on both classes: advantage .5
        _, low, high = balanced_advantage(truth, guess, rng)
        covered += low <= 0.5 <= high
    assert 0.9 <= covered / 300 <= 0.99


def test_the_multinomial_bootstrap_is_the_ordinary_bootstrap():
    rng = np.random.default_rng(2)
    truth = (rng.random(300) < 0.3).astype(int)
    guess = np.where(rng.random(300) < 0.7, truth, 1 - truth)
    _, low, high = balanced_advantage(truth, guess, rng)
    draws = []
    for _ in range(2000):
        pick = rng.integers(0, 300, 300)
        t, g = truth[pick], guess[pick]
        draws.append((g[t == 1] == 1).mean() + (g[t == 0] == 0).mean() - 1)
    assert np.quantile(draws, [0.025, 0.975]) == pytest.approx([low, high], abs=0.02)


def test_a_share_that_is_the_same_for_all_still_has_a_width():
    estimate = mean_interval(np.ones(100), np.random.default_rng(3))
    assert (estimate.value, estimate.low, estimate.high) == (1.0, 0.97, 1.0)


def test_tpr_at_a_tiny_fpr():
    positive = np.arange(2000) < 1000
    assert tpr_at_fpr(positive, positive.astype(float)) == 1.0
    assert tpr_at_fpr(positive, np.zeros(2000)) == 0.0
    assert tpr_at_fpr(positive, np.arange(2000.0)) == 0.0
