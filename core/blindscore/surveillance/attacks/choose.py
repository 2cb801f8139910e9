"""``choose``: choose the card so that what it gives tells a secret, in place of credit risk.

No message departs from the protocol, and everybody is scored alike. Whoever makes the card fits points in the very bins
of the honest card that tell a secret best among auxiliary people, and reads what the design shows it: one bit, or the
points. Where it reads points and nobody else reads the card, it may also give each bin of several features a place of
its own in the total, as digits have: then the total *is* the bins. For one-bit views the figure that is printed is that
of a card made for the purpose, on people who did not serve to make it; control: the honest card's, from the same view.

The defence of a public card is a fairness audit: whoever has the card's features and the secret of some people (an
authority's survey, a journalist's panel) computes the gap in what the card gives. What it finds on as many people as
the attacker trained on stands in the reason.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from blindscore.designs.design import PUBLIC_CARD
from blindscore.parties.view import View, columns
from blindscore.scorecard.card import Card
from blindscore.surveillance.attacks.naming import name_by_register
from blindscore.surveillance.capability import Absent, Capability
from blindscore.surveillance.inference.bound import Bound, identification_bound
from blindscore.surveillance.inference.classifiers import infer
from blindscore.surveillance.inference.evidence import Evidence
from blindscore.surveillance.inference.intervals import balanced_advantage, mean_interval
from blindscore.surveillance.inference.judged import class_row
from blindscore.surveillance.knowledge import UNKNOWN, Knowledge
from blindscore.surveillance.ledger import WITH_PUBLIC_CARD, WITH_SECRET_CARD, Row
from blindscore.surveillance.truth import Truth

NAME = "name"
POINTS = 100.0  # of the bin that tells most
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Chosen:
    """A card made to tell a secret, and how what it gives is read."""

    attack: str
    points: NDArray[np.int64]  # (d, widest) of each bin
    cut: int | None  # one bit: whether the points reach it; None where the points themselves are read
    digits: bool = False  # whether the points spell out the bins


@dataclass(frozen=True)
class Choose(Capability):
    """Make a card that tells a secret."""

    name = "choose"
    question = "choose the card so that it tells a secret"
    order = 55
    needs = frozenset({"rehearsal"})

    def secrets(self, truth: Truth) -> list[str]:
        """Return the sensitive columns, and the name."""
        return [*truth.secrets, NAME]

    def attack(self, knowledge: Knowledge, secret: str) -> Chosen | None:
        """Return the card that tells most among auxiliary people; None for who makes no card, or reads the figures."""
        card, bins = knowledge.published.card, knowledge.rehearsal
        if self._why_not(knowledge) or card is None or bins is None:
            return None
        totals = knowledge.published.totals
        if totals is not None and (secret == NAME or totals >= 2 * max(card.n_bins)):
            return Chosen("points with a place for each bin", places(card, totals), None, digits=True)
        if secret == NAME:
            return None
        code = knowledge.labels[secret].code[knowledge.auxiliary]
        said = code != UNKNOWN
        one_bit = not any(view.of("score", "total") for view in knowledge.views)
        return telling(card, bins[said], code[said], one_bit=one_bit)

    def _why_not(self, knowledge: Knowledge) -> str:
        if "scorer" not in knowledge.acts:
            return "absent means: it does not make the card"
        if any(view.of("feature") or view.named for view in knowledge.views):
            return "no bound: it reads the figures or the name, and need not choose a card"
        if not any(view.of("score", "total", "decision") for view in knowledge.views):
            return "absent data: it reads nothing that the card gives"
        return ""

    def otherwise(self, knowledge: Knowledge, secret: str) -> Absent:
        """Say why."""
        why = self._why_not(knowledge) or "no bound: what one card gives names nobody; see link"
        return Absent(why, None if why.startswith("no bound") else 0.0)

    def judge(self, truth: Truth, secret: str, guess: Chosen) -> Row:
        """Give everybody the chosen card, and return the row of what is read of it."""
        card, run = truth.run.card, truth.run
        adversary = WITH_PUBLIC_CARD if PUBLIC_CARD in truth.enforces else WITH_SECRET_CARD
        bins = truth.once(("choose", "bins", card.fingerprint), lambda: card.bins(truth.population.features))
        shown = guess.points[np.arange(bins.shape[1]), bins].sum(axis=1)
        read = shown if guess.cut is None else (shown >= guess.cut).astype(np.int64)
        knowledge = truth.knowledge()
        if secret == NAME:
            return self._named(truth, knowledge, guess, shown, adversary)
        labels = knowledge.labels[secret]
        evidence = _digits(guess, bins) if guess.digits else read[:, None]
        found = infer(Evidence.of(evidence.astype(np.float64)), labels, truth.auxiliary, truth.seed)
        row = class_row(truth, self.name, secret, secret, found, "choose", secret)
        honest = run.decisions.astype(np.float64) if guess.cut is not None else card.totals(bins).astype(np.float64)
        usual = infer(Evidence.of(honest[:, None]), labels, truth.auxiliary, truth.seed)
        control = class_row(truth, self.name, secret, secret, usual, "choose", secret).advantage
        reason = "attack only: another card may tell more"
        if adversary == WITH_PUBLIC_CARD:
            reason += f"; {audited(truth, secret, read)}"
        return replace(row, attack=guess.attack, control=control, reason=reason, adversary=adversary)

    def _named(self, truth: Truth, knowledge: Knowledge, guess: Chosen, shown: Codes, adversary: str) -> Row:
        person = np.arange(len(shown), dtype=np.int64)
        bins = _digits(guess, truth.run.card.bins(truth.population.features))
        clear = pd.DataFrame(bins, columns=[f"digit {j}" for j in range(bins.shape[1])])
        view = View("lender", "one-time", clear, columns("feature", clear.columns), person)
        hits = name_by_register(knowledge, view).hits(truth)
        n, chance = len(hits), 1.0 / len(hits)
        hit = mean_interval(hits, truth.rng("choose", NAME))
        advantage, low, high = (max(0.0, (h - chance) / (1.0 - chance)) for h in hit)
        values = math.prod(n for n, part in zip(truth.run.card.n_bins, guess.points, strict=True) if part.any())
        limit = identification_bound(values, n)
        return Row(
            truth.design,
            truth.coalition.name,
            self.name,
            NAME,
            guess.attack,
            advantage,
            low,
            high,
            control=0.0,
            bits=float(np.log2(n) * hit.value),
            reason=f"such a card gives up to {values} totals, which can tell apart at most as many of {n} people",
            adversary=adversary,
        ).bounded(Bound(limit, limit))


def places(card: Card, totals: int) -> NDArray[np.int64]:
    """Return points, (d, widest), by which as many features as fit have a digit of their own in the total.

    The features of most bins whose product stays within ``totals`` come first.
    """
    points, place = np.zeros_like(card.points, np.int64), 1
    for j in np.argsort([-n for n in card.n_bins], kind="stable"):
        bins = card.n_bins[int(j)]
        if place * bins > totals:
            continue
        points[j, :bins] = place * np.arange(bins)
        place *= bins
    return points


def _digits(guess: Chosen, bins: NDArray[np.integer[Any]]) -> Codes:
    """Return the bins that a total of places spells out."""
    return bins[:, guess.points.any(axis=1)].astype(np.int64)


def telling(card: Card, bins: NDArray[np.integer[Any]], code: Codes, *, one_bit: bool) -> Chosen:
    """Return the card, in the honest card's bins, that tells most of a secret among auxiliary people.

    One logistic regression on the bins for each class against the others; of these and of all cuts the one of most
    advantage.

    Parameters
    ----------
    bins : (a, d), of auxiliary people
    code : (a,) their class
    """
    widest = card.points.shape[1]
    place = np.arange(len(card.n_bins)) * widest + bins
    onehot = np.zeros((len(bins), len(card.n_bins) * widest))
    np.put_along_axis(onehot, place, 1.0, axis=1)
    best, most = np.zeros((len(card.n_bins), widest), np.int64), (-1.0, 0)
    classes = np.unique(code)
    for kind in classes[:1] if len(classes) == 2 else classes:
        if len(classes) < 2:
            break
        model = LogisticRegression(C=0.03, class_weight="balanced", max_iter=200).fit(onehot, code == kind)
        weight = model.coef_.reshape(-1, widest)
        points = np.round(POINTS * weight / max(np.abs(weight).max(), 1e-12)).astype(np.int64)
        told = points[np.arange(bins.shape[1]), bins].sum(axis=1)
        found = _best_cut(told, code)
        if found > most:
            best, most = points, found
    return Chosen("a card fitted to the secret", best, most[1] if one_bit else None)


def _best_cut(told: Codes, code: Codes) -> tuple[float, int]:
    """Return the greatest ``sum_v max_s P(v|s) - 1`` of any cut, and the cut."""
    k = int(code.max()) + 1
    levels, at = np.unique(told, return_inverse=True)
    counts = np.bincount(code * len(levels) + at, minlength=k * len(levels)).reshape(k, -1)
    below = counts.cumsum(axis=1) / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    below = below[counts.sum(axis=1) > 0]
    gap = below.max(axis=0) - below.min(axis=0)
    place = int(gap.argmax())
    return float(gap[place]), int(levels[min(place + 1, len(levels) - 1)])


def audited(truth: Truth, secret: str, read: Codes) -> str:
    """Say what a fairness audit of the published card finds, on as many people as the attacker knows the secret of."""
    right = truth.classes(secret)
    people = truth.auxiliary & (right != UNKNOWN)
    run = truth.run

    def gap(given: Codes) -> str:
        told = np.array([given[people & (right == kind)].mean() for kind in np.unique(right[people])])
        guess = _sides(given[people], right[people])
        found = balanced_advantage(right[people], guess, truth.rng("choose", "audit", secret))
        return f"a gap of {told.max() - told.min():.3f} ({found.low:.3f} to {found.high:.3f} as advantage)"

    return (
        f"an audit of the published card by whoever has features and this secret of {int(people.sum())} people finds "
        f"{gap(read)}, and in the honest card {gap(run.decisions.astype(np.int64))}"
    )


def _sides(given: Codes, right: Codes) -> Codes:
    """Return the class that a bit speaks for: of greatest share among those with that bit."""
    kinds = np.unique(right)
    share = np.array([given[right == kind].mean() for kind in kinds])
    guess: Codes = np.where(given == 1, kinds[share.argmax()], kinds[share.argmin()])
    return guess
