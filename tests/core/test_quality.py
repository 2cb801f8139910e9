"""Quality measures against scikit-learn, SciPy, counting by hand, and the coverage that intervals promise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp
from sklearn.metrics import brier_score_loss, roc_auc_score

from blindscore.errors import DataError, ParameterError
from blindscore.scorecard.quality import auc, auc_interval, auc_loss_interval, brier, gini, ks, profit

people = st.lists(st.tuples(st.booleans(), st.integers(-5, 5)), min_size=2).filter(
    lambda rows: len({bad for bad, _ in rows}) == 2
)


@given(people)
def test_auc_is_the_one_of_scikit_learn(rows):
    bad, score = map(np.array, zip(*rows, strict=True))
    assert auc(bad, score) == pytest.approx(roc_auc_score(~bad, score))
    assert gini(bad, score) == pytest.approx(2 * roc_auc_score(~bad, score) - 1)
    interval = auc_interval(bad, score)
    assert 0 <= interval.low <= interval.value <= interval.high <= 1
    assert interval.value == pytest.approx(auc(bad, score))


@given(people)
def test_ks_is_the_one_of_scipy(rows):
    bad, score = map(np.array, zip(*rows, strict=True))
    assert ks(bad, score) == pytest.approx(ks_2samp(score[bad], score[~bad], alternative="greater").statistic)


def test_brier_is_the_one_of_scikit_learn():
    rng = np.random.default_rng(0)
    risk = rng.random(500)
    bad = rng.random(500) < risk
    assert brier(bad, risk) == pytest.approx(brier_score_loss(bad, risk))
    with pytest.raises(DataError, match=r"probabilities must lie in 0\.\.1"):
        brier(bad, risk + 1)


def test_profit_counts_the_approved_only():
    bad, score = np.array([0, 0, 1, 1, 0]), np.array([700, 650, 640, 400, 300])
    assert profit(bad, score, 600) == pytest.approx((2 - 5) / 5)
    assert profit(bad, score, 650) == pytest.approx(2 / 5)
    assert profit(bad, score, 600, gain=3, loss=1) == pytest.approx((6 - 1) / 5)


def draw(rng, n=300):
    bad = rng.random(n) < 0.3
    common = rng.normal(size=n) - bad
    return bad, common + 0.3 * rng.normal(size=n), common + 0.5 * rng.normal(size=n)


def test_intervals_cover_as_often_as_they_promise():
    """Against the AUC of a huge sample; 400 draws at 95% miss more than 9% of the time with chance below 1e-3."""
    rng = np.random.default_rng(11)
    bad, a, b = draw(rng, 400_000)
    truth, loss = auc(bad, a), auc(bad, a) - auc(bad, b)
    samples = [draw(rng) for _ in range(400)]
    single = [auc_interval(bad, a) for bad, a, _ in samples]
    paired = [auc_loss_interval(bad, a, b) for bad, a, b in samples]
    assert 0.91 < np.mean([i.low <= truth <= i.high for i in single]) < 0.99
    assert 0.91 < np.mean([i.low <= loss <= i.high for i in paired]) < 0.99
    assert np.mean([i.high - i.low for i in paired]) < np.mean([i.high - i.low for i in single])


def test_a_perfect_ranking_does_not_claim_certainty():
    bad, score = np.arange(40) < 10, np.arange(40)
    interval = auc_interval(bad, score)
    assert interval.value == interval.high == 1
    assert 0.5 < interval.low < 0.75
    assert auc_interval(bad, -score).low == 0


def test_equal_scores_lose_nothing():
    bad, score = np.arange(40) % 3 == 0, np.arange(40)
    assert auc_loss_interval(bad, score, 2 * score + 1) == (0, 0, 0)


def test_useless_input_is_refused():
    for bad, score, said in (
        ([0, 0], [1, 2], "all outcomes are of one class"),
        ([0, 1], [1, np.nan], "a score is NaN"),
        ([0, 1], [1, 2, 3], "of one length"),
    ):
        with pytest.raises(DataError, match=said):
            auc(bad, score)
    with pytest.raises(ParameterError, match="a confidence level lies between 0 and 1"):
        auc_interval([0, 1], [1, 2], level=1.5)
