"""Table: parties that sit together in one process and are played, deterministically, with one clock.

A person's wallet is told to do something; its messages are delivered, then their answers, first in first out, until
nobody has anything to say. All that travels is on the tape. No party sees more of a sender than its line shows.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from blindscore.errors import ParameterError
from blindscore.parties.message import Message
from blindscore.parties.party import Party, SetClock
from blindscore.parties.store import MemoryStore
from blindscore.parties.tape import Passage, Shown, Tape

MAX_STEPS = 10_000  # messages that one command may set off: a guard against parties that answer each other for ever


@dataclass(frozen=True)
class Written:
    """One row that a party wrote while a person's exchange was played."""

    person: int
    role: str
    name: str
    table: str
    key: bytes
    row: Mapping[str, object]


@dataclass
class Table:
    """Institutions at a table, wallets that come and go, and the tape.

    Parameters
    ----------
    institutions
        Parties that stay; their names are their addresses.
    lines
        How the receiver knows the sender, by (sender's role, receiver's role); between institutions "institution", and
        "one-time" from a wallet, unless said otherwise.
    clock
        Read before and after each message; the same that the parties were given.
    """

    institutions: Sequence[Party]
    lines: Mapping[tuple[str, str], Shown] = field(default_factory=dict)
    clock: SetClock = field(default_factory=SetClock)
    tape: Tape = field(default_factory=Tape)
    written: list[Written] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._seated: dict[str, Party] = {}
        self._labels: dict[str, str] = {}  # label of one exchange -> party's name
        self._read: dict[str, int] = {}  # how far each party's journal has been read
        self._brought: dict[str, dict[bytes, list[Written]]] = {}  # rows that a party came with, by key
        self._serial = 0
        for party in self.institutions:
            self.seat(party)

    def seat(self, party: Party) -> None:
        """Let a party sit down.

        Raises
        ------
        ParameterError
            Its name is taken.
        """
        if party.name in self._seated:
            raise ParameterError(f"two parties at the table are called {party.name}")
        self._seated[party.name] = party
        brought = self._brought.setdefault(party.name, {})
        for written in self._new_writes(party, -1):
            brought.setdefault(written.key, []).append(written)

    def leave(self, name: str) -> None:
        """Let a party go; what it wrote stays on record."""
        self._seated.pop(name, None)

    @property
    def parties(self) -> tuple[Party, ...]:
        """Everybody at the table."""
        return tuple(self._seated.values())

    def play(self, person: int, to: str, command: str, body: bytes = b"", legal_id: str = "") -> None:
        """Tell a party something, by its own person's hand, and deliver all that follows.

        Parameters
        ----------
        person
            Whose exchange this is.
        to, command, body
            What is told; it travels over no line.
        legal_id
            By which the person is known where a line shows the legal id.
        """
        self._labels.clear()
        self._bring(person, legal_id)
        waiting: deque[tuple[Party, Message]] = deque()
        waiting.extend(self._step(person, self._found(to), Message(to, command, body)))
        for _ in range(MAX_STEPS):
            if not waiting:
                self._note_writes(person)
                return
            sender, message = waiting.popleft()
            receiver = self._found(self._labels.get(message.to, message.to))
            waiting.extend(self._deliver(person, sender, receiver, message, legal_id))
        raise ParameterError(
            f"{command}: more than {MAX_STEPS} messages followed; the parties answer each other for ever"
        )

    def _deliver(
        self, person: int, sender: Party, receiver: Party, message: Message, legal_id: str
    ) -> Iterable[tuple[Party, Message]]:
        shown = self._shown(sender.role, receiver.role)
        seen = self._label(sender, receiver, shown, legal_id)
        began = self.clock()
        self.tape.passages.append(
            Passage(
                person=person,
                sender=sender.role,
                receiver=receiver.role,
                sender_name=sender.name,
                receiver_name=receiver.name,
                shown=shown,
                sender_seen=seen,
                kind=message.kind,
                body=message.body,
                began=began,
                ended=self.clock(),
            )
        )
        return self._step(person, receiver, replace(message, sender=seen))

    def _step(self, person: int, party: Party, message: Message) -> list[tuple[Party, Message]]:
        began = time.process_time()
        answers = party.handle(message)
        self.tape.spent.append((person, party.role, 1e6 * (time.process_time() - began)))
        return [(party, answer) for answer in answers]

    def _shown(self, sender: str, receiver: str) -> Shown:
        return self.lines.get((sender, receiver), "one-time" if sender == "wallet" else "institution")

    def _label(self, sender: Party, receiver: Party, shown: Shown, legal_id: str) -> str:
        """Return what the receiver sees of the sender, and remember whom it stands for in this exchange."""
        if shown == "institution":
            return sender.name
        if shown == "legal id":
            seen = legal_id
        elif shown == "pairwise":
            seen = f"{receiver.name}/{sender.name}"
        else:
            known = (label for label, name in self._labels.items() if name == sender.name)
            seen = next((label for label in known if label.startswith(f"line to {receiver.name} ")), "")
            if not seen:
                self._serial += 1
                seen = f"line to {receiver.name} {self._serial}"
        self._labels[seen] = sender.name
        return seen

    def _found(self, name: str) -> Party:
        party = self._seated.get(name)
        if party is None:
            raise ParameterError(f"nobody at the table is called {name}")
        return party

    def _bring(self, person: int, legal_id: str) -> None:
        """Put on record what parties held of a person before: rows under the legal id."""
        if legal_id:
            for rows in self._brought.values():
                self.written += [replace(row, person=person) for row in rows.pop(legal_id.encode(), ())]

    def _note_writes(self, person: int) -> None:
        for party in self._seated.values():
            self.written += self._new_writes(party, person)

    def _new_writes(self, party: Party, person: int) -> list[Written]:
        if not isinstance(party.store, MemoryStore):
            return []
        fresh = party.store.journal[self._read.get(party.name, 0) :]
        self._read[party.name] = len(party.store.journal)
        return [Written(person, party.role, party.name, w.table, w.key, w.row) for w in fresh]
