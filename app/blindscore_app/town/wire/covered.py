"""Covered: who has applied at all, as whoever watches every person's line to the relay hears it, with cover and none.

Half of the people apply in an epoch, some of them twice as after a lost reply, and half do not; who does is drawn anew
each epoch. An epoch is minutes, in the place of a day or a week: what counts is how many requests fall into it. Wallets
here are coroutines of one process that send as :mod:`~blindscore_app.town.cover` does, since threads for hundreds of
people would wait for one another.

The observer hears every line of every person (addresses are known), holds no key and runs no relay. It is asked of a
person and epoch who applied and who said everything again, and of a line whether it is real and what it carries. Of a
line it reads the packets and how long before and after it the person's others are: not the hour, since what it knows of
people's habits it does not have from the line.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from blindscore.errors import DataError, ParameterError
from blindscore.parties.message import Message
from blindscore_app.town.bundle import pack
from blindscore_app.town.wire import namespaces
from blindscore_app.town.wire.campaign import DRAIN_S
from blindscore_app.town.wire.client import Spoken, ask_through, speak
from blindscore_app.town.wire.defence import Defence
from blindscore_app.town.wire.exchange import LEAST, Campaign, Exchange, trace_of
from blindscore_app.town.wire.link import LINKS
from blindscore_app.town.wire.observer import SERVICE_PORT, Seen
from blindscore_app.town.wire.prepared import DELAY_S, Applicant, Prepared
from blindscore_app.town.wire.street import FIRST, House, Street, street

IDLE, APPLIES, AGAIN = "does not apply", "applies", "applies, said again"
DUMMY, APPLICATION, FETCH = "dummy", "application", "fetch"
HELD_S = 0.5  # after which the relay's answers leave, where they are held
LAST_WISH = 0.5  # of an epoch: until when people take it into their heads to apply
WAYS = ("no cover", "cover", "cover, replies held")


@dataclass
class Epoch:
    """One epoch as it was played.

    Parameters
    ----------
    lines
        Person, what the line carried, and how it was used.
    delays
        Seconds from the wish to apply to the decision, of those who have it.
    """

    roles: list[str]
    lines: list[tuple[int, str, Spoken]] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)
    began: int = 0  # nanoseconds since 1970
    broken: int = 0  # lines that broke, decisions that were not the clear card's


@dataclass
class Covered:
    """People and their one lender behind a relay.

    Parameters
    ----------
    street
        Of one lender, relayed.
    per_epoch
        Requests of each person, on average; 0 = no cover: real requests alone, at once.
    seconds
        That an epoch takes.
    """

    street: Street
    per_epoch: float
    seconds: float

    def __post_init__(self) -> None:
        if not self.street.relayed or len(self.street.houses) != 1 or self.seconds <= 0 or self.per_epoch < 0:
            raise ParameterError("cover is played on a street of one lender behind a relay, with a rate of 0 or more")

    def play(self, campaign: Campaign, epochs: int, seed: int) -> list[float]:
        """Play epochs, read what was observed into the campaign, and return how long decisions took, seconds."""
        rng, played = np.random.default_rng([seed, 0xC0FE]), list[Epoch]()
        start = time.monotonic()
        with namespaces.inside(self.street.wallet_space):
            for _ in range(epochs):
                played.append(asyncio.run(self._epoch(rng)))
        campaign.seconds, campaign.load = time.monotonic() - start, os.getloadavg()[0]
        time.sleep(0.3)
        self.street.stop.set()
        seen: Seen = self.street.observer.recv()
        for number, epoch in enumerate(played):
            campaign.wrong += epoch.broken
            campaign.exchanges += _observed(seen, number, epoch, self.seconds)
        return [took for epoch in played for took in epoch.delays]

    async def _epoch(self, rng: np.random.Generator) -> Epoch:
        people = self.street.houses[0].prepared.applicants
        await speak(
            (namespaces.LENDER_ADDRESS, self.street.port(0)), self.street.context, [Message("lender", "renew", b"")]
        )
        shares = [IDLE] * (len(people) // 2) + [APPLIES] * (len(people) // 4)
        shares += [AGAIN] * (len(people) - len(shares))
        epoch = Epoch([shares[place] for place in rng.permutation(len(shares))])
        telephones = [_Telephone(self, epoch, one) for one in people]
        wishes = rng.uniform(0.0, LAST_WISH * self.seconds, len(people))
        points = [_points(rng, self.per_epoch, self.seconds) for _ in people]
        epoch.began, start = time.time_ns(), time.monotonic()
        async with asyncio.TaskGroup() as group:
            clocks = [
                group.create_task(one.by_the_clock(start, at)) for one, at in zip(telephones, points, strict=True)
            ]
            wanting = [
                group.create_task(one.apply(start, float(wish)))
                for one, wish, role in zip(telephones, wishes, epoch.roles, strict=True)
                if role != IDLE
            ]
            await asyncio.wait(clocks)
            await asyncio.sleep(max(0.0, start + self.seconds - time.monotonic()))
            for task in wanting:  # the epoch is over; who is not done stays without a decision
                task.cancel()
        return epoch


@dataclass
class _Telephone:
    """One person's, in one epoch."""

    at: Covered
    epoch: Epoch
    one: Applicant
    waiting: deque[tuple[str, bytes, asyncio.Future[list[Message]]]] = field(default_factory=deque)

    async def by_the_clock(self, start: float, points: NDArray[np.float64]) -> None:
        """Send at these points: what waits, or a dummy; none waits for another's reply."""
        async with asyncio.TaskGroup() as group:
            for point in points:
                await _until(start + float(point))
                group.create_task(self._point())

    async def _point(self) -> None:
        if not self.waiting:
            with contextlib.suppress(DataError):
                await self._say(DUMMY, pack([]))
            return
        kind, body, reply = self.waiting.popleft()
        try:
            said = await self._say(kind, body)
        except DataError as error:
            if not reply.done():
                reply.set_exception(error)
            return
        if not reply.done():
            reply.set_result(said)

    async def apply(self, start: float, wish: float) -> None:
        """Apply, and fetch the decision once it is due."""
        await _until(start + wish)
        asks = self.one.apply * (2 if self.epoch.roles[self.one.number] == AGAIN else 1)
        with contextlib.suppress(DataError):
            replies = list[Message]()
            for step in asks:
                replies = await self._in_turn(APPLICATION, step if isinstance(step, Message) else step(replies))
            await asyncio.sleep(DELAY_S + DRAIN_S)
            for step in self.one.collect:
                replies = await self._in_turn(FETCH, step if isinstance(step, Message) else step(replies))
            if len(replies) == 1 and replies[0].kind == "decision" and self.one.read(replies[0]) is self.one.approved:
                self.epoch.delays.append(time.monotonic() - start - wish)
            else:
                self.epoch.broken += 1

    async def _in_turn(self, kind: str, message: Message) -> list[Message]:
        if not self.at.per_epoch:
            return await self._say(kind, pack([message]))
        reply: asyncio.Future[list[Message]] = asyncio.get_running_loop().create_future()
        self.waiting.append((kind, pack([message]), reply))
        return await reply

    async def _say(self, kind: str, body: bytes) -> list[Message]:
        street = self.at.street
        try:
            spoken = await ask_through(
                (namespaces.LENDER_ADDRESS, SERVICE_PORT),
                street.context,
                body,
                (street.name(0), street.gateways[0].config),
                street.next_port(),
            )
        except DataError:
            self.epoch.broken += 1
            raise
        self.epoch.lines.append((self.one.number, kind, spoken))
        return spoken.last


