"""The synthetic society: the same again for one seed, and interventions that reach descendants only."""

import numpy as np
import pandas as pd
import pytest

from blindscore.errors import ParameterError
from blindscore.people.calibration import conduct_gains
from blindscore.people.disparities import SHARES
from blindscore.people.latents import intercept
from blindscore.people.population import Feature, Population
from blindscore.people.society import KINDS, Society, make_society
from blindscore.people.variables import (
    ALONE,
    AREA,
    CONDUCT_NAMES,
    DIGITAL,
    EARN,
    GROUP,
    N_ROOTS,
    POLITICS,
    SIDE,
    SMOKY,
    SOCIAL_NAMES,
    STRAIN,
)


@pytest.fixture(scope="module", params=["independent", "disparate"])
def society(request: pytest.FixtureRequest) -> Society:
    return make_society(3_000, seed=11, kind=request.param)


def changed(before: pd.DataFrame, after: pd.DataFrame) -> set[str]:
    return {name for name in before if not before[name].equals(after[name])}


def test_a_society_is_a_synthetic_population(society: Society) -> None:
    assert isinstance(society, Population)
    assert society.synthetic
    assert society.name in KINDS.values()
    assert len(society) == 3_000
    assert society.register["legal_id"].is_unique
    assert set(society.sensitive) == set(society.schema.sensitive)


def test_one_seed_gives_the_same_people_and_another_gives_others(society: Society) -> None:
    kind = next(kind for kind, name in KINDS.items() if name == society.name)
    assert make_society(3_000, seed=11, kind=kind).fingerprint == society.fingerprint
    assert make_society(3_000, seed=12, kind=kind).fingerprint != society.fingerprint


def test_both_societies_are_of_the_same_roots_with_and_without_ties() -> None:
    plain, tied = make_society(3_000, seed=11), make_society(3_000, seed=11, kind="disparate")
    same = [k for k in range(N_ROOTS) if (plain.roots[:, k] == tied.roots[:, k]).all()]
    assert set(range(N_ROOTS)) - set(same) == {STRAIN, DIGITAL, POLITICS, AREA, GROUP, EARN, SMOKY, ALONE, SIDE}
    assert np.array_equal(plain.history, tied.history)
    assert plain.register["legal_id"].equals(tied.register["legal_id"])
    assert not plain.roots[:, [EARN, SMOKY, ALONE, SIDE]].any()


def test_what_is_shifted_keeps_mean_0_and_variance_1() -> None:
    tied = make_society(40_000, seed=4, kind="disparate")
    for column in (STRAIN, DIGITAL, POLITICS):
        assert tied.roots[:, column].mean() == pytest.approx(0, abs=0.03)
        assert tied.roots[:, column].std() == pytest.approx(1, abs=0.02)
    assert np.bincount(tied.roots[:, GROUP].astype(int)) / 40_000 == pytest.approx(SHARES, abs=0.01)
    assert tied.default.mean() == pytest.approx(0.06, abs=0.005)


