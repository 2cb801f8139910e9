"""Taps on every line that a wallet speaks on, in a thread of their own; whoever reads them stands on the line."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from blindscore_app.town.tap import UP, Tap

T = TypeVar("T")
PATIENCE_S = 10.0


@dataclass(frozen=True)
class Seen:
    """One connection, as who stands on the line saw it."""

    to: str
    at: float  # seconds since the tap began
    packets: int
    up: int  # bytes towards the party
    down: int  # bytes back
    largest: bytes  # the largest run of bytes that went up: under TLS


class Wire:
    """Taps in front of institutions; wallets that use :attr:`addresses` pass through them.

    Parameters
    ----------
    addresses
        Name of an institution -> "https://host:port", where it really listens.
    """

    def __init__(self, addresses: Mapping[str, str]) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._taps: dict[str, Tap] = {}
        self.addresses: dict[str, str] = {}
        for name, address in addresses.items():
            parts = urlsplit(address)
            tap = Tap((parts.hostname or "", parts.port or 0), keep=True)
            self.addresses[name] = f"https://127.0.0.1:{self._do(tap.start())}"
            self._taps[name] = tap

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    def seen(self) -> list[Seen]:
        """Return every connection so far that carried anything, the oldest first by party."""
        found = []
        for name, tap in self._taps.items():
            for flow in tuple(tap.flows):
                packets = tuple(flow.packets)
                up = [p for p in packets if p.direction == UP]
                if up:
                    sent = sum(p.size for p in up)
                    back = sum(p.size for p in packets) - sent
                    largest = max(up, key=lambda p: p.size).content
                    found.append(Seen(name, flow.opened, len(packets), sent, back, largest))
        return found

    def content(self) -> bytes:
        """Return all bytes that passed, in no order across connections."""
        flows = [flow for tap in self._taps.values() for flow in tuple(tap.flows)]
        return b"".join(p.content for flow in flows for p in tuple(flow.packets))

    def close(self) -> None:
        """Stop listening and cut what is open."""
        for tap in self._taps.values():
            self._do(tap.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_S)
        self._loop.close()
