"""``arrivals``: learn of a person from when an application comes, how often, and which bank signed for it.

Whatever a message hides, it arrives at an hour (of the person's own), some parties can tell that somebody came before,
and a signature names a bank. What each party has of this stands in :mod:`blindscore.surveillance.arrivals`. Attack on a
trait: how often each value of these occurs in each class among auxiliary people, taken together or one by one, and
beside the public register where records carry a legal id. Advantage and control: as for ``profile``, which speaks of
what messages *say*; a party has both. Bound: total variation over the values that can be shown, where no record is
named. One hour is shown, that of this application: whoever knows people again sees those of others too.

*Has applied* is a secret too. A source that is asked for a person's figures knows, as does a lender to whom people give
their name, and whoever watches the line and knows whose address it is. A party that meets everybody once, without a
name, knows that somebody applied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.people.population import Population
from blindscore.surveillance.arrivals import TIMES, values_of
from blindscore.surveillance.attacks.profile import infer_publicly, public_advantage
from blindscore.surveillance.capability import Absent, Capability, Told
from blindscore.surveillance.coalitions import OBSERVER
from blindscore.surveillance.inference.bound import Bound, finite_view_bounds
from blindscore.surveillance.inference.classifiers import Guess, balanced_loss, prior_of
from blindscore.surveillance.inference.judged import class_row
from blindscore.surveillance.knowledge import Knowledge, Labels, row_codes
from blindscore.surveillance.ledger import Row
from blindscore.surveillance.truth import Truth

APPLIED = "has applied"
SMOOTH = 4.0  # people that a value's counts are drawn towards the prior by
FOLDS = 2


@dataclass(frozen=True)
class Arrivals(Capability):
    """Infer traits from times, numbers and signatures, and tell who applied at all."""

    name = "arrivals"
    question = "learn from when and how often you ask"
    order = 65
    needs = frozenset({"arrivals"})

    def secrets(self, truth: Truth) -> list[str]:
        """Return the sensitive columns and whether somebody applied; nothing of a file, which has no times."""
        known = type(truth.population).applications is not Population.applications
        return [*truth.secrets, APPLIED] if known else []

    def attack(self, knowledge: Knowledge, secret: str) -> Guess | None:
        """Return the best guess; None where nothing is shown, and for who applied: that is known or it is not."""
        table = knowledge.arrivals
        if secret == APPLIED or table is None or table.empty:
            return None
        labels = knowledge.labels[secret]

        def play() -> Guess:
            return _best(table, labels)

        shown = ("arrivals", secret, *table.columns)
        alone = knowledge.once(shown, play)
        if not knowledge.named:
            return alone
        public = infer_publicly(knowledge, secret)
        both = knowledge.once((*shown, "beside", knowledge.brought), lambda: _together(public, alone, labels))
        return min((alone, public, both), key=lambda guess: guess.loss)

    def otherwise(self, knowledge: Knowledge, secret: str) -> Absent | Told:
        """Say who knows that a person applied; a coalition that is shown no arrival has nothing."""
        if secret != APPLIED or knowledge.arrivals is None or knowledge.arrivals.empty:
            return Absent("absent data: no application arrives where this coalition sees it")
        if knowledge.named:
            return Told("no bound: an application is made, or figures are asked for, under the person's name")
        if OBSERVER in knowledge.coalition.roles:
            return Told("no bound: whoever watches the line and knows whose address it is sees that it asks a lender")
        again = TIMES in knowledge.arrivals
        return Absent(
            f"no bound: it knows that somebody applied{', and who came again,' if again else ''} and not who that is; "
            "how well its records are named is the row of link",
            None,
        )

    def judge(self, truth: Truth, secret: str, guess: Guess) -> Row:
        """Return the row, held against the register alone."""
        row = class_row(truth, self.name, secret, secret, guess, "profile", secret)
        row = replace(row, control=public_advantage(truth, secret))
        if any(view.named for view in truth.views):
            return replace(row, reason="attack only: the record is named, so public knowledge adds to it")
        table = truth.arrivals(truth.coalition.roles)
        names = [str(name) for name in table]

        def bound() -> tuple[Bound, str]:
            asked, values = truth.asked(secret), values_of(table)
            limit = finite_view_bounds(row_codes(table)[asked], truth.classes(secret)[asked], values)
            return limit, f"no function of {', '.join(names)} ({values} values) does better (total variation)"

        limit, reason = truth.once(("arrivals", "bound", secret, *names), bound)
        return replace(row, reason=reason).bounded(limit)


def _best(table: pd.DataFrame, labels: Labels) -> Guess:
    """Return the best way to count: on some of the columns together, or on all of them one by one."""
    known = np.flatnonzero(labels.known)
    prior = prior_of(labels.code[known], labels.classes)
    names = [str(name) for name in table]
    ways: dict[str, Sequence[NDArray[np.int64]]] = {
        " and ".join(some): [row_codes(table[list(some)])]
        for size in range(1, len(names) + 1)
        for some in combinations(names, size)
    }
    if len(names) > 1:
        ways[f"{', '.join(names)}, one by one"] = [row_codes(table[[name]]) for name in names]
    found = []
    for words, codes in ways.items():
        unseen = np.empty((len(known), labels.classes))
        for fold in range(FOLDS):  # auxiliary people stand in no order that their classes follow
            inside = np.arange(len(known)) % FOLDS == fold
            learnt = _believed(codes, known[~inside], labels, prior)
            unseen[inside] = learnt[known[inside]]
        loss = balanced_loss(unseen, labels.code[known], prior)
        found.append(Guess(f"counts of {words}", _believed(codes, known, labels, prior), prior, loss))
    return min(found, key=lambda guess: guess.loss)


def _believed(
    codes: Sequence[NDArray[np.int64]], learn: NDArray[np.int64], labels: Labels, prior: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return everybody's posterior, (n, k), from counts among the people to learn from."""
    log_odds = np.zeros((len(labels.code), labels.classes))
    for code in codes:
        m, k = int(code.max()) + 1, labels.classes
        counts = np.bincount(code[learn] * k + labels.code[learn], minlength=m * k).reshape(m, k).astype(np.float64)
        share = (counts + SMOOTH * prior) / (counts.sum(axis=1, keepdims=True) + SMOOTH)
        log_odds += np.log(share / prior)[code]
    believed = prior * np.exp(log_odds - log_odds.max(axis=1, keepdims=True))
    return np.asarray(believed / believed.sum(axis=1, keepdims=True), np.float64)


def _together(public: Guess, alone: Guess, labels: Labels) -> Guess:
    """Return what the register and the arrivals say together, each taken as saying its own."""
    believed = public.probability * (alone.probability / alone.prior)
    believed = np.maximum(believed, 1e-12)
    believed /= believed.sum(axis=1, keepdims=True)
    # Each was judged on people that it had not learnt from; their gains over guessing add up if they are independent,
    # and are told as no more than the larger of both where they are not.
    known = np.flatnonzero(labels.known)
    loss = balanced_loss(believed[known], labels.code[known], public.prior)
    guessing = float(np.log(labels.classes))
    honest = max(loss, public.loss + alone.loss - guessing)
    return Guess(f"{alone.attack}, beside {public.attack}", believed, public.prior, honest)
