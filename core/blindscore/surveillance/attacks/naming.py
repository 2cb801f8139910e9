"""Name the person behind a record by what it says of the register's columns.

For each column of the register the attacker learns on auxiliary people how it depends on what the record shows
(readable columns, friends' and places' labels where those are read), and adds up the log-odds over the columns; a
column that stands in the record too must agree. Whoever fits best is named, ties by chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.parties.view import View
from blindscore.surveillance.attacks.profile import label_evidence, readable
from blindscore.surveillance.inference.bound import CROWDS
from blindscore.surveillance.inference.classifiers import infer
from blindscore.surveillance.inference.evidence import Evidence
from blindscore.surveillance.knowledge import UNKNOWN, Knowledge, Labels, row_codes
from blindscore.surveillance.truth import Truth
from blindscore.threads import each

CHUNK = 512  # records compared with all cells at once
BANDS = 10  # a register's number that the record does not show is guessed as one of so many bands
FEWEST = 4  # auxiliary people a class, on average, below which a column is not guessed at all
FEW_VALUES = 60  # a number of so many values is not banded
DISAGREES = -1e6  # log-odds
Codes = NDArray[np.int64]
Fits = NDArray[np.uint8] | NDArray[np.int32]  # (records, ceil(cells / 8)) bits, or (m, 2) pairs of record and cell
Hits = NDArray[np.float64]  # (targets,) probability that the target's record is named or joined rightly


@dataclass(frozen=True)
class Naming:
    """For each target's record, the cells of the register that fit it best: any of their people is named by chance."""

    fits: tuple[Fits, ...]  # of so many records each, in order
    cell_of: Codes  # (n,) cell of each person of the register
    among: Codes  # (targets,) people in the cells that fit

    def hits(self, people: NDArray[np.integer]) -> Hits:
        """Return the chance that each record is named rightly; record i is that of ``people[i]``."""
        own = np.array_split(self.cell_of[people], np.arange(CHUNK, len(people), CHUNK))
        found = [_holds(fits, cells) for fits, cells in zip(self.fits, own, strict=True)]
        hits: Hits = np.concatenate(found) / self.among
        return hits


@dataclass(frozen=True)
class Found:
    """Records that were named or joined, and how."""

    attack: str
    named: Naming | Hits | None  # a join's chances are computed as it is made; None where there is nothing to name
    crowd: tuple[Naming, Codes] | None = None  # the same attack in a crowd of 1,000 targets, and who they are

    def hits(self, truth: Truth) -> Hits:
        """Return each target's chance of being found."""
        targets = np.flatnonzero(truth.targets)
        if isinstance(self.named, Naming):
            return self.named.hits(targets)
        return np.zeros(len(targets)) if self.named is None else self.named

    def in_crowd(self, truth: Truth) -> float:
        """Return the mean chance of being found in a crowd of :data:`CROWDS` ``[0]``.

        Where the attack was not played there it is what follows at least from what it found among all: a record that
        is one of s alike is found among those of the s who stand in the smaller crowd.
        """
        if self.crowd is not None:
            return float(self.crowd[0].hits(self.crowd[1]).mean())
        hits = self.hits(truth)
        found, n, crowd = hits > 0, len(hits), min(CROWDS[0], len(hits))
        alike, share = 1.0 / hits[found], (crowd - 1) / max(n - 1, 1)
        if share == 0.0:
            return 1.0
        return float(((1.0 - (1.0 - share) ** alike) / (alike * share)).sum() / n)


class Column(NamedTuple):
    """What the records say of one column of the register."""

    quasi: Codes  # (n,) class of each person in the register
    # (targets, k) log-odds of each class; or (targets,) the class that stands in the record, which must agree
    said: NDArray[np.float32] | Codes


def name_by_register(knowledge: Knowledge, view: View) -> Found:
    """Return how the register names the records of a view: by what they say of its columns."""
    return knowledge.once(("name", knowledge.brought, view.digest), lambda: _fit_register(knowledge, view))


def _fit_register(knowledge: Knowledge, view: View) -> Found:
    register, targets = knowledge.register, np.flatnonzero(~knowledge.auxiliary)
    seen = view.friends is not None or view.visits is not None
    if register.shape[1] == 0 or not (view.values or seen):
        return Found("chance: nothing to compare", np.full(len(targets), 1.0 / len(targets)))
    columns, cell_of, first = said_of_register(knowledge, view)
    crowd = None
    if len(targets) > CROWDS[0]:
        some = np.sort(knowledge.rng("name", "crowd").choice(len(targets), CROWDS[0], replace=False))
        crowd = _best_cells(columns, cell_of, first, targets[some], some), targets[some]
    naming = _best_cells(columns, cell_of, first, targets, np.arange(len(targets)))
    return Found("quasi-identifiers inferred from the record", naming, crowd)


