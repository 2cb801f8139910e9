"""Service: a party behind HTTPS. Bounded bodies, bounded work at once, logs without a secret.

Who sees what: the party sees its messages and, of a sender, what the line shows: the name in an institution's
certificate, the legal id that a login stands for, or a label good for this connection. Logs hold the role, the kind of
message, its size, the status and the time, and never a body, a name of a person, or a token.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import secrets
import threading
import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from blindscore.errors import BlindscoreError
from blindscore.extras import needs
from blindscore.parties.message import Message
from blindscore.parties.party import Party
from blindscore_app.town.bundle import MEDIA, pack, unpack
from blindscore_app.town.lines import TOKEN, Lines
from blindscore_app.town.warrant import Heeded

with needs("town"):
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.requests import ClientDisconnect, Request
    from starlette.responses import JSONResponse, PlainTextResponse, Response
    from starlette.routing import Route

LOG = logging.getLogger("blindscore.town")
MAX_REQUEST = 1 << 20  # bytes of a request's body
AT_ONCE = 16  # requests worked on or waiting; beyond that, come again later
READ_S = 10.0  # within which a body must have arrived
SWEEP_S = 3600.0  # between the times at which what has outlived its retention is dropped
REFRESH_S = 300.0  # between the times at which a log has its head cosigned anew
MAX_STEPS = 256  # messages that one request may set off
REMEMBERED = 4096  # durations kept for the quantiles


@dataclass
class Meter:
    """What a service did, by kind of message."""

    served: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    seconds: deque[float] = field(default_factory=lambda: deque(maxlen=REMEMBERED))

    def quantile(self, share: float) -> float:
        """Return the time within which this share of requests was answered, seconds; 0 before the first."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0

    def text(self, role: str) -> str:
        """Return the figures as Prometheus reads them."""
        lines = [f'blindscore_served_total{{role="{role}",kind="{k}"}} {n}' for k, n in sorted(self.served.items())]
        lines += [f'blindscore_refused_total{{role="{role}",kind="{k}"}} {n}' for k, n in sorted(self.refused.items())]
        lines += [
            f'blindscore_seconds{{role="{role}",quantile="{share}"}} {self.quantile(share):.6f}'
            for share in (0.5, 0.99)
        ]
        return "\n".join(lines) + "\n"


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
        Seconds after a request's arrival at which its answer leaves; 0 = as soon as it is there. An answer that takes
        longer leaves at the next multiple, so that what it says does not show in the time it takes.
    settle_every
        Seconds between the calls of a party's ``settle``, where it has one: work that is due by the clock, off the path
        of any reply.
    heeded
        The standing orders on this party, where there may be any.
    """

    party: Party
    lines: Lines
    logins: Mapping[str, str] = field(default_factory=dict)
    answer_after: float = 0.0
    settle_every: float = 0.25
    heeded: Heeded | None = None
    meter: Meter = field(default_factory=Meter)

    def __post_init__(self) -> None:
        self._room = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        self._sweep_due = time.monotonic()
        self._one_at_a_time = threading.Lock()  # a party answers one message after another

    def app(self) -> Starlette:
        """Return the ASGI application."""
        routes = [
            Route("/messages", self._messages, methods=["POST"]),
            Route("/health", self._health),
            Route("/metrics", self._metrics),
        ]
        return Starlette(routes=routes)

    async def _health(self, request: Request) -> Response:
        told = 0 if self.heeded is None else self.heeded.told()  # an order that forbids to tell does not count here
        says = {"role": self.party.role, "name": self.party.name, "busy": self._waiting, "standing_orders": told}
        return JSONResponse(says)

    async def _metrics(self, request: Request) -> Response:
        return PlainTextResponse(self.meter.text(self.party.role))

    async def _messages(self, request: Request) -> Response:
        arrived = time.monotonic()
        if self._waiting >= 4 * AT_ONCE:
            return self._refusal(503, "busy; come again in a second", {"retry-after": "1"})
        self._waiting += 1
        kind, size = "unread", 0
        try:
            body = await asyncio.wait_for(_read(request), READ_S)
            if body is None:
                return self._refusal(413, f"a body has at most {MAX_REQUEST} bytes")
            size = len(body)
            messages = unpack(body, self.party.name, self._sender(request))
            kind = messages[0].kind if len(messages) == 1 else "several"
            async with self._room:
                answers = await run_in_threadpool(self._work, messages)
            response = Response(pack(answers), media_type=MEDIA)
            self.meter.served[kind] += 1
        except (TimeoutError, ClientDisconnect):
            response = self._refusal(408, "the body did not arrive in time")
        except BlindscoreError as error:
            # What a party refuses it says in words that repeat no secret; whoever sent a wrong body learns no more.
            self.meter.refused[kind] += 1
            LOG.info(json.dumps({"role": self.party.role, "kind": kind, "refused": type(error).__name__}))
            response = self._refusal(400, "refused")
        finally:
            self._waiting -= 1
        took = time.monotonic() - arrived
        if self.answer_after:
            await self._until(arrived + self.answer_after * (1 + took // self.answer_after))
        self.meter.seconds.append(time.monotonic() - arrived)
        LOG.info(
            json.dumps(
                {
                    "role": self.party.role,
                    "kind": kind,
                    "bytes": size,
                    "status": response.status_code,
                    "ms": round(1e3 * took, 2),
                }
            )
        )
        return response

    @staticmethod
    async def _until(due: float) -> None:
        """Wait for the moment itself: sleep most of it, and look at the clock for the rest."""
        ahead = due - time.monotonic() - 0.002
        if ahead > 0:
            await asyncio.sleep(ahead)
        while time.monotonic() < due:
            await asyncio.sleep(0)  # others go on meanwhile

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

    def _refusal(self, status: int, words: str, headers: dict[str, str] | None = None) -> Response:
        return PlainTextResponse(words, status_code=status, headers=headers)


async def _read(request: Request) -> bytes | None:
    """Return a body, or None where it is longer than allowed; nothing beyond that is kept."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_REQUEST:
            return None
    return body


def serve(service: Service, host: str, port: int, tls: Any, *, ready: Any = None) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are answered before it ends.

    Parameters
    ----------
    tls : ssl.SSLContext
    ready : callable, optional
        Called with the port once it listens; with port 0 the system chooses one.
    """
    with needs("town"):
        import uvicorn
        from uvicorn.protocols.http.h11_impl import H11Protocol

    from blindscore_app.town.authority import common_name

    class Known(H11Protocol):
        """HTTP/1.1 that tells the application the name in the peer's certificate."""

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            peer = common_name(transport.get_extra_info("peercert"))
            self.app_state = {**self.app_state, "peer": peer, "line": f"line {secrets.token_hex(8)}"}

    config = uvicorn.Config(
        service.app(),
        host=host,
        port=port,
        http=Known,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        date_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=10,
        limit_concurrency=256,
        backlog=128,
    )
    config.load()
    config.ssl = tls
    server = uvicorn.Server(config)

    async def by_the_clock() -> None:
        since = -REFRESH_S
        while True:
            await asyncio.sleep(service.settle_every)
            since = await run_in_threadpool(service.by_the_clock, since)

    async def run() -> None:
        task, due = asyncio.ensure_future(server.serve()), asyncio.ensure_future(by_the_clock())
        while not server.started and not task.done():
            await asyncio.sleep(0.01)
        if ready is not None and server.started:
            ready(server.servers[0].sockets[0].getsockname()[1])
        try:
            await task
        finally:
            due.cancel()

    asyncio.run(run())
