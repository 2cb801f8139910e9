"""``remember`` finds members where a card learnt them by heart, and none where it learnt nothing of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from blindscore.designs.design import Costs, Run
from blindscore.designs.plain import LENDER_SCORES, scoring_lender
from blindscore.people.population import Feature, Schema
from blindscore.scorecard.card import Card, Characteristic
from blindscore.scorecard.scorecard import Scorecard
from blindscore.surveillance.attacks.remember import Remember, likelihood_ratios, most_suspicious, rare_values
from blindscore.surveillance.attacks.signals import black_box, together
from blindscore.surveillance.capability import rows_of
from blindscore.surveillance.inference.bound import dp_bound
from blindscore.surveillance.knowledge import UNKNOWN, Labels
from blindscore.surveillance.ledger import ABSENT
from blindscore.surveillance.planted import CARD, people, run_with, truth_of, view_of

N = 600


def rote_card(population, past):
    """Return a card that gives points to each member by name: as much as a card can ever remember."""
    names, bad = population.features["name"].to_numpy(), population.default
    kinds = ((past & ~bad, 200), (past & bad, -200), (~past, 0))
    groups = tuple(tuple(names[who]) for who, _ in kinds)
    return Card((Characteristic("name", (*(points for _, points in kinds), 0), groups=groups),), base=500)


def named_people(seed=0):
    table = pd.DataFrame({"name": [f"p{i}" for i in range(N)]})
    schema = Schema((Feature("name", "bank", kind="category"),), sensitive=("party",))
    return people(N, seed=seed, features=table, schema=schema)


def run_with_card(population, view, card, scores, **more):
    return Run(scores >= 500, scores, 500, card, scoring_lender(view), Costs(), plays=LENDER_SCORES, **more)


def measured(population, run, shadows=64):
    (row,) = rows_of(Remember(shadows=shadows), truth_of(population, run))
    return row


def test_a_card_that_learnt_people_by_heart_is_broken():
    population = named_people()
    card = rote_card(population, population.history)
    view = view_of(population, {"x": np.zeros(N)})
    scores = card.scores(card.bins(population.features))
    run = run_with_card(population, view, card, scores, train=lambda past: rote_card(population, past))
    row = measured(population, run)
    assert row.low > 0.95
    assert row.bound is None


def test_firms_of_one_person_are_read_off_a_card_that_lists_them_not_off_one_that_pools():
    rng = np.random.default_rng(0)
    firm = np.where(np.arange(N) < 400, [f"firm {k}" for k in range(N)], "large").astype(object)
    table = pd.DataFrame({"firm": firm, "income": rng.normal(size=N)})
    outcome, member = rng.random(N) < 0.4, rng.random(N) < 0.5
    kinds = ((member & outcome, -90), (member & ~outcome, 90))
    groups = tuple(tuple(firm[who & (firm != "large")]) for who, _ in kinds)
    listing = Card((Characteristic("firm", (-90, 90, 0, 0), groups=(*groups, ()), other=2),), base=600)
    pooling = Scorecard("woe").fit(table[member], outcome[member]).card_
    for card, least, most in ((listing, 0.95, 1.0), (pooling, -0.15, 0.15)):
        guess = (rare_values(table, outcome, card) > 45)[:400]  # half of what a listed firm brings
        reached = guess[member[:400]].mean() - guess[~member[:400]].mean()
        assert least <= reached <= most


@pytest.mark.parametrize("seed", [1, 2])
def test_a_card_made_without_the_people_remembers_none(seed):
    population = people(N, seed=seed)
    rng = np.random.default_rng(seed)

    def train(_past):
        points = tuple(int(p) for p in rng.integers(-50, 50, 3))
        return Card((Characteristic("income", points, edges=(0.0,)),), base=500)

    row = measured(population, run_with(population, view_of(population, {"x": np.zeros(N)}), train=train))
    assert row.low <= 0 <= row.high


@pytest.mark.parametrize("attack", range(5))
def test_every_shadow_attack_alone_finds_a_planted_member_and_no_other(attack):
    rng = np.random.default_rng(3)
    inside = rng.random((64, N)) < 0.5
    hardness = 2.0 * rng.normal(size=N)  # how sure any model is of a person, member or not
    member = rng.random(N) < 0.5

    def told(who, gain):
        return hardness + gain * who + 0.3 * rng.normal(size=who.shape)

    for gain, least, most in ((3.0, 0.9, 1.0), (0.0, -0.1, 0.1)):
        name, level = likelihood_ratios(told(member, gain), told(inside, gain), inside)[attack]
        best = most_suspicious([(name, level)], member, np.arange(N) % 2 == 0)
        guess = (level > best.threshold)[1::2]
        reached = guess[member[1::2]].mean() - guess[~member[1::2]].mean()
        assert least <= reached <= most, name


def test_a_private_release_carries_its_bound():
    population = people(N)
    view = view_of(population, {"x": np.zeros(N)})
    row = measured(population, run_with(population, view, epsilon=1.0, delta=1e-5))
    assert row.bound == pytest.approx(dp_bound(1.0, 1e-5))
    assert row.advantage <= row.bound
    assert "no shadow cards" in row.attack
    known = measured(population, run_with(population, view, epsilon=1.0, delta=1e-5, distance=0.11))
    assert known.bound == 0.11
    assert "0.110 apart" in known.reason
    assert dp_bound(1.0, 1e-5, distance=0.9) == dp_bound(1.0, 1e-5)  # the smaller of both


def test_who_does_not_hold_the_card_has_nothing_to_attack():
    population = people(N)
    view = view_of(population, {"x": np.zeros(N)})
    run = run_with(population, view, view_of(population, {"y": np.zeros(N)}))
    (row,) = rows_of(Remember(), truth_of(population, run, roles=("source",)))
    assert (row.kind, row.advantage) == (ABSENT, 0.0)
    assert CARD.fingerprint == run.card.fingerprint


SIGNALS = ("loss", "loss among the same outcome", "confidence", "modified entropy")


def asked(seed, gain):
    """Return who is a member, outcomes, and what a model says that is surer of the outcomes of members by ``gain``."""
    rng = np.random.default_rng(seed)
    population = people(N, seed=seed)
    outcome, member = population.default, population.history
    return population, outcome, member, rng.normal(1.0, 0.5, N) + gain * member


@pytest.mark.parametrize("signal", SIGNALS)
def test_each_signal_alone_finds_members_of_whom_a_model_is_surer(signal):
    for gain, least, most in ((4.0, 0.9, 1.0), (0.0, -0.15, 0.15)):
        population, outcome, member, confidence = asked(1, gain)
        level = dict(black_box(confidence, outcome, population.features, CARD))[signal]
        best = most_suspicious([(signal, level)], member, np.arange(N) % 2 == 0)
        guess = (level > best.threshold)[1::2]
        reached = guess[member[1::2]].mean() - guess[~member[1::2]].mean()
        assert least <= reached <= most


def test_neighbours_are_less_likely_where_the_model_is_sure_of_this_very_record():
    population, outcome, _, _ = asked(2, 0.0)
    card = Card((Characteristic("income", (0, 400, 0), edges=(1.5,)),), base=500)  # few have the bin of the members
    good = (card.totals(card.bins(population.features)) - card.scale.offset) / card.scale.factor
    confidence = np.where(outcome, -good, good)
    level = dict(black_box(confidence, outcome, population.features, card))["neighbours"]
    rare = population.features["income"].to_numpy() > 1.5
    assert level[rare & ~outcome].min() > level[~rare & ~outcome].max()
    assert level[rare & outcome].max() < level[~rare & outcome].min()


def test_signals_together_find_what_none_tells_alone_and_nothing_where_there_is_nothing():
    rng = np.random.default_rng(4)
    n = 1500
    population = people(n)
    member, outcome, auxiliary = population.history, population.default, np.arange(n) % 5 == 0
    labels = Labels(np.where(auxiliary, member, UNKNOWN).astype(np.int64), 2)
    for hint, least, most in ((member, 0.8, 1.0), (rng.random(n) < 0.5, -0.12, 0.12)):
        side = rng.integers(0, 2, n)
        pair = [("one", side + 0.2 * rng.normal(size=n)), ("two", (side ^ hint) + 0.2 * rng.normal(size=n))]
        level = together(pair, outcome, labels, auxiliary, 1)
        best = most_suspicious([("together", level)], labels.code == 1, auxiliary)
        guess = (level > best.threshold)[~auxiliary]
        reached = guess[member[~auxiliary]].mean() - guess[~member[~auxiliary]].mean()
        assert least <= reached <= most
