"""What each column is for, by its facts and its name: outcome, feature, sensitive, or left out with the reason why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from blindscore.errors import ParameterError
from blindscore.people.files.draft.names import (
    GOOD_IF_ONE,
    is_identifier,
    is_sensitive,
    listed,
    outcome_rank,
    plain_name,
)
from blindscore.people.files.draft.profile import Profile
from blindscore.scorecard.inputs import BAD_WORDS, GOOD_WORDS

MANY = 200  # levels of a category over which it is text, not a class
UNIQUE = 0.9  # different values a given cell from which a text is an identifier
MAX_CLASSES = 20  # of a sensitive column that is not banded
CODES = frozenset(float(code) for code in listed("-1 -2 -3 -7 -8 -9 -99 -999 -9999 -99999 -999999"))
TALL = frozenset(
    float(code) for code in listed("99 98 96 999 998 997 9999 9998 99999 999999 9999999 99999999 999999999")
)
TALL_SHARE, TALL_GAP = 0.002, 3.0  # a code above all amounts: so often, and so many times the next lower value

Part = Literal["outcome", "feature", "sensitive", "left out"]


@dataclass(frozen=True)
class Role:
    """One column's part in the draft."""

    column: Profile
    part: Part
    why: str = ""  # a reason for a person to read
    special: tuple[float, ...] = ()  # codes seen in a number
    bands: tuple[float, ...] = ()  # of a sensitive number
    bad: tuple[str, ...] = ()  # of the outcome
    good: tuple[str, ...] = ()


def assign(columns: Sequence[Profile], target: str | None = None, bad: Sequence[str] = ()) -> list[Role]:
    """Return every column's role, in the order of the file; at most one is the outcome.

    Parameters
    ----------
    target : the outcome's column, where the user names it
    bad : its values that mean default, likewise

    Raises
    ------
    ParameterError
        There is no such column, or it has no such value, or its values do not tell which of them are bad.
    """
    chosen = _outcome(columns) if target is None else _named(columns, target, tuple(bad))
    return [chosen if chosen is not None and c is chosen.column else _role(c) for c in columns]


def _role(c: Profile) -> Role:
    if not c.name.strip() or len(c.name) > 200:
        return Role(c, "left out", "its name is empty, or too long for a schema")
    if c.given == 0:
        return Role(c, "left out", "nobody has a value")
    if c.distinct == 1 and c.missing == 0:
        return Role(c, "left out", "everybody has the same value")
    if c.kind == "date":
        return Role(c, "left out", "a date: give [history] such a column, or what matters of it as a number")
    if _identifies(c):
        return Role(c, "left out", "nearly one value a row: an identifier; `score --id` carries it over")
    if c.kind == "category" and c.distinct > MANY:
        return Role(c, "left out", f"{c.distinct} different texts: group them first")
    if is_sensitive(c.name):
        return _sensitive(c)
    return Role(c, "feature", special=special_codes(c) if c.kind == "number" else ())


def _identifies(c: Profile) -> bool:
    often = c.distinct >= UNIQUE * c.given and c.given > 20
    if c.kind == "category":
        return often
    alike = c.whole and c.distinct == c.given and c.given > 20
    return (often and c.whole and is_identifier(c.name)) or (alike and (c.rising or is_identifier(c.name)))


def _sensitive(c: Profile) -> Role:
    if c.kind == "number" and c.distinct > MAX_CLASSES:
        values = c.numbers()
        amounts, counts = np.array([v for v, _ in values]), np.array([n for _, n in values])
        reached = np.cumsum(counts) / counts.sum()
        cuts = [float(f"{amounts[np.searchsorted(reached, q)]:.2g}") for q in (0.25, 0.5, 0.75)]
        bands = tuple(cut for cut in dict.fromkeys(cuts) if amounts[0] < cut <= amounts[-1])
        if bands:
            return Role(c, "sensitive", bands=bands)
    elif 2 <= c.distinct + (c.missing > 0) <= MAX_CLASSES:
        return Role(c, "sensitive")
    return Role(c, "left out", "sensitive by its name, with too many classes: band or label it")


def special_codes(c: Profile) -> tuple[float, ...]:
    """Numbers that look like codes: negative ones below amounts that are never negative, and nines far above all."""
    values = c.numbers()
    below = tuple(v for v, _ in values if v < 0)
    found = list(below) if below and set(below) <= CODES and len(below) < len(values) else []
    while len(values) > 2 and values[-1][0] in TALL:
        (code, count), (next_, _) = values[-1], values[-2]
        if count < max(2, TALL_SHARE * c.given) or (code < TALL_GAP * max(next_, 1) and next_ not in TALL):
            break
        found.append(code)
        values.pop()
    return tuple(sorted(found)[:7])  # sixteen bins hold no more


def _outcome(columns: Sequence[Profile]) -> Role | None:
    """The likeliest outcome: two values, nobody without one, and a name or words that say so; else the last such."""
    ranked = []
    for place, c in enumerate(columns):
        rank, told = outcome_rank(c.name), _sides(c)
        if c.missing or told is None:
            continue
        if rank is not None:
            ranked.append((rank, -place, c, told))
        elif c.distinct == 2 and (place in (0, len(columns) - 1)) and not is_sensitive(c.name):
            ranked.append((1000, -place, c, told))
    if not ranked:
        return None
    rank, _, c, (bad, good, sure) = min(ranked, key=lambda entry: entry[:2])
    doubts = [
        "" if rank < 1000 else "guessed from its place in the file",
        "" if sure else "which value is bad is a guess",
    ]
    return Role(c, "outcome", "; ".join(filter(None, doubts)), bad=bad, good=good)


def _named(columns: Sequence[Profile], target: str, bad: tuple[str, ...]) -> Role:
    c = next((c for c in columns if c.name == target), None)
    if c is None:
        raise ParameterError(f"no column is called {target!r}; there are {', '.join(c.name for c in columns[:20])}")
    if bad:
        absent = [value for value in bad if value not in c.values]
        if absent:
            raise ParameterError(f"column {target!r} never holds {', '.join(absent)}")
        return Role(c, "outcome", bad=bad, good=tuple(sorted(text for text in c.values if text not in bad)))
    told = _sides(c)
    if told is None:
        raise ParameterError(f"the values of {target!r} do not tell which are bad; say it with --bad VALUE")
    return Role(c, "outcome", "" if told[2] else "which value is bad is a guess", bad=told[0], good=told[1])


def _sides(c: Profile) -> tuple[tuple[str, ...], tuple[str, ...], bool] | None:
    """Values that mean default, those that do not, and whether they say so themselves; None: no outcome."""
    texts = list(c.values)
    plain = {text: " ".join(text.lower().replace("-", " ").replace("_", " ").split()) for text in texts}
    if c.distinct == 2:
        first, second = sorted(texts, key=lambda text: (plain[text] in BAD_WORDS) - (plain[text] in GOOD_WORDS))
        numbers = c.kind == "number"
        if numbers:
            first, second = sorted(texts, key=float)
        if plain_name(c.name) in GOOD_IF_ONE and (numbers or plain[second] in ("1", "yes", "y", "true")):
            first, second = second, first
        known = plain[second] in BAD_WORDS and plain[first] in GOOD_WORDS
        rarer = numbers and set(map(float, texts)) == {0.0, 1.0}
        return (second,), (first,), known or rarer
    bad = tuple(sorted(text for text in texts if plain[text] in BAD_WORDS))
    good = tuple(sorted(text for text in texts if plain[text] in GOOD_WORDS))
    if c.kind == "category" and 2 < c.distinct <= MAX_CLASSES and bad and good:
        return bad, good, True
    return None
