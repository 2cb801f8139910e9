"""``steer``: punish or reward people through the score, without anybody being able to prove it.

Three attacks by whoever computes the score, or is told it and decides, on people whom the straight score would approve:

- *named person*: the operator is told whom to refuse (a name at the counter, a list) and shifts that one score; a
  lender that receives the score from somebody else misstates it;
- *a trait*: the operator dislikes a trait, recognises it in its view, and shifts those scores; what counts is how much
  more of the disliked it refuses than of the others;
- *posts*: nobody is targeted at all, the rule itself reads conduct; measured by intervention: the same people are
  re-run with as many disliked posts as the loudest tenth, everything else's noise held fixed. Only who makes the rule
  can do that.

A shift succeeds only where nobody can prove it, so each success is multiplied by the chance that no proof arises:
1 minus the share of scores that applicant or auditor can check against a committed or public card.
Encryption alone leaves that share at 0: a scorer with a secret card needs no data to bend a score it can name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from blindscore.designs.design import NO_CONDUCT
from blindscore.people.population import Population
from blindscore.surveillance.attacks.profile import classes_of, infer_trait, public_inference
from blindscore.surveillance.inference.classifiers import Guess
from blindscore.surveillance.inference.intervals import ROUNDS, Estimate, mean_interval
from blindscore.surveillance.ledger import Row
from blindscore.surveillance.scene import Scene

POSTS = "post_opposition"
BY_RULE = "posts (by rule)"
LOUD = 0.9  # quantile of posts that the intervention sets


@runtime_checkable
class CausalPopulation(Protocol):
    """A population that can re-run its people under other conduct."""

    def do(self, conduct: dict[str, float], persons: NDArray[np.int64] | None = None) -> Population:
        """Return the same people with the named conduct set, everything else's noise held fixed."""
        ...


@dataclass(frozen=True)
class Steer:
    """Bend scores of people one dislikes."""

    name = "steer"

    def measure(self, scene: Scene) -> list[Row]:
        """Return rows for coalitions that hold the scorer or the lender; others can bend neither score nor decision."""
        makes_rule = scene.holds("scorer")
        if not (makes_rule or scene.holds("lender")):
            return []
        does = "shift" if makes_rule else "misstate"
        rows = [self._shifted(scene, "named person", f"{does} the score of the named", _named(scene), 0.0)]
        for name in steered_traits(scene.population):
            seen = _recognised(scene, name, infer_trait(scene, name).guess)
            public = _recognised(scene, name, public_inference(scene, name).guess).value
            rows.append(self._shifted(scene, name, f"{does} the score of the recognised", seen, public))
        if makes_rule and reads_posts(scene.population):
            rows.append(self._by_conduct(scene, scene.population))
        return rows

    def _shifted(self, scene: Scene, secret: str, attack: str, flipped: Estimate, control: float) -> Row:
        """Return the row of an attack that shifts scores: each success counts as far as nobody can prove it."""
        unproved = 1.0 - scene.run.audit_share
        bound: float | None = unproved
        if unproved == 0.0:
            reason = "verified score: every applicant can prove a score that departs from the public card"
        elif unproved < 1.0:
            reason = f"audits prove a bent score with probability {scene.run.audit_share:.3f}"
        else:
            bound, reason = None, "attack only: nobody can check the score against a committed card"
        unproved_flips = Estimate(*(unproved * part for part in flipped))
        return self._row(scene, secret, attack, unproved_flips, unproved * control, bound, reason)

    def _by_conduct(self, scene: Scene, causal: Population) -> Row:
        """Re-run everybody with loud posts and count the approved targets whose decision flips by the rule itself."""
        assert isinstance(causal, CausalPopulation)
        run = scene.run
        loud = float(np.nanquantile(scene.population.features[POSTS], LOUD))
        louder = scene.once(("do", POSTS, loud), lambda: causal.do({POSTS: loud}))
        after = run.score(louder)
        attack = f"do({POSTS} = {loud:g}): the same people, louder"
        if NO_CONDUCT in scene.enforces and bool((after == run.score(scene.population)).all()):
            reason = "absent data: setting everybody's posts changes no score at all"
            return self._row(scene, BY_RULE, attack, Estimate(0.0, 0.0, 0.0), 0.0, 0.0, reason)
        at = ~scene.auxiliary & run.decisions
        flipped = mean_interval((after[at] < run.threshold).astype(np.float64), scene.rng("steer", "posts"))
        return self._row(scene, BY_RULE, attack, flipped, 0.0, None, "attack only: the rule reads conduct")

    def _row(
        self,
        scene: Scene,
        secret: str,
        attack: str,
        success: Estimate,
        control: float,
        bound: float | None,
        reason: str,
    ) -> Row:
        return Row(
            design=scene.design,
            coalition=scene.coalition.name,
            capability=self.name,
            secret=secret,
            attack=attack,
            advantage=success.value,
            low=success.low,
            high=success.high,
            control=control,
            bound=bound,
            reason=reason,
        )


def steered_traits(population: Population) -> list[str]:
    """Return the secrets of two classes: those that one may dislike or not."""
    return [
        name for name in population.sensitive.columns if len(np.unique(classes_of(population.sensitive[name]))) == 2
    ]


def reads_posts(population: Population) -> bool:
    """Tell whether people can be asked what their score would be had they posted more."""
    return isinstance(population, CausalPopulation) and POSTS in population.features.columns


def _named(scene: Scene) -> Estimate:
    """Shift each approved target's score by the whole scale, and count the decisions that flip."""
    run = scene.run
    scores = run.scores[~scene.auxiliary & run.decisions].astype(np.int32)
    bent = scores - (run.card.scale.high - run.card.scale.low)
    return mean_interval((bent < run.threshold).astype(np.float64), scene.rng("steer", "named"))


def _recognised(scene: Scene, name: str, guess: Guess) -> Estimate:
    """Refuse whom a guess takes to carry the disliked trait: share of carriers refused less share of others."""
    secret = classes_of(scene.population.sensitive[name])
    rarer = int(np.bincount(secret).argmin())
    disliked, suspected = secret == rarer, guess.best == rarer
    at = ~scene.auxiliary & scene.run.decisions
    carriers, others = suspected[at & disliked], suspected[at & ~disliked]
    if len(carriers) == 0 or len(others) == 0:
        return Estimate(0.0, 0.0, 1.0)
    rng = scene.rng("steer", name)
    hits = rng.binomial(len(carriers), carriers.mean(), ROUNDS) / len(carriers)
    misses = rng.binomial(len(others), others.mean(), ROUNDS) / len(others)
    low, high = np.quantile(hits - misses, [0.025, 0.975])
    return Estimate(float(carriers.mean() - others.mean()), float(low), float(high))
