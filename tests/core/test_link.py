"""``link`` names records that carry quasi-identifiers in any form and joins records that carry equal values."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from blindscore.surveillance.attacks.link import Link
from blindscore.surveillance.capability import rows_of
from blindscore.surveillance.ledger import ABSENT
from blindscore.surveillance.planted import people, run_with, truth_of, view_of

N = 1500


def named(population, view):
    name, join = rows_of(Link(), truth_of(population, run_with(population, view)))
    assert (name.secret, join.secret, join.kind) == ("name", "join", ABSENT)
    return name


def joined(population, lender, source):
    truth = truth_of(population, run_with(population, lender, source), roles=("lender", "source"))
    return next(row for row in rows_of(Link(), truth) if row.secret == "join")


def test_a_legal_id_names_everybody():
    population = people(N)
    assert named(population, view_of(population, {"x": np.zeros(N)}, keyed_by="legal id")).advantage == 1.0


def test_quasi_identifiers_in_the_record_name_most_people():
    population = people(N)
    copied = {f"copy of {c}": population.register[c] for c in ("age_band", "region", "street")}
    assert named(population, view_of(population, copied)).low > 0.9


def test_equal_columns_name_exactly_those_who_are_alone_with_them():
    population = people(N)
    columns = ["age_band", "region", "street"]
    row = named(population, view_of(population, {c: population.register[c] for c in columns}))
    truth = truth_of(population, run_with(population, view_of(population, {"x": np.zeros(N)})))
    cells = population.register.loc[~truth.auxiliary, columns].groupby(columns).ngroup()
    expected = cells.nunique() / len(cells)
    assert row.advantage == pytest.approx(expected, abs=2e-3)


def test_an_independent_record_names_nobody_beyond_chance():
    population = people(N)
    row = named(population, view_of(population, {"x": np.random.default_rng(0).normal(size=N)}))
    assert row.low == 0.0
    assert row.advantage < 3 / N


def test_a_view_of_few_values_has_a_bound_and_obeys_it():
    population = people(N)
    row = named(population, view_of(population, {"approved": np.arange(N) % 2}, universe=2))
    assert row.bound_these == pytest.approx((2 / 1200 - 1 / 1200) / (1 - 1 / 1200))
    assert row.advantage <= row.bound_these


def test_the_bound_that_marks_are_held_to_does_not_fall_with_the_people_simulated():
    few, many = people(N), people(4 * N)
    bounds = [
        named(population, view_of(population, {"approved": np.arange(len(population)) % 2}, universe=2))
        for population in (few, many)
    ]
    assert bounds[0].bound == bounds[1].bound == pytest.approx(1 / 999)
    assert bounds[0].bound_these > 3 * bounds[1].bound_these
    assert bounds[0].reason == bounds[1].reason  # the curve over crowds


def test_a_shared_handle_joins_lender_and_source():
    population = people(N)
    handle = [f"h{i}" for i in range(N)]
    lender = view_of(population, {"approved": np.zeros(N), "attestation": handle}, handles=("attestation",))
    source = view_of(population, {"income": np.zeros(N), "attestation": handle}, "legal id", handles=("attestation",))
    assert joined(population, lender, source).advantage == 1.0
    other = view_of(population, {"approved": np.zeros(N), "fresh": handle[::-1]}, handles=("fresh",), universe=1)
    row = joined(population, other, source)
    assert row.advantage < 3 / N
    assert row.bound == 0.0


def test_who_shows_no_handle_is_not_named_by_the_join():
    population = people(N)
    signed = np.arange(N)
    approved = np.random.default_rng(4).random(N) < 0.75
    shown = np.where(approved, signed, -1)
    run = run_with(
        population,
        view_of(population, {"approved": approved, "attestation": shown}, handles=("attestation",), universe=2),
        view_of(population, {"income": np.zeros(N), "attestation": signed}, "legal id", handles=("attestation",)),
    )
    for row in rows_of(Link(), truth_of(population, run, roles=("lender", "source"))):
        assert row.advantage == pytest.approx(0.75, abs=0.03), row.secret


def test_equal_values_join_records():
    population = people(N)
    income = np.random.default_rng(1).normal(size=N)
    lender = view_of(population, {"income": income}, "pairwise")
    source = view_of(population, {"income": income, "savings": income**2}, "legal id")
    assert joined(population, lender, source).low > 0.95


def test_one_record_computed_from_the_other_is_joined_far_above_chance_and_an_independent_one_is_not():
    population = people(N)
    rng = np.random.default_rng(2)
    table = {f"f{i}": rng.normal(size=N) for i in range(4)}
    source = view_of(population, table, "legal id")
    lender = view_of(population, {f"g{i}": np.tanh(table[f"f{i}"]) for i in range(4)}, "pairwise")
    assert joined(population, lender, source).low > 0.25
    lender = view_of(population, {"score": rng.integers(350, 951, N)}, "pairwise", universe=601)
    row = joined(population, lender, source)
    assert row.advantage < 5 / N
    assert row.advantage <= row.bound


def test_a_person_whose_name_the_partner_knows_is_named_by_the_join():
    population = people(N)
    income = pd.Series(np.random.default_rng(3).normal(size=N))
    run = run_with(
        population,
        view_of(population, {"income": income}, "pairwise"),
        view_of(population, {"income": income}, "legal id"),
    )
    rows = rows_of(Link(), truth_of(population, run, roles=("lender", "source")))
    assert {row.secret: row.low > 0.95 for row in rows} == {"name": True, "join": True}
