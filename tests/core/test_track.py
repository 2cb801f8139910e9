"""``track`` follows habits where it reads visits, and says the commonest place where it does not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from blindscore.surveillance.attacks.track import Track
from blindscore.surveillance.capability import rows_of
from blindscore.surveillance.planted import people, run_with, truth_of, view_of

N, SIGHTINGS, PLACES = 800, 20, 50


def sightings(home, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "person": np.repeat(np.arange(N), SIGHTINGS),
            "hour": rng.integers(0, 168, N * SIGHTINGS),
            "place": np.repeat(home, SIGHTINGS) if home is not None else rng.integers(0, PLACES, N * SIGHTINGS),
        }
    )


def measured(population, view):
    (row,) = rows_of(Track(), truth_of(population, run_with(population, view)))
    return row


def test_who_reads_visits_knows_where_creatures_of_habit_are():
    home = np.random.default_rng(1).integers(0, PLACES, N)
    visits = sightings(home)
    population = people(N, visits=visits)
    row = measured(population, view_of(population, {"x": np.zeros(N)}, visits=visits))
    assert row.low > 0.95
    blind = measured(population, view_of(population, {"x": np.random.default_rng(2).normal(size=N)}))
    assert blind.low <= 0.01
    assert blind.high < 0.05


def test_day_and_night_are_told_apart():
    visits = sightings(np.zeros(N, int))
    own = np.random.default_rng(3).integers(0, PLACES, (2, N))
    night = (visits["hour"] % 24 < 12).to_numpy().astype(int)
    visits["place"] = own[night, visits["person"]]
    population = people(N, visits=visits)
    assert measured(population, view_of(population, {"x": np.zeros(N)}, visits=visits)).low > 0.8


def test_random_walkers_cannot_be_followed():
    visits = sightings(None)
    population = people(N, visits=visits)
    row = measured(population, view_of(population, {"x": np.zeros(N)}, visits=visits))
    assert row.advantage == pytest.approx(0.0, abs=0.01)


def test_a_region_in_the_view_or_behind_the_name_gives_the_place():
    region = np.random.default_rng(4).integers(0, 8, N)
    visits = sightings(region)
    population = people(N, visits=visits)
    told = measured(population, view_of(population, {"region": [f"r{r}" for r in region]}))
    assert told.low > 0.9
    register = population.register.assign(region=[f"r{r}" for r in region])
    population = people(N, visits=visits, register=register)
    named = measured(population, view_of(population, {"x": np.zeros(N)}, "legal id"))
    assert named.low > 0.9
    assert named.control > 0.9  # the register alone tells it


def test_the_bound_of_a_bit_holds():
    half = np.random.default_rng(5).integers(0, 2, N)
    visits = sightings(half)
    population = people(N, visits=visits)
    row = measured(population, view_of(population, {"approved": half}, universe=2))
    assert 0.9 < row.advantage <= row.bound + 1e-9


def test_without_visits_there_is_nothing_to_measure():
    population = people(N)
    truth = truth_of(population, run_with(population, view_of(population, {"x": np.zeros(N)})))
    assert rows_of(Track(), truth) == []
