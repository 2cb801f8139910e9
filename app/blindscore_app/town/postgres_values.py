"""Values of a :class:`.postgres_store.PostgresStore` in its columns: bytes whose first one tells the kind."""

from __future__ import annotations

from typing import Any

from blindscore.errors import DataError, ParameterError
from blindscore.parties.store import Row

SHARDS = 8  # a power of two, up to 256


def shard_of(key: bytes) -> int:
    """Return a key's shard: its first byte's leading bits."""
    return (key[0] if key else 0) * SHARDS // 256


def encode(value: object) -> bytes | None:
    """Return a value as bytes whose first one tells the kind.

    Raises
    ------
    ParameterError
        It is of a kind that no store keeps.
    """
    match value:
        case None:
            return None
        case bytes():
            return b"b" + value
        case str():
            return b"s" + value.encode()
        case bool() | int():
            return b"i" + str(int(value)).encode()
        case float():
            return b"f" + value.hex().encode()
        case _:
            raise ParameterError(f"a store keeps bytes, numbers and words, no {type(value).__name__}")


def decode(data: bytes | memoryview | None) -> bytes | int | float | str | None:
    """Return what :func:`encode` was given.

    Raises
    ------
    DataError
        Something else wrote it.
    """
    if data is None:
        return None
    raw = bytes(data)
    match raw[:1]:
        case b"b":
            return raw[1:]
        case b"s":
            return raw[1:].decode()
        case b"i":
            return int(raw[1:])
        case b"f":
            return float.fromhex(raw[1:].decode())
        case _:
            raise DataError("a field of the database holds no value of ours; was it written by something else?")


def decoded(names: list[str], values: Any) -> Row:
    """Return a row's fields by name, from what the server holds of them."""
    return dict(zip(names, map(decode, values), strict=True))
