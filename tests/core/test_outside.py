"""Every coalition has a row for everything: played, told by the design, or absent with what is missing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from blindscore.designs.design import PUBLIC_CARD
from blindscore.surveillance.attacks.intercept import Intercept
from blindscore.surveillance.attacks.link import Link
from blindscore.surveillance.attacks.remember import Remember
from blindscore.surveillance.attacks.steer import Steer
from blindscore.surveillance.capability import rows_of
from blindscore.surveillance.coalitions import OBSERVER
from blindscore.surveillance.inference.bound import dp_bound
from blindscore.surveillance.ledger import ABSENT, BY_ROLE, PLAYED, REFUSES
from blindscore.surveillance.planted import people, run_with, truth_of, view_of

N = 1500
NOISE = np.random.default_rng(0).normal(size=N)
WHOLE = ("scorer", "lender", "source", "state", OBSERVER)


def found_of(capability, parties, lender, source=None, enforces=(), population=None, **changes):
    """Return the coalition's rows by secret; the source holds noise by name unless told otherwise."""
    population = people(N) if population is None else population
    held = view_of(population, {"income": NOISE} if source is None else source, "legal id")
    run = run_with(population, view_of(population, lender), held, **changes)
    truth = truth_of(population, run, parties, enforces=frozenset(enforces))
    return {row.secret: row for row in rows_of(capability, truth)}


@pytest.mark.parametrize("parties", [("scorer",), ("source",), (OBSERVER,), ("scorer", "state")])
def test_one_record_of_each_cannot_be_joined(parties):
    row = found_of(Link(), parties, {"score": NOISE})["join"]
    assert (row.kind, row.advantage, row.high, row.bound) == (ABSENT, 0.0, 0.0, 0.0)
    assert "no second one" in row.reason or "reads nothing of anybody" in row.reason


def test_all_together_join_what_lender_and_source_join():
    shared = {"income": NOISE}
    together = found_of(Link(), WHOLE, shared, shared)["join"]
    pair = found_of(Link(), ("lender", "source"), shared, shared)["join"]
    assert together == replace(pair, coalition=together.coalition)
    assert together.low > 0.95


def test_who_neither_scores_nor_decides_bends_nothing_and_a_lying_source_is_not_covered():
    source = found_of(Steer(), ("source",), {"score": NOISE})
    observer = found_of(Steer(), (OBSERVER,), {"score": NOISE})
    lie = source.pop("named person, false record")  # a source can vouch for false figures, and no bound holds
    assert (lie.kind, lie.advantage, lie.bound) == (PLAYED, 1.0, None)
    assert set(source) == {"named person", "named person, no answer", "party"}
    assert set(observer) == {*source, "named person, false record"}
    assert {(row.kind, row.advantage, row.bound) for row in source.values()} == {(ABSENT, 0.0, None)}
    assert {(row.kind, row.advantage, row.bound) for row in observer.values()} == {(ABSENT, 0.0, 0.0)}
    assert "lies is not covered" in source["party"].reason


def test_a_lender_that_is_told_the_score_can_misstate_it():
    population = people(N)
    run = run_with(population, view_of(population, {"score": NOISE}))
    apart = replace(run, views={**run.views, "scorer": view_of(population, {"x": NOISE}, role="scorer")}, plays={})
    rows = rows_of(Steer(), truth_of(population, apart, ("lender",)))
    named = next(row for row in rows if row.secret == "named person")
    assert (named.kind, named.advantage, named.bound) == (PLAYED, 1.0, None)
    assert "misstate" in named.attack
    checked = replace(apart, audit_share=1.0)
    answered = [r for r in rows_of(Steer(), truth_of(population, checked, ("lender",))) if r.adversary != REFUSES]
    assert {row.high for row in answered} == {0.0}


def test_who_is_told_the_decision_need_not_intercept_it():
    row = found_of(Intercept(), ("scorer",), {"score": NOISE})["decision"]
    assert (row.kind, row.advantage, row.bound) == (BY_ROLE, 1.0, None)
    assert row.bits == pytest.approx(1.0, abs=0.1)


def test_own_records_that_carry_the_decision_give_it_away_and_others_do_not():
    population = people(N)
    carried = found_of(Intercept(), ("source",), {"score": NOISE}, {"income": population.features["income"]})
    assert carried["decision"].low > 0.95
    assert carried["decision"].bits > 0.8
    blind = found_of(Intercept(), ("source",), {"score": NOISE}, {"income": NOISE})["decision"]
    assert blind.low <= 0 <= blind.high
    assert blind.kind == PLAYED


def test_a_source_computes_the_decision_by_a_public_card():
    source = {"income": people(N).features["income"]}
    row = found_of(Intercept(), ("source",), {"score": NOISE}, source, enforces=[PUBLIC_CARD])["decision"]
    assert row.advantage == 1.0
    assert row.low > 0.98  # the rule of three, where all agree
    assert "public card" in row.attack


def test_own_records_and_lines_of_one_size_remember_nothing():
    wire = pd.DataFrame({"hour": np.arange(N) % 24, "bytes_up": np.full(N, 40), "bytes_down": np.full(N, 40)})
    population = people(N)
    run = run_with(population, view_of(population, {"score": NOISE}, messages=wire))
    run = replace(run, views={**run.views, "source": view_of(population, {"income": NOISE}, "legal id", role="source")})
    for party in ("source", OBSERVER):
        (row,) = rows_of(Remember(), truth_of(population, run, (party,)))
        assert (row.kind, row.advantage, row.bound) == (ABSENT, 0.0, 0.0)


def test_scores_that_carry_membership_are_broken_and_others_are_not():
    population = people(N)
    told = {"score": population.history * 100.0 + NOISE}
    apart = {"scorer": view_of(population, {"x": NOISE}, role="scorer")}

    def measured(lender, **changes):
        run = run_with(population, view_of(population, lender), **changes)
        run = replace(run, views={**run.views, **apart}, plays={})
        (row,) = rows_of(Remember(), truth_of(population, run, ("lender",)))
        return row

    assert measured(told).low > 0.95
    blind = measured({"score": NOISE})
    assert blind.low <= 0 <= blind.high
    assert blind.bound is None
    private = measured({"score": NOISE}, epsilon=1.0, delta=1e-6)
    assert private.bound == pytest.approx(dp_bound(1.0, 1e-6))


def test_a_public_card_is_everybodys_to_remember_from():
    mine = found_of(Remember(shadows=4), ("scorer",), {"score": NOISE}, enforces=[PUBLIC_CARD])["membership"]
    theirs = found_of(Remember(shadows=4), (OBSERVER,), {"score": NOISE}, enforces=[PUBLIC_CARD])["membership"]
    assert theirs == replace(mine, coalition=OBSERVER)
