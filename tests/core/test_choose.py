"""A card made to tell a secret tells it, within what its view can carry; an audit of a public card finds it."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from blindscore.designs.design import PUBLIC_CARD
from blindscore.people.population import Feature, Schema
from blindscore.scorecard.card import Card, Characteristic
from blindscore.surveillance.attacks.choose import Choose, places
from blindscore.surveillance.capability import rows_of
from blindscore.surveillance.ledger import ABSENT, WITH_PUBLIC_CARD, WITH_SECRET_CARD
from tests.core.planted import people, run_with, truth_of, view_of

N = 3000
# The honest card pays no heed to "age", in which the secret lies; its bins are there all the same.
HONEST = Card(
    (
        Characteristic("income", (0, 60, 100, 0), edges=(-0.5, 0.5)),
        Characteristic("age", (1, 0, 1, 0), edges=(-0.5, 0.5)),
    ),
    base=500,
)


def society():
    rng = np.random.default_rng(1)
    features = pd.DataFrame({"income": rng.normal(size=N), "age": rng.normal(size=N)})
    ill = (features["age"] + rng.normal(size=N) > 0.5).astype(int)
    schema = Schema((Feature("income", "bank"), Feature("age", "bank")), sensitive=("illness",))
    return people(N, features=features, schema=schema, sensitive=pd.DataFrame({"illness": ill}))


def chosen(columns, secret="illness", enforces=(), roles=("scorer",), parameters=None, **more):
    population = society()
    scores = HONEST.scores(HONEST.bins(population.features))
    if columns == "decision":
        view = view_of(population, {"approved": (scores >= 560).astype(np.int8)}, universe=2)
    else:
        view = view_of(population, {"score": scores}, "pairwise", universe=102)
    run = run_with(
        population, view, card=HONEST, scores=scores, decisions=scores >= 560, threshold=560,
        parameters=parameters or {}, **more,
    )  # fmt: skip
    truth = truth_of(population, run, roles, enforces=frozenset(enforces))
    return rows_of(Choose(), truth, [secret])[0]


def test_one_bit_of_a_card_made_for_it_tells_what_the_honest_bit_does_not():
    row = chosen("decision", enforces={PUBLIC_CARD})
    assert abs(row.control) < 0.1
    assert row.low > 0.3
    assert (row.bound, row.adversary) == (None, WITH_PUBLIC_CARD)


def test_an_audit_of_the_published_card_finds_the_gap_and_none_in_the_honest_one():
    row = chosen("decision", enforces={PUBLIC_CARD})
    unfair, fair = (float(gap) for gap in re.findall(r"a gap of ([0-9.]+)", row.reason))
    assert unfair > 0.3
    assert fair < unfair / 2  # 600 people: a spread of .04
    assert "audit" not in chosen("decision").reason  # of a card that nobody can read


def test_points_with_a_place_for_each_bin_spell_the_bins_out():
    points = places(HONEST, 16)
    bins = np.array([(a, b) for a in range(4) for b in range(4)])
    assert len(np.unique(points[np.arange(2), bins].sum(axis=1))) == 16
    assert (places(HONEST, 15)[1] == 0).all()


def test_a_secret_card_names_up_to_as_many_people_as_it_has_totals():
    row = chosen("score", "name", parameters={"totals_at_most": 65537})
    assert row.adversary == WITH_SECRET_CARD
    n = round(0.8 * N)
    assert row.bound == pytest.approx((16 / n - 1 / n) / (1 - 1 / n))
    assert row.advantage <= row.bound
    told = chosen("score", parameters={"totals_at_most": 65537})
    assert told.low > 0.3


def test_who_makes_no_card_chooses_none_and_who_reads_the_figures_need_not():
    row = chosen("decision", roles=("observer",))
    assert (row.kind, row.bound) == (ABSENT, 0.0)
    assert chosen("decision", "name").bound is None
