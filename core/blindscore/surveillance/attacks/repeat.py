"""``repeat``: what twelve monthly applications tell, where they can be linked and where they cannot.

Each month the same people come back with that month's figures, and the design shows each party that month's view. Under
a legal id or a pairwise pseudonym a coalition holds twelve records of one person: the attacker reads the latest, the
mean and the spread of every column that moves. So it does under one-time keys where it is told the decision: who is
paid out is known by name, so that twelve bits are one record. Other records under one-time keys nothing joins: there it
can do no more than with one. A one-time record that shares a handle with a named one (``sealed``, lender and source) is
linkable for both together. Advantage: that of ``profile``. Control: one application under the same design. The
capacity of linkable presentations adds up: at most ``12 log2 |alphabet|`` bits instead of ``log2 |alphabet|``.

Only a population that knows its later months (the synthetic society) can be asked.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from blindscore.as_script import say
from blindscore.parties.view import TELLS_DECISION, Column, View
from blindscore.surveillance.attacks.profile import bound_of, infer_trait
from blindscore.surveillance.capability import Capability
from blindscore.surveillance.inference.bound import Bound
from blindscore.surveillance.inference.classifiers import Guess
from blindscore.surveillance.inference.judged import class_row
from blindscore.surveillance.knowledge import Knowledge
from blindscore.surveillance.ledger import Ledger, Row, load_ledger
from blindscore.surveillance.questions import Recurring
from blindscore.surveillance.truth import Truth

MONTHS = 12


@dataclass(frozen=True)
class Repeat(Capability):
    """Infer traits from twelve monthly applications."""

    months: int = MONTHS

    name = "repeat"
    question = "learn more each time you apply"
    order = 90
    needs = frozenset({"months"})

    def secrets(self, truth: Truth) -> list[str]:
        """Return the sensitive columns, or none where the population knows no later months."""
        return truth.secrets if isinstance(truth.population, Recurring) else []

    def attack(self, knowledge: Knowledge, secret: str) -> Guess:
        """Return what the months tell together where a key joins them, or one month alone where that tells more."""
        once = infer_trait(knowledge, secret)
        if not _linkable(knowledge.views):
            return once
        year = self._year(knowledge)
        joined = infer_trait(replace(knowledge, views=year, parts=year), secret)
        if joined.loss < once.loss:
            return replace(joined, attack=f"{self.months} months joined: {joined.attack}")
        return replace(once, attack=f"one month, which {self.months} joined do not beat: {once.attack}")

    def _year(self, knowledge: Knowledge) -> tuple[View, ...]:
        """Return the months of each view as one, where a key joins them; else the one month."""
        months = knowledge.months
        assert months is not None

        def joined(view: View) -> View:
            # Figures alone are the same under every design; what a card made of them is this run's own.
            memo = knowledge.of_run if view.of(*TELLS_DECISION) else knowledge.memo
            return memo.once(("year", view.digest, self.months), lambda: _together(months(view, self.months)))

        def year() -> tuple[View, ...]:
            return tuple(joined(view) if _joins(view) else view for view in knowledge.views)

        return knowledge.scratch.once(("year",), year)

    def judge(self, truth: Truth, secret: str, guess: Guess) -> Row:
        """Return the row; its control is one application."""
        row = class_row(truth, self.name, secret, secret, guess, "profile", secret)
        once = infer_trait(truth.knowledge(), secret)
        control = class_row(truth, self.name, secret, secret, once, "profile", secret).advantage
        bound, reason = self._bound(truth, secret)
        return replace(row, control=control, reason=reason).bounded(bound)

    def _bound(self, truth: Truth, secret: str) -> tuple[Bound | None, str]:
        if _linkable(truth.views):
            universes = [view.universe for view in truth.views]
            one = universes[0] if len(universes) == 1 else None
            reason = f"attack only: {self.months} linkable records add up"
            if one is not None:
                reason += f", to at most {self.months * math.log2(one):.0f} bits where one has {math.log2(one):.0f}"
            return None, reason
        bound, _ = bound_of(truth, secret)
        reason = f"one-time keys: nothing joins the {self.months} records, so each tells what one tells"
        return bound, reason if bound is not None else f"attack only: {reason}"


def _linkable(views: Sequence[View]) -> bool:
    return any(_joins(view) for view in views)


def _joins(view: View) -> bool:
    """Tell whether a party can put a person's months side by side: by a key, or since it pays out to a name.

    Whoever is told the decision, or what decides, lends: it knows to whom it paid out in every month.
    """
    return view.keyed_by != "one-time" or bool(view.of(*TELLS_DECISION))


def _together(year: list[View]) -> View:
    """Return one view with the latest, the mean and the spread of every number over the months."""
    first = year[0].clear
    columns = {name: first[name] for name in first.columns}
    numbers = set(year[0].values)
    kinds = year[0].kinds
    for name in first.columns:
        if pd.api.types.is_numeric_dtype(first[name]) and name in numbers:
            months = np.column_stack([view.clear[name].to_numpy(np.float64, na_value=np.nan) for view in year])
            if np.array_equal(months, np.repeat(months[:, :1], len(year), axis=1), equal_nan=True):
                continue  # a column that stays as it is says nothing more in the second month
            known = ~np.isnan(months)
            count = np.maximum(known.sum(axis=1), 1)
            mean = np.where(known, months, 0.0).sum(axis=1) / count
            spread = np.sqrt(np.where(known, (months - mean[:, None]) ** 2, 0.0).sum(axis=1) / count)
            for what, figure in (("mean", mean), ("spread", spread)):
                columns[f"{name}, {what}"] = pd.Series(np.where(known.any(axis=1), figure, np.nan))
                kinds[f"{name}, {what}"] = kinds[name]
    told = tuple(Column(name, kind) for name, kind in kinds.items())
    return replace(year[0], clear=pd.DataFrame(columns), columns=told, universe=None)


def months_table(ledger: Ledger, coalitions: Sequence[str] = ("scorer", "lender+source")) -> str:
    """Return, in Markdown, the bits that one application and that twelve tell of all secrets, summed one by one."""
    head = "".join(f" {who}, one month | {who}, twelve |" for who in coalitions)
    lines = [f"| design |{head}", f"|---|{'---:|' * (2 * len(coalitions))}"]
    for design in ledger.designs:
        cells = ""
        for who in coalitions:
            for capability in ("profile", "repeat"):
                rows = ledger.find(design=design.design, coalition=who, capability=capability)
                cells += f" {sum(row.bits or 0.0 for row in rows):.3f} |" if rows else " not measured |"
        lines.append(f"| `{design.design}` |{cells}")
    return "\n".join(lines)


def _months_of_file(path: Path) -> str:
    """Print the bits that one application and that twelve tell, from a ledger.json."""
    return months_table(load_ledger(path))


if __name__ == "__main__":
    say(_months_of_file, {"ledger": Path})
