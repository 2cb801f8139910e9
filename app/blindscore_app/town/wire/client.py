"""Client: wallets' side of the wire: a connection for each line, requests one after another, nothing kept between."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass

from blindscore.errors import DataError
from blindscore.parties.message import Message
from blindscore_app.town.bundle import MEDIA, pack, unpack
from blindscore_app.town.wire.prepared import Step

LONGEST_REPLY = 1 << 20
ANSWER_S = 60.0


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


async def speak(address: tuple[str, int], context: ssl.SSLContext, steps: Sequence[Step]) -> Spoken:
    """Open a line, say what is to be said, close it.

    Raises
    ------
    DataError
        The service refuses, or answers with something else.
    """
    began = time.time_ns()
    reader, writer = await asyncio.open_connection(*address, ssl=context, server_hostname="localhost")
    try:
        port = writer.get_extra_info("sockname")[1]
        replies: list[Message] = []
        for step in steps:
            message = step if isinstance(step, Message) else step(replies)
            body = pack([message])
            head = (
                "POST /messages HTTP/1.1\r\nhost: localhost\r\naccept: */*\r\naccept-encoding: gzip, deflate\r\n"
                f"connection: keep-alive\r\ncontent-type: {MEDIA}\r\ncontent-length: {len(body)}\r\n\r\n"
            )
            writer.write(head.encode() + body)
            replies = unpack(await asyncio.wait_for(_reply(reader), ANSWER_S), to="", sender=message.to)
    except (TimeoutError, asyncio.IncompleteReadError, OSError) as error:
        raise DataError(f"the service does not answer: {type(error).__name__}") from None
    finally:
        writer.close()
        with contextlib.suppress(OSError):  # the other side was quicker
            await writer.wait_closed()
    return Spoken(port, began, time.time_ns(), replies)


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
