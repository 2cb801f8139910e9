"""Crowds of a view, against counts by hand, and what must hold of every design."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from blindscore.designs.registry import load_designs
from blindscore.parties.view import View, columns, empty_view
from blindscore.people.society import make_society
from blindscore.scorecard.scorecard import Scorecard
from blindscore.surveillance.account.crowds import crowds
from blindscore.surveillance.frontier import run_design

SECRETS = pd.DataFrame({"party": ["a", "a", "b", "a", None, None], "unasked": [None] * 6})


def crowd_of(clear, kind="feature", person=None, **more):
    table = pd.DataFrame(clear)
    person = np.arange(len(table)) if person is None else np.array(person)
    view = View("lender", "pairwise", table, columns(kind, table.columns), person, **more)
    return crowds(SimpleNamespace(sensitive=SECRETS), SimpleNamespace(views={"lender": view}))


def test_crowds_are_those_that_one_counts_by_hand():
    (found,) = crowd_of({"income": [1.0, 1.0, 1.0, 2.0, np.nan, np.nan], "sex": ["f", "f", "f", "f", "m", "m"]})
    assert (found["people"], found["crowds"], found["smallest"], found["columns"]) == (6, 3, 1, 2)
    assert found["alone"] == pytest.approx(1 / 6)
    assert found["few"] == 1.0
    # Of four who state a party, three share a crowd of two parties, and one is alone.
    assert found["secrets"] == [{"secret": "party", "least": 1, "told": pytest.approx(1 / 4)}]


def test_a_join_key_makes_no_crowd_and_neither_does_a_party_that_reads_nothing():
    assert crowd_of({"legal_id": list("abcdef")}, "handle") == ()
    nobody = SimpleNamespace(views={"observer": empty_view("observer", 6)})
    assert crowds(SimpleNamespace(sensitive=SECRETS), nobody) == ()


def test_records_of_one_person_count_together_in_any_order():
    (found,) = crowd_of({"shop": [1, 2, 2, 1, 1, 3]}, person=[0, 0, 1, 1, 2, 2])
    assert (found["people"], found["crowds"], found["alone"]) == (3, 2, pytest.approx(1 / 3))


def test_one_bit_leaves_nobody_alone_and_raw_figures_leave_most():
    people = make_society(400, seed=3)
    designs = load_designs()
    raw, few = (
        {one["role"]: one for one in crowds(people, run_design(people, designs[name], Scorecard(), 1))}["lender"]
        for name in ("bureau", "minimal")
    )
    assert raw["alone"] > 0.95
    assert raw["crowds"] >= few["crowds"]
    assert raw["alone"] >= few["alone"]
    bit = pd.DataFrame({"approved": (np.arange(6) < 3).astype(int)})
    (told,) = crowd_of(bit, "decision")
    assert (told["crowds"], told["smallest"], told["alone"]) == (2, 3, 0.0)
