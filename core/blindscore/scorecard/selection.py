"""Leave features out before a fit: too many gaps, too little information, another's words again, or nothing to add.

The sparse fit drops what moves no point by itself; these are the rules that a scorecard's owner may have to follow all
the same. They look at outcomes, so they are part of the fit and are gone through again in every fold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blindscore.errors import DataError, ParameterError
from blindscore.scorecard.card import Unknown
from blindscore.scorecard.classing import Bins, fine_edges
from blindscore.scorecard.columns import Column
from blindscore.scorecard.stepwise import stepwise
from blindscore.scorecard.validation.information import information_value
from blindscore.scorecard.woe import weights_of_evidence

COARSE_BINS = 10  # of a number, for its information value


@dataclass(frozen=True)
class Rules:
    """What a feature must keep to; the defaults leave nothing out."""

    most_missing: float = 1.0  # share of people without a value
    least_iv: float = 0.0  # information value beyond that which luck brings
    most_alike: float = 1.0  # correlation of its evidence with that of a feature of more information
    stepwise: float = 1.0  # p-value that lets a feature into a logistic regression, and lets it stay

    def __post_init__(self) -> None:
        shares = 0 <= self.most_missing <= 1 and 0 < self.most_alike <= 1 and 0 < self.stepwise <= 1
        if not (shares and self.least_iv >= 0):
            raise ParameterError(
                "select needs most_missing within 0 and 1, least_iv at least 0, most_alike and stepwise above 0 and at "
                "most 1"
            )

    @classmethod
    def of(cls, wish: Mapping[str, float] | None) -> Rules:
        """Return the rules that a mapping of their names asks for."""
        strange = sorted(set(wish or {}) - set(cls.__dataclass_fields__))
        if strange:
            known = ", ".join(cls.__dataclass_fields__)
            raise ParameterError(f"select knows no {', '.join(strange)}; there are {known}")
        return cls(**(wish or {}))


def left_out(
    columns: Sequence[Column], bad: NDArray[np.bool_], rules: Rules, least: int, unknown: Unknown
) -> dict[str, str]:
    """Features that the rules leave out, and why, from outcomes (n,).

    Raises
    ------
    DataError
        None would be left.
    """
    if rules == Rules():
        return {}
    why: dict[str, str] = {}
    found: list[tuple[float, str, int, NDArray[np.float64]]] = []
    for column in columns:
        gaps = float(np.isnan(column.values).mean())
        if gaps > rules.most_missing:
            why[column.name] = f"{gaps:.1%} of the people have no value, over {rules.most_missing:.1%}"
            continue
        own = _bins(column, least, unknown)
        n_bins = int(own.max()) + 1
        value = information_value(own, bad, n_bins) - _luck(bad, n_bins)
        if rules.least_iv and value < rules.least_iv:
            why[column.name] = f"information value {value:.4f} beyond luck, under {rules.least_iv:g}"
        else:
            found.append((value, column.name, n_bins, weights_of_evidence(own, bad, n_bins)[own]))
    kept: list[tuple[str, int, NDArray[np.float64]]] = []
    for _, name, n_bins, evidence in sorted(found, key=lambda one: -one[0]):
        near = next((other for other, _, told in kept if _alike(evidence, told) > rules.most_alike), None)
        if near is None:
            kept.append((name, n_bins, evidence))
        else:
            why[name] = f"its evidence correlates over {rules.most_alike:g} with that of {near}, which tells more"
    if kept and rules.stepwise < 1:
        freedom = np.array([max(1, n_bins - 1) for _, n_bins, _ in kept])
        entered = stepwise(np.column_stack([told for *_, told in kept]), freedom, bad, rules.stepwise)
        for j in sorted(set(range(len(kept))) - set(entered)):
            why[kept[j][0]] = f"adds nothing to the others that luck would not, at a p-value of {rules.stepwise:g}"
        kept = [kept[j] for j in entered]
    if not kept:
        raise DataError("select leaves no feature; ease least_iv, most_missing or stepwise")
    return {column.name: why[column.name] for column in columns if column.name in why}


def _bins(column: Column, least: int, unknown: Unknown) -> NDArray[np.uint8]:
    """Coarse bin of each person, special codes and missing values in bins of their own.

    Bins of numbers hold about equally many people: bins chosen by outcomes would have more information by luck.
    """
    placed = []
    for part in column.parts(least, unknown):
        bins = part.fine(None)
        if part.levels is None and part.cuts is None:
            present = part.values[~np.isnan(part.values)]
            bins = Bins(edges=tuple(map(float, fine_edges(present, COARSE_BINS))) if len(present) else ())
        placed.append(part.place(bins))
    return np.unique(np.column_stack(placed), axis=0, return_inverse=True)[1].ravel().astype(np.uint8)


def _luck(bad: NDArray[np.bool_], n_bins: int) -> float:
    """Information value that a feature of pure noise has on average: the chi-square's mean over the head counts."""
    bads = int(bad.sum())
    return (n_bins - 1) * (1 / bads + 1 / (len(bad) - bads))


def _alike(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    spread = one.std() * other.std()
    return float(((one - one.mean()) * (other - other.mean())).mean() / spread) if spread > 0 else 0.0
