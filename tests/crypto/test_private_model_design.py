"""The design ``private-model``: what it claims, what each party sees, and that strangers are not read in training."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from blindscore.designs.design import Design
from blindscore.designs.plain import financial
from blindscore.errors import DataError, ParameterError
from blindscore.people.population import Feature, Population, Schema
from blindscore.scorecard.quality import auc
from blindscore.scorecard.scorecard import Scorecard
from blindscore.surveillance.attacks.remember import Remember
from blindscore.surveillance.capability import rows_of
from blindscore.surveillance.coalitions import Coalition
from blindscore.surveillance.inference.bound import dp_bound
from blindscore.surveillance.truth import Truth
from blindscore_crypto.designs.private_model import PrivateModel, audited, public_domains
from blindscore_crypto.private_model.accounting import distance_within
from blindscore_crypto.private_model.domains import Category, Number


@pytest.fixture(scope="module")
def society():
    """3,000 people with four financial features, one of them a category, and one from browsing."""
    rng = np.random.default_rng(3)
    trouble = rng.normal(size=(n := 3000))
    features = pd.DataFrame(
        {
            "income": np.exp(8 - 0.5 * trouble + 0.5 * rng.normal(size=n)),
            "late": rng.poisson(np.exp(0.8 * trouble - 0.5)).astype(float),
            "age": rng.uniform(18, 90, n),
            "home": np.where(rng.random(n) < 0.4, "rent", "own"),
            "pages": rng.poisson(30, n).astype(float),
        }
    )
    context = dict.fromkeys(features, "financial") | {"pages": "browsing"}
    kinds = dict.fromkeys(features, "number") | {"home": "category"}
    schema = Schema(tuple(Feature(name, "bank", context[name], kind=kinds[name]) for name in features))
    return Population(
        features=features,
        schema=schema,
        default=rng.random(n) < 1 / (1 + np.exp(1.5 - 1.5 * trouble)),
        sensitive=pd.DataFrame({"politics": rng.integers(0, 2, n)}),
        register=pd.DataFrame({"legal_id": np.arange(n)}),
        history=np.arange(n) % 2 == 0,
    )


@pytest.fixture(scope="module")
def run(society):
    return PrivateModel(epsilon=2.0).run(society, Scorecard(max_bins=6), np.random.default_rng(0))


def test_it_is_a_design():
    assert isinstance(PrivateModel(), Design)


def test_the_run_states_its_guarantee_and_no_real_runs(run):
    assert (run.epsilon, run.delta) == (2.0, 1e-5)
    assert run.parameters["epsilon_spent"] <= 2.0
    assert run.real_runs == run.real_agree == 0
    assert "applicant" in PrivateModel().summary


def test_decisions_follow_the_card_and_the_threshold(run, society):
    features = financial(society)
    again = run.card.scores(run.card.bins(society.features[features]))
    np.testing.assert_array_equal(run.scores, again)
    np.testing.assert_array_equal(run.decisions, run.scores >= run.threshold)
    assert 0.7 < run.decisions[~society.history].mean() < 0.95
    apart = ~society.history
    assert auc(society.default[apart], run.scores[apart]) > 0.55


def test_the_lender_reads_the_applicant_in_clear(run, society):
    lender = run.views["lender"]
    assert run.party_of("scorer") == run.party_of("lender")
    assert lender.keyed_by == "pairwise"
    assert list(lender.clear.columns) == [*financial(society), "score"]
    assert run.views["source"].keyed_by == "legal id"


def test_nothing_outside_finance_enters_the_score(run, society):
    assert set(run.card.features) <= set(financial(society))


def test_a_category_that_only_past_customers_have_reaches_no_card(society):
    names = society.features["home"].where(np.arange(len(society)) != 0, "castle")
    spoilt = replace(society, features=society.features.assign(home=names))
    run = PrivateModel(epsilon=2.0).run(spoilt, Scorecard(), np.random.default_rng(0))
    home = next(c for c in run.card.characteristics if c.feature == "home")
    assert home.groups == (("own",), ("rent",))


def test_threshold_and_categories_come_from_strangers_alone(society):
    """Domains are the same whoever the past customers are."""
    strangers = society.features.loc[~society.history, financial(society)]
    domains = dict(public_domains(strangers).features)
    assert domains["home"] == Category((("own",), ("rent",)))
    assert all(domain == Number() for name, domain in domains.items() if name != "home")


def test_people_outside_history_are_needed(society):
    everybody = replace(society, history=np.ones(len(society), bool))
    with pytest.raises(DataError, match="outside history"):
        PrivateModel().run(everybody, Scorecard(), np.random.default_rng(0))


def test_a_budget_out_of_range_is_refused(society):
    with pytest.raises(ParameterError, match="epsilon"):
        PrivateModel(epsilon=0).run(society, Scorecard(), np.random.default_rng(0))


def test_an_attacker_can_rehearse_the_training(run, society):
    """The hook trains on the people named, with the same bins to choose from; the noise is fresh each time."""
    cards = [run.train(society.history), run.train(society.history), run.train(~society.history)]
    assert len({card.fingerprint for card in (*cards, run.card)}) == 4
    assert all(card.features == run.card.features for card in cards)


def test_noise_repeats_with_the_seed_for_made_up_people_and_never_for_real_ones(society):
    def cards(population, seed):
        run = PrivateModel().run(population, Scorecard(max_bins=6), np.random.default_rng(seed))
        return run.card.fingerprint, run.train(population.history).fingerprint

    made_up = replace(society, synthetic=True)
    assert cards(made_up, 1) == cards(made_up, 1)
    assert cards(made_up, 1) != cards(made_up, 2)
    released, rehearsed = cards(made_up, 1)
    assert released != rehearsed  # the attacker does not get the release's own noise
    assert not society.synthetic
    assert not set(cards(society, 1)) & set(cards(society, 1))


def test_the_audit_reaches_the_row_that_it_is_about(society):
    """The canary audit stands in the reason of ``remember``, within the bound, the same every time."""
    found = audited(2.0, 1e-5)
    advantage = float(found.split("advantage ")[1].split()[0])
    bound = distance_within(2.0, 1e-5)
    assert 0.1 < advantage < bound + 0.05 < dp_bound(2.0, 1e-5)
    run = PrivateModel(epsilon=2.0).run(society, Scorecard(max_bins=6), np.random.default_rng(0))
    truth = Truth(
        population=society,
        design="private-model",
        enforces=PrivateModel().enforces,
        run=run,
        coalition=Coalition("scorer", ("scorer",)),
        auxiliary=np.arange(len(society)) % 3 == 0,
        seed=1,
    )
    (row,) = rows_of(Remember(shadows=8), truth)
    assert row.reason.endswith(found)
    assert row.bound == bound
