"""View: all that one party has after a run, column by column, each with the kind of thing that it is.

No meaning hangs on how a column is spelt: whoever asks what a view tells asks for kinds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.errors import ParameterError
from blindscore.parties.kind import Kind as Kind

KeyedBy = Literal["legal id", "pairwise", "one-time"]
Basis = Literal["modelled", "observed"]
KINDS: tuple[Kind, ...] = get_args(Kind)
FROM_THE_CARD: tuple[Kind, ...] = ("score", "total", "decision", "wire")  # what a scorecard had a part in
TELLS_DECISION: tuple[Kind, ...] = ("score", "total", "decision")  # the threshold being published


class Column(NamedTuple):
    """One column of a view."""

    name: str
    kind: Kind
    # How many days whoever opens the party's files can read it: None = without end, 0 = gone with the decision.
    keep_days: int | None = None


def columns(kind: Kind, names: Iterable[str], keep_days: int | None = None) -> tuple[Column, ...]:
    """Return columns of one kind, kept equally long."""
    return tuple(Column(str(name), kind, keep_days) for name in names)


def longest(*days: int | None) -> int | None:
    """Return the longest of several retentions: what stays in two places stays as long as in either."""
    return None if None in days else max(day for day in days if day is not None)


def kept_for(told: Iterable[Column], days: int | None, names: Iterable[str] | None = None) -> tuple[Column, ...]:
    """Return columns of which the named ones, or all, are kept so many days."""
    chosen = None if names is None else set(names)
    return tuple(c._replace(keep_days=days) if chosen is None or c.name in chosen else c for c in told)


@dataclass(frozen=True, eq=False)
class View:
    """All that one party has after a run.

    Row i of ``clear`` is one record; ``person[i]`` says whose it is. ``person`` belongs to the experimenter: the party
    itself knows it only where ``keyed_by == "legal id"``, and for a pairwise pseudonym knows merely that records
    with one pseudonym belong together.

    Raises
    ------
    ParameterError
        ``columns`` does not name the columns of ``clear`` in their order, a kind is unknown, a retention is negative,
        or a record belongs to nobody.
    """

    role: str
    keyed_by: KeyedBy
    clear: pd.DataFrame  # every value that the party can read, one row a record
    columns: tuple[Column, ...]  # one for each column of `clear`, in its order
    person: NDArray[np.int64]  # (rows,) index into the population
    opaque_bytes: int = 0  # ciphertext and commitments held, a person
    friends: NDArray[np.int32] | None = None
    visits: pd.DataFrame | None = None
    messages: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["hour", "bytes_up", "bytes_down"]))
    received: bytes = b""  # one real message to this party, as it lay on the wire; empty where nothing was executed
    universe: int | None = None  # how many different rows of values are possible at all; None = no finite bound used
    basis: Basis = "modelled"  # "observed": found in the store and on the line of a party that was executed

    def __post_init__(self) -> None:
        named, held = [column.name for column in self.columns], list(self.clear.columns)
        if named != held:
            raise ParameterError(f"view of the {self.role}: columns say {named}, the table has {held}; name each once")
        for column in self.columns:
            if column.kind not in KINDS:
                raise ParameterError(
                    f"view of the {self.role}: column {column.name!r} is of no known kind ({column.kind!r}); "
                    f"give one of {', '.join(KINDS)}"
                )
            if column.keep_days is not None and column.keep_days < 0:
                raise ParameterError(f"view of the {self.role}: column {column.name!r} is kept for fewer than no days")
        if len(set(named)) < len(named):
            raise ParameterError(f"view of the {self.role}: a column is named twice in {named}; name each once")
        if len(self.person) != len(self.clear):
            raise ParameterError(
                f"view of the {self.role}: {len(self.clear)} records of {len(self.person)} people; say whose each is"
            )

    def of(self, *kinds: Kind) -> list[str]:
        """Return the names of the columns of the given kinds, in order."""
        return [column.name for column in self.columns if column.kind in kinds]

    @property
    def kinds(self) -> dict[str, Kind]:
        """Kind of each column, by name."""
        return {column.name: column.kind for column in self.columns}

    @property
    def stored(self) -> list[str]:
        """Names of the columns that can still be read at rest once the decision is taken."""
        return [column.name for column in self.columns if column.keep_days != 0]

    @property
    def values(self) -> list[str]:
        """Names of the columns that say something of the person: all but join keys."""
        return [column.name for column in self.columns if column.kind != "handle"]

    @property
    def named(self) -> bool:
        """Whether records carry the legal id."""
        return self.keyed_by == "legal id"

    def varying(self, *kinds: Kind) -> list[str]:
        """Return the names of the columns of the given kinds that are not the same for everybody."""
        return [name for name in self.of(*kinds) if self.clear[name].nunique(dropna=False) > 1]

    def only(self, names: Iterable[str]) -> tuple[pd.DataFrame, tuple[Column, ...]]:
        """Return the named columns of the table, and what they are, in the view's own order."""
        kept = set(names)
        shown = tuple(column for column in self.columns if column.name in kept)
        return self.clear[[column.name for column in shown]], shown

    @cached_property
    def ties(self) -> str:
        """SHA-256 over the friendships and visits that are read, hexadecimal."""
        digest = hashlib.sha256()
        for table in (self.friends, self.visits):
            digest.update(b"none" if table is None else np.ascontiguousarray(table).tobytes())
        return digest.hexdigest()

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the records' values and their kinds, hexadecimal: equal views are attacked once.

        Join keys and columns that are the same for everybody tell nobody apart, so they do not count.
        """
        kind = self.kinds
        told = self.varying(*(k for k in KINDS if k != "handle"))
        head = f"{self.keyed_by}|{'|'.join(f'{name}={kind[name]}' for name in told)}"
        digest = hashlib.sha256(f"{head}|{self.ties}".encode())
        digest.update(pd.util.hash_pandas_object(self.clear[told], index=False).to_numpy().tobytes())
        digest.update(self.person.tobytes())
        return digest.hexdigest()


def empty_view(role: str, people: int) -> View:
    """Return the view of a party that reads nothing: one record of no columns for each of so many people."""
    person = np.arange(people, dtype=np.int64)
    return View(role, "one-time", pd.DataFrame(index=person), (), person, universe=1)
