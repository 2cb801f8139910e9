"""Lines: carries a party's messages to the addresses of others and brings back what they answered."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from blindscore.errors import DataError
from blindscore.parties.message import MAX_BODY, Message
from blindscore_app.town.bundle import MEDIA, answers_of, pack
from blindscore_app.town.end_point import end_point, key_config
from blindscore_app.town.posting import Posting
from blindscore_crypto.sealed.offer import NO_CHANNEL

if TYPE_CHECKING:
    from blindscore_app.town.via_relay import Via

TOKEN = "authorization"


@dataclass
class Lines:
    """The outgoing side of one party.

    Parameters
    ----------
    addresses
        Name of an institution -> "https://host:port"; or what returns it, since parties come up one after another.
    context
        TLS: with the institution's certificate, or anonymous for a wallet.
    tokens
        Name of an institution -> what logs this person in there; of a wallet only.
    fresh
        Make new connections for each exchange (:meth:`begin`), so that two exchanges of one person share none.
    via
        The relay through which some institutions are reached; None where all are spoken to directly.
    """

    addresses: Mapping[str, str] | Callable[[], Mapping[str, str]]
    context: ssl.SSLContext
    tokens: Mapping[str, str] = field(default_factory=dict)
    fresh: bool = False
    via: Via | None = None

    def __post_init__(self) -> None:
        self._posting = Posting(self.context, MAX_BODY)

    def begin(self) -> None:
        """Begin another exchange: a wallet's next messages go over new connections, once the keys are checked.

        Raises
        ------
        DataError, ForgeryError
            See :meth:`.via_relay.Via.check`.
        """
        if self.fresh:
            self._posting.close()
        if self.via is not None and self.via.logged is not None:
            self.via.check(self._posting, self._address(self.via.name))

    def send(self, message: Message) -> list[Message]:
        """Send one message; return the answers, their sender being whom it was sent to.

        Raises
        ------
        DataError
            Nobody of that name has an address, nobody answers there, or the answer is not one of ours.
        """
        via = self.via if self.via is not None and message.to in self.via.configs else None
        to = message.to if via is None else via.name
        address = self._address(to)
        if via is not None:
            return via.send(self._posting, address, message)
        headers = {"content-type": MEDIA}
        if to in self.tokens:
            headers[TOKEN] = f"Bearer {self.tokens[to]}"
        try:
            answer = self._posting.ask(address, "/messages", pack([message]), headers)
        except DataError as error:
            raise DataError(f"{to} does not answer: {error}") from None
        return answers_of(to, answer.status, answer.body)

    def _address(self, to: str) -> str:
        known = self.addresses() if callable(self.addresses) else self.addresses
        if to not in known:
            raise DataError(f"no address of {to} is known; name it in the configuration")
        return known[to]

    def channel_to(self, to: str) -> bytes:
        """Return the channel to an institution, as this end of the line sees it (:mod:`.end_point`)."""
        if self.via is not None and to in self.via.configs:
            return key_config(self.via.configs[to].encode())
        known = self.addresses() if callable(self.addresses) else self.addresses
        try:
            return end_point(self._posting.certificate(known[to]))
        except (KeyError, DataError):
            return NO_CHANNEL  # the message that follows cannot be sent either, and says why

    def close(self) -> None:
        """Close what is open."""
        self._posting.close()
