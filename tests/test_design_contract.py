"""The contract that every design passes through, whoever wrote it."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest

from blindscore.designs.design import (
    CONSTANT_SIZES,
    NO_CONDUCT,
    PUBLIC_CARD,
    UNLINKABLE,
    VERIFIED_SCORE,
    Design,
    Run,
)
from blindscore.designs.plain import LEGAL_ID
from blindscore.designs.registry import load_designs
from blindscore.people.society import make_society
from blindscore.scorecard.scorecard import Scorecard
from blindscore.surveillance.coalitions import coalitions_of
from tests.claims import BENT, BY_RULE, CHECKS, ONLY_PLAYED, cheat_for, refuses
from tests.plugins.coin import Coin
from tests.plugins.vouching import Vouching

PEOPLE, SAMPLE = 1500, 3
DESIGNS = load_designs() | {"coin": Coin(), "vouching": Vouching()}  # the worked examples pass as any other
CLAIMS = {*CHECKS, *ONLY_PLAYED}


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


def test_a_design_is_a_frozen_record_with_defaults_and_a_sentence(played):
    design, _ = played
    assert isinstance(design, Design)
    assert is_dataclass(design)
    assert type(design).__dataclass_params__.frozen
    assert design.summary.endswith(".")
    assert design.enforces <= CLAIMS
    assert all(rule.source for rule in design.rules)


def test_scores_lie_on_the_scale_and_decide(played):
    _, run = played
    assert run.scores.shape == run.decisions.shape == (PEOPLE,)
    assert run.scores.dtype == np.int16
    assert run.scores.min() >= run.card.scale.low
    assert run.scores.max() <= run.card.scale.high
    np.testing.assert_array_equal(run.decisions, run.scores >= run.threshold)
    assert 0.5 < run.decisions.mean() < 0.95


def test_every_party_has_a_view_of_everybody(played, society):
    _, run = played
    assert {"scorer", "lender", "source"} <= set(run.views)
    for view in run.views.values():
        assert len(view.clear) == len(view.person)
        assert set(view.person) == set(range(PEOPLE))
        assert view.role in run.views
        assert view.basis in ("modelled", "observed")
        assert (view.keyed_by == "legal id") == (LEGAL_ID in view.clear.columns)
        assert not set(society.sensitive.columns) & set(view.clear.columns)


def test_whom_a_design_fears_takes_part_in_its_run(played):
    design, run = played
    names = {coalition.name for coalition in coalitions_of(run, design.feared)}
    assert {"scorer", "lender", "source", "state", "observer", "scorer+state", "lender+source", "all"} <= names
    assert {*run.views} <= names


def test_real_runs_agree_with_the_clear_score_every_one(played):
    design, run = played
    assert run.real_agree == run.real_runs
    if design.name in ("encrypted", "sealed"):
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


def test_the_wire_shows_one_size_where_the_design_says_so_and_the_decision_elsewhere(played):
    design, run = played
    sizes = run.views["lender"].messages[["bytes_up", "bytes_down"]]
    assert len(sizes) == PEOPLE
    assert (len(sizes.drop_duplicates()) == 1) == (CONSTANT_SIZES in design.enforces)


def test_a_finite_view_has_no_more_values_than_it_says(played):
    _, run = played
    for view in run.views.values():
        if view.universe is not None:
            told = view.clear[view.values]  # who reads nothing has one value: nothing
            assert (len(told.drop_duplicates()) if view.values else 1) <= view.universe


@pytest.fixture(scope="module")
def few():
    return make_society(400, seed=8)


def _claims(design: Design) -> list[tuple[str, str]]:
    return [(design.name, claim) for claim in sorted(design.enforces)]


CLAIMED = [pair for design in DESIGNS.values() for pair in _claims(design)]


@pytest.mark.parametrize(("name", "claim"), CLAIMED)
def test_each_claim_holds_and_a_run_that_belies_it_is_refused(name, claim, runs, society):
    _, run = runs[name]
    check, bend = CHECKS.get(claim), BENT.get(claim)
    assert (check is None) == (bend is None) == (claim in ONLY_PLAYED), f"tests/claims.py says nothing of: {claim}"
    if check is not None and bend is not None:
        check(run, society)
        assert refuses(check, bend(run, society), society)


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


def test_only_verified_scores_put_a_bender_at_risk(played):
    design, run = played
    assert (run.audit_share > 0) == (VERIFIED_SCORE in design.enforces)
    assert 0 <= run.audit_share <= 1


def test_where_conduct_stays_out_no_conduct_moves_a_score(played, society):
    design, run = played
    conduct = {f.name: 9.0 for f in society.schema.features if f.context in ("posts", "shopping")}
    other = society.do(conduct)
    assert not other.features.equals(society.features)
    np.testing.assert_array_equal(run.score(society), run.scores)
    unmoved = bool((run.score(other) == run.scores).all())
    assert unmoved == (NO_CONDUCT in design.enforces)
