"""A design that reads everybody by name with a secret card, and declares the opposite, earns nothing by saying so."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from blindscore.designs.bureau import Bureau
from blindscore.designs.design import (
    CONSTANT_SIZES,
    NO_CONDUCT,
    ONE_BIT,
    PUBLIC_CARD,
    SOURCE_BLIND,
    UNLINKABLE,
    VERIFIED_SCORE,
)
from blindscore.designs.plain import LENDER_SCORES, bank_view, everyone, financial, score_in_clear, scoring_lender
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
