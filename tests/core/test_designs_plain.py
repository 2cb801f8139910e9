"""What plain designs share, and what each adds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from blindscore.designs.integrated import Integrated
from blindscore.designs.minimal import Minimal, fewest_features
from blindscore.designs.plain import (
    bank_view,
    choose_threshold,
    everyone,
    financial,
    fit_card,
    messages,
    own_records,
)
from blindscore.designs.registry import load_designs
from blindscore.errors import DataError, ParameterError
from blindscore.people.population import Feature, Schema
from blindscore.people.society import make_society
from blindscore.scorecard.scorecard import Scorecard
from blindscore.surveillance.planted import people


@pytest.fixture(scope="module")
def society():
    return make_society(1500, seed=2)


def test_the_threshold_approves_about_the_share_asked_for():
    scores = np.random.default_rng(0).integers(400, 800, 10_000)
    threshold = choose_threshold(scores, approve=0.75)
    assert threshold % 5 == 0
    assert (scores >= threshold).mean() == pytest.approx(0.75, abs=0.02)


def test_the_threshold_stays_where_clipping_cannot_change_a_decision():
    assert choose_threshold(np.full(10, 350)) == 351
    assert choose_threshold(np.full(10, 950)) == 950


@pytest.mark.parametrize("approve", [0.0, 1.0, -1.0, float("nan")])
def test_a_share_outside_zero_and_one_is_refused(approve):
    with pytest.raises(ParameterError, match="approve"):
        choose_threshold(np.arange(400, 500), approve)


def test_cards_learn_from_past_customers_only(society):
    features = financial(society)
    card = fit_card(society, Scorecard(), features).card_
    default = society.default.copy()
    default[~society.history] = ~default[~society.history]
    changed = people(
        len(society),
        features=society.features,
        schema=society.schema,
        default=default,
        sensitive=society.sensitive,
        register=society.register,
        history=society.history,
    )
    assert fit_card(changed, Scorecard(), features).card_ == card


def test_a_category_that_no_past_customer_has_is_scored_all_the_same():
    n = 400
    rng = np.random.default_rng(3)
    purpose = rng.choice(["car", "house"], n).astype(object)
    history = np.arange(n) % 2 == 0
    purpose[1] = "boat"  # an applicant's
    population = people(
        n,
        features=pd.DataFrame({"purpose": purpose}),
        schema=Schema((Feature("purpose", "bank", kind="category"),), sensitive=("party",)),
        history=history,
        default=rng.random(n) < np.where(purpose == "car", 0.6, 0.1),
    )
    card = fit_card(population, Scorecard(), ["purpose"]).card_
    scores = card.scores(card.bins(population.features))
    assert scores[purpose == "house"].min() > scores[purpose == "car"].max()
    assert scores.min() <= scores[1] <= scores.max()


def test_a_design_that_may_use_nothing_says_so(society):
    with pytest.raises(DataError, match="no feature"):
        fit_card(society, Scorecard(), [])


def test_records_hold_the_register_once(society):
    records = own_records(society, ["income"])
    assert list(records.columns) == [*society.register.columns, "income"]


def test_the_bank_knows_its_ledger_by_name_and_the_handles_it_signed(society):
    view = bank_view(society, attestation=np.arange(len(society)))
    assert view.keyed_by == "legal id"
    assert view.of("handle") == ["legal_id", "attestation"]
    assert set(financial(society)) < set(view.clear.columns)
    assert not set(society.schema.names(contexts=("posts",))) & set(view.clear.columns)
    np.testing.assert_array_equal(view.person, everyone(society))


def test_messages_have_one_size(society):
    wire = messages(society, up=10, down=20)
    assert set(wire["bytes_up"]) == {10}
    assert set(wire["bytes_down"]) == {20}


def test_minimal_keeps_what_predicts_and_drops_what_does_not():
    rng = np.random.default_rng(1)
    n = 4000
    table = pd.DataFrame({f"x{i}": rng.normal(size=n) for i in range(6)})
    default = rng.random(n) < 1 / (1 + np.exp(2 - 1.5 * table["x2"] - 1.2 * table["x4"]))
    card = Scorecard().fit(table, default.to_numpy()).card_
    features, curve, back = fewest_features(card, table, default.to_numpy(), tolerance=0.01)
    assert features == ["x2", "x4"]
    assert (len(curve), back) == (2, [])
    assert curve[0] < curve[1]
    assert len(fewest_features(card, table, default.to_numpy(), tolerance=0.5)[0]) == 1


def test_minimal_drops_what_later_choices_made_superfluous():
    rng = np.random.default_rng(2)
    n = 4000
    a, b = rng.normal(size=(2, n))
    table = pd.DataFrame({"both": a + b + 0.3 * rng.normal(size=n), "a": a, "b": b})
    default = (rng.random(n) < 1 / (1 + np.exp(1 - 2 * a - 2 * b))).astype(bool)
    card = Scorecard().fit(table, default).card_
    features, curve, back = fewest_features(card, table, default, tolerance=0.001)
    assert features == ["a", "b"]
    assert len(curve) == 3  # forward took "both" first
    assert len(back) == 1  # which backward found superfluous


def test_minimal_reads_fewer_features_than_the_bureau(society):
    run = Minimal().run(society, Scorecard(), np.random.default_rng(0))
    assert 1 <= len(run.views["lender"].clear.columns) - 1 < len(financial(society))
    assert "legal_id" not in run.views["lender"].clear.columns


def test_integrated_takes_points_for_posts_and_for_the_blacklist(society):
    run = Integrated(points_per_post=10, post_penalty_cap=100).run(society, Scorecard(), np.random.default_rng(0))
    free = Integrated(points_per_post=0, blacklist_penalty=0).run(society, Scorecard(), np.random.default_rng(0))
    posts = society.features["post_opposition"].to_numpy()
    lost = free.scores.astype(int) - run.scores
    assert (lost[posts >= 10] > 0).all()
    listed = run.views["scorer"].clear["blacklisted"].to_numpy()
    assert 0 < listed.mean() < 0.05
    assert (lost[(posts == 0) & ~listed] == 0).all()
    assert run.views["state"].digest == run.views["scorer"].digest
    assert run.party_of("state") == run.party_of("scorer") == "operator"


def test_designs_come_in_order_from_most_to_least_watching():
    designs = load_designs()
    assert list(designs)[:2] == ["platform", "integrated"]
    orders = [design.order for design in designs.values()]
    assert orders == sorted(orders)


def test_two_plug_ins_of_one_name_are_refused(monkeypatch):
    class Point:
        name, dist = "again", "some-package"

        def load(self):
            return Minimal

    monkeypatch.setattr("blindscore.designs.registry.entry_points", lambda group: [Point()])
    with pytest.raises(ParameterError, match="minimal"):
        load_designs()


def test_a_plug_in_that_is_no_design_is_refused(monkeypatch):
    class Point:
        name, dist = "odd", "some-package"

        def load(self):
            return dict

    monkeypatch.setattr("blindscore.designs.registry.entry_points", lambda group: [Point()])
    with pytest.raises(ParameterError, match="no Design"):
        load_designs()
