"""Questions that are put to an attacker: pairs of people, sightings left out, the same people months later.

This is the experimenter's side: it knows the answers, and what it hands out does not hold them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.parties.view import View
from blindscore.people.population import Population
from blindscore.surveillance.knowledge import Pairs, Places
from blindscore.surveillance.memo import Memo

MOST_PAIRS = 6000  # of each kind, on each side
HELD_OUT = 0.2  # share of sightings


@runtime_checkable
class Recurring(Protocol):
    """A population whose people can be met again months later."""

    def later(self, months: int = 1) -> Population:
        """Return the same people some months on."""
        ...


@dataclass(frozen=True)
class HeldOut:
    """Sightings that are asked for: a fifth of everybody's."""

    public: Places
    right: NDArray[np.int64]  # (asked,) the places
    kept: pd.DataFrame  # all others

    def kept_in(self, view: View) -> View:
        """Return a view without the sightings that are asked for."""
        return view if view.visits is None else replace(view, visits=self.kept)


def held_out(population: Population, auxiliary: NDArray[np.bool_], rng: np.random.Generator) -> HeldOut | None:
    """Return the sightings to be asked for, of targets; None where nobody's sightings are known."""
    visits = population.visits
    if visits is None or len(visits) == 0:
        return None
    held = rng.random(len(visits)) < HELD_OUT
    known = auxiliary[visits["person"].to_numpy()]
    asked = visits[held & ~known]
    right = asked["place"].to_numpy(np.int64)
    return HeldOut(Places(visits[known], asked[["person", "hour"]]), right, visits[~held])


def pairs_of(
    population: Population,
    views: Sequence[View],
    auxiliary: NDArray[np.bool_],
    rng: np.random.Generator,
    memo: Memo,
) -> Pairs | None:
    """Return the pairs that a coalition is asked about: friendships that it does not read, if there are any.

    None where nobody's friendships are known.
    """
    friends = population.friends
    if friends is None or len(friends) == 0:
        return None
    n = len(population)
    edge = friends[:, 0].astype(np.int64) * n + friends[:, 1]
    shown = [v.friends[:, 0].astype(np.int64) * n + v.friends[:, 1] for v in views if v.friends is not None]
    hidden = friends[~np.isin(edge, np.concatenate(shown))] if shown else friends
    asked = hidden if len(hidden) else friends
    key = ("pairs", len(hidden))
    return memo.once(key, lambda: replace(draw_pairs(n, auxiliary, rng, friends, asked), hidden=len(hidden) > 0))


def draw_pairs(
    n: int,
    auxiliary: NDArray[np.bool_],
    rng: np.random.Generator,
    friends: NDArray[np.int32],
    asked: NDArray[np.int32],
) -> Pairs:
    """Return friends and strangers: pairs within the auxiliary people to learn from, within targets to be judged on.

    Parameters
    ----------
    friends : (m, 2) int32, everybody's, so that no stranger is a friend
    asked : (a, 2) int32, those of them that are to be found
    """
    edges = set((friends[:, 0].astype(np.int64) * n + friends[:, 1]).tolist())
    kept: list[NDArray[np.int64]] = []
    labels, sides = [], []
    for side in (True, False):
        members = np.flatnonzero(auxiliary == side)
        within = asked[(auxiliary[asked] == side).all(axis=1)].astype(np.int64)
        within = within[rng.permutation(len(within))[:MOST_PAIRS]]
        strangers = np.sort(rng.choice(members, size=(2 * len(within) + 10, 2)), axis=1)
        fresh = [a < b and int(a * n + b) not in edges for a, b in strangers]
        strangers = strangers[fresh][: len(within)]
        kept += [within, strangers]
        labels += [np.ones(len(within), np.int64), np.zeros(len(strangers), np.int64)]
        sides += [np.full(len(within) + len(strangers), side)]
    both = np.vstack(kept)
    return Pairs(both[:, 0], both[:, 1], np.concatenate(labels), np.concatenate(sides), hidden=True)


def recurring(
    population: Population, view_in: Callable[[Population, View], View], memo: Memo
) -> Callable[[View, int], list[View]] | None:
    """Return how to see a view in each of so many months, the first included; None where people do not come back."""
    if not isinstance(population, Recurring):
        return None
    again = population.later

    def months(view: View, count: int) -> list[View]:
        later = memo.once(("later", count), lambda: [_without_places(again(month)) for month in range(1, count)])
        return [view, *(view_in(people, view) for people in later)]

    return months


def _without_places(people: Population) -> Population:
    """Return people without their sightings, which no later view shows: they are most of what a month holds."""
    return replace(people, visits=None)
