"""observe: what each party really had, read off its store and its lines; and a design's declared views held to it.

**Values** are the fields that a party wrote down of a person, whatever became of the row later. **Names**: how the
lines showed the person, and the register columns that it wrote down. **Handles are found, not declared**: every string
of :data:`WINDOW` bytes or more that two parties hold of one person, and neither of them of anybody else, joins their
records (:func:`joined`). **Plain bytes**: figures of a person that stand in what a party was sent, in a usual
encoding, count as read (:func:`plain_figures`).

What it does not show: a value that a party hides in an encoding of its own, and what it could compute from several
messages; the protocol's argument speaks of these. A string that both hold after hashing it differently is not found.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.errors import BlindscoreError
from blindscore.parties.store import TableSpec
from blindscore.parties.table import Table, Written
from blindscore.parties.tape import Shown
from blindscore.parties.view import Column, Kind, longest

WINDOW = 16  # bytes: shorter strings coincide by chance or by being small numbers
PLAIN_BYTES = 6  # an encoding with fewer bytes of its own stands in any message by chance
ENOUGH = 4  # people: so many must have a figure, and each one's messages hold it, before such an encoding counts
_READABLE = frozenset({"feature", "register", "score", "total", "decision", "time"})
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # odd; any will do, windows are only compared with one another


class ObservationError(BlindscoreError):
    """A party had more, or other, than its design declares."""


@dataclass(frozen=True, eq=False)
class Observed:
    """All that one role had of the people who were played."""

    role: str
    shown: frozenset[Shown]  # how its lines named the senders of people's messages
    values: pd.DataFrame  # (people played, fields): what it wrote down, missing where it wrote nothing
    kinds: Mapping[str, Kind]  # of the columns of ``values``
    windows: Mapping[int, NDArray[np.uint64]]  # by person: strings held of this person and of no other, as hashes
    plain: Mapping[int, frozenset[str]]  # by person: names of figures that stand in its messages as they are
    received: bytes  # the longest message that it was sent
    # By column: how many days whoever opens its files can read it, in whichever table it stays longest; 0 where every
    # table that has it is sealed, None = without end.
    keep_days: Mapping[str, int | None]


def observe(table: Table, facts: pd.DataFrame | None = None) -> dict[str, Observed]:
    """Return what every role at a table had.

    Parameters
    ----------
    table
        After its people were played.
    facts
        Figures and names of the people (features, register), by person; what to look for in messages.
    """
    people = sorted({person for person, _, _ in table.tape.spent})
    roles = sorted({p.role for p in table.parties} | {w.role for w in table.written} | _talkers(table))
    specs = {(p.role, name): spec for p in table.parties for name, spec in p.store.specs.items()}
    return {role: _observed(table, role, people, specs, facts) for role in roles}


def joined(a: Observed, b: Observed) -> frozenset[int]:
    """Return the people of whom two roles hold a common string of at least :data:`WINDOW` bytes."""
    return frozenset(
        person
        for person in set(a.windows) & set(b.windows)
        if np.intersect1d(a.windows[person], b.windows[person], assume_unique=True).size
    )


def windows_of(strings: Iterable[bytes]) -> NDArray[np.uint64]:
    """Return a hash of every string of :data:`WINDOW` bytes that stands in these, each once, in order of the hashes."""
    return _each_once([_windows(_halves(string)) for string in strings])


def require_declared(
    observed: Observed, declared: pd.DataFrame, kinds: Mapping[str, Kind], shown: Sequence[Shown]
) -> None:
    """Hold a declared view to what was observed.

    Parameters
    ----------
    observed
        What the role had.
    declared
        The view that the design declares, one row a person, index = person; join keys and the wire may be among it.
    kinds
        Of its columns.
    shown
        How the design says that the party knows people.

    Raises
    ------
    ObservationError
        The party knew people by a stronger name; wrote or was sent a column that is not declared; or a value differs.
    """
    role = observed.role
    stronger = observed.shown - set(shown) - {"institution", "one-time"}
    if stronger:
        raise ObservationError(f"{role}: its lines show people by {', '.join(sorted(stronger))}; the view says {shown}")
    told = {name for name, kind in kinds.items() if kind in _READABLE}
    held = {name for name, kind in observed.kinds.items() if kind in _READABLE}
    if held - told:
        raise ObservationError(
            f"{role}: it wrote down {', '.join(sorted(held - told))}, which its view does not declare"
        )
    sent = set().union(*observed.plain.values()) - set(kinds) if observed.plain else set()
    if sent:
        raise ObservationError(
            f"{role}: it was sent {', '.join(sorted(sent))} in clear, which its view does not declare"
        )
    for name in sorted(held):
        for person, value in observed.values[name].dropna().items():
            if not _same(value, declared.at[person, name]):
                raise ObservationError(f"{role}: {name} of a person differs from what its view declares")


def kept_as_found(observed: Observed, declared: Sequence[Column]) -> tuple[Column, ...]:
    """Return a declared view's columns with the retention of the tables that the party wrote them to.

    Of what it holds and never wrote down while people were played, the declaration stands.

    Raises
    ------
    ObservationError
        A column stays readable for longer than is declared.
    """
    found = []
    for column in declared:
        days = observed.keep_days.get(column.name, column.keep_days)
        if longest(days, column.keep_days) != column.keep_days:
            raise ObservationError(
                f"{observed.role}: {column.name} stays readable for {_days(days)}, and its view says "
                f"{_days(column.keep_days)}"
            )
        found.append(column._replace(keep_days=days))
    return tuple(found)


def require_handles(pair: tuple[Observed, Observed], declared: frozenset[int]) -> None:
    """Hold the declared joins of two roles to those found.

    Raises
    ------
    ObservationError
        People are joined by a common string whom no declared handle joins.
    """
    a, b = pair
    missed = joined(a, b) - declared
    if missed:
        raise ObservationError(
            f"{a.role} and {b.role} hold a common string of {len(missed)} of {len(a.windows)} people, "
            "which no handle of their views declares"
        )


def plain_figures(
    bodies: Mapping[int, Sequence[bytes]], facts: Mapping[int, Mapping[Any, Any]]
) -> dict[int, frozenset[str]]:
    """Return, by person, the names of those figures that stand in a party's messages as text, JSON, or 8-byte floats.

    A small whole number is one or two bytes of its own in a float, and the rest are noughts: padding and a random byte
    look like it. It counts where it stands in the messages of everybody who has the figure, :data:`ENOUGH` people or
    more: by chance in one message of thirty, it does so in one set of a million.

    Parameters
    ----------
    bodies
        What the party was sent, by person.
    facts
        Figures and names, by person.
    """
    plain: dict[int, set[str]] = {person: set() for person in bodies}
    maybe: dict[str, dict[int, bool]] = {}
    for person, sent in bodies.items():
        blob = b"\x00".join(sent)
        for name, value in facts[person].items():
            strong, weak = _encodings(name, value)
            if any(code in blob for code in strong):
                plain[person].add(name)
            elif weak:
                maybe.setdefault(name, {})[person] = any(code in blob for code in weak)
    for name, found in maybe.items():
        if len(found) >= ENOUGH and all(found.values()):
            for person in found:
                plain[person].add(name)
    return {person: frozenset(names) for person, names in plain.items()}


def _encodings(name: str, value: Any) -> tuple[list[bytes], list[bytes]]:
    """Return the usual encodings of a figure: those that stand nowhere by chance, and those that may."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return [], []
    if isinstance(value, str):
        codes = [value.encode()]
    else:
        number = float(value)
        texts = {repr(number), repr(int(number)) if number.is_integer() else repr(number)}
        codes = [text.encode() for text in texts]
        codes += [f'"{name}":{space}{text}'.encode() for text in texts for space in ("", " ")]
        if number:
            codes += [struct.pack("<d", number), struct.pack(">d", number)]
    long = [code for code in codes if len(code) >= PLAIN_BYTES]
    strong = [code for code in long if len(code.strip(b"\0")) >= PLAIN_BYTES]
    return strong, [code for code in long if code not in strong]


