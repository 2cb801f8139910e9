"""PrivateScorecard: a scorecard whose points say next to nothing about any one person in the training data.

Who sees what: the published card may be seen by everybody. Assumption: rows are different people. Not protected: the
applicant whom the card scores, and what an error message about malformed training data gives away.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.errors import DataError, ParameterError
from blindscore.scorecard.binning import bin_column, numbers
from blindscore.scorecard.card import MAX_BINS, Characteristic
from blindscore.scorecard.classing import Direction
from blindscore.scorecard.inputs import as_frame
from blindscore.scorecard.scale import ScaleWish
from blindscore.scorecard.scorecard import Scorecard
from blindscore_crypto.private_model.accounting import Budget, check_budget, whole_budget
from blindscore_crypto.private_model.domains import Domain, Domains, Number, characteristic
from blindscore_crypto.private_model.edges import private_edges
from blindscore_crypto.private_model.layout import Layout
from blindscore_crypto.private_model.methods import METHODS, method_named
from blindscore_crypto.private_model.noise import RandomBytes
from blindscore_crypto.private_model.points import centred, make_card, monotone_weights, spread_scale

Method = Literal["auto", "onestep", "woe", "gradient", "opacus", "teacher"]
EDGE_SHARE = 1 / 16  # of the budget, where edges must be estimated


class PrivateScorecard(Scorecard):
    """Scorecard trained with (epsilon, delta)-differential privacy for adding or removing one person.

    Noise comes from the operating system: two fits on the same people differ. Settings are fixed beforehand; choosing
    them by looking at the private data would spend budget that nobody recorded.

    Parameters
    ----------
    epsilon : float
        Budget of one fit, everything included; 0 < epsilon <= 50.
    delta : float
        0 < delta <= 0.001; choose less than 1 / people.
    method : "auto", "onestep", "woe", "gradient", "opacus", "teacher"
        How points are found; each is a file of its own in this package. "auto" is "onestep". Noise of the first three
        is discrete and exact; "opacus" and "teacher" are stochastic gradient descent in floating point.
    domains : Domains
        What is declared of every feature before anybody looks. There is no default: undeclared means refused.
    classes : (good, bad)
        The two outcomes, declared beforehand. People all of one class are fitted like any others: an error would tell.
    account : Budget, optional
        The budget of the people themselves. Every fit, on whatever fold or setting, is charged to it as well, and is
        refused once it is used up; clones share it. Without it each fit claims its own epsilon only, and
        two fits on the same people cost more than either says.
    max_bins : int
        Ordinary bins of a number whose edges are not declared, 2 to 16.
    monotone : bool, "increasing", "decreasing", "auto", "none", or {feature: one of these words}
        Demand that the score rise (fall) with a number; done to the released weights, so that it costs no budget.
    insecure_simulation_bytes : callable, optional
        Number of bytes -> that many, from a seeded generator. Then the noise repeats and protects nobody: only for
        people who do not exist.
    base_score, base_odds, pdo, low, high
        The scale; see :class:`~blindscore.scorecard.scorecard.Scorecard`. What is left out is chosen from the released
        weights, and from nothing else; see :func:`~.points.spread_scale`.

    Attributes
    ----------
    card_ : Card
        The released scorecard.
    releases_ : tuple of Release
        Everything that was computed from the private data and let out, in order.
    epsilon_spent_ : float
        Epsilon of ``releases_`` at ``delta``; never above ``epsilon``.
    """

    def __init__(
        self,
        epsilon: float = 1.0,
        delta: float = 1e-5,
        method: Method = "auto",
        domains: Domains | None = None,
        account: Budget | None = None,
        *,
        classes: tuple[Any, Any] = (0, 1),
        max_bins: int = 8,
        monotone: bool | Direction | Mapping[str, Direction] = False,
        insecure_simulation_bytes: RandomBytes | None = None,
        base_score: float | None = None,
        base_odds: float | None = None,
        pdo: float | None = None,
        low: int = 350,
        high: int = 950,
    ) -> None:
        self.epsilon = epsilon
        self.delta = delta
        self.method = method  # type: ignore[assignment]  # the parent's own methods are not private
        self.domains = domains
        self.account = account
        self.classes = classes
        self.max_bins = max_bins
        self.monotone = monotone
        self.insecure_simulation_bytes = insecure_simulation_bytes
        self.base_score = base_score
        self.base_odds = base_odds
        self.pdo = pdo
        self.low = low
        self.high = high

    def fit(self, X: Any, y: Any) -> Self:  # type: ignore[override]  # weights of people would need a budget of their own
        """Choose bins and points within the budget.

        Raises
        ------
        ParameterError
            epsilon or delta out of range, a feature without a declared domain, or a setting outside its range.
        DataError
            No rows, duplicate columns, wrong types, infinity, or an outcome that is neither of the declared classes.
        """
        wish = self._check_private_settings()
        directions = self._wishes(as_frame(X).columns)
        people = as_frame(X)
        domains = (self.domains or Domains(())).require([str(name) for name in people.columns])
        bad, self.classes_ = declared_outcome(y, len(people), self.classes)
        draft = [characteristic(name, domain) for name, domain in domains]
        monotone_weights(draft, [np.zeros(c.n_bins) for c in draft], directions)  # refuse before anything is spent
        budget = Budget(
            self.epsilon, self.delta, self.account, insecure_simulation_bytes=self.insecure_simulation_bytes
        )
        empty, left = self._bins_of(people, domains, budget)
        bins = np.column_stack([bin_column(c, people[c.feature]) for c in empty])
        layout = Layout(tuple(c.n_bins for c in empty), tuple(c.groups is None for c in empty))
        weights, intercept = METHODS[method_named(str(self.method))](bins, bad, layout, left, budget)
        weights, middle = centred(monotone_weights(empty, weights, directions))
        intercept += middle
        self.card_ = make_card(empty, weights, intercept, spread_scale(wish, weights, intercept))
        self.counts_ = {}  # training counts are the private data; the table shows none
        self.releases_, self.epsilon_spent_ = budget.record, budget.spent
        self.feature_names_in_ = np.array([name for name, _ in domains], dtype=object)
        self.n_features_in_ = len(domains)
        return self

    def _wishes(self, features: Iterable[str]) -> dict[str, Direction]:
        """Return the wished direction of each feature; "none" where none is wished for."""
        if isinstance(self.monotone, Mapping):
            return {name: self.monotone.get(name, "none") for name in features}
        every: Direction = self.monotone if isinstance(self.monotone, str) else "auto" if self.monotone else "none"
        return dict.fromkeys(features, every)

    def _check_private_settings(self) -> ScaleWish:
        check_budget(self.epsilon, self.delta)
        if method_named(str(self.method)) not in METHODS:
            raise ParameterError(f"method must be auto, {', '.join(METHODS)}; got {self.method!r}")
        if not 2 <= self.max_bins <= MAX_BINS:
            raise ParameterError(f"max_bins must be 2 to {MAX_BINS}, got {self.max_bins}")
        if self.domains is None:
            raise ParameterError(
                "domains must be declared (Domains.declared); reading bounds from the private data would leak it"
            )
        return ScaleWish(self.base_score, self.base_odds, self.pdo, self.low, self.high)

    def _bins_of(
        self, people: pd.DataFrame, domains: tuple[tuple[str, Domain], ...], budget: Budget
    ) -> tuple[list[Characteristic], float]:
        """Bins of every feature, declared or at noisy quantiles, and the noise multiplier that uses up what is left."""
        whole = whole_budget(self.epsilon, self.delta)
        open_ = {name: domain for name, domain in domains if isinstance(domain, Number) and domain.edges is None}
        columns = [numbers(people[name]).astype(np.float64) for name in open_]
        found = private_edges(columns, list(open_.values()), self.max_bins, whole / math.sqrt(EDGE_SHARE), budget)
        edges = dict(zip(open_, found, strict=True))
        left = whole / math.sqrt(1 - EDGE_SHARE) if open_ else whole
        return [characteristic(name, domain, edges.get(name, ())) for name, domain in domains], left


def declared_outcome(y: Any, n: int, classes: tuple[Any, Any]) -> tuple[NDArray[np.bool_], NDArray[Any]]:
    """Return (bad, classes): bad is (n,) bool. Nothing depends on which of the two classes occur.

    Raises
    ------
    DataError
        Wrong length, or an outcome that is neither of the declared classes.
    """
    values = np.asarray(y)
    if values.shape != (n,):
        raise DataError(f"target: {n} outcomes needed, one a person, found shape {values.shape}")
    good, bad = (np.asarray(pd.Series(values) == kind, np.bool_) for kind in classes)
    if not (good | bad).all():
        row = int(np.argmin(good | bad))
        raise DataError(
            f"target, row {row}: neither {classes[0]!r} (good) nor {classes[1]!r} (bad); "
            "declare the two as classes=(good, bad); rows count from 0"
        )
    return bad, np.array(classes)
