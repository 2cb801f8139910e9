"""``removed`` is earned: on both sides of zero, over many rows, on executed protocols, under every seed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from blindscore.surveillance.ledger import ABSENT
from blindscore.surveillance.marks import certified_removal, held, holm, marked
from tests.core.test_ledger import a_row


def nothing(**changes):
    return a_row(**({"advantage": 0.0, "low": -0.01, "high": 0.01, "bound": 0.01} | changes))


def is_marked(row, *beside):
    return marked([row, *beside], None)[0].removed


def test_a_mark_needs_interval_and_bound_under_the_line():
    assert is_marked(nothing())
    assert not is_marked(nothing(bound=0.05))
    assert not is_marked(nothing(bound=None))
    assert not is_marked(nothing(high=0.07))


def test_an_attack_that_is_wrong_reliably_earns_no_mark():
    # 68 rows lay wholly under zero and were marked: such an attack can be turned round.
    assert not is_marked(nothing(advantage=-0.08, low=-0.09, high=-0.07))


def test_many_rows_make_each_mark_harder():
    at_the_edge = nothing(low=-0.045, high=0.045)
    assert is_marked(at_the_edge)
    others = [nothing(secret=f"s{k}", low=-0.2, high=0.2) for k in range(200)]
    assert not is_marked(at_the_edge, *others)
    assert is_marked(nothing(), *others)


def test_who_has_no_view_and_what_no_protocol_ran_for_earns_no_mark():
    assert not is_marked(nothing(kind=ABSENT))
    assert not is_marked(nothing(basis="modelled"))
    assert is_marked(nothing(basis="executed"))
    # Nor do rows without an attack make the marks of others harder.
    none = [nothing(secret=f"s{k}", kind=ABSENT) for k in range(500)]
    assert is_marked(nothing(low=-0.045, high=0.045), *none)


def test_a_row_that_repeats_another_has_its_mark():
    whole = nothing(coalition="lender")
    same, of_nobody = nothing(same_as="lender"), nothing(same_as="source")
    assert [row.removed for row in marked([whole, same, of_nobody], None)] == [True, True, False]


def test_a_mark_must_hold_under_every_seed():
    first = marked([nothing(), nothing(secret="illness")], None)
    second = marked([nothing(), nothing(secret="illness", high=0.2)], None)
    kept = held(first, [second, first])
    assert [(row.removed, row.seeds) for row in kept] == [(True, 3), (False, 2)]
    assert [row.removed for row in held(first, [[]])] == [False, False]


def test_holm_rejects_no_true_hypothesis_nineteen_times_in_twenty():
    rng = np.random.default_rng(3)
    wrong = sum(any(holm(norm.sf(rng.normal(size=40)).tolist())) for _ in range(1000))
    assert wrong < 0.05 * 1000 + 3 * (0.05 * 0.95 * 1000) ** 0.5
    assert holm([0.04, 0.001, 0.02]) == [True, True, True]
    assert holm([0.06, 0.001, 0.04]) == [False, True, False]


def test_certified_removal_counts_what_lies_beyond_public_knowledge():
    baseline = a_row(design="platform", low=0.787, control=0.767)
    sealed = a_row(bound=0.018, control=0.767)
    assert pytest.approx(0.977, abs=1e-3) == 1 - 0.018 / 0.787  # what was printed
    assert certified_removal(sealed, baseline) == pytest.approx(1 - 0.018 / ((0.787 - 0.767) / 0.233))
    assert certified_removal(replace(sealed, bound=0.5), baseline) == 0.0
    assert certified_removal(replace(sealed, bound=None), baseline) is None
    assert certified_removal(sealed, None) is None
    assert certified_removal(sealed, replace(baseline, low=0.5)) is None
