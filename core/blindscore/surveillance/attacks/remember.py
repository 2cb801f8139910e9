"""``remember``: tell who was in the training data of the scorecard.

Attack: the likelihood-ratio attack (LiRA: Carlini et al., "Membership Inference Attacks From First Principles", 2022,
algorithm 1). The attacker draws many halves of the population, fits the same kind of card on each, and learns for
every person how its confidence on the true outcome is distributed with and without it; the released card's value is
then judged by the ratio of the two normal densities, with each person's variance or one shared by all; offline, by
how far it lies above what cards without the person say (section VI of that paper); and relative to the mean of all
shadow cards (difficulty calibration: Watson et al. 2022; Zarifzadeh et al. 2024). Beside them the plain loss attack
(Yeom et al. 2018). The attack that serves best on auxiliary people is reported. Advantage: TPR - FPR at the threshold
that is best on auxiliary people. Bound: for a card released within (epsilon, delta), ``(e^eps - 1 + 2 delta)/(e^eps +
1)``, or the total variation distance between the releases with and without a person where that is known and less.

Where a design fits no card again for the attacker (its training would cost minutes), the loss attack stands alone, and
the row says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from numpy.typing import NDArray
from scipy.special import expit, log_expit

from blindscore.scorecard.card import Card
from blindscore.surveillance.inference.bound import dp_bound
from blindscore.surveillance.inference.intervals import balanced_advantage, tpr_at_fpr
from blindscore.surveillance.ledger import Row
from blindscore.surveillance.scene import Scene

SHADOWS = 64  # cards that the attacker fits for itself
WORTH_PROCESSES = 300_000  # people times cards from which starting processes pays
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Suspicion:
    """How strongly each person is taken for a member, and by which attack."""

    attack: str
    level: Floats  # (n,) larger = more likely a member
    threshold: float  # chosen on auxiliary people


@dataclass(frozen=True)
class Remember:
    """Tell members of the training data from others, by the card that came of it."""

    shadows: int = SHADOWS

    name = "remember"

    def measure(self, scene: Scene) -> list[Row]:
        """Return one row for coalitions that hold the card: the scorer's, and everybody's where it is published."""
        holds = scene.holds("scorer")
        if not holds:
            return []
        run = scene.run
        suspicion = scene.once(("remember", run.card.fingerprint), lambda: self._attack(scene))
        targets = ~scene.auxiliary
        member = scene.population.history
        guess = (suspicion.level > suspicion.threshold).astype(np.int64)
        advantage = balanced_advantage(member[targets].astype(np.int64), guess[targets], scene.rng("remember"))
        bound, reason = None, "attack only: the card was trained without a privacy budget"
        if run.epsilon is not None and run.delta is not None:
            bound = dp_bound(run.epsilon, run.delta, run.distance)
            distance = run.distance
            apart = (
                "" if distance is None else f", and {distance:.3f} apart in total variation with and without a person"
            )
            reason = (
                f"the card's release is ({run.epsilon:g}, {run.delta:g})-differentially private towards the people it "
                f"was trained on (not towards the applicant){apart}{'; ' * bool(run.audit)}{run.audit}"
            )
        return [
            Row(
                design=scene.design,
                coalition=scene.coalition.name,
                capability=self.name,
                secret="membership",
                attack=suspicion.attack,
                advantage=advantage.value,
                low=advantage.low,
                high=advantage.high,
                control=0.0,  # membership is drawn at random: the register says nothing of it
                tpr_at_fpr_0_001=tpr_at_fpr(member[targets], suspicion.level[targets]),
                bound=bound,
                reason=reason,
            )
        ]

    def _attack(self, scene: Scene) -> Suspicion:
        confidence = _confidence(scene, scene.run.card)
        found = [("loss", confidence)]
        if scene.run.train is not None:
            rng = scene.rng("remember", "shadows")
            n = len(scene.population)
            inside = np.array([rng.permutation(n) < n // 2 for _ in range(self.shadows)])
            shadow = np.array([_confidence(scene, card) for card in _fit_shadows(scene.run.train, inside)])
            found += likelihood_ratios(confidence, shadow, inside)
        best = most_suspicious(found, scene.population.history, scene.auxiliary)
        rehearsed = "" if scene.run.train is not None else "; no shadow cards: its training is not rehearsed here"
        return replace(best, attack=best.attack + rehearsed)


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


def _fit_shadows(train: Callable[[NDArray[np.bool_]], Card], inside: NDArray[np.bool_]) -> list[Card]:
    """Fit a card on each half, on all cores where there is enough to do."""
    jobs = effective_n_jobs(-1) if inside.size >= WORTH_PROCESSES else 1
    parts = Parallel(n_jobs=jobs)(delayed(_fit_some)(train, part) for part in np.array_split(inside, jobs))
    return [card for part in parts for card in part]


def _fit_some(train: Callable[[NDArray[np.bool_]], Card], inside: NDArray[np.bool_]) -> list[Card]:
    return [train(half) for half in inside]


def _confidence(scene: Scene, card: Card) -> Floats:
    """Return the log-odds that a card gives each person's true outcome, natural units."""
    good = (card.totals(card.bins(scene.population.features)) - card.scale.offset) / card.scale.factor
    return np.where(scene.population.default, -good, good)


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
