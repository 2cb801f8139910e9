"""Serving: a service behind TLS 1.3 until it is told to end; requests under way are answered first."""

from __future__ import annotations

import asyncio
import secrets
import threading
from typing import Any, Protocol, Self

from blindscore.errors import DataError
from blindscore.extras import needs
from blindscore_app.town.service import REFRESH_S

with needs("town"):
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool

LOOPBACK, UP_S = "127.0.0.1", 30.0
CLOSING_S = 0.5  # within which a peer answers the end of TLS; who keeps a line without reading it never does


class Served(Protocol):
    """What can be served."""

    @property
    def settle_every(self) -> float:
        """Seconds between the calls of ``by_the_clock``."""
        ...

    def app(self) -> Starlette:
        """Return the ASGI application."""
        ...

    def by_the_clock(self, since: float) -> float:
        """Do what is due; see :meth:`Service.by_the_clock`."""
        ...

    def close(self) -> None:
        """Close the connections to others."""
        ...


class InThread:
    """A service in a thread of its own on this machine, until it is stopped or a ``with`` block ends.

    Raises
    ------
    DataError
        It does not listen within :data:`UP_S`.
    """

    def __init__(self, service: Served, tls: Any) -> None:
        self.service, self.port, self._ended, ready = service, 0, threading.Event(), threading.Event()

        def listening(port: int) -> None:
            self.port = port
            ready.set()

        how = {"ready": listening, "until": self._ended}
        self._thread = threading.Thread(target=serve, args=(service, LOOPBACK, 0, tls), kwargs=how, daemon=True)
        self._thread.start()
        if not ready.wait(UP_S):
            raise DataError(f"a service does not listen after {UP_S:.0f} seconds; the machine may be too busy")

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"https://{LOOPBACK}:{self.port}"

    def stop(self) -> None:
        """End it, and wait until it has ended."""
        self._ended.set()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.stop()


def serve(
    service: Served, host: str, port: int, tls: Any, *, ready: Any = None, until: threading.Event | None = None
) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are answered before it ends.

    Parameters
    ----------
    tls : ssl.SSLContext
    ready : callable, optional
        Called with the port once it listens; with port 0 the system chooses one.
    until
        Set by another thread to end it, where the service is a thread and no process.
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

        def shutdown(self) -> None:
            super().shutdown()
            if self.transport.is_closing():
                asyncio.get_running_loop().call_later(CLOSING_S, self.transport.abort)

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
            if until is not None and until.is_set():
                server.should_exit = True
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

    try:
        asyncio.run(run())
    finally:
        service.close()
