"""Neighbouring bins that differ no more than luck would have it are joined where that is asked."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency

from blindscore.errors import ParameterError
from blindscore.scorecard.neighbours import differing, pvalues
from blindscore.scorecard.scorecard import Scorecard


def test_p_values_are_those_of_the_chi_square_test():
    bads, heads = np.array([5, 9, 30, 0, 0]), np.array([100, 100, 120, 50, 0])
    told = pvalues(bads, heads)
    for k in range(3):
        table = [[bads[k], heads[k] - bads[k]], [bads[k + 1], heads[k + 1] - bads[k + 1]]]
        assert told[k] == pytest.approx(chi2_contingency(table, correction=False).pvalue)
    assert told[3] == 1.0  # nobody is in the last bin


def test_the_least_different_are_joined_first_until_all_differ():
    bads, heads = np.array([5, 6, 30, 33, 60]), np.full(5, 100)
    assert differing(bads, heads, [0, 1, 2, 3, 4], 0.05) == [0, 2, 4]
    assert differing(bads, heads, [0, 1, 2, 3, 4], 1.0) == [0, 1, 2, 3, 4]
    assert differing(bads, heads, [0, 1, 2, 3, 4], 1e-60) == [0]


@pytest.mark.parametrize("method", ["sparse", "woe"])
def test_every_two_neighbours_of_a_card_differ_as_surely_as_asked(method):
    rng = np.random.default_rng(8)
    x, word = rng.normal(size=2500), rng.choice(list("abcdefgh"), 2500)
    people = pd.DataFrame({"x": x, "word": word})
    bad = rng.random(2500) < 1 / (1 + np.exp(1.5 - x - (word == "a")))
    plain, asked = (Scorecard(method, max_pvalue=p).fit(people, bad) for p in (1.0, 0.001))
    assert sum(c.n_bins for c in asked.card_.characteristics) < sum(c.n_bins for c in plain.card_.characteristics)
    for feature in ("x", "word"):
        counts = asked.counts_[feature]
        counts = counts[counts.sum(axis=1) > 0]
        assert len(counts) > 1
        assert pvalues(counts[:, 1], counts.sum(axis=1)).max() <= 0.001


def test_a_p_value_that_is_none_is_refused():
    with pytest.raises(ParameterError, match="max_pvalue"):
        Scorecard(max_pvalue=0.0).fit(pd.DataFrame({"x": [1.0, 2.0]}), [True, False])
