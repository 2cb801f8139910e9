"""PatientWallet: a person's wallet of an encrypted design; it may be interrupted, and comes back for its answer.

::

    learn    look the terms up in the log where they are logged; have the bank attest; hold the application back
    apply    send it, open the reply, and have the opening noted
    collect  say again what got no answer, or fetch the decision (:mod:`.letterbox`)

It keeps a seed, from which all that its wallet draws comes, and what it was sent: from the two, the wallet is made
again. A message that nobody waits for is not taken. One that is refused, or has waited for longer than letterboxes keep
anything, begins anew.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol

from blindscore.errors import BlindscoreError, ForgeryError
from blindscore.parties.cast import APPLY
from blindscore.parties.message import Message
from blindscore.parties.party import Clock, day_of
from blindscore.parties.store import Field, Row, Store, TableSpec, blob_of
from blindscore_app.town.letterbox import KEEP_DAYS, LATER, NOTED_KIND, fetch, ticket_of
from blindscore_crypto.encrypted.ring.sampling import Draw, expand

SEED_BYTES = 32
FIRST = "application"  # what begins at the lender, and what its answer is fetched by
ANSWERS = {
    "begin": ("box",),
    "ask": ("attestation",),
    FIRST: ("reply",),
    "bound": ("unmasking",),
    "opening": (NOTED_KIND,),
    "fetch": ("decision", "result"),
}
BEFORE = ("begin", "ask")  # kinds that are said before anything is applied for
MINE = TableSpec(
    "mine",
    Field("what", "own"),
    (Field("seed", "own"), Field("terms", "own"), Field("ticket", "own"), Field("since", "own")),
)
CAME = TableSpec("came", Field("number", "own"), (Field("from", "own"), Field("kind", "own"), Field("body", "own")))
SAYS = TableSpec("says", Field("what", "own"), (Field("to", "own"), Field("kind", "own"), Field("body", "own")))
TROUBLE = TableSpec("trouble", Field("number", "own"), (Field("why", "own"),))
TABLES = (MINE, CAME, SAYS, TROUBLE)
_ONE = b"one"


class Inner(Protocol):
    """A wallet for one application, of :mod:`blindscore_crypto.encrypted`."""

    @property
    def decision(self) -> bool | None:
        """Approved or refused; None before the answer."""
        ...

    @property
    def score(self) -> int | None:
        """The score, where the person learns it."""
        ...

    def handle(self, message: Message) -> list[Message]:
        """Take one step."""
        ...


Looking = Generator[bytes, bytes, bytes]  # yields questions to the log, takes answers, returns the terms


class PatientWallet:
    """One person's wallet for one lender.

    Parameters
    ----------
    make
        Encoded terms, and where all that is random comes from -> the wallet.
    lender
        Where the application goes, and where its answer is fetched.
    terms
        Encoded; empty where they are looked up.
    looking
        Begins to look the terms up in the log, where they are logged.
    """

    role = "wallet"

    def __init__(
        self,
        name: str,
        store: Store,
        make: Callable[[bytes, Draw], Inner],
        lender: str,
        *,
        clock: Clock,
        terms: bytes = b"",
        looking: Callable[[], Looking] | None = None,
        log: str = "log",
    ) -> None:
        self.name, self.store, self.lender = name, store, lender
        self._make, self._terms, self._begin_looking, self._log = make, terms, looking, log
        self._clock = clock
        self._looking: Looking | None = None
        self._goal = ""
        store.declare(*TABLES)
        self._inner = self._made_again()

    @property
    def score(self) -> int | None:
        """The score, where the person learns it."""
        return None if self._inner is None else self._inner.score

    def verdict(self) -> bool | None:
        """Return approved or refused, or None where no decision has come."""
        return None if self._inner is None else self._inner.decision

    def troubles(self) -> list[str]:
        """Return why messages were refused, oldest first."""
        return [str(row["why"]) for _, row in self.store.items(TROUBLE.name)]

    @property
    def inner(self) -> Any:
        """The wallet as it stands, with its papers; None before it applied."""
        return self._inner

    def handle(self, message: Message) -> list[Message]:
        """See :class:`~blindscore.parties.party.Party`. A message that is refused is noted, and nobody is told."""
        try:
            with self.store.atomic():
                if not message.sender:
                    return self._told(message.kind)
                if message.sender == self._log and self._looking is not None:
                    return self._learnt(message)
                return self._answered(message)
        except BlindscoreError as error:
            self._trouble(error)
            return []

    def _trouble(self, error: BlindscoreError) -> None:
        self.store.put(TROUBLE.name, self.store.count(TROUBLE.name).to_bytes(4), {"why": str(error)})

    def answer(self) -> tuple[bytes, tuple[str, bytes] | None]:
        """Return the ticket, and kind and body of the answer that was fetched with it; None before that."""
        rows = [row for _, row in self.store.items(CAME.name) if row["kind"] in ANSWERS["fetch"]]
        return self._ticket(), (str(rows[-1]["kind"]), blob_of(rows[-1], "body")) if rows else None

    def unsound(self) -> list[tuple[bytes, str]]:
        """Return which of the messages that it keeps would not be taken again, and why: an auditor asks."""
        row, found = self.store.get(MINE.name, _ONE), []
        if row is None:
            return []
        inner = self._make(blob_of(row, "terms"), expand(blob_of(row, "seed"), b"wallet"))
        inner.handle(Message(self.name, APPLY, b""))
        for key, came in self.store.items(CAME.name):
            try:
                inner.handle(Message(self.name, str(came["kind"]), blob_of(came, "body"), str(came["from"])))
            except BlindscoreError as error:
                if not _convicts(inner):
                    found.append((key, f"would not be taken again: {error}"))
        return found

    # What the person says

    def _told(self, command: str) -> list[Message]:
        if command not in ("learn", APPLY, "collect"):
            raise ForgeryError(f"a wallet is told to learn, apply or collect, not {command!r}")
        if self.verdict() is not None:
            return []
        if self._in_vain():
            self._forget()
        says = self._says()
        if command == "collect":
            ticket = self._ticket()
            return [fetch(self.lender, ticket)] if says is None and ticket else self._let_out(says, APPLY)
        self._goal = command
        return self._begin() if says is None and not self._ticket() else self._let_out(says, command)

    def _let_out(self, says: Message | None, command: str) -> list[Message]:
        """Return what is to be said again; an application waits until the person says that it applies."""
        if says is None or (command != APPLY and says.kind not in BEFORE):
            return []
        return [says]

    def _begin(self) -> list[Message]:
        if not self._terms and self._begin_looking is not None:
            self._looking = self._begin_looking()
            return [Message(self._log, "lookup", next(self._looking))]
        return self._start(self._terms)

    def _learnt(self, message: Message) -> list[Message]:
        looking, self._looking = self._looking, None
        if looking is None or message.kind != "found":
            raise ForgeryError(f"the log sends {message.kind!r}, which nobody asked for")
        try:
            question = looking.send(message.body)
        except StopIteration as done:
            return self._start(done.value)
        self._looking = looking
        return [Message(self._log, "lookup", question)]

    def _start(self, terms: bytes) -> list[Message]:
        seed = os.urandom(SEED_BYTES)
        self.store.put(MINE.name, _ONE, {"seed": seed, "terms": terms, "ticket": b"", "since": day_of(self._clock)})
        for key, _ in self.store.items(CAME.name):
            self.store.take(CAME.name, key)
        self._inner = self._make(terms, expand(seed, b"wallet"))
        return self._say(self._inner.handle(Message(self.name, APPLY, b"")))

    # What others say

    def _answered(self, message: Message) -> list[Message]:
        says = self._says()
        waits = fetch(self.lender, self._ticket()) if says is None else says
        if message.kind == LATER:
            return []
        if message.sender != waits.to or self._inner is None or self.verdict() is not None:
            raise ForgeryError(f"{message.sender} sends {message.kind!r}, which nobody waits for")
        if message.kind in ("refusal", "refused"):
            refused = ForgeryError(f"{message.sender} refuses: {waits.kind}")
            if waits.kind != FIRST:
                raise refused
            self._forget()  # nothing was answered: it may begin anew
            self._trouble(refused)  # raised, it would undo that
            return []
        if message.kind not in ANSWERS[waits.kind]:
            raise ForgeryError(f"{message.sender} sends {message.kind!r} in answer to {waits.kind!r}")
        if message.kind == NOTED_KIND:
            self.store.take(SAYS.name, _ONE)
            return []
        row: Row = {"from": message.sender, "kind": message.kind, "body": message.body}
        try:
            said = self._inner.handle(replace(message, to=self.name))
        except ForgeryError as error:
            if not _convicts(self._inner):
                raise
            # The lender's own signature is against it: the papers are kept, and it is told nothing more.
            self.store.put(CAME.name, self.store.count(CAME.name).to_bytes(4), row)
            self.store.take(SAYS.name, _ONE)
            self._trouble(error)
            return []
        self.store.put(CAME.name, self.store.count(CAME.name).to_bytes(4), row)
        return self._say(said)

    def _say(self, messages: list[Message]) -> list[Message]:
        """Keep what is said, so that it can be said again; hold an application back until the person applies."""
        for message in messages:  # one at most: a wallet says one thing after another
            row: Row = {"to": message.to, "kind": message.kind, "body": message.body}
            self.store.put(SAYS.name, _ONE, row)
            if message.kind == FIRST:
                mine = self.store.get(MINE.name, _ONE) or {}
                self.store.put(MINE.name, _ONE, {**mine, "ticket": ticket_of(message)})
                if self._goal != APPLY:
                    return []
        return messages

    def _in_vain(self) -> bool:
        """Say whether what it waits for has been dropped by now: an opening that came late, or to a wrong clock."""
        row = self.store.get(MINE.name, _ONE)
        began = None if row is None else row["since"]
        return isinstance(began, int) and day_of(self._clock) > began + KEEP_DAYS

    def _forget(self) -> None:
        """Let go of an application that nothing comes of."""
        self.store.take(SAYS.name, _ONE)
        self.store.take(MINE.name, _ONE)
        self._inner = None

    def _says(self) -> Message | None:
        row = self.store.get(SAYS.name, _ONE)
        return None if row is None else Message(str(row["to"]), str(row["kind"]), blob_of(row, "body"))

    def _ticket(self) -> bytes:
        row = self.store.get(MINE.name, _ONE)
        return b"" if row is None else blob_of(row, "ticket")

    def _made_again(self) -> Inner | None:
        row = self.store.get(MINE.name, _ONE)
        if row is None:
            return None
        inner = self._make(blob_of(row, "terms"), expand(blob_of(row, "seed"), b"wallet"))
        inner.handle(Message(self.name, APPLY, b""))
        for _, came in self.store.items(CAME.name):
            with suppress(BlindscoreError):  # what convicts a lender is refused again
                inner.handle(Message(self.name, str(came["kind"]), blob_of(came, "body"), str(came["from"])))
        return inner


def _convicts(inner: Inner) -> bool:
    """Say whether a wallet holds papers against its lender."""
    return bool(getattr(inner, "bent", False)) or getattr(inner, "off_terms", None) is not None
