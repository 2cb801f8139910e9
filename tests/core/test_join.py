"""Joining records by values: each attack finds what only it can find, and none finds what is not there."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from blindscore.surveillance.attacks.join import join_by_values

N = 600
AUXILIARY = np.arange(N) % 5 == 0
TARGETS = int((~AUXILIARY).sum())


def figures(seed=0, columns=4):
    return pd.DataFrame(np.random.default_rng(seed).normal(size=(N, columns)), columns=list("abcd")[:columns])


def test_equal_values_join_whoever_is_alone_with_them():
    table = figures()
    hits, attack = join_by_values(table, table, AUXILIARY)
    assert hits.min() == 1.0
    assert attack == "equal values of all shared columns"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda table: table + 0.02 * np.random.default_rng(1).normal(size=table.shape),
        lambda table: table.round(1),
        lambda table: 3.0 * table + 1.0,  # another unit: ranks are unmoved
    ],
    ids=["noise", "rounding", "another unit"],
)
def test_spoilt_values_are_still_joined(spoil):
    table = figures()
    hits, attack = join_by_values(spoil(table), table, AUXILIARY)
    assert hits.mean() > 0.8
    assert attack != "equal values of all shared columns"


def test_columns_that_are_sometimes_exact_and_sometimes_anything_need_learned_agreement():
    rng = np.random.default_rng(2)
    table = figures(columns=4)
    wrong = rng.random(table.shape) < 0.4
    hits, attack = join_by_values(table.mask(wrong, rng.normal(size=table.shape)), table, AUXILIARY)
    assert attack == "learned agreement"
    assert hits.mean() > 0.6


def test_unrelated_records_are_joined_by_chance_alone():
    hits, _ = join_by_values(figures(3), figures(4), AUXILIARY)
    assert hits.mean() < 6 / TARGETS
    same = pd.DataFrame({"a": np.zeros(N)})
    hits, _ = join_by_values(same, same, AUXILIARY)
    assert hits.mean() == pytest.approx(1 / TARGETS)


def test_the_order_of_people_tells_nothing():
    """Equal scores on one side: which of the tied records comes first must not decide."""
    score = pd.DataFrame({"score": np.arange(N) % 3 + 0.0})
    hits, _ = join_by_values(score, figures(5), AUXILIARY)
    assert hits.mean() < 6 / TARGETS
