"""What a card tells of the people who trained it: enough heads a bin, rare categories pooled, noise left out."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from blindscore.errors import DataError, ParameterError
from blindscore.scorecard.quality import auc
from blindscore.scorecard.scorecard import Scorecard

METHODS = ["sparse", "woe"]


def society(n=4000, seed=1):
    """Three numbers and a job that tell of default, and gaps."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3))
    job = rng.choice(list("abcd"), n)
    risk = -1.5 + 1.2 * x[:, 0] - 0.8 * x[:, 1] + np.select([job == k for k in "abcd"], [-0.8, 0.0, 0.4, 1.0])
    people = pd.DataFrame(x, columns=["u", "v", "w"]).assign(job=job)
    people.loc[rng.random(n) < 0.1, "u"] = np.nan
    return people, rng.random(n) < 1 / (1 + np.exp(-risk))


@pytest.fixture(scope="module")
def without_noise():
    people, bad = society()
    new, outcome = society(seed=2)
    return {m: auc(outcome, -Scorecard(m).fit(people, bad).decision_function(new)) for m in METHODS}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("levels", "least"), [(40, {}), (700, {"least_count": 1, "least_share": 0.0}), (4000, {})], ids=str
)
def test_a_category_of_pure_noise_costs_nothing_at_any_number_of_levels(without_noise, method, levels, least):
    people, bad = society()
    new, outcome = society(seed=2)
    rng = np.random.default_rng(3)
    words = np.array([f"firm {k}" for k in range(levels)])
    people["firm"] = rng.choice(words, len(people)) if levels < 4000 else words
    new["firm"] = rng.choice(words, len(new))
    card = Scorecard(method, **least).fit(people, bad)
    assert auc(outcome, -card.decision_function(new)) > without_noise[method] - 0.003


def employers(seed=0):
    """5,000 people, most of them with eight large employers, 647 with a firm of their own; none tells of default."""
    rng = np.random.default_rng(seed)
    people, bad = society(5000, seed)
    firm = rng.choice([f"large {k}" for k in range(8)], 5000).astype(object)
    alone = rng.permutation(5000)[:647]
    firm[alone] = [f"firm {k}" for k in range(647)]
    return people.assign(firm=firm), bad, alone


@pytest.mark.parametrize("method", METHODS)
def test_outcomes_of_one_person_firms_cannot_be_read_off_the_card(method):
    people, bad, alone = employers()
    bad = bad.copy()
    bad[np.char.startswith(people.firm.to_numpy().astype(str), "large 0")] = True  # so that the feature is on the card
    card = Scorecard(method).fit(people, bad)
    firm = next(c for c in card.card_.characteristics if c.feature == "firm")
    assert not any("firm" in name for group in firm.groups for name in group)
    assert len(set(card.explain(people.iloc[alone])["firm"])) == 1
    assert card.least_ == 50
    assert card.smallest_.people >= 50
    told = card.table()
    assert told[told.people < 50].bad_rate.isna().all()
    loose = Scorecard(method, least_count=1, least_share=0.0, unknown="error").fit(people, bad).card_
    assert any("firm 1" in group for c in loose.characteristics if c.feature == "firm" for group in c.groups)


@pytest.mark.parametrize("method", METHODS)
def test_every_bin_that_says_something_holds_the_least_head_count(method):
    people, bad = society()
    people["u"] = people.u.where(~(people.u < -2.4), -999.0)  # a special code of few people
    people.loc[:4, "w"] = np.nan  # a gap of five
    card = Scorecard(method, special={"u": [-999.0]}, least_count=150).fit(people, bad)
    counts = {c.feature: (c, card.counts_[c.feature].sum(axis=1)) for c in card.card_.characteristics}
    for c, own in counts.values():
        plain = own[list(c.plain_bins)]
        assert (plain[plain > 0] >= 150).all()
        assert all(c.woe[k] == 0 for k in np.flatnonzero(own < 150))
    assert counts["u"][1][next(iter(counts["u"][0].codes))] < 150


@pytest.mark.parametrize("method", METHODS)
def test_what_happened_to_the_few_of_a_special_code_cannot_be_told_from_its_points(method):
    people, bad = society()
    people.loc[:19, "u"], people.loc[20:39, "u"] = -999.0, -998.0
    bad[:20], bad[20:40] = True, False
    card = Scorecard(method, special={"u": [-999.0, -998.0]}).fit(people, bad)
    points = card.explain(people.iloc[[0, 20]])["u"]
    assert abs(points[0] - points[1]) <= 1
    loose = Scorecard(method, special={"u": [-999.0, -998.0]}, least_count=1, least_share=0.0).fit(people, bad)
    points = loose.explain(people.iloc[[0, 20]])["u"]
    assert points[1] - points[0] > 40


@pytest.mark.parametrize(("unknown", "expected"), [("neutral", "neutral"), ("missing", "missing"), ("error", "error")])
def test_a_category_that_turns_up_later_meets_the_cards_policy(unknown, expected):
    people, bad = society()
    people.loc[:300, "job"] = None
    card = Scorecard(unknown=unknown).fit(people, bad)
    job = next(c for c in card.card_.characteristics if c.feature == "job")
    assert job.unknown == expected
    new = people.tail(3).assign(job=["a", "tent", "tent"])
    if unknown == "error":
        with pytest.raises(DataError, match="job"):
            card.score_points(new)
        return
    own = card.explain(new)["job"].tolist()
    assert own[1] == own[2]
    assert card.unknown_categories(new) == {"job": 2}
    gap = card.explain(new.assign(job=None))["job"].iloc[0]
    average = np.mean(card.explain(people[people.job.notna()])["job"])
    assert own[1] == (gap if unknown == "missing" else pytest.approx(average, abs=2))


