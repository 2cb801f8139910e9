"""Knowledge: all that an attacker may use. There is no way from here to other parties' views or to targets' secrets.

A coalition has its own pooled views, a fifth of the people whose secrets it knows (the auxiliary people, never
targets), the public register, and what the design publishes. What an attack asks for beyond this it declares in its
``needs``, so that a reader of the attack sees it: pairs of people to judge, sightings to fill in, the same views months
later, the records of those whose membership is asked for, the bins of auxiliary people to rehearse a card on, or when
and how often people's applications arrive. What it did not declare it does not get.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.parties.view import View
from blindscore.scorecard.card import Card
from blindscore.surveillance.coalitions import Coalition
from blindscore.surveillance.memo import Memo
from blindscore.surveillance.outside import Outside

T = TypeVar("T")
Need = Literal["pairs", "places", "months", "records", "rehearsal", "arrivals"]
UNKNOWN = -1  # the class of whoever is no auxiliary person


@dataclass(frozen=True)
class Labels:
    """A secret as an attacker knows it."""

    # (n,) class 0..k-1 of auxiliary people, UNKNOWN for everybody else, and where nobody said what it is
    code: NDArray[np.int64]
    classes: int  # k

    @property
    def known(self) -> NDArray[np.bool_]:
        """Whose class is known, (n,)."""
        known: NDArray[np.bool_] = self.code != UNKNOWN
        return known


@dataclass(frozen=True)
class Pairs:
    """Pairs of people, within the auxiliary people to learn from and within targets to be judged."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    friends: NDArray[np.int64]  # 1 = friends, 0 = strangers; to an attacker UNKNOWN among targets
    auxiliary: NDArray[np.bool_]
    hidden: bool  # whether friendships are asked for that no view of the coalition shows


@dataclass(frozen=True)
class Places:
    """Sightings: those of auxiliary people, and the questions; what is asked for is left out of every view."""

    known: pd.DataFrame  # person, hour, place
    asked: pd.DataFrame  # person, hour


@dataclass(frozen=True)
class Records:
    """Complete records and outcomes of everybody: a membership attacker holds the record that it asks about."""

    features: pd.DataFrame
    outcome: NDArray[np.bool_]  # (n,) defaulted
    train: Callable[[NDArray[np.bool_]], Card] | None  # the training, rehearsed with people of its choice


@dataclass(frozen=True)
class Elsewhere:
    """Another society, all of whose people the attacker knows, as the same design would show them."""

    view: Callable[[View], View]  # a view of here, and the same of there, one record a person
    register: pd.DataFrame  # of everybody there, without the legal id
    classes: Mapping[str, NDArray[np.int64]]  # of each secret, in the numbers of here; UNKNOWN: not found here


@dataclass(frozen=True)
class Published:
    """What everybody knows of a run."""

    design: str
    claims: frozenset[str]
    threshold: int
    card: Card | None  # where it is public, and for whoever scores
    totals: int | None = None  # how many totals the protocol lets a card give; None where points are not read


@dataclass(frozen=True)
class Knowledge:
    """What one coalition has to attack with; see the head of this module."""

    coalition: Coalition
    acts: frozenset[str]  # roles that the coalition's parties play: who scores or decides can bend
    views: tuple[View, ...]  # after joining what can be joined
    seen: tuple[View, ...]  # as the parties bring them
    # What every smaller coalition of these roles has: whoever sees more can do whatever it can. The views come first.
    parts: tuple[View, ...]
    register: pd.DataFrame  # of everybody, without the legal id; with the columns of an outside register
    auxiliary: NDArray[np.bool_]  # (n,)
    labels: Mapping[str, Labels]
    published: Published
    seed: int
    outside: Outside | None = None  # a register that the coalition brings along
    elsewhere: Elsewhere | None = None  # people to learn from beside the auxiliary ones
    pairs: Pairs | None = None
    places: Places | None = None
    months: Callable[[View, int], list[View]] | None = None  # a view, and the same in the months that follow
    records: Records | None = None
    arrivals: pd.DataFrame | None = None  # hour, bank and number of applications, as far as any member is shown them
    rehearsal: NDArray[np.uint8] | None = None  # (auxiliary people, d) bins in the honest card
    memo: Memo = field(default_factory=Memo)  # attacks already played on the same view
    of_run: Memo = field(default_factory=Memo)  # the same, of what no other run can use: forgotten after this one
    scratch: Memo = field(default_factory=Memo)  # what is shared between the secrets of one attack, and then forgotten

    def __len__(self) -> int:
        return len(self.auxiliary)

    @property
    def named(self) -> bool:
        """Whether any record carries the legal id, so that public knowledge adds to it."""
        return any(view.named for view in self.views)

    @property
    def brought(self) -> str:
        """Name of the outside register that the coalition brings along; empty without one."""
        return "" if self.outside is None else self.outside.name

    def once(self, key: tuple[object, ...], compute: Callable[[], T]) -> T:
        """Return ``compute()``, played once for equal keys: many designs show some party the very same view."""
        return self.memo.once(key, compute)

    def rng(self, *purpose: str) -> np.random.Generator:
        """Return a generator that depends on the seed and the purpose alone, never on the order of the attacks."""
        return rng_for(self.seed, *purpose)


def rng_for(seed: int, *purpose: str) -> np.random.Generator:
    """Return a generator that depends on seed and purpose alone."""
    digest = hashlib.sha256("\x1f".join(purpose).encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:8], "big")])


def row_codes(table: pd.DataFrame) -> NDArray[np.int64]:
    """Return one number a row, equal where all values are equal (missing equals missing)."""
    hashes = pd.util.hash_pandas_object(table, index=False).to_numpy()
    return np.asarray(np.unique(hashes, return_inverse=True)[1], np.int64)


def codes_by_person(n: int, view: View, columns: Sequence[str] | None = None) -> NDArray[np.int64]:
    """Return one number for each of n people, equal where the columns of its record (all values if None) are equal."""
    codes = np.zeros(n, np.int64)
    codes[view.person] = row_codes(view.clear[view.values if columns is None else list(columns)])
    return codes
