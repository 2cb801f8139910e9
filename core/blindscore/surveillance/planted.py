"""Views with a planted secret, or with none: what every attack must break, and what it must not."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from blindscore.designs.design import Run
from blindscore.designs.plain import LENDER_SCORES, scoring_lender
from blindscore.parties.costs import Costs
from blindscore.parties.view import Column, Kind, View, kept_for
from blindscore.people.population import Feature, Population, Schema
from blindscore.scorecard.card import Card, Characteristic
from blindscore.surveillance.coalitions import Coalition
from blindscore.surveillance.truth import Truth, auxiliary_people

USUAL: Mapping[str, Kind] = {"score": "score", "approved": "decision"}
CARD = Card((Characteristic("income", (0, 100, 0), edges=(0.0,)),), base=500)


def people(n: int = 1500, seed: int = 3, **tables: Any) -> Population:
    """Return people with one feature, one secret of two classes, and a register of three quasi-identifiers."""
    rng = np.random.default_rng(seed)
    register = pd.DataFrame({"legal_id": [f"id{i}" for i in range(n)]})
    for name, levels in (("age_band", 12), ("region", 40), ("street", 30)):
        register[name] = rng.integers(0, levels, n).astype(str)
    given: dict[str, Any] = {
        "features": pd.DataFrame({"income": rng.normal(size=n)}),
        "schema": Schema((Feature("income", "bank"),), sensitive=("party",)),
        "default": rng.random(n) < 0.3,
        "sensitive": pd.DataFrame({"party": rng.integers(0, 2, n)}),
        "register": register,
        "history": rng.random(n) < 0.5,
    }
    return Population(**(given | tables))


def run_with(population: Population, lender: View, source: View | None = None, **changes: Any) -> Run:
    """Return a run whose lender (and scorer) has the given view."""
    scores = CARD.scores(CARD.bins(population.features))
    views = scoring_lender(lender)
    if source is not None:
        views["source"] = replace(source, role="source")
    given: dict[str, Any] = {
        "decisions": scores >= 550,
        "scores": scores,
        "threshold": 550,
        "card": CARD,
        "views": views,
        "costs": Costs(),
        "plays": LENDER_SCORES,
    }
    return Run(**(given | changes))


def truth_of(
    population: Population,
    run: Run,
    roles: tuple[str, ...] = ("scorer",),
    seed: int = 11,
    enforces: frozenset[str] = frozenset(),
) -> Truth:
    """Return the coalition of the given roles in front of the run, and what is true of everybody."""
    name = "all" if len(roles) > 3 else "+".join(roles)
    return Truth(population, "planted", enforces, run, Coalition(name, roles), auxiliary_people(population, seed), seed)


def view_of(
    population: Population,
    columns: dict[str, Any],
    keyed_by: Any = "one-time",
    *,
    role: str = "lender",
    handles: tuple[str, ...] = (),
    kinds: Mapping[str, Kind] = USUAL,
    stored: Collection[str] | None = None,
    **more: Any,
) -> View:
    """Return a view, a lender's unless said otherwise, with the given columns, one record a person.

    A column is a feature unless ``kinds`` says what it is or ``handles`` names it, and stays unless ``stored`` leaves
    it out.
    """
    clear = pd.DataFrame(columns)
    known: dict[str, Kind] = {**kinds, **dict.fromkeys(handles, "handle")}
    told = tuple(Column(name, known.get(name, "feature")) for name in clear.columns)
    if stored is not None:
        told = kept_for(told, 0, set(clear.columns) - set(stored))
    return View(role, keyed_by, clear, told, np.arange(len(population), dtype=np.int64), **more)
