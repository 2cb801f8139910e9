"""Capability: something that a coalition wants to do to people with what it knows; the contract of every attack.

An attack never sees the truth: ``attack`` gets :class:`~blindscore.surveillance.knowledge.Knowledge`, ``judge`` gets
the truth and the guess. Where the coalition lacks the means, ``otherwise`` says what is left, so that each coalition
has a row for everything:

- a weaker guess, which is then judged like any other (*played*);
- :class:`Told`: the design itself tells the coalition, so there is nothing to attack (*by role*);
- :class:`Absent`: there is nothing to try it with; the reason says what is missing. Where the zero rests on an
  assumption of the threat model (sources tell the truth), no bound is claimed.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol, runtime_checkable

from blindscore.surveillance.coalitions import is_empty
from blindscore.surveillance.knowledge import Knowledge, Need
from blindscore.surveillance.ledger import ABSENT, BY_ROLE, Row
from blindscore.surveillance.truth import Truth
from blindscore.threads import each


@dataclass(frozen=True)
class Absent:
    """The coalition has nothing to try the attack with."""

    reason: str
    bound: float | None = 0.0


@dataclass(frozen=True)
class Told:
    """The design itself tells the coalition."""

    reason: str


@runtime_checkable
class Capability(Protocol):
    """One thing to do to people. Inherit from this class: what has a default here need not be written."""

    name: ClassVar[str]  # short, as in the table
    question: ClassVar[str]  # in plain words, to a reader, as on the page: "find out who your friends are"
    order: ClassVar[int] = 100  # place in the table
    quick: ClassVar[bool] = False  # whether `--quick` plays it
    needs: ClassVar[frozenset[Need]] = frozenset()  # what it is given beyond views, register and auxiliary people
    brings: ClassVar[bool] = False  # whether it can make something of an outside register
    by_reading: ClassVar[bool] = True  # whether it works by what is read alone: who reads nothing has nothing to try

    def secrets(self, truth: Truth) -> list[str]:
        """Return what is asked of these people; nothing where they have nothing of the kind."""
        ...

    def attack(self, knowledge: Knowledge, secret: str) -> Any | None:
        """Return a guess for everybody, chosen on auxiliary people, or None where the coalition lacks the means."""
        ...

    def otherwise(self, knowledge: Knowledge, secret: str) -> Any:
        """Return what is left to a coalition that lacks the means: a weaker guess, :class:`Told` or :class:`Absent`."""
        return Absent("no bound: this coalition has nothing to try this attack with; another may do more", None)

    def judge(self, truth: Truth, secret: str, guess: Any) -> Row:
        """Return the row of a guess: its advantage on targets, its control and its bound."""
        ...

    def told(self, truth: Truth, secret: str, row: Row) -> Row:
        """Return the row of a coalition that the design tells the secret, from one with the usual figures."""
        return row


def rows_of(capability: Capability, truth: Truth, wanted: Collection[str] | None = None) -> list[Row]:
    """Return a capability's rows for one coalition, one a secret: what it played, or what is left without the means.

    With ``wanted`` only those secrets are asked.
    """
    knowledge = truth.knowledge(capability.needs)
    blind = capability.by_reading and all(is_empty(view) for view in truth.views)

    def row(secret: str) -> Row:
        if blind:
            guess: Any = Absent("absent data: this coalition reads nothing of anybody")
        else:
            guess = capability.attack(knowledge, secret)
        if guess is None:
            guess = capability.otherwise(knowledge, secret)
        outside = "" if truth.outside is None else truth.outside.name
        return replace(row_of(capability, truth, secret, guess), basis=truth.basis, outside=outside)

    return each(row, [secret for secret in capability.secrets(truth) if wanted is None or secret in wanted])


def row_of(capability: Capability, truth: Truth, secret: str, guess: Any) -> Row:
    """Return the row of a guess, or of what stands in its place."""
    who = (truth.design, truth.coalition.name, capability.name, secret)
    if isinstance(guess, Absent):
        none = Row(*who, "none", 0.0, 0.0, 0.0, control=0.0, bits=0.0)
        return replace(none, bound=guess.bound, reason=guess.reason, kind=ABSENT)
    if isinstance(guess, Told):
        row = Row(*who, "none needed", 1.0, 1.0, 1.0, control=0.0, reason=guess.reason, kind=BY_ROLE)
        return capability.told(truth, secret, row)
    return capability.judge(truth, secret, guess)
