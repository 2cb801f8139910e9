"""A design that reads everybody by name with a secret card, and declares the opposite, earns nothing by saying so."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from blindscore.designs.bureau import Bureau
from blindscore.designs.contract import broken_by
from blindscore.designs.design import (
    CONSTANT_SIZES,
    NO_CONDUCT,
    ONE_BIT,
    PUBLIC_CARD,
    SCORE_ONLY,
    SIGNED_DECISION,
    SOURCE_BLIND,
    UNLINKABLE,
    VERIFIED_SCORE,
)
from blindscore.designs.plain import LENDER_SCORES, bank_view, everyone, financial, score_in_clear, scoring_lender
from blindscore.designs.platform import Platform
from blindscore.parties.view import View, columns
from blindscore.people.society import make_society
from blindscore.scorecard.scorecard import Scorecard
from blindscore.surveillance.attacks.disclose import Disclose
from blindscore.surveillance.attacks.link import Link
from blindscore.surveillance.attacks.steer import Steer
from blindscore.surveillance.frontier import measure


@dataclass(frozen=True)
class Liar:
    """Reads every figure by legal id (see ``score_in_clear``), and declares one bit and seven claims."""

    name = "liar"
    order = 90
    summary = "It says that it learns one bit of you."
    enforces = frozenset({CONSTANT_SIZES, NO_CONDUCT, ONE_BIT, PUBLIC_CARD, SOURCE_BLIND, UNLINKABLE, VERIFIED_SCORE})
    rules = ()
    feared = ()

    def run(self, population, scorecard, rng):
        scored = score_in_clear(population, scorecard, financial(population), 0.75)
        bit = pd.DataFrame({"approved": (scored.scores >= scored.threshold).astype(np.int8)})
        lender = View("lender", "one-time", bit, columns("decision", ["approved"]), everyone(population), universe=2)
        views = {**scoring_lender(lender), "source": bank_view(population)}
        return replace(scored.run(views, {}, plays=LENDER_SCORES), audit_share=1.0)


CLAIMED = Liar.enforces | {SCORE_ONLY, SIGNED_DECISION}


@pytest.fixture(scope="module")
def ledger():
    society = make_society(900, seed=2)
    attacks = [Link(), Steer(), Disclose()]
    return measure(society, [Bureau(), Liar()], Scorecard(), seed=1, command="test", capabilities=attacks)


@pytest.mark.parametrize("capability", ["link", "steer", "disclose"])
def test_no_row_of_a_protocol_that_nobody_played_is_marked_removed(ledger, capability):
    rows = [row for row in ledger.rows if (row.design, row.capability) == ("liar", capability)]
    played = [row for row in rows if row.kind == "played"]
    assert played
    assert not any(row.removed for row in rows)
    assert {row.basis for row in played} == {"modelled"}


@pytest.fixture(scope="module")
def honest():
    """A bureau that says what it is: it reads everybody by name, and its lender decides."""
    society = make_society(900, seed=2)
    return society, Bureau().run(society, Scorecard(), np.random.default_rng(3))


def _one_bit(run):
    scored = run.views["lender"]
    bit = pd.DataFrame({"approved": run.decisions.astype(np.int8)})
    lender = View("lender", "one-time", bit, columns("decision", ["approved"]), scored.person, messages=scored.messages)
    return replace(run, views={**run.views, **scoring_lender(replace(lender, universe=2))})


def _narrow(run):
    views = {role: replace(view, universe=2) for role, view in run.views.items()}
    return replace(run, views=views)


def _told_to_the_source(run):
    source = run.views["source"]
    clear = source.clear.assign(told=run.decisions[source.person])
    told = replace(source, clear=clear, columns=(*source.columns, *columns("decision", ["told"])))
    return replace(run, views={**run.views, "source": told})


def test_the_honest_bureau_keeps_the_contract(honest):
    society, run = honest
    assert broken_by(Bureau(), run, society) == []


LIES = {
    "its view is one bit": (_one_bit, None),
    "its view has two values": (_narrow, None),
    "every bent score is noticed": (lambda run: replace(run, audit_share=1.0), None),
    **{claim: (lambda run: run, claim) for claim in sorted(CLAIMED - {NO_CONDUCT, SOURCE_BLIND})},
    SOURCE_BLIND: (_told_to_the_source, SOURCE_BLIND),
}


@pytest.mark.parametrize("lie", LIES)
def test_each_single_lie_breaks_the_contract(honest, lie):
    society, run = honest
    bend, claim = LIES[lie]

    class Lying(Bureau):
        enforces = Bureau.enforces | ({claim} if claim else set())

    assert broken_by(Lying(), bend(run), society)


def test_conduct_that_moves_a_score_is_a_lie_where_the_opposite_is_claimed():
    society = make_society(900, seed=2)
    run = Platform().run(society, Scorecard(), np.random.default_rng(3))

    lying = replace(Platform(), enforces=frozenset({NO_CONDUCT}))
    assert broken_by(Platform(), run, society) == []
    assert f"claims that {NO_CONDUCT}" in broken_by(lying, run, society)
