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
from blindscore.surveillance.attacks.link import best_of, ways_to_name
from blindscore.surveillance.attacks.naming import Found
from blindscore.surveillance.capability import Capability
from blindscore.surveillance.coalitions import at_rest
from blindscore.surveillance.inference.bound import CROWDS, Bound, crowd_words, entropy_bits
from blindscore.surveillance.inference.intervals import Estimate, mean_interval
from blindscore.surveillance.knowledge import Knowledge
from blindscore.surveillance.ledger import ABSENT, PLAYED, Row
from blindscore.surveillance.truth import Truth


@dataclass(frozen=True)
class Disclose(Capability):
    """Serve an order for everybody."""

    name = "disclose"
    question = "hand everybody over on one order"
    order = 70
    by_reading = False  # what is read and what is stored differ
    quick = True

    def secrets(self, truth: Truth) -> list[str]:
        """Return one: any record."""
        return ["any record"]

    def attack(self, knowledge: Knowledge, secret: str) -> list[Found]:
        """Return every way to name the stored records."""
        views = _stored(knowledge.views)
        if not views:
            return [Found("nothing readable is stored", None)]
        return ways_to_name(knowledge, tuple(view for view in views if view.named) or views)

    def judge(self, truth: Truth, secret: str, guess: list[Found]) -> Row:
        """Return the share of people whom one order exposes by name."""
        views, people = _stored(truth.views), len(truth.population)
        way = best_of(truth, guess)
        share, bits = Estimate(0.0, 0.0, 0.0), 0.0
        bound: Bound | None = Bound(0.0, 0.0)
        reason = "absent data: nothing readable is stored"
        if views:
            share = mean_interval(way.hits(truth), truth.rng("disclose"))
            bits = max(truth.once(("stored bits", view.digest), partial(stored_bits, view)) for view in views)
            bound, reason = _bound(views, int(truth.targets.sum()))
        return Row(
            design=truth.design,
            coalition=truth.coalition.name,
            capability=self.name,
            secret=secret,
            attack=way.attack,
            advantage=share.value,
            low=share.low,
            high=share.high,
            control=0.0,
            bits=bits,
            reason=reason,
            people_exposed=round(share.value * people),
            kind=PLAYED if views else ABSENT,
        ).bounded(bound)


def _stored(views: tuple[View, ...]) -> tuple[View, ...]:
    return tuple(view for view in map(at_rest, views) if view.values)


def _bound(views: tuple[View, ...], people: int) -> tuple[Bound | None, str]:
    if any(view.named for view in views):
        return None, "attack only: records are stored by name"
    universes = [view.universe for view in views]
    if any(universe is None for universe in universes):
        return None, "attack only: the stored record has no small alphabet"
    widest = max(universe for universe in universes if universe is not None)
    # Those exposed are counted among the people asked about, and not corrected for chance.
    limit = Bound(min(1.0, widest / CROWDS[0]), min(1.0, widest / people))
    return limit, f"{widest} stored values can name at most {widest} people: {crowd_words(widest)}"


def stored_bits(view: View) -> float:
    """Return the sum of the entropies of a view's value columns, bits a record, numbers cut at their percentiles."""
    total = 0.0
    for name in view.values:
        column = view.clear[name]
        if pd.api.types.is_float_dtype(column) and column.nunique() > 100:
            column = pd.Series(pd.qcut(column, 100, labels=False, duplicates="drop"))
        code, distinct = pd.factorize(column, use_na_sentinel=False)
        _, kind = np.unique(np.asarray(pd.Series(distinct).astype("str"), dtype=str), return_inverse=True)
        total += entropy_bits(kind[code])
    return total
