"""``profile`` breaks a view that carries the secret and gets nothing from one that is independent of it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from blindscore.designs.design import ONE_BIT
from blindscore.errors import BlindscoreError
from blindscore.surveillance.attacks.choose import Choose
from blindscore.surveillance.attacks.profile import Profile, infer_trait
from blindscore.surveillance.attacks.steer import Steer
from blindscore.surveillance.capability import rows_of
from blindscore.surveillance.inference import classifiers as attackers
from blindscore.surveillance.inference.evidence import friends_labels, friends_of, places_labels, sightings
from blindscore.surveillance.knowledge import UNKNOWN
from blindscore.surveillance.memo import Memo
from blindscore.surveillance.planted import people, run_with, truth_of, view_of
from blindscore.surveillance.truth import classes_of

N = 1500


def measured(population, view):
    (row,) = rows_of(Profile(), truth_of(population, run_with(population, view)))
    return row


@pytest.mark.parametrize("disguise", [lambda s: s, lambda s: 7.0 - 3.0 * s, lambda s: np.where(s == 1, "x", "y")])
def test_a_column_that_is_the_secret_is_found_in_any_disguise(disguise):
    population = people(N)
    secret = population.sensitive["party"].to_numpy()
    noise = np.random.default_rng(0).normal(size=(3, N))
    row = measured(population, view_of(population, {"a": noise[0], "b": disguise(secret), "c": noise[1]}))
    assert row.low > 0.95
    assert row.bits == pytest.approx(1.0, abs=0.1)


def test_a_secret_hidden_in_the_interplay_of_two_columns_is_found():
    population = people(N)
    secret = population.sensitive["party"].to_numpy()
    coin = np.random.default_rng(1).integers(0, 2, N)
    row = measured(population, view_of(population, {"a": coin + 0.0, "b": (coin ^ secret) + 0.0}))
    assert row.low > 0.95


def leaks():
    """Return views of 1500 people that give a secret away, each in a way that one kind of model is made for."""
    rng = np.random.default_rng(8)
    spot = rng.normal(size=(4, 2))
    at = rng.integers(0, 4, N)
    weak = rng.normal(size=(N, 30))
    rare = rng.integers(0, 20, N)
    common = rng.random(N) < 0.5
    return {
        "nearest neighbours": (at % 2, {f"x{j}": spot[at, j] + 0.01 * rng.normal(size=N) for j in (0, 1)}),
        "logistic": ((weak.sum(axis=1) > 0).astype(int), {f"x{j}": weak[:, j] for j in range(30)}),
        "boosted trees": ((common ^ (weak[:, 0] > 0)).astype(int), {"x": weak[:, 0], "y": common + 0.0}),
        "shallow boosted trees": ((common ^ (weak[:, 1] > 0.5)).astype(int), {"x": weak[:, 1], "y": common + 0.0}),
        "additive boosted trees": ((rare % 2), {"x": [f"town {r}" for r in rare]}),
    }


@pytest.mark.parametrize("model", leaks())
def test_each_kind_of_leak_is_found_and_alone_by_the_model_made_for_it(model, monkeypatch):
    secret, columns = leaks()[model]
    population = people(N, sensitive=pd.DataFrame({"party": secret}))
    assert measured(population, view_of(population, columns)).low > 0.7
    monkeypatch.setattr(attackers, "MODELS", tuple(m for m in attackers.MODELS if m[0] == model))
    monkeypatch.setattr(attackers, "_ANSWERED", Memo())  # the same question, answered by other models
    alone = measured(population, view_of(population, columns))
    assert alone.low > 0.6
    assert alone.attack == model


def test_missingness_that_follows_the_secret_is_found():
    population = people(N)
    column = np.where(population.sensitive["party"] == 1, np.nan, np.random.default_rng(2).normal(size=N))
    assert measured(population, view_of(population, {"a": column})).low > 0.95


def test_friends_who_all_share_the_secret_give_it_away():
    population = people(N)
    secret = population.sensitive["party"].to_numpy()
    rng = np.random.default_rng(4)
    pairs = np.vstack(
        [rng.permutation(np.flatnonzero(secret == s))[:700].reshape(-1, 2) for s in (0, 1) for _ in range(12)]
    )
    friends = np.unique(np.sort(pairs, axis=1), axis=0).astype(np.int32)
    empty = pd.DataFrame(index=range(N))
    assert measured(population, view_of(population, empty, friends=friends)).low > 0.9
    shuffled = rng.permutation(N).astype(np.int32)[friends]
    row = measured(population, view_of(population, empty, friends=np.sort(shuffled, axis=1)))
    assert row.low <= 0 <= row.high


def test_places_that_only_one_class_visits_give_it_away():
    population = people(N)
    secret = population.sensitive["party"].to_numpy()
    visits = pd.DataFrame({"person": np.repeat(np.arange(N), 2), "hour": 9, "place": np.repeat(secret + 5, 2)})
    assert measured(population, view_of(population, pd.DataFrame(index=range(N)), visits=visits)).low > 0.95


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_places_visited_by_chance_give_nothing(seed):
    population = people(N, seed=seed)
    rng = np.random.default_rng(seed)
    visits = pd.DataFrame(
        {"person": np.repeat(np.arange(N), 9), "hour": rng.integers(0, 168, 9 * N), "place": rng.integers(0, 50, 9 * N)}
    )
    row = measured(population, view_of(population, pd.DataFrame(index=range(N)), visits=visits))
    assert row.low <= 0 <= row.high


def test_an_independent_view_gives_nothing():
    rows = []
    for seed in range(20):
        population = people(N, seed=seed)
        noise = np.random.default_rng(seed).normal(size=(5, N))
        rows.append(measured(population, view_of(population, {f"n{i}": noise[i] for i in range(5)})))
    # A 95% interval misses 0 once in 20 by chance; 5 of 20 or more would come about once in 390.
    assert sum(not row.low <= 0 <= row.high for row in rows) < 5
    found = np.array([row.advantage for row in rows])
    assert abs(found.mean()) < 3.0 * found.std(ddof=1) / len(rows) ** 0.5
    assert max(row.bits for row in rows) < 0.01


def test_an_empty_view_gives_nothing():
    population = people(N)
    row = measured(population, view_of(population, pd.DataFrame(index=range(N)), universe=1))
    assert (row.advantage, row.bound) == (0.0, 0.0)
    assert (row.kind, row.removed) == ("absent", False)  # no party without a view earns a mark


def test_many_classes_use_the_same_scale():
    rng = np.random.default_rng(5)
    secret = rng.integers(0, 4, N)
    population = people(N, sensitive=pd.DataFrame({"faith": secret}))
    assert measured(population, view_of(population, {"x": secret + 0.0})).low > 0.95
    row = measured(population, view_of(population, {"x": rng.normal(size=N)}))
    assert row.low <= 0 <= row.high


def test_the_control_knows_the_register_alone():
    population = people(N)
    told = population.register.assign(street=population.sensitive["party"].astype(str))
    population = people(N, register=told)
    row = measured(population, view_of(population, {"x": np.random.default_rng(6).normal(size=N)}))
    assert row.control > 0.95  # public already
    assert row.low <= 0 <= row.high  # an unnamed record does not reach the register
    named = measured(population, view_of(population, {"x": np.zeros(N)}, keyed_by="legal id"))
    assert named.low > 0.95


def test_the_attack_never_beats_the_bound_of_a_finite_view():
    population = people(N)
    secret = population.sensitive["party"].to_numpy()
    bit = np.where(np.random.default_rng(7).random(N) < 0.3, secret, 0)
    row = measured(population, view_of(population, {"approved": bit}, universe=2))
    assert row.bound is not None
    assert 0.1 < row.advantage <= row.bound + 1e-9
    assert ONE_BIT  # the claim that such a view backs


def test_attackers_never_look_at_targets_secrets():
    population = people(N)
    truth = truth_of(population, run_with(population, view_of(population, {"x": population.features["income"]})))
    before = rows_of(Profile(), truth)
    secret = population.sensitive["party"].to_numpy().copy()
    secret[~truth.auxiliary] = 1 - secret[~truth.auxiliary]
    flipped = people(N, sensitive=pd.DataFrame({"party": secret}))
    after = rows_of(
        Profile(), truth_of(flipped, run_with(flipped, view_of(flipped, {"x": flipped.features["income"]})))
    )
    assert after[0].advantage == pytest.approx(-before[0].advantage, abs=1e-12)


def test_a_missing_secret_is_no_class():
    assert classes_of(pd.Series(["a", None, "b", np.nan])).tolist() == [0, UNKNOWN, 1, UNKNOWN]


def test_people_who_left_a_question_out_teach_nothing_and_are_not_asked_about():
    """Thirteen blank answers were a class of their own, and halved what a view told of the others."""
    said = people(N).sensitive["party"].astype(str).to_numpy(object)
    coin = np.random.default_rng(9).random(N) < 0.8
    told = np.where(coin, said, np.where(said == "1", "0", "1"))
    blank = said.copy()
    blank[np.random.default_rng(10).choice(N, 13, replace=False)] = None
    rows = []
    for secret in (said, blank):
        population = people(N, sensitive=pd.DataFrame({"party": secret}))
        view = view_of(population, {"x": told}, universe=2)
        run = run_with(population, view)
        rows.append(measured(population, view))
        steered = rows_of(Steer(), truth_of(population, run), ["party"])
        assert [row.secret for row in steered] == ["party"]
        assert rows_of(Choose(), truth_of(population, run), ["party"])[0].secret == "party"
    whole, without = rows
    assert whole.advantage == pytest.approx(0.6, abs=0.06)
    assert without.advantage == pytest.approx(whole.advantage, abs=0.02)
    assert without.bound_these == pytest.approx(whole.bound_these, abs=0.02)


def test_a_label_that_is_missing_moves_no_columns_made_of_labels():
    n = 40
    rng = np.random.default_rng(1)
    code = rng.integers(0, 2, n)
    known = rng.random(n) < 0.5
    missing = np.where(known, code, UNKNOWN)
    edges = np.sort(rng.integers(0, n, (120, 2)), axis=1).astype(np.int32)
    graph = friends_of(edges[edges[:, 0] < edges[:, 1]], n)
    visits = pd.DataFrame({"person": rng.integers(0, n, 300), "hour": 9, "place": rng.integers(0, 9, 300)})
    seen = sightings(visits, n)
    for columns in (friends_labels, places_labels):
        over = graph if columns is friends_labels else seen
        assert np.array_equal(columns(over, missing, known, 2), columns(over, np.where(known, code, 0), known, 2))


def test_whoever_sees_more_is_at_least_as_strong_on_auxiliary_people():
    population = people(N)
    rng = np.random.default_rng(8)
    party = population.sensitive["party"].to_numpy()
    noise = {f"x{i}": rng.normal(size=N) for i in range(60)}
    lender = view_of(population, {"score": 600 + 40 * party + rng.normal(0, 60, N).round()}, handles=())
    source = view_of(population, noise, "legal id")
    wide = view_of(population, {**noise, "score": lender.clear["score"]}, "legal id")
    for run, roles, part in (
        (run_with(population, lender, source), ("lender", "source"), run_with(population, lender)),
        (run_with(population, wide), ("lender",), run_with(population, lender)),
    ):
        whole = infer_trait(truth_of(population, run, roles).knowledge(), "party")
        alone = infer_trait(truth_of(population, part, ("lender",)).knowledge(), "party")
        assert whole.loss <= alone.loss


@pytest.mark.parametrize("said", [np.nan, np.inf])
def test_a_probability_that_is_no_number_is_refused(said):
    model = SimpleNamespace(
        classes_=np.array([0, 1]), predict_proba=lambda columns: np.array([[0.5, 0.5], [said, 0.5]])
    )
    with pytest.raises(BlindscoreError, match="a probability that is no number"):
        attackers._posterior(model, np.zeros((2, 1)), np.array([0.5, 0.5]))
