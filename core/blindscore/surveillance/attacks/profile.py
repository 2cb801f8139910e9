"""``profile``: infer what nobody should learn (politics, religion, health, ...) from what a coalition can read.

Attack: the best of several classifiers on the readable columns, on the public register where records carry a legal id,
on visited places and on friends' labels where those are read. Advantage: ``(k BA - 1)/(k - 1)``, BA the balanced
accuracy over the k classes. Control: the same attackers with the public register alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.parties.view import View
from blindscore.surveillance.inference.bound import entropy_bits, finite_view_bound, plug_in_bias
from blindscore.surveillance.inference.classifiers import Guess, cross_entropy_bits, infer
from blindscore.surveillance.inference.evidence import (
    Columns,
    Evidence,
    encode,
    friends_labels,
    friends_of,
    places_labels,
    sightings,
)
from blindscore.surveillance.inference.intervals import Estimate, balanced_advantage, tpr_at_fpr
from blindscore.surveillance.ledger import Row
from blindscore.surveillance.scene import Scene, codes_by_person, public_register
from blindscore.threads import each

Reader = Callable[[View], Evidence]


@dataclass(frozen=True)
class Inference:
    """One attack on one secret, reported on targets."""

    guess: Guess
    advantage: Estimate
    bits: float
    tpr: float | None


@dataclass(frozen=True)
class Profile:
    """Infer each sensitive trait from the readable view."""

    name = "profile"

    def measure(self, scene: Scene) -> list[Row]:
        """Return one row a sensitive column; see :class:`blindscore.surveillance.scene.Capability`."""
        read = reader(scene)
        return each(lambda name: self._row(scene, name, read), scene.population.sensitive.columns)

    def _row(self, scene: Scene, name: str, read: Reader) -> Row:
        attack = infer_trait(scene, name, read)
        bound, reason = _bound(scene, name)
        return Row(
            design=scene.design,
            coalition=scene.coalition.name,
            capability=self.name,
            secret=name,
            attack=attack.guess.attack,
            advantage=attack.advantage.value,
            low=attack.advantage.low,
            high=attack.advantage.high,
            control=public_inference(scene, name).advantage.value,
            tpr_at_fpr_0_001=attack.tpr,
            bits=attack.bits,
            bound=bound,
            reason=reason,
        )


def classes_of(secret: pd.Series) -> NDArray[np.int64]:
    """Return a sensitive column as classes 0..k-1; a missing value is a class of its own."""
    return np.asarray(secret.astype("str").astype("category").cat.codes, np.int64)


def reader(scene: Scene) -> Reader:
    """Return what reads a view as evidence, each view once: for whoever asks about many traits."""
    return cache(lambda view: Evidence.of(readable(scene, view)))


def infer_trait(scene: Scene, name: str, read: Reader | None = None) -> Inference:
    """Return the coalition's best inference of one trait: the view (of those it cannot join) that served best."""

    def attack(view: View) -> Inference:
        def play() -> Inference:
            evidence = (read or reader(scene))(view)
            return _attack(scene, name, evidence.beside(_labels(scene, view, name)))

        return scene.once(("profile", name, view.digest), play)

    found = [attack(view) for view in scene.views]
    if any(view.named for view in scene.views):
        found.append(public_inference(scene, name))  # whoever holds names can do what the public can
    return min(found, key=lambda inference: inference.guess.loss)


def public_inference(scene: Scene, name: str) -> Inference:
    """Return the control: the same attackers with the public register alone."""
    register = public_register(scene.population)
    return scene.once(("profile", name, "public"), lambda: _attack(scene, name, Evidence.of(encode(register))))


def readable(scene: Scene, view: View) -> Columns:
    """Return what a view says of each person, (n, c), with the public register where it is named; NaN: nothing."""
    table = view.clear[view.values]
    if view.named:  # the name joins the record with the public register
        register = public_register(scene.population)
        more = [c for c in register.columns if c not in table.columns]
        table = pd.concat([table, register[more].iloc[view.person].reset_index(drop=True)], axis=1)
    encoded = encode(table)
    columns = np.full((len(scene.population), encoded.shape[1]), np.nan)
    columns[view.person] = encoded
    return columns


def _labels(scene: Scene, view: View, name: str) -> Columns:
    """Return what auxiliary people's labels say of everybody, over friendships and places that are read."""
    n, secret = len(scene.population), classes_of(scene.population.sensitive[name])
    columns = [np.zeros((n, 0))]
    if view.friends is not None and len(view.friends):
        friends = view.friends
        adjacency = scene.once(("friends", view.ties), lambda: friends_of(friends, n))
        columns.append(friends_labels(adjacency, secret, scene.auxiliary))
    if view.visits is not None and len(view.visits):
        visits = view.visits
        seen = scene.once(("sightings", view.ties), lambda: sightings(visits, n))
        columns.append(places_labels(seen, secret, scene.auxiliary))
    return np.hstack(columns)


def _attack(scene: Scene, name: str, evidence: Evidence) -> Inference:
    secret = classes_of(scene.population.sensitive[name])
    targets = ~scene.auxiliary
    guess = infer(evidence, secret, scene.auxiliary, scene.seed)
    advantage = balanced_advantage(secret[targets], guess.best[targets], scene.rng("profile", name))
    gained = entropy_bits(secret[targets]) - cross_entropy_bits(guess, secret, targets)
    tpr = tpr_at_fpr(secret[targets] == 1, guess.probability[targets, 1]) if guess.probability.shape[1] == 2 else None
    return Inference(guess, advantage, max(0.0, gained), tpr)


def _bound(scene: Scene, name: str) -> tuple[float | None, str]:
    """Return the bound of the finite view, or None and why there is none."""
    targets = ~scene.auxiliary
    if any(view.universe is None for view in scene.views):
        return None, "attack only: the view has no small alphabet"
    if any(view.named for view in scene.views):
        return None, "attack only: the record is named, so public knowledge adds to it"
    secret = classes_of(scene.population.sensitive[name])[targets]
    view = scene.views[0]
    code = codes_by_person(scene, view)
    bound = finite_view_bound(code[targets], secret)
    bias = plug_in_bias(code[targets], secret, scene.rng("bound", name))
    return bound, (
        f"no function of a view of {view.universe} values does better on these people (total variation; "
        f"independence alone would read {bias:.3f})"
    )
