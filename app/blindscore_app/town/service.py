"""Service: a party behind HTTPS.

Who sees what: the party sees its messages and, of a sender, what the line shows: the name in an institution's
certificate, the legal id that a login stands for, or a label good for this connection; of what a relay brings, a label
good for this request, and the relay's address.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

from blindscore.errors import BlindscoreError, ForgeryError
from blindscore.extras import needs
from blindscore.parties.message import Message
from blindscore.parties.party import Party
from blindscore_app.town.bundle import MEDIA, pack, unpack
from blindscore_app.town.front import LOG, Answered, Front, Meter, Work
from blindscore_app.town.lines import TOKEN, Lines
from blindscore_app.town.warrant import Heeded

with needs("town"):
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

if TYPE_CHECKING:
    from blindscore_app.town.oblivious import Desk

SWEEP_S = 3600.0  # between the times at which what has outlived its retention is dropped
AGAIN_S = 1.0  # before what could not be sent is sent again
REFRESH_S = 300.0  # between the times at which a log has its head cosigned anew
MAX_STEPS = 256  # messages that one request may set off


@dataclass
class Service:
    """One party, what carries its messages on, and who may log in.

    Parameters
    ----------
    party
        Whose ``handle`` is called, in a thread.
    lines
        To other institutions.
    logins
        SHA-256 of a token, hexadecimal -> legal id; empty where nobody logs in.
    answer_after
        See :class:`~blindscore_app.town.front.Front`.
    settle_every
        Seconds between the calls of a party's ``settle``, where it has one: work that is due by the clock, off the path
        of any reply.
    heeded
        The standing orders on this party, where there may be any.
    desk
        Opens what wallets seal and a relay brings; None where none does.
    """

    party: Party
    lines: Lines
    logins: Mapping[str, str] = field(default_factory=dict)
    answer_after: float = 0.0
    settle_every: float = 0.25
    heeded: Heeded | None = None
    desk: Desk | None = None

    def __post_init__(self) -> None:
        self.front = Front(self.party.role, self.party.name, self.heeded, self.answer_after)
        self._sweep_due = self._post_due = time.monotonic()
        self._one_at_a_time = threading.Lock()  # a party answers one message after another

    @property
    def meter(self) -> Meter:
        """What was served."""
        return self.front.meter

    def app(self) -> Starlette:
        """Return the ASGI application."""
        routes = [
            Route("/messages", self._messages, methods=["POST"]),
            Route("/gateway", self._gateway, methods=["POST"]),
            Route("/health", self.front.health),
            Route("/metrics", self.front.metrics),
        ]
        return Starlette(routes=routes)

    async def _messages(self, request: Request) -> Response:
        def read(body: bytes) -> tuple[str, Work]:
            messages = unpack(body, self.party.name, self._sender(request))
            return _kind_of(messages), lambda: Answered(pack(self._work(messages)), MEDIA)

        return await self.front.take(request, read)

    async def _gateway(self, request: Request) -> Response:
        """Answer what a relay brings (RFC 9458): a sealed request, whose sender no line shows."""

        def read(body: bytes) -> tuple[str, Work]:
            if self.desk is None:
                raise ForgeryError("no key of this party is published; nothing can be sealed to it")
            inner, seal = self.desk.opened(body)
            messages = unpack(inner, self.party.name, f"line {secrets.token_hex(8)}")
            kind = _kind_of(messages)

            def work() -> Answered:
                try:
                    return seal(HTTPStatus.OK, pack(self._work(messages)))
                except BlindscoreError as error:
                    self.front.refused(kind, error)  # said inside: the relay reads no refusal
                    return seal(HTTPStatus.BAD_REQUEST, b"refused")

            return kind, work

        return await self.front.take(request, read)

    def _sender(self, request: Request) -> str:
        """Return what the line shows of who speaks."""
        peer: str = getattr(request.state, "peer", "")
        if peer:
            return peer
        scheme, _, token = request.headers.get(TOKEN, "").partition(" ")
        if scheme == "Bearer" and self.logins:
            digest = hashlib.sha256(token.encode()).hexdigest()
            if digest in self.logins:
                return self.logins[digest]
        # One connection is one exchange: what follows an application on its line is answered on it.
        return str(getattr(request.state, "line", f"line {id(request):x}"))

    def _work(self, messages: list[Message]) -> list[Message]:
        """Let the party handle messages and what follows from them, until nothing is left but answers to the sender."""
        if self.heeded is not None:
            self.heeded.note(messages)
        waiting = deque(messages)
        return self._follow(waiting, messages[0].sender if messages else "")

    def _follow(self, waiting: deque[Message], asker: str) -> list[Message]:
        back: list[Message] = []
        for _ in range(MAX_STEPS):
            if not waiting:
                return back
            with self._one_at_a_time:
                answers = self.party.handle(waiting.popleft())
            for answer in answers:
                if answer.to == asker:
                    back.append(answer)
                else:
                    waiting.extend(self.lines.send(answer))
        raise BlindscoreError("one request set off too many messages")

    def by_the_clock(self, since: float) -> float:
        """Do what is due by the clock: settle what waits, and speak to those who must be told. Return when that was.

        Parameters
        ----------
        since
            When a party that refreshes (:class:`~blindscore_crypto.sealed.parties.log.LogKeeper`) last did, seconds.
        """
        settle, sweep, refresh = (getattr(self.party, name, None) for name in ("settle", "sweep", "refresh"))
        try:
            if settle is not None:
                settle()
            self._post()
            if sweep is not None and time.monotonic() >= self._sweep_due:
                sweep()
                self._sweep_due = time.monotonic() + SWEEP_S
        except BlindscoreError as error:  # the database is away, or full: what waits is settled in a later round
            LOG.info(json.dumps({"role": self.party.role, "by the clock": type(error).__name__}))
        if refresh is not None and time.monotonic() - since >= REFRESH_S:
            with self._one_at_a_time:
                messages = refresh()
            try:
                for message in messages:
                    self._follow(deque(self.lines.send(message)), "")
            except BlindscoreError as error:  # not everybody is up yet; the next round tries again
                LOG.info(json.dumps({"role": self.party.role, "refresh": type(error).__name__}))
                return since
            return time.monotonic()
        return since

    def _post(self) -> None:
        """Send what a party has to say by itself (:mod:`.letterbox`), until it is taken."""
        outgoing = getattr(self.party, "outgoing", None)
        if outgoing is None or time.monotonic() < self._post_due:
            return
        for what, message in outgoing():
            try:
                self._follow(deque(self.lines.send(message)), "")
            except BlindscoreError as error:  # whoever it is for is away: in a later round
                LOG.info(json.dumps({"role": self.party.role, "unsent": message.kind, "why": type(error).__name__}))
                self._post_due = time.monotonic() + AGAIN_S
            else:
                self.party.taken(what)  # type: ignore[attr-defined]

    def close(self) -> None:
        """Close the lines."""
        self.lines.close()


def _kind_of(messages: list[Message]) -> str:
    return messages[0].kind if len(messages) == 1 else "several"
