"""From weights in log-odds of default to a card of whole points: post-processing, free of any further budget."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from blindscore.errors import ParameterError
from blindscore.scorecard.card import MAX_POINTS, Card, Characteristic, Scale


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
