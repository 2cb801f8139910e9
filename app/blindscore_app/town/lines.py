"""Lines: carries a party's messages to the addresses of others and brings back what they answered."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from blindscore.errors import DataError, ForgeryError
from blindscore.extras import needs
from blindscore.parties.message import MAX_BODY, Message
from blindscore_app.town.bundle import MEDIA, pack, unpack

with needs("town"):
    import httpx

CONNECT_S, ANSWER_S = 5.0, 60.0
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
    """

    addresses: Mapping[str, str] | Callable[[], Mapping[str, str]]
    context: ssl.SSLContext
    tokens: Mapping[str, str] = field(default_factory=dict)
    fresh: bool = False

    def __post_init__(self) -> None:
        self._client = self._new()

    def _new(self) -> httpx.Client:
        return httpx.Client(verify=self.context, timeout=httpx.Timeout(ANSWER_S, connect=CONNECT_S), trust_env=False)

    def begin(self) -> None:
        """Begin another exchange: a wallet's next messages go over new connections."""
        if self.fresh:
            self._client.close()
            self._client = self._new()

    def send(self, message: Message) -> list[Message]:
        """Send one message; return the answers, their sender being whom it was sent to.

        Raises
        ------
        DataError
            Nobody of that name has an address, nobody answers there, or the answer is not one of ours.
        """
        known = self.addresses() if callable(self.addresses) else self.addresses
        to, address = message.to, known.get(message.to)
        if address is None:
            raise DataError(f"no address of {to} is known; name it in the configuration")
        headers = {"content-type": MEDIA}
        if to in self.tokens:
            headers[TOKEN] = f"Bearer {self.tokens[to]}"
        try:
            with self._client.stream("POST", f"{address}/messages", content=pack([message]), headers=headers) as answer:
                body = b""
                for chunk in answer.iter_bytes():
                    body += chunk
                    if len(body) > MAX_BODY:
                        raise DataError(f"{to} answers with more than {MAX_BODY} bytes")
                if answer.status_code != httpx.codes.OK:
                    raise DataError(f"{to} answers {answer.status_code}: {body[:200].decode('utf-8', 'replace')}")
        except httpx.HTTPError as error:
            raise DataError(f"{to} does not answer at {address}: {type(error).__name__}") from None
        try:
            return unpack(body, to="", sender=to)
        except ForgeryError as error:
            raise DataError(f"{to} answers with something else: {error}") from None

    def close(self) -> None:
        """Close what is open."""
        self._client.close()
