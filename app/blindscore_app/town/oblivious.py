"""Oblivious: what wallet and institution do so that a relay can carry a request that it cannot read (RFC 9458, 9292).

Who sees what: the relay sees that something was sent to an institution, and its size in steps of 16 KiB; kinds of
message, refusals and the person's signatures are inside. The institution sees the relay. Not hidden: when it was sent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from blindscore.errors import DataError, ForgeryError
from blindscore.parties.message import Message
from blindscore_app.town.bundle import MEDIA, answers_of
from blindscore_app.town.front import Answered
from blindscore_crypto.channel.bhttp import BinaryRequest, BinaryResponse
from blindscore_crypto.channel.ohttp import RESPONSE_MEDIA, Asked, Gateway, KeyConfig, ask

STEP = 1 << 14  # bytes: every sealed message is as long as a multiple of it, and nearly all as long as one


def padded(encode: Callable[[int], bytes]) -> bytes:
    """Return a binary HTTP message with zeros up to the next step."""
    return encode(-(-len(encode(0)) // STEP) * STEP)


def sealed_to(config: KeyConfig, name: str, body: bytes) -> Asked:
    """Return a request with this body, sealed to an institution."""
    request = BinaryRequest("POST", "https", name, "/messages", (("content-type", MEDIA),), body)
    return ask(config, padded(request.encode))


def opened_answer(asked: Asked, name: str, answer: bytes) -> list[Message]:
    """Return the messages of a sealed answer.

    Raises
    ------
    DataError
        It is no answer to this request, or says that the institution refuses.
    """
    try:
        inner = BinaryResponse.decode(asked.open(answer))
    except ForgeryError as error:
        raise DataError(f"{name} answers with something else: {error}") from None
    return answers_of(name, inner.status, inner.content)


@dataclass(frozen=True)
class Desk:
    """An institution's end.

    Parameters
    ----------
    name
        The institution's.
    """

    name: str
    gateway: Gateway = field(repr=False)

    def opened(self, encapsulated: bytes) -> tuple[bytes, Callable[[int, bytes], Answered]]:
        """Return a request's body, and what seals the answer to it: status, body -> what the relay carries back.

        Raises
        ------
        ForgeryError
            It does not open, or asks for something else.
        """
        opened = self.gateway.open(encapsulated)
        request = BinaryRequest.decode(opened.request)
        if (request.method, request.authority, request.path) != ("POST", self.name, "/messages"):
            raise ForgeryError("a sealed request asks for something else than this party's messages")

        def seal(status: int, body: bytes) -> Answered:
            return Answered(opened.respond(padded(BinaryResponse(status, (), body).encode)), RESPONSE_MEDIA)

        return request.content, seal
