"""Street: several lenders at once, on lines of their own or behind one relay: what else a line tells than a decision.

The lenders differ in one thing each from the first: another lender with a card of its own, another design, one source
in the place of two; and some people say everything again to the first, as after a lost reply. All are played in one
random order, so that the machine's moods fall on all alike. Addresses are left out of what the observer reads: where
lenders are spoken to directly an address tells which it is; through the relay there is one.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from blindscore.errors import DataError
from blindscore.parties.message import Message
from blindscore.parties.store import MemoryStore
from blindscore_app.town.authority import Identity, found
from blindscore_app.town.lines import Lines
from blindscore_app.town.oblivious import Desk
from blindscore_app.town.posting import Posting
from blindscore_app.town.relaying import Relaying
from blindscore_app.town.service import Service
from blindscore_app.town.serving import serve
from blindscore_app.town.wire import namespaces
from blindscore_app.town.wire.campaign import DRAIN_S
from blindscore_app.town.wire.client import Spoken, own_ports, speak, speak_through
from blindscore_app.town.wire.defence import DEFENCES, Renewing
from blindscore_app.town.wire.exchange import Campaign, Line, Played
from blindscore_app.town.wire.link import Link
from blindscore_app.town.wire.observer import SERVICE_PORT
from blindscore_app.town.wire.prepared import DELAY_S, Applicant, Prepared, prepare
from blindscore_app.town.wire.served import HIDDEN_PORT
from blindscore_app.town.wire.workers import Workers
from blindscore_crypto.channel.ohttp import Gateway
from blindscore_crypto.channel.relay import Relay
from blindscore_crypto.channel.signatures import SigningKey

FIRST, AGAIN = "sealed", "sealed, said again"
SECOND, OTHER_DESIGN, ONE_SOURCE = "second lender", "one-show", "sealed, one source"
DEFENCE = DEFENCES["by the clock"]
BODY = 1 << 20


@dataclass(frozen=True)
class House:
    """A lender with its applicants."""

    name: str
    prepared: Prepared


def houses(people: int) -> tuple[House, ...]:
    """Return the lenders of the street, each with as many people of either decision."""
    return (
        House(FIRST, prepare("sealed", people, seed=1)),
        House(SECOND, prepare("sealed", people, seed=2)),
        House(OTHER_DESIGN, prepare("one-show", people, seed=1)),
        House(ONE_SOURCE, prepare("sealed", people, seed=1, one_source=True)),
    )


@dataclass
class Street:
    """Served lenders, ready to be played with."""

    houses: tuple[House, ...]
    relayed: bool
    identity: Identity
    gateways: list[Gateway]
    wallet_space: str
    observer: Any
    stop: Any
    own_ports: Iterator[int] = field(default_factory=own_ports)

    @cached_property
    def context(self) -> ssl.SSLContext:
        """What wallets speak: TLS without a certificate of their own."""
        return self.identity.anonymous_side()

    def port(self, house: int) -> int:
        """Return where a lender listens."""
        return (HIDDEN_PORT if self.relayed else SERVICE_PORT) + house

    def play(self, campaign: Campaign, rounds: int, seed: int) -> None:
        """Play rounds, then read what was observed."""
        rng, played = np.random.default_rng([seed, 0x57EE]), list[Played]()
        with namespaces.inside(self.wallet_space):
            for _ in range(rounds):
                asyncio.run(self._round(campaign, rng, played))
        campaign.load = os.getloadavg()[0]
        time.sleep(0.3)
        self.stop.set()
        campaign.take(self.observer.recv(), played)

    async def _round(self, campaign: Campaign, rng: np.random.Generator, played: list[Played]) -> None:
        context = self.context
        for house in range(len(self.houses)):
            await speak((namespaces.LENDER_ADDRESS, self.port(house)), context, [Message("lender", "renew", b"")])
        chosen = [rng.permutation(len(house.prepared.applicants)) for house in self.houses]
        half = len(chosen[0]) // 2
        before = [(0, FIRST, who) for who in chosen[0][:half]]  # these are heard again below
        asked = [(0, AGAIN, who) for who in chosen[0][:half]] + [(0, FIRST, who) for who in chosen[0][half:]]
        asked += [(i, h.name, who) for i, h in enumerate(self.houses) if i for who in chosen[i][:half]]
        asked = [asked[place] for place in rng.permutation(len(asked))]
        room = asyncio.Semaphore(campaign.at_once)

        async def say(house: int, who: int, what: str) -> Sequence[Line]:
            one: Applicant = self.houses[house].prepared.applicants[who]
            steps = one.apply if what == "apply" else one.collect
            async with room:
                try:
                    return await self.said(house, steps)
                except DataError:
                    return [None]

        start = time.monotonic()
        await asyncio.gather(*(say(house, who, "apply") for house, _, who in before))
        first = await asyncio.gather(*(say(house, who, "apply") for house, _, who in asked))
        campaign.seconds += time.monotonic() - start
        await asyncio.sleep(DELAY_S + DRAIN_S)
        start = time.monotonic()
        second = await asyncio.gather(*(say(house, who, "collect") for house, _, who in asked))
        campaign.seconds += time.monotonic() - start
        for (house, name, who), one, other in zip(asked, first, second, strict=True):
            applicant = self.houses[house].prepared.applicants[who]
            person = 10_000 * house + applicant.number
            played.append(Played(len(played), applicant.number % 2, applicant, [*one, *other], name, person))

    async def said(self, house: int, steps: Sequence[Any]) -> list[Spoken]:
        """Say one exchange's steps to a lender; through the relay each on a line of its own."""
        context = self.context
        needed = len(steps) if self.relayed else 1
        own = [self.next_port() for _ in range(needed)]
        if self.relayed:
            to = (self.name(house), self.gateways[house].config)
            return await speak_through((namespaces.LENDER_ADDRESS, SERVICE_PORT), context, steps, to, own)
        return [await speak((namespaces.LENDER_ADDRESS, self.port(house)), context, steps, own[0])]

    def name(self, house: int) -> str:
        """Return what the relay calls a lender."""
        return names(self.houses)[house]

    def next_port(self) -> int:
        """Return the next port from which a wallet speaks."""
        return next(self.own_ports)


