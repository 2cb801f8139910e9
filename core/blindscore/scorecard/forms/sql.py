"""A card as SQL: one SELECT of CASE expressions that gives the same scores where the data lie.

Written for DuckDB, whose NaN is not NULL and whose decimal literals are not doubles; both are dealt with. A row that
the card cannot score (infinity, a category that it refuses) gets NULL instead of a score.
"""

from __future__ import annotations

from blindscore.errors import ParameterError
from blindscore.scorecard.card import Card, Characteristic


def card_to_sql(card: Card, table: str, *, points: bool = False) -> str:
    """Return a query over `table` with a SMALLINT column ``score``, one row a person, in the table's order.

    Parameters
    ----------
    table : name of the table or view, quoted here
    points : also give the points of each feature, in columns ``points_<feature>``, and the ``base``

    Raises
    ------
    ParameterError
        A name holds a zero byte, which no SQL name can.
    """
    parts = [_points(c) for c in card.characteristics]
    total = "\n  + ".join([str(card.base), *parts])
    columns = [f"CAST(LEAST({card.scale.high}, GREATEST({card.scale.low}, \n    {total}\n)) AS SMALLINT)"]
    # LEAST and GREATEST pass over NULL in DuckDB, so a row that cannot be scored is caught before them.
    columns = [f"CASE WHEN ({total}) IS NULL THEN NULL ELSE {columns[0]} END AS score"]
    if points:
        columns.append(f"{card.base} AS base")
        columns += [f"{part} AS {_name('points_' + f)}" for part, f in zip(parts, card.features, strict=True)]
    return f"SELECT {', '.join(columns)}\nFROM {_name(table)}"


def _points(characteristic: Characteristic) -> str:
    column = _name(characteristic.feature)
    *ordinary, missing = characteristic.points
    if characteristic.groups is not None:  # cast, because an enumeration refuses texts that it does not list
        whens = [
            f"WHEN CAST({column} AS VARCHAR) IN ({', '.join(map(_text, group))}) THEN {p}"
            for group, p in zip(characteristic.groups, ordinary, strict=True)
            if group
        ]
        rest = "NULL" if characteristic.other is None else characteristic.points[characteristic.other]
        return f"CASE WHEN {column} IS NULL THEN {missing} {' '.join(whens)} ELSE {rest} END"
    number = f"CAST({column} AS DOUBLE)"
    lost = f"WHEN {number} IS NULL OR isnan({number}) THEN {missing} WHEN isinf({number}) THEN NULL"
    whens = [f"WHEN {number} < {_number(e)} THEN {p}" for e, p in zip(characteristic.edges, ordinary, strict=False)]
    return f"CASE {lost} {' '.join(whens)} ELSE {ordinary[-1]} END"


def _number(value: float) -> str:
    return f"CAST('{value!r}' AS DOUBLE)"


def _name(name: str) -> str:
    if "\0" in name:
        raise ParameterError("a name with a zero byte cannot stand in SQL")
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    if "\0" in value:
        raise ParameterError("a category with a zero byte cannot stand in SQL")
    return "'" + value.replace("'", "''") + "'"