def _days(days: int | None) -> str:
    return "ever" if days is None else f"{days} days"


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, str) or isinstance(b, str):
        return str(a) == str(b)
    return bool(a == b)


def _talkers(table: Table) -> set[str]:
    return {role for p in table.tape.passages for role in (p.sender, p.receiver)}


def _observed(
    table: Table,
    role: str,
    people: Sequence[int],
    specs: Mapping[tuple[str, str], TableSpec],
    facts: pd.DataFrame | None,
) -> Observed:
    written = [w for w in table.written if w.role == role]
    kinds: dict[str, Kind] = {}
    keep: dict[str, int | None] = {}
    for (owner, _), spec in specs.items():
        if owner != role:
            continue
        for field in (spec.key, *spec.fields):
            if field.kind in ("opaque", "own"):
                continue
            kinds[field.name] = field.kind  # type: ignore[assignment]
            days = spec.keep_days if spec.at_rest == "readable" else 0
            keep[field.name] = longest(keep.get(field.name, 0), days)
    values = pd.DataFrame(index=pd.Index(people, name="person"), columns=sorted(kinds), dtype=object)
    for w in written:
        named: dict[str, Any] = {**w.row, specs[role, w.table].key.name: w.key}
        for name in kinds.keys() & named.keys():
            values.at[w.person, name] = named[name]
    received = list(table.tape.received(role))
    bodies = {person: [p.body for p in received if p.person == person] for person in people}
    plain = {}
    if facts is not None:
        plain = plain_figures(bodies, {person: facts.loc[person].to_dict() for person in people})
    return Observed(
        role=role,
        shown=frozenset(p.shown for p in received if p.sender == "wallet"),
        values=values,
        kinds=kinds,
        windows=_own_windows(table, role, people, written),
        plain=plain,
        received=max((p.body for p in received), key=len, default=b""),
        keep_days=keep,
    )


