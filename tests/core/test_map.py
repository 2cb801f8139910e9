"""``map`` reads edges, finds friends by what they share, and finds nothing where they share nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from blindscore.surveillance.attacks.map import Map
from blindscore.surveillance.capability import rows_of
from blindscore.surveillance.planted import people, run_with, truth_of, view_of

N = 1500


def friends_in_groups(seed=0, groups=150):
    """Friends are exactly the pairs of one group."""
    group = np.random.default_rng(seed).integers(0, groups, N)
    first, second = np.triu_indices(N, 1)
    same = group[first] == group[second]
    return group, np.column_stack([first[same], second[same]]).astype(np.int32)


def measured(population, view):
    (row,) = rows_of(Map(), truth_of(population, run_with(population, view)))
    return row


def test_edges_that_are_read_need_no_attack():
    _, friends = friends_in_groups()
    population = people(N, friends=friends)
    row = measured(population, view_of(population, {"x": np.zeros(N)}, friends=friends))
    assert (row.advantage, row.attack) == (1.0, "readable edges")


def test_a_value_that_friends_share_gives_them_away():
    group, friends = friends_in_groups()
    population = people(N, friends=friends)
    text = measured(population, view_of(population, {"street": [f"street {g}" for g in group]}))
    assert text.low > 0.95
    number = measured(population, view_of(population, {"income": group + 0.0}))
    assert number.low > 0.9


def test_being_in_one_place_at_one_hour_gives_friends_away():
    group, friends = friends_in_groups()
    population = people(N, friends=friends)
    visits = pd.DataFrame(
        {"person": np.repeat(np.arange(N), 3), "hour": np.tile([1, 2, 3], N), "place": np.repeat(group, 3)}
    )
    row = measured(population, view_of(population, pd.DataFrame(index=range(N)), visits=visits))
    assert row.low > 0.95


@pytest.mark.parametrize("seed", [1, 2])
def test_independent_views_find_no_friends(seed):
    _, friends = friends_in_groups(seed)
    population = people(N, friends=friends)
    rng = np.random.default_rng(seed)
    row = measured(population, view_of(population, {"x": rng.normal(size=N), "y": rng.choice(list("abc"), N)}))
    assert row.low <= 0 <= row.high


def test_one_bit_has_a_bound_and_obeys_it():
    group, friends = friends_in_groups()
    population = people(N, friends=friends)
    row = measured(population, view_of(population, {"approved": group % 2}, universe=2))
    assert 0.2 < row.advantage <= row.bound + 1e-9


def test_pairs_are_of_one_side_and_strangers_are_no_friends():
    _, friends = friends_in_groups()
    population = people(N, friends=friends)
    truth = truth_of(population, run_with(population, view_of(population, {"x": np.zeros(N)})))
    pairs = truth.pairs()
    assert (truth.auxiliary[pairs.first] == pairs.auxiliary).all()
    assert (truth.auxiliary[pairs.second] == pairs.auxiliary).all()
    edges = {tuple(edge) for edge in friends.tolist()}
    drawn = [(a, b) in edges for a, b in zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)]
    assert drawn == pairs.friends.astype(bool).tolist()


def test_half_of_the_edges_give_the_other_half_away():
    _, friends = friends_in_groups()
    population = people(N, friends=friends)
    seen = friends[np.random.default_rng(6).random(len(friends)) < 0.5]
    row = measured(population, view_of(population, {"x": np.zeros(N)}, friends=seen))
    assert 0.8 < row.low < row.advantage < 1.0
    shuffled = np.sort(np.random.default_rng(7).permutation(N).astype(np.int32)[friends], axis=1)
    both = np.unique(np.vstack([friends, shuffled]), axis=0)  # the seen edges have nothing to do with the hidden ones
    population = people(N, friends=both)
    hidden_are_other = measured(population, view_of(population, {"x": np.zeros(N)}, friends=shuffled))
    assert hidden_are_other.low < 0.1


def test_without_friendships_there_is_nothing_to_measure():
    population = people(N)
    truth = truth_of(population, run_with(population, view_of(population, {"x": np.zeros(N)})))
    assert rows_of(Map(), truth) == []


def test_the_register_tells_which_regions_befriend_which():
    rng = np.random.default_rng(6)
    base = people(4000)
    region = base.register["region"].astype(int).to_numpy()
    a = rng.integers(0, 4000, 60000)
    b = rng.integers(0, 4000, 60000)
    across = (region[b] == 39 - region[a]) & (a < b)  # friends never look alike: regions befriend their counterparts
    friends = np.unique(np.column_stack([a, b])[across], axis=0).astype(np.int32)
    population = people(4000, friends=friends)
    run = run_with(population, view_of(population, {"x": np.zeros(4000)}, "legal id"))
    (row,) = rows_of(Map(), truth_of(population, run))
    assert row.control > 0.6
    assert row.low <= row.control + 0.05
