"""Read a scorecard that optbinning fitted: the same bins, the same whole points, hence the same scores."""

from __future__ import annotations

from typing import Any

import numpy as np

from blindscore.errors import CardError
from blindscore.scorecard.card import MAX_SCORE, Card, Characteristic, Scale
from blindscore.scorecard.classing import Bins, with_special


def from_optbinning(scorecard: Any, *, rounding: bool = False) -> Card:
    """Return the card of a fitted ``optbinning.Scorecard``.

    Parameters
    ----------
    scorecard : fitted with ``scaling_method="pdo_odds"``; with or without ``intercept_based``
    rounding : round points that are not whole; scores then differ from optbinning's by up to half a point a feature

    Notes
    -----
    optbinning clips no score, so the scale here reaches from the least to the greatest total. It scores a category that
    it never saw; a card here refuses it.

    Raises
    ------
    CardError
        Not a fitted scorecard with points on a scale of odds, points that are not whole, or bins that no card holds.
    """
    from sklearn.exceptions import NotFittedError

    try:
        table = scorecard.table(style="detailed")
    except (AttributeError, NotFittedError) as error:
        raise CardError("a fitted optbinning.Scorecard needed; call its fit() first") from error
    if scorecard.scaling_method != "pdo_odds":
        raise CardError(
            f"scaling_method is {scorecard.scaling_method!r}; only points on a scale of odds are read: pdo_odds"
        )
    if scorecard.reverse_scorecard:
        raise CardError("reverse_scorecard=True: its points rise with risk; fit it again without")
    base = _whole([scorecard.intercept_], rounding, "the intercept")[0]
    characteristics = tuple(
        _characteristic(str(name), scorecard.binning_process_.get_binned_variable(name), rows["Points"], rounding)
        for name, rows in table.groupby("Variable", sort=False)
    )
    card = Card(characteristics, base)
    low, high = card.min_total, max(card.max_total, card.min_total + 1)
    if low < -MAX_SCORE or high > MAX_SCORE:
        raise CardError(f"scores from {low} to {high} leave the scale of +-{MAX_SCORE}")
    scale = scorecard.scaling_method_params
    return Card(
        characteristics,
        base,
        Scale(float(scale["scorecard_points"]), float(scale["odds"]), float(scale["pdo"]), low, high),
    )


def _characteristic(name: str, binned: Any, points: Any, rounding: bool) -> Characteristic:
    where, codes = f"characteristic {name!r}", () if binned.special_codes is None else binned.special_codes
    if isinstance(codes, dict):
        raise CardError(f"{where}: special codes by group are not read; give optbinning a list of them")
    *ordinary, special, missing = _whole(points, rounding, where)
    if binned.dtype == "categorical":
        if len(codes):
            raise CardError(f"{where}: special codes of categories are not read")
        groups = tuple(tuple(map(str, group)) for group in binned.splits)
        return Characteristic(name, (*ordinary, missing), groups=groups)
    bins, order = with_special(Bins(edges=tuple(map(float, binned.splits))), tuple(map(float, codes)))
    placed = [*ordinary, *[special] * len(codes), missing]
    return Characteristic(name, tuple(placed[k] for k in order), edges=bins.edges)


def _whole(points: Any, rounding: bool, where: str) -> list[int]:
    values = np.asarray(points, np.float64)
    nearest = np.rint(values)
    if not rounding and (nearest != values).any():
        raise CardError(f"{where}: points that are not whole; fit with rounding=True, or read with rounding=True")
    return [int(p) for p in nearest]
