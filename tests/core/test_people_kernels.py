"""Each kernel of the society against its own body run in plain Python, and what it should look like."""

import numpy as np
import pytest

from blindscore.people import conduct, device, friends, latents, money, places
from blindscore.people.variables import AGE, N_CONDUCT, PREGNANT, RARE_ILLNESS, SEX, THIN, TRAITS

SEED, N, AREAS = 5, 40, 5


@pytest.fixture(scope="module")
def root() -> np.ndarray:
    return latents.roots(SEED, N, AREAS, True)


@pytest.fixture(scope="module")
def trait(root: np.ndarray) -> np.ndarray:
    return latents.traits(SEED, root)


def test_people_are_the_plain_twins(root: np.ndarray, trait: np.ndarray) -> None:
    np.testing.assert_allclose(root, latents.roots.py_func(SEED, N, AREAS, True), rtol=1e-12)
    assert np.array_equal(trait, latents.traits.py_func(SEED, root))
    assert np.array_equal(latents.officials(SEED, root), latents.officials.py_func(SEED, root))
    np.testing.assert_allclose(latents.default_latent(root), latents.default_latent.py_func(root), rtol=1e-12)


def test_features_are_the_plain_twins(root: np.ndarray, trait: np.ndarray) -> None:
    assert np.array_equal(device.device(SEED, root), device.device.py_func(SEED, root))
    np.testing.assert_allclose(money.money(SEED, root, 24), money.money.py_func(SEED, root, 24), rtol=1e-9)
    plans, plan = np.full((2, N_CONDUCT), np.nan), np.zeros(N, np.int32)
    plans[1, [0, 10, 20]] = 0.25
    plan[3] = 1
    given = (SEED, 0, root, trait, plans, plan)
    np.testing.assert_allclose(conduct.conduct(*given), conduct.conduct.py_func(*given), rtol=1e-9)


def test_sightings_are_the_plain_twins(root: np.ndarray, trait: np.ndarray) -> None:
    given = (SEED, 0, root, trait, AREAS)
    for fast, plain in zip(places._sightings(*given), places._sightings.py_func(*given), strict=True):
        assert np.array_equal(fast, plain)


def test_ties_are_the_plain_twins(root: np.ndarray) -> None:
    keys = friends._keys(SEED, root)
    np.testing.assert_allclose(keys, friends._keys.py_func(SEED, root), rtol=1e-12)
    order = np.argsort(keys[0], kind="stable")
    assert np.array_equal(friends._picks(SEED, order, root, 0), friends._picks.py_func(SEED, order, root, 0))


def test_the_same_people_come_first_in_a_larger_society() -> None:
    few, many = latents.roots(SEED, 100, AREAS, True), latents.roots(SEED, 1_000, AREAS, True)
    assert np.array_equal(few, many[:100])


def test_default_latents_spread_as_stated() -> None:
    wide = latents.roots(SEED, 100_000, AREAS, True)
    assert abs(latents.default_latent(wide).std() / latents.default_spread() - 1) < 0.01


def test_traits_have_the_shares_that_the_code_states() -> None:
    wide = latents.roots(SEED, 100_000, 250, True)
    share = dict(zip(TRAITS, latents.traits(SEED, wide).mean(axis=0), strict=True))
    stated = {"party": 0.30, "religion": 0.20, "orientation": 0.06, "ethnicity": 0.15, "smoker": 0.24, "drinker": 0.40}
    stated |= {"drugs": 0.12, "single": 0.36, "illness": 0.04, "rare_illness": 0.003, "pregnant": 0.0106}
    for name, value in stated.items():
        assert share[name] == pytest.approx(value, rel=0.2), name
    assert 0.002 < latents.officials(SEED, wide).mean() < 0.01
    assert 0.05 < wide[:, THIN].mean() < 0.15


def test_only_women_of_childbearing_age_are_pregnant_and_rare_traits_occur() -> None:
    wide = latents.roots(SEED, 20_000, 50, True)
    secret = latents.traits(SEED, wide)
    pregnant = secret[:, PREGNANT] == 1
    assert pregnant.any()
    assert (wide[pregnant, SEX] == 1).all()
    assert (wide[pregnant, AGE] < 43).all()
    assert secret[:, RARE_ILLNESS].sum() >= 20


def test_few_people_all_know_each_other_and_edges_are_in_order(root: np.ndarray) -> None:
    assert len(friends.friendships(SEED, root[:10])) == 45
    edges = friends.friendships(SEED, latents.roots(SEED, 3_000, 7, True))
    assert edges.dtype == np.int32
    assert (edges[:, 0] < edges[:, 1]).all()
    assert len(np.unique(edges, axis=0)) == len(edges)


def test_friends_are_alike_in_politics_faith_and_money() -> None:
    wide = latents.roots(SEED, 10_000, 25, True)
    edges = friends.friendships(SEED, wide)
    strangers = np.random.default_rng(0).permutation(edges.ravel()).reshape(-1, 2)
    for column in (latents.POLITICS, latents.PIETY, latents.STRAIN, latents.AGE):
        alike = np.corrcoef(wide[edges[:, 0], column], wide[edges[:, 1], column])[0, 1]
        chance = np.corrcoef(wide[strangers[:, 0], column], wide[strangers[:, 1], column])[0, 1]
        assert alike > chance + 0.04


def test_friends_mean_is_the_mean_over_friends() -> None:
    edges = np.array([[0, 1], [0, 2], [2, 3]], np.int32)
    value = np.array([1.0, 5.0, np.nan, 7.0, 9.0])
    np.testing.assert_array_equal(friends.friends_mean(edges, 5, value), [5.0, 1.0, 4.0, np.nan, np.nan])


@pytest.mark.parametrize("wanted", [0, 1, 2, 5])
def test_refriend_gives_the_number_asked_for_and_touches_no_other_tie(wanted: int) -> None:
    edges = friends.friendships(SEED, latents.roots(SEED, 500, 1, True))
    after = friends.refriend(edges, 500, np.array([7, 300]), wanted)
    degree = np.bincount(after.ravel(), minlength=500)
    assert degree[7] == degree[300] == wanted
    assert (after[:, 0] < after[:, 1]).all()
    before, now = {tuple(e) for e in edges.tolist()}, {tuple(e) for e in after.tolist()}
    assert all({a, b} & {7, 300} for a, b in before ^ now)
