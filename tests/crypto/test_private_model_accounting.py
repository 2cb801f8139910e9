"""Three accountants on one record, and the ledger that refuses to overspend."""

import dataclasses
import math

import numpy as np
import pytest

from blindscore.errors import ParameterError
from blindscore_crypto.private_model.accounting import (
    Budget,
    Release,
    check_budget,
    epsilon_of,
    epsilon_pld,
    epsilon_prv,
    epsilon_rdp,
    least,
    whole_budget,
)
from blindscore_crypto.private_model.privacy_loss import rounding_variance

DELTA = 1e-5
RECORDS = {
    "one sum": [Release("sum", 1.0, 3.8)],
    "sampled steps": [Release("steps", 1.0, 1.5, 100, 0.1, "float")],
    "a mixture": [Release("edges", 4.0, 60.0), Release("steps", 1.0, 2.8, 150, 0.05, "float")],
}


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
def test_the_accountants_agree_and_the_claim_is_no_more_than_what_rounding_needs(record):
    claimed, renyi, pld, prv = (f(record, DELTA) for f in (epsilon_of, epsilon_rdp, epsilon_pld, epsilon_prv))
    assert prv == pytest.approx(pld, rel=0.02, abs=0.01)
    assert pld <= renyi <= 1.25 * pld
    assert pld <= claimed <= 1.06 * pld


def test_one_gaussian_costs_what_the_exact_formula_says():
    """Balle and Wang (ICML 2018), theorem 8: the exact delta of one Gaussian release."""
    from scipy.stats import norm

    sigma = 3.0
    epsilon = epsilon_pld([Release("sum", 1.0, sigma)], DELTA)
    exact = norm.cdf(1 / (2 * sigma) - epsilon * sigma) - math.exp(epsilon) * norm.cdf(
        -1 / (2 * sigma) - epsilon * sigma
    )
    assert exact == pytest.approx(DELTA, rel=0.05)


def test_more_noise_costs_less_and_more_releases_cost_more():
    costs = [epsilon_of([Release("sum", 1.0, sigma)], DELTA) for sigma in (1.6, 3.2, 6.4, 12.8)]
    assert costs == sorted(costs, reverse=True)
    assert costs[0] > 2 * costs[-1]
    renyi = [epsilon_rdp([Release("sum", 1.0, sigma, steps)], DELTA) for sigma, steps in ((3.2, 4), (1.6, 1))]
    assert renyi[0] == pytest.approx(renyi[1], rel=1e-6)


@pytest.mark.parametrize("epsilon", [0.1, 1.0, 8.0])
def test_the_whole_budget_is_used_and_not_more(epsilon):
    budget = Budget(epsilon, DELTA)
    budget.release(np.zeros(3, np.int64), "all", 3.0, whole_budget(epsilon, DELTA))
    assert 0.999 * epsilon < budget.spent <= epsilon


def test_the_ledger_refuses_to_overspend_and_keeps_its_record():
    budget = Budget(1.0, DELTA)
    assert budget.spent == 0
    half = Release("half", 1.0, math.sqrt(2 * whole_budget(1.0, DELTA) ** 2 + rounding_variance(1.0)))
    budget.spend(half)
    budget.spend(half)
    before = budget.record
    with pytest.raises(ParameterError, match="budget is 1"):
        budget.spend(half)
    assert budget.record == before == (half, half)
    assert budget.spent <= 1.0


def test_the_record_cannot_be_rewritten():
    budget = Budget(1.0, DELTA)
    budget.spend(Release("sum", 1.0, 50.0))
    with pytest.raises(dataclasses.FrozenInstanceError, match="field 'sigma'"):
        budget.record[0].sigma = 5000.0
    with pytest.raises(AttributeError, match="has no setter"):
        budget.record = ()


@pytest.mark.parametrize(
    ("epsilon", "delta"), [(0, DELTA), (-1, DELTA), (math.nan, DELTA), (math.inf, DELTA), (51, DELTA), (1, 0), (1, 0.1)]
)
def test_a_budget_out_of_range_is_refused(epsilon, delta):
    check_budget(1.0, DELTA)
    with pytest.raises(ParameterError, match=r"epsilon|delta"):
        check_budget(epsilon, delta)


def test_a_budget_that_no_noise_meets_is_refused():
    assert whole_budget(1e-3, DELTA) > 100
    with pytest.raises(ParameterError, match="no noise"):
        whole_budget(1e-7, DELTA)


def test_least_finds_the_boundary_or_says_that_there_is_none():
    assert least(lambda x: x >= 3.7, 1e-2, 1e3) == pytest.approx(3.7, rel=1e-3)
    with pytest.raises(ParameterError, match="larger one"):
        least(lambda x: False, 1, 2)
