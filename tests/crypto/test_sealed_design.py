"""The designs `sealed` and `one-show`: real runs equal the clear decision, and each claim that they make holds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from blindscore.designs.design import (
    CONSTANT_SIZES,
    NO_CONDUCT,
    ONE_BIT,
    PUBLIC_CARD,
    SOURCE_BLIND,
    UNLINKABLE,
    VERIFIED_SCORE,
    Design,
    Run,
)
from blindscore.errors import ParameterError
from blindscore.parties.cast import play
from blindscore.parties.message import Message
from blindscore.parties.observe import ObservationError
from blindscore.parties.store import Field, MemoryStore, TableSpec
from blindscore.people.population import Feature, Population, Schema
from blindscore.people.society import make_society
from blindscore.scorecard.scorecard import Scorecard
from blindscore_crypto.designs.one_show import OneShow
from blindscore_crypto.designs.sealed import Sealed
from blindscore_crypto.sealed.offer import Decision, Verdict
from blindscore_crypto.sealed.parties.cast import source_name
from blindscore_crypto.sealed.parties.lender import Lender
from blindscore_crypto.sealed.parties.wallet import Wallet


def people(n: int = 600, seed: int = 5) -> Population:
    rng = np.random.default_rng(seed)
    x = pd.DataFrame({f"x{j}": rng.normal(size=n) for j in range(5)})
    x["posts"] = rng.poisson(3, n).astype(float)
    x.loc[rng.random(n) < 0.1, "x1"] = np.nan
    risk = -x["x0"] - 0.7 * x["x1"].fillna(0) + 0.5 * x["x2"] + 0.1 * x["posts"] + rng.normal(size=n)
    return Population(
        features=x,
        schema=Schema(
            (
                *(Feature(f"x{j}", "bank" if j < 3 else "bureau") for j in range(5)),
                Feature("posts", "social network", context="posts"),
            )
        ),
        default=(risk > 1.0).to_numpy(bool),
        sensitive=pd.DataFrame({"party": rng.integers(0, 2, n)}),
        register=pd.DataFrame({"legal_id": [f"id{i}" for i in range(n)], "region": rng.integers(0, 4, n)}),
        history=np.arange(n) < n // 2,
        name="test people",
    )


@pytest.fixture(scope="module")
def population() -> Population:
    return people()


@pytest.fixture(scope="module")
def run(population) -> Run:
    return Sealed(sample=12).run(population, Scorecard(), np.random.default_rng(0))


def test_it_is_a_design_with_the_claims_it_makes():
    design = Sealed()
    assert isinstance(design, Design)
    assert (design.name, design.order) == ("sealed", 80)
    assert design.enforces == {CONSTANT_SIZES, ONE_BIT, PUBLIC_CARD, VERIFIED_SCORE, NO_CONDUCT, SOURCE_BLIND}


def test_every_real_run_agrees_with_the_clear_score(run):
    assert run.real_runs == run.real_agree == 12


def test_the_lender_reads_one_bit_and_holds_one_handle(run, population):
    lender = run.views["lender"]
    assert run.party_of("scorer") == run.party_of("lender")
    assert list(lender.clear.columns) == ["approved", "attestation"]
    assert (lender.of("handle"), lender.universe, lender.keyed_by) == (["attestation"], 2, "one-time")
    np.testing.assert_array_equal(lender.clear["approved"], run.decisions)
    assert set(lender.clear["approved"]) == {0, 1}
    np.testing.assert_array_equal(run.decisions, run.scores >= run.threshold)
    assert len(lender.clear) == len(population)


def test_lender_and_source_find_a_shown_attestation_again_but_not_a_refused_one(run):
    lender, source = run.views["lender"].clear, run.views["source"].clear
    assert "attestation" in run.views["source"].of("handle")
    shown = lender["attestation"] >= 0
    np.testing.assert_array_equal(shown, run.decisions)
    np.testing.assert_array_equal(lender.loc[shown, "attestation"], source.loc[shown, "attestation"])
    assert source["attestation"].is_unique


def test_the_source_sees_neither_decision_nor_score_nor_conduct(run):
    """SOURCE_BLIND and NO_CONDUCT: its own ledger, and what it signed."""
    assert set(run.views["source"].clear.columns) == {
        *("legal_id", "region", "attestation"),
        *(f"x{j}" for j in range(5)),
    }


def test_conduct_changes_nothing_at_all(population, run):
    """NO_CONDUCT: other posts, same scores and the same bytes for everybody to read."""
    posts = population.features.assign(posts=population.features["posts"].to_numpy()[::-1] * 7.0)
    other = Sealed(sample=1).run(replace(population, features=posts), Scorecard(), np.random.default_rng(0))
    np.testing.assert_array_equal(other.scores, run.scores)
    np.testing.assert_array_equal(other.decisions, run.decisions)
    assert other.card.fingerprint == run.card.fingerprint
    assert "posts" not in run.card.features


def test_sizes_on_the_wire_are_the_same_for_all(run):
    messages = run.views["lender"].messages
    assert messages["bytes_up"].nunique() == messages["bytes_down"].nunique() == 1
    assert run.costs.bytes_up == messages["bytes_up"].iloc[0]
    assert set(run.costs.us_per_person) == {"source", "wallet", "lender", "log"}
    assert all(us > 0 for us in run.costs.us_per_person.values())
    assert set(run.costs.lines) == {
        *("wallet > lender", "lender > wallet", "wallet > source", "source > wallet", "wallet > log", "log > wallet")
    }


@pytest.mark.parametrize("name", ["run", "one_show_run"])
def test_every_party_has_a_view_that_was_held_to_what_it_had(name, request):
    views = request.getfixturevalue(name).views
    assert set(views) == {"scorer", "lender", "source", "log", "witness"}
    assert {view.basis for view in views.values()} == {"observed"}
    assert len(views["log"].columns) == len(views["witness"].columns) == 0


@pytest.mark.parametrize("design", [Sealed, OneShow])
def test_a_lender_that_keeps_more_than_its_view_says_is_found(design, population, monkeypatch):
    """The control: the same run with a lender that writes down when each person came."""
    real = Lender.handle
    lines = TableSpec("lines", Field("line", "own"), (Field("hour", "time"),))

    def nosy(self, message):
        self.store.declare(lines)
        self.store.put("lines", message.sender.encode(), {"hour": 9})
        return real(self, message)

    monkeypatch.setattr(Lender, "handle", nosy)
    with pytest.raises(ObservationError, match="lender: it wrote down hour"):
        design(sample=3).run(population, Scorecard(), np.random.default_rng(0))


def test_a_string_that_lender_and_source_share_is_found(population, monkeypatch):
    """The control of UNLINKABLE: a wallet that shows the lender what it showed its bank."""
    real, shown = Wallet.handle, {}

    def careless(self, message):
        sent = real(self, message)
        for one in sent:
            if one.kind == "request":
                shown[self.name] = one.body
        return sent + [Message("lender", "noise", shown[self.name]) for m in sent if m.kind == "commit"]

    monkeypatch.setattr(Wallet, "handle", careless)
    with pytest.raises(ObservationError, match="lender and source hold a common string of 3"):
        OneShow(sample=3).run(population, Scorecard(), np.random.default_rng(0))


def test_a_sample_is_needed_and_never_larger_than_the_people(population):
    with pytest.raises(ParameterError, match="sample"):
        Sealed(sample=0)
    few = people(40)
    assert Sealed(sample=64, group="ristretto255").run(few, Scorecard(), np.random.default_rng(0)).real_runs == 40


@pytest.mark.parametrize("design", [Sealed, OneShow])
def test_a_lender_that_decides_otherwise_is_proved_bent(design, population, monkeypatch):
    """VERIFIED_SCORE: an approval turned into a refusal leaves papers that convict; the row says that it disagreed."""
    real = Decision.make

    def bent(key, answer, verdict, other=bytes(32)):
        return real(key, answer, Verdict.REFUSED if verdict == Verdict.APPROVED else verdict, other)

    monkeypatch.setattr(Decision, "make", staticmethod(bent))
    run = design(sample=8).run(population, Scorecard(), np.random.default_rng(0))
    assert 0 <= run.real_agree < run.real_runs == 8
    cast = design().cast(run.card, run.threshold, population, lambda _: MemoryStore())
    approved, refused = (int(np.flatnonzero(run.decisions == d)[0]) for d in (True, False))
    _, endings = play(cast, {i: f"id{i}" for i in (approved, refused)})
    assert (endings[approved].bent, endings[approved].decision) == (True, False)
    assert (endings[refused].bent, endings[refused].decision) == (False, False)


# one-show


@pytest.fixture(scope="module")
def one_show_run(population) -> Run:
    return OneShow(sample=12).run(population, Scorecard(), np.random.default_rng(0))


def test_one_show_is_a_design_that_claims_unlinkability_too():
    assert isinstance(OneShow(), Design)
    assert (OneShow().name, OneShow().order) == ("one-show", 90)
    assert OneShow().enforces == Sealed().enforces | {UNLINKABLE}
    with pytest.raises(ParameterError, match="sample"):
        OneShow(sample=0)


def test_one_show_decides_as_sealed_does(one_show_run, run):
    assert one_show_run.real_runs == one_show_run.real_agree == 12
    np.testing.assert_array_equal(one_show_run.decisions, run.decisions)
    np.testing.assert_array_equal(one_show_run.scores, run.scores)
    assert one_show_run.card.fingerprint == run.card.fingerprint


def test_one_show_leaves_lender_and_source_no_common_key(one_show_run):
    """UNLINKABLE; that no bytes recur either is measured in test_sealed_one_show.py."""
    lender, source = one_show_run.views["lender"], one_show_run.views["source"]
    assert list(lender.clear.columns) == ["approved"]
    assert not set(lender.of("handle")) & set(source.of("handle"))
    assert not set(lender.clear.columns) & set(source.clear.columns)
    assert lender.universe == 2
    assert one_show_run.party_of("scorer") == one_show_run.party_of("lender")
    assert lender.messages["bytes_up"].nunique() == 1


@pytest.mark.parametrize("design", [Sealed, OneShow])
def test_designs_run_on_either_group_and_no_third(design, population):
    pytest.importorskip("rbcl")
    fast = design(sample=4, group="ristretto255").run(population, Scorecard(), np.random.default_rng(0))
    assert fast.real_runs == fast.real_agree == 4
    assert fast.parameters["group"] == "ristretto255"
    with pytest.raises(ParameterError, match="no group"):
        design(sample=1, group="P-192").run(population, Scorecard(), np.random.default_rng(0))


def test_a_source_that_is_called_like_another_party_keeps_a_name_of_its_own():
    assert source_name("lender") == "lender (source)"
    assert source_name("witness 0") == "witness 0 (source)"
    assert source_name("bank") == "bank"
    society = make_society(400, seed=5)
    schema = replace(society.schema, features=tuple(replace(f, source="lender") for f in society.schema.features))
    run = Sealed(sample=2).run(replace(society, schema=schema), Scorecard(), np.random.default_rng(1))
    assert run.real_agree == run.real_runs == 2
