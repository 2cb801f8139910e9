"""``profile``: infer what nobody should learn (politics, religion, health, ...) from what a coalition can read.

Attack: the best of several classifiers on the readable columns, on the public register where records carry a legal id,
on visited places and on friends' labels where those are read. Advantage: ``(k BA - 1)/(k - 1)``, BA the balanced
accuracy over the k classes. Control: the same attackers with the public register alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from blindscore.parties.view import View
from blindscore.surveillance.attacks.elsewhere import learnt_elsewhere
from blindscore.surveillance.capability import Capability
from blindscore.surveillance.inference.bound import Bound, finite_view_bounds, plug_in_bias
from blindscore.surveillance.inference.classifiers import Guess, infer
from blindscore.surveillance.inference.evidence import (
    Columns,
    Evidence,
    encode,
    friends_labels,
    friends_of,
    places_labels,
    sightings,
)
from blindscore.surveillance.inference.judged import class_row
from blindscore.surveillance.knowledge import Elsewhere, Knowledge, Labels, codes_by_person
from blindscore.surveillance.ledger import Row
from blindscore.surveillance.memo import digest_of
from blindscore.surveillance.truth import Truth


@dataclass(frozen=True)
class Profile(Capability):
    """Infer each sensitive trait from the readable view."""

    name = "profile"
    question = "guess your secrets, such as party or illness"
    order = 10
    quick = True
    brings = True

    def secrets(self, truth: Truth) -> list[str]:
        """Return the sensitive columns."""
        return truth.secrets

    def attack(self, knowledge: Knowledge, secret: str) -> Guess:
        """Return the best inference of one trait; see :func:`infer_trait`."""
        return infer_trait(knowledge, secret)

    def judge(self, truth: Truth, secret: str, guess: Guess) -> Row:
        """Return the row, held against the register alone."""
        row = class_row(truth, self.name, secret, secret, guess, "profile", secret)
        bound, reason = bound_of(truth, secret)
        return replace(row, control=public_advantage(truth, secret), reason=reason).bounded(bound)


def infer_trait(knowledge: Knowledge, secret: str) -> Guess:
    """Return the coalition's best inference of one trait: the view, of its own and of every part, that served best."""

    def attack(view: View) -> Guess:
        def play() -> Guess:
            evidence = knowledge.scratch.once(("evidence", view.digest), lambda: Evidence.of(readable(knowledge, view)))
            labels = knowledge.labels[secret]
            return infer(
                evidence.beside(label_evidence(knowledge, view, labels)), labels, knowledge.auxiliary, knowledge.seed
            )

        return knowledge.once(("profile", knowledge.brought, secret, view.digest), play)

    def abroad(view: View, other: Elsewhere) -> Guess | None:
        key = ("profile, elsewhere", knowledge.brought, secret, view.digest)
        return knowledge.once(key, lambda: learnt_elsewhere(knowledge, view, secret, other))

    found = [attack(view) for view in knowledge.parts]
    if (other := knowledge.elsewhere) is not None:
        found += [guess for view in knowledge.parts if (guess := abroad(view, other)) is not None]
    if knowledge.named:
        found.append(infer_publicly(knowledge, secret))  # whoever holds names can do what the public can
    return min(found, key=lambda guess: guess.loss)


def infer_publicly(knowledge: Knowledge, secret: str) -> Guess:
    """Return the control: the same attackers with the public register alone."""

    def play() -> Guess:
        evidence = Evidence.of(encode(knowledge.register))
        return infer(evidence, knowledge.labels[secret], knowledge.auxiliary, knowledge.seed)

    return knowledge.once(("profile", knowledge.brought, secret, "public"), play)


def public_advantage(truth: Truth, secret: str) -> float:
    """Return what the public register alone achieves against a trait."""

    knowledge = truth.knowledge()

    def play() -> float:
        guess = infer_publicly(knowledge, secret)
        return class_row(truth, "profile", secret, secret, guess, "profile", secret).advantage

    return truth.once(("profile", knowledge.brought, secret, "public advantage"), play)


def readable(knowledge: Knowledge, view: View) -> Columns:
    """Return what a view says of each person, (n, c), with the public register where it is named; NaN: nothing."""
    table = view.clear[view.values]
    if view.named:  # the name joins the record with the public register
        more = [c for c in knowledge.register.columns if c not in table.columns]
        register = knowledge.register[more].iloc[view.person].reset_index(drop=True)
        table = pd.concat([table, register], axis=1)
    encoded = encode(table)
    columns = np.full((len(knowledge), encoded.shape[1]), np.nan)
    columns[view.person] = encoded
    return columns


def label_evidence(knowledge: Knowledge, view: View, labels: Labels) -> Evidence:
    """Return what auxiliary people's labels say of everybody, over friendships and places that are read.

    Parties read other columns beside one and the same friendships and places: that is worked out once.
    """
    if view.friends is None and view.visits is None:
        return Evidence.of(np.zeros((len(knowledge), 0)))
    key = ("labels", view.ties, digest_of(labels.code), labels.classes)
    return knowledge.once(key, lambda: Evidence.of(_label_columns(knowledge, view, labels)))


def _label_columns(knowledge: Knowledge, view: View, labels: Labels) -> Columns:
    n = len(knowledge)
    columns = [np.zeros((n, 0))]
    if view.friends is not None and len(view.friends):
        friends = view.friends
        adjacency = knowledge.once(("friends", view.ties), lambda: friends_of(friends, n))
        columns.append(friends_labels(adjacency, labels.code, labels.known, labels.classes))
    if view.visits is not None and len(view.visits):
        visits = view.visits
        seen = knowledge.once(("sightings", view.ties), lambda: sightings(visits, n))
        columns.append(places_labels(seen, labels.code, labels.known, labels.classes))
    return np.hstack(columns)


def bound_of(truth: Truth, secret: str) -> tuple[Bound | None, str]:
    """Return the bound of the finite view, or None and why there is none.

    Records that a coalition cannot join are attacked one by one, so that the largest of their bounds holds for it.
    """
    if any(view.universe is None for view in truth.views):
        return None, "attack only: the view has no small alphabet"
    if any(view.named for view in truth.views):
        return None, "attack only: the record is named, so public knowledge adds to it"
    return max(_finite(truth, secret, view) for view in truth.views)


def _finite(truth: Truth, secret: str, view: View) -> tuple[Bound, str]:
    def compute() -> tuple[Bound, str]:
        asked = truth.asked(secret)
        code, right = codes_by_person(len(asked), view)[asked], truth.classes(secret)[asked]
        bias = plug_in_bias(code, right, truth.rng("bound", secret))
        return finite_view_bounds(code, right, view.universe), (
            f"no function of a view of {view.universe} values does better (total variation; on these people "
            f"independence alone would read {bias:.3f})"
        )

    return truth.once(("profile", "bound", secret, view.digest, view.universe), compute)
