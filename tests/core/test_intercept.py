"""``intercept`` reads decisions off sizes that differ, and nothing off sizes that do not."""

from __future__ import annotations

import numpy as np
import pandas as pd

from blindscore.designs.plain import reply_bytes
from blindscore.surveillance.attacks.intercept import Intercept
from blindscore.surveillance.capability import rows_of
from blindscore.surveillance.ledger import BY_ROLE
from blindscore.surveillance.planted import CARD, people, run_with, truth_of, view_of

N = 1500


def measured(population, sizes):
    wire = pd.DataFrame(
        {"hour": np.random.default_rng(0).integers(8, 22, N), "bytes_up": np.full(N, 40), "bytes_down": sizes}
    )
    run = run_with(population, view_of(population, {"score": np.zeros(N)}, messages=wire))
    (row,) = rows_of(Intercept(), truth_of(population, run, roles=("observer",)))
    return row


def test_refusals_that_are_longer_give_decisions_away():
    population = people(N)
    bins = CARD.bins(population.features)
    decisions = CARD.scores(bins) >= 550
    row = measured(population, reply_bytes(CARD, bins, decisions))
    assert row.low > 0.95
    assert row.bound is None


def test_one_size_for_all_gives_nothing():
    row = measured(people(N), np.full(N, 512))
    assert row.low <= 0 <= row.high
    assert row.bound is None  # sizes alone prove nothing of a wire: the time to an answer is in no view
    assert "is in no view" in row.reason


def test_only_the_observer_needs_to_intercept():
    population = people(N)
    run = run_with(population, view_of(population, {"score": np.zeros(N)}))
    (row,) = rows_of(Intercept(), truth_of(population, run, roles=("scorer",)))
    assert (row.kind, row.attack) == (BY_ROLE, "none needed")


def test_a_reply_is_as_long_as_the_json_it_stands_for():
    bins = np.array([[0], [1], [0], [1]], np.uint8)
    sizes = reply_bytes(CARD, bins, np.array([True, True, False, False]))
    assert sizes[0] == len('{"approved": true, "score": 500}')
    assert sizes[2] == len('{"approved": false, "score": 500, "reasons": ["income"]}')
    assert sizes[3] == len('{"approved": false, "score": 600, "reasons": []}')  # nothing was lost
