"""Marks: which rows earn ``removed``, and the share of the surveillance design's reach that is certainly gone.

``removed`` says that a coalition that has something to try cannot do more than :data:`~ledger.REMOVED`. A row earns it
when all of this holds:

- an attack was played (``kind``), on views that do not rest on a protocol that nobody ran (``basis``);
- the bound on people like these lies under the line;
- the advantage lies within the line on both sides, an attack that errs reliably being one that can be turned round:
  the test of ``|advantage| >= REMOVED`` is rejected at 5%, with Holm's correction over the rows of the ledger;
- both hold under every seed that was put to it.

Holm, "A simple sequentially rejective multiple test procedure" (1979).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from scipy.stats import norm

from blindscore.surveillance.ledger import PLAYED, REMOVED, Row

LEVEL = 0.05  # chance that any row of a ledger is marked wrongly
Z95 = 1.959963984540054
Key = tuple[str, str, str, str]


def key_of(row: Row) -> Key:
    """Return what a row is about: design, coalition, capability, secret."""
    return row.design, row.coalition, row.capability, row.secret


def marked(rows: Sequence[Row], baseline: str | None) -> list[Row]:
    """Return the rows of one ledger with ``removed`` and ``certified_removal`` filled in.

    Parameters
    ----------
    baseline
        Name of the surveillance design that removal is certified against, if one ran.
    """
    tested = [k for k, row in enumerate(rows) if row.kind == PLAYED and not row.same_as]
    holds = dict(zip(tested, holm([p_value(rows[k]) for k in tested]), strict=True))
    own = {key_of(rows[k]): holds[k] and _may_be_marked(rows[k]) for k in tested}
    reference = {key_of(row)[1:]: row for row in rows if row.design == baseline}

    def mark(row: Row) -> Row:
        whose = row.same_as or row.coalition
        removed = own.get((row.design, whose, row.capability, row.secret), False)
        return replace(row, removed=removed, certified_removal=certified_removal(row, reference.get(key_of(row)[1:])))

    return [mark(row) for row in rows]


def _may_be_marked(row: Row) -> bool:
    return row.basis != "modelled" and row.bound is not None and row.bound < REMOVED


def p_value(row: Row) -> float:
    """Return the chance of a figure this near to 0, or nearer, if ``|advantage|`` were :data:`REMOVED`.

    The spread is that of the row's 95% interval, its wider side, taken as normal.
    """
    wider = max(row.high - row.advantage, row.advantage - row.low)
    room = REMOVED - abs(row.advantage)
    if room <= 0.0:
        return 1.0
    return float(norm.sf(room * Z95 / wider)) if wider > 0.0 else 0.0


def holm(p_values: Sequence[float], level: float = LEVEL) -> list[bool]:
    """Return which hypotheses are rejected, so that with chance ``1 - level`` none is rejected wrongly."""
    order = np.argsort(p_values, kind="stable")
    rejected = [False] * len(p_values)
    for place, k in enumerate(order):
        if p_values[k] > level / (len(p_values) - place):
            break
        rejected[int(k)] = True
    return rejected


def certified_removal(row: Row, baseline: Row | None) -> float | None:
    """Return ``R = 1 - bound / baseline's lower end``, of what lies beyond public knowledge; None where not claimed.

    The baseline's records carry names, so what the public register says of its people is taken out of its figure:
    ``(low - control)/(1 - control)``. A bound is claimed only of records that carry none, to which the register cannot
    be applied: all of it counts. R is kept at 0 where the bound does not lie under the baseline.
    """
    if row.bound is None or row.kind != PLAYED or baseline is None:
        return None
    reach = baseline.beyond_public(baseline.low)
    return max(0.0, 1.0 - row.bound / reach) if reach > 0.0 else None


def held(rows: Sequence[Row], again: Iterable[Sequence[Row]]) -> list[Row]:
    """Return the rows of a first seed; a mark stays only where the rows of every further seed carry it too."""
    kept = list(rows)
    for other in again:
        theirs = {key_of(row): row.removed for row in other}

        def put(row: Row, theirs: dict[Key, bool] = theirs) -> Row:
            whose = (row.design, row.same_as or row.coalition, row.capability, row.secret)
            return replace(row, removed=theirs.get(whose, False), seeds=row.seeds + 1) if row.removed else row

        kept = [put(row) for row in kept]
    return kept
