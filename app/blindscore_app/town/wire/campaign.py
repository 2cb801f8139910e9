"""Campaign: interleaved, shuffled exchanges with a served design, and every packet of them.

Approved and refused applicants are played in random order, as many of either in every block, and paired afterwards with
who came near: a drift of the machine falls on both. Between blocks all parties are made anew, and decisions are fetched
once they are due and decided. Every exchange's end is checked against the clear scorecard.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from blindscore.errors import BlindscoreError
from blindscore.parties.message import Message
from blindscore_app.town.authority import Identity, found
from blindscore_app.town.folders import LENDER
from blindscore_app.town.serving import LOOPBACK
from blindscore_app.town.wire import namespaces
from blindscore_app.town.wire.client import Spoken, own_ports, speak
from blindscore_app.town.wire.defence import Defence
from blindscore_app.town.wire.exchange import Campaign, Played
from blindscore_app.town.wire.link import Link
from blindscore_app.town.wire.prepared import DELAY_S, Applicant, Prepared, Step, of_either_kind
from blindscore_app.town.wire.served import Plant, Served, tapped
from blindscore_app.town.wire.workers import Workers

DRAIN_S = 0.8  # after the last deadline of a block, so that everything due is decided
QUEUE_S, REST_S = 60.0, 0.2  # at most, for what waits to be decided; between two looks
Said = tuple[str, Sequence[Step]]  # to whom, and what, on one line


def pairs_of(applicants: Sequence[Applicant], pairs: int, rng: np.random.Generator) -> list[tuple[int, int, Applicant]]:
    """Return (pair, half of the people, applicant) in the order of play; nobody twice, a pair within one half.

    The order is all chance: were a pair played one after the other, work that follows an approval would fall on the
    refusal beside it, and neighbours would tell of each other what no two people's decisions tell.
    """
    kinds = of_either_kind(tuple(applicants))
    both = list(zip(*(_by_half(kinds[kind], rng) for kind in (True, False)), strict=False))
    chosen = [both[place] for place in rng.permutation(len(both))[:pairs]]
    order = [(half, who) for (half, one), (_, other) in chosen for who in (one, other)]
    shuffled = [order[place] for place in rng.permutation(len(order))]
    # a pair is the k-th of either decision in a half: near each other in time, as it falls
    count: Counter[tuple[int, bool]] = Counter()
    first = {0: 0, 1: sum(half == 0 for (half, _), _ in chosen)}
    numbered = []
    for half, who in shuffled:
        numbered.append((first[half] + count[half, who.approved], half, who))
        count[half, who.approved] += 1
    return numbered


def _by_half(people: Sequence[Applicant], rng: np.random.Generator) -> list[tuple[int, Applicant]]:
    """Return people shuffled within their half, the first half first."""
    middle = len(people) // 2
    halves = (rng.permutation(middle), middle + rng.permutation(len(people) - middle))
    return [(half, people[i]) for half, members in enumerate(halves) for i in members]


@contextlib.contextmanager
def stage(
    prepared: Prepared, defence: Defence, link: Link, seed: int, *, tap: bool, plant: Plant | None = None
) -> Iterator[Stage]:
    """Serve a design behind a link, observed; yields an object whose ``play`` plays blocks.

    Parameters
    ----------
    tap
        Use the forwarding tap on loopback in place of namespaces and packets.
    plant
        Wraps the party that takes wallets' last messages; see :class:`~blindscore_app.town.wire.defence.Planted`.
    """
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        identities = found(Path(folder), [LENDER, *prepared.others])
        place = None if tap else stack.enter_context(namespaces.lab())
        workers = stack.enter_context(Workers.running())
        served = Served.up(workers, prepared, defence, identities, None if place is None else place.lender, plant)
        ports = [served.ports[name] for name in served.open]
        if place is None:
            observer = workers.start(tapped, ports, link, seed, workers.stop)
            ports = observer.recv()
        else:
            observer = workers.observe(place, link, seed)
        host = LOOPBACK if place is None else namespaces.LENDER_ADDRESS
        addresses = {name: (host, port) for name, port in zip(served.open, ports, strict=True)}
        yield Stage(addresses, identities[LENDER], place, served, observer, workers.stop)


@dataclass
class Stage:
    """Served institutions, ready to be played with.

    Parameters
    ----------
    addresses
        Of those to which wallets speak, by name.
    """

    addresses: dict[str, tuple[str, int]]
    identity: Identity
    place: Any
    served: Served
    observer: Any
    stop: Any
    own_ports: Iterator[int] = field(default_factory=own_ports)

    def play(self, prepared: Prepared, campaign: Campaign, pairs: int, seed: int, limit_s: float) -> None:
        """Play blocks until there are so many pairs or the time is over, then read what was observed."""
        rng = np.random.default_rng([seed, 0x3172])
        inside = contextlib.nullcontext() if self.place is None else namespaces.inside(self.place.wallet)
        played = list[Played]()
        before = self.served.spent()
        with inside:
            asyncio.run(self._blocks(prepared, campaign, pairs, rng, limit_s, played))
        campaign.service_seconds += self.served.spent() - before
        time.sleep(0.3)
        self.stop.set()
        campaign.take(self.observer.recv(), played)

    async def _blocks(
        self,
        prepared: Prepared,
        campaign: Campaign,
        pairs: int,
        rng: np.random.Generator,
        limit_s: float,
        played: list[Played],
    ) -> None:
        began, done, on_path = time.monotonic(), 0, campaign.defence.on_path
        loads = []
        while done < pairs and time.monotonic() - began < limit_s:
            if done:  # before the first block all parties are new
                self.served.renew()
            block = [(pair, half, one.afresh()) for pair, half, one in pairs_of(prepared.applicants, pairs - done, rng)]
            start = time.monotonic()
            lines = await self._all([_first_lines(one, prepared.last) for _, _, one in block], campaign.at_once)
            campaign.seconds += time.monotonic() - start
            if prepared.fetches(campaign.defence):
                if not on_path:
                    await self._decided()
                start = time.monotonic()
                second = await self._all([[(LENDER, one.collect)] for _, _, one in block], campaign.at_once)
                campaign.seconds += time.monotonic() - start
                lines = [[*one, *line] for one, line in zip(lines, second, strict=True)]
            both = zip(block, lines, strict=True)
            played += [Played(done + pair, half, one, line) for (pair, half, one), line in both]
            done += len(block) // 2
            loads.append(os.getloadavg()[0])
        campaign.load = float(np.mean(loads)) if loads else 0.0

    async def _decided(self) -> None:
        """Wait until what was asked for is due, and then for a queue that outlasts its date."""
        await asyncio.sleep(DELAY_S + DRAIN_S)
        until = time.monotonic() + QUEUE_S
        while self.served.undone() and time.monotonic() < until:
            await asyncio.sleep(REST_S)

    async def _all(self, every: Sequence[Sequence[Said]], at_once: int) -> list[list[Spoken | None]]:
        """Let everybody speak, in order, so many at once, each on one line after another; None of a line that broke."""
        room, context = asyncio.Semaphore(at_once), self.identity.anonymous_side()

        async def one(lines: Sequence[Said]) -> list[Spoken | None]:
            spoken, heard = list[Spoken | None](), list[Message]()
            async with room:
                for to, steps in lines:
                    # from ports of their own, so that no two lines are taken for one
                    own = None if self.place is None else next(self.own_ports)
                    try:
                        line = await speak(self.addresses[to], context, steps, own, heard)
                    except BlindscoreError:
                        return [*spoken, None]
                    spoken.append(line)
                    heard = line.last
            return spoken

        return list(await asyncio.gather(*(one(lines) for lines in every)))


def _first_lines(one: Applicant, last: str) -> list[Said]:
    return [(LENDER, one.apply), *([(last, one.aside)] if one.aside else [])]
