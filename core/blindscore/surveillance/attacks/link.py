"""``link``: name the person behind a record, or join two parties' records of one person.

Attack on names: where records carry no legal id, learn on auxiliary people how each quasi-identifier of the public
register depends on the readable columns, and name the person of the register whose quasi-identifiers fit best; equal
columns must agree exactly. Attack on joins: shared keys, else what the records say
(:mod:`blindscore.surveillance.attacks.join`). Ties are broken by chance; the hit rate is the exact expectation over
them. With an outside register its figures stand beside the public ones, and its ties are laid over friendships that the
record shows (:mod:`blindscore.surveillance.attacks.matching`).
Advantage: ``(hit - 1/n)/(1 - 1/n)``, on the mean over people; beside it the same in a crowd of 1,000, and the
worst-placed person: the chance of whoever was found most surely, and the limit of it, one by the number of people who
show what that person shows. How many stand among fewer than five who show the same is ``few``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from blindscore.parties.view import View, columns
from blindscore.surveillance.attacks.join import join_by_values
from blindscore.surveillance.attacks.matching import name_by_friends
from blindscore.surveillance.attacks.naming import Found, name_by_register
from blindscore.surveillance.capability import Absent, Capability
from blindscore.surveillance.coalitions import STATE, joinable, seen_by, shared_handles
from blindscore.surveillance.inference.bound import CROWDS, Bound, crowd_bound, crowd_words
from blindscore.surveillance.inference.intervals import mean_interval
from blindscore.surveillance.knowledge import Knowledge, codes_by_person
from blindscore.surveillance.ledger import Row
from blindscore.surveillance.outside import Outside
from blindscore.surveillance.truth import Truth

FEW = 5  # people who show one record, under which they are few


@dataclass(frozen=True)
class Link(Capability):
    """Name the person behind a record; join two parties' records of one person."""

    name = "link"
    question = "put your name to a record"
    order = 20
    quick = True
    brings = True

    def secrets(self, truth: Truth) -> list[str]:
        """Return two: the name, and the join of two parties' records."""
        return ["name", "join"]

    def attack(self, knowledge: Knowledge, secret: str) -> list[Found] | None:
        """Return every way to name or to join; a coalition with one record of each person has none to join."""
        if secret == "name":
            return ways_to_name(knowledge, knowledge.seen)
        pairs = _joined(knowledge.seen)
        return [_join_views(knowledge, first, second) for first, second in pairs] or None

    def otherwise(self, knowledge: Knowledge, secret: str) -> Absent:
        """Say that there is no second record."""
        state = STATE in knowledge.coalition.roles
        alone = "the state brings no record of its own" if state else "one party holds one record a person"
        return Absent(f"absent data: {alone}; there is no second one to join")

    def judge(self, truth: Truth, secret: str, guess: list[Found]) -> Row:
        """Return the row of the best way."""
        bound, reason = _name_bound(truth) if secret == "name" else _join_bound(truth)
        way = best_of(truth, guess)
        hits = way.hits(truth)
        n = len(hits)
        hit = mean_interval(hits, truth.rng("link", secret))
        advantage, low, high = (_beyond_chance(h, n) for h in hit)
        alike = np.ones(n) if any(view.named for view in truth.views) else _fewest_alike(truth)
        return Row(
            design=truth.design,
            coalition=truth.coalition.name,
            capability=self.name,
            secret=secret,
            attack=way.attack,
            advantage=advantage,
            low=low,
            high=high,
            control=0.0,  # without a view the register alone names nobody's record better than chance
            bits=float(np.log2(n) * hit.value),
            reason=reason,
            in_crowd=_beyond_chance(way.in_crowd(truth), min(n, CROWDS[0])),
            worst=float(hits.max()),
            worst_bound=float(1.0 / alike.min()),
            few=int((alike < FEW).sum()),
        ).bounded(bound)


def _beyond_chance(hit: float, n: int) -> float:
    return max(0.0, (hit - 1.0 / n) / (1.0 - 1.0 / n)) if n > 1 else 0.0


def _fewest_alike(truth: Truth) -> NDArray[np.int64]:
    """Return how many targets show what each target shows, (targets,), in the record that sets it most apart."""

    def alike(view: View) -> NDArray[np.int64]:
        _, group, size = np.unique(truth.codes(view), return_inverse=True, return_counts=True)
        return np.asarray(size[group], np.int64)

    views = _records(truth.views) or truth.views
    fewest: NDArray[np.int64] = np.min(
        [truth.once(("alike", view.digest), partial(alike, view)) for view in views], axis=0
    )
    return fewest


