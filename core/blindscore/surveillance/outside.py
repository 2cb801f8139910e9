"""What is left to a coalition that lacks the means of an attack: the rows that make the ledger complete.

An attack asks for something that not every coalition holds: a scorecard to remember from, a line to listen on, a score
to bend. For each coalition without it stands a row all the same, of one of three kinds:

- *played*, where something weaker can be tried, and it is: membership from the scores that a lender was told, the
  decision from a bank's own records;
- *by role*, where the design itself tells the coalition, so that there is nothing to attack;
- *absent*, where there is nothing to try it with: advantage 0 and bound 0, and the reason says what is missing. Where
  the zero rests on an assumption of the threat model (sources tell the truth), no bound is claimed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from blindscore.designs.design import PUBLIC_CARD
from blindscore.parties.view import FROM_THE_CARD, TELLS_DECISION, View
from blindscore.surveillance.attacks.profile import readable
from blindscore.surveillance.attacks.steer import BY_RULE, reads_posts, steered_traits
from blindscore.surveillance.coalitions import Coalition, pool
from blindscore.surveillance.inference.bound import dp_bound, entropy_bits, finite_view_bound
from blindscore.surveillance.inference.classifiers import Guess, cross_entropy_bits, infer
from blindscore.surveillance.inference.evidence import Evidence
from blindscore.surveillance.inference.intervals import balanced_advantage, tpr_at_fpr
from blindscore.surveillance.ledger import ABSENT, BY_ROLE, PLAYED, Row
from blindscore.surveillance.scene import (
    Capability,
    Scene,
    codes_by_person,
)

PARTNERS = ("lender", "source")


def left_to(capability: Capability, scene: Scene, rows: Iterable[Row]) -> list[Row]:
    """Return the rows of those secrets that a capability gave none for, because the coalition lacks its means."""
    say = OUTSIDE.get(capability.name)
    known = {row.secret for row in rows}
    return [] if say is None else [row for row in say(capability, scene) if row.secret not in known]


def _link(capability: Capability, scene: Scene) -> list[Row]:
    """Join lender's and source's records where both are in a larger coalition; nobody else holds two records."""
    if set(PARTNERS) < set(scene.coalition.roles):
        both = replace(scene, coalition=Coalition("lender+source", PARTNERS), views=pool(scene.run, PARTNERS))
        return [replace(r, coalition=scene.coalition.name) for r in capability.measure(both) if r.secret == "join"]
    alone = (
        "the state brings no record of its own"
        if "state" in scene.coalition.roles
        else "one party holds one record a person"
    )
    return [_absent(scene, "link", "join", f"absent data: {alone}; there is no second one to join")]


def _steer(capability: Capability, scene: Scene) -> list[Row]:
    """Say why who neither scores nor decides bends nothing."""
    rows = []
    if not (scene.holds("scorer") or scene.holds("lender")):
        bound: float | None = 0.0
        reason = "absent means: it neither computes the score nor decides, and can write on no line"
        if "source" in scene.coalition.roles:
            bound, reason = None, "no bound: a source that tells the truth bends nothing; one that lies is not covered"
        rows = [_absent(scene, "steer", name, reason, bound) for name in _steered(scene)]
    if reads_posts(scene.population):
        rows.append(_absent(scene, "steer", BY_RULE, "absent means: no party of this coalition makes the rule"))
    return rows


def _steered(scene: Scene) -> list[str]:
    return ["named person", *steered_traits(scene.population)]


def _intercept(capability: Capability, scene: Scene) -> list[Row]:
    """Read the decision without the wire: told by the design, or inferred from the coalition's own records."""
    decision = scene.run.decisions.astype(np.int64)
    if any(view.of(*TELLS_DECISION) for view in scene.views):
        reason = "no bound: the design tells this coalition the decision, or the score that decides"
        told = Row(
            scene.design, scene.coalition.name, "intercept", "decision", "none needed", 1.0, 1.0, 1.0, control=0.0
        )
        bits = entropy_bits(decision[~scene.auxiliary])
        return [replace(told, bits=bits, reason=reason, kind=BY_ROLE)]
    view = scene.views[0]
    if PUBLIC_CARD in scene.enforces and set(scene.run.card.features) <= set(view.clear.columns):
        computed = np.eye(2)[decision]
        guess = Guess("compute it by the public card", computed, np.full(2, 0.5), 0.0)
        return [_inferred(scene, "intercept", "decision", guess, decision, "attack only: it holds what the card reads")]
    key = ("intercept", view.digest, decision.tobytes())
    guess = scene.once(key, lambda: infer(Evidence.of(readable(scene, view)), decision, scene.auxiliary, scene.seed))
    bound, reason = None, "attack only: own records say much of what the score says"
    if view.universe is not None:
        code, targets = codes_by_person(scene, view), ~scene.auxiliary
        bound = finite_view_bound(code[targets], decision[targets])
        reason = f"no function of a view of {view.universe} values does better on these people (total variation)"
    row = _inferred(scene, "intercept", "decision", guess, decision, reason)
    return [replace(row, attack=f"from own records: {guess.attack}", bound=bound)]