def said_of_register(knowledge: Knowledge, view: View) -> tuple[list[Column], Codes, Codes]:
    """Return what a view says of each column of the register, everybody's cell, and a person of each cell."""
    register, auxiliary = knowledge.register, knowledge.auxiliary
    targets = np.flatnonzero(~auxiliary)
    evidence = Evidence.of(readable(knowledge, view))

    def column(name: str) -> Column:
        if name in view.clear.columns:  # the very same column is in the record: it must agree
            quasi = classes_in(register[name], register[name])  # whoever has no entry there is known to have none
            held = np.full(len(quasi), UNKNOWN, np.int64)
            held[view.person] = classes_in(register[name], view.clear[name])
            return Column(quasi, held[targets])
        banded = _banded(register[name])
        quasi = classes_in(banded, banded)
        labels = Labels(np.where(auxiliary, quasi, UNKNOWN), int(quasi.max()) + 1)
        if labels.classes * FEWEST > auxiliary.sum():  # too few to learn from
            return Column(quasi, np.zeros((len(targets), labels.classes), np.float32))
        told = evidence.beside(label_evidence(knowledge, view, labels))
        guess = infer(told, labels, auxiliary, knowledge.seed)
        return Column(quasi, np.log(guess.probability / guess.prior)[targets].astype(np.float32))

    columns = each(column, register.columns)
    cell_of = row_codes(pd.DataFrame({k: column.quasi for k, column in enumerate(columns)}))
    return columns, cell_of, np.unique(cell_of, return_index=True)[1]


def fit_of(columns: list[Column], records: Codes, people: Codes) -> NDArray[np.float32]:
    """Return how well people fit records, log-odds: (records, people), or one a pair where both are of one shape."""
    fit = np.zeros(np.broadcast_shapes(records.shape, people.shape), np.float32)
    for quasi, said in columns:
        if said.ndim == 2:
            fit += said[records, quasi[people]]
        else:
            fit += np.where(said[records] == quasi[people], np.float32(0.0), np.float32(DISAGREES))
    return fit


def _best_cells(columns: list[Column], cell_of: Codes, first: Codes, crowd: Codes, records: Codes) -> Naming:
    """Return the best cells for each of the records, their people all being of the crowd."""
    candidates = np.bincount(cell_of[crowd], minlength=len(first))
    there = candidates > 0  # the attacker sees from the register where nobody is
    fits: list[Fits] = []
    among = np.empty(len(records), np.int64)
    for start in range(0, len(records), CHUNK):
        part = slice(start, start + CHUNK)
        fit = fit_of(columns, records[part, None], first[None, :])
        fit[:, ~there] = -np.inf
        tied = fit >= fit.max(axis=1, keepdims=True) - 1e-6
        among[part] = tied.astype(np.float32) @ candidates.astype(np.float32)  # exact below 2^24
        fits.append(_packed(tied))
    return Naming(tuple(fits), cell_of, among)


def _packed(tied: NDArray[np.bool_]) -> Fits:
    """Return which cells fit each record in the form that takes less: bits, or the pairs that are set."""
    bits, pairs = np.packbits(tied, axis=1), np.argwhere(tied).astype(np.int32)
    return pairs if pairs.nbytes < bits.nbytes else bits


def _holds(fits: Fits, own: Codes) -> NDArray[np.int64]:
    """Return 1 for each record whose own cell is among those that fit, else 0."""
    if fits.dtype == np.uint8:
        return np.asarray(fits[np.arange(len(own)), own // 8] >> (7 - own % 8) & 1, np.int64)
    record, cell = fits.T
    return np.bincount(record[cell == own[record]], minlength=len(own))


def _banded(column: pd.Series) -> pd.Series:
    """Return a number of many values as bands: a record that does not show the figure tells at most about where."""
    if not pd.api.types.is_numeric_dtype(column) or column.nunique() <= FEW_VALUES:
        return column
    return pd.qcut(column, BANDS, labels=False, duplicates="drop")


def classes_in(register: pd.Series, held: pd.Series) -> Codes:
    """Return the class that each value has in the register; UNKNOWN for a value that nobody has there."""
    known = register.astype("str").fillna("").astype("category").cat.categories
    return np.asarray(known.get_indexer(pd.Index(held.astype("str").fillna(""))), np.int64)
