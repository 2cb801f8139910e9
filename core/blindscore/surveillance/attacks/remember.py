"""``remember``: tell who was in the training data of the scorecard.

Attack: the likelihood-ratio attack (LiRA: Carlini et al., "Membership Inference Attacks From First Principles", 2022,
algorithm 1). The attacker draws many halves of the population, fits the same kind of card on each, and learns for
every person how its confidence on the true outcome is distributed with and without it; the released card's value is
then judged by the ratio of the two normal densities, with each person's variance or one shared by all; offline, by
how far it lies above what cards without the person say (section VI of that paper); and relative to the mean of all
shadow cards (difficulty calibration: Watson et al. 2022; Zarifzadeh et al. 2024). Beside them the signals that need no
shadow card (:mod:`blindscore.surveillance.attacks.signals`), what the card says of values that hardly anybody shares,
and all of these together. The attack that serves best on auxiliary people is reported.
Advantage: TPR - FPR at the threshold that is best on auxiliary people. Bound: for a card released within (epsilon,
delta), ``(e^eps - 1 + 2 delta)/(e^eps + 1)``, or the total variation distance between the releases with and without a
person where that is known and less.

Where a design fits no card again for the attacker (its training would cost minutes), the signals that need none stand
alone, and the row says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, log_expit

from blindscore.designs.design import Run
from blindscore.parties.view import FROM_THE_CARD, View
from blindscore.scorecard.card import Card
from blindscore.surveillance.attacks.profile import readable
from blindscore.surveillance.attacks.signals import TOGETHER, black_box, together
from blindscore.surveillance.capability import Absent, Capability
from blindscore.surveillance.inference.bound import dp_bound
from blindscore.surveillance.inference.classifiers import Guess, infer
from blindscore.surveillance.inference.evidence import Evidence
from blindscore.surveillance.inference.intervals import balanced_advantage, tpr_at_fpr
from blindscore.surveillance.inference.judged import class_row
from blindscore.surveillance.knowledge import Knowledge, Records
from blindscore.surveillance.ledger import Row
from blindscore.surveillance.truth import MEMBERSHIP, Truth
from blindscore.threads import each

RARE = 20  # people who share a value, under which it is rare
SHADOWS = 64  # cards that the attacker fits for itself
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Suspicion:
    """How strongly each person is taken for a member, and by which attack."""

    attack: str
    level: Floats  # (n,) larger = more likely a member
    threshold: float  # chosen on auxiliary people


@dataclass(frozen=True)
class Remember(Capability):
    """Tell members of the training data from others, by the card that came of it."""

    shadows: int = SHADOWS

    name = "remember"
    question = "tell that it learned from you"
    order = 80
    by_reading = False  # the card alone may tell
    needs = frozenset({"records"})

    def secrets(self, truth: Truth) -> list[str]:
        """Return one: membership."""
        return [MEMBERSHIP]

    def attack(self, knowledge: Knowledge, secret: str) -> Suspicion | None:
        """Return how strongly each is suspected by whoever holds the card: the scorer, everybody where it is public."""
        card = knowledge.published.card
        if card is None:
            return None
        return knowledge.once(("remember", card.fingerprint), lambda: self._suspect(knowledge, card))

    def otherwise(self, knowledge: Knowledge, secret: str) -> Guess | Absent:
        """Tell members without the card: from scores or sizes that came of it."""
        shown = [view for view in knowledge.parts if view.varying(*FROM_THE_CARD)]
        if not shown:
            what = "it reads nothing that the card had a part in, and membership is drawn at random"
            return Absent(f"absent data: {what}")
        return min((_from_what_it_gave(knowledge, view) for view in shown), key=lambda guess: guess.loss)

    def judge(self, truth: Truth, secret: str, guess: Suspicion | Guess) -> Row:
        """Return the row; membership is drawn at random, so the register says nothing of it and the control is 0."""
        run = truth.run
        if isinstance(guess, Guess):
            bound, reason = None, "attack only: it reads what a card without a privacy budget gave"
            if run.epsilon is not None and run.delta is not None:
                bound = dp_bound(run.epsilon, run.delta, run.distance)
                reason = f"what it reads follows from a ({run.epsilon:g}, {run.delta:g})-differentially private card"
            row = class_row(truth, self.name, secret, secret, guess)
            return replace(row, attack=f"without the card: {guess.attack}", bound=bound, reason=reason)
        targets = truth.targets
        member = truth.classes(secret)[targets]
        said = (guess.level > guess.threshold).astype(np.int64)[targets]
        advantage = balanced_advantage(member, said, truth.rng("remember"))
        bound, reason = _card_bound(run)
        return Row(
            design=truth.design,
            coalition=truth.coalition.name,
            capability=self.name,
            secret=secret,
            attack=guess.attack,
            advantage=advantage.value,
            low=advantage.low,
            high=advantage.high,
            control=0.0,
            tpr_at_fpr_0_001=tpr_at_fpr(member == 1, guess.level[targets]),
            bound=bound,
            reason=reason,
        )

    def _suspect(self, knowledge: Knowledge, card: Card) -> Suspicion:
        records = _records(knowledge)
        confidence = _confidence(records, card)
        found = black_box(confidence, records.outcome, records.features, card)
        found.append(("rare values", rare_values(records.features, records.outcome, card)))
        if records.train is not None:
            rng = knowledge.rng("remember", "shadows")
            n = len(knowledge)
            inside = np.array([rng.permutation(n) < n // 2 for _ in range(self.shadows)])
            train = records.train
            shadow = np.array(each(lambda half: _confidence(records, train(half)), inside))
            found += likelihood_ratios(confidence, shadow, inside)
        labels = knowledge.labels[MEMBERSHIP]
        found.append((TOGETHER, together(found, records.outcome, labels, knowledge.auxiliary, knowledge.seed)))
        member = labels.code == 1  # of targets nobody is known to be one
        best = most_suspicious(found, member, knowledge.auxiliary)
        rehearsed = "" if records.train is not None else "; no shadow cards: its training is not rehearsed here"
        return replace(best, attack=best.attack + rehearsed)


def _records(knowledge: Knowledge) -> Records:
    assert knowledge.records is not None
    return knowledge.records


def _from_what_it_gave(knowledge: Knowledge, view: View) -> Guess:
    """Return a guess from a view that the card had a part in, and the true outcome."""
    outcome = _records(knowledge).outcome.astype(np.float64)
    labels = knowledge.labels[MEMBERSHIP]

    def attack() -> Guess:
        read = readable(knowledge, view)
        signed = np.where(outcome[:, None] == 1.0, -read, read)  # the loss of a score, up to its scale
        columns = np.column_stack([read, signed, outcome])
        return infer(Evidence.of(columns), labels, knowledge.auxiliary, knowledge.seed)

    return knowledge.once(("remember", "without the card", view.digest), attack)


def _card_bound(run: Run) -> tuple[float | None, str]:
    if run.epsilon is None or run.delta is None:
        return None, "attack only: the card was trained without a privacy budget"
    distance = run.distance
    apart = "" if distance is None else f", and {distance:.3f} apart in total variation with and without a person"
    return dp_bound(run.epsilon, run.delta, distance), (
        f"the card's release is ({run.epsilon:g}, {run.delta:g})-differentially private towards the people it "
        f"was trained on (not towards the applicant){apart}{'; ' * bool(run.audit)}{run.audit}"
    )


def most_suspicious(
    found: Sequence[tuple[str, Floats]], member: NDArray[np.bool_], auxiliary: NDArray[np.bool_]
) -> Suspicion:
    """Return the attack, with its threshold, that tells members best among auxiliary people."""
    judged = [_best_threshold(level[auxiliary], member[auxiliary]) for _, level in found]
    winner = max(range(len(found)), key=lambda k: judged[k][1])
    return Suspicion(*found[winner], judged[winner][0])


def likelihood_ratios(confidence: Floats, shadow: Floats, inside: NDArray[np.bool_]) -> list[tuple[str, Floats]]:
    """Return every shadow-model attack's name and suspicion, larger = more likely a member.

    Parameters
    ----------
    confidence : (n,) log-odds that the released model gives each person's true outcome
    shadow : (s, n) the same of each shadow model
    inside : (s, n) bool, who was in that shadow model's training data
    """
    mean_in, spread_in = _moments(shadow, inside)
    mean_out, spread_out = _moments(shadow, ~inside)
    pooled = np.sqrt(((spread_in**2 + spread_out**2) / 2).mean())

    def log_density(mean: Floats, spread: Floats | float) -> Floats:
        return np.asarray(-0.5 * ((confidence - mean) / spread) ** 2 - np.log(spread))

    models = f"{len(shadow)} shadow cards"
    return [
        (f"likelihood ratio, {models}", log_density(mean_in, spread_in) - log_density(mean_out, spread_out)),
        (f"likelihood ratio, shared variance, {models}", log_density(mean_in, pooled) - log_density(mean_out, pooled)),
        (f"offline likelihood ratio, {models}", (confidence - mean_out) / spread_out),
        (f"offline likelihood ratio, shared variance, {models}", (confidence - mean_out) / pooled),
        (f"calibrated loss, {models}", log_expit(confidence) - np.log(expit(shadow).mean(axis=0))),
    ]


def _confidence(records: Records, card: Card) -> Floats:
    """Return the log-odds that a card gives each person's true outcome, natural units."""
    good = (card.totals(card.bins(records.features)) - card.scale.offset) / card.scale.factor
    return np.where(records.outcome, -good, good)


