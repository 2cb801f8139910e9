"""``repeat``: what twelve monthly applications tell, where they can be linked and where they cannot.

Each month the same people come back with that month's figures, and the design shows each party that month's view. Under
a legal id or a pairwise pseudonym a coalition holds twelve records of one person: the attacker reads the latest, the
mean and the spread of every column that moves. Under one-time keys it holds twelve records that nothing joins: it can
do no more than with one. A one-time record that shares a handle with a named one (``sealed``, lender and source) is
linkable for both together. Advantage: that of ``profile``. Control: one application under the same design. The
capacity of linkable presentations adds up: at most ``12 log2 |alphabet|`` bits instead of ``log2 |alphabet|``.

Only a population that knows its later months (the synthetic society) can be asked.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd

from blindscore.designs.design import Run
from blindscore.parties.view import Column, Kind, View
from blindscore.people.population import Population
from blindscore.surveillance.attacks.profile import Reader, classes_of, infer_trait, reader
from blindscore.surveillance.inference.bound import finite_view_bound
from blindscore.surveillance.ledger import Ledger, Row, load_ledger
from blindscore.surveillance.scene import Scene, codes_by_person
from blindscore.threads import each

MONTHS = 12


@runtime_checkable
class Recurring(Protocol):
    """A population whose people can be met again months later."""

    def later(self, months: int = 1) -> Population:
        """Return the same people some months on."""
        ...


@dataclass(frozen=True)
class Repeat:
    """Infer traits from twelve monthly applications."""

    months: int = MONTHS

    name = "repeat"

    def measure(self, scene: Scene) -> list[Row]:
        """Return one row a trait, or none where the population knows no later months."""
        if not isinstance(scene.population, Recurring):
            return []
        year = tuple(self._year(scene, scene.population, view) for view in scene.views)
        read = reader(scene)
        return each(lambda name: self._row(scene, name, year, read), scene.population.sensitive.columns)

    def _year(self, scene: Scene, recurring: Recurring, view: View) -> View:
        """Return twelve months of a view as one, where a key joins them; else the one month."""
        if view.keyed_by == "one-time":
            return view

        def months() -> View:
            later = scene.once(
                ("later", self.months), lambda: [recurring.later(month) for month in range(1, self.months)]
            )
            return _together([view, *(view_in(people, scene.run, view) for people in later)])

        return scene.once(("year", scene.design, view.digest, self.months), months)

    def _row(self, scene: Scene, name: str, year: tuple[View, ...], read: Reader) -> Row:
        once = infer_trait(scene, name, read)
        linkable = any(joined is not single for joined, single in zip(year, scene.views, strict=True))
        attack, words = once, once.guess.attack
        if linkable:
            joined = infer_trait(replace(scene, views=year), name, read)
            if joined.guess.loss < once.guess.loss:
                attack, words = joined, f"{self.months} months joined: {joined.guess.attack}"
            else:
                words = f"one month, which {self.months} joined do not beat: {words}"
        bound, reason = self._bound(scene, name, linkable)
        return Row(
            design=scene.design,
            coalition=scene.coalition.name,
            capability=self.name,
            secret=name,
            attack=words,
            advantage=attack.advantage.value,
            low=attack.advantage.low,
            high=attack.advantage.high,
            control=once.advantage.value,
            tpr_at_fpr_0_001=attack.tpr,
            bits=attack.bits,
            bound=bound,
            reason=reason,
        )

    def _bound(self, scene: Scene, name: str, linkable: bool) -> tuple[float | None, str]:
        universes = [view.universe for view in scene.views]
        one = universes[0] if len(universes) == 1 else None
        if linkable:
            reason = f"attack only: {self.months} linkable records add up"
            if one is not None:
                reason += f", to at most {self.months * math.log2(one):.0f} bits where one has {math.log2(one):.0f}"
            return None, reason
        reason = f"one-time keys: nothing joins the {self.months} records, so each tells what one tells"
        if one is None:
            return None, f"attack only: {reason}"
        targets = ~scene.auxiliary
        code = codes_by_person(scene, scene.views[0])
        return finite_view_bound(code[targets], classes_of(scene.population.sensitive[name])[targets]), reason


def view_in(later: Population, run: Run, view: View) -> View:
    """Return the same view of another month: features as they are then, score and decision by the same card."""
    scores = run.score(later)
    fresh: dict[Kind, Any] = {"score": scores, "decision": (scores >= run.threshold).astype(np.int8)}
    if view.of("total"):
        fresh["total"] = run.card.totals(run.card.bins(later.features))
    columns = {}
    for name, kind in view.columns:
        if kind == "feature" and name in later.features.columns:
            columns[name] = later.features[name].to_numpy()[view.person]
        elif kind in fresh:
            columns[name] = fresh[kind][view.person]
        else:
            columns[name] = view.clear[name].to_numpy()
    return replace(view, clear=pd.DataFrame(columns))


def _together(year: list[View]) -> View:
    """Return one view with the latest, the mean and the spread of every number over the months."""
    first = year[0].clear
    columns = {name: first[name] for name in first.columns}
    numbers = set(year[0].values)
    kinds = dict(year[0].columns)
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


if __name__ == "__main__":
    print(months_table(load_ledger(Path(sys.argv[1]))))
