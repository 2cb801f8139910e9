"""``link``: name the person behind a record, or join two parties' records of one person.

Attack on names: where records carry no legal id, learn on auxiliary people how each quasi-identifier of the public
register depends on the readable columns, and name the person of the register whose quasi-identifiers fit best; equal
columns must agree exactly. Attack on joins: shared keys, else what the records say
(:mod:`blindscore.surveillance.attacks.join`). Ties are broken by chance; the hit rate is the exact expectation over
them.
Advantage: ``(hit - 1/n)/(1 - 1/n)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.parties.view import View
from blindscore.surveillance.attacks.join import join_by_values
from blindscore.surveillance.attacks.profile import readable
from blindscore.surveillance.capability import Absent, Capability
from blindscore.surveillance.coalitions import STATE, joinable, seen_by, shared_handles
from blindscore.surveillance.inference.bound import Bound, crowd_bound, crowd_words
from blindscore.surveillance.inference.classifiers import infer
from blindscore.surveillance.inference.evidence import Evidence
from blindscore.surveillance.inference.intervals import mean_interval
from blindscore.surveillance.knowledge import Knowledge, Labels, codes_by_person, row_codes
from blindscore.surveillance.ledger import Row
from blindscore.surveillance.truth import Truth
from blindscore.threads import each

Hits = NDArray[np.float64]  # (targets,) probability that the target's record is named or joined rightly


@dataclass(frozen=True)
class Naming:
    """For each target's record, the cells of the register that fit it best: any of their people is named by chance."""

    fits: NDArray[np.uint8]  # (targets, ceil(cells / 8)), bits
    cell_of: NDArray[np.int64]  # (n,) cell of each person of the register
    among: NDArray[np.int64]  # (targets,) people in the cells that fit

    def hits(self, truth: Truth) -> Hits:
        """Return each record's chance of being named rightly."""
        own = self.cell_of[truth.targets]
        rows = np.arange(len(own))
        return (self.fits[rows, own // 8] >> (7 - own % 8) & 1) / self.among


@dataclass(frozen=True)
class Found:
    """Records that were named or joined, and how."""

    attack: str
    named: Naming | Hits | None  # a join's chances are computed as it is made; None where there is nothing to name

    def hits(self, truth: Truth) -> Hits:
        """Return each target's chance of being found."""
        if isinstance(self.named, Naming):
            return self.named.hits(truth)
        return np.zeros(int(truth.targets.sum())) if self.named is None else self.named


@dataclass(frozen=True)
class Link(Capability):
    """Name the person behind a record; join two parties' records of one person."""

    name = "link"
    question = "put your name to a record"
    order = 20
    quick = True

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
        hits, attack = best_of(truth, guess)
        n = len(hits)
        chance = 1.0 / n
        hit = mean_interval(hits, truth.rng("link", secret))
        advantage, low, high = (max(0.0, (h - chance) / (1.0 - chance)) if n > 1 else 0.0 for h in hit)
        return Row(
            design=truth.design,
            coalition=truth.coalition.name,
            capability=self.name,
            secret=secret,
            attack=attack,
            advantage=advantage,
            low=low,
            high=high,
            control=0.0,  # without a view the register alone names nobody's record better than chance
            bits=float(np.log2(n) * hit.value),
            reason=reason,
        ).bounded(bound)


def _records(views: Sequence[View]) -> list[View]:
    """Return the views that are records of people, not merely what travelled on a line."""
    return [view for view in views if view.of("feature", "register", "score", "total", "decision", "handle")]


def _joined(views: Sequence[View]) -> list[tuple[View, View]]:
    """Return the pairs of records that different parties hold; the one without names first."""
    pairs = combinations(_records(views), 2)
    return [(second, first) if first.named and not second.named else (first, second) for first, second in pairs]


def best_of(truth: Truth, ways: Sequence[Found]) -> tuple[Hits, str]:
    """Return the chances of the way that finds most, and what it is."""
    return max(((way.hits(truth), way.attack) for way in ways), key=lambda way: float(way[0].mean()))


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
    return ways + [_join_views(knowledge, view, partner) for view in opaque for partner in named]


def name_by_register(knowledge: Knowledge, view: View) -> Found:
    """Return how the register names the records of a view: by what they say of its quasi-identifiers."""
    return knowledge.once(("name", view.digest), lambda: _fit_register(knowledge, view))


def _fit_register(knowledge: Knowledge, view: View) -> Found:
    register, auxiliary = knowledge.register, knowledge.auxiliary
    targets = np.flatnonzero(~auxiliary)
    if register.shape[1] == 0 or not view.values:
        return Found("chance: nothing to compare", np.full(len(targets), 1.0 / len(targets)))
    evidence = Evidence.of(readable(knowledge, view))
    cell_of = row_codes(register)
    cells, first = np.unique(cell_of, return_index=True)

    def fits(name: str) -> NDArray[np.float32]:
        quasi = _classes(register[name], register[name])  # whoever is without an entry there is known to be
        if name in view.clear.columns:  # the very same column is in the record: it must agree
            held = np.full(len(quasi), -1, np.int64)
            held[view.person] = _classes(register[name], view.clear[name])
            agrees = held[targets][:, None] == quasi[first][None, :]
            return np.where(agrees, 0.0, -1e6).astype(np.float32)
        labels = Labels(np.where(auxiliary, quasi, -1), int(quasi.max()) + 1)
        guess = infer(evidence, labels, auxiliary, knowledge.seed)
        return np.asarray(np.log(guess.probability / guess.prior)[targets][:, quasi[first]], np.float32)

    fit = np.stack(each(fits, register.columns)).sum(axis=0)
    candidates = np.bincount(cell_of[targets], minlength=len(cells))
    fit[:, candidates == 0] = -np.inf  # the attacker sees from the register that nobody is there
    tied = fit >= fit.max(axis=1, keepdims=True) - 1e-6
    among = np.asarray(tied.astype(np.float32) @ candidates.astype(np.float32), np.int64)  # exact below 2^24
    naming = Naming(np.packbits(tied, axis=1), cell_of, among)
    return Found("quasi-identifiers inferred from the record", naming)


def _classes(register: pd.Series, held: pd.Series) -> NDArray[np.int64]:
    """Return the class that each value has in the register; -1 for a value that nobody has there."""
    known = register.astype("str").astype("category").cat.categories
    return np.asarray(known.get_indexer(pd.Index(held.astype("str"))), np.int64)


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
