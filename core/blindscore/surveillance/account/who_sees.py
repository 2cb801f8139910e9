"""Who sees what: each party's view in words, for the ledger."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from blindscore.designs.design import Run
from blindscore.parties.view import View
from blindscore.people.population import Population

WIRE_BYTES = 96  # of a message, kept for show


def who_sees(population: Population, run: Run) -> tuple[dict[str, Any], ...]:
    """Return, for every role of a run, what it reads, keeps and holds unreadable.

    Returns
    -------
    tuple of dict
        ``role``, ``party``, ``keyed_by``, ``fields`` (columns that it reads), ``contexts`` (of life that
        these come from; "register" and "decision" for what is no feature), ``handles`` (join keys), ``stored``
        (columns readable at rest), ``keep_days`` (of those that are not kept without end, how long), ``friends`` and
        ``visits`` (bool), ``opaque_bytes`` (a person), ``records`` (rows it has), ``record``: the first record, value
        by value, as text, and ``wire``: the first bytes, hexadecimal, of one real message of ``wire_bytes`` that it
        received. Record and message are kept only of synthetic people: a real person's data has no place in a report.
    """
    return tuple(_describe(population, run.party_of(role), view) for role, view in run.views.items())


def _describe(population: Population, party: str, view: View) -> dict[str, Any]:
    fields = view.values
    stored = [name for name in view.stored if name in fields]
    days = {column.name: column.keep_days for column in view.columns}
    return {
        "role": view.role,
        "party": party,
        "keyed_by": view.keyed_by,
        "fields": fields,
        "contexts": list(dict.fromkeys(_context(population, name) for name in fields)),
        "handles": view.of("handle"),
        "stored": stored,
        "keep_days": {name: days[name] for name in stored if days[name] is not None},
        "friends": view.friends is not None,
        "visits": view.visits is not None,
        "opaque_bytes": int(view.opaque_bytes),
        "records": len(view.clear),
        "record": _record(view.clear) if population.synthetic else {},
        "wire": view.received[:WIRE_BYTES].hex() if population.synthetic else "",
        "wire_bytes": len(view.received),
    }


def _context(population: Population, column: str) -> str:
    if column in population.register.columns:
        return "register"
    return population.schema[column].context if column in population.schema.names() else "decision"


def _record(clear: pd.DataFrame) -> dict[str, str]:
    if clear.empty:
        return {}
    return {str(name): _text(value) for name, value in clear.iloc[0].items()}


def _text(value: Any) -> str:
    if isinstance(value, float | np.floating):
        return "missing" if np.isnan(value) else f"{value:.6g}"
    return "missing" if value is None or value is pd.NA else str(value)
