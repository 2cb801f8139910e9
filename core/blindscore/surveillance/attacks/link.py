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

import numpy as np
from numpy.typing import NDArray

from blindscore.parties.view import View
from blindscore.surveillance.attacks.join import join_by_values
from blindscore.surveillance.attacks.profile import classes_of, readable
from blindscore.surveillance.coalitions import OBSERVER, TWO_LENDERS, joinable, seen_by, shared_handles, view_of
from blindscore.surveillance.inference.bound import identification_bound
from blindscore.surveillance.inference.classifiers import infer
from blindscore.surveillance.inference.evidence import Evidence
from blindscore.surveillance.inference.intervals import mean_interval
from blindscore.surveillance.ledger import Row
from blindscore.surveillance.scene import (
    Scene,
    codes_by_person,
    public_register,
    row_codes,
)
from blindscore.threads import each

Hits = NDArray[np.float64]  # (targets,) probability that the target's record is named or joined rightly


@dataclass(frozen=True)
class Link:
    """Name the person behind a record; join lender's and source's records."""

    name = "link"

    def measure(self, scene: Scene) -> list[Row]:
        """Return the row on names and, where a lender compares records with a partner, the row on joins."""
        rows = [
            self._row(
                scene, "name", *name_records(scene, seen_by(scene.run, scene.coalition.roles)), _name_bound(scene)
            )
        ]
        if scene.coalition.roles in (("lender", "source"), TWO_LENDERS):
            first, second = (view_of(scene.run, party) for party in scene.coalition.roles)
            hits, attack = _join_views(scene, first, second)
            rows.append(self._row(scene, "join", hits, attack, _join_bound(scene, first, second)))
        return rows

    def _row(self, scene: Scene, secret: str, hits: Hits, attack: str, bound: tuple[float | None, str]) -> Row:
        n = len(hits)
        chance = 1.0 / n
        hit = mean_interval(hits, scene.rng("link", secret))
        advantage, low, high = (max(0.0, (h - chance) / (1.0 - chance)) if n > 1 else 0.0 for h in hit)
        return Row(
            design=scene.design,
            coalition=scene.coalition.name,
            capability=self.name,
            secret=secret,
            attack=attack,
            advantage=advantage,
            low=low,
            high=high,
            control=0.0,  # without a view the register alone names nobody's record better than chance
            bits=float(np.log2(n) * hit.value),
            bound=bound[0],
            reason=bound[1],
        )


def name_records(scene: Scene, views: Sequence[View]) -> tuple[Hits, str]:
    """Return, for each target, the chance that the coalition names its record, and the attack that does it.

    The record is the decider's, where the coalition holds one without a name on it; records that carry the legal id
    serve to name it by a join.
    """
    named = [view for view in views if view.named]
    opaque = [view for view in views if not view.named and view.role != OBSERVER]
    if not opaque and named:
        return np.ones(int((~scene.auxiliary).sum())), "the record carries the legal id"
    attacks = [_name_by_register(scene, view) for view in opaque or views]
    attacks += [_join_views(scene, view, partner) for view in opaque for partner in named]
    return max(attacks, key=lambda attack: float(attack[0].mean()))


def _name_by_register(scene: Scene, view: View) -> tuple[Hits, str]:
    return scene.once(("name", view.digest), lambda: _fit_register(scene, view))


def _fit_register(scene: Scene, view: View) -> tuple[Hits, str]:
    register = public_register(scene.population)
    targets = np.flatnonzero(~scene.auxiliary)
    if register.shape[1] == 0 or not view.values:
        return np.full(len(targets), 1.0 / len(targets)), "chance: nothing to compare"
    evidence = Evidence.of(readable(scene, view))
    cell_of = row_codes(register)
    cells, first = np.unique(cell_of, return_index=True)

    def fits(name: str) -> NDArray[np.float32]:
        quasi = classes_of(register[name])
        if name in view.clear.columns:  # the very same column is in the record: it must agree
            agrees = quasi[targets][:, None] == quasi[first][None, :]
            return np.where(agrees, 0.0, -1e6).astype(np.float32)
        guess = infer(evidence, quasi, scene.auxiliary, scene.seed)
        return np.asarray(np.log(guess.probability / guess.prior)[targets][:, quasi[first]], np.float32)

    fit = np.stack(each(fits, register.columns)).sum(axis=0)
    candidates = np.bincount(cell_of[targets], minlength=len(cells))
    fit[:, candidates == 0] = -np.inf  # the attacker sees from the register that nobody is there
    best = fit.max(axis=1, keepdims=True)
    tied = fit >= best - 1e-6
    among = (tied * candidates).sum(axis=1)
    right = tied[np.arange(len(targets)), cell_of[targets]]
    return right / among, "quasi-identifiers inferred from the record"


def _join_views(scene: Scene, opaque: View, named: View) -> tuple[Hits, str]:
    """Return the chance of finding each target's record of ``opaque`` among the records of ``named``."""
    targets = np.flatnonzero(~scene.auxiliary)
    if opaque.named and named.named:
        return np.ones(len(targets)), "both records carry the legal id"
    shared = shared_handles(opaque, named)
    if shared:  # who shows one handle (or none) is alone with it, or guessed among those alike
        shown = codes_by_person(scene, opaque, shared)
        _, group, size = np.unique(shown[targets], return_inverse=True, return_counts=True)
        return 1.0 / size[group], "both records carry one handle"
    key = ("join", opaque.digest, named.digest)
    return scene.once(key, lambda: _join_by_values(scene, opaque, named))


def _join_by_values(scene: Scene, opaque: View, named: View) -> tuple[Hits, str]:
    first, second = (view.clear[view.values].iloc[np.argsort(view.person)] for view in (opaque, named))
    if not (len(first) == len(second) == len(scene.population)) or first.shape[1] == 0 or second.shape[1] == 0:
        targets = int((~scene.auxiliary).sum())
        return np.full(targets, 1.0 / targets), "chance: nothing to compare"
    return join_by_values(first.reset_index(drop=True), second.reset_index(drop=True), scene.auxiliary)


def _name_bound(scene: Scene) -> tuple[float | None, str]:
    if any(view.named for view in scene.views):
        return None, "attack only: the coalition holds names"
    return _alphabet_bound(scene, scene.views[0])


def _join_bound(scene: Scene, first: View, second: View) -> tuple[float | None, str]:
    if joinable(first, second):
        return None, "attack only: both parties saw one key"
    return _alphabet_bound(scene, first)


def _alphabet_bound(scene: Scene, view: View) -> tuple[float | None, str]:
    if view.universe is None:
        return None, "attack only: the view has no small alphabet"
    people = int((~scene.auxiliary).sum())
    bound = identification_bound(view.universe, people)
    return bound, f"{view.universe} values can tell apart at most {view.universe} of {people} people"
