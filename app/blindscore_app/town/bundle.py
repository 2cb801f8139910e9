"""Bundle: the messages of one HTTP body, each with kind and length. Bounded, checked before it is taken apart."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from blindscore.errors import DataError, ForgeryError
from blindscore.parties.message import MAX_BODY, Message

MAX_MESSAGES = 64
MAX_KIND = 64  # characters
MEDIA = "application/vnd.blindscore"


def pack(messages: Sequence[Message]) -> bytes:
    """Return messages as one body; addresses stay out of it, the line says who speaks."""
    parts = [len(messages).to_bytes(1)]
    for message in messages:
        kind = message.kind.encode("ascii")
        parts += [len(kind).to_bytes(1), kind, len(message.body).to_bytes(4), message.body]
    return b"".join(parts)


def unpack(body: bytes, to: str, sender: str) -> list[Message]:
    """Return the messages of a body, as received by ``to`` from ``sender``.

    Raises
    ------
    ForgeryError
        Cut short, too long, too many, or bytes left over.
    """
    at, messages = 1, []
    count = body[0] if body else -1
    if not 0 <= count <= MAX_MESSAGES or len(body) > MAX_BODY:
        raise ForgeryError(f"a body holds at most {MAX_MESSAGES} messages in {MAX_BODY} bytes")
    for _ in range(count):
        kind_end = at + 1 + (body[at] if at < len(body) else MAX_BODY)
        if kind_end + 4 > len(body) or kind_end - at - 1 > MAX_KIND:
            raise ForgeryError("a message of the body is cut short")
        kind, end = body[at + 1 : kind_end], kind_end + 4 + int.from_bytes(body[kind_end : kind_end + 4])
        if end > len(body) or not kind.isascii() or not kind.decode("ascii").isprintable():
            raise ForgeryError("a message of the body is cut short, or of no kind")
        messages.append(Message(to, kind.decode("ascii"), body[kind_end + 4 : end], sender))
        at = end
    if at != len(body):
        raise ForgeryError("bytes are left over after the last message")
    return messages


def answers_of(name: str, status: int, body: bytes) -> list[Message]:
    """Return the messages of what an institution answered.

    Raises
    ------
    DataError
        It refuses, or answers with something else.
    """
    if status != HTTPStatus.OK:
        raise DataError(f"{name} answers {status}: {body[:200].decode('utf-8', 'replace')}")
    try:
        return unpack(body, to="", sender=name)
    except ForgeryError as error:
        raise DataError(f"{name} answers with something else: {error}") from None
