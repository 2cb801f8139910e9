"""Join two parties' records of one person by what they say, where no key is shared.

Three attacks, the best on auxiliary people wins. *Equal values* of the shared columns. *Nearest record*: every column
of one record is foretold from the other (by the same column where it stands there, else by boosted trees), and the
record that lies nearest is taken, each column weighed by how far it strays among auxiliary people: what survives
noise, rounding and a month's drift. *Learned agreement*: the nearest records are judged again by boosted trees that
learnt on auxiliary pairs how records of one person differ from near strangers', which is the Fellegi-Sunter weighing
of agreement levels (Fellegi and Sunter 1969) without its independence between columns, rare values' extra weight
included.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.special import ndtri
from scipy.stats import rankdata

from blindscore.surveillance.inference.evidence import Columns, encode
from blindscore.surveillance.inference.trees import Trees

NEAREST_COLUMNS = 16  # columns compared at most
CANDIDATES = 25  # nearest records that are judged again
FEWEST = 40  # auxiliary people below which nothing is learnt of pairs
FINEST = 1e-3  # normal scores; a column that agrees exactly is not weighed beyond this
Hits = NDArray[np.float64]
Who = NDArray[np.int64]
Attack = Callable[[Who, Who], Hits]  # whose records are sought among one another's, and from whom it learns


@dataclass(frozen=True)
class Sides:
    """Both parties' records of everybody in one space; row i is the same person on both sides."""

    wanted: Columns  # (n, c) normal scores, the record to be joined
    offered: Columns  # (n, c) what the other side foretells of it, in units of the same scale
    rarity: Columns  # (n, c) share of records with the very same value
    equal: NDArray[np.uint64] | None  # (n, 2) codes of the shared columns' values on both sides; None = none shared


def join_by_values(opaque: pd.DataFrame, named: pd.DataFrame, auxiliary: NDArray[np.bool_]) -> tuple[Hits, str]:
    """Return, for each target, the chance that its record is found among the targets' others, and the attack.

    Parameters
    ----------
    opaque, named : DataFrame, (n, .)
        Readable columns, row i of both the same person; columns of one name mean the same thing.
    auxiliary : (n,) bool
        People whose records the attacker can already match; it learns from them, and they are no candidates.
    """
    sides = _sides(opaque, named, auxiliary)
    known, targets = np.flatnonzero(auxiliary), np.flatnonzero(~auxiliary)
    halves = (known[::2], known[1::2])
    attacks: list[tuple[str, Attack]] = []

    def judged(attack: Attack) -> Hits:
        return np.concatenate([attack(halves[0], halves[1]), attack(halves[1], halves[0])])

    if sides.equal is not None:
        codes = sides.equal
        attacks.append(("equal values of all shared columns", lambda who, learn: _equal(codes[who])))
    if not attacks or judged(attacks[0][1]).min(initial=1.0) < 1.0:  # else nothing is left to gain
        spread = _spread(sides, known)
        attacks.append(("nearest record", lambda who, learn: _nearest(sides, who, spread)))
        if len(known) >= FEWEST:
            attacks.append(
                (
                    "learned agreement",
                    lambda who, learn: _agreeing(sides, who, spread, _learn_agreement(sides, learn, spread)),
                )
            )
    if len(attacks) == 1 or len(known) < 2:
        return attacks[0][1](targets, known), attacks[0][0]
    name, best = max(attacks, key=lambda attack: float(judged(attack[1]).mean()))
    return best(targets, known), name


def _sides(opaque: pd.DataFrame, named: pd.DataFrame, auxiliary: NDArray[np.bool_]) -> Sides:
    shared = [c for c in opaque.columns if c in named.columns]
    own = [c for c in opaque.columns if c not in shared]
    n = len(opaque)
    both = encode(pd.concat([opaque[shared], named[shared]], ignore_index=True))  # one code for one category
    wanted = np.hstack([both[:n], encode(opaque[own])])[:, :NEAREST_COLUMNS]
    everything = encode(named)
    scored, foretold = np.empty_like(wanted), np.empty_like(wanted)
    for j in range(wanted.shape[1]):
        scored[:, j] = _normal_scores(wanted[:, j])
        if j < both.shape[1]:
            readings = (_same_scale(both[n:, j], wanted[:, j], scored[:, j]), _normal_scores(both[n:, j]))
            stray = [float(np.abs(reading - scored[:, j])[auxiliary].sum()) for reading in readings]
            foretold[:, j] = readings[int(np.argmin(stray))]
        else:
            foretold[:, j] = _foretell(everything, scored[:, j], auxiliary)
    equal = None
    if shared:
        rows = pd.util.hash_pandas_object(pd.concat([opaque[shared], named[shared]]), index=False)
        equal = np.asarray(rows, np.uint64).reshape(2, n).T
    return Sides(scored, foretold, _rarity(wanted), equal)


def _normal_scores(values: NDArray[np.float64]) -> NDArray[np.float64]:
    filled = np.nan_to_num(values, nan=-np.inf, neginf=-np.inf)
    return np.asarray(ndtri(rankdata(filled) / (len(values) + 1.0)))


