"""Costs: what a run costs, by role and by line, as the tape has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from blindscore.parties.tape import Tape


@dataclass(frozen=True)
class Costs:
    """What a run costs, a person unless said otherwise."""

    us_per_person: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))  # by role, microseconds
    bytes_up: int = 0  # applicant -> lender
    bytes_down: int = 0  # lender -> applicant
    keys_bytes: int = 0  # published once for everybody
    lines: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))  # "wallet > lender": bytes

    @property
    def bytes_all_lines(self) -> int:
        """Bytes a person over all lines; of the lender's line alone where no line was played."""
        return sum(self.lines.values()) or self.bytes_up + self.bytes_down


def costs_of(tape: Tape, keys_bytes: int = 0, *, applicant: str = "wallet", lender: str = "lender") -> Costs:
    """Return medians over the people who were played.

    Parameters
    ----------
    tape
        Of executed exchanges.
    keys_bytes
        What is published once for everybody.
    applicant, lender
        Roles between which ``bytes_up`` and ``bytes_down`` are counted.
    """
    spent: dict[str, dict[int, float]] = {}
    for person, role, us in tape.spent:
        by_person = spent.setdefault(role, {})
        by_person[person] = by_person.get(person, 0.0) + us
    lines = {line: int(np.median(list(people.values()))) for line, people in tape.lines().items()}
    return Costs(
        us_per_person=MappingProxyType({role: round(float(np.median([*v.values()])), 1) for role, v in spent.items()}),
        bytes_up=lines.get((applicant, lender), 0),
        bytes_down=lines.get((lender, applicant), 0),
        keys_bytes=keys_bytes,
        lines=MappingProxyType({f"{a} > {b}": n for (a, b), n in sorted(lines.items())}),
    )
