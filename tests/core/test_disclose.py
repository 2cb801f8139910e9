"""``disclose`` counts whom one order exposes by name, and how much of each."""

from __future__ import annotations

import numpy as np
import pytest

from blindscore.surveillance.attacks.disclose import Disclose, stored_bits
from blindscore.surveillance.capability import rows_of
from blindscore.surveillance.planted import people, run_with, truth_of, view_of

N = 1500


def served(population, view, roles=("scorer", "state")):
    (row,) = rows_of(Disclose(), truth_of(population, run_with(population, view), roles))
    return row


def test_records_by_name_expose_everybody():
    population = people(N)
    row = served(population, view_of(population, {"income": np.arange(N)}, "legal id"))
    assert (row.people_exposed, row.advantage, row.bound) == (N, 1.0, None)


def test_what_is_not_stored_cannot_be_ordered():
    population = people(N)
    row = served(population, view_of(population, {"income": np.arange(N)}, "legal id", stored=()))
    assert (row.people_exposed, row.advantage, row.bound, row.bits, row.kind) == (0, 0.0, 0.0, 0.0, "absent")
    kept = served(population, view_of(population, {"income": np.arange(N)}, "legal id", stored=("income",)))
    assert kept.people_exposed == N


def test_one_unnamed_bit_exposes_nobody():
    population = people(N)
    row = served(population, view_of(population, {"approved": np.arange(N) % 2}, universe=2))
    assert row.people_exposed <= 3
    assert row.bound_these == pytest.approx(2 / round(0.8 * N))  # it was held to people who are no targets too
    assert row.bound == pytest.approx(2 / 1000)
    assert row.bits == pytest.approx(1.0)


def test_records_that_say_nothing_expose_nobody_beyond_chance():
    population = people(N)
    row = served(population, view_of(population, {"noise": np.random.default_rng(0).normal(size=N)}))
    assert row.low <= 1 / N
    assert row.people_exposed <= 3


def test_bits_add_up_over_independent_columns():
    population = people(N)
    rng = np.random.default_rng(0)
    two = view_of(population, {"a": rng.integers(0, 2, N), "b": rng.integers(0, 4, N)})
    assert stored_bits(two) == pytest.approx(3.0, abs=0.02)
