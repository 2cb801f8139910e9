"""A town's own folders and stores, its parties at a table in one process: for tests that need no sockets."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from blindscore.parties.party import SetClock, wall_clock
from blindscore.parties.store import close_store
from blindscore.parties.table import Table
from blindscore_app.town import board

LINES = {("wallet", "source"): "legal id"}


class AtATable:
    """The institutions of a founded town, seated, and what a service does for them by the clock."""

    def __init__(self, town, passphrase):
        self.town = town
        self.parties = [town.party(name, passphrase.encode()) for name in town.roles]
        self.by_name = {party.name: party for party in self.parties}
        self.table = Table(self.parties, LINES, SetClock(wall_clock()))
        self.whom = list(board.whom(town.folder))
        if "log" in self.by_name:
            for message in self.by_name["log"].refresh():  # its head is cosigned anew
                self.deliver("log", message)

    def deliver(self, sender, message):
        """Deliver one institution's message to another, and what follows between the two."""
        waiting = deque([(sender, message)])
        while waiting:
            origin, sent = waiting.popleft()
            receiver = self.by_name[sent.to]
            waiting.extend((receiver.name, answer) for answer in receiver.handle(replace(sent, sender=origin)))

    def by_the_clock(self):
        """Settle, and post what parties have to say by themselves, until nobody has."""
        for _ in range(4):
            for party in self.parties:
                getattr(party, "settle", lambda: 0)()
                for what, message in getattr(party, "outgoing", list)():
                    self.deliver(party.name, message)
                    party.taken(what)

    def seat(self, number, lender="lender"):
        """Seat a person's wallet; return it."""
        wallet, lines = self.town.wallet(number, lender=lender)
        lines.close()
        self.table.seat(wallet)
        return wallet

    def tell(self, number, wallet, command):
        """Let a person tell its wallet something."""
        self.table.play(number, wallet.name, command, legal_id=self.whom[number])

    def apply(self, number, lender="lender"):
        """Play one person's whole application; return decision, score and troubles."""
        wallet = self.seat(number, lender)
        for command in ("learn", "apply", "collect"):
            self.tell(number, wallet, command)
        self.by_the_clock()
        self.tell(number, wallet, "collect")
        self.by_the_clock()
        self.tell(number, wallet, "collect")
        told = wallet.verdict(), getattr(wallet, "score", None), wallet.troubles()
        self.table.leave(wallet.name)
        close_store(wallet.store)
        return told

    def sent(self, kind):
        """Return the bodies of all messages of a kind."""
        return [p.body for p in self.table.tape.passages if p.kind == kind]

    def close(self):
        """Close every store."""
        for party in self.parties:
            close_store(party.store)
