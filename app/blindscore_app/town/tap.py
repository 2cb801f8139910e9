"""Tap: sits on a line, forwards every byte, and writes down when how many passed in which direction.

Who sees what: what an observer of the line sees, whoever that is: addresses, times, sizes. It holds no key. It is also
the link: it delays and paces what passes, so that one machine plays several networks.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from blindscore_app.town.wire.link import LINKS, Link
from blindscore_app.town.wire.observer import Seen

CHUNK = 64 * 1024
AGAIN_S = 0.2  # after which what was lost is sent again, beyond a round trip: the least of Linux's TCP
UP: Literal[1] = 1
DOWN: Literal[-1] = -1


@dataclass(frozen=True)
class Packet:
    """One run of bytes that passed."""

    at: float  # seconds since the tap began
    direction: Literal[1, -1]  # up: towards the service
    size: int  # bytes
    content: bytes = b""  # the bytes themselves, where the tap keeps them


@dataclass
class Flow:
    """One connection as it was seen."""

    opened: float
    port: int  # from which the wallet speaks
    packets: list[Packet] = field(default_factory=list)


class Tap:
    """Listens in the place of a service and forwards to it.

    Parameters
    ----------
    target
        Host and port of the service.
    link
        What lies between.
    seed
        Of the jitter: equal seeds give equal networks.
    keep
        Keep the bytes that pass, too.
    """

    def __init__(
        self, target: tuple[str, int], link: Link = LINKS["loopback"], seed: int = 0, *, keep: bool = False
    ) -> None:
        self.target, self.link, self.keep = target, link, keep
        self.flows: list[Flow] = []
        self.began = time.monotonic()
        self._zero = time.time_ns()
        self._random = random.Random(seed)
        self._open: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen; return the port."""
        self._server = await asyncio.start_server(self._connected, host, port)
        chosen: int = self._server.sockets[0].getsockname()[1]
        return chosen

    async def stop(self) -> None:
        """Stop listening, and cut what is still open."""
        if self._server is not None:
            self._server.close()
        for task in tuple(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    def seen(self) -> Seen:
        """Return all that passed in the form of the packet observer; sizes are of runs of bytes, not of packets."""
        rows = [
            (self._zero + int(1e9 * p.at), flow.port, p.direction * p.size) for flow in self.flows for p in flow.packets
        ]
        table = np.array(sorted(rows), np.int64).reshape(-1, 3)
        return Seen(table[:, 0], table[:, 1], table[:, 2])

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # a server's callback runs in one
        self._open.add(task)
        task.add_done_callback(self._open.discard)
        flow = Flow(time.monotonic() - self.began, writer.get_extra_info("peername")[1])
        self.flows.append(flow)
        try:
            inner_reader, inner_writer = await asyncio.open_connection(*self.target)
        except OSError:
            writer.close()
            return
        try:
            await asyncio.gather(
                self._carry(reader, inner_writer, flow, UP), self._carry(inner_reader, writer, flow, DOWN)
            )
        finally:
            for end in (writer, inner_writer):
                end.close()
                with contextlib.suppress(OSError):
                    await end.wait_closed()

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, flow: Flow, direction: Literal[1, -1]
    ) -> None:
        """Carry one direction; a later byte never overtakes an earlier one."""
        due = 0.0
        with contextlib.suppress(OSError):
            while chunk := await reader.read(CHUNK):
                now = time.monotonic()
                kept = chunk if self.keep else b""
                flow.packets.append(Packet(now - self.began, direction, len(chunk), kept))
                wait = max(0.0, self._random.gauss(self.link.delay_s, self.link.jitter_s))
                if self._random.random() < self.link.loss:  # bytes are not lost here: they come late, as sent again
                    wait += 2 * self.link.delay_s + AGAIN_S
                pace = self.link.up_bytes_per_s if direction == UP else self.link.down_bytes_per_s
                due = max(due, now + wait) + len(chunk) / pace
                if due > time.monotonic():
                    await asyncio.sleep(due - time.monotonic())
                writer.write(chunk)
                await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()
