"""Scene: one coalition in front of one run, with all that an attack on it may use.

The attacker knows the design, holds labelled auxiliary people (who are never targets) with their complete records
under that design, and the public register of everybody.
"""

from __future__ import annotations

import hashlib
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.designs.design import Design, Run, View
from blindscore.designs.plain import LEGAL_ID
from blindscore.people.population import Population
from blindscore.surveillance.ledger import Row

AUXILIARY_SHARE = 0.2
T = TypeVar("T")

# Who pools what. "scorer+state" is an order to disclose: what the scorer has stored, read with the force of law.
# "observer" sees times and sizes on the wire; "state" alone has what a design hands it, mostly nothing; "lender+lender"
# is two lenders that compare their customers.
ORDER = ("scorer", "state")
OBSERVER = "observer"
COALITIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("scorer", ("scorer",)),
    ("lender", ("lender",)),
    ("source", ("source",)),
    (OBSERVER, (OBSERVER,)),
    ("state", ("state",)),
    ("scorer+state", ORDER),
    ("lender+source", ("lender", "source")),
    ("lender+lender", ("lender", "second lender")),
    ("all", ("scorer", "lender", "source", "state", OBSERVER)),
)


class Memo:
    """What was computed under which key; two threads that ask for one key at once compute it once."""

    def __init__(self) -> None:
        self._found: dict[tuple[Any, ...], Any] = {}
        self._at_work: defaultdict[tuple[Any, ...], threading.Lock] = defaultdict(threading.Lock)

    def once(self, key: tuple[Any, ...], compute: Callable[[], T]) -> T:
        """Return ``compute()``, or what it returned under this key before."""
        with self._at_work[key]:
            if key not in self._found:
                self._found[key] = compute()
        result: T = self._found[key]
        return result


@dataclass(frozen=True)
class Scene:
    """One coalition's pooled views under one design, and the attacker's other knowledge."""

    population: Population
    design: str
    enforces: frozenset[str]
    run: Run
    coalition: str
    parties: tuple[str, ...]
    views: tuple[View, ...]  # after joining what can be joined
    auxiliary: NDArray[np.bool_]  # (n,) people whose secrets the attacker knows
    seed: int
    memo: Memo = field(default_factory=Memo)  # attacks already played on the same view

    def once(self, key: tuple[Any, ...], compute: Callable[[], T]) -> T:
        """Return ``compute()``, played once for equal keys: many designs show some party the very same view."""
        return self.memo.once(key, compute)

    def holds(self, role: str) -> bool:
        """Tell whether a member of the coalition plays a role of the run ("scorer", "lender", ...)."""
        view = self.run.views.get(role)
        return view is not None and any(self.run.views.get(party) is view for party in self.parties)

    def rng(self, *purpose: str) -> np.random.Generator:
        """Return a generator that depends on the seed and the purpose alone, never on the order of the attacks."""
        digest = hashlib.sha256("\x1f".join(purpose).encode()).digest()
        return np.random.default_rng([self.seed, int.from_bytes(digest[:8], "big")])


class Capability(Protocol):
    """Something that a coalition wants to do to people with its view."""

    @property
    def name(self) -> str:
        """Return the short name, as in the table."""
        ...

    def measure(self, scene: Scene) -> list[Row]:
        """Play the attacks; return one row a secret, or none where the coalition lacks the means.

        What such a coalition is left with is said, or played, in :mod:`blindscore.surveillance.outside`.
        """
        ...


def scenes_of(
    population: Population,
    design: Design,
    run: Run,
    auxiliary: NDArray[np.bool_],
    seed: int,
    memo: Memo | None = None,
) -> list[Scene]:
    """Return every coalition in front of one run; ``memo`` keeps attacks for the next run on the same people."""
    kept = Memo() if memo is None else memo
    return [
        Scene(
            population=population,
            design=design.name,
            enforces=design.enforces,
            run=run,
            coalition=coalition,
            parties=parties,
            views=pool(run, parties),
            auxiliary=auxiliary,
            seed=seed,
            memo=kept,
        )
        for coalition, parties in COALITIONS
    ]


def auxiliary_people(population: Population, seed: int) -> NDArray[np.bool_]:
    """Return a seeded random fifth of the people: those whose secrets every attacker knows."""
    n = len(population)
    chosen = np.random.default_rng([seed, 0xA0]).permutation(n) < max(1, round(AUXILIARY_SHARE * n))
    return np.asarray(chosen, np.bool_)


