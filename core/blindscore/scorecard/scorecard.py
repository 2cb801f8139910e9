"""Scorecard: the scikit-learn estimator that fits a :class:`~blindscore.scorecard.card.Card` and scores with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from blindscore.errors import DataError, ParameterError
from blindscore.scorecard.binning import bin_labels, categories, check_columns, kind_of, numbers
from blindscore.scorecard.card import MAX_BINS, MAX_POINTS, Card, Characteristic, Scale
from blindscore.scorecard.classing import Bins, Direction, class_categories, class_numbers
from blindscore.scorecard.inputs import as_frame, as_outcome
from blindscore.scorecard.kernels import score_columns, score_rows
from blindscore.scorecard.woe import Effects, fit_woe

_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


@dataclass(frozen=True)
class Reason:
    """One reason why a score is not higher."""

    feature: str
    bin: str  # the person's own bin
    points: int  # points of that bin
    best: int  # points of the feature's best bin
    lost: int  # best - points, > 0


class Scorecard(ClassifierMixin, BaseEstimator):
    """Binned additive model with integer points, fitted on people whose outcome is known.

    Parameters
    ----------
    method : "woe"
        How points are found: weight of evidence and logistic regression.
    max_bins : int
        Most ordinary bins a feature, 2 to 16; missing values have a bin of their own on top.
    monotone : None, "increasing", "decreasing", "auto", or {feature: one of these}
        Demand that the score rise (fall) with a number; "auto" picks the better direction.
    strength : float
        Inverse of the ridge penalty on the weights.
    base_score, base_odds, pdo, low, high
        The scale: `base_score` points at odds `base_odds` (good : bad), `pdo` points double the odds, scores are
        clipped to [low, high].

    Attributes
    ----------
    card_ : Card
        The fitted scorecard, plain data. Features that move no point are left out of it: nobody need collect them.
    classes_ : (2,) array
        The two outcomes; the second is the bad one.
    counts_ : dict
        Feature -> (bins, 2) training counts of good and bad; empty after :meth:`from_card`.
    """

    def __init__(
        self,
        method: Literal["woe"] = "woe",
        *,
        max_bins: int = 8,
        monotone: Direction | Mapping[str, Direction] | None = None,
        strength: float = 1.0,
        base_score: float = 600.0,
        base_odds: float = 30.0,
        pdo: float = 50.0,
        low: int = 350,
        high: int = 950,
    ) -> None:
        self.method = method
        self.max_bins = max_bins
        self.monotone = monotone
        self.strength = strength
        self.base_score = base_score
        self.base_odds = base_odds
        self.pdo = pdo
        self.low = low
        self.high = high

    @classmethod
    def from_card(cls, card: Card) -> Self:
        """Return a fitted estimator around an existing card; classes are False and True."""
        scale = card.scale
        self = cls(
            base_score=scale.base_score, base_odds=scale.base_odds, pdo=scale.pdo, low=scale.low, high=scale.high
        )
        self.card_, self.counts_ = card, {}
        self.classes_ = np.array([False, True])
        self.feature_names_in_ = np.array(card.features, dtype=object)
        self.n_features_in_ = len(card.features)
        return self

    def fit(self, X: Any, y: Any) -> Self:
        """Choose bins and points.

        Parameters
        ----------
        X : table, (n, d)
            Numbers (float, int, bool) or categories (str, object, category); missing values allowed.
        y : (n,)
            Outcome of two classes; the greater one (True, 1) is default.

        Raises
        ------
        DataError
            No rows, duplicate columns, wrong types, infinity, or a target without exactly two classes.
        ParameterError
            A setting outside its range.
        """
        scale = self._check_settings()
        people = as_frame(X)
        bad, self.classes_ = as_outcome(y, len(people))
        names = [str(name) for name in people.columns]
        drafts = [self._class(people[column], bad) for column in people.columns]
        bins = np.column_stack([draft[1] for draft in drafts])
        n_bins = [draft[0].n_ordinary + 1 for draft in drafts]
        fitted = fit_woe(bins, n_bins, bad, self.strength)
        self.card_ = _make_card(names, [draft[0] for draft in drafts], fitted, scale)
        self.counts_ = {
            name: np.column_stack([np.bincount(bins[bad == outcome, j], minlength=m) for outcome in (False, True)])
            for j, (name, m) in enumerate(zip(names, n_bins, strict=True))
        }
        self.feature_names_in_ = np.array(names, dtype=object)
        self.n_features_in_ = len(names)
        return self

    def _check_settings(self) -> Scale:
        if self.method != "woe":
            raise ParameterError(f"method must be 'woe', got {self.method!r}")
        if not 2 <= self.max_bins <= MAX_BINS:
            raise ParameterError(f"max_bins must be 2 to {MAX_BINS}, got {self.max_bins}")
        if not self.strength > 0:
            raise ParameterError(f"strength must be positive, got {self.strength}")
        return Scale(self.base_score, self.base_odds, self.pdo, self.low, self.high)

    def _direction(self, name: str) -> Direction | None:
        wish = self.monotone.get(name) if isinstance(self.monotone, Mapping) else self.monotone
        if wish not in (None, "increasing", "decreasing", "auto"):
            raise ParameterError(f"monotone for {name!r} must be increasing, decreasing or auto")
        return wish

    def _class(self, column: pd.Series[Any], bad: NDArray[np.bool_]) -> tuple[Bins, NDArray[np.uint8]]:
        """Choose one feature's bins and put everybody into them."""
        if kind_of(column) == "number":
            values = numbers(column).astype(np.float64)
            present = ~np.isnan(values)
            bins = class_numbers(values[present], bad[present], self.max_bins, self._direction(str(column.name)))
            found = np.searchsorted(np.asarray(bins.edges), values, side="right")
            return bins, np.where(present, found, bins.n_ordinary).astype(np.uint8)
        codes, names = categories(column)
        bins = class_categories(codes, names, bad, self.max_bins)
        group_of = {name: k for k, group in enumerate(bins.groups or ()) for name in group}
        lookup = np.array([group_of[name] for name in names] + [bins.n_ordinary])
        return bins, lookup[codes].astype(np.uint8)

    def _people(self, X: Any) -> pd.DataFrame:
        check_is_fitted(self, "card_")
        people = as_frame(X, [str(name) for name in self.feature_names_in_])
        check_columns(self.card_.features, people)
        return people

    def _bins(self, X: Any) -> NDArray[np.uint8]:
        return self.card_.bins(self._people(X))

    def score_points(self, X: Any) -> NDArray[np.int16]:
        """Score of each person, shape (n,), clipped to [low, high].

        Columns are matched by name; those of a plain array stand as in :meth:`fit`. A float32 or float64 array goes
        to the kernel at once, which makes it the fastest form, for one person above all.
        """
        check_is_fitted(self, "card_")
        steps = self.card_.steps
        plain = type(X) is np.ndarray and X.dtype in _FLOATS and X.ndim == 2 and len(X) > 0
        if plain and steps is not None and X.shape[1] == self.n_features_in_ == len(self.card_.characteristics):
            return score_rows(steps, X)
        people = self._people(X)
        if steps is None:
            return self.card_.scores(self.card_.bins(people))
        return score_columns(steps, [numbers(people[name]) for name in self.card_.features])

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Log-odds of default of each person, shape (n,), from the total points before clipping."""
        scale = self.card_.scale
        return (scale.offset - self.card_.totals(self._bins(X)).astype(np.float64)) / scale.factor

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probability of (good, bad) of each person, shape (n, 2)."""
        risk = expit(self.decision_function(X))
        return np.column_stack([1 - risk, risk])

    def predict(self, X: Any) -> NDArray[Any]:
        """The likelier class of each person, shape (n,)."""
        return self.classes_[(self.decision_function(X) > 0).astype(int)]

    def explain(self, X: Any) -> pd.DataFrame:
        """Points of each person in each feature, and the base; a row's sum is the total before clipping."""
        bins = self._bins(X)
        points = self.card_.points[np.arange(bins.shape[1]), bins]
        table = pd.DataFrame(points, columns=self.card_.features)
        table.insert(0, "(base)", self.card_.base)
        return table

    def reasons(self, X: Any, k: int = 4) -> list[tuple[Reason, ...]]:
        """Up to k features a person that cost most points against their best bin, the costliest first.

        These are the adverse-action reasons of 12 CFR 1002.9 (Regulation B) in points; a feature in its best bin
        is no reason. Ties go to the feature that stands first on the card.
        """
        bins = self._bins(X)
        characteristics = self.card_.characteristics
        labels = [bin_labels(c) for c in characteristics]
        best = np.array([max(c.points) for c in characteristics])
        points = self.card_.points[np.arange(bins.shape[1]), bins]
        lost = best - points
        order = np.argsort(-lost, axis=1, kind="stable")[:, : max(0, k)]
        return [
            tuple(
                Reason(characteristics[j].feature, labels[j][row[j]], int(own[j]), int(best[j]), int(cost[j]))
                for j in first
                if cost[j] > 0
            )
            for row, own, cost, first in zip(bins, points, lost, order, strict=True)
        ]

    def table(self) -> pd.DataFrame:
        """The scorecard as a credit officer signs it: one row a bin, the base first.

        Columns: feature, bin, points, woe, people, share, bad_rate (the last three of the training people; empty
        after :meth:`from_card`).
        """
        check_is_fitted(self, "card_")
        rows: list[dict[str, Any]] = [{"feature": "(base)", "bin": "everybody", "points": self.card_.base}]
        for c in self.card_.characteristics:
            counts = self.counts_.get(c.feature)
            for k, (label, points) in enumerate(zip(bin_labels(c), c.points, strict=True)):
                row = {"feature": c.feature, "bin": label, "points": points}
                if c.woe is not None:
                    row["woe"] = c.woe[k]
                if counts is not None:
                    people = int(counts[k].sum())
                    row |= {"people": people, "share": people / counts.sum()}
                    row["bad_rate"] = counts[k, 1] / people if people else np.nan
                rows.append(row)
        return pd.DataFrame(rows, columns=["feature", "bin", "points", "woe", "people", "share", "bad_rate"])


def _make_card(names: list[str], bins: list[Bins], fitted: Effects, scale: Scale) -> Card:
    """Turn effects in log-odds into whole points, leaving out features that move none."""
    rounded = [np.rint(scale.factor * effects).astype(int) for effects in fitted.effects]
    if max(int(np.abs(points).max()) for points in rounded) > MAX_POINTS:
        raise DataError(f"the fit gives a bin more than {MAX_POINTS} points; lower pdo or strength")
    kept = [j for j, points in enumerate(rounded) if points.any()] or [0]
    characteristics = tuple(
        Characteristic(
            feature=names[j],
            points=tuple(int(p) for p in rounded[j]),
            edges=bins[j].edges,
            groups=bins[j].groups,
            woe=tuple(round(float(w), 6) for w in fitted.woe[j]),
        )
        for j in kept
    )
    return Card(characteristics, round(scale.offset + scale.factor * fitted.intercept), scale)
