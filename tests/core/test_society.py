"""The synthetic society: the same again for one seed, and interventions that reach descendants only."""

import numpy as np
import pandas as pd
import pytest

from blindscore.errors import ParameterError
from blindscore.people.latents import intercept
from blindscore.people.population import Population
from blindscore.people.society import Society, make_society
from blindscore.people.variables import CONDUCT_NAMES, SOCIAL_NAMES


@pytest.fixture(scope="module")
def society() -> Society:
    return make_society(3_000, seed=11)


def changed(before: pd.DataFrame, after: pd.DataFrame) -> set[str]:
    return {name for name in before if not before[name].equals(after[name])}


def test_a_society_is_a_synthetic_population(society: Society) -> None:
    assert isinstance(society, Population)
    assert society.synthetic
    assert society.name == "synthetic society"
    assert len(society) == 3_000
    assert society.register["legal_id"].is_unique
    assert set(society.sensitive) == set(society.schema.sensitive)


def test_one_seed_gives_the_same_people_and_another_gives_others(society: Society) -> None:
    assert make_society(3_000, seed=11).fingerprint == society.fingerprint
    assert make_society(3_000, seed=12).fingerprint != society.fingerprint


def test_an_empty_intervention_changes_nothing(society: Society) -> None:
    assert society.do({}).fingerprint == society.fingerprint


@pytest.mark.parametrize("name", CONDUCT_NAMES)
def test_an_intervention_reaches_its_descendants_only(society: Society, name: str) -> None:
    rows = np.array([3, 70, 71])
    after = society.do({name: 0.5}, rows)
    shop = CONDUCT_NAMES[: CONDUCT_NAMES.index("browse_news")]
    shares = {n for n in CONDUCT_NAMES if n.startswith("browse_")}
    reach = {name}
    if name in shares or name in shop:
        reach |= shares
    if name == "post_opposition":
        reach |= {"friends_opposition_posts"}
    assert (after.features.loc[rows, name] == 0.5).all()
    assert name in changed(society.features, after.features) <= reach
    others = np.setdiff1d(np.arange(len(society)), rows)
    own = sorted(reach - {"friends_opposition_posts"})
    pd.testing.assert_frame_equal(society.features.loc[others, own], after.features.loc[others, own])
    assert np.array_equal(society.default, after.default)
    assert np.array_equal(society.friends, after.friends)
    pd.testing.assert_frame_equal(society.visits, after.visits)
    pd.testing.assert_frame_equal(society.sensitive, after.sensitive)


def test_posts_are_seen_by_friends_and_by_nobody_else(society: Society) -> None:
    after = society.do({"post_opposition": 500.0}, np.array([9]))
    moved = np.flatnonzero(society.features["friends_opposition_posts"] != after.features["friends_opposition_posts"])
    edges = society.friends
    assert edges is not None
    friends = np.concatenate([edges[edges[:, 0] == 9, 1], edges[edges[:, 1] == 9, 0]])
    assert set(moved) == set(friends)


@pytest.mark.parametrize("wanted", [0, 3, 40])
def test_friends_can_be_set(society: Society, wanted: int) -> None:
    rows = np.array([5, 1500])
    after = society.do({"friends": float(wanted)}, rows)
    assert (after.features.loc[rows, "friends_count"] == wanted).all()
    assert changed(society.features, after.features) <= set(SOCIAL_NAMES)
    before = {tuple(e) for e in society.friends.tolist()}
    now = {tuple(e) for e in after.friends.tolist()}
    assert all(a in rows or b in rows for a, b in before ^ now)


def test_interventions_add_up(society: Society) -> None:
    both = society.do({"alcohol": 0.0, "post_faith": 9.0}, np.array([1]))
    one_by_one = society.do({"alcohol": 0.0}, np.array([1])).do({"post_faith": 9.0}, np.array([1]))
    assert both.fingerprint == one_by_one.fingerprint


@pytest.mark.parametrize(
    ("conduct", "persons"),
    [
        ({"income": 1.0}, None),
        ({"alcohol": float("nan")}, None),
        ({"alcohol": -1.0}, None),
        ({"browse_news": 0.7, "browse_health": 0.7}, None),
        ({"friends": 3_000.0}, np.array([0])),
        ({"alcohol": 1.0}, np.array([3_000])),
    ],
)
def test_impossible_interventions_are_refused(society: Society, conduct: dict, persons: np.ndarray | None) -> None:
    with pytest.raises(ParameterError):
        society.do(conduct, persons)


@pytest.mark.parametrize(
    "settings", [{"people": 0}, {"seed": -1}, {"default_rate": 0.0}, {"secrets": ("party", "shoe size")}]
)
def test_impossible_societies_are_refused(settings: dict) -> None:
    with pytest.raises(ParameterError):
        make_society(**{"people": 50, **settings})


@pytest.mark.parametrize("people", [1, 2, 29, 31])
def test_tiny_societies_exist(people: int) -> None:
    assert len(make_society(people, seed=3)) == people


def test_browsing_shares_add_up_to_one(society: Society) -> None:
    shares = society.features[[n for n in CONDUCT_NAMES if n.startswith("browse_")]]
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)
    after = society.do({"browse_news": 0.25}).features[shares.columns]
    np.testing.assert_allclose(after.sum(axis=1), 1.0)
    assert (after["browse_news"] == 0.25).all()


def test_thin_files_hold_no_bureau_data_and_can_be_switched_off(society: Society) -> None:
    missing = society.features["arrears_months"].isna()
    assert 0.05 < missing.mean() < 0.2
    assert not make_society(500, thin_files=False).features.isna().to_numpy().any()


@pytest.mark.parametrize("rate", [0.01, 0.06, 0.3])
def test_the_default_rate_is_the_one_asked_for(rate: float) -> None:
    reached = make_society(20_000, seed=2, default_rate=rate).default.mean()
    assert abs(reached - rate) < 4 * np.sqrt(rate * (1 - rate) / 20_000)


def test_intercept_solves_its_equation() -> None:
    draws = np.random.default_rng(0).normal(size=400_000)
    assert abs((1 / (1 + np.exp(-intercept(0.06, 1.2) - 1.2 * draws))).mean() - 0.06) < 0.001
