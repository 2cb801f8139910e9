"""A card as a SAS data step: the same whole points, for those whose scoring runs there.

A row that the card cannot score (an unlisted category, where the card refuses it) gets a missing score. SAS has no
infinity and no NaN beside its own missing value. No SAS was at hand when this was written: a test reads the step's
statements and plays them, which shows that they say what the card says, not that SAS takes them.
"""

from __future__ import annotations

from blindscore.errors import ParameterError
from blindscore.scorecard.card import Card, Characteristic

MAX_NAME = 32  # bytes of a SAS name, also of a quoted one


def card_to_sas(card: Card, table: str = "people", out: str = "scored") -> str:
    """Return a data step that reads the data set `table` and writes `out`, with the column ``score`` added.

    Points of each characteristic stand in ``points_1``, ``points_2``, ... in card order. Where a feature's name is no
    plain SAS name, ``options validvarname=any`` is needed, and the step sets it.

    Raises
    ------
    ParameterError
        A name is longer than SAS allows, or holds a line break or a zero byte, or clashes with a column made here.
    """
    made = {"score", *(f"points_{j}" for j in range(1, len(card.characteristics) + 1))}
    for feature in card.features:
        if feature.lower() in made:
            raise ParameterError(f"a feature called {feature!r} would clash with a column of the result; rename it")
    lines = [
        f"/* scorecard {card.fingerprint} */",
        "options validvarname=any;",
        f"data {_name(out)};",
        f"  set {_name(table)};",
    ]
    for j, c in enumerate(card.characteristics, 1):
        lines += _points(f"points_{j}", c)
    total = " + ".join([str(card.base), *(f"points_{j}" for j in range(1, len(card.characteristics) + 1))])
    lines += [
        f"  score = {total};",
        f"  if not missing(score) then score = min({card.scale.high}, max({card.scale.low}, score));",
        "run;",
    ]
    return "\n".join(lines) + "\n"


def _points(into: str, c: Characteristic) -> list[str]:
    *ordinary, missing = c.points
    name = _name(c.feature)
    lines = [f"  if missing({name}) then {into} = {missing};"]
    if c.groups is not None:
        for group, points in zip(c.groups, ordinary, strict=True):
            if group:
                listed = ", ".join(map(_text, group))
                lines.append(f"  else if strip({name}) in ({listed}) then {into} = {points};")
        return [*lines, f"  else {into} = {'.' if c.other is None else c.points[c.other]};"]
    for edge, points in zip(c.edges, ordinary, strict=False):
        lines.append(f"  else if {name} < {edge!r} then {into} = {points};")
    return [*lines, f"  else {into} = {ordinary[-1]};"]


def _name(name: str) -> str:
    if not 0 < len(name.encode()) <= MAX_NAME:
        raise ParameterError(f"{name!r}: a SAS name has 1 to {MAX_NAME} bytes; rename it before the fit")
    plain = name.isascii() and name.isidentifier()
    return name if plain else f"{_text(name)}n"


def _text(value: str) -> str:
    if any(character in value for character in "\0\r\n"):
        raise ParameterError("a name with a line break or a zero byte cannot stand in a SAS program")
    return "'" + value.replace("'", "''") + "'"
