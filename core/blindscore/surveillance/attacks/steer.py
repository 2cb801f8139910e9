"""``steer``: punish or reward people through the score, without anybody being able to prove it.

Attacks by whoever computes the score, or is told it and decides, on people whom the straight score would approve:

- *named person*: the operator is told whom to refuse (a name at the counter, a list) and shifts that one score; a
  lender that receives the score from somebody else misstates it;
- *named person, no answer*: the lender does not answer, whatever the protocol says; no design here stops it;
- *named person, false record*: the source vouches for the worst figures that the card knows;
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

from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from blindscore.designs.design import NO_CONDUCT, PUBLIC_CARD, SIGNED_DECISION
from blindscore.people.population import Population
from blindscore.surveillance.attacks.profile import infer_publicly, infer_trait
from blindscore.surveillance.capability import Absent, Capability
from blindscore.surveillance.inference.intervals import ROUNDS, Estimate, mean_interval
from blindscore.surveillance.knowledge import Knowledge
from blindscore.surveillance.ledger import FALSE_SOURCE, REFUSES, WITH_PUBLIC_CARD, WITH_SECRET_CARD, Row
from blindscore.surveillance.truth import Truth

NAMED = "named person"
UNANSWERED = "named person, no answer"
FALSE_RECORD = "named person, false record"
POSTS = "post_opposition"
BY_RULE = "posts (by rule)"
LOUD = 0.9  # quantile of posts that the intervention sets
Bools = NDArray[np.bool_]


@runtime_checkable
class CausalPopulation(Protocol):
    """A population that can re-run its people under other conduct."""

    def do(self, conduct: dict[str, float], persons: NDArray[np.int64] | None = None) -> Population:
        """Return the same people with the named conduct set, everything else's noise held fixed."""
        ...


@dataclass(frozen=True)
class Bent:
    """Whom the coalition refuses, by whatever means it has."""

    attack: str
    refused: Bools  # (n,)


@dataclass(frozen=True)
class Steer(Capability):
    """Bend scores of people one dislikes."""

    name = "steer"
    question = "bend your score so that nobody can prove it"
    order = 50
    by_reading = False  # who scores or decides can bend, whatever it reads
    quick = True

    def secrets(self, truth: Truth) -> list[str]:
        """Return the named person, the traits that one may dislike, and posts where conduct can be re-run."""
        people = truth.population
        return [NAMED, UNANSWERED, FALSE_RECORD, *steered_traits(people), *([BY_RULE] if reads_posts(people) else [])]

    def attack(self, knowledge: Knowledge, secret: str) -> Bent | None:
        """Return whom who scores or decides refuses; None for others, who can bend neither score nor decision.

        The rule itself only whoever scores makes.
        """
        if secret == FALSE_RECORD:
            everybody = np.ones(len(knowledge), np.bool_)
            return Bent("vouch for the worst figures", everybody) if "source" in knowledge.acts else None
        makes_rule = "scorer" in knowledge.acts
        if not (makes_rule or ("lender" in knowledge.acts and secret != BY_RULE)):
            return None
        everybody = np.ones(len(knowledge), np.bool_)
        if secret == BY_RULE:
            return Bent("the rule reads posts", everybody)
        if secret == UNANSWERED:
            return Bent("do not answer", everybody)
        does = "shift" if makes_rule else "misstate"
        if secret == NAMED:
            return Bent(f"{does} the score of the named", everybody)
        guess = infer_trait(knowledge, secret)
        return Bent(f"{does} the score of the recognised", guess.best == _disliked(knowledge, secret))

    def otherwise(self, knowledge: Knowledge, secret: str) -> Absent:
        """Say why who neither scores nor decides bends nothing."""
        if secret == BY_RULE:
            return Absent("absent means: no party of this coalition makes the rule")
        if secret == FALSE_RECORD:
            return Absent("absent means: no source is in this coalition")
        if "source" in knowledge.acts:
            return Absent("no bound: a source that tells the truth bends nothing; one that lies is not covered", None)
        return Absent("absent means: it neither computes the score nor decides, and can write on no line")

    def judge(self, truth: Truth, secret: str, guess: Bent) -> Row:
        """Return the row of an attack that shifts scores: each success counts as far as nobody can prove it."""
        if secret == BY_RULE:
            return self._by_conduct(truth, truth.population)
        if secret in (UNANSWERED, FALSE_RECORD):
            return self._without_score(truth, secret, guess)
        control = 0.0
        if secret == NAMED:
            flipped = _flipped(truth)
        else:
            flipped = _recognised(truth, secret, guess.refused)
            knowledge = truth.knowledge()
            public = infer_publicly(knowledge, secret).best == _disliked(knowledge, secret)
            control = _recognised(truth, secret, public).value
        unproved = 1.0 - truth.run.audit_share
        bound: float | None = unproved
        attack = guess.attack
        if 0.0 < unproved < 1.0 and SIGNED_DECISION not in truth.enforces and truth.plays("lender"):
            # The audit checks the score, and no score was bent.
            unproved, bound, attack = 1.0, None, "sign the true score, and refuse all the same"
            reason = "attack only: audits check the score; nobody signs the decision that follows from it"
        elif unproved == 0.0:
            card = "public" if PUBLIC_CARD in truth.enforces else "committed"
            reason = f"verified score: every applicant can prove a score that departs from the {card} card"
        elif unproved < 1.0:
            reason = f"audits prove a bent score with probability {truth.run.audit_share:.3f}"
        else:
            bound, reason = None, "attack only: nobody can check the score against a committed card"
        bent = Estimate(*(unproved * part for part in flipped))
        return self._row(truth, secret, attack, bent, unproved * control, bound, reason)

    def _without_score(self, truth: Truth, secret: str, guess: Bent) -> Row:
        """Return the row of those who leave the score as it is, and refuse, or feed it false figures."""
        run = truth.run
        at = truth.targets & run.decisions
        if secret == UNANSWERED:
            refused, adversary = np.ones(int(at.sum())), REFUSES
            reason = "no bound: no protocol here makes a lender answer, and silence proves nothing"
        else:
            card, vouched = run.card, set(run.views["source"].of("feature"))
            bins = card.bins(truth.population.features[at])
            worst = [min(c.points) if c.feature in vouched else None for c in card.characteristics]
            own = card.points[np.arange(len(worst)), bins]
            fed = np.array([own[:, j] if least is None else np.full(len(own), least) for j, least in enumerate(worst)])
            refused = (card.clip(card.base + fed.sum(axis=0)) < run.threshold).astype(np.float64)
            adversary, reason = FALSE_SOURCE, "no bound: whoever vouches for the figures can vouch for false ones"
        success = mean_interval(refused, truth.rng("steer", secret))
        return replace(self._row(truth, secret, guess.attack, success, 0.0, None, reason), adversary=adversary)

    def _by_conduct(self, truth: Truth, causal: Population) -> Row:
        """Re-run everybody with loud posts and count the approved targets whose decision flips by the rule itself."""
        assert isinstance(causal, CausalPopulation)
        run = truth.run
        loud = float(np.nanquantile(causal.features[POSTS], LOUD))
        louder = truth.once(("do", POSTS, loud), lambda: causal.do({POSTS: loud}))
        after = run.score(louder)
        attack = f"do({POSTS} = {loud:g}): the same people, louder"
        if NO_CONDUCT in truth.enforces and bool((after == run.score(truth.population)).all()):
            reason = "absent data: setting everybody's posts changes no score at all"
            none = mean_interval(np.zeros(int((truth.targets & run.decisions).sum())), truth.rng("steer", "posts"))
            return self._row(truth, BY_RULE, attack, none, 0.0, 0.0, reason)
        at = truth.targets & run.decisions
        flipped = mean_interval((after[at] < run.threshold).astype(np.float64), truth.rng("steer", "posts"))
        return self._row(truth, BY_RULE, attack, flipped, 0.0, None, "attack only: the rule reads conduct")

    def _row(
        self,
        truth: Truth,
        secret: str,
        attack: str,
        success: Estimate,
        control: float,
        bound: float | None,
        reason: str,
    ) -> Row:
        return Row(
            design=truth.design,
            coalition=truth.coalition.name,
            capability=self.name,
            secret=secret,
            attack=attack,
            advantage=success.value,
            low=success.low,
            high=success.high,
            control=control,
            bound=bound,
            reason=reason,
            adversary=WITH_PUBLIC_CARD if PUBLIC_CARD in truth.enforces else WITH_SECRET_CARD,
        )