def _remember(capability: Capability, scene: Scene) -> list[Row]:
    """Tell members without the card: from scores or sizes that came of it; with it, where it is public."""
    if PUBLIC_CARD in scene.enforces:
        holder = replace(scene, coalition=Coalition("scorer", ("scorer",)), views=pool(scene.run, ("scorer",)))
        return [replace(row, coalition=scene.coalition.name) for row in capability.measure(holder)]
    shown = [view for view in scene.views if _depends_on_card(view)]
    if not shown:
        reason = "absent data: it reads nothing that the card had a part in, and membership is drawn at random"
        return [_absent(scene, "remember", "membership", reason)]
    member = scene.population.history.astype(np.int64)
    outcome = scene.population.default.astype(np.float64)

    def attack(view: View) -> Guess:
        read = readable(scene, view)
        signed = np.where(outcome[:, None] == 1.0, -read, read)  # the loss of a score, up to its scale
        columns = np.column_stack([read, signed, outcome])
        return infer(Evidence.of(columns), member, scene.auxiliary, scene.seed)

    def played(view: View) -> Guess:
        return scene.once(("remember", "outside", view.digest), lambda: attack(view))

    guess = min((played(view) for view in shown), key=lambda guess: guess.loss)
    run = scene.run
    bound, reason = None, "attack only: it reads what a card without a privacy budget gave"
    if run.epsilon is not None and run.delta is not None:
        bound = dp_bound(run.epsilon, run.delta, run.distance)
        reason = f"what it reads follows from a ({run.epsilon:g}, {run.delta:g})-differentially private card"
    row = _inferred(scene, "remember", "membership", guess, member, reason)
    return [replace(row, attack=f"without the card: {guess.attack}", bound=bound)]


def _depends_on_card(view: View) -> bool:
    """Tell whether anything in a view came of the scorecard: own records did not, nor did lines of one size."""
    return bool(view.varying(*FROM_THE_CARD))


def _inferred(scene: Scene, capability: str, secret: str, guess: Guess, truth: NDArray[np.int64], reason: str) -> Row:
    """Return the row of a guess at a secret of two classes; the public alone knows nothing of an application."""
    targets = ~scene.auxiliary
    advantage = balanced_advantage(truth[targets], guess.best[targets], scene.rng(capability))
    return Row(
        design=scene.design,
        coalition=scene.coalition.name,
        capability=capability,
        secret=secret,
        attack=guess.attack,
        advantage=advantage.value,
        low=advantage.low,
        high=advantage.high,
        control=0.0,
        tpr_at_fpr_0_001=tpr_at_fpr(truth[targets] == 1, guess.probability[targets, 1]),
        bits=max(0.0, entropy_bits(truth[targets]) - cross_entropy_bits(guess, truth, targets)),
        reason=reason,
        kind=PLAYED,
    )


def _absent(scene: Scene, capability: str, secret: str, reason: str, bound: float | None = 0.0) -> Row:
    row = Row(scene.design, scene.coalition.name, capability, secret, "none", 0.0, 0.0, 0.0, control=0.0, bits=0.0)
    return replace(row, bound=bound, reason=reason, kind=ABSENT)


OUTSIDE: Mapping[str, Callable[[Capability, Scene], list[Row]]] = {
    "link": _link,
    "steer": _steer,
    "intercept": _intercept,
    "remember": _remember,
}
