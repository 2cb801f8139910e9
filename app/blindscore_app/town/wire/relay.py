"""Relay: carries packets between two cables in user space, late, at a link's rate, and not all of them.

A packet that is lost is not sent on: the ends' own TCP finds out and sends again. Each wallet's connection has a line
of its own, so that what one sends does not slow another. The kernel need not know any queueing discipline for it.
"""

from __future__ import annotations

import ctypes
import heapq
import random
import select
import socket
import time
from collections.abc import Callable

from blindscore_app.town.wire.link import Link
from blindscore_app.town.wire.observer import tcp_of

IDLE_S = 0.05  # after which it looks whether it is to stop
PR_SET_TIMERSLACK = 29  # linux/prctl.h
LONGEST = 2048  # bytes of a frame
ALL = 0x0003  # ETH_P_ALL, every protocol (linux/if_ether.h)


def cable(interface: str) -> socket.socket:
    """Return a packet socket on an interface, which does not show what it sends itself."""
    opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL))
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
    opened.bind((interface, 0))
    return opened


def carry(wallet_side: str, lender_side: str, link: Link, seed: int, stop: Callable[[], bool]) -> None:
    """Carry packets both ways until told to stop; what is under way then is lost.

    Parameters
    ----------
    wallet_side, lender_side
        Interfaces.
    seed
        Of jitter and loss: simulation.
    """
    drawn = random.Random(seed)
    ends = (cable(wallet_side), cable(lender_side))
    paces = (link.up_bytes_per_s, link.down_bytes_per_s)
    free: dict[tuple[int, int], float] = {}  # (wallet's port, direction) -> when its line is free again
    waiting: list[tuple[float, int, int, bytes]] = []
    serial = 0
    for end in ends:
        end.setblocking(False)
    punctual()
    try:
        while not stop():
            ahead = waiting[0][0] - time.monotonic() if waiting else IDLE_S
            # select waits by the microsecond, poll by the millisecond: nobody need look at the clock meanwhile
            readable, _, _ = select.select(ends, [], [], min(IDLE_S, max(0.0, ahead)))
            for end in readable:
                came_in = ends.index(end)
                for frame in _frames(end):
                    now = time.monotonic()
                    seen = tcp_of(frame)
                    if seen is not None and drawn.random() < link.loss:
                        continue
                    late = max(0.0, drawn.gauss(link.delay_s, link.jitter_s))
                    line = (0 if seen is None else seen.wallet_port, came_in)
                    begin = max(now, free.get(line, 0.0))
                    free[line] = begin + len(frame) / paces[came_in]
                    due = free[line] + late
                    serial += 1
                    heapq.heappush(waiting, (due, serial, 1 - came_in, frame))
            while waiting and waiting[0][0] <= time.monotonic():
                _, _, out, frame = heapq.heappop(waiting)
                try:
                    ends[out].send(frame)
                except BlockingIOError:
                    continue  # a full queue drops, as routers do
    finally:
        for end in ends:
            end.close()


def punctual() -> None:
    """Let this thread be woken when it asked to be, and not up to 50 microseconds later, as Linux allows itself."""
    ctypes.CDLL(None).prctl(PR_SET_TIMERSLACK, ctypes.c_ulong(1))  # nanosecond; 0 would mean "as before"


def _frames(end: socket.socket) -> list[bytes]:
    found = []
    for _ in range(64):
        try:
            frame, address = end.recvfrom(LONGEST)
        except BlockingIOError:
            break
        if address[2] != socket.PACKET_OUTGOING:
            found.append(frame)
    return found
