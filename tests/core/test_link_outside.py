"""Outside registers: what they add stands in rows of its own, and each is used as well as it can be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from blindscore.designs.minimal import Minimal
from blindscore.designs.plain import financial
from blindscore.errors import ParameterError
from blindscore.people.society import make_society
from blindscore.scorecard.scorecard import Scorecard
from blindscore.surveillance.attacks.link import Link
from blindscore.surveillance.attacks.matching import _mutual_best
from blindscore.surveillance.attacks.profile import Profile
from blindscore.surveillance.capability import rows_of
from blindscore.surveillance.frontier import measure
from blindscore.surveillance.ledger import parse_ledger
from blindscore.surveillance.outside import Outside, check_outside, outside_of
from blindscore.surveillance.planted import people, run_with, truth_of, view_of

N = 1500


@pytest.fixture(scope="module")
def society():
    return make_society(people=2000, seed=5)


def named(population, view, outside):
    truth = replace(truth_of(population, run_with(population, view)), outside=outside)
    return next(row for row in rows_of(Link(), truth, ["name"]) if row.secret == "name")


def pseudonymous(society, **more):
    """Return what whoever knows people by a number of its own holds of them: financial figures, income to the euro."""
    return view_of(society, dict(society.features[financial(society)].items()), "pairwise", **more)


def test_a_tax_roll_with_the_same_figure_names_more_than_equality_alone(society):
    roll, view = outside_of(society, "tax roll"), pseudonymous(society)
    row = named(society, view, roll)
    truth = truth_of(society, run_with(society, view))
    income = society.features["income"][truth.targets]
    alone = float((1.0 / income.groupby(income).transform("size")).mean())  # whoever has that income, by chance
    assert row.advantage > alone + 0.02
    assert row.outside == "tax roll"
    without = named(society, view, None)
    assert without.advantage < 0.01
    assert without.outside == ""


def test_an_outside_friend_list_names_most_people_and_a_list_of_other_people_nobody(society):
    view = pseudonymous(society, friends=society.friends)
    listed = outside_of(society, "friend list")
    row = named(society, view, listed)
    assert row.low > 0.85
    assert "friends matched" in row.attack
    rng = np.random.default_rng(1)
    elsewhere = np.sort(rng.permutation(len(society)).astype(np.int32)[listed.ties], axis=1)
    assert named(society, view, replace(listed, ties=elsewhere)).high < 0.02


def test_places_and_friends_in_the_view_itself_name_more_than_figures_alone(society):
    """A record without a name, but with sightings, gives the region away: left out of the attack before."""
    plain = named(society, pseudonymous(society), None)
    told = named(society, pseudonymous(society, friends=society.friends, visits=society.visits), None)
    assert told.low > 3 * plain.high


def test_names_tell_of_a_secret_and_count_as_public_for_whoever_has_them():
    population = people(N)
    party = population.sensitive["party"].to_numpy()
    given = pd.DataFrame({"name": np.where(party == 1, "a", "b")})
    view = view_of(population, {"x": np.random.default_rng(2).normal(size=N)}, "legal id")
    truth = truth_of(population, run_with(population, view))
    without, with_names = (rows_of(Profile(), replace(truth, outside=o))[0] for o in (None, Outside("names", given)))
    assert without.low <= 0 <= without.high
    assert with_names.low > 0.95
    assert with_names.control > 0.95  # so nothing of it is the design's doing


def test_each_register_has_rows_of_its_own_and_changes_no_other():
    few, attacks = make_society(people=400, seed=2), [Link()]
    bare, brought = (
        measure(few, [Minimal()], Scorecard(), seed=2, command="c", capabilities=attacks, outside=outside)
        for outside in ([], ["names", "tax roll"])
    )
    assert bare.rows == brought.rows
    assert {row.outside for row in brought.outside} == {"names", "tax roll"}
    assert len(brought.outside) == 2 * len(bare.rows)
    assert not any(row.removed for row in brought.outside)
    assert brought.meta["outside"] == ["names", "tax roll"]
    assert parse_ledger(brought.to_dict()).outside == brought.outside


def test_the_worst_placed_person_and_a_crowd_of_a_thousand_stand_beside_the_mean():
    """A share of people named on the mean says nothing of the one who is alone with a total."""
    population = people(3000)
    score = np.full(3000, 600)
    truth = truth_of(population, run_with(population, view_of(population, {"score": score})))
    alone = np.flatnonzero(truth.targets)[:3]
    score[alone] = 700, 701, 701
    row = named(population, view_of(population, {"score": score}, universe=601), None)
    assert row.worst_bound == 1.0
    assert row.few == 3
    assert row.advantage < 0.01
    assert row.worst <= row.worst_bound
    sure = named(population, view_of(population, dict(population.register.drop(columns="legal_id").items())), None)
    assert sure.in_crowd > sure.advantage  # among fewer people more are alone with what they show
    smaller = people(1250)
    again = named(smaller, view_of(smaller, dict(smaller.register.drop(columns="legal_id").items())), None)
    assert sure.in_crowd == pytest.approx(again.advantage, abs=0.03)  # 1,000 targets of 3,000 or of 1,250 people


def test_pairs_that_hold_each_other_best_are_given_to_each_other_once():
    row, column = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 0, 1, 0])
    given = _mutual_best(row, column, np.array([5.0, 4.0, 4.5, 1.0, 3.0]), 3)
    assert given.tolist() == [0, 1, -1]


def test_an_unknown_register_is_refused_with_the_known_ones():
    with pytest.raises(ParameterError, match="no outside register is called gossip; there are tax roll"):
        check_outside(["gossip"])
    assert check_outside(["names", "names"]) == ("names",)
