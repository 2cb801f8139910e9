"""``repeat``: what twelve monthly applications tell, where they can be linked and where they cannot.

Each month the same people come back with that month's figures, and the design shows its lender that month's view. Under
a legal id or a pairwise pseudonym the lender holds twelve records of one person: the attacker reads the latest, the
mean and the spread of every column. Under one-time keys it holds twelve records that nothing joins: it can do no more
than with one. Advantage: that of ``profile``. Control: one application under the same design. The capacity of
linkable presentations adds up: at most ``12 log2 |alphabet|`` bits instead of ``log2 |alphabet|``.

Only a population that knows its later months (the synthetic society) can be asked.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd

from blindscore.designs.design import Run, View
from blindscore.people.population import Population
from blindscore.surveillance.bound import finite_view_bound
from blindscore.surveillance.ledger import Row
from blindscore.surveillance.profile import classes_of, infer_trait
from blindscore.surveillance.scene import Scene, codes_by_person

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
        """Return one row a trait for the lender; others see applications only through it."""
        if scene.parties != ("lender",) or not isinstance(scene.population, Recurring) or len(scene.views) != 1:
            return []
        view = scene.views[0]
        linkable = view.keyed_by != "one-time"
        if linkable:
            recurring = scene.population
            later = scene.once(
                ("later", self.months), lambda: [recurring.later(month) for month in range(1, self.months)]
            )
            year = [view, *(view_in(people, scene.run, view) for people in later)]
            view = _together(year)
        return [self._row(scene, name, view, linkable) for name in scene.population.sensitive.columns]

    def _row(self, scene: Scene, name: str, view: View, linkable: bool) -> Row:
        once = infer_trait(scene, name)
        single = scene.views[0]
        attack, bound = once, None
        if linkable:
            attack = min((infer_trait(replace(scene, views=(view,)), name), once), key=lambda found: found.guess.loss)
            reason = f"attack only: {self.months} linkable records add up"
            if single.universe is not None:
                bits = math.log2(single.universe)
                reason += f", to at most {self.months * bits:.0f} bits where one has {bits:.0f}"
        else:
            reason = f"one-time keys: nothing joins the {self.months} records, so each tells what one tells"
            if single.universe is not None:
                targets = ~scene.auxiliary
                code = codes_by_person(scene, single)
                bound = finite_view_bound(code[targets], classes_of(scene.population.sensitive[name])[targets])
        return Row(
            design=scene.design,
            coalition=scene.coalition,
            capability=self.name,
            secret=name,
            attack=f"{self.months} months joined: {attack.guess.attack}" if linkable else attack.guess.attack,
            advantage=attack.advantage.value,
            low=attack.advantage.low,
            high=attack.advantage.high,
            control=once.advantage.value,
            tpr_at_fpr_0_001=attack.tpr,
            bits=attack.bits,
            bound=bound,
            reason=reason,
        )


def view_in(later: Population, run: Run, view: View) -> View:
    """Return the same view of another month: features as they are then, score and decision by the same card."""
    scores = run.score(later)
    fresh: dict[str, Any] = {"score": scores, "approved": (scores >= run.threshold).astype(np.int8)}
    columns = {}
    for name in view.clear.columns:
        if name in later.features.columns:
            columns[name] = later.features[name].to_numpy()[view.person]
        elif name in fresh:
            columns[name] = fresh[name][view.person]
        else:
            columns[name] = view.clear[name].to_numpy()
    return replace(view, clear=pd.DataFrame(columns))


def _together(year: list[View]) -> View:
    """Return one view with the latest, the mean and the spread of every number over the months."""
    first = year[0].clear
    columns = {name: first[name] for name in first.columns}
    for name in first.columns:
        if pd.api.types.is_numeric_dtype(first[name]) and name not in year[0].handles:
            months = np.column_stack([view.clear[name].to_numpy(np.float64, na_value=np.nan) for view in year])
            known = ~np.isnan(months)
            count = np.maximum(known.sum(axis=1), 1)
            mean = np.where(known, months, 0.0).sum(axis=1) / count
            spread = np.sqrt(np.where(known, (months - mean[:, None]) ** 2, 0.0).sum(axis=1) / count)
            columns[f"{name}, mean"] = pd.Series(np.where(known.any(axis=1), mean, np.nan))
            columns[f"{name}, spread"] = pd.Series(np.where(known.any(axis=1), spread, np.nan))
    return replace(year[0], clear=pd.DataFrame(columns), universe=None)
