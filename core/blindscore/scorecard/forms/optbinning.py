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
    scorecard : fitted with ``scaling_method="pdo_odds"`` or ``"min_max"``; with or without ``intercept_based``
    rounding : round points that are not whole; scores then differ from optbinning's by up to half a point a feature

    Notes
    -----
    optbinning clips no score, so the scale here reaches from the least to the greatest total. It scores a category that
    it never saw; a card here refuses it. Scaling by ``min_max`` names no odds: they are read off how points follow the
    model's log-odds, exactly where points were not rounded.

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
    if scorecard.scaling_method not in ("pdo_odds", "min_max"):
        raise CardError(f"scaling_method is {scorecard.scaling_method!r}; points of pdo_odds and of min_max are read")
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
    return Card(characteristics, base, Scale(*_odds(scorecard, table), low, high))


def _odds(scorecard: Any, table: Any) -> tuple[float, float, float]:
    """Points, odds that they stand for, and points that double them."""
    told = scorecard.scaling_method_params
    if scorecard.scaling_method == "pdo_odds":
        return float(told["scorecard_points"]), float(told["odds"]), float(told["pdo"])
    # points of a bin = constant of its feature + slope * coefficient * WoE; the sums of both sides are score and margin
    rows = table[~table["Bin"].astype(str).isin(["Special", "Missing"]) & (table["Bin"].astype(str) != "")]
    parts = [(np.asarray(own["Coefficient"] * own["WoE"], float), np.asarray(own["Points"], float))
             for _, own in rows.groupby("Variable", sort=False)]  # fmt: skip
    x, y = (np.concatenate([side - side.mean() for side in sides]) for sides in zip(*parts, strict=True))
    if not x.any() or not y.any():
        raise CardError("the points do not follow log-odds; a card without a slope has no scale of odds")
    slope = float(x @ y / (x @ x))
    constant = float(sum(p.mean() - slope * m.mean() for m, p in parts)) + float(scorecard.intercept_)
    offset = constant - slope * float(np.ravel(scorecard.estimator_.intercept_)[0])
    return offset, 1.0, -slope * float(np.log(2))


def _characteristic(name: str, binned: Any, points: Any, rounding: bool) -> Characteristic:
    where, given = f"characteristic {name!r}", () if binned.special_codes is None else binned.special_codes
    lists = list(given.values()) if isinstance(given, dict) else [given]  # points are those of a list
    lists = [np.atleast_1d(codes).tolist() for codes in lists] or [[]]
    *ordinary, missing = _whole(points, rounding, where)
    ordinary, special = ordinary[: -len(lists)], ordinary[-len(lists) :]
    if binned.dtype == "categorical":
        if any(lists):
            raise CardError(f"{where}: special codes of categories are not read")
        groups = tuple(tuple(map(str, group)) for group in binned.splits)
        return Characteristic(name, (*ordinary, missing), groups=groups)
    codes = tuple(float(code) for codes in lists for code in codes)
    bins, order = with_special(Bins(edges=tuple(map(float, binned.splits))), codes)
    placed = [*ordinary, *(own for own, codes in zip(special, lists, strict=True) for _ in codes), missing]
    return Characteristic(name, tuple(placed[k] for k in order), edges=bins.edges)


def _whole(points: Any, rounding: bool, where: str) -> list[int]:
    values = np.asarray(points, np.float64)
    nearest = np.rint(values)
    if not rounding and (nearest != values).any():
        raise CardError(f"{where}: points that are not whole; fit with rounding=True, or read with rounding=True")
    return [int(p) for p in nearest]