def pool(run: Run, parties: Sequence[str]) -> tuple[View, ...]:
    """Return the views that a coalition ends up with, joined into one wherever they share a key.

    Views join on the legal id (both hold it) or on a shared handle (a commitment that both saw). What cannot be joined
    stays apart: the coalition attacks each, and joining by values is the ``link`` capability.
    """
    pooled: list[View] = []
    for view in seen_by(run, parties):
        for place, other in enumerate(pooled):
            joined = _join(other, view)
            if joined is not None:
                pooled[place] = joined
                break
        else:
            pooled.append(view)
    return tuple(pooled)


def seen_by(run: Run, parties: Sequence[str]) -> tuple[View, ...]:
    """Return the views that a coalition's members bring, each once, before anything is joined."""
    views: list[View] = []
    for party in parties:
        view = view_of(run, party)
        if view is not None and not any(view is other for other in views):
            views.append(view)
    if not views:  # whoever sees nothing is still attacked with: by guessing
        person = np.arange(len(run.scores))
        views.append(View(parties[0], "one-time", pd.DataFrame(index=person), person, universe=1))
    return tuple(at_rest(view) for view in views) if tuple(parties) == ORDER else tuple(views)


def view_of(run: Run, party: str) -> View | None:
    """Return one party's view: recorded by the design, or, for outsiders that every design has, derived.

    The observer sees each exchange with the lender: hour and sizes, no content. The second lender runs the same design
    on the same people under pseudonyms and handles of its own.
    """
    lender = run.views["lender"]
    if party == OBSERVER and party not in run.views:
        wire = lender.messages.reset_index(drop=True)
        sizes = len(wire[["bytes_up", "bytes_down"]].drop_duplicates())
        return View(OBSERVER, "one-time", wire, lender.person[: len(wire)], universe=24 if sizes == 1 else None)
    if party == "second lender":
        shown = lender.clear.drop(columns=list(lender.handles))
        return replace(lender, party=party, clear=shown, handles=())
    return run.views.get(party)


def at_rest(view: View) -> View:
    """Return what an order to disclose finds: the columns still readable after the decision."""
    if view.stored is None:
        return view
    return replace(view, clear=view.clear[list(view.stored)])


def values(view: View) -> list[str]:
    """Return the columns that say something of the person: neither legal id nor join handle."""
    return [c for c in view.clear.columns if c != LEGAL_ID and c not in view.handles]


def row_codes(table: pd.DataFrame) -> NDArray[np.int64]:
    """Return one number a row, equal where all values are equal (missing equals missing)."""
    hashes = pd.util.hash_pandas_object(table, index=False).to_numpy()
    return np.asarray(np.unique(hashes, return_inverse=True)[1], np.int64)


def codes_by_person(scene: Scene, view: View, columns: Sequence[str] | None = None) -> NDArray[np.int64]:
    """Return one number a person, equal where the given columns of its record (all values if None) are equal."""
    codes = np.zeros(len(scene.population), np.int64)
    codes[view.person] = row_codes(view.clear[values(view) if columns is None else list(columns)])
    return codes


def public_register(population: Population) -> pd.DataFrame:
    """Return what outsiders know of everybody: the register without the legal id."""
    return population.register.drop(columns=LEGAL_ID, errors="ignore")


def joinable(first: View, second: View) -> bool:
    """Tell whether two views share a key that names the same person in both."""
    by_name = first.keyed_by == "legal id" and second.keyed_by == "legal id"
    return by_name or bool(set(first.handles) & set(second.handles))


def _join(first: View, second: View) -> View | None:
    same_people = len(first.person) == len(second.person) and bool((first.person == second.person).all())
    if not (same_people and joinable(first, second)):
        return None
    more = [c for c in second.clear.columns if c not in first.clear.columns]
    named = "legal id" if "legal id" in (first.keyed_by, second.keyed_by) else first.keyed_by
    return View(
        party=f"{first.party}+{second.party}",
        keyed_by=named,
        clear=pd.concat([first.clear, second.clear[more]], axis=1),
        person=first.person,
        opaque_bytes=first.opaque_bytes + second.opaque_bytes,
        friends=first.friends if first.friends is not None else second.friends,
        visits=first.visits if first.visits is not None else second.visits,
        messages=first.messages,
        handles=tuple(dict.fromkeys((*first.handles, *second.handles))),
        universe=None,
    )
