"""Relayed: a campaign through the relay: each request on a line of its own, and the same questions of all of them.

Who applies, in what order and how often is as in :mod:`.campaign`; what the observer reads is the lines to the relay.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence

import numpy as np

from blindscore.errors import DataError
from blindscore.parties.message import Message
from blindscore_app.town.wire import namespaces
from blindscore_app.town.wire.campaign import DRAIN_S, pairs_of
from blindscore_app.town.wire.client import speak
from blindscore_app.town.wire.defence import Defence
from blindscore_app.town.wire.exchange import Campaign, Line, Played
from blindscore_app.town.wire.link import LINKS
from blindscore_app.town.wire.prepared import DELAY_S, Prepared, Step
from blindscore_app.town.wire.street import DEFENCE, FIRST, House, Street, street

RELAYED = Defence(f"{DEFENCE.name}, relayed")


def play_relayed(prepared: Prepared, link: str, at_once: int, rounds: int, seed: int) -> Campaign:
    """Let everybody apply in each round, through a relay, and return what was observed."""
    campaign, rng = Campaign(prepared.design, RELAYED, link, at_once), np.random.default_rng([seed, 0x3E1A])
    played = list[Played]()
    with street((House(FIRST, prepared),), LINKS[link], seed, relayed=True) as lined:
        start = time.monotonic()
        with namespaces.inside(lined.wallet_space):
            for _ in range(rounds):
                asyncio.run(_round(lined, prepared, at_once, rng, played))
        campaign.seconds, campaign.load = time.monotonic() - start, os.getloadavg()[0]
        time.sleep(0.3)
        lined.stop.set()
        campaign.take(lined.observer.recv(), played)
    return campaign


async def _round(
    lined: Street, prepared: Prepared, at_once: int, rng: np.random.Generator, played: list[Played]
) -> None:
    address = (namespaces.LENDER_ADDRESS, lined.port(0))  # a line that nobody watches
    await speak(address, lined.context, [Message("lender", "renew", b"")])
    order = pairs_of(prepared.applicants, len(prepared.applicants), rng)
    lines = await _all(lined, [one.apply for _, _, one in order], at_once)
    if order[0][2].collect:
        await asyncio.sleep(DELAY_S + DRAIN_S)
        fetched = await _all(lined, [one.collect for _, _, one in order], at_once)
        lines = [[*a, *b] for a, b in zip(lines, fetched, strict=True)]
    before = 1 + max((each.pair for each in played), default=-1)
    played += [Played(before + pair, half, one, line) for (pair, half, one), line in zip(order, lines, strict=True)]


async def _all(lined: Street, every: Sequence[Sequence[Step]], at_once: int) -> list[Sequence[Line]]:
    """Say every exchange's steps, so many exchanges at once; None in one that broke."""
    room = asyncio.Semaphore(at_once)

    async def one(steps: Sequence[Step]) -> Sequence[Line]:
        async with room:
            try:
                return await lined.said(0, steps)
            except DataError:
                return [None]

    return list(await asyncio.gather(*(one(steps) for steps in every)))
