"""Put two friendship graphs over one another: the pseudonymous one of a view, and one in which people have names.

Seeded graph matching (Narayanan and Shmatikov, "De-anonymizing social networks", 2009; Yartseva and Grossglauser, "On
the performance of percolation graph matching", 2013): auxiliary people are matched from the start. A record and a
person fit the better the more matched friends they have in common, a friend of few weighing more, and the worse the
more of the person's matched friends the record lacks; what the record says of the register is added. Each person is
given to one record, mutual best first, and everything is judged again with all who were matched.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from blindscore.parties.view import View
from blindscore.surveillance.attacks.naming import Codes, Found, fit_of, said_of_register
from blindscore.surveillance.inference.evidence import friends_of
from blindscore.surveillance.knowledge import Knowledge

ROUNDS = 6  # of matching all again with those who are matched
LACKING = 3.0  # nats that a matched friend of the person whom the record lacks takes
BEYOND = 0.1  # nats that a matched friend of the record whom the person lacks takes: networks are not the same
MUTUAL = 40  # rounds of giving mutual best to each other


def name_by_friends(knowledge: Knowledge, view: View, ties: NDArray[np.int32]) -> Found:
    """Return which records of a view that shows friendships are named by the ties of an outside list."""
    key = ("name by friends", knowledge.brought, view.digest)
    return knowledge.once(key, lambda: _match(knowledge, view, ties))


def _match(knowledge: Knowledge, view: View, ties: NDArray[np.int32]) -> Found:
    assert view.friends is not None
    n, auxiliary = len(knowledge), knowledge.auxiliary
    # Records and people in orders that have nothing to do with each other, so that ties are broken by chance.
    rng = knowledge.rng("name", "friends")
    targets = np.flatnonzero(~auxiliary)
    records, people = rng.permutation(len(targets)), rng.permutation(len(targets))
    shown, listed = friends_of(view.friends, n), friends_of(ties, n)
    weight = np.log(n / np.maximum(np.asarray(listed.sum(axis=1)).ravel(), 1.0)).astype(np.float32)
    seen, known = shown[targets[records]], listed[targets[people]]
    columns, _, _ = said_of_register(knowledge, view)

    record_of = np.full(n, -1, np.int64)  # by person: the record that is taken for its own
    record_of[auxiliary] = np.flatnonzero(auxiliary)
    given = np.full(len(targets), -1, np.int64)  # by place in `records`: the place in `people`
    for _ in range(ROUNDS):
        matched = np.flatnonzero(record_of >= 0)
        pull = sparse.csr_array((weight[matched], (record_of[matched], matched)), shape=(n, n))
        common = sparse.coo_array(seen @ pull @ known.T)
        fit = fit_of(columns, records[common.row], targets[people[common.col]])
        lacking = (known @ np.where(record_of >= 0, weight, 0.0).astype(np.float32))[common.col] - common.data
        beyond = (seen @ np.asarray(pull.sum(axis=1)).ravel())[common.row] - common.data
        value = common.data + np.maximum(fit, -common.data) - (LACKING * lacking + BEYOND * beyond) / np.log(n)
        given = _mutual_best(common.row, common.col, value, len(targets))
        record_of[~auxiliary] = -1
        found = given >= 0
        record_of[targets[people[given[found]]]] = targets[records[found]]
    hits = np.zeros(len(targets))
    hits[records[given >= 0]] = records[given >= 0] == people[given[given >= 0]]
    return Found("friends matched with the outside list", hits)


def _mutual_best(row: Codes, column: Codes, value: NDArray[np.floating], n: int) -> Codes:
    """Return the column that each of n rows is given, -1 for none: pairs that hold each other best, again and again."""
    order = np.argsort(-value, kind="stable")
    row, column = row[order], column[order]
    given, taken = np.full(n, -1, np.int64), np.zeros(n, np.bool_)
    for _ in range(MUTUAL):
        best_of_row, best_of_column = (np.unique(side, return_index=True)[1] for side in (row, column))
        both = np.intersect1d(best_of_row, best_of_column)
        if not len(both):
            break
        given[row[both]], taken[column[both]] = column[both], True
        free = (given[row] < 0) & ~taken[column]
        row, column = row[free], column[free]
    return given
