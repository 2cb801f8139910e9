"""The design ``encrypted``: real runs agree, and the views hold what it claims and no more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from blindscore.designs.design import CONSTANT_SIZES, NO_CONDUCT, SCORE_ONLY, SOURCE_BLIND, Design
from blindscore.errors import ParameterError
from blindscore.parties.observe import ObservationError
from blindscore.parties.store import MemoryStore
from blindscore.people.population import Feature, Population, Schema
from blindscore.scorecard.scorecard import Scorecard
from blindscore_crypto.designs.encrypted import Encrypted, blind_views, cast
from blindscore_crypto.designs.executed import execute, fit, records_of


def make_people(n: int = 400, seed: int = 0) -> Population:
    rng = np.random.default_rng(seed)
    income, debt, posts = rng.normal(30, 8, n), rng.normal(10, 4, n), rng.poisson(5, n).astype(float)
    income[rng.random(n) < 0.1] = np.nan
    risk = 1 / (1 + np.exp(0.15 * (np.nan_to_num(income, nan=28) - 20) - 0.3 * (debt - 6)))
    schema = Schema(
        (
            Feature("income", "bank"),
            Feature("debt", "bank"),
            Feature("posts", "social network", "posts"),
        ),
        sensitive=("faith",),
        register=("region",),
    )
    return Population(
        features=pd.DataFrame({"income": income, "debt": debt, "posts": posts}),
        schema=schema,
        default=rng.random(n) < risk,
        sensitive=pd.DataFrame({"faith": rng.integers(0, 2, n)}),
        register=pd.DataFrame({"legal_id": [f"id-{i}" for i in range(n)], "region": rng.integers(0, 5, n)}),
        history=np.arange(n) % 2 == 0,
        name="test people",
    )


@pytest.fixture(scope="module")
def people():
    return make_people()


@pytest.fixture(scope="module")
def run(people):
    return Encrypted(sample=16).run(people, Scorecard(), np.random.default_rng(7))


def test_every_real_run_agrees_with_the_clear_score(run):
    assert run.real_runs == run.real_agree == 16


def test_scores_and_decisions_are_those_of_the_card(people, run):
    clear = run.card.scores(run.card.bins(people.features))
    assert (run.scores == clear).all()
    assert (run.decisions == (clear >= run.threshold)).all()


def test_it_fulfils_the_contract(run):
    design = Encrypted()
    assert isinstance(design, Design)
    assert design.enforces == {SCORE_ONLY, NO_CONDUCT, SOURCE_BLIND, CONSTANT_SIZES}
    assert run.audit_share == 0.0  # a secret card can be bent, and nobody can prove it
    assert run.party_of("scorer") == run.party_of("lender")
    assert run.costs.bytes_up > 0 < run.costs.bytes_down
    assert set(run.costs.us_per_person) == {"wallet", "source", "lender"}
    assert min(run.costs.us_per_person.values()) > 0
    assert run.parameters["flooding_bits"] >= 40 <= run.parameters["mac_soundness_bits"]


def test_the_lender_reads_the_score_and_nothing_else(run):
    view = run.views["lender"]
    assert view.values == ["total"]
    assert (np.clip(view.clear["total"], 350, 950) == run.scores).all()
    assert view.keyed_by == "pairwise"
    assert view.clear["total"].nunique() <= view.universe


def test_people_with_equal_scores_are_equal_to_the_lender(people, run):
    """Change applicants' figures within their bins: the lender's view stays the same, value for value."""
    moved = people.features.copy()
    bins = run.card.bins(people.features)
    for j, c in enumerate(run.card.characteristics):
        for b in np.unique(bins[:, j]):
            same = np.flatnonzero((bins[:, j] == b) & ~people.history)
            if not same.size:
                continue
            moved.iloc[same, moved.columns.get_loc(c.feature)] = moved[c.feature].to_numpy()[same[0]]
    again = Encrypted(sample=2).run(replace(people, features=moved), Scorecard(), np.random.default_rng(7))
    assert not moved.equals(people.features)
    assert again.card == run.card
    pd.testing.assert_frame_equal(again.views["lender"].clear[["total"]], run.views["lender"].clear[["total"]])


def test_conduct_moves_nothing(people, run):
    other = people.features.assign(posts=people.features["posts"].to_numpy()[::-1])
    again = Encrypted(sample=2).run(replace(people, features=other), Scorecard(), np.random.default_rng(7))
    assert (again.scores == run.scores).all()
    assert "posts" not in run.card.features


def test_messages_have_one_size(run):
    wire = run.views["lender"].messages
    assert wire["bytes_up"].nunique() == wire["bytes_down"].nunique() == 1
    assert (wire["bytes_up"].iloc[0], wire["bytes_down"].iloc[0]) == (run.costs.bytes_up, run.costs.bytes_down)


def test_the_source_keeps_only_what_it_had(people, run):
    clear = run.views["source"].clear
    assert set(clear.columns) == {"legal_id", "region", "income", "debt", "attestation"}
    assert run.views["source"].keyed_by == "legal id"


def test_what_the_source_signed_lies_at_the_lender_too_and_both_views_say_so(run):
    lender, source = run.views["lender"], run.views["source"]
    assert lender.of("handle") == ["attestation"]
    assert (lender.clear["attestation"] == source.clear["attestation"]).all()
    assert lender.basis == source.basis == "observed"


def lying(people, run, change):
    """Play the very same parties under views of which one says less."""
    fitted = fit(people, Scorecard(), 0.75)
    chosen = np.arange(4)
    records = records_of(people, fitted.card.features, chosen)
    views = blind_views(people, fitted, np.random.default_rng(0))
    played = cast(fitted.card, fitted.threshold, records, lambda name: MemoryStore())
    return execute(played, people, chosen, change(views), fitted.decisions)


def without(view, column):
    kept, columns = view.only([c for c in view.clear.columns if c != column])
    return replace(view, clear=kept, columns=columns)


def test_views_that_say_less_than_was_observed_are_refused(people, run):
    assert lying(people, run, lambda views: views).real_agree == 4
    for change, message in (
        (lambda v: v | {"lender": without(v["lender"], "attestation")}, "common string of 4 of 4 people"),
        (lambda v: v | {"lender": without(v["lender"], "total")}, "lender: it wrote down total"),
        (lambda v: v | {"source": without(v["source"], "debt")}, "source: it wrote down debt"),
        (lambda v: v | {"source": replace(v["source"], keyed_by="one-time")}, "its lines show people by legal id"),
        (lambda v: {"lender": v["lender"]}, "source: took part, and the design declares no view"),
    ):
        with pytest.raises(ObservationError, match=message):
            lying(people, run, change)


def test_a_sample_of_nobody_is_refused():
    with pytest.raises(ParameterError, match="sample must be at least 1, got 0"):
        Encrypted(sample=0)
