"""Served: the institutions of a prepared design, each a process of its own behind TLS, and who watches their lines."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from blindscore_app.town.authority import Identity
from blindscore_app.town.folders import LENDER
from blindscore_app.town.letterbox import NOTED, OUTGOING
from blindscore_app.town.lines import Lines
from blindscore_app.town.serving import LOOPBACK, serve
from blindscore_app.town.tap import Tap
from blindscore_app.town.wire import namespaces
from blindscore_app.town.wire.defence import Defence, Renewing
from blindscore_app.town.wire.link import Link
from blindscore_app.town.wire.observer import SERVICE_PORT, Seen
from blindscore_app.town.wire.prepared import Prepared, Seat
from blindscore_app.town.wire.workers import Workers
from blindscore_crypto.sealed.parties.lender import ARRIVED

HIDDEN_PORT = 8443  # of the first institution to which no wallet speaks
UNDONE = (ARRIVED.name, NOTED.name, OUTGOING.name)
Plant = Callable[[Any], Any]


@dataclass
class Served:
    """Institutions that are up.

    Parameters
    ----------
    ports
        By name.
    open
        Names of those to which wallets speak; the lender first.
    """

    ports: Mapping[str, int]
    open: tuple[str, ...]
    _pipes: tuple[Any, ...]

    @classmethod
    def up(
        cls,
        workers: Workers,
        prepared: Prepared,
        defence: Defence,
        identities: Mapping[str, Identity],
        space: str | None,
        plant: Plant | None,
    ) -> Served:
        """Start everybody, and tell each where the others listen; in a namespace, or else on loopback."""
        seats = {LENDER: Seat(prepared.lender), **prepared.others}
        open_, pipes = tuple(name for name, seat in seats.items() if not seat.closed), dict[str, Any]()
        for name, seat in seats.items():
            at = HIDDEN_PORT + len(pipes) if seat.closed else SERVICE_PORT + open_.index(name)
            bent = plant if name == prepared.last else None
            pipes[name] = workers.start(_serve, identities[name], seat, defence, space, at, bent)
        ports = {name: pipe.recv() for name, pipe in pipes.items()}
        served = cls(ports, open_, tuple(pipes.values()))
        served._ask({name: f"https://{LOOPBACK}:{port}" for name, port in ports.items()})
        return served

    def renew(self) -> None:
        """Make every party anew."""
        self._ask("renew")

    def spent(self) -> float:
        """Return the processor time of all, seconds."""
        return sum(self._ask("spent"))

    def undone(self) -> int:
        """Return how much there is that some party has still to do, or to say to another."""
        return int(sum(self._ask("undone")))

    def _ask(self, what: Any) -> list[float]:
        for pipe in self._pipes:
            pipe.send(what)
        return [pipe.recv() for pipe in self._pipes]


def _serve(
    pipe: Any, identity: Identity, seat: Seat, defence: Defence, space: str | None, port: int, plant: Plant | None
) -> None:
    """One institution's process."""
    from blindscore_app.town.service import Service

    def make() -> Any:
        made = seat.make(defence)
        return made if plant is None else plant(made)

    party, addresses = Renewing(make), dict[str, str]()

    def heed() -> None:
        """Do what the experimenter says; answer with what is undone, or else with the processor time that was spent."""
        while True:
            told = pipe.recv()
            if told == "renew":
                party.renew()
            elif told == "undone":
                pipe.send(sum(party.store.count(name) for name in UNDONE if name in party.store.specs))
                continue
            elif told != "spent":
                addresses.update(told)
            pipe.send(time.process_time())

    def ready(at: int) -> None:
        pipe.send(at)
        threading.Thread(target=heed, daemon=True).start()

    service = Service(party, Lines(lambda: addresses, identity.client_side()), answer_after=defence.answer_after)
    host, at = (LOOPBACK, 0) if space is None else ("0.0.0.0", port)
    with contextlib.nullcontext() if space is None else namespaces.inside(space):
        serve(service, host, at, identity.server_side(known_only=seat.closed), ready=ready)


def tapped(pipe: Any, ports: list[int], link: Link, seed: int, stop: Any) -> None:
    """Forward to each of these ports from another, which the pipe is told, until all has been played."""

    async def forward() -> Seen:
        taps = [Tap((LOOPBACK, port), link, seed + i) for i, port in enumerate(ports)]
        pipe.send([await tap.start() for tap in taps])
        while not stop.is_set():
            await asyncio.sleep(0.05)
        for tap in taps:
            await tap.stop()
        seen = [tap.seen() for tap in taps]
        at = np.concatenate([one.at for one in seen])
        order = np.argsort(at, kind="stable")
        port, size = (np.concatenate([getattr(one, name) for one in seen])[order] for name in ("port", "size"))
        return Seen(at[order], port, size)

    pipe.send(asyncio.run(forward()))