def rare_values(features: pd.DataFrame, outcome: NDArray[np.bool_], card: Card) -> Floats:
    """Return how well a card's points for what hardly anybody else has agree with each person's outcome, in points.

    A bin, or a category within one, of a few people follows what those of them did who trained the card: a firm of
    one person gives that person away. Whoever has nothing rare is not suspected.
    """
    bins, level = card.bins(features), np.zeros(len(features))
    for own, c in zip(bins.T, card.characteristics, strict=True):
        codes = own.astype(np.int64) if c.groups is None else pd.factorize(features[c.feature])[0] + 1  # 0 is missing
        rare = np.bincount(codes)[codes] < RARE
        points = np.array(c.points)[own]
        gain = points - points.mean()
        level += np.where(rare, np.where(outcome, -gain, gain), 0.0)
    return level


def _moments(shadow: Floats, chosen: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    count = np.maximum(chosen.sum(axis=0), 1)
    mean = (shadow * chosen).sum(axis=0) / count
    variance = (((shadow - mean) ** 2) * chosen).sum(axis=0) / count
    return mean, np.sqrt(variance) + 1e-3


def _best_threshold(level: Floats, member: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the threshold of greatest TPR - FPR, and that figure."""
    order = np.argsort(-level, kind="stable")
    tpr = np.cumsum(member[order]) / max(member.sum(), 1)
    fpr = np.cumsum(~member[order]) / max((~member).sum(), 1)
    last_of_ties = np.append(np.diff(level[order]) != 0, True)
    gap = np.where(last_of_ties, tpr - fpr, -1.0)
    best = int(gap.argmax())
    following = level[order][best + 1] if best + 1 < len(level) else -np.inf
    return float((level[order][best] + max(following, level[order][best] - 1.0)) / 2), float(gap[best])
