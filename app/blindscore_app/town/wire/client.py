"""Client: wallets' side of the wire: a connection for each line, requests one after another, nothing kept between."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle

from blindscore.errors import DataError
from blindscore.parties.message import Message
from blindscore_app.town.bundle import MEDIA, pack, unpack
from blindscore_app.town.oblivious import opened_answer, sealed_to
from blindscore_app.town.via_relay import way_to
from blindscore_app.town.wire.prepared import Step
from blindscore_crypto.channel.ohttp import REQUEST_MEDIA, KeyConfig

LONGEST_REPLY = 1 << 20
ANSWER_S = 60.0
OWN_PORTS = (20_000, 60_000)


def own_ports() -> Iterator[int]:
    """Return the ports from which wallets speak, one after another, so that no two lines are taken for one."""
    return cycle(range(*OWN_PORTS))


@dataclass(frozen=True)
class Spoken:
    """One line as it was used.

    Parameters
    ----------
    port
        The wallet's own.
    began, ended
        Nanoseconds since 1970.
    """

    port: int
    began: int
    ended: int
    last: list[Message]  # replies to the last request


async def speak(
    address: tuple[str, int],
    context: ssl.SSLContext,
    steps: Sequence[Step],
    own_port: int | None = None,
    heard: Sequence[Message] = (),
) -> Spoken:
    """Open a line, say what is to be said, close it.

    Parameters
    ----------
    own_port
        From which to speak; by default the system chooses.
    heard
        What was replied on the line before.

    Raises
    ------
    DataError
        The service refuses, or answers with something else.
    """
    began, replies = time.time_ns(), list(heard)
    async with _line(address, context, own_port) as (reader, writer):
        port = writer.get_extra_info("sockname")[1]
        for step in steps:
            message = step if isinstance(step, Message) else step(replies)
            body = await _posted(reader, writer, "/messages", MEDIA, pack([message]))
            replies = unpack(body, to="", sender=message.to)
    return Spoken(port, began, time.time_ns(), replies)


async def speak_through(
    address: tuple[str, int],
    context: ssl.SSLContext,
    steps: Sequence[Step],
    house: tuple[str, KeyConfig],
    own_ports: Sequence[int | None],
) -> list[Spoken]:
    """Say each step through the relay at this address, on a line of its own, sealed to an institution of that name.

    Raises
    ------
    DataError
        Relay or institution refuses, or answers with something else.
    """
    spoken, replies = list[Spoken](), list[Message]()
    for step, own in zip(steps, own_ports, strict=True):
        message = step if isinstance(step, Message) else step(replies)
        spoken.append(await ask_through(address, context, pack([message]), house, own))
        replies = spoken[-1].last
    return spoken


async def ask_through(
    address: tuple[str, int], context: ssl.SSLContext, body: bytes, house: tuple[str, KeyConfig], own_port: int | None
) -> Spoken:
    """Send one sealed request through the relay at this address, on a line of its own.

    Raises
    ------
    DataError
        Relay or institution refuses, or answers with something else.
    """
    name, config = house
    asked, began = sealed_to(config, name, body), time.time_ns()
    async with _line(address, context, own_port) as (reader, writer):
        port = writer.get_extra_info("sockname")[1]
        reply = await _posted(reader, writer, way_to(name), REQUEST_MEDIA, asked.encapsulated)
    return Spoken(port, began, time.time_ns(), opened_answer(asked, name, reply))


@contextlib.asynccontextmanager
async def _line(
    address: tuple[str, int], context: ssl.SSLContext, own_port: int | None
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Open a connection, and close it; whatever goes wrong on it is one error."""
    own = None if own_port is None else ("0.0.0.0", own_port)
    try:
        opened = asyncio.open_connection(*address, ssl=context, server_hostname="localhost", local_addr=own)
        reader, writer = await opened
        try:
            yield reader, writer
        finally:
            writer.close()
            with contextlib.suppress(OSError):  # the other side was quicker
                await writer.wait_closed()
    except (TimeoutError, asyncio.IncompleteReadError, OSError) as error:
        raise DataError(f"the service does not answer: {type(error).__name__}") from None


async def _posted(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, media: str, body: bytes
) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nhost: localhost\r\naccept: */*\r\naccept-encoding: gzip, deflate\r\n"
        f"connection: keep-alive\r\ncontent-type: {media}\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    return await asyncio.wait_for(_reply(reader), ANSWER_S)


async def _reply(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    fields = dict(line.lower().split(": ", 1) for line in lines if ": " in line)
    length = fields.get("content-length", "")
    if not length.isdecimal() or int(length) > LONGEST_REPLY:
        raise DataError("a reply says no length, or too large a one")
    body = await reader.readexactly(int(length))
    if status.split(" ")[1:2] != ["200"]:
        raise DataError(f"the service answers {status}: {body[:100].decode('utf-8', 'replace')}")
    return body
