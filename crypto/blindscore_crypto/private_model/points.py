"""From weights in log-odds of default to a card of whole points: post-processing, free of any further budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import isotonic_regression

from blindscore.errors import ParameterError
from blindscore.scorecard.card import MAX_POINTS, Card, Characteristic, Scale
from blindscore.scorecard.classing import Direction


def make_card(
    characteristics: list[Characteristic], weights: list[NDArray[np.float64]], intercept: float, scale: Scale
) -> Card:
    """Return the card whose points are the rounded weights.

    Parameters
    ----------
    characteristics : bins, with points still zero
    weights : list of (n_bins,) float64, log-odds of default a bin
    intercept : float
        Log-odds of default before any feature.
    scale : Scale

    Raises
    ------
    ParameterError
        Noise swamped the weights: a bin would get more points than a card may hold.
    """
    rounded = [np.rint(-scale.factor * part) for part in weights]
    if max(float(np.abs(part).max()) for part in rounded) > MAX_POINTS:
        raise ParameterError("the noise swamps the points; grant a larger epsilon, or train on more people")
    drawn = tuple(
        replace(c, points=tuple(int(p) for p in part)) for c, part in zip(characteristics, rounded, strict=True)
    )
    return Card(drawn, round(scale.offset - scale.factor * intercept), scale)


def centred(weights: list[NDArray[np.float64]]) -> tuple[list[NDArray[np.float64]], float]:
    """Move every feature's mid-range into the intercept, so that points of one bin stay small."""
    middles = [float(part.max() + part.min()) / 2 for part in weights]
    return [part - middle for part, middle in zip(weights, middles, strict=True)], sum(middles)


def monotone_weights(
    characteristics: list[Characteristic],
    weights: list[NDArray[np.float64]],
    wish: Direction | Mapping[str, Direction] | None,
) -> list[NDArray[np.float64]]:
    """Return weights under which the score rises or falls with each number, as wished, at the least change.

    Parameters
    ----------
    characteristics : bins of every feature
    weights : list of (n_bins,) float64, log-odds of default a bin; the missing bin is left alone
    wish : as ``monotone`` of :class:`~blindscore.scorecard.scorecard.Scorecard`; "auto" takes the direction that
        changes the released weights less, which reads no private data

    Raises
    ------
    ParameterError
        A wish that is none of these.
    """
    out = []
    for c, part in zip(characteristics, weights, strict=True):
        direction = wish.get(c.feature) if isinstance(wish, Mapping) else wish
        if direction not in (None, "increasing", "decreasing", "auto"):
            raise ParameterError(f"monotone for {c.feature!r} must be increasing, decreasing or auto")
        if direction is None or c.groups is not None:  # categories have no order
            out.append(part)
            continue
        # A rising score is a falling weight.
        choices = {"increasing": (False,), "decreasing": (True,), "auto": (False, True)}[direction]
        fits = [np.asarray(isotonic_regression(part[:-1], increasing=rising)) for rising in choices]
        best = min(fits, key=lambda fit: float(((fit - part[:-1]) ** 2).sum()))
        out.append(np.append(best, part[-1]))
    return out
