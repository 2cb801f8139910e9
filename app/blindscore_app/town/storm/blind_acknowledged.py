"""BlindAcknowledged: what parties behind letterboxes have said on the wire, and whether all bear it out in the end.

The invariants: a message that is said again has the same answer; what was noted is handled, what was told is kept;
nothing is told before its time; what one institution owes another is taken; totals lie where the design lets them; no
orphan. Each breach is one sentence.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from blindscore.parties.message import Message
from blindscore.parties.store import Store
from blindscore_app.town.letterbox import FETCH, LATER, NOTED_KIND, ticket_of
from blindscore_app.town.parts.encrypted_decision import HELPER
from blindscore_app.town.storm.blind_village import AUDITOR
from blindscore_app.town.storm.village import DELAY_S, LENDER

REFUSED = "refusal"
READS_TOTALS = {
    "encrypted": (LENDER,),
    "encrypted-decision": (),
    "encrypted-audited": (LENDER, AUDITOR),
    "encrypted-proved": (LENDER,),
}
Answers = tuple[tuple[str, bytes], ...]


@dataclass
class BlindAcknowledged:
    """Everything that was said, by who said it."""

    boxed: Collection[str]
    said: dict[tuple[str, str, bytes], set[Answers]] = field(default_factory=lambda: defaultdict(set))
    promised: dict[tuple[str, bytes], float] = field(default_factory=dict)  # by ticket: since when, by its own clock
    letters: dict[bytes, set[tuple[str, bytes]]] = field(default_factory=lambda: defaultdict(set))
    noted: set[tuple[str, bytes]] = field(default_factory=set)  # seen among what a party has to handle
    at_once: list[str] = field(default_factory=list)  # breaches that show when something is said

    def looked(self, name: str, store: Store) -> None:
        """Look what a party has to handle by the clock, before it does."""
        self.noted |= {(name, asked) for asked, _ in store.items("noted")}

    def heard(self, name: str, asked: Message, replies: list[Message], now: float, store: Store) -> None:
        """Note what a party behind a letterbox answers, before anybody receives it."""
        if name not in self.boxed or asked.kind == "begin":
            return
        if asked.kind == FETCH:
            self._fetched(name, asked.body, replies, now)
            return
        answers = tuple((reply.kind, reply.body) for reply in replies)
        ticket, known = ticket_of(asked), asked.sender in self.boxed
        key = name, asked.sender if known else "", ticket
        if any(kind == REFUSED for kind, _ in answers):
            if key in self.said:  # what was refused before may be answered; the other way round it was forgotten
                self.said[key].add(answers)
            return
        self.said[key].add(answers)
        if any(kind == NOTED_KIND for kind, _ in answers):
            self.looked(name, store)
            if (name, ticket) not in self.noted:
                self.at_once.append(f"{name} has said that it noted {ticket.hex()[:8]}, and has not")
        if not known:
            self.promised.setdefault((name, ticket), now)

    def _fetched(self, name: str, ticket: bytes, replies: list[Message], now: float) -> None:
        since = self.promised.get((name, ticket))
        for reply in replies:
            if reply.kind == LATER:
                if since is not None and now < since:  # its clock was set back: the wait begins anew
                    self.promised[name, ticket] = now
                continue
            self.letters[ticket].add((reply.kind, reply.body))
            if since is not None and since <= now < int(since) + DELAY_S:
                self.at_once.append(f"{name} has told an answer {now - since:.0f} s after it was asked")

    def breaches(self, design: str, stores: Mapping[str, Store], swept: Collection[str]) -> Iterator[str]:
        """Yield what does not hold.

        Parameters
        ----------
        stores
            By name of an institution.
        swept
            Who has dropped rows in their time.
        """
        yield from self.at_once
        for (name, _, ticket), answers in self.said.items():
            if len(answers) > 1 and name not in swept:
                yield f"{name} has answered one message in {len(answers)} ways: {ticket.hex()[:8]}"
        for ticket, told in self.letters.items():
            if len(told) > 1:
                yield f"two answers were told for one ticket {ticket.hex()[:8]}"
            row = stores[LENDER].get("letters", ticket)
            if LENDER not in swept and (row is None or (row["kind"], row["body"]) not in told):
                yield f"an answer was told for ticket {ticket.hex()[:8]}, and is lost"
        for name in self.boxed:
            if name not in swept:
                yield from self._kept(name, stores[name])
        if not swept:
            yield from _together(stores)
        yield from _totals(design, stores)

    def _kept(self, name: str, store: Store) -> Iterator[str]:
        promised = dict(store.items("promised"))
        for who, ticket in self.promised:
            if who == name and ticket not in promised:
                yield f"{name} was asked for {ticket.hex()[:8]}, answered, and knows of no promise"
        for ticket, _ in store.items("letters"):
            if ticket not in promised:
                yield f"{name} keeps a letter that it has promised to nobody: {ticket.hex()[:8]}"
        if store.count("noted"):
            yield f"{name} has noted {store.count('noted')} messages that it never handles"
        for key, row in store.items("outgoing"):
            yield f"{name} owes {row['to']!s} a {row['kind']!s} that is never taken: {key.hex()[:8]}"


def _together(stores: Mapping[str, Store]) -> Iterator[str]:
    """Yield what lies at a helper or an auditor and belongs to no application."""
    lender = stores[LENDER]
    answered = {key for key, _ in lender.items("answered")}
    if HELPER in stores:
        for table in ("checks", "opened", "bound", "told"):
            for nonce, _ in stores[HELPER].items(table):
                if nonce not in answered:
                    yield f"the helper keeps {table} of an application that the lender never answered"
        told, decided = (
            {key for key, _ in store.items(table)} for store, table in ((stores[HELPER], "told"), (lender, "decisions"))
        )
        if told != decided:
            yield f"the helper has helped with {len(told)} decisions, and {len(decided)} were made"
    if AUDITOR in stores:
        signed = {key for key, _ in lender.items("signed")}
        read = {key for key, _ in stores[AUDITOR].items("read")}
        if read != signed:
            yield f"{len(signed)} results were signed, and the auditor has read {len(read)}"
        for table in ("picked", "proofs"):
            if stores[AUDITOR].count(table):
                yield f"the auditor keeps {stores[AUDITOR].count(table)} {table} of an honest lender"


def _totals(design: str, stores: Mapping[str, Store]) -> Iterator[str]:
    for name, store in stores.items():
        if name in READS_TOTALS[design]:
            continue
        for spec in store.specs.values():
            if any(field.kind == "total" for field in spec.fields) and store.count(spec.name):
                yield f"{name} holds {store.count(spec.name)} totals, and may hold none"