@pytest.mark.parametrize("people", [1, 30, 401, 2_399])
def test_a_town_may_be_small(people: int) -> None:
    tied = make_society(people, seed=2, kind="disparate")
    assert tied.roots[:, AREA].max() < max(1, people // 400)


def test_an_empty_intervention_changes_nothing(society: Society) -> None:
    assert society.do({}).fingerprint == society.fingerprint


@pytest.mark.parametrize("name", [*CONDUCT_NAMES, *SOCIAL_NAMES])
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
    assert np.array_equal(society.default, after.default)
    pd.testing.assert_frame_equal(society.ledger(rows), after.ledger(rows))
    before = {tuple(e) for e in society.friends.tolist()}
    now = {tuple(e) for e in after.friends.tolist()}
    assert all(a in rows or b in rows for a, b in before ^ now)


def test_interventions_add_up(society: Society) -> None:
    both = society.do({"alcohol": 0.0, "post_faith": 9.0}, np.array([1]))
    one_by_one = society.do({"alcohol": 0.0}, np.array([1])).do({"post_faith": 9.0}, np.array([1]))
    assert both.fingerprint == one_by_one.fingerprint


@pytest.mark.parametrize(
    ("conduct", "persons", "said"),
    [
        ({"income": 1.0}, None, "not a feature of conduct"),
        ({"alcohol": float("nan")}, None, "finite and not negative"),
        ({"alcohol": -1.0}, None, "finite and not negative"),
        ({"browse_news": 0.7, "browse_health": 0.7}, None, "must stay within 1"),
        ({"friends": 3_000.0}, np.array([0]), "there are only 3000 people"),
        ({"alcohol": 1.0}, np.array([3_000]), "row numbers from 0 to 2999"),
    ],
)
def test_impossible_interventions_are_refused(
    society: Society, conduct: dict, persons: np.ndarray | None, said: str
) -> None:
    with pytest.raises(ParameterError, match=said):
        society.do(conduct, persons)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"people": 0}, "people must be 1 to"),
        ({"kind": "fair"}, "no society is called 'fair'"),
        ({"seed": -1}, "seed must be 0 to"),
        ({"default_rate": 0.0}, "default_rate must be"),
        ({"secrets": ("party", "shoe size")}, "unknown secrets shoe size"),
    ],
)
def test_impossible_societies_are_refused(settings: dict, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        make_society(**{"people": 50, **settings})


@pytest.mark.parametrize("people", [1, 2, 29, 31])
def test_tiny_societies_exist(people: int) -> None:
    assert len(make_society(people, seed=3)) == people


def test_every_feature_has_a_plain_name_of_its_own_and_a_unit(society: Society) -> None:
    features = society.schema.features
    assert all(f.plain and f.unit and f.label == f.plain for f in features)
    assert len({f.plain for f in features}) == len(features)
    assert not [f.plain for f in features if "_" in f.plain]
    assert Feature("months_late", "bank").label == "months late"


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


def test_the_ledger_is_what_the_financial_features_are_read_off(society: Society) -> None:
    rows = society.ledger()
    assert len(rows) == 24 * len(society)
    known = society.features["arrears_months"].notna().to_numpy()
    by_person = rows.groupby("person")
    reads = {
        "arrears_months": by_person["missed"].sum(),
        "late_utility_bills": by_person["late_bill"].sum(),
        "enquiries": by_person["enquiry"].sum(),
        "overdrafts": (rows["balance"] == 0).groupby(rows["person"]).sum(),
    }
    for name, values in reads.items():
        assert society.features.loc[known, name].tolist() == values[known].tolist()
    assert np.floor(by_person["income"].mean()).tolist() == society.features["income"].tolist()
    assert (rows["card_debt"] <= rows["card_limit"]).all()
    pd.testing.assert_frame_equal(
        society.ledger(np.array([4, 9])), rows[rows["person"].isin([4, 9])].reset_index(drop=True)
    )


def test_months_later_the_same_people_have_moved_on(society: Society) -> None:
    after = society.later(3)
    moved = changed(society.features, after.features)
    assert {"savings", "groceries", "post_opposition", "browse_news"} <= moved
    assert not moved & {"rent", "operating_system", "email_host", "credit_lines", "account_age", "friends_count"}
    assert np.array_equal(society.default, after.default)
    pd.testing.assert_frame_equal(society.sensitive, after.sensitive)
    assert not society.visits.equals(after.visits)
    assert after.later(2).fingerprint == society.later(5).fingerprint
    # What people do lasts: a month's groceries tell more of the next month's than of a stranger's.
    assert np.corrcoef(society.features["groceries"], after.features["groceries"])[0, 1] > 0.5
    shared = society.ledger(np.array([8]))["income"].to_numpy()[3:]
    np.testing.assert_allclose(after.ledger(np.array([8]))["income"].to_numpy()[:-3], shared)


def test_interventions_stay_in_force_later(society: Society) -> None:
    rows = np.array([2, 3])
    after = society.do({"alcohol": 0.0}, rows).later()
    assert (after.features.loc[rows, "alcohol"] == 0.0).all()
    plain = society.later()
    others = np.setdiff1d(np.arange(len(society)), rows)
    pd.testing.assert_series_equal(plain.features.loc[others, "alcohol"], after.features.loc[others, "alcohol"])


@pytest.mark.parametrize("months", [0, -1, 25])
def test_there_is_no_time_outside_two_years(society: Society, months: int) -> None:
    with pytest.raises(ParameterError, match="months must be 1 or more, and at most 24"):
        society.later(months)


def test_a_whole_population_can_be_put_under_one_conduct(society: Society) -> None:
    after = society.do({"post_opposition": 0.0})
    assert (after.features["post_opposition"] == 0.0).all()
    assert after.features["friends_opposition_posts"].dropna().eq(0.0).all()


def test_conduct_adds_true_credit_signal_and_more_for_thin_files() -> None:
    gains = conduct_gains(make_society(60_000, seed=3))
    assert 0.0 < gains["full"] < 0.03
    assert gains["full"] + 0.01 < gains["thin"] < 0.10


def test_visits_are_modest_and_within_the_week(society: Society) -> None:
    visits = society.visits
    assert (np.bincount(visits["person"]) == 42).all()
    assert visits["hour"].between(0, 167).all()
    assert not visits.duplicated(["person", "hour"]).any()


def test_places_tell_on_those_who_pray(society: Society) -> None:
    friday = society.visits[society.visits["hour"].between(4 * 24 + 11, 4 * 24 + 14)]
    faithful = society.traits["religion"].to_numpy() == 1
    share = [
        friday.loc[faithful[friday["person"]] == who, "place"].value_counts(normalize=True).iloc[0]
        for who in (True, False)
    ]
    assert share[0] > 1.5 * share[1]
