"""Relaying: the relay behind HTTPS. It moves sealed bytes, hands out receipts, and publishes its counts.

::

    POST /to/DIGEST  a sealed request (RFC 9458) -> the sealed answer, and in a header the relay's receipt
    POST /messages   a complaint: what came back says nothing
    GET  /counts     by day and institution: passed on, answered, complained of; signed

Who sees what: of a wallet its address and the size of what it sends, while it is passed on; of an institution the same.
Kept are counts by day. A standing order takes addresses, times and sealed bytes: see :mod:`.warrant`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from blindscore.errors import DataError, ForgeryError
from blindscore.extras import needs
from blindscore.parties.message import Message
from blindscore_app.town.bundle import MEDIA, pack, unpack
from blindscore_app.town.front import Answered, Front, Work
from blindscore_app.town.posting import Posting
from blindscore_app.town.via_relay import RECEIPT, filled, way_to
from blindscore_app.town.warrant import Heeded
from blindscore_crypto.channel.ohttp import REQUEST_MEDIA, RESPONSE_MEDIA
from blindscore_crypto.channel.relay import Relay

with needs("town"):
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

SIGNATURE = "blindscore-signature"  # header
COUNTS = "application/vnd.blindscore.counts+json"
SWEEP_S = 3600.0


@dataclass
class Relaying:
    """A relay, and the connections on which it passes on.

    Parameters
    ----------
    addresses
        Returns where institutions listen.
    heeded
        The standing orders on the relay.
    """

    relay: Relay
    posting: Posting
    addresses: Callable[[], Mapping[str, str]]
    heeded: Heeded | None = None
    answer_after: float = 0.0
    settle_every: float = 1.0

    def __post_init__(self) -> None:
        self._ways = {way_to(name): name for name in self.relay.institutions}
        self.front = Front(self.relay.role, self.relay.name, self.heeded, self.answer_after)

    def app(self) -> Starlette:
        """Return the ASGI application."""
        return Starlette(
            routes=[
                Route("/to/{digest}", self._pass, methods=["POST"]),
                Route("/messages", self._messages, methods=["POST"]),
                Route("/counts", self._counts),
                Route("/health", self.front.health),
                Route("/metrics", self.front.metrics),
            ]
        )

    def by_the_clock(self, since: float) -> float:
        """Drop the counts of days long past, once an hour; return when that was, as in a party's service."""
        if time.monotonic() - since < SWEEP_S:
            return since
        try:
            self.relay.sweep()
        except DataError:  # the database is away: the next round tries again
            return since
        return time.monotonic()

    def close(self) -> None:
        """Close the connections to institutions."""
        self.posting.close()

    async def _pass(self, request: Request) -> Response:
        name, host = self._ways.get(request.url.path, ""), request.client.host if request.client else ""

        def read(body: bytes) -> tuple[str, Work]:
            if not name:
                raise ForgeryError("this relay carries nothing there")
            return "sealed", lambda: self._passed(name, body, host)

        return await self.front.take(request, read)

    def _passed(self, name: str, body: bytes, host: str) -> Answered:
        if self.heeded is not None:
            self.heeded.note([Message(self.relay.name, f"to {name}", body, f"address {host}")])
        self.relay.passing(name)
        answer: bytes | None = None
        try:
            address = self.addresses().get(name)
            if address is None:
                raise DataError(f"no address of {name} is known")
            reply = self.posting.ask(address, "/gateway", body, {"content-type": REQUEST_MEDIA})
            if reply.status == HTTPStatus.OK:
                answer = reply.body
        except DataError:  # the receipt says that nothing came back
            answer = None
        receipt = {RECEIPT: filled(self.relay.receipt(name, body, answer).encode())}
        if answer is None:
            return Answered(b"unanswered", "text/plain", HTTPStatus.GATEWAY_TIMEOUT, receipt)
        return Answered(answer, RESPONSE_MEDIA, HTTPStatus.OK, receipt)

    async def _messages(self, request: Request) -> Response:
        def read(body: bytes) -> tuple[str, Work]:
            messages = unpack(body, self.relay.name, "line")
            return "complaint", lambda: Answered(pack([a for m in messages for a in self.relay.handle(m)]), MEDIA)

        return await self.front.take(request, read)

    async def _counts(self, request: Request) -> Response:
        body, signature = await run_in_threadpool(self.relay.published)
        return Response(body, headers={SIGNATURE: signature.hex()}, media_type=COUNTS)
