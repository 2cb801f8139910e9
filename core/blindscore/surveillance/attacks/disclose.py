"""``disclose``: serve one order for everybody, and read what is stored.

A person is exposed when the coalition's stored, readable record says something of the person and can be tied to the
name (it carries the legal id, or ``link`` names it). Bits: what the stored record says, as the sum of its columns'
entropies, an upper limit on what one order yields a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from blindscore.parties.view import View
from blindscore.surveillance.attacks.link import name_records
from blindscore.surveillance.coalitions import at_rest
from blindscore.surveillance.inference.bound import entropy_bits, identification_bound
from blindscore.surveillance.inference.intervals import mean_interval
from blindscore.surveillance.ledger import Row
from blindscore.surveillance.scene import Scene


@dataclass(frozen=True)
class Disclose:
    """Serve an order for everybody."""

    name = "disclose"

    def measure(self, scene: Scene) -> list[Row]:
        """Return one row: the share of people whom one order exposes by name."""
        views = tuple(view for view in map(at_rest, scene.views) if view.values)
        people = len(scene.population)
        if not views:
            return [self._row(scene, "nothing readable is stored", (0.0, 0.0, 0.0), 0.0, 0.0, "absent data")]
        named = tuple(view for view in views if view.named)
        hits, attack = name_records(scene, named or views)
        share = mean_interval(hits, scene.rng("disclose"))
        bits = max(scene.once(("stored bits", view.digest), partial(stored_bits, view)) for view in views)
        bound, reason = self._bound(views, people)
        return [self._row(scene, attack, share, bits, bound, reason)]

    def _bound(self, views: tuple[View, ...], people: int) -> tuple[float | None, str]:
        if any(view.named for view in views):
            return None, "attack only: records are stored by name"
        universes = [view.universe for view in views]
        if any(universe is None for universe in universes):
            return None, "attack only: the stored record has no small alphabet"
        widest = max(universe for universe in universes if universe is not None)
        return identification_bound(
            widest, people
        ), f"{widest} stored values can name at most {widest} of {people} people"

    def _row(
        self,
        scene: Scene,
        attack: str,
        share: tuple[float, float, float],
        bits: float,
        bound: float | None,
        reason: str,
    ) -> Row:
        return Row(
            design=scene.design,
            coalition=scene.coalition.name,
            capability=self.name,
            secret="any record",
            attack=attack,
            advantage=share[0],
            low=share[1],
            high=share[2],
            control=0.0,
            bits=bits,
            bound=bound,
            reason=reason,
            people_exposed=round(share[0] * len(scene.population)),
        )


def stored_bits(view: View) -> float:
    """Return the sum of the entropies of a view's value columns, bits a record, numbers cut at their percentiles."""
    total = 0.0
    for name in view.values:
        column = view.clear[name]
        if pd.api.types.is_float_dtype(column) and column.nunique() > 100:
            column = pd.Series(pd.qcut(column, 100, labels=False, duplicates="drop"))
        total += entropy_bits(np.asarray(column.astype("str"), dtype=str))
    return total
