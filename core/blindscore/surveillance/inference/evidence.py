"""What an attacker reads of each person, as numbers: a view's columns, and what friends' and places' labels say.

Everything learnt of labels comes from auxiliary people, and nobody's own label enters its own columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import ndtri

Columns = NDArray[np.float64]


@dataclass(frozen=True)
class Evidence:
    """Columns as they are, for trees, and as ranks, for models that measure distances."""

    values: Columns  # (n, c), NaN = missing
    ranks: Columns  # (n, c), see :func:`ranks`

    @classmethod
    def of(cls, values: Columns) -> Evidence:
        """Return columns with their ranks beside them."""
        return cls(values, ranks(values))

    def beside(self, more: Evidence) -> Evidence:
        """Return this evidence with more at its right."""
        return Evidence(np.hstack([self.values, more.values]), np.hstack([self.ranks, more.ranks]))

    def varying(self, people: NDArray[np.integer]) -> Evidence:
        """Return the columns that are not the same for all of these people."""
        filled = np.nan_to_num(self.values[people], nan=-1e30)
        kept = (filled != filled[:1]).any(axis=0)
        return self if kept.all() else Evidence(self.values[:, kept], self.ranks[:, kept])


@dataclass(frozen=True)
class Sightings:
    """Visits, made ready for asking what they say of any secret."""

    person: NDArray[np.int64]  # (v,)
    cells: tuple[tuple[NDArray[np.int64], NDArray[np.int64]], ...]  # per cut: (v,) cell, (v,) own visits to that cell
    total: NDArray[np.float64]  # (n,) visits of each person


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
            parts.append((common.get_indexer(pd.Index(text))[:, None] == np.arange(len(common))).astype(np.float64))
    return np.hstack(parts) if parts else np.zeros((len(table), 0))


def ranks(columns: Columns) -> Columns:
    """Return columns as standardised normal scores of their ranks; a missing value ranks lowest.

    Everybody's rows count, targets' too: the attacker sees all views, and no label enters.
    """
    filled = np.nan_to_num(columns, nan=-np.inf, neginf=-np.inf)
    scores = np.empty(columns.shape[::-1])
    for own, column in zip(scores, filled.T, strict=True):
        own[:] = normal_scores(column)
    scores = scores.T
    spread = scores.std(axis=0)
    return np.asarray((scores - scores.mean(axis=0)) / np.where(spread > 0, spread, 1.0), np.float32)


def normal_scores(column: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the normal scores of a column's ranks, (n,); ties share the mean of theirs. No value is NaN.

    Many columns are indicators, and many numbers are shared by many people: each value's score is worked out once.
    """
    people = len(column) + 1.0
    least, most = column.min(), column.max()
    low = column == least
    if (low | (column == most)).all():
        below = int(low.sum())
        first, second = ndtri(np.array([(below + 1.0) / 2.0, (below + people) / 2.0]) / people)
        return np.asarray(np.where(low, first, second), np.float64)
    _, place, count = np.unique(column, return_inverse=True, return_counts=True)
    return np.asarray(ndtri((np.cumsum(count) - (count - 1.0) / 2.0) / people)[place])


def friends_of(friends: NDArray[np.int32], n: int) -> sparse.csr_array:
    """Return the symmetric adjacency matrix of the friendship graph, (n, n)."""
    first, second = friends[:, 0], friends[:, 1]
    ones = np.ones(len(friends), np.float32)
    one_way = sparse.coo_array((ones, (first, second)), shape=(n, n))
    return sparse.csr_array(one_way + one_way.T)


def friends_labels(
    adjacency: sparse.csr_array, secret: NDArray[np.integer], auxiliary: NDArray[np.bool_], k: int
) -> Columns:
    """Return, for each person, how common each of k classes is among labelled friends, and among friends of friends.

    Two steps of label propagation (Zhu and Ghahramani 2002) from auxiliary people; nobody's own label enters its own
    columns, since a person is no friend of itself and the second step leaves the way back out.
    """
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


def sightings(visits: pd.DataFrame, n: int) -> Sightings:
    """Return the visits of n people cut by place, and by place, weekday and four-hour stretch."""
    person, place = visits["person"].to_numpy().astype(np.int64), visits["place"].to_numpy().astype(np.int64)
    stretch = visits["hour"].to_numpy().astype(np.int64) % 168 // 4
    cuts = []
    for code in (place, 42 * place + stretch):
        _, cell = np.unique(code, return_inverse=True)
        _, pair, often = np.unique(cell * np.int64(n) + person, return_inverse=True, return_counts=True)
        cuts.append((cell.astype(np.int64), often[pair].astype(np.int64)))
    return Sightings(person, tuple(cuts), np.bincount(person, minlength=n).astype(np.float64))


def places_labels(seen: Sightings, secret: NDArray[np.integer], auxiliary: NDArray[np.bool_], k: int) -> Columns:
    """Return, for each person, how likely its visits are under every class of the secret, relative to the first.

    Naive Bayes over the cells of each cut, learnt from auxiliary people's visits; a person's own visits never count
    towards its own columns.
    """
    scores = [_visit_likelihood(seen.person, cell, own, secret, auxiliary, k) for cell, own in seen.cells]
    return np.hstack([*scores, seen.total[:, None]])


def _visit_likelihood(
    person: NDArray[np.int64],
    cell: NDArray[np.int64],
    own: NDArray[np.int64],
    secret: NDArray[np.integer],
    auxiliary: NDArray[np.bool_],
    k: int,
) -> Columns:
    n = len(secret)
    known = np.flatnonzero(auxiliary[person])
    label = secret[person[known]]
    counts = np.bincount(cell[known] * k + label, minlength=(int(cell.max()) + 1) * k).reshape(-1, k)
    others = counts[cell].astype(np.float64)
    others[known, label] -= own[known]  # a person is no evidence about itself
    size = np.bincount(secret[auxiliary], minlength=k) + 1.0
    rate = (others + others.sum(axis=1, keepdims=True) * (size / size.sum()) * 0.1 + 0.5 * size / size.sum()) / size
    log_rate = np.log(rate)
    odds = log_rate[:, 1:] - log_rate[:, :1]
    return np.column_stack([np.bincount(person, odds[:, j], minlength=n) for j in range(k - 1)])
