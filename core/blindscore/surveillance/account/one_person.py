"""One made-up person under every design: scores for every setting of a few sliders, by the designs' own kernels.

The page looks these scores up; it computes none itself, so it cannot differ from the kernel.

Months in arrears do not come alone. In the society, as money trouble causes them, it causes empty accounts, late bills
and default too; beside those, arrears say next to nothing more, and a card rightly gives them a few points. Somebody
with 22 months in arrears, savings and no late bill does not exist there. So that slider brings along what is typical
of people with so many months.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.designs.design import Run
from blindscore.people.population import Population
from blindscore.scorecard.binning import bin_labels
from blindscore.scorecard.card import Card
from blindscore.scorecard.reasons import REASONS, costliest, lost_points

# Feature, the quantiles of the population that its slider offers, and the features that it brings along.
SLIDERS: tuple[tuple[str, tuple[float, ...], tuple[str, ...]], ...] = (
    ("income", (0.02, 0.25, 0.5, 0.75, 0.98), ()),
    (
        "arrears_months",
        (0.0, 0.9, 0.97, 0.999),
        ("savings", "overdrafts", "late_utility_bills", "utilisation", "enquiries"),
    ),
    ("post_opposition", (0.0, 0.5, 0.9, 0.99), ()),
    ("nappies", (0.0, 0.9, 0.99), ()),
    ("games_hours", (0.02, 0.5, 0.98), ()),
    ("friends_mean_arrears", (0.02, 0.5, 0.98), ()),
)
TYPICAL = 30  # people whose middle is typical of a value
NO_REASON = 255  # where fewer features than REASONS cost the person anything


@dataclass(frozen=True)
class Slider:
    """One feature that a reader may change, and its settings."""

    feature: str
    context: str
    unit: str
    positions: tuple[float, ...]
    start: int  # index of the setting nearest to the person
    along: tuple[str, ...] = ()  # features that move with it


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
                    "along": list(s.along),
                }
                for s in self.sliders
            ]
        }


def choose_person(population: Population) -> Person | None:
    """Return a made-up person near the middle of every slider; None for real people or without such features."""
    known = [offer for offer in SLIDERS if offer[0] in population.features.columns]
    if not population.synthetic or not known:
        return None
    values = population.features[[name for name, *_ in known]].astype(float)
    distance = (values.rank(pct=True) - 0.5).abs().sum(axis=1, skipna=False).to_numpy()
    if np.isnan(distance).all():
        return None
    row = int(np.nanargmin(distance))
    sliders = []
    for name, quantiles, along in known:
        offered = [float(f"{q:.2g}") for q in values[name].quantile(list(quantiles))]
        positions = tuple(sorted(set(offered)))
        start = int(np.argmin(np.abs(np.array(positions) - values[name].iloc[row])))
        feature = population.schema[name]
        there = tuple(other for other in along if other in population.features.columns)
        sliders.append(Slider(name, feature.context, feature.unit, positions, start, there))
    return Person(row, tuple(sliders), _copies(population, row, sliders))


def _copies(population: Population, row: int, sliders: list[Slider]) -> Population:
    grid = np.array(np.meshgrid(*(s.positions for s in sliders), indexing="ij")).reshape(len(sliders), -1)
    return moved(population, row, sliders, {s.feature: column for s, column in zip(sliders, grid, strict=True)})


def moved(
    population: Population, row: int, sliders: Sequence[Slider], values: Mapping[str, NDArray[np.float64]]
) -> Population:
    """Return copies of one person with the sliders at the given values, and what they bring along.

    A slider that stands at the person's own value leaves the person's own record as it is.
    """
    changed = dict(values)
    for slider in sliders:
        if not slider.along or slider.feature not in values:
            continue
        own = population.features.iloc[row]
        asked, at = np.unique(values[slider.feature], return_inverse=True)
        records = [
            [float(own[name]) for name in slider.along]
            if value == float(own[slider.feature])
            else typical(population.features, slider, float(value))
            for value in asked
        ]
        changed |= dict(zip(slider.along, np.array(records)[at].T, strict=True))
    return copies(population, row, changed)


def typical(features: pd.DataFrame, slider: Slider, value: float) -> list[float]:
    """Middle of what a slider brings along, among the people nearest to a value of it: `TYPICAL`, and ties."""
    known = features[[slider.feature, *slider.along]].astype(float).dropna()
    away = (known[slider.feature] - value).abs()
    nearest = known.loc[away <= away.nsmallest(TYPICAL).max(), list(slider.along)]
    return [float(middle) for middle in nearest.quantile(0.5, interpolation="lower")]


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
        ``slider`` (the feature whose slider moves it, or None), ``best`` points (of reasons), and ``bins`` and
        ``points`` by slider position (one entry if no slider moves it); ``scores``: base64 of little-endian int16, one
        a combination, the last slider fastest; ``reasons``: base64 of bytes, `REASONS` a combination, the places in
        ``parts`` that cost most points, `NO_REASON` where no more do. A score that departs from base and points,
        clipped, was moved by a rule outside the card.
    """
    card = run.card
    features = person.copies.features
    scores = run.score(person.copies)
    mover = {name: s for s in person.sliders for name in (*s.along, s.feature)}
    parts = []
    strides = _strides(person)
    all_bins = card.bins(features)
    for j, c in enumerate(card.characteristics):
        rows: NDArray[np.int64] = np.zeros(1, np.int64)
        slider = mover.get(c.feature)
        if slider is not None:
            rows = np.arange(len(slider.positions)) * strides[slider.feature]
        labels = bin_labels(c)
        parts.append(
            {
                "feature": c.feature,
                "slider": None if slider is None else slider.feature,
                "best": c.best,
                "bins": [labels[b] for b in all_bins[rows, j]],
                "points": [c.points[b] for b in all_bins[rows, j]],
            }
        )
    return {
        "threshold": int(run.threshold),
        "low": card.scale.low,
        "high": card.scale.high,
        "base": card.base,
        "parts": parts,
        "scores": base64.b64encode(np.asarray(scores, "<i2").tobytes()).decode(),
        "reasons": base64.b64encode(_reasons(card, all_bins).tobytes()).decode(),
    }


def _reasons(card: Card, bins: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Places of the features that cost most points, (n, `REASONS`)."""
    lost = lost_points(card, bins)
    order = costliest(lost)
    told = np.full((len(bins), REASONS), NO_REASON, np.uint8)
    told[:, : order.shape[1]] = np.where(np.take_along_axis(lost, order, axis=1) > 0, order, NO_REASON)
    return told


def _strides(person: Person) -> dict[str, int]:
    strides, step = {}, 1
    for slider in reversed(person.sliders):
        strides[slider.feature] = step
        step *= len(slider.positions)
    return strides
