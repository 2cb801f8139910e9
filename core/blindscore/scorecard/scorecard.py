"""Scorecard: the scikit-learn estimator that fits a :class:`~blindscore.scorecard.card.Card` and scores with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from blindscore.errors import ParameterError
from blindscore.scorecard.binning import bin_labels, check_columns, numbers
from blindscore.scorecard.card import MAX_BINS, Card, Scale
from blindscore.scorecard.classing import Direction
from blindscore.scorecard.inputs import as_frame, as_outcome
from blindscore.scorecard.kernel.kernels import score_columns, score_rows
from blindscore.scorecard.training import Column, Method, train

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
    method : "sparse" or "woe"
        How points are found: few cuts under an L1 penalty, averaged over random parts of the people (more accurate),
        or weight of evidence and logistic regression (the classical way).
    max_bins : int
        Most ordinary bins a feature, 2 to 16; missing values have a bin of their own on top.
    least_count, least_share : int, float
        Least training people in a bin, as a head count and as a share of all; both bind. A category with fewer is
        pooled into "any other" and not named on the card; a gap or special code with fewer gets the average's points.
    monotone : bool, "increasing", "decreasing", "auto", "none", or {feature: one of these words}
        Demand that the score rise (fall) with a number; "auto", which is what True means, picks the better direction.
    special : None, or {feature: [code, ...]}
        Codes of a number that are no amounts, such as -1 for "no account"; each gets a bin of its own, outside any
        order that `monotone` asks for. A code takes the place of two ordinary bins.
    cuts : None, or {feature: [cut point, ...]}
        Cut points of numbers by hand; the fit joins neighbouring bins that it finds alike, but makes no others.
    groups : None, or {feature: [[category, ...], ...]}
        Groups of categories by hand, likewise; categories in none of them are "any other".
    locked : names
        Features of `cuts` and `groups` whose bins stay exactly as given, whatever stands in them.
    unknown : "neutral", "missing" or "error"
        A category that is not on the card, when people are scored: the points of the pooled rest, or of the average
        where that is too few; the points of a missing value; or an error.
    bad : label
        Which outcome is default. Left out: True, the greater of two numbers, or the recognised one of two words.
    strength : float
        Inverse of the ridge penalty on the weights of method "woe".
    random_state : int
        Seed of the random parts of method "sparse"; one seed gives one card.
    base_score, base_odds, pdo, low, high
        The scale: `base_score` points at odds `base_odds` (good : bad), `pdo` points double the odds, scores are
        clipped to [low, high]. Left out, the odds are the training people's own, and 50 points double them, or fewer,
        so that under one in a thousand stand beyond either end.

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
        method: Method = "sparse",
        *,
        max_bins: int = 16,
        least_count: int = 20,
        least_share: float = 0.01,
        monotone: bool | Direction | Mapping[str, Direction] = False,
        special: Mapping[str, Sequence[float]] | None = None,
        cuts: Mapping[str, Sequence[float]] | None = None,
        groups: Mapping[str, Sequence[Sequence[str]]] | None = None,
        locked: Collection[str] = (),
        unknown: Unknown = "neutral",
        bad: Any = None,
        strength: float = 1.0,
        random_state: int = 0,
        base_score: float | None = None,
        base_odds: float | None = None,
        pdo: float | None = None,
        low: int = 350,
        high: int = 950,
    ) -> None:
        self.method = method
        self.max_bins = max_bins
        self.least_count = least_count
        self.least_share = least_share
        self.monotone = monotone
        self.special = special
        self.cuts = cuts
        self.groups = groups
        self.locked = locked
        self.unknown = unknown
        self.bad = bad
        self.strength = strength
        self.random_state = random_state
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
        bad, classes = as_outcome(y, len(people))
        special = self._special([str(name) for name in people.columns])
        columns = [Column.read(people[name], special.get(str(name), ())) for name in people.columns]
        trained = train(
            columns,
            bad,
            method=self.method,
            max_bins=self.max_bins,
            directions=self._directions([column.name for column in columns]),
            strength=self.strength,
            scale=scale,
            seed=self.random_state,
        )
        self.card_, self.counts_, self.classes_ = trained.card, trained.counts, classes
        self.feature_names_in_ = np.array([column.name for column in columns], dtype=object)
        self.n_features_in_ = len(columns)
        return self

    def _check_settings(self) -> Scale:
        if self.method not in get_args(Method):
            raise ParameterError(f"method must be one of {', '.join(get_args(Method))}, got {self.method!r}")
        if not 2 <= self.max_bins <= MAX_BINS:
            raise ParameterError(f"max_bins must be 2 to {MAX_BINS}, got {self.max_bins}")
        if not self.strength > 0:
            raise ParameterError(f"strength must be positive, got {self.strength}")
        return Scale(self.base_score, self.base_odds, self.pdo, self.low, self.high)

    def _special(self, names: list[str]) -> dict[str, tuple[float, ...]]:
        codes = {name: tuple(dict.fromkeys(map(float, listed))) for name, listed in (self.special or {}).items()}
        unknown = sorted(set(codes) - set(names))
        if unknown:
            raise ParameterError(f"special names features that are not there: {', '.join(unknown)}")
        for name, listed in codes.items():
            if not np.isfinite(listed).all():
                raise ParameterError(f"special codes of {name!r} must be finite numbers; missing values have their bin")
            if self.max_bins - 2 * len(listed) < 2:
                most = (self.max_bins - 2) // 2
                raise ParameterError(f"{name!r}: {len(listed)} special codes; {self.max_bins} bins hold at most {most}")
        return codes

    def _directions(self, names: list[str]) -> list[Direction | None]:
        if isinstance(self.monotone, Mapping):
            unknown = sorted(set(self.monotone) - set(names))
            if unknown:
                raise ParameterError(f"monotone names features that are not there: {', '.join(unknown)}")
            wishes = [self.monotone.get(name) for name in names]
        else:
            wishes = [self.monotone] * len(names)
        if any(wish not in (None, *get_args(Direction)) for wish in wishes):
            raise ParameterError(f"monotone must be one of {', '.join(get_args(Direction))}, or None")
        return wishes

    def _people(self, X: Any) -> pd.DataFrame:
        check_is_fitted(self, "card_")
        people = as_frame(X, [str(name) for name in self.feature_names_in_])
        check_columns(self.card_.features, people)
        return people

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = tags.input_tags.string = tags.input_tags.categorical = True
        return tags

    def _bins(self, X: Any) -> NDArray[np.uint8]:
        people = self._people(X)
        return self.card_.bins(people)

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
        bins = self._bins(X)
        scale = self.card_.scale
        return (scale.offset - self.card_.totals(bins).astype(np.float64)) / scale.factor

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probability of (good, bad) of each person, shape (n, 2)."""
        risk = expit(self.decision_function(X))
        return np.column_stack([1 - risk, risk])

    def predict(self, X: Any) -> NDArray[Any]:
        """The likelier class of each person, shape (n,)."""
        risk = self.decision_function(X)
        return self.classes_[(risk > 0).astype(int)]

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
