"""The classifiers that attack: several strong ones, the best chosen on auxiliary people, reported on targets.

The attacker trains on auxiliary people only and judges its models on them by cross-validation: each alone, and the
means of the best two, three and so on. The winner is fitted again on all auxiliary people, and is then shown the
targets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import ndtri
from scipy.stats import rankdata
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

Columns = NDArray[np.float64]
TREES = 120  # rounds of boosting at two classes
NEIGHBOURS = 50
FOLDS = 2
SURVIVORS = 4  # models that the second fold judges: the best of the first
FAINT = 0.005  # share of the prior's loss; where no model gains more in the first fold, the best of it stands alone
FEW_COLUMNS = 3  # up to which random trees see no more than boosted ones
FEW_CLASSES = 8  # beyond which boosting (a tree a class a round) is left to the deep trees alone


@dataclass(frozen=True)
class Guess:
    """What an attacker believes of everybody."""

    attack: str  # name of the winning model
    probability: Columns  # (n, k) posterior over the classes of the secret
    prior: NDArray[np.float64]  # (k,) among auxiliary people
    loss: float  # nats, classes weighted alike, on auxiliary people, cross-validated

    @property
    def best(self) -> NDArray[np.int64]:
        """Class that maximises balanced accuracy: posterior over prior, highest."""
        return np.asarray((self.probability / self.prior).argmax(axis=1), np.int64)


def boosted_trees(classes: int) -> Any:
    """Return gradient-boosted trees, a tree a class a round."""
    rounds = max(8, 2 * TREES // classes)
    return HistGradientBoostingClassifier(
        learning_rate=0.1, max_iter=rounds, max_leaf_nodes=15, min_samples_leaf=10, random_state=0
    )


def shallow_trees(classes: int) -> Any:
    """Return gradient-boosted trees of two splits: what finds a weak signal in many columns, or a rare class."""
    return HistGradientBoostingClassifier(
        learning_rate=0.1, max_iter=80, max_depth=2, min_samples_leaf=20, early_stopping=False, random_state=0
    )


def random_trees(classes: int) -> Any:
    """Return extremely randomised trees (Geurts, Ernst and Wehenkel 2006)."""
    return ExtraTreesClassifier(60, min_samples_leaf=3, max_features="sqrt", n_jobs=-1, random_state=0)


def linear(strength: float, classes: int) -> Any:
    """Return logistic regression, with the solver that is quick for this many classes."""
    solver = "newton-cholesky" if classes <= 4 else "lbfgs"
    return LogisticRegression(C=strength, solver=solver, max_iter=100)


# Name, what it reads ("values", with missing ones "filled", or their "ranks"), and how it is made for so many classes.
MODELS: tuple[tuple[str, str, Callable[[int], Any]], ...] = (
    ("nearest neighbours", "ranks", lambda classes: KNeighborsClassifier(NEIGHBOURS, algorithm="brute")),
    ("boosted trees", "values", boosted_trees),
    ("shallow boosted trees", "values", shallow_trees),
    ("random trees", "filled", random_trees),
    ("logistic", "ranks", lambda classes: linear(0.3, classes)),
    ("logistic, shrunk", "ranks", lambda classes: linear(0.03, classes)),
    ("logistic, shrunk hard", "ranks", lambda classes: linear(0.003, classes)),
)


def encode(table: pd.DataFrame) -> Columns:
    """Return a table as float columns: numbers as they are, each category as an indicator (at most 60 a column)."""
    parts: list[Columns] = []
    for name in table.columns:
        column = table[name]
        if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
            parts.append(column.to_numpy(np.float64, na_value=np.nan)[:, None])
        else:
            text = column.astype("str")
            common = text.value_counts().index[:60]
            parts.append((text.to_numpy()[:, None] == common.to_numpy()[None, :]).astype(np.float64))
    return np.hstack(parts) if parts else np.zeros((len(table), 0))


def infer(columns: Columns, secret: NDArray[np.integer], auxiliary: NDArray[np.bool_], seed: int) -> Guess:
    """Return the best attacker's posterior over the secret for everybody.

    Candidates are each model alone and the means of the best two, three and four; the one of least loss in
    cross-validation, with every class weighted alike, wins. The first fold judges all models, the second its best four,
    or only its best where even that gains next to nothing on the prior.
    A class that a single auxiliary person has is only ever guessed through the prior.

    Parameters
    ----------
    columns : (n, c) float, what the attacker reads; NaN = missing
    secret : (n,) int, class 0..k-1; only auxiliary people's are looked at
    auxiliary : (n,) bool
    """
    k = int(secret.max()) + 1
    known = np.flatnonzero(auxiliary)
    prior = np.asarray((np.bincount(secret[known], minlength=k) + 0.5) / (len(known) + 0.5 * k), np.float64)
    columns = columns[:, _varying(columns[known])]
    fold = _folds(secret[known], seed)
    if columns.shape[1] == 0 or any(len(np.unique(secret[known[fold != f]])) < 2 for f in range(FOLDS)):
        return Guess("prior alone", np.tile(prior, (len(secret), 1)), prior, float(np.log(k)))
    reads = {"values": columns, "filled": np.nan_to_num(columns, nan=-1e6), "ranks": ranks(columns)}
    skipped = [shallow_trees] * (k > FEW_CLASSES) + [random_trees] * (columns.shape[1] <= FEW_COLUMNS)
    models = {name: (what, make) for name, what, make in MODELS if make not in skipped}

    def posterior(name: str, learn: NDArray[np.integer], shown: NDArray[np.integer] | slice) -> Columns:
        what, make = models[name]
        fitted = _fit(make, reads[what][learn], secret[learn])
        return _posterior(fitted, reads[what][shown], prior)

    trials = {name: np.empty((len(known), k)) for name in models}
    order = list(models)
    for f in range(FOLDS):
        for name in order:
            trials[name][fold == f] = posterior(name, known[fold != f], known[fold == f])
        so_far = fold <= f
        alone = {name: _loss(trials[name][so_far], secret[known[so_far]], prior) for name in order}
        order = sorted(order, key=lambda name: alone[name])[:SURVIVORS]
        if alone[order[0]] > (1.0 - FAINT) * np.log(k):
            order = order[:1]
    losses = {tuple(order[:1]): alone[order[0]]}
    for size in range(2, len(order) + 1):
        mean = np.mean([trials[name] for name in order[:size]], axis=0)
        losses[tuple(order[:size])] = _loss(mean, secret[known], prior)
    winner = min(losses, key=lambda who: losses[who])
    believed = np.mean([posterior(name, known, slice(None)) for name in winner], axis=0)
    told = winner[0] if len(winner) == 1 else f"mean of {len(winner)} models"
    return Guess(told, believed, prior, losses[winner])


def ranks(columns: Columns) -> Columns:
    """Return columns as standardised normal scores of their ranks; a missing value ranks lowest.

    Everybody's rows count, targets' too: the attacker sees all views, and no label enters.
    """
    filled = np.nan_to_num(columns, nan=-np.inf, neginf=-np.inf)
    scores = ndtri(rankdata(filled, axis=0) / (len(columns) + 1.0))
    spread = scores.std(axis=0)
    return np.asarray((scores - scores.mean(axis=0)) / np.where(spread > 0, spread, 1.0))


def friends_of(friends: NDArray[np.int32], n: int) -> sparse.csr_array:
    """Return the symmetric adjacency matrix of the friendship graph, (n, n)."""
    first, second = friends[:, 0], friends[:, 1]
    ones = np.ones(len(friends), np.float32)
    one_way = sparse.coo_array((ones, (first, second)), shape=(n, n))
    return sparse.csr_array(one_way + one_way.T)


def friends_labels(adjacency: sparse.csr_array, secret: NDArray[np.integer], auxiliary: NDArray[np.bool_]) -> Columns:
    """Return, for each person, how common every class is among labelled friends, and among friends of friends.

    Two steps of label propagation (Zhu and Ghahramani 2002) from auxiliary people; nobody's own label enters its own
    columns, since a person is no friend of itself and the second step leaves the way back out.
    """
    k = int(secret.max()) + 1
    labels = np.zeros((len(secret), k), np.float32)
    labels[np.flatnonzero(auxiliary), secret[auxiliary]] = 1.0
    known = auxiliary.astype(np.float32)
    prior = labels[auxiliary].mean(axis=0)
    one, reach = adjacency @ labels, adjacency @ known
    degree = np.asarray(adjacency.sum(axis=1)).ravel()
    two = adjacency @ one - degree[:, None] * labels
    reach_two = adjacency @ reach - degree * known
    smooth = 2.0
    near = (one + smooth * prior) / (reach + smooth)[:, None]
    far = (two + smooth * prior) / (reach_two + smooth)[:, None]
    return np.hstack([near[:, 1:], far[:, 1:], degree[:, None]]).astype(np.float64)


def places_labels(visits: pd.DataFrame, secret: NDArray[np.integer], auxiliary: NDArray[np.bool_]) -> Columns:
    """Return, for each person, how likely its visits are under every class of the secret, relative to the first.

    Naive Bayes over places, and over places by weekday and four-hour stretch, learnt from auxiliary people's visits;
    a person's own visits never count towards its own columns.
    """
    person, place = visits["person"].to_numpy(), visits["place"].to_numpy().astype(np.int64)
    stretch = visits["hour"].to_numpy().astype(np.int64) % 168 // 4
    total = np.bincount(person, minlength=len(secret)).astype(np.float64)
    scores = [_visit_likelihood(person, cells, secret, auxiliary) for cells in (place, 42 * place + stretch)]
    return np.hstack([*scores, total[:, None]])


def _visit_likelihood(
    person: NDArray[np.integer], cells: NDArray[np.integer], secret: NDArray[np.integer], auxiliary: NDArray[np.bool_]
) -> Columns:
    n, k = len(secret), int(secret.max()) + 1
    _, cell = np.unique(cells, return_inverse=True)
    known = auxiliary[person]
    label = secret[person]
    counts = np.zeros((int(cell.max()) + 1, k))
    np.add.at(counts, (cell[known], label[known]), 1.0)
    _, pair, often = np.unique(cell * np.int64(n) + person, return_inverse=True, return_counts=True)
    others = counts[cell]
    others[np.flatnonzero(known), label[known]] -= often[pair[known]]  # a person is no evidence about itself
    size = np.array([auxiliary[secret == c].sum() for c in range(k)]) + 1.0
    rate = (others + others.sum(axis=1, keepdims=True) * (size / size.sum()) * 0.1 + 0.5 * size / size.sum()) / size
    log_rate = np.log(rate)
    likelihood = np.zeros((n, k))
    np.add.at(likelihood, person, log_rate - log_rate[:, :1])
    return likelihood[:, 1:]


def cross_entropy_bits(guess: Guess, secret: NDArray[np.integer], people: NDArray[np.bool_]) -> float:
    """Return the mean surprise at the true class over the given people, bits."""
    return float(-np.log2(guess.probability[people, secret[people]]).mean())


def _varying(columns: Columns) -> NDArray[np.bool_]:
    filled = np.nan_to_num(columns, nan=-1e30)
    return np.asarray((filled != filled[:1]).any(axis=0), np.bool_)


def _folds(secret: NDArray[np.integer], seed: int) -> NDArray[np.int64]:
    """Return a random fold for each auxiliary person, every class spread evenly over them."""
    shuffled = np.random.default_rng([seed, 0x5E]).permutation(len(secret))
    by_class = shuffled[np.argsort(secret[shuffled], kind="stable")]
    fold = np.empty(len(secret), np.int64)
    fold[by_class] = np.arange(len(secret)) % FOLDS
    return fold


def _fit(make: Callable[[int], Any], columns: Columns, secret: NDArray[np.integer]) -> Any:
    counts = np.bincount(secret)
    counts = counts[counts > 0]
    model = make(len(counts))
    if make is boosted_trees:
        splits = counts.min() >= 2 and len(secret) >= 10 * len(counts)  # its validation tenth must hold every class
        model.set_params(early_stopping=splits)
    if isinstance(model, KNeighborsClassifier):
        model.set_params(n_neighbors=min(NEIGHBOURS, max(1, len(secret) // 4)))
    return model.fit(columns, secret)


def _posterior(model: Any, columns: Columns, prior: NDArray[np.float64]) -> Columns:
    probability = np.full((len(columns), len(prior)), 1e-6)
    probability[:, model.classes_] = np.clip(model.predict_proba(columns), 1e-6, None)
    return np.asarray(probability / probability.sum(axis=1, keepdims=True))


def _loss(probability: Columns, secret: NDArray[np.integer], prior: NDArray[np.float64]) -> float:
    """Return the log loss with every class weighted alike, nats: what wins balanced accuracy, also on rare classes."""
    balanced = probability / prior
    surprise = -np.log(balanced[np.arange(len(secret)), secret] / balanced.sum(axis=1))
    size = np.bincount(secret, minlength=len(prior)).astype(np.float64)
    per_class = np.bincount(secret, weights=surprise, minlength=len(prior)) / np.maximum(size, 1.0)
    return float(per_class[size > 0].mean())
