"""Via relay: a wallet's way to institutions that shall not see its address. It keeps receipts that say "unanswered".

Who sees what: see :mod:`~blindscore_app.town.oblivious`. A receipt shows nobody but the relay which request was whose.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

from blindscore.errors import DataError, ForgeryError
from blindscore.parties.message import Message
from blindscore_app.town.bundle import MEDIA, pack
from blindscore_app.town.logged_keys import LoggedKeys
from blindscore_app.town.oblivious import opened_answer, sealed_to
from blindscore_app.town.posting import Posting, Reply
from blindscore_crypto.channel.ohttp import REQUEST_MEDIA, KeyConfig
from blindscore_crypto.channel.relay import LONGEST_PASSAGE, Passage
from blindscore_crypto.channel.signatures import VerifyingKey

RECEIPT = "blindscore-receipt"  # header
FILLING = "."  # after a receipt, up to the length that the longest name would give it


def way_to(name: str) -> str:
    """Return the path by which the relay is asked to carry to an institution: as long for one as for another.

    Whoever watches the line to the relay sees lengths, and would tell institutions by those of their names.
    """
    return f"/to/{hashlib.sha256(name.encode()).hexdigest()}"


def filled(receipt: bytes) -> str:
    """Return a receipt as a header's value, as long whatever the institution's name."""
    return receipt.hex().ljust(2 * LONGEST_PASSAGE, FILLING)


class Asks(Protocol):
    """What carries a request to the relay: :class:`.Posting`, or :class:`.cover.Cover`."""

    def ask(
        self, address: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Post a body."""
        ...


@dataclass(frozen=True)
class Via:
    """A relay, as a wallet knows it.

    Parameters
    ----------
    name
        The relay's.
    key
        Of its receipts.
    configs
        Institution -> the key that requests to it are sealed to; who is not named here is spoken to directly.
    keep
        Takes the receipt for a request that was not served.
    cover
        Carries requests among dummies (:mod:`.cover`), on lines of its own; None: at once, on the wallet's lines.
    logged
        Holds the keys to the witnessed log before anything else is sealed to them; None where the town has no log.
    """

    name: str
    key: VerifyingKey
    configs: Mapping[str, KeyConfig]
    keep: Callable[[Passage], None] = lambda _: None
    cover: Asks | None = None
    logged: LoggedKeys | None = None

    def check(self, posting: Posting, address: str) -> None:
        """Hold the keys to the log, through the relay at this address; see :mod:`.logged_keys`.

        Raises
        ------
        DataError, ForgeryError
            The log is not reached, or a key is another than everybody's.
        """
        if self.logged is None:
            return
        log = self.logged.log

        def look(question: bytes) -> bytes:
            answers = self._carried(posting, address, Message(log, "lookup", question))
            if [answer.kind for answer in answers] != ["found"]:
                raise DataError(f"{log} does not answer what keys it holds")
            return answers[0].body

        self.logged.require(self.configs, look)

    def send(self, posting: Posting, address: str, message: Message) -> list[Message]:
        """Send a message through the relay at this address; return the answers.

        Raises
        ------
        DataError
            The relay or the institution does not answer, refuses, or says something else.
        ForgeryError
            A key is another than the log holds.
        """
        self.check(posting, address)
        return self._carried(posting, address, message)

    def _carried(self, posting: Posting, address: str, message: Message) -> list[Message]:
        to, line = message.to, posting if self.cover is None else self.cover
        asked = sealed_to(self.configs[to], to, pack([message]))
        reply = line.ask(address, way_to(to), asked.encapsulated, {"content-type": REQUEST_MEDIA})
        if RECEIPT not in reply.headers:
            raise DataError(f"{self.name} answers {reply.status}: {reply.body[:200].decode('utf-8', 'replace')}")
        passage = self._receipt(reply, asked.encapsulated)
        if reply.status != HTTPStatus.OK:
            self.keep(passage)
            raise DataError(f"{to} does not answer {self.name}; the receipt for what was passed on is kept")
        answers = opened_answer(asked, to, reply.body)
        if not answers:  # an answer that says nothing: the relay cannot see that, so it is told
            self.keep(passage)
            line.ask(
                address, "/messages", pack([Message(self.name, "complaint", passage.encode())]), {"content-type": MEDIA}
            )
        return answers

    def _receipt(self, reply: Reply, request: bytes) -> Passage:
        try:
            passage = Passage.read(bytes.fromhex(reply.headers[RECEIPT].rstrip(FILLING)), self.key)
        except (ForgeryError, ValueError):
            raise DataError(f"{self.name} gives a receipt that is none of its own") from None
        answered = passage.answer == hashlib.sha256(reply.body).digest()
        if passage.request != hashlib.sha256(request).digest() or answered != (reply.status == HTTPStatus.OK):
            raise DataError(f"{self.name} gives a receipt for something else than what it was sent and brought back")
        return passage
