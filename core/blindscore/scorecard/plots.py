"""Pictures of a card: points by bin, scores by outcome, gains, calibration. Each draws on axes and returns them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from blindscore.extras import needs
from blindscore.scorecard.binning import bin_labels
from blindscore.scorecard.card import Card
from blindscore.scorecard.inputs import as_flags
from blindscore.scorecard.monitoring import reliability
from blindscore.scorecard.quality import auc

GOOD, BAD, NEUTRAL = "#0072b2", "#d55e00", "#666666"  # told apart by colour-blind readers (Okabe and Ito, 2008)


def _axes(axes: Any | None) -> Any:
    if axes is not None:
        return axes
    with needs("frontier"):
        from matplotlib.figure import Figure  # no global state, no window

    return Figure(figsize=(6, 4), layout="constrained").subplots()


def plot_points(card: Card, feature: str, axes: Any | None = None) -> Any:
    """Points of each bin of one feature, as bars; fewer than its best plain bin has are lost there."""
    c = card.characteristics[card.features.index(feature)]
    axes = _axes(axes)
    axes.barh(range(c.n_bins), c.points, color=[GOOD if p >= 0 else BAD for p in c.points])
    axes.set_yticks(range(c.n_bins), [label if len(label) <= 30 else label[:29] + "…" for label in bin_labels(c)])
    axes.invert_yaxis()
    axes.axvline(0, color=NEUTRAL, linewidth=0.8)
    axes.set(xlabel="points", title=feature)
    return axes


def plot_scores(bad: ArrayLike, score: ArrayLike, axes: Any | None = None) -> Any:
    """Distribution of the score among goods and among bads."""
    outcome, points = as_flags(bad), np.asarray(score)
    axes = _axes(axes)
    bins = np.histogram_bin_edges(points, 40)
    for who, colour, label in ((~outcome, GOOD, "repaid"), (outcome, BAD, "defaulted")):
        axes.hist(points[who], bins, density=True, alpha=0.55, color=colour, label=label)
    axes.set(xlabel="score", ylabel="density", title=f"AUC {auc(outcome, points):.3f}")
    axes.legend()
    return axes


def plot_gains(bad: ArrayLike, score: ArrayLike, axes: Any | None = None) -> Any:
    """Share of all defaults caught by refusing the lowest scores, against the share refused."""
    outcome, points = as_flags(bad), np.asarray(score)
    axes = _axes(axes)
    caught = np.cumsum(outcome[np.argsort(points, kind="stable")]) / outcome.sum()
    refused = np.arange(1, len(outcome) + 1) / len(outcome)
    axes.plot(np.append(0, refused), np.append(0, caught), color=GOOD, label="by score")
    axes.plot([0, 1], [0, 1], color=NEUTRAL, linestyle="--", label="at random")
    axes.set(xlabel="share refused", ylabel="share of defaults caught", title="gains")
    axes.legend()
    return axes


def plot_calibration(bad: ArrayLike, probability: ArrayLike, bands: int = 10, axes: Any | None = None) -> Any:
    """Observed against forecast default rates in bands of equally many people, with 95% intervals."""
    table = reliability(bad, probability, bands)
    axes = _axes(axes)
    errors = [table.observed - table.low, table.high - table.observed]
    axes.errorbar(table.forecast, table.observed, yerr=errors, fmt="o", color=GOOD, capsize=3)
    top = float(max(table.forecast.max(), table.high.max()))
    axes.plot([0, top], [0, top], color=NEUTRAL, linestyle="--")
    axes.set(xlabel="forecast default rate", ylabel="observed default rate", title="calibration")
    return axes