def _same_scale(
    values: NDArray[np.float64], reference: NDArray[np.float64], scores: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the normal scores that values would have among the reference's."""
    level, first = np.unique(np.nan_to_num(reference, nan=-1e300), return_index=True)
    return np.asarray(np.interp(np.nan_to_num(values, nan=-1e300), level, scores[first]))


def _foretell(columns: Columns, wanted: NDArray[np.float64], auxiliary: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return predictions for everybody; an auxiliary person's comes from a model that has not seen it."""
    known = np.flatnonzero(auxiliary)
    foretold = np.full(len(wanted), float(wanted[known].mean()) if len(known) else 0.0)
    if len(known) < FEWEST:
        return foretold
    for half in (0, 1):
        learn, shown = known[half::2], known[1 - half :: 2]
        foretold[shown] = _trees().fit_number(columns[learn], wanted[learn]).margins(columns[shown])
    foretold[~auxiliary] = _trees().fit_number(columns[known], wanted[known]).margins(columns[~auxiliary])
    return foretold


def _trees() -> Trees:
    return Trees(60, leaves=15, smallest=20)


def _rarity(wanted: Columns) -> Columns:
    """Return the share of records that have the very same value: agreement on a rare one weighs more."""
    share = np.empty_like(wanted)
    for j in range(wanted.shape[1]):
        _, group, size = np.unique(wanted[:, j], return_inverse=True, return_counts=True)
        share[:, j] = size[group] / len(wanted)
    return share


def _spread(sides: Sides, known: Who) -> NDArray[np.float64]:
    """Return how far each column strays from what is foretold, among auxiliary people, normal scores."""
    if len(known) == 0:
        return np.ones(sides.wanted.shape[1])
    stray = np.abs(sides.wanted[known] - sides.offered[known])
    return np.asarray(np.maximum((np.median(stray, axis=0) + stray.mean(axis=0)) / 2.0, FINEST))


def _equal(codes: NDArray[np.uint64]) -> Hits:
    """Return each one's chance among those whose records carry the very same values; 0 where its own differs."""
    group, size = np.unique(codes[:, 1], return_counts=True)
    place = np.minimum(np.searchsorted(group, codes[:, 0]), len(group) - 1)
    return np.where(codes[:, 0] == codes[:, 1], 1.0 / size[place], 0.0)


def _nearest(sides: Sides, who: Who, spread: NDArray[np.float64]) -> Hits:
    asked, offered = sides.wanted[who] / spread, sides.offered[who] / spread
    tree = cKDTree(offered)
    distance, _ = tree.query(asked, p=1)
    own = np.abs(offered - asked).sum(axis=1)
    tied = tree.query_ball_point(asked, distance + 1e-9, p=1, return_length=True)
    return np.asarray((own <= distance + 1e-9) / np.maximum(tied, 1))


def _candidates(sides: Sides, who: Who, spread: NDArray[np.float64]) -> tuple[Who, Columns]:
    """Return each one's nearest records, (m, k) places in ``who``, and how each compares, (m, k, features).

    The records are shuffled first, so that the order of people tells nothing where many lie equally near.
    """
    order = np.random.default_rng(len(who)).permutation(len(who))
    k = min(CANDIDATES, len(who))
    tree = cKDTree(sides.offered[who[order]] / spread)
    distance, found = tree.query(sides.wanted[who] / spread, k=k, p=1)
    found = order[found.reshape(len(who), k)]
    stray = (sides.wanted[who][:, None, :] - sides.offered[who][found]) / spread
    exact = np.abs(stray) < 1e-6
    rarity = np.broadcast_to(np.log(sides.rarity[who])[:, None, :], stray.shape)
    weight = np.where(exact, -rarity, 0.0).sum(axis=2, keepdims=True)
    distance = distance.reshape(len(who), k, 1)
    beyond = distance - distance[:, :1]
    compared = [np.clip(stray, -50, 50), exact.sum(axis=2, keepdims=True), weight, distance, beyond]
    return found, np.concatenate(compared, axis=2)


def _learn_agreement(sides: Sides, learn: Who, spread: NDArray[np.float64]) -> Trees | None:
    found, compared = _candidates(sides, learn, spread)
    own = found == np.arange(len(learn))[:, None]
    if not own.any() or own.all():
        return None
    return Trees(80, leaves=15, smallest=20).fit(compared.reshape(-1, compared.shape[2]), own.ravel())


def _agreeing(sides: Sides, who: Who, spread: NDArray[np.float64], model: Trees | None) -> Hits:
    """Return each one's chance of lying among the candidates that the model holds likeliest."""
    if model is None:
        return np.zeros(len(who))
    found, compared = _candidates(sides, who, spread)
    likely = model.margins(compared.reshape(-1, compared.shape[2])).reshape(found.shape)
    best = likely >= likely.max(axis=1, keepdims=True) - 1e-9
    own = found == np.arange(len(who))[:, None]
    return np.asarray((best & own).any(axis=1) / best.sum(axis=1))
