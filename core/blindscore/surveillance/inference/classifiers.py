"""The classifiers that attack: several strong ones, the best chosen on auxiliary people, reported on targets.

The attacker trains on auxiliary people only and judges its models on them by cross-validation: each alone, and the
means of the best two, three and so on. The winner is fitted again on all auxiliary people, and is then shown the
targets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from blindscore.errors import BlindscoreError
from blindscore.surveillance.inference.evidence import Columns, Evidence
from blindscore.surveillance.inference.trees import Trees
from blindscore.surveillance.knowledge import Labels
from blindscore.surveillance.memo import Memo, digest_of
from blindscore.threads import each

NEIGHBOURS = 25
FOLDS = 2
SURVIVORS = 4  # models that the second fold judges: the best of the first
FAINT = 0.005  # share of the prior's loss; where no model gains more in the first fold, the best of it stands alone
RECENT = 64  # questions whose answers are kept: more than one design asks of all its coalitions at once
FEW_CLASSES = 8  # beyond which trees (one a class a round) are left to the deep ones alone
_ANSWERED = Memo(RECENT)


@dataclass(frozen=True)
class Guess:
    """What an attacker believes of everybody."""

    attack: str  # name of the winning model
    probability: Columns  # (n, k) posterior over the classes of the secret
    prior: NDArray[np.float64]  # (k,) among auxiliary people
    loss: float  # nats, classes weighted alike, on auxiliary people, cross-validated

    @cached_property
    def best(self) -> NDArray[np.int64]:
        """Class that maximises balanced accuracy: posterior over prior, highest."""
        return np.asarray((self.probability / self.prior).argmax(axis=1), np.int64)


def deep_trees(classes: int) -> Trees:
    """Return boosted trees of many splits: what finds how columns act together."""
    return Trees(max(8, 240 // classes), leaves=15, smallest=10)


def shallow_trees(classes: int) -> Trees:
    """Return boosted trees of three splits: what finds a weak signal in many columns, or a rare class."""
    return Trees(80, leaves=4, smallest=10)


def additive_trees(classes: int) -> Trees:
    """Return boosted trees of one split: a step function a column, which overfits least and finds rare categories."""
    return Trees(100, leaves=2, smallest=5)


def random_trees(classes: int) -> Trees:
    """Return a forest of extremely randomised trees (Geurts, Ernst and Wehenkel 2006)."""
    chance = {"feature_fraction": 0.15, "bagging_fraction": 0.8, "bagging_freq": 1}
    return Trees(40, leaves=63, smallest=3, more={"boosting": "rf", "extra_trees": True, **chance})


def linear(strength: float, classes: int) -> Any:
    """Return logistic regression, with the solver that is quick for this many classes."""
    solver = "newton-cholesky" if classes <= 4 else "lbfgs"
    return LogisticRegression(C=strength, solver=solver, max_iter=100)


TREES = (
    deep_trees,
    shallow_trees,
    additive_trees,
    random_trees,
)  # they read values, missing ones included; the others read ranks
# Name, and how the model is made for so many classes.
MODELS: tuple[tuple[str, Callable[[int], Any]], ...] = (
    ("nearest neighbours", lambda classes: KNeighborsClassifier(NEIGHBOURS, algorithm="brute")),
    ("boosted trees", deep_trees),
    ("shallow boosted trees", shallow_trees),
    ("additive boosted trees", additive_trees),
    ("random trees", random_trees),
    ("logistic", lambda classes: linear(0.3, classes)),
    ("logistic, shrunk", lambda classes: linear(0.03, classes)),
    ("logistic, shrunk hard", lambda classes: linear(0.003, classes)),
)


def infer(evidence: Evidence, labels: Labels, auxiliary: NDArray[np.bool_], seed: int) -> Guess:
    """Return the best attacker's posterior over the secret for everybody; see :func:`fit_and_choose`.

    Many coalitions read the very same columns: equal questions that follow one another are answered once.
    """
    digest = digest_of(evidence.values, labels.code, auxiliary)
    key = (digest, evidence.values.shape, labels.classes, seed)
    return _ANSWERED.once(key, lambda: fit_and_choose(evidence, labels, auxiliary, seed))


def fit_and_choose(evidence: Evidence, labels: Labels, auxiliary: NDArray[np.bool_], seed: int) -> Guess:
    """Return the best attacker's posterior over the secret for everybody.

    Candidates are each model alone and the means of the best two, three and four; the one of least loss in
    cross-validation, with every class weighted alike, wins. The first fold judges all models, the second its best four,
    or only its best where even that gains next to nothing on the prior.
    A class that a single auxiliary person has is only ever guessed through the prior.

    Parameters
    ----------
    evidence : of n people, what the attacker reads
    labels : the secret as auxiliary people have it
    auxiliary : (n,) bool; those whose label is missing teach nothing
    """
    k, secret = labels.classes, labels.code
    known = np.flatnonzero(auxiliary & labels.known)
    prior = prior_of(secret[known], k)
    read = evidence.varying(known)
    fold = _folds(secret[known], seed)
    if read.values.shape[1] == 0 or any(len(np.unique(secret[known[fold != f]])) < 2 for f in range(FOLDS)):
        return Guess("prior alone", np.tile(prior, (len(secret), 1)), prior, float(np.log(k)))
    models = {name: make for name, make in MODELS if k <= FEW_CLASSES or make not in TREES[1:]}

    def posterior(name: str, learn: NDArray[np.integer], shown: NDArray[np.integer] | slice) -> Columns:
        columns = read.values if models[name] in TREES else read.ranks
        fitted = _fit(models[name], columns[learn], secret[learn])
        return _posterior(fitted, columns[shown], prior)

    trials = {name: np.empty((len(known), k)) for name in models}
    order = list(models)
    for f in range(FOLDS):
        learn, judge = known[fold != f], known[fold == f]
        fit_and_judge = partial(posterior, learn=learn, shown=judge)
        for name, judged in zip(order, each(fit_and_judge, order), strict=True):
            trials[name][fold == f] = judged
        so_far = fold <= f
        alone = {name: balanced_loss(trials[name][so_far], secret[known[so_far]], prior) for name in order}
        order = sorted(order, key=lambda name: alone[name])[:SURVIVORS]
        if alone[order[0]] > (1.0 - FAINT) * np.log(k):
            order = order[:1]
    losses = {tuple(order[:1]): alone[order[0]]}
    for size in range(2, len(order) + 1):
        mean = np.mean([trials[name] for name in order[:size]], axis=0)
        losses[tuple(order[:size])] = balanced_loss(mean, secret[known], prior)
    winner = min(losses, key=lambda who: losses[who])
    believed = np.mean(each(lambda name: posterior(name, known, slice(None)), winner), axis=0)
    told = winner[0] if len(winner) == 1 else f"mean of {len(winner)} models"
    return Guess(told, believed, prior, losses[winner])


def cross_entropy_bits(guess: Guess, secret: NDArray[np.integer], people: NDArray[np.bool_]) -> float:
    """Return the mean surprise at the true class over the given people, bits."""
    return float(-np.log2(guess.probability[people, secret[people]]).mean())


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
    if isinstance(model, KNeighborsClassifier):
        model.set_params(n_neighbors=min(NEIGHBOURS, max(1, len(secret) // 4)))
    return model.fit(columns, secret)


def _posterior(model: Any, columns: Columns, prior: NDArray[np.float64]) -> Columns:
    probability = np.full((len(columns), len(prior)), 1e-6)
    with np.errstate(invalid="ignore"):  # a BLAS may raise the flag on finite figures (numpy/numpy#24067) ...
        likely = model.predict_proba(columns)
    if not np.isfinite(likely).all():  # ... so what came out is looked at
        raise BlindscoreError(
            "an attacker's model says a probability that is no number; the records hold values it cannot read"
        )
    probability[:, model.classes_] = np.clip(likely, 1e-6, None)
    return np.asarray(probability / probability.sum(axis=1, keepdims=True))


def prior_of(code: NDArray[np.integer], classes: int) -> NDArray[np.float64]:
    """Return the classes' shares among people whose class is known, (classes,), none of them 0."""
    count = np.bincount(code, minlength=classes)
    return np.asarray((count + 0.5) / (len(code) + 0.5 * classes), np.float64)


def balanced_loss(probability: Columns, secret: NDArray[np.integer], prior: NDArray[np.float64]) -> float:
    """Return the log loss with every class weighted alike, nats: what wins balanced accuracy, also on rare classes."""
    balanced = probability / prior
    surprise = -np.log(balanced[np.arange(len(secret)), secret] / balanced.sum(axis=1))
    size = np.bincount(secret, minlength=len(prior)).astype(np.float64)
    per_class = np.bincount(secret, weights=surprise, minlength=len(prior)) / np.maximum(size, 1.0)
    return float(per_class[size > 0].mean())
