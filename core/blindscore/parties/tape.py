"""Tape: what went over each line, byte for byte, and when. The experimenter's record; no party reads it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

# How a receiver knows who sends: by legal id (the person logged in), by a pseudonym that recurs (pairwise), by the name
# of an institution, or not at all: a label good for one exchange.
Shown = Literal["legal id", "pairwise", "institution", "one-time"]


@dataclass(frozen=True)
class Passage:
    """One message on one line."""

    person: int  # whose exchange it belongs to; the experimenter's knowledge
    sender: str  # role
    receiver: str  # role
    sender_name: str
    receiver_name: str
    shown: Shown
    sender_seen: str  # what the receiver saw in place of the sender's name
    kind: str
    body: bytes
    began: float  # seconds, by the table's clock
    ended: float


@dataclass
class Tape:
    """All passages in order, and what each handling cost."""

    passages: list[Passage] = field(default_factory=list)
    spent: list[tuple[int, str, float]] = field(default_factory=list)  # (person, role, process time in microseconds)

    def received(self, role: str) -> Iterator[Passage]:
        """Yield what a role was sent."""
        return (p for p in self.passages if p.receiver == role)

    def touched(self, role: str) -> Iterator[Passage]:
        """Yield what a role sent or was sent."""
        return (p for p in self.passages if role in (p.receiver, p.sender))

    def lines(self) -> dict[tuple[str, str], dict[int, int]]:
        """Return bytes by (sender's role, receiver's role) and person."""
        summed: dict[tuple[str, str], dict[int, int]] = {}
        for p in self.passages:
            by_person = summed.setdefault((p.sender, p.receiver), {})
            by_person[p.person] = by_person.get(p.person, 0) + len(p.body)
        return summed

    def sizes(self) -> dict[tuple[str, str], set[tuple[int, ...]]]:
        """Return, by line, the different sequences of message lengths that persons gave rise to."""
        sequences: dict[tuple[str, str], dict[int, list[int]]] = {}
        for p in self.passages:
            sequences.setdefault((p.sender, p.receiver), {}).setdefault(p.person, []).append(len(p.body))
        return {line: {tuple(lengths) for lengths in people.values()} for line, people in sequences.items()}
