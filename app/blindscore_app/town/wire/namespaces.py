"""Namespaces: two networks of their own on one machine, each with one end of a cable whose other end lies here.

Needs root, ``ip`` (iproute2) and a kernel that lets namespaces be made; :func:`available` tries. Nothing outside the
two namespaces and the two cables is touched, and all of it goes when the block ends.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import socket
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

from blindscore.errors import DataError

WALLET_ADDRESS, LENDER_ADDRESS = "10.77.0.1", "10.77.0.2"
CLONE_NEWNET = 0x40000000
SIOCETHTOOL = 0x8946  # linux/sockios.h
OFFLOADS = (0x15, 0x17, 0x1F, 0x24, 0x2C)  # linux/ethtool.h: set rx, tx checksums, TSO, GSO, GRO


@dataclass(frozen=True)
class Lab:
    """Two namespaces, and the near ends of their cables."""

    wallet: str  # namespaces
    lender: str
    wallet_cable: str  # interfaces, on this side
    lender_cable: str


def available() -> str:
    """Return "" where namespaces and packet sockets can be had, else why not."""
    if not hasattr(socket, "AF_PACKET"):
        return "this system has no packet sockets"
    if os.geteuid() != 0:
        return "it needs root"
    try:
        with lab():
            return ""
    except (DataError, OSError) as error:
        return str(error)


@contextlib.contextmanager
def lab() -> Iterator[Lab]:
    """Make the namespaces, for as long as the block lasts; this process has one at a time, others have their own.

    Raises
    ------
    DataError
        The kernel or ``ip`` refuses.
    """
    tag = os.getpid()
    made = Lab(f"bs-{tag}-w", f"bs-{tag}-l", f"bs{tag}w0", f"bs{tag}l0")
    ends = ((made.wallet, made.wallet_cable, WALLET_ADDRESS), (made.lender, made.lender_cable, LENDER_ADDRESS))
    _clear(made)
    try:
        for space, near, address in ends:
            far = near[:-1] + "1"
            _ip("netns", "add", space)
            _ip("link", "add", near, "type", "veth", "peer", "name", far, "netns", space)
            _ip("link", "set", near, "up")
            _ip("-n", space, "addr", "add", f"{address}/24", "dev", far)
            _ip("-n", space, "link", "set", far, "up")
            _ip("-n", space, "link", "set", "lo", "up")
            _plain(near)  # a checksum left to hardware that is not there would not pass a relay
            with inside(space):
                _plain(far)
        yield made
    finally:
        _clear(made)


@contextlib.contextmanager
def inside(space: str) -> Iterator[None]:
    """Let this thread open its sockets in a namespace; sockets stay where they were opened."""
    with open("/proc/self/ns/net", "rb") as home, open(f"/run/netns/{space}", "rb") as there:
        _enter(there.fileno())
        try:
            yield
        finally:
            _enter(home.fileno())


def _enter(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise DataError(f"entering a network namespace is refused: {os.strerror(ctypes.get_errno())}")


def _ip(*words: str) -> None:
    try:
        done = subprocess.run(["ip", *words], capture_output=True, text=True, timeout=20, check=False)
    except OSError as error:
        raise DataError(f"ip (iproute2) does not run: {error}") from None
    if done.returncode:
        raise DataError(f"ip {' '.join(words)}: {done.stderr.strip()}")


def _clear(made: Lab) -> None:
    for words in (("netns", "del", made.wallet), ("netns", "del", made.lender)):
        with contextlib.suppress(DataError):
            _ip(*words)
    for cable in (made.wallet_cable, made.lender_cable):
        with contextlib.suppress(DataError):
            _ip("link", "del", cable)


def _plain(interface: str) -> None:
    """Switch off what an interface would leave to its hardware."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        for command in OFFLOADS:
            value = ctypes.create_string_buffer(struct.pack("II", command, 0))
            request = struct.pack("16sP", interface.encode(), ctypes.addressof(value))
            with contextlib.suppress(OSError):  # not every kernel knows every one
                fcntl.ioctl(any_socket, SIOCETHTOOL, request)
