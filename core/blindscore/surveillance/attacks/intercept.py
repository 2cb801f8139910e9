"""``intercept``: read a decision off the wire, from message times and sizes alone, or infer it from own records.

Encryption in transit hides content, not length: a refusal that carries its reasons is longer than an approval, and
whoever watches the line reads the decision. Attack: the best of several classifiers on what the coalition reads (hour,
bytes up and bytes down; a bank's own records), learnt on auxiliary people; under a public card whoever holds what the
card reads computes the decision. Advantage: ``2 BA - 1``. Bound: total variation over what a finite view of records
can show at all; none of a line, whose times between request and answer are in no view here (put behind a socket, two
designs once answered approvals later than refusals). Whoever is told score or decision need not intercept it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from blindscore.designs.design import PUBLIC_CARD
from blindscore.parties.view import TELLS_DECISION, View
from blindscore.surveillance.attacks.profile import readable
from blindscore.surveillance.capability import Capability, Told
from blindscore.surveillance.inference.bound import Bound, entropy_bits, finite_view_bounds, plug_in_bias
from blindscore.surveillance.inference.classifiers import Guess, infer
from blindscore.surveillance.inference.evidence import Evidence
from blindscore.surveillance.inference.judged import class_row
from blindscore.surveillance.knowledge import Knowledge
from blindscore.surveillance.ledger import Row
from blindscore.surveillance.truth import DECISION, Truth


@dataclass(frozen=True)
class Intercept(Capability):
    """Tell approvals from refusals."""

    name = "intercept"
    question = "read the answer off the line"
    order = 60
    quick = True

    def secrets(self, truth: Truth) -> list[str]:
        """Return one: the decision."""
        return [DECISION]

    def attack(self, knowledge: Knowledge, secret: str) -> Guess | None:
        """Return the best guess from any view of the coalition; None where the design tells it."""
        if any(view.of(*TELLS_DECISION) for view in knowledge.views):
            return None
        return min((_guess(knowledge, view) for view in knowledge.parts), key=lambda guess: guess.loss)

    def otherwise(self, knowledge: Knowledge, secret: str) -> Told:
        """Say that the coalition is told."""
        return Told("no bound: the design tells this coalition the decision, or the score that decides")

    def told(self, truth: Truth, secret: str, row: Row) -> Row:
        """Return the row with the bits that a decision has."""
        return replace(row, bits=entropy_bits(truth.classes(secret)[truth.targets]))

    def judge(self, truth: Truth, secret: str, guess: Guess) -> Row:
        """Return the row; without a view nobody outside knows of an application at all, so the control is 0."""
        bound, reason = _bound(truth)
        return replace(class_row(truth, self.name, secret, secret, guess), reason=reason).bounded(bound)


def _is_wire(view: View) -> bool:
    """Tell whether a view holds nothing but what travelled on a line."""
    return bool(view.values) and view.values == view.of("wire", "time")


def _values_of(view: View) -> int | None:
    """Return how many values a view can take: one where messages have one size and no hour is seen."""
    return 1 if not view.values else view.universe


def _guess(knowledge: Knowledge, view: View) -> Guess:
    card, labels = knowledge.published.card, knowledge.labels[DECISION]
    public = PUBLIC_CARD in knowledge.published.claims
    if public and card is not None and set(card.features) <= set(view.of("feature", "register")):
        scores = np.zeros(len(knowledge), np.int64)
        scores[view.person] = card.scores(card.bins(view.clear))
        computed = np.eye(2)[(scores >= knowledge.published.threshold).astype(np.int64)]
        return Guess("compute it by the public card", computed, np.full(2, 0.5), 0.0)
    key = ("intercept", view.digest, labels.code.tobytes())

    def play() -> Guess:
        guess = infer(Evidence.of(readable(knowledge, view)), labels, knowledge.auxiliary, knowledge.seed)
        return guess if _is_wire(view) else replace(guess, attack=f"from own records: {guess.attack}")

    return knowledge.once(key, play)


def _bound(truth: Truth) -> tuple[Bound | None, str]:
    """Return the largest bound of the views, none where one of them has no small alphabet."""
    if any(view.named or (view.universe is None and not _is_wire(view)) for view in truth.views):
        return None, "attack only: own records say much of what the score says"
    if any(_is_wire(view) for view in truth.views):
        return None, "attack only: sizes and hours are what is seen here; the time to an answer is in no view"
    decision = truth.classes(DECISION)[truth.targets]
    found = []
    for view in truth.views:
        code = truth.codes(view)
        bias = plug_in_bias(code, decision, truth.rng("intercept", "bound"))
        told = f"the view takes {len(np.unique(code))} values"
        reason = f"{told} (total variation; independence alone would read {bias:.3f})"
        found.append((finite_view_bounds(code, decision, _values_of(view)), reason))
    return max(found)
