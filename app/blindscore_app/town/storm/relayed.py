"""Relayed: a relay in the storm. It counts, carries, and gives a receipt; a crash in between loses the exchange.

::

    wallet --"pass"--> relay (counts) --> lender, log, gate
    wallet <---------- relay (counts, receipt) <--"back"-- lender, log, gate

What a relay holds of an exchange that is under way is its open connection alone: after a crash an answer that comes
back finds nobody. What it owes is in its store: nothing that it has passed on or brought back may be missing in its
counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from blindscore.errors import ForgeryError
from blindscore.parties.message import Message
from blindscore.parties.party import Clock, day_of
from blindscore.parties.store import Store
from blindscore_app.town.folders import RELAY
from blindscore_crypto.channel.relay import Passage, Relay
from blindscore_crypto.channel.signatures import SigningKey

PASS, BACK = "pass", "back"
COUNTED = "passed", "answered"


@dataclass
class Told:
    """What a relay has let others know, by institution and day; it outlives the relay's crashes."""

    behind: tuple[str, ...]  # whom it serves
    key: SigningKey = field(default_factory=SigningKey)
    passed: Counter[tuple[str, int]] = field(default_factory=Counter)
    brought: Counter[tuple[str, int]] = field(default_factory=Counter)

    def breaches(self, store: Store, clock: Clock) -> Iterator[str]:
        """Yield what the relay's counts do not bear out."""
        counted = {(one.to, one.day): one for one in Relay(RELAY, self.key, self.behind, store, clock).counts()}
        for (to, day), times in self.passed.items():
            if (to, day) not in counted or counted[to, day].passed < times:
                yield f"the relay passed {times} requests on to {to} on day {day}, and counts fewer"
        for (to, day), times in self.brought.items():
            if (to, day) not in counted or counted[to, day].answered < times:
                yield f"the relay brought {times} answers of {to} back on day {day}, and counts fewer"
        for to in self.behind:  # over all days: an answer may come after midnight
            passed, answered = (sum(getattr(o, what) for o in counted.values() if o.to == to) for what in COUNTED)
            if answered > passed:
                yield f"the relay counts {answered} answers of {to} to {passed} requests"


class Carrier:
    """A relay at work: its counts in the store, its open connections in memory.

    Parameters
    ----------
    told
        Where what it lets others know is noted.
    """

    role, name = "relay", RELAY

    def __init__(self, told: Told, store: Store, clock: Clock) -> None:
        self.relay = Relay(RELAY, told.key, told.behind, store, clock)
        self.store, self._told, self._clock = store, told, clock
        self._open: dict[str, tuple[str, bytes]] = {}  # label of an exchange -> to whom, what

    def handle(self, message: Message) -> list[Message]:
        """Pass a request on, or an answer back."""
        what, _, rest = message.kind.partition("|")
        whom, _, kind = rest.partition("|")
        if what == PASS:
            return self._pass(whom, Message(whom, kind, message.body, message.sender))
        if what == BACK:
            return self._back(whom, message.sender, kind, message.body)
        return self.relay.handle(message)

    def _pass(self, to: str, message: Message) -> list[Message]:
        day = day_of(self._clock)
        self.relay.passing(to)
        self._told.passed[to, day] += 1
        self._open[message.sender] = to, message.body
        return [message]

    def _back(self, label: str, sender: str, kind: str, body: bytes) -> list[Message]:
        asked = self._open.pop(label, None)  # one answer to each: the connection ends with it
        if asked is None or asked[0] != sender:
            raise ForgeryError("an answer comes back to nobody: the relay was down meanwhile")
        passage = self.relay.receipt(sender, asked[1], body)
        read = Passage.read(passage.encode(), self.relay.public)
        self._told.brought[sender, read.day] += 1
        return [Message(label, kind, body, sender)]


def through(label: str, message: Message) -> Message:
    """Return what a wallet hands to the relay."""
    return Message(RELAY, f"{PASS}|{message.to}|{message.kind}", message.body, label)


def returned(origin: str, message: Message) -> Message:
    """Return what an institution hands to the relay for the exchange that it was asked in."""
    return Message(RELAY, f"{BACK}|{message.to}|{message.kind}", message.body, origin)
