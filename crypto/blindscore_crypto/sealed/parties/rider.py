"""Rider: a wallet that proves a perk's points at an office, has one token signed unseen, and takes it to a gate.

::

    rider                                  office                    gate
      apply, collect     as a .wallet.Wallet with a lender
      token: lookup of the perk's key in the log
      token  ---------------------------->   signed unseen
      ride: visit  ------------------------------------------------->  challenge
            redeem: its name of this visit, token  ----------------->  granted

Who sees what: see :mod:`.office` and :mod:`.gate`. What is drawn for a token is kept before it is sent, so that a lost
reply can be asked for again and gets the same token. Not protected: fetching and riding within minutes of each other.
"""

from __future__ import annotations

import os
from secrets import randbelow

from blindscore.errors import BlindscoreError, DataError, ForgeryError
from blindscore.parties.message import Message
from blindscore.parties.party import Clock, wall_clock
from blindscore.parties.store import Field, Row, Store, TableSpec, blob_of
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.sealed.log.entries import Kind, token_key_key
from blindscore_crypto.sealed.log.lookup import Watcher
from blindscore_crypto.sealed.offer import digest
from blindscore_crypto.sealed.parties.office import token_request
from blindscore_crypto.sealed.parties.wallet import Wallet
from blindscore_crypto.sealed.perks.token_key import TokenKey
from blindscore_crypto.sealed.perks.tokens import NONCE_BYTES, Challenge, PendingToken, request_with

SALT_BYTES = 48  # of RSASSA-PSS with SHA-384
RIDE = TableSpec(
    "ride",
    Field("epoch", "own"),
    tuple(Field(name, "own") for name in ("key", "nonce", "blind", "salt", "token", "visit", "granted")),
)
_BLANK = dict.fromkeys((f.name for f in RIDE.fields), b"")


class Rider:
    """One person's way to a perk.

    Parameters
    ----------
    wallet
        Whose lender is the perk's office; its terms' threshold is the perk.
    gate
        The gate's name.
    challenge
        What the gate asks for, the same for everybody.
    """

    role = "wallet"

    def __init__(self, wallet: Wallet, gate: str, challenge: Challenge, clock: Clock = wall_clock) -> None:
        self.wallet, self.gate, self.challenge, self._clock = wallet, gate, challenge, clock
        self._watcher = Watcher(wallet.setting.trust, wallet.store)
        self.store.declare(RIDE)
        self._looking = False

    @property
    def name(self) -> str:
        """The wallet's."""
        return self.wallet.name

    @property
    def store(self) -> Store:
        """The wallet's."""
        return self.wallet.store

    @property
    def token(self) -> bytes:
        """The token, or nothing."""
        return self._ride()["token"]

    @property
    def granted(self) -> bool | None:
        """What the gate said at the last ride: opened for the first time, or told again; None if it did neither."""
        said = self._ride()["granted"]
        return bool(said[-1]) if said else None

    def handle(self, message: Message) -> list[Message]:
        """See :class:`~blindscore.parties.party.Party`. A message that is refused is noted, and nobody is told."""
        action = {
            "token": self._begin if not message.sender else self._finish,
            "ride": lambda _: [Message(self.gate, "visit", b"")],
            "found": self._learn if self._looking else None,
            "challenge": self._redeem,
            "granted": self._note,
            "refused": self._refused if message.sender == self.gate else None,
        }.get(message.kind)
        if action is None or (message.kind in ("challenge", "granted") and message.sender != self.gate):
            return self.wallet.handle(message)
        try:
            return action(message)
        except BlindscoreError as error:
            self.wallet.trouble(error)
            return []

    def _ride(self) -> dict[str, bytes]:
        row: Row = self.store.get(RIDE.name, self._when) or _BLANK
        return {name: blob_of(row, name) for name in _BLANK}

    def _keep(self, **changed: bytes) -> None:
        self.store.put(RIDE.name, self._when, self._ride() | changed)

    @property
    def _when(self) -> bytes:
        return self.wallet.setting.epoch.encode()

    @property
    def _key_sought(self) -> bytes:
        """The log's key of this perk's token key."""
        terms = self.wallet.terms
        return token_key_key(terms.lender_key, terms.threshold, terms.epoch.number)

    def _begin(self, _: Message) -> list[Message]:
        """Look the perk's key up, unless that was done; ask for the token."""
        if self.wallet.verdict() is not True:
            raise DataError("the office has not said that this perk's points are reached; apply first")
        if self._ride()["key"]:
            return [self._request()]
        self._looking = True
        return [Message(self.wallet.setting.log, "lookup", self._watcher.ask([self._key_sought]))]

    def _learn(self, message: Message) -> list[Message]:
        self._looking = False
        (entry,) = self._watcher.read([self._key_sought], message.body, self._clock())
        if entry is None or entry.kind != Kind.TOKEN_KEY:
            raise DataError("the public log proves that this office has no key for this perk's tokens")
        found = TokenKey.decode(entry.body)
        blind = 2 + randbelow(found.rsa.n - 3)
        drawn = {"nonce": os.urandom(NONCE_BYTES), "salt": os.urandom(SALT_BYTES)}
        self._keep(key=entry.body, blind=blind.to_bytes(found.rsa.size, "big"), **drawn)
        return [self._request()]

    def _pending(self) -> PendingToken:
        ride = self._ride()
        if not ride["key"]:
            raise ForgeryError("a token comes that nobody asked for")
        blind = int.from_bytes(ride["blind"], "big")
        return request_with(self.challenge, TokenKey.decode(ride["key"]), ride["nonce"], blind, ride["salt"])

    def _request(self) -> Message:
        papers = self.wallet.application()
        if papers is None:
            raise DataError("there is no answer that a token could be asked for with")
        answer, seed = (blob_of(papers, name) for name in ("answer", "client"))
        body = token_request(digest(answer), self._pending().request, SigningKey.of_seed(seed))
        return Message(self.wallet.setting.lender, "token", body)

    def _finish(self, message: Message) -> list[Message]:
        if message.sender != self.wallet.setting.lender:
            raise ForgeryError("a token comes from somebody who is not the office")
        self._keep(token=self._pending().finish(message.body))
        return []

    def _redeem(self, message: Message) -> list[Message]:
        if not self.token:
            raise DataError("there is no token to ride with; fetch one first")
        self._keep(visit=message.body, granted=b"")
        return [Message(self.gate, "redeem", message.body + self.token)]

    def _refused(self, _: Message) -> list[Message]:
        raise DataError("the gate refuses this token: it was spent before, or its epoch is over")

    def _note(self, message: Message) -> list[Message]:
        self._keep(granted=message.body)
        return []
