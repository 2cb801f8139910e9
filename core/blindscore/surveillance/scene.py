"""Scene: one coalition in front of one run, with all that an attack on it may use.

The attacker knows the design, holds labelled auxiliary people (who are never targets) with their complete records
under that design, and the public register of everybody.
"""

from __future__ import annotations

import hashlib
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.designs.design import Design, Run
from blindscore.designs.plain import LEGAL_ID
from blindscore.parties.view import View
from blindscore.people.population import Population
from blindscore.surveillance.coalitions import Coalition, coalitions_of, pool
from blindscore.surveillance.ledger import Row

AUXILIARY_SHARE = 0.2
T = TypeVar("T")


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
    coalition: Coalition
    views: tuple[View, ...]  # after joining what can be joined
    auxiliary: NDArray[np.bool_]  # (n,) people whose secrets the attacker knows
    seed: int
    memo: Memo = field(default_factory=Memo)  # attacks already played on the same view

    def once(self, key: tuple[Any, ...], compute: Callable[[], T]) -> T:
        """Return ``compute()``, played once for equal keys: many designs show some party the very same view."""
        return self.memo.once(key, compute)

    def holds(self, role: str) -> bool:
        """Tell whether a member of the coalition plays a role of the run ("scorer", "lender", ...)."""
        return self.run.party_of(role) in {self.run.party_of(member) for member in self.coalition.roles}

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
            views=pool(run, coalition.roles),
            auxiliary=auxiliary,
            seed=seed,
            memo=kept,
        )
        for coalition in coalitions_of(run, design.feared)
    ]


def auxiliary_people(population: Population, seed: int) -> NDArray[np.bool_]:
    """Return a seeded random fifth of the people: those whose secrets every attacker knows."""
    n = len(population)
    chosen = np.random.default_rng([seed, 0xA0]).permutation(n) < max(1, round(AUXILIARY_SHARE * n))
    return np.asarray(chosen, np.bool_)


def row_codes(table: pd.DataFrame) -> NDArray[np.int64]:
    """Return one number a row, equal where all values are equal (missing equals missing)."""
    hashes = pd.util.hash_pandas_object(table, index=False).to_numpy()
    return np.asarray(np.unique(hashes, return_inverse=True)[1], np.int64)


def codes_by_person(scene: Scene, view: View, columns: Sequence[str] | None = None) -> NDArray[np.int64]:
    """Return one number a person, equal where the given columns of its record (all values if None) are equal."""
    codes = np.zeros(len(scene.population), np.int64)
    codes[view.person] = row_codes(view.clear[view.values if columns is None else list(columns)])
    return codes


def public_register(population: Population) -> pd.DataFrame:
    """Return what outsiders know of everybody: the register without the legal id."""
    return population.register.drop(columns=LEGAL_ID, errors="ignore")