def steered_traits(population: Population) -> list[str]:
    """Return the secrets of two classes: those that one may dislike or not."""
    return [str(name) for name, column in population.sensitive.items() if column.nunique() == 2]


def reads_posts(population: Population) -> bool:
    """Tell whether people can be asked what their score would be had they posted more."""
    return isinstance(population, CausalPopulation) and POSTS in population.features.columns


def _disliked(knowledge: Knowledge, secret: str) -> int:
    """Return the rarer class, as auxiliary people have it: the one to dislike."""
    labels = knowledge.labels[secret]
    return int(np.bincount(labels.code[labels.known], minlength=labels.classes).argmin())


def _flipped(truth: Truth) -> Estimate:
    """Shift each approved target's score by the whole scale, and count the decisions that flip."""
    run = truth.run
    scores = run.scores[truth.targets & run.decisions].astype(np.int32)
    bent = scores - (run.card.scale.high - run.card.scale.low)
    return mean_interval((bent < run.threshold).astype(np.float64), truth.rng("steer", "named"))


def _recognised(truth: Truth, secret: str, refused: Bools) -> Estimate:
    """Refuse whom a guess takes to carry the disliked trait: share of carriers refused less share of others."""
    disliked = truth.classes(secret) == _disliked(truth.knowledge(), secret)
    at = truth.asked(secret) & truth.run.decisions
    carriers, others = refused[at & disliked], refused[at & ~disliked]
    if len(carriers) == 0 or len(others) == 0:
        return Estimate(0.0, 0.0, 1.0)
    rng = truth.rng("steer", secret)
    hits = rng.binomial(len(carriers), carriers.mean(), ROUNDS) / len(carriers)
    misses = rng.binomial(len(others), others.mean(), ROUNDS) / len(others)
    low, high = np.quantile(hits - misses, [0.025, 0.975])
    # Where all of a side are treated alike the draws are silent about what was not seen: the rule of three.
    slack = sum(min(1.0, 3.0 / len(side)) for side in (carriers, others) if side.min() == side.max())
    value = float(carriers.mean() - others.mean())
    return Estimate(value, max(-1.0, float(low) - slack), min(1.0, float(high) + slack))
