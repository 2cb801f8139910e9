"""Scorecard: the scikit-learn estimator that fits a :class:`~blindscore.scorecard.card.Card` and scores with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Self, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from blindscore.errors import ParameterError
from blindscore.scorecard.binning import bin_labels, check_columns, numbers
from blindscore.scorecard.card import MAX_BINS, Card, Unknown
from blindscore.scorecard.classing import Direction
from blindscore.scorecard.columns import Column
from blindscore.scorecard.inputs import as_frame, as_outcome, as_weights
from blindscore.scorecard.kernel.kernels import score_columns, score_rows
from blindscore.scorecard.reasons import REASONS, Reason, reasons
from blindscore.scorecard.scale import ScaleWish, warn_of_clipping
from blindscore.scorecard.selection import Rules, left_out
from blindscore.scorecard.training import Method, Settings, train

_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


class Scorecard(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
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
    max_pvalue : float
        Neighbouring bins whose bad rates differ with a greater p-value are joined; 1 asks for nothing. See
        :mod:`blindscore.scorecard.neighbours`.
    monotone : bool, "increasing", "decreasing", "auto", "none", or {feature: one of these words}
        Demand that the score rise (fall) with a number; "auto", which is what True means, picks the better direction.
    special : None, or {feature: [code, ...]}
        Codes of a number that are no amounts, such as -1 for "no account"; each gets a bin of its own, outside any
        order that `monotone` asks for. A code takes the place of two ordinary bins.
    cuts : None, or {feature: [cut point, ...]}
        Cut points of numbers by hand; the fit joins neighbouring bins that it finds alike, but makes no others.
    groups : None, or {feature: [[category, ...], ...]}
        Groups of categories by hand, likewise; categories in none of them are "any other".
    levels : None, or {feature: [category, ...]}
        Every category that there is, as declared beforehand, whether or not anybody has it: the card names each, those
        with too few people as part of "any other", and counts or refuses none of them as unknown.
    locked : names
        Features of `cuts` and `groups` whose bins stay exactly as given, whatever stands in them.
    select : None, or {rule: number}
        Features to leave out before the fit: `most_missing` (share of people without a value), `least_iv` (information
        value beyond luck), `most_alike` (correlation with a feature that tells more), `stepwise` (p-value of a test
        beside the others); see
        :mod:`blindscore.scorecard.selection`.
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
    left_out_ : dict
        Features that `select` left out, and why.
    counts_ : dict
        Feature -> (bins, 2) training counts of good and bad; empty after :meth:`from_card`.
    least_ : int
        Head count under which a bin says nothing of its own.
    smallest_ : Smallest or None
        The bin that fewest training people decided: feature, bin, people.
    beyond_ : (float, float)
        Shares of the training people below the lowest score and above the highest.
    """

    def __init__(
        self,
        method: Method = "sparse",
        *,
        max_bins: int = 16,
        least_count: int = 20,
        least_share: float = 0.01,
        max_pvalue: float = 1.0,
        monotone: bool | Direction | Mapping[str, Direction] = False,
        special: Mapping[str, Sequence[float]] | None = None,
        cuts: Mapping[str, Sequence[float]] | None = None,
        groups: Mapping[str, Sequence[Sequence[str]]] | None = None,
        levels: Mapping[str, Sequence[str]] | None = None,
        locked: Collection[str] = (),
        select: Mapping[str, float] | None = None,
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
        self.max_pvalue = max_pvalue
        self.monotone = monotone
        self.special = special
        self.cuts = cuts
        self.groups = groups
        self.levels = levels
        self.locked = locked
        self.select = select
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

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Choose bins and points.

        Parameters
        ----------
        X : table, (n, d)
            Numbers (float, int, bool) or categories (str, object, category); missing values allowed.
        y : (n,)
            Outcome of two classes; see `bad`.
        sample_weight : (n,), 0 or more
            For how many people each row stands: 2 is as good as the row twice, 0 leaves it out. Head counts of bins
            count rows, whatever their weight.

        Raises
        ------
        DataError
            No rows, duplicate columns, wrong types, infinity, or a target without exactly two classes.
        ParameterError
            A setting outside its range.

        Warns
        -----
        ScorecardWarning
            A chosen scale cuts off more than one in a hundred people at either end.
        """
        settings = self._settings()
        people = as_frame(X)
        bad, classes = as_outcome(y, len(people), self.bad)
        names = [str(name) for name in people.columns]
        directions, by_hand = self._directions(names), self._by_hand(names)
        weight = as_weights(sample_weight, bad)
        here = weight > 0
        rows = people if here.all() else people.loc[here]
        columns = [Column.read(rows[name], **by_hand[str(name)]) for name in people.columns]
        rules, least = Rules.of(self.select), settings.least(int(here.sum()))
        self.left_out_ = left_out(columns, bad[here], rules, least, settings.unknown)
        kept = [j for j, name in enumerate(names) if name not in self.left_out_]
        with threadpool_limits(1):  # small work: waking more threads for it costs several times what they take off
            trained = train(
                [columns[j] for j in kept], bad[here], weight[here], [directions[j] for j in kept], settings
            )
        warn_of_clipping(trained.card.scale, trained.beyond)
        self.card_, self.counts_, self.classes_ = trained.card, trained.counts, classes
        self.least_, self.smallest_, self.beyond_ = trained.least, trained.smallest, trained.beyond
        self.feature_names_in_ = np.array(names, dtype=object)
        self.n_features_in_ = len(columns)
        return self

    def _settings(self) -> Settings:
        if self.method not in get_args(Method):
            raise ParameterError(f"method must be one of {', '.join(get_args(Method))}, got {self.method!r}")
        if self.unknown not in get_args(Unknown):
            raise ParameterError(f"unknown must be one of {', '.join(get_args(Unknown))}, got {self.unknown!r}")
        if not 2 <= self.max_bins <= MAX_BINS:
            raise ParameterError(f"max_bins must be 2 to {MAX_BINS}, got {self.max_bins}")
        if self.least_count < 1 or not 0 <= self.least_share < 1:
            raise ParameterError("least_count must be 1 or more, and least_share at least 0 and below 1")
        if not 0 < self.max_pvalue <= 1:
            raise ParameterError(f"max_pvalue must be above 0 and at most 1, got {self.max_pvalue}")
        if not self.strength > 0:
            raise ParameterError(f"strength must be positive, got {self.strength}")
        return Settings(
            method=self.method,
            max_bins=self.max_bins,
            least_count=self.least_count,
            least_share=self.least_share,
            max_pvalue=self.max_pvalue,
            unknown=self.unknown,
            strength=self.strength,
            seed=self.random_state,
            scale=ScaleWish(self.base_score, self.base_odds, self.pdo, self.low, self.high),
        )

    def _by_hand(self, names: list[str]) -> dict[str, dict[str, Any]]:
        """What was declared of each feature: special codes, cut points, groups, whether they are locked."""
        for what, listed in (
            ("special", self.special), ("cuts", self.cuts), ("groups", self.groups), ("levels", self.levels),
            ("locked", self.locked),
        ):  # fmt: skip
            absent = sorted(set(listed or ()) - set(names))
            if absent:
                raise ParameterError(f"{what} names features that are not there: {', '.join(absent)}")
        special = {name: tuple(dict.fromkeys(map(float, codes))) for name, codes in (self.special or {}).items()}
        cuts = {name: tuple(map(float, points)) for name, points in (self.cuts or {}).items()}
        groups = {
            name: tuple(tuple(dict.fromkeys(map(str, group))) for group in given)
            for name, given in (self.groups or {}).items()
        }
        levels = {name: tuple(dict.fromkeys(map(str, given))) for name, given in (self.levels or {}).items()}
        for name, codes in special.items():
            if not np.isfinite(codes).all():
                raise ParameterError(f"special codes of {name!r} must be finite numbers; missing values have their bin")
            if self.max_bins - 2 * len(codes) < 2:
                most = (self.max_bins - 2) // 2
                raise ParameterError(f"{name!r}: {len(codes)} special codes; {self.max_bins} bins hold at most {most}")
        for name, points in cuts.items():
            if not np.isfinite(points).all() or (np.diff(points) <= 0).any():
                raise ParameterError(f"cuts of {name!r} must be finite and increasing")
            if name in self.locked and len(points) + 1 + 2 * len(special.get(name, ())) > MAX_BINS:
                raise ParameterError(f"{name!r} is locked: at most {MAX_BINS} bins, a special code taking two of them")
        for name, given in groups.items():
            listed = [category for group in given for category in group]
            if not all(given) or len(set(listed)) != len(listed):
                raise ParameterError(f"groups of {name!r} must each name a category, and none twice")
            if name in self.locked and len(given) + 1 > MAX_BINS:
                raise ParameterError(f"{name!r} is locked: at most {MAX_BINS - 1} groups, and one bin for any other")
        loose = sorted(set(self.locked) - set(cuts) - set(groups))
        if loose:
            raise ParameterError(f"locked features need cuts or groups: {', '.join(loose)}")
        return {
            name: {
                "special": special.get(name, ()),
                "cuts": cuts.get(name),
                "groups": groups.get(name),
                "levels": levels.get(name, ()),
                "locked": name in self.locked,
            }
            for name in names
        }

    def _directions(self, names: list[str]) -> list[Direction]:
        words = get_args(Direction)
        wish = self.monotone if not isinstance(self.monotone, bool) else "auto" if self.monotone else "none"
        wishes: list[Any] = [wish] * len(names)
        if isinstance(self.monotone, Mapping):
            absent = sorted(set(self.monotone) - set(names))
            if absent:
                raise ParameterError(f"monotone names features that are not there: {', '.join(absent)}")
            wishes = [self.monotone.get(name, "none") for name in names]
        if any(wish not in words for wish in wishes):
            raise ParameterError(f"monotone must be one of {', '.join(words)}, True or False, by feature or for all")
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
        labels: NDArray[Any] = self.classes_[(risk > 0).astype(int)]
        return labels

    def explain(self, X: Any) -> pd.DataFrame:
        """Points of each person in each feature, and the base; a row's sum is the total before clipping."""
        bins = self._bins(X)
        points = self.card_.points[np.arange(bins.shape[1]), bins]
        table = pd.DataFrame(points, columns=self.card_.features)
        table.insert(0, "(base)", self.card_.base)
        return table

    def unknown_categories(self, X: Any) -> dict[str, int]:
        """Feature -> people whose category the card does not list and who are scored all the same."""
        seen: Counter[str] = Counter()
        self.card_.bins(self._people(X), seen)
        return dict(seen)

    def reasons(self, X: Any, k: int = REASONS) -> list[tuple[Reason, ...]]:
        """Up to k features a person that cost most points, the costliest first: :mod:`.reasons`."""
        return reasons(self.card_, self._bins(X), k)

    def table(self) -> pd.DataFrame:
        """The scorecard as a credit officer signs it: one row a bin, the base first.

        Columns: feature, bin, points, woe, people, share, bad_rate (the last three of the training people; empty
        after :meth:`from_card`, the rate also of a bin with too few people to tell).
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
                    row["bad_rate"] = counts[k, 1] / people if people >= self.least_ else np.nan
                rows.append(row)
        return pd.DataFrame(rows, columns=["feature", "bin", "points", "woe", "people", "share", "bad_rate"])
