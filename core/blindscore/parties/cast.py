"""Cast: who plays a design for real, and how a person's application begins and ends.

A design's file of parties makes a cast; :func:`play` seats it and plays people one after another. The contract tests
play the very same cast with one member replaced by a cheat.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from blindscore.errors import ParameterError
from blindscore.parties.party import Party, SetClock
from blindscore.parties.store import Store
from blindscore.parties.table import Table
from blindscore.parties.tape import Shown

APPLY = "apply"  # what a wallet is told, by its own person, to make an application


@dataclass(frozen=True)
class Ending:
    """What a person holds in the end."""

    decision: bool | None  # None: no answer came
    score: int | None = None  # where the person learns it
    bent: bool = False  # the person, or an auditor, holds a proof that a judge accepts against somebody


@dataclass(frozen=True)
class Cast:
    """The parties of one design, ready to sit down.

    Parameters
    ----------
    institutions
        Parties that stay: sources with their people's records, lender, and whoever else there is.
    wallet
        Makes a person's own party from its legal id.
    lines
        See :class:`~blindscore.parties.table.Table`.
    ending
        What a wallet holds after its application was played.
    keys_bytes
        What is published once for everybody: keys, terms, layouts.
    """

    institutions: tuple[Party, ...]
    wallet: Callable[[str], Party]
    ending: Callable[[Party], Ending]
    lines: Mapping[tuple[str, str], Shown] = field(default_factory=lambda: MappingProxyType({}))
    clock: SetClock = field(default_factory=SetClock)
    keys_bytes: int = 0

    def replaced(self, party: Party) -> Cast:
        """Return the cast with another party in the place of the institution of that name.

        Raises
        ------
        ParameterError
            There is no institution of that name.
        """
        if party.name not in [member.name for member in self.institutions]:
            raise ParameterError(f"no institution of this cast is called {party.name}")
        return replace(self, institutions=tuple(party if p.name == party.name else p for p in self.institutions))


StoreOf = Callable[[str], Store]  # a party's name -> its store: in memory at a table, a database in a town


def play(cast: Cast, people: Mapping[int, str]) -> tuple[Table, dict[int, Ending]]:
    """Play one application of each person, by index and legal id; return the table and how it ended for each."""
    table = Table(cast.institutions, cast.lines, cast.clock)
    endings = {}
    for person, legal_id in people.items():
        wallet = cast.wallet(legal_id)
        table.seat(wallet)
        table.play(person, wallet.name, APPLY, legal_id=legal_id)
        endings[person] = cast.ending(wallet)
    return table, endings
