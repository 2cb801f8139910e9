"""Arrivals: who is shown what, what it tells, and who knows that somebody applied."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from blindscore.parties.view import Column, View
from blindscore.people.society import make_society
from blindscore.surveillance.arrivals import arrivals_of, shown, values_of
from blindscore.surveillance.attacks.arrivals import APPLIED, Arrivals
from blindscore.surveillance.capability import rows_of
from blindscore.surveillance.ledger import ABSENT, BY_ROLE, PLAYED
from blindscore.surveillance.planted import people, run_with, truth_of, view_of

N = 1500
TRAIT = "party"
LINE = pd.DataFrame({"hour": np.full(N, 9), "bytes_up": 1, "bytes_down": 1})


def truth(hour, *, keyed_by="one-time", roles=("lender",)):
    population = people(N)
    lender = view_of(population, {"approved": np.arange(N) % 2}, keyed_by, universe=2, messages=LINE)
    found = truth_of(population, run_with(population, lender), roles)
    found.answers.once(("arrivals",), lambda: pd.DataFrame({"hour": hour, "bank": "bank", "times": 1}))
    return found


def rows(found, monkeypatch):
    monkeypatch.setattr(Arrivals, "secrets", lambda self, truth: [*truth.secrets, APPLIED])
    return {row.secret: row for row in rows_of(Arrivals(), found)}


def test_an_hour_that_carries_the_secret_is_read_off(monkeypatch):
    secret = truth(np.zeros(N)).classes(TRAIT)
    row = rows(truth(9 + 6 * secret), monkeypatch)[TRAIT]
    assert row.kind == PLAYED
    assert row.low > 0.95
    assert row.bound_these == pytest.approx(1.0)


def test_hours_that_say_nothing_tell_nothing(monkeypatch):
    row = rows(truth(np.random.default_rng(5).integers(0, 24, N)), monkeypatch)[TRAIT]
    assert row.low <= 0 <= row.high
    assert row.advantage <= row.bound_these <= row.bound


def test_who_knows_that_somebody_applied(monkeypatch):
    named = rows(truth(np.zeros(N), keyed_by="legal id"), monkeypatch)[APPLIED]
    unnamed = rows(truth(np.zeros(N)), monkeypatch)[APPLIED]
    watched = rows(truth(np.zeros(N), roles=("observer",)), monkeypatch)[APPLIED]
    nobody = rows(truth(np.zeros(N), roles=("state",)), monkeypatch)[APPLIED]
    assert (named.kind, named.advantage) == (BY_ROLE, 1.0)
    assert (unnamed.kind, unnamed.bound) == (ABSENT, None)
    assert "not who that is" in unnamed.reason
    assert (watched.kind, "whose address" in watched.reason) == (BY_ROLE, True)
    assert (nobody.kind, nobody.bound) == (ABSENT, 0.0)


def test_what_a_party_is_shown_follows_from_its_view_and_place():
    population = people(N)
    lender = view_of(population, {"approved": np.arange(N) % 2}, "one-time", messages=LINE)
    run = run_with(population, lender)
    assert shown(run, ["lender"]) == ["hour", "bank"]  # it scores, so it checks a signature; nobody is known again
    assert shown(run, ["observer"]) == ["hour", "times"]
    assert shown(run, ["state"]) == []
    known = run_with(population, replace(lender, keyed_by="pairwise"))
    assert shown(known, ["lender"]) == ["hour", "bank", "times"]
    told = replace(known, plays={})  # a lender that gets the score from another sees no signature ...
    assert shown(told, ["lender"]) == ["hour", "times"]
    signed = np.arange(N)
    views = {
        role: View(role, "one-time", pd.DataFrame({"token": signed}), (Column("token", "handle"),), signed)
        for role in ("lender", "scorer", "source")
    }
    held = replace(told, views={**told.views, **views})
    assert shown(held, ["lender"]) == ["hour", "bank"]  # ... unless it holds what the bank signed


def test_the_society_applies_at_hours_of_its_own_and_the_observer_sees_them():
    society = make_society(3000, seed=2)
    table = arrivals_of(society)
    assert list(table) == ["hour", "bank", "times"]
    night = society.features["night_order"].to_numpy() == 1
    assert (table["hour"][night] < 6).mean() > 0.6 > 0.1 > (table["hour"][~night] < 6).mean()
    assert table["times"].between(1, 12).all()
    assert table["times"].nunique() > 1
    assert values_of(table) == 24 * table["bank"].nunique() * 12
    from blindscore.designs.plain import messages

    assert messages(society, 1, 1)["hour"].tolist() == table["hour"].tolist()
    assert not Arrivals().secrets(truth_of(people(N), run_with(people(N), view_of(people(N), {"a": np.zeros(N)}))))