def _records(views: Sequence[View]) -> list[View]:
    """Return the views that are records of people, not merely what travelled on a line."""
    return [view for view in views if view.of("feature", "register", "score", "total", "decision", "handle")]


def _joined(views: Sequence[View]) -> list[tuple[View, View]]:
    """Return the pairs of records that different parties hold; the one without names first."""
    pairs = combinations(_records(views), 2)
    return [(second, first) if first.named and not second.named else (first, second) for first, second in pairs]


def best_of(truth: Truth, ways: Sequence[Found]) -> Found:
    """Return the way that finds most."""
    return max(ways, key=lambda way: float(way.hits(truth).mean()))


def ways_to_name(knowledge: Knowledge, views: Sequence[View]) -> list[Found]:
    """Return how the coalition can name its records.

    The record is the decider's, where the coalition holds one without a name on it; records that carry the legal id
    serve to name it by a join.
    """
    named = [view for view in views if view.named]
    opaque = [view for view in _records(views) if not view.named]
    if not opaque and named:
        return [Found("the record carries the legal id", np.ones(int((~knowledge.auxiliary).sum())))]
    ways = [name_by_register(knowledge, view) for view in opaque or views]
    ways += [_join_views(knowledge, view, partner) for view in opaque for partner in named]
    if knowledge.outside is not None:
        ways += [way for view in opaque for way in _by_outside(knowledge, view, knowledge.outside)]
    return ways


def _by_outside(knowledge: Knowledge, view: View, outside: Outside) -> list[Found]:
    """Return what an outside register adds: a join by its figures where the record has the like, or by its ties."""
    ways = []
    if set(outside.columns) & set(view.clear.columns):
        kinds = columns("register", knowledge.register.columns)
        listed = View("register", "legal id", knowledge.register, kinds, np.arange(len(knowledge), dtype=np.int64))
        ways.append(_join_views(knowledge, view, listed))
    if outside.ties is not None and view.friends is not None:
        ways.append(name_by_friends(knowledge, view, outside.ties))
    return ways


def _join_views(knowledge: Knowledge, opaque: View, other: View) -> Found:
    """Return the chance of finding each target's record of ``opaque`` among the records of ``other``."""
    targets = np.flatnonzero(~knowledge.auxiliary)
    if opaque.named and other.named:
        return Found("both records carry the legal id", np.ones(len(targets)))
    if shared := shared_handles(opaque, other):  # who shows one handle (or none) is guessed among those alike
        shown = codes_by_person(len(knowledge), opaque, shared)
        _, group, size = np.unique(shown[targets], return_inverse=True, return_counts=True)
        return Found("both records carry one handle", 1.0 / size[group])
    key = ("join", opaque.digest, other.digest)
    return knowledge.once(key, lambda: _join_by_values(knowledge, opaque, other))


def _join_by_values(knowledge: Knowledge, opaque: View, other: View) -> Found:
    first, second = (view.clear[view.values].iloc[np.argsort(view.person)] for view in (opaque, other))
    if not (len(first) == len(second) == len(knowledge)) or first.shape[1] == 0 or second.shape[1] == 0:
        targets = int((~knowledge.auxiliary).sum())
        return Found("chance: nothing to compare", np.full(targets, 1.0 / targets))
    hits, attack = join_by_values(first.reset_index(drop=True), second.reset_index(drop=True), knowledge.auxiliary)
    return Found(attack, hits)


def _name_bound(truth: Truth) -> tuple[Bound | None, str]:
    if any(view.named for view in truth.views):
        return None, "attack only: the coalition holds names"
    views = _records(truth.views) or truth.views
    return max((_alphabet_bound(truth, view) for view in views), key=_none_is_most)


def _join_bound(truth: Truth) -> tuple[Bound | None, str]:
    pairs = _joined(seen_by(truth.run, truth.coalition.roles))
    if any(joinable(first, second) for first, second in pairs):
        return None, "attack only: both parties saw one key"
    return max((_alphabet_bound(truth, first) for first, _ in pairs), key=_none_is_most)


def _alphabet_bound(truth: Truth, view: View) -> tuple[Bound | None, str]:
    if view.universe is None:
        return None, "attack only: the view has no small alphabet"
    people = int(truth.targets.sum())
    return crowd_bound(view.universe, people), (
        f"{view.universe} values can tell apart at most {view.universe} people: {crowd_words(view.universe)}"
    )


def _none_is_most(bound: tuple[Bound | None, str]) -> float:
    return float("inf") if bound[0] is None else bound[0].alike