def _points(rng: np.random.Generator, per_epoch: float, seconds: float) -> NDArray[np.float64]:
    """Return a Poisson process on an epoch: a number of points, each anywhere."""
    return np.sort(rng.uniform(0.0, seconds, rng.poisson(per_epoch)))


async def _until(due: float) -> None:
    await asyncio.sleep(max(0.0, due - time.monotonic()))


def _observed(seen: Seen, number: int, epoch: Epoch, seconds: float) -> list[Exchange]:
    """Return an epoch's lines as the observer hears them, one an exchange; of a silent person one without packets.

    A trace's times are seconds since the epoch began.
    """
    last, found = epoch.began + int(seconds * 1e9), list[Exchange]()
    heard = set[int]()
    for person, kind, line in sorted(epoch.lines, key=lambda one: one[2].began):
        trace = trace_of(seen, line)
        if line.began > last or len(trace) < LEAST:
            continue
        trace[:, 0] += (line.began - epoch.began) / 1e9
        heard.add(person)
        found.append(_exchange(number, person, kind, epoch.roles[person], trace))
    silent = set(range(len(epoch.roles))) - heard
    return found + [_exchange(number, who, "", epoch.roles[who], np.zeros((0, 2))) for who in sorted(silent)]


def _exchange(number: int, person: int, kind: str, role: str, trace: NDArray[np.float64]) -> Exchange:
    return Exchange(number, person % 2, person, False, kind, (trace,), role)


def play_way(
    prepared: Prepared, way: str, link: str, per_epoch: float, seconds: float, epochs: int, seed: int
) -> tuple[Campaign, list[float]]:
    """Play epochs in one of :data:`WAYS`; return what was observed, and how long decisions took, seconds."""
    campaign, bare = Campaign("street, cover", Defence(way), link, 0), way == WAYS[0]
    held_s = HELD_S if way == WAYS[2] else 0.0
    with street((House(FIRST, prepared),), LINKS[link], seed, relayed=True, held_s=held_s) as lined:
        delays = Covered(lined, 0.0 if bare else per_epoch, seconds).play(campaign, epochs, seed)
    return campaign, delays
