"""A card made to tell a secret tells it, within what its view can carry; an audit of a public card finds it."""

from __future__ import annotations

import math
import re

import numpy as np
import pandas as pd
import pytest

from blindscore.designs.design import PUBLIC_CARD
from blindscore.designs.plain import financial, score_in_clear
from blindscore.people.population import Feature, Schema
from blindscore.people.society import make_society
from blindscore.scorecard.card import Card, Characteristic
from blindscore.scorecard.scorecard import Scorecard
from blindscore.surveillance.attacks.choose import Choose, places, telling
from blindscore.surveillance.capability import rows_of
from blindscore.surveillance.inference.bound import identification_bound
from blindscore.surveillance.ledger import ABSENT, WITH_PUBLIC_CARD, WITH_SECRET_CARD
from blindscore.surveillance.planted import people, run_with, truth_of, view_of
from blindscore.surveillance.truth import auxiliary_people

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


@pytest.fixture(scope="module")
def many():
    """20,000 people of the society, the card that a bank would fit, its bins, and whom the attacker knows."""
    society = make_society(people=20_000, seed=1)
    scored = score_in_clear(society, Scorecard(method="woe"), financial(society), 0.75)
    return society, scored, scored.card.bins(society.features), auxiliary_people(society, 1)


@pytest.mark.parametrize(("secret", "least"), [("illness", 0.12), ("pregnant", 0.08)])
def test_one_bit_of_an_unfair_public_card_tells_of_illness_and_pregnancy(many, secret, least):
    """Where .005 and .015 were printed such a card reached .211 and .270 (of a society with twice the pregnant)."""
    society, scored, bins, known = many
    carries = society.sensitive[secret].to_numpy() == 1
    made = telling(scored.card, bins[known], carries[known].astype(np.int64), one_bit=True)
    bit = made.points[np.arange(bins.shape[1]), bins].sum(axis=1) >= made.cut
    honest = scored.scores >= scored.threshold

    def told(given):
        return abs(given[~known & carries].mean() - given[~known & ~carries].mean())

    assert told(bit) > least
    assert told(honest) < least / 2


def test_positional_points_name_far_more_than_the_totals_of_the_honest_card(many):
    """Where .018 was printed for a card that nobody can read, one with a place for each bin names .459 or more."""
    _, scored, bins, known = many
    points = places(scored.card, 65_537)
    spelt = points.any(axis=1)
    totals = points[np.arange(bins.shape[1]), bins].sum(axis=1)
    assert spelt.sum() >= 5
    assert len(np.unique(totals)) == len(np.unique(bins[:, spelt], axis=0))  # the total is the bins
    targets = int((~known).sum())
    values = math.prod(n for n, told in zip(scored.card.n_bins, spelt, strict=True) if told)
    honest = int(np.ptp(scored.card.totals(bins))) + 1
    assert identification_bound(values, targets) > 0.459
    assert identification_bound(honest, targets) < 0.1
