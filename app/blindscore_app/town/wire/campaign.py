"""Campaign: interleaved, shuffled exchanges with a served lender, and every packet of them.

Approved and refused applicants are played in random order, as many of either in every block, and paired afterwards with
who came near: a drift of the machine falls on both. Between blocks the lender is made anew, and decisions are fetched
once they are due and decided. Every exchange's end is checked against the clear scorecard.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blindscore.errors import DataError
from blindscore.parties.message import Message
from blindscore_app.town.authority import Identity, found
from blindscore_app.town.lines import Lines
from blindscore_app.town.tap import Tap
from blindscore_app.town.wire import namespaces
from blindscore_app.town.wire.client import Spoken, speak
from blindscore_app.town.wire.defence import Defence, Renewing
from blindscore_app.town.wire.link import Link
from blindscore_app.town.wire.observer import SERVICE_PORT, Seen, flow
from blindscore_app.town.wire.prepared import DELAY_S, Applicant, Prepared, of_either_kind
from blindscore_app.town.wire.workers import Workers

DRAIN_S = 0.8  # after the last deadline of a block, so that everything due is decided
LEAST = 4  # packets of a line that was seen whole


@dataclass(frozen=True)
class Exchange:
    """One exchange as the experimenter knows it, and as the line showed it."""

    pair: int
    half: int  # of the people: who learns on one half is judged on the other
    person: int
    approved: bool
    reason: str
    traces: tuple[NDArray[np.float64], ...]  # one a line: (k, 2) seconds, signed bytes
    house: str = ""  # which of several lenders; see :mod:`.street`


@dataclass
class Campaign:
    """What was played."""

    design: str
    defence: Defence
    link: str
    at_once: int
    exchanges: list[Exchange] = field(default_factory=list)
    seconds: float = 0.0  # that exchanges took, without the waiting for deadlines
    service_seconds: float = 0.0  # processor time of the service
    wrong: int = 0  # ends that were not the clear scorecard's, lines that broke, or packets that were not seen
    lines: str = ""  # how many at once, where slices differ
    load: float = 0.0  # of the machine: processes that ran or wanted to, mean over the exchanges


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
    prepared: Prepared, defence: Defence, link: Link, seed: int, *, tap: bool, plant: Any = None
) -> Iterator[Stage]:
    """Serve a lender behind a link, observed; yields an object whose ``play`` plays blocks.

    Parameters
    ----------
    tap
        Use the forwarding tap on loopback in place of namespaces and packets.
    plant
        Wraps the lender; see :class:`~blindscore_app.town.wire.defence.Planted`.
    """
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        identity = found(Path(folder), ["lender", "auditor"])["lender"]
        if tap:
            place: Any = None
        else:
            place = stack.enter_context(namespaces.lab())
        workers = stack.enter_context(Workers.running())
        service = workers.start(_serve, identity, prepared, defence, None if place is None else place.lender, plant)
        port = service.recv()
        if place is None:
            observer = workers.start(_tap, port, link, seed, workers.stop)
            address = ("127.0.0.1", observer.recv())
        else:
            observer = workers.observe(place, link, seed)
            address = (namespaces.LENDER_ADDRESS, SERVICE_PORT)
        yield Stage(address, identity, place, service, observer, workers.stop)


@dataclass
class Stage:
    """A served lender, ready to be played with."""

    address: tuple[str, int]
    identity: Identity
    place: Any
    service: Any
    observer: Any
    stop: Any

    def play(self, prepared: Prepared, campaign: Campaign, pairs: int, seed: int, limit_s: float) -> None:
        """Play blocks until there are so many pairs or the time is over, then read what was observed."""
        rng = np.random.default_rng([seed, 0x3172])
        inside = contextlib.nullcontext() if self.place is None else namespaces.inside(self.place.wallet)
        played: list[tuple[int, int, Applicant, list[Spoken | None]]] = []
        self.service.send("spent")
        before = self.service.recv()
        with inside:
            asyncio.run(self._blocks(prepared, campaign, pairs, rng, limit_s, played))
        self.service.send("spent")
        campaign.service_seconds += self.service.recv() - before
        time.sleep(0.3)
        self.stop.set()
        seen: Seen = self.observer.recv()
        for pair, half, one, spoken in played:
            whole = [line for line in spoken if line is not None]
            traces = tuple(flow(seen, line.port, line.began, line.ended + 2 * 10**8) for line in whole)
            if (
                len(whole) < len(spoken)
                or any(len(trace) < LEAST for trace in traces)
                or decided(one, whole[-1].last) is not one.approved
            ):
                campaign.wrong += 1
                continue
            campaign.exchanges.append(Exchange(pair, half, one.number, one.approved, one.reason, traces))

    async def _blocks(
        self,
        prepared: Prepared,
        campaign: Campaign,
        pairs: int,
        rng: np.random.Generator,
        limit_s: float,
        played: list[tuple[int, int, Applicant, list[Spoken | None]]],
    ) -> None:
        context, began, done = self.identity.anonymous_side(), time.monotonic(), 0
        loads = []
        while done < pairs and time.monotonic() - began < limit_s:
            await speak(self.address, context, [Message("lender", "renew", b"")])
            block = pairs_of(prepared.applicants, pairs - done, rng)
            start = time.monotonic()
            first = await _all(self.address, context, [one.apply for _, _, one in block], campaign.at_once)
            campaign.seconds += time.monotonic() - start
            lines = [[line] for line in first]
            if prepared.applicants[0].collect and not campaign.defence.on_path:
                await asyncio.sleep(DELAY_S + DRAIN_S)
                start = time.monotonic()
                second = await _all(self.address, context, [one.collect for _, _, one in block], campaign.at_once)
                campaign.seconds += time.monotonic() - start
                lines = [[*one, line] for one, line in zip(lines, second, strict=True)]
            played += [(done + pair, half, one, line) for (pair, half, one), line in zip(block, lines, strict=True)]
            done += len(block) // 2
            loads.append(os.getloadavg()[0])
        campaign.load = float(np.mean(loads)) if loads else 0.0


async def _all(
    address: tuple[str, int], context: ssl.SSLContext, every: Sequence[Sequence[Any]], at_once: int
) -> list[Spoken | None]:
    """Speak on every line, in order, so many at once; None of a line that broke."""
    room = asyncio.Semaphore(at_once)

    async def one(steps: Sequence[Any]) -> Spoken | None:
        async with room:
            try:
                return await speak(address, context, steps)
            except DataError:
                return None

    return list(await asyncio.gather(*(one(steps) for steps in every)))


def decided(one: Applicant, replies: list[Message]) -> bool | None:
    """Return what the last reply says, or None where it is no decision."""
    return one.read(replies[0]) if len(replies) == 1 and replies[0].kind in ("decision", "result") else None


def _serve(pipe: Any, identity: Identity, prepared: Prepared, defence: Defence, space: str | None, plant: Any) -> None:
    """The service's process."""
    import threading

    from blindscore_app.town.service import Service
    from blindscore_app.town.serving import serve

    def party() -> Any:
        made = prepared.lender(defence)
        return made if plant is None else plant(made)

    def tell_spent() -> None:
        while True:
            pipe.recv()
            pipe.send(time.process_time())

    def ready(port: int) -> None:
        pipe.send(port)
        threading.Thread(target=tell_spent, daemon=True).start()

    service = Service(Renewing(party), Lines({}, identity.client_side()), answer_after=defence.answer_after)
    host, port = ("127.0.0.1", 0) if space is None else (namespaces.LENDER_ADDRESS, SERVICE_PORT)
    with contextlib.nullcontext() if space is None else namespaces.inside(space):
        serve(service, host, port, identity.server_side(known_only=False), ready=ready)


def _tap(pipe: Any, port: int, link: Link, seed: int, stop: Any) -> None:
    async def forward() -> Seen:
        tap = Tap(("127.0.0.1", port), link, seed)
        pipe.send(await tap.start())
        while not stop.is_set():
            await asyncio.sleep(0.05)
        await tap.stop()
        return tap.seen()

    pipe.send(asyncio.run(forward()))
