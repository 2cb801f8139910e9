"""One made-up person under every design: scores for every setting of a few sliders, by the designs' own kernels.

The page looks these scores up; it computes none itself, so it cannot differ from the kernel.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.designs.design import Run
from blindscore.people.population import Population
from blindscore.scorecard.binning import bin_labels

# Feature -> the quantiles of the population that its slider offers.
SLIDERS: tuple[tuple[str, tuple[float, ...]], ...] = (
    ("income", (0.02, 0.25, 0.5, 0.75, 0.98)),
    ("arrears_months", (0.0, 0.9, 0.97, 0.999)),
    ("post_opposition", (0.0, 0.5, 0.9, 0.99)),
    ("nappies", (0.0, 0.9, 0.99)),
    ("games_hours", (0.02, 0.5, 0.98)),
    ("friends_mean_arrears", (0.02, 0.5, 0.98)),
)


@dataclass(frozen=True)
class Slider:
    """One feature that a reader may change, and its settings."""

    feature: str
    context: str
    unit: str
    positions: tuple[float, ...]
    start: int  # index of the setting nearest to the person


@dataclass(frozen=True)
class Person:
    """A person of middling record, and copies of it in every combination of the sliders."""

    row: int
    sliders: tuple[Slider, ...]
    copies: Population  # one row a combination, the last slider fastest

    def to_dict(self) -> dict[str, Any]:
        """Return the plain form for the ledger's ``meta``."""
        return {
            "sliders": [
                {
                    "feature": s.feature,
                    "context": s.context,
                    "unit": s.unit,
                    "positions": list(s.positions),
                    "start": s.start,
                }
                for s in self.sliders
            ]
        }


def choose_person(population: Population) -> Person | None:
    """Return a made-up person near the middle of every slider; None for real people or without such features."""
    known = [(name, quantiles) for name, quantiles in SLIDERS if name in population.features.columns]
    if not population.synthetic or not known:
        return None
    values = population.features[[name for name, _ in known]].astype(float)
    distance = (values.rank(pct=True) - 0.5).abs().sum(axis=1, skipna=False).to_numpy()
    if np.isnan(distance).all():
        return None
    row = int(np.nanargmin(distance))
    sliders = []
    for name, quantiles in known:
        offered = [float(f"{q:.2g}") for q in values[name].quantile(list(quantiles))]
        positions = tuple(sorted(set(offered)))
        start = int(np.argmin(np.abs(np.array(positions) - values[name].iloc[row])))
        feature = population.schema[name]
        sliders.append(Slider(name, feature.context, feature.unit, positions, start))
    return Person(row, tuple(sliders), _copies(population, row, sliders))


def _copies(population: Population, row: int, sliders: list[Slider]) -> Population:
    grid = np.array(np.meshgrid(*(s.positions for s in sliders), indexing="ij")).reshape(len(sliders), -1)
    return copies(population, row, {s.feature: column for s, column in zip(sliders, grid, strict=True)})


def copies(population: Population, row: int, changed: Mapping[str, NDArray[np.float64]]) -> Population:
    """Return copies of one person, one for each entry of the changed features' columns, all else alike."""
    n = len(next(iter(changed.values())))
    rows = np.full(n, row)

    def repeat(table: pd.DataFrame) -> pd.DataFrame:
        return table.iloc[rows].reset_index(drop=True)

    return Population(
        features=repeat(population.features).assign(**changed),
        schema=population.schema,
        default=population.default[rows],
        sensitive=repeat(population.sensitive),
        register=repeat(population.register),
        history=population.history[rows],
        name=population.name,
        synthetic=population.synthetic,
    )


def score_person(person: Person, run: Run) -> dict[str, Any]:
    """Return one design's answer for every combination.

    Returns
    -------
    dict
        ``threshold``; ``low`` and ``high`` of the scale; ``base`` points; ``parts``: per characteristic ``feature``,
        ``best`` points (of reasons), and ``bins`` and ``points`` by slider position (one entry if no slider moves it);
        ``scores``:
        base64 of little-endian int16, one a combination, the last slider fastest. A score that departs from base and
        points, clipped, was moved by a rule outside the card.
    """
    card = run.card
    features = person.copies.features
    scores = run.score(person.copies)
    moved = {s.feature: s for s in person.sliders}
    parts = []
    strides = _strides(person)
    for j, c in enumerate(card.characteristics):
        rows: NDArray[np.int64] = np.zeros(1, np.int64)
        if c.feature in moved:
            rows = np.arange(len(moved[c.feature].positions)) * strides[c.feature]
        bins = card.bins(features.iloc[rows])[:, j]
        labels = bin_labels(c)
        parts.append(
            {
                "feature": c.feature,
                "best": c.best,
                "bins": [labels[b] for b in bins],
                "points": [c.points[b] for b in bins],
            }
        )
    return {
        "threshold": int(run.threshold),
        "low": card.scale.low,
        "high": card.scale.high,
        "base": card.base,
        "parts": parts,
        "scores": base64.b64encode(np.asarray(scores, "<i2").tobytes()).decode(),
    }


def _strides(person: Person) -> dict[str, int]:
    strides, step = {}, 1
    for slider in reversed(person.sliders):
        strides[slider.feature] = step
        step *= len(slider.positions)
    return strides
