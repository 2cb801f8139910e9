"""Observer: whoever reads a line: packets' times by the kernel's clock, directions, sizes, ports. It holds no key.

It sits at the lender's end, where a link's jitter hides least.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SERVICE_PORT = 443
SERVICE_PORTS = range(SERVICE_PORT, SERVICE_PORT + 8)  # several services on one address are watched alike
SNAP = 96  # bytes of a packet that are looked at: headers
SO_TIMESTAMPNS = 35  # asm-generic/socket.h; Python names it on no version that is supported here
ALL = 0x0003
ETHERNET, IP_TCP = 14, 6


@dataclass(frozen=True)
class Headers:
    """What a packet's headers say."""

    wallet_port: int
    direction: int  # 1 up: towards the service; -1 down
    size: int  # bytes of the IP packet
    carries: int  # bytes of payload


def tcp_of(frame: bytes) -> Headers | None:
    """Return the headers of an IPv4 TCP packet of the service, or None of anything else; bounds are checked."""
    if len(frame) < ETHERNET + 40 or frame[12:14] != b"\x08\x00" or frame[ETHERNET + 9] != IP_TCP:
        return None
    ip = (frame[ETHERNET] & 15) * 4
    at = ETHERNET + ip
    if len(frame) < at + 20:
        return None
    source, target = struct.unpack_from("!HH", frame, at)
    size = struct.unpack_from("!H", frame, ETHERNET + 2)[0]
    up = target in SERVICE_PORTS
    if not up and source not in SERVICE_PORTS:
        return None
    return Headers(source if up else target, 1 if up else -1, size, size - ip - (frame[at + 12] >> 4) * 4)


@dataclass(frozen=True)
class Seen:
    """All packets that passed, in order.

    Parameters
    ----------
    at : (n,) nanoseconds since 1970
    port : (n,) the wallet's port
    size : (n,) bytes, negative towards the wallet
    """

    at: NDArray[np.int64]
    port: NDArray[np.int64]
    size: NDArray[np.int64]


def watch(interface: str, ready: Callable[[], None], stop: Callable[[], bool]) -> Seen:
    """Write down every packet of the service on an interface until told to stop."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL)) as line:
        line.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 27)
        line.bind((interface, 0))
        line.settimeout(0.1)
        ready()
        rows: list[tuple[int, int, int]] = []
        while True:
            try:
                frame, extra, _, _ = line.recvmsg(SNAP, 64)
            except TimeoutError:
                if stop():
                    break
                continue
            seen = tcp_of(frame)
            if seen is not None and extra:
                seconds, nanoseconds = struct.unpack("qq", extra[0][2][:16])
                rows.append((seconds * 10**9 + nanoseconds, seen.wallet_port, seen.direction * seen.size))
    table = np.array(rows, np.int64).reshape(-1, 3)
    table = table[np.argsort(table[:, 0], kind="stable")]
    return Seen(table[:, 0], table[:, 1], table[:, 2])


def flow(seen: Seen, port: int, began: int, ended: int) -> NDArray[np.float64]:
    """Return the packets of one connection, (k, 2): seconds since its first, and signed bytes.

    Parameters
    ----------
    port
        The wallet's.
    began, ended
        Nanoseconds since 1970 between which it was open; a port is used again after some time.
    """
    first, last = np.searchsorted(seen.at, [began, ended])
    own = first + np.flatnonzero(seen.port[first:last] == port)
    at = seen.at[own]
    return np.column_stack([(at - at[:1]) / 1e9, seen.size[own].astype(np.float64)])