def names(every: Sequence[House]) -> list[str]:
    """Return what the relay calls the lenders."""
    return [f"lender {i}" if i else "lender" for i in range(len(every))]


@contextlib.contextmanager
def street(every: tuple[House, ...], link: Link, seed: int, *, relayed: bool, held_s: float = 0.0) -> Iterator[Street]:
    """Serve lenders behind a link, and a relay where they are to be reached through one, observed.

    Parameters
    ----------
    held_s
        After which the relay's answers leave; 0 = as soon as they are there.
    """
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        made = found(Path(folder), ["lender", "relay"])
        place, workers = stack.enter_context(namespaces.lab()), stack.enter_context(Workers.running())
        gateways = [Gateway() for _ in every]
        lined = Street(every, relayed, made["lender"], gateways, place.wallet, None, workers.stop)
        for i, (house, name) in enumerate(zip(every, names(every), strict=True)):
            desk = Desk(name, gateways[i]) if relayed else None
            workers.start(_house, made["lender"], house, name, desk, place.lender, lined.port(i)).recv()
        if relayed:
            addresses = {name: f"https://127.0.0.1:{lined.port(i)}" for i, name in enumerate(names(every))}
            workers.start(_relay, made["relay"], addresses, place.lender, held_s).recv()
        lined.observer = workers.observe(place, link, seed)
        yield lined


def _house(pipe: Any, identity: Identity, house: House, name: str, desk: Desk | None, space: str, port: int) -> None:
    """One lender's process."""
    party = Renewing(lambda: house.prepared.lender(DEFENCE))
    party.name = name
    service = Service(party, Lines({}, identity.client_side()), desk=desk)
    with namespaces.inside(space):
        serve(service, "0.0.0.0", port, identity.server_side(known_only=False), ready=pipe.send)


def _relay(pipe: Any, identity: Identity, addresses: dict[str, str], space: str, held_s: float) -> None:
    """The relay's process."""
    with namespaces.inside(space):
        relay = Relay("relay", SigningKey(), addresses, MemoryStore())
        relaying = Relaying(relay, Posting(identity.client_side(), BODY), lambda: addresses, answer_after=held_s)
        tls = identity.server_side(known_only=False)
        serve(relaying, namespaces.LENDER_ADDRESS, SERVICE_PORT, tls, ready=pipe.send)
