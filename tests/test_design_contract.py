"""The contract that every design passes through, whoever wrote it."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import pytest

from blindscore.designs.contract import CLAIMS, RULES, check_design
from blindscore.designs.design import (
    NO_CONDUCT,
    ONE_BIT,
    PUBLIC_CARD,
    UNLINKABLE,
    VERIFIED_SCORE,
    Design,
    Run,
)
from blindscore.designs.registry import load_designs
from blindscore.errors import ContractError
from blindscore.people.society import make_society
from blindscore.scorecard.scorecard import Scorecard
from tests.claims import BENT, BY_RULE, ONLY_PLAYED, cheat_for
from tests.plugins.coin import Coin
from tests.plugins.vouching import Vouching

PEOPLE, SAMPLE = 1500, 3
DESIGNS = load_designs() | {"coin": Coin(), "vouching": Vouching()}  # the worked examples pass as any other


@pytest.fixture(scope="module")
def society():
    return make_society(PEOPLE, seed=7)


@pytest.fixture(scope="module")
def runs(society):
    """Each design played once; the runs are frozen, so the tests can share them."""
    played: dict[str, tuple[Design, Run]] = {}
    for name, design in DESIGNS.items():
        settings = {f.name for f in fields(design)}
        if "sample" in settings:
            design = replace(design, sample=SAMPLE)
        if "epsilon" in settings:  # few people under much noise would all get one score
            design = replace(design, epsilon=8.0)
        played[name] = design, design.run(society, Scorecard(), np.random.default_rng(3))
    return played


@pytest.fixture(params=sorted(DESIGNS))
def played(request, runs):
    return runs[request.param]


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_of_the_contract_holds(played, rule, society):
    design, run = played
    assert RULES[rule](design, run, society)


def test_real_runs_are_as_many_as_asked_for_and_cost_something(runs):
    for name in ("encrypted", "sealed"):
        _, run = runs[name]
        assert run.real_runs == SAMPLE
        assert min(run.costs.us_per_person.values()) > 0
        assert run.costs.bytes_up > 0


def test_an_executed_protocol_shows_one_message_as_it_lay_on_the_wire(played):
    _, run = played
    lender = run.views["lender"]
    assert bool(lender.received) == (run.real_runs > 0)
    if lender.received:
        assert len(lender.received) <= run.costs.bytes_up
        assert len(set(lender.received)) > 100  # looks like noise: most byte values occur


@pytest.fixture(scope="module")
def few():
    return make_society(400, seed=8)


def _claims(design: Design) -> list[tuple[str, str]]:
    return [(design.name, claim) for claim in sorted(design.enforces)]


CLAIMED = [pair for design in DESIGNS.values() for pair in _claims(design)]


@pytest.mark.parametrize(("name", "claim"), CLAIMED)
def test_each_claim_holds_and_a_run_that_belies_it_is_refused(name, claim, runs, society):
    _, run = runs[name]
    check, bend = CLAIMS.get(claim), BENT.get(claim)
    assert (check is None) == (bend is None) == (claim in ONLY_PLAYED), f"tests/claims.py says nothing of: {claim}"
    if check is not None and bend is not None:
        assert check(run, society)
        assert not check(bend(run, society), society)


@pytest.mark.parametrize(("name", "claim"), CLAIMED)
def test_a_cheat_at_the_table_is_noticed(name, claim, runs, few):
    design, run = runs[name]
    cheat = cheat_for(claim, design, executed=run.real_runs > 0)
    if cheat is None:
        assert run.real_runs == 0 or claim in BY_RULE  # nothing is executed that a cheat could bend
        return
    assert cheat(replace(design, sample=2), few), f"{name}: a cheat against the claim that {claim} went unnoticed"


def test_a_claim_without_a_cheat_fails_the_contract(runs):
    design, _ = runs["coin"]
    with pytest.raises(pytest.fail.Exception, match="no cheat"):
        cheat_for(UNLINKABLE + " at all", design, executed=True)
    with pytest.raises(pytest.fail.Exception, match="no cheat"):
        cheat_for(PUBLIC_CARD, design, executed=False)


def test_a_design_that_breaks_rules_is_told_all_of_them():
    @dataclass(frozen=True)
    class Bad(Coin):
        summary = "no sentence"
        enforces = frozenset({NO_CONDUCT, ONE_BIT, UNLINKABLE, VERIFIED_SCORE})

    with pytest.raises(ContractError, match="frozen record") as told:
        check_design(Bad(), people=300)
    assert "put who bends them at risk" in str(told.value)
    assert "the wire has a size" in str(told.value)
    assert check_design(Coin(), people=300).card is not None
