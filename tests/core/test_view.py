"""A view says what each of its columns is, and coalitions are any roles of a run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from blindscore.designs.plain import columns_of
from blindscore.errors import ParameterError
from blindscore.parties.view import Column, View, columns, empty_view
from blindscore.surveillance.coalitions import coalitions_of, pool, seen_by, view_of
from blindscore.surveillance.planted import people, run_with
from blindscore.surveillance.planted import view_of as planted

N = 60
TABLE = pd.DataFrame({"key": range(N), "money": np.arange(N) % 7, "points": 1})
TOLD = (Column("key", "handle"), Column("money", "feature"), Column("points", "score"))


def view(told=TOLD, **changes):
    return View("lender", "one-time", TABLE, told, **({"person": np.arange(N)} | changes))


@pytest.mark.parametrize(
    ("told", "changes", "says"),
    [
        (TOLD[:2], {}, "columns say"),
        (TOLD[::-1], {}, "columns say"),
        ((*TOLD[:2], Column("points", "points")), {}, "no known kind"),
        (TOLD, {"person": np.arange(N - 1)}, "say whose each is"),
        ((*TOLD[:2], Column("points", "score", -1)), {}, "fewer than no days"),
    ],
)
def test_a_view_that_does_not_say_what_it_holds_is_refused(told, changes, says):
    with pytest.raises(ParameterError, match=says):
        view(told, **changes)


def test_a_column_named_twice_is_refused():
    with pytest.raises(ParameterError, match="named twice"):
        View("lender", "one-time", TABLE[["money", "money"]], columns("feature", ["money", "money"]), np.arange(N))


def test_what_a_column_is_hangs_on_its_kind_and_not_on_its_name():
    odd = view((Column("key", "feature"), Column("money", "decision"), Column("points", "handle")))
    assert odd.values == ["key", "money"]
    assert odd.of("handle") == ["points"]
    assert odd.varying("decision", "score") == ["money"]
    assert view().digest != view((TOLD[0], Column("money", "score"), TOLD[2])).digest
    other_keys = View("lender", "one-time", TABLE.assign(key=range(N, 0, -1)), TOLD, np.arange(N))
    assert view().digest == other_keys.digest  # a key tells nobody apart by what it says


def test_columns_of_the_people_are_known_and_others_must_be_said():
    population = people(N)
    clear = population.register.assign(income=population.features["income"], mine=1)
    told = {c.name: c.kind for c in columns_of(population, clear, mine="total")}
    assert (told["legal_id"], told["street"], told["income"], told["mine"]) == (
        "handle",
        "register",
        "feature",
        "total",
    )
    with pytest.raises(ParameterError, match="columns mine"):
        columns_of(population, clear)


def test_a_run_refuses_a_view_under_another_role_and_a_party_that_plays_one_role_twice():
    population = people(N)
    run = run_with(population, planted(population, {"x": np.zeros(N)}))
    with pytest.raises(ParameterError, match="under the role 'source'"):
        replace(run, views={**run.views, "source": run.views["lender"]})
    with pytest.raises(ParameterError, match="name each role once"):
        replace(run, plays={"bank": ("lender", "scorer"), "other": ("lender",)})
    with pytest.raises(ParameterError, match="name each role once"):
        replace(run, plays={"bank": ("helper",)})


def all_of(run, feared=()):
    return {coalition.name: coalition for coalition in coalitions_of(run, feared)}


def test_every_party_every_pair_all_and_whom_a_design_fears_are_coalitions():
    population = people(N)
    lender, helper = (planted(population, {"x": np.arange(N)}, role=role) for role in ("lender", "helper"))
    run = run_with(population, lender, planted(population, {"y": np.arange(N)}, role="source"))
    run = replace(run, views={**run.views, "helper": helper})
    found = all_of(run, [("helper", "source", "lender")])
    assert {"helper", "lender+helper", "observer+helper", "scorer+state", "lender+source+helper", "all"} <= set(found)
    assert found["all"].roles == ("scorer", "lender", "source", "state", "observer", "helper")
    with pytest.raises(ParameterError, match="auditor"):
        all_of(run, [("lender", "auditor")])


def test_whoever_adds_nothing_leaves_a_coalition_as_strong_as_it_was():
    population = people(N)
    run = run_with(population, planted(population, {"x": np.arange(N)}))  # one lender that scores, and no source
    found = all_of(run)
    assert found["lender"].same_as == "scorer"  # the run says that they are one party
    assert found["lender+state"].same_as == "scorer"  # the state has no view
    assert found["scorer+state"].same_as == ""  # an order reads what is stored
    apart = replace(run, plays={})
    assert all_of(apart)["lender"].same_as == ""
    assert len(seen_by(run, ("scorer", "lender"))) == 1
    assert len(seen_by(apart, ("scorer", "lender"))) == 2


def test_a_party_without_a_view_still_guesses():
    population = people(N)
    run = run_with(population, planted(population, {"x": np.arange(N)}))
    (state,) = pool(run, ("state",))
    assert (state.role, state.values, state.universe, len(state.person)) == ("state", [], 1, N)
    assert view_of(run, "state").digest == empty_view("state", N).digest
