"""An attack has what its coalition knows, and no way to the truth."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import get_args

import numpy as np
import pandas as pd
import pytest

from blindscore.designs.design import PUBLIC_CARD, Run
from blindscore.people.population import Population
from blindscore.people.society import make_society
from blindscore.surveillance.attacks.registry import OWN
from blindscore.surveillance.attacks.remember import Remember
from blindscore.surveillance.attacks.repeat import Repeat
from blindscore.surveillance.capability import Capability
from blindscore.surveillance.inference.classifiers import Guess
from blindscore.surveillance.knowledge import UNKNOWN, Knowledge, Need
from blindscore.surveillance.planted import run_with, truth_of, view_of
from blindscore.surveillance.truth import DECISION, MEMBERSHIP, Truth

N = 400
SHORT = {Remember: Remember(shadows=2), Repeat: Repeat(months=2)}
CAPABILITIES = [SHORT.get(kind) or kind() for kind in OWN]


class Hidden:
    """What an attack did not declare to need: whoever touches it fails."""

    def __getattribute__(self, name):
        raise AssertionError(f"an attack asked for {name} of what it did not declare")

    def __call__(self, *given):
        raise AssertionError("an attack called what it did not declare")


def society(seed=5):
    return make_society(N, seed=seed, secrets=("party", "illness"))


def truth(population, roles=("scorer",), enforces=(), **changes):
    lender = view_of(population, {"income": population.features["income"], "score": np.arange(N) % 70})
    source = view_of(population, {"debt": population.features.iloc[:, 1]}, "legal id", role="source")
    scores = np.where(np.arange(N) % 3 == 0, 500, 600).astype(np.int16)
    given = {"scores": scores, "decisions": scores >= 550, "rescore": lambda people: scores[: len(people)]} | changes
    return truth_of(population, run_with(population, lender, source, **given), roles, enforces=frozenset(enforces))


def all_that_is_found_in(thing, depth=0):
    """Yield every object that an attack can reach from its knowledge by looking, not by calling."""
    yield thing
    if depth > 6:
        return
    if is_dataclass(thing):
        parts = [getattr(thing, field.name) for field in fields(thing)]
    elif isinstance(thing, dict | pd.DataFrame):
        parts = list(thing.values()) if isinstance(thing, dict) else []
    elif isinstance(thing, list | tuple | set | frozenset):
        parts = list(thing)
    else:
        parts = list(vars(thing).values()) if hasattr(thing, "__dict__") and not callable(thing) else []
    for part in parts:
        if not isinstance(part, pd.DataFrame | pd.Series | np.ndarray):
            yield from all_that_is_found_in(part, depth + 1)


@pytest.mark.parametrize("needs", [(), get_args(Need)])
def test_neither_people_nor_run_nor_truth_lie_in_what_a_coalition_knows(needs):
    told = truth(society(), ("scorer", "source"))
    told.classes("party")
    told.pairs()
    knowledge = told.knowledge(needs)
    reached = list(all_that_is_found_in(knowledge))
    assert any(thing is knowledge.views[0] for thing in reached)
    assert not [thing for thing in reached if isinstance(thing, Population | Run | Truth)]


def test_of_targets_no_secret_no_friendship_and_no_place_asked_for_is_told():
    told = truth(society(), ("scorer", "source"))
    knowledge, targets = told.knowledge(get_args(Need)), told.targets
    assert set(knowledge.labels) == {"party", "illness", DECISION, MEMBERSHIP}
    for labels in knowledge.labels.values():
        assert set(labels.code[targets]) == {UNKNOWN}
        assert UNKNOWN not in labels.code[~targets]
    assert set(knowledge.pairs.friends[~knowledge.pairs.auxiliary]) == {UNKNOWN}
    assert list(knowledge.places.asked.columns) == ["person", "hour"]
    assert told.auxiliary[knowledge.places.known["person"]].all()


def test_sightings_that_are_asked_for_are_left_out_of_every_view():
    population = society()
    lender = view_of(population, {"x": np.zeros(N)}, visits=population.visits)
    told = truth_of(population, run_with(population, lender))
    knowledge = told.knowledge({"places"})
    kept, asked = knowledge.views[0].visits, knowledge.places.asked
    assert len(kept) < len(population.visits)
    assert not set(kept.index) & set(asked.index)
    assert len(told.knowledge().views[0].visits) == len(population.visits)


def test_what_is_not_declared_is_not_given():
    knowledge = truth(society()).knowledge()
    assert (knowledge.pairs, knowledge.places, knowledge.months, knowledge.records) == (None, None, None, None)


def test_the_card_is_known_to_whoever_scores_and_to_all_where_it_is_public():
    population = society()
    assert truth(population, ("scorer",)).knowledge().published.card is not None
    assert truth(population, ("source",)).knowledge().published.card is None
    assert truth(population, ("source",), [PUBLIC_CARD]).knowledge().published.card is not None
    assert truth(population, ("source",)).knowledge({"records"}).records.train is None


def test_what_one_attack_worked_out_of_the_truth_no_other_can_ask_for():
    told = truth(society())
    right = told.classes("party")
    asked = told.knowledge().once(("classes", "party"), lambda: "nothing")
    assert asked == "nothing"
    assert len(right) == N


def flipped(population, auxiliary):
    """Return the same people with every secret of the targets turned round."""
    sensitive = population.sensitive.copy()
    for name in sensitive:
        column = sensitive[name].to_numpy().copy()
        column[~auxiliary] = np.roll(column[~auxiliary], 7)
        sensitive[name] = column
    history = population.history.copy()
    history[~auxiliary] = ~history[~auxiliary]
    return replace(population, sensitive=sensitive, history=history)


def same(one, other):
    if isinstance(one, Guess):
        return bool((one.probability == other.probability).all()) and one.attack == other.attack
    if is_dataclass(one):
        return all(same(getattr(one, f.name), getattr(other, f.name)) for f in fields(one))
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return np.array_equal(one, other, equal_nan=False) if isinstance(one, np.ndarray) else one == other


@pytest.mark.parametrize("capability", CAPABILITIES, ids=lambda capability: capability.name)
@pytest.mark.parametrize("roles", [("scorer",), ("source",), ("observer",)], ids="+".join)
def test_an_attack_touches_only_what_it_declared_and_its_guess_hangs_on_no_targets_secret(capability, roles):
    assert isinstance(capability, Capability)
    population = society()
    told = truth(population, roles)
    other_truth = truth(
        flipped(population, told.auxiliary),
        roles,
        decisions=np.where(told.auxiliary, told.run.decisions, ~told.run.decisions),
    )

    def guess_of(told, secret):
        hidden = {"pairs", "places", "months", "records"} - capability.needs
        knowledge = replace(told.knowledge(capability.needs), **dict.fromkeys(hidden, Hidden()))
        guess = capability.attack(knowledge, secret)
        return capability.otherwise(knowledge, secret) if guess is None else guess

    secrets = capability.secrets(told)
    assert secrets
    for secret in secrets[:2]:
        assert same(guess_of(told, secret), guess_of(other_truth, secret)), secret


def test_knowledge_that_is_not_there_cannot_be_used():
    knowledge = replace(truth(society()).knowledge(), records=Hidden())
    assert isinstance(knowledge, Knowledge)
    with pytest.raises(AssertionError, match="did not declare"):
        Remember(shadows=2).attack(knowledge, MEMBERSHIP)
