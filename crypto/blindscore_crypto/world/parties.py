"""Parties of a credential: who issues knows the person and the score; a wallet holds; two lenders ask, one by one.

Who sees what: the issuer who fetches and, where a lender looks one credential's status up, where it is used; a lender
what the scheme's presentation shows; the wallet everything of its own person. A status list is fetched whole.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from blindscore.errors import ForgeryError
from blindscore.parties.cast import APPLY, Ending
from blindscore.parties.message import Message
from blindscore.parties.store import Field, MemoryStore, Store, TableSpec
from blindscore.scorecard.card import Card
from blindscore_crypto.world.scheme import Checking, Claims, Holding, Issuing, Scheme

LENDERS = ("lender", "second lender")
ISSUED, APPLICATIONS, ACCOUNTS = "issued", "applications", "accounts"
NONCE, MAX_BATCH = 16, 64
STATUS = "status"


def accounts_spec(kinds: Mapping[str, str]) -> TableSpec:
    """Return the table of what a source holds of its customers: by legal id, columns of these kinds."""
    fields = tuple(Field(name, kind) for name, kind in kinds.items())  # type: ignore[arg-type]
    return TableSpec(ACCOUNTS, Field("legal_id", "handle"), fields)


@dataclass
class Issuer:
    """A source that issues credentials to its own customers: their claims by legal id."""

    issuing: Issuing
    claims: Mapping[str, Claims]
    store: Store
    role: str = "source"
    name: str = "source"
    revoked: set[int] = field(default_factory=set)
    issued: int = 0
    status: bool = True  # whether a credential carries its number in the status list; else it lives for a day

    def handle(self, message: Message) -> list[Message]:
        """Issue to the person who logged in, or tell a status."""
        if message.kind == "status":
            return [Message(message.sender, "status", self._status(message.body))]
        claims = self.claims.get(message.sender)
        asked = _list(message.body)
        if claims is None or not 0 < len(asked) <= MAX_BATCH:
            raise ForgeryError("issuing refused: no customer, or no sensible number of keys")
        batch = []
        for key in asked:
            self.issued += 1
            told = {**claims, STATUS: self.issued} if self.status else claims
            credential = self.issuing.issue(key, told)
            self.store.put(ISSUED, credential, {"owner": message.sender, "index": self.issued})
            batch.append(credential)
        return [Message(message.sender, "credentials", _packed(batch))]

    def _status(self, asked: bytes) -> bytes:
        if asked == b"list":  # of all credentials, 1 bit each
            bits = bytearray(1 + self.issued // 8)
            for index in self.revoked:
                bits[index // 8] |= 1 << index % 8
            return bytes(bits)
        return b"\x01" if int(asked) in self.revoked else b"\x00"


@dataclass
class Wallet:
    """One person's: fetches a batch once, then shows one credential of it to each lender in turn."""

    name: str
    scheme: Scheme
    batch: int
    shown: tuple[str, ...]
    lenders: tuple[str, ...] = LENDERS
    store: Store = field(default_factory=MemoryStore)
    role: str = "wallet"
    keys: list[Holding] = field(default_factory=list)
    credentials: list[bytes] = field(default_factory=list)
    answers: list[bool] = field(default_factory=list)

    def handle(self, message: Message) -> list[Message]:
        """Take the next step."""
        if message.kind == APPLY:
            self.keys = [self.scheme.holding() for _ in range(self.batch)]
            return [Message("source", "ask", _packed([key.ask() for key in self.keys]))]
        if message.kind == "credentials":
            self.credentials = _list(message.body)
            return [Message(self.lenders[0], "hello", b"")]
        turn = len(self.answers)
        if message.kind == "nonce":
            i = turn % self.batch
            made = self.keys[i].present(self.credentials[i], self.shown, message.body, self.lenders[turn])
            return [Message(self.lenders[turn], "present", made)]
        self.answers.append(bool(json.loads(message.body)["ok"]))
        return [Message(name, "hello", b"") for name in self.lenders[turn + 1 : turn + 2]]

    def ending(self) -> Ending:
        """Return what the first lender answered."""
        return Ending(self.answers[0] if self.answers else None)


@dataclass
class Lender:
    """Asks for a presentation, checks it and its status, decides on the score that it shows or that its claims give."""

    name: str
    checking: Checking
    reads: Reads
    threshold: int
    store: Store
    look_up: bool = False  # the status of one credential instead of the whole list
    waiting: dict[str, bytes] = field(default_factory=dict)  # by who asks: nonce
    checked: list[tuple[str, bytes, Claims]] = field(default_factory=list)

    @property
    def role(self) -> str:
        """One of the two lenders."""
        return self.name

    def handle(self, message: Message) -> list[Message]:
        """Give a nonce, check a presentation, or decide once its status is known."""
        if message.kind == "hello":
            self.waiting[message.sender] = os.urandom(NONCE)
            return [Message(message.sender, "nonce", self.waiting[message.sender])]
        if message.kind == "present":
            nonce = self.waiting.pop(message.sender, b"")
            claims = self.checking.check(message.body, nonce, self.name)
            self.checked.append((message.sender, message.body, claims))
            if STATUS not in claims:
                return [self._decide(b"")]
            return [Message("source", "status", str(claims[STATUS]).encode() if self.look_up else b"list")]
        return [self._decide(message.body)]

    def _decide(self, status: bytes) -> Message:
        sender, presentation, claims = self.checked.pop(0)
        index = int(claims.get(STATUS) or 0)
        revoked = bool(status) and (any(status) if self.look_up else bool(status[index // 8] >> index % 8 & 1))
        read = self.reads.of(claims)
        self.store.put(APPLICATIONS, os.urandom(NONCE), {**read, "presentation": presentation})
        approved = not revoked and self.reads.score(claims) >= self.threshold
        return Message(sender, "decision", json.dumps({"ok": approved}).encode())


@dataclass(frozen=True)
class Reads:
    """What a lender takes from claims: the score as such, one bit, or figures that it scores itself by the card."""

    columns: tuple[tuple[str, str], ...]  # name, kind
    card: Card | None = None  # where the figures are shown
    threshold: int = 0

    def spec(self) -> TableSpec:
        """Return the table of applications."""
        fields = tuple(Field(name, kind) for name, kind in self.columns)  # type: ignore[arg-type]
        return TableSpec(APPLICATIONS, Field("number", "own"), (*fields, Field("presentation", "handle")))

    def score(self, claims: Claims) -> int:
        """Return the score, or for one bit a number on its side of the threshold."""
        if self.card is not None:
            import pandas as pd

            names = [c.feature for c in self.card.characteristics]
            frame = pd.DataFrame({name: [claims.get(name)] for name in names})
            return int(self.card.scores(self.card.bins(frame))[0])
        if "approved" in claims:
            return self.threshold if claims["approved"] else self.threshold - 1
        return int(claims["score"] or 0)

    def of(self, claims: Claims) -> dict[str, str | int | float | None]:
        """Return the row that is written down."""
        own: dict[str, int] = {"score": self.score(claims)}
        own["decision"] = int(own["score"] >= self.threshold)
        return {name: own[name] if name in own else claims.get(name) for name, _ in self.columns}


def _packed(items: list[bytes]) -> bytes:
    """Return items one after another, each behind its length, 4 bytes."""
    return b"".join(len(item).to_bytes(4, "big") + item for item in items)


def _list(data: bytes) -> list[bytes]:
    items: list[bytes] = []
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if at + 4 + size > len(data) or len(items) >= MAX_BATCH:
            raise ForgeryError("message refused: its parts are longer than it is, or too many")
        items.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    return items