def _own_windows(
    table: Table, role: str, people: Sequence[int], written: Sequence[Written]
) -> dict[int, NDArray[np.uint64]]:
    """Return, by person, the windows that a role holds of this person and of no other person."""
    held: dict[int, list[bytes]] = {person: [] for person in people}
    for passage in table.tape.touched(role):
        held[passage.person].append(passage.body)
    for w in written:
        held[w.person].append(w.key)
        held[w.person] += [
            v if isinstance(v, bytes) else v.encode() for v in w.row.values() if isinstance(v, bytes | str)
        ]
    if not held:
        return {}
    halves = {person: [_halves(string) for string in strings] for person, strings in held.items()}
    hashed = {person: [_windows(part) for part in parts] for person, parts in halves.items()}
    every, times = _counted(hashed)
    public = every[times > 1]
    every, times = _counted(halves)
    framing = every[times == len(people)] if len(people) > 1 else every[:0]  # text between the figures
    return {
        person: _each_once(
            [p[_own(p, h, public, framing)] for p, h in zip(hashed[person], halves[person], strict=True)]
        )
        for person in hashed
    }


def _counted(parts: Mapping[int, list[NDArray[np.uint64]]]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return every value, and of how many people it is held."""
    return np.unique(np.concatenate([_each_once(of_one) for of_one in parts.values()]), return_counts=True)


def _each_once(parts: Sequence[NDArray[np.uint64]]) -> NDArray[np.uint64]:
    """Return the values of some arrays in order, each once.

    As ``np.unique``, which puts millions of values into a table of hashes before it sorts them.
    """
    values = np.sort(np.concatenate([np.empty(0, np.uint64), *parts]))
    return values[np.append(True, values[1:] != values[:-1])] if values.size else values


def _among(values: NDArray[np.uint64], known: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Tell which values are among the known ones, which stand in order."""
    if not known.size:
        return np.zeros(values.shape, np.bool_)
    return np.asarray(known[np.minimum(np.searchsorted(known, values), known.size - 1)] == values)


def _own(
    windows: NDArray[np.uint64], halves: NDArray[np.uint64], public: NDArray[np.uint64], framing: NDArray[np.uint64]
) -> NDArray[np.bool_]:
    """Tell which of a string's windows, in order, are a person's own: most of their bytes stand in no public text.

    A byte or two that differ beside a text that everybody holds would else join people by chance.
    """
    shared, framed = _among(windows, public), _among(halves, framing)
    if not shared.any() and not framed.any():
        return ~shared
    reach = np.ones(WINDOW, np.int64)
    covered = (np.convolve(shared, reach) > 0) | (np.convolve(framed, reach[: WINDOW // 2]) > 0)  # by byte
    return ~shared & (np.convolve(covered, reach, "valid") <= WINDOW // 2)


def _halves(string: bytes) -> NDArray[np.uint64]:
    """Return every run of half a window, 8 bytes, of a string, in order; none if it is shorter than a window."""
    if len(string) < WINDOW:
        return np.empty(0, np.uint64)
    raw = np.frombuffer(string, np.uint8)
    return np.ascontiguousarray(np.lib.stride_tricks.sliding_window_view(raw, 8)).view("<u8").ravel()


def _windows(halves: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return a 64-bit hash of every window of :data:`WINDOW` bytes of a string, in order, from its half windows."""
    if not halves.size:
        return np.empty(0, np.uint64)
    first, second = halves[:-8], halves[8:]
    return (first * _MULTIPLIER) ^ (second + (first >> np.uint64(29)))