def test_cuts_groups_and_locks_are_kept():
    people, bad = society()
    by_hand = {"cuts": {"u": [-1, 0.5, 1], "w": [0.25]}, "groups": {"job": [["a", "b"], ["c"]]}}
    for method in METHODS:
        locked = Scorecard(method, **by_hand, locked=["u", "job"]).fit(people, bad).card_
        found = {c.feature: c for c in locked.characteristics}
        assert found["u"].edges == (-1, 0.5, 1)
        assert found["job"].groups == (("a", "b"), ("c",), ())
        assert found["job"].other == 2
        free = Scorecard(method, **by_hand, max_bins=3).fit(people, bad).card_
        found = {c.feature: c for c in free.characteristics}
        assert set(found["u"].edges) < {-1, 0.5, 1}
        assert set(found["w"].edges if "w" in found else ()) <= {0.25}


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"cuts": {"u": [1, 0]}}, "increasing"),
        ({"cuts": {"u": [np.inf]}}, "finite"),
        ({"cuts": {"job": [1]}}, "holds categories"),
        ({"cuts": {"age": [1]}}, "not there: age"),
        ({"groups": {"u": [["a"]]}}, "holds numbers"),
        ({"groups": {"job": [["a"], ["a", "b"]]}}, "none twice"),
        ({"groups": {"job": [[], ["a"]]}}, "name a category"),
        ({"locked": ["u"]}, "need cuts or groups: u"),
        ({"cuts": {"u": list(range(16))}, "locked": ["u"]}, "at most 16"),
        ({"groups": {"job": [[str(k)] for k in range(16)]}, "locked": ["job"]}, "at most 15"),
        ({"least_count": 0}, "least_count"),
        ({"least_share": 1.0}, "least_share"),
        ({"unknown": "ignore"}, "unknown"),
        ({"monotone": {"u": "up"}}, "monotone"),
        ({"bad": "b"}, "given as bad"),
    ],
)
def test_settings_by_hand_that_cannot_be_are_refused(settings, word):
    people, bad = society(300)
    error = DataError if "bad" in settings else ParameterError
    with pytest.raises(error, match=word):
        Scorecard(**settings).fit(people, bad)


@pytest.mark.parametrize("method", METHODS)
def test_monotone_true_means_whatever_direction_fits(method):
    people, bad = society()
    card = Scorecard(method, monotone=True).fit(people, bad).card_
    for c in card.characteristics:
        if c.groups is None:
            steps = np.diff(c.points[:-1])
            assert (steps >= 0).all() or (steps <= 0).all()


def test_a_weight_of_two_is_the_row_twice_and_of_none_no_row():
    people, bad = society(1500)
    numbers = people[["u", "v", "w"]]
    times = np.random.default_rng(0).integers(0, 4, len(bad))
    rows = np.repeat(np.arange(len(bad)), times)
    exact = Scorecard("woe", least_count=1, least_share=0.0)
    weighted = clone(exact).fit(numbers, bad, sample_weight=times)
    repeated = clone(exact).fit(numbers.iloc[rows], bad[rows])
    assert weighted.card_.n_bins == repeated.card_.n_bins
    np.testing.assert_allclose(weighted.decision_function(numbers), repeated.decision_function(numbers), atol=0.05)
    sparse = Scorecard().fit(people, bad, sample_weight=times)
    twin = Scorecard().fit(people.iloc[rows], bad[rows])
    new, outcome = society(seed=2)
    by_weight, by_rows = (auc(outcome, -card.decision_function(new)) for card in (sparse, twin))
    assert (
        by_weight > by_rows - 0.01
    )  # rows twice on both sides of a split mislead the choice of penalty, weights do not
    plain = Scorecard().fit(people, bad)
    assert Scorecard().fit(people, bad, sample_weight=np.ones(len(bad))).card_ == plain.card_
    heavy = np.where(bad, 5.0, 1.0)
    told = Scorecard().fit(people, bad, sample_weight=heavy).predict_proba(people)[:, 1]
    assert np.average(told, weights=heavy) == pytest.approx(np.average(bad, weights=heavy), abs=0.05)


@pytest.mark.parametrize(
    ("weight", "word"), [([1.0], "one a person"), (-1.0, "0 or more"), (np.nan, "finite"), (0.0, "zero")]
)
def test_weights_that_cannot_be_are_refused(weight, word):
    people, bad = society(200)
    weight = np.full(200, weight) if np.isscalar(weight) else weight
    with pytest.raises(DataError, match=word):
        Scorecard().fit(people, bad, sample_weight=weight)


@pytest.mark.parametrize(
    ("labels", "bad"),
    [
        (("good", "bad"), None),
        (("Fully Paid", "Charged-Off"), None),
        (("paid", "something else"), None),
        (("x", "delinquent"), None),
        (("N", "Y"), None),
        ((1, 2), None),
        (("zebra", "apple"), "apple"),
        ((1, 0), 0),
    ],
)
def test_the_bad_outcome_is_recognised_or_named(labels, bad):
    people, outcome = society(600)
    card = Scorecard("woe", bad=bad).fit(people, np.where(outcome, labels[1], labels[0]))
    assert list(card.classes_) == [labels[0], labels[1]]
    plain = Scorecard("woe").fit(people, outcome)
    assert plain.card_ == card.card_


@pytest.mark.parametrize("labels", [("zebra", "apple"), ("paid", "current"), ("default", "charged off")])
def test_words_that_do_not_tell_which_is_bad_are_refused(labels):
    people, outcome = society(200)
    with pytest.raises(DataError, match="bad="):
        Scorecard("woe").fit(people, np.where(outcome, labels[1], labels[0]))
