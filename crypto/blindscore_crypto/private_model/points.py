"""From weights in log-odds of default to a card of whole points: post-processing, free of any further budget."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.isotonic import isotonic_regression

from blindscore.errors import ParameterError
from blindscore.scorecard.card import MAX_POINTS, Card, Characteristic, Scale
from blindscore.scorecard.classing import Direction
from blindscore.scorecard.scale import ScaleWish


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


def spread_scale(wish: ScaleWish, weights: list[NDArray[np.float64]], intercept: float) -> Scale:
    """Return the scale that is wished for, its open numbers chosen from the released weights: nothing private is read.

    People are taken as spread evenly over the bins of every feature; log-odds within six standard deviations of their
    mean, and never beyond what the card can give, must fit between the scale's ends.

    Parameters
    ----------
    weights : list of (n_bins,) float64, log-odds of default
    intercept : log-odds of default at zero weights
    """
    mean = -intercept - sum(float(part.mean()) for part in weights)
    spread = 6 * math.sqrt(sum(float(part.var()) for part in weights))
    least = -intercept - sum(float(part.max()) for part in weights)
    most = -intercept - sum(float(part.min()) for part in weights)
    ends = np.array([max(least, mean - spread), min(most, mean + spread)])
    return wish.fit(ends, float(np.clip(expit(-mean), 1e-6, 1 - 1e-6)))


def centred(weights: list[NDArray[np.float64]]) -> tuple[list[NDArray[np.float64]], float]:
    """Move every feature's mid-range into the intercept, so that points of one bin stay small."""
    middles = [float(part.max() + part.min()) / 2 for part in weights]
    return [part - middle for part, middle in zip(weights, middles, strict=True)], sum(middles)


def monotone_weights(
    characteristics: list[Characteristic],
    weights: list[NDArray[np.float64]],
    wish: Mapping[str, Direction],
) -> list[NDArray[np.float64]]:
    """Return weights under which the score rises or falls with each number, as wished, at the least change.

    Parameters
    ----------
    characteristics : bins of every feature
    weights : list of (n_bins,) float64, log-odds of default a bin; the missing bin is left alone
    wish : the direction of each feature; "auto" takes the one that changes the released weights less, which reads no
        private data

    Raises
    ------
    ParameterError
        A wish that is none of these.
    """
    out = []
    for c, part in zip(characteristics, weights, strict=True):
        direction = wish[c.feature]
        if direction not in ("none", "increasing", "decreasing", "auto"):
            raise ParameterError(f"monotone for {c.feature!r} must be increasing, decreasing, auto or none")
        if direction == "none" or c.groups is not None:  # categories have no order
            out.append(part)
            continue
        # A rising score is a falling weight.
        choices = {"increasing": (False,), "decreasing": (True,), "auto": (False, True)}[direction]
        fits = [np.asarray(isotonic_regression(part[:-1], increasing=rising)) for rising in choices]
        best = min(fits, key=lambda fit: float(((fit - part[:-1]) ** 2).sum()))
        out.append(np.append(best, part[-1]))
    return out
