"""Posting: HTTPS requests over connections that stay open, one set a thread; by the standard library alone.

Who sees what: the other side sees path, body and the headers handed in; no name or version of a library is told.
"""

from __future__ import annotations

import contextlib
import select
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from blindscore.errors import DataError

CONNECT_S, ANSWER_S = 5.0, 60.0


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    body: bytes
    headers: Mapping[str, str]  # names in lower case


@dataclass
class Posting:
    """One side's open connections.

    Parameters
    ----------
    context
        TLS, with this side's certificate or none.
    longest
        Bytes that an answer may have.
    """

    context: ssl.SSLContext
    longest: int
    answer_s: float = ANSWER_S
    _local: threading.local = field(default_factory=threading.local, repr=False)
    _every: list[HTTPSConnection] = field(default_factory=list, repr=False)

    def ask(
        self, address: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Post a body, or get where there is none.

        Raises
        ------
        DataError
            Nobody answers there, or with more than is allowed.
        """
        try:
            connection = self._connection(address)
            connection.request("GET" if body is None else "POST", path, body, dict(headers or {}))
            answer = connection.getresponse()
            read = answer.read(self.longest + 1)
        except (OSError, HTTPException) as error:
            self._drop(address)
            raise DataError(f"nobody answers at {address}: {type(error).__name__}") from None
        if len(read) > self.longest:
            self._drop(address)
            raise DataError(f"an answer from {address} has more than {self.longest} bytes")
        return Reply(answer.status, read, {name.lower(): value for name, value in answer.getheaders()})

    def certificate(self, address: str) -> bytes:
        """Return the certificate, in DER, of whoever the open connection to an address leads to; open one if need be.

        Raises
        ------
        DataError
            Nobody answers there.
        """
        try:
            sock = self._connection(address).sock
        except OSError as error:
            self._drop(address)
            raise DataError(f"nobody answers at {address}: {type(error).__name__}") from None
        return sock.getpeercert(True) or b""

    def close(self) -> None:
        """Close every connection; the next request makes a new one."""
        while self._every:
            self._every.pop().close()
        self._local = threading.local()

    def _connection(self, address: str) -> HTTPSConnection:
        known: dict[str, HTTPSConnection] = self._local.__dict__.setdefault("known", {})
        connection = known.get(address)
        if connection is not None:
            # What can be read before anything was asked is the other side's farewell.
            if connection.sock is not None and not select.select([connection.sock], [], [], 0)[0]:
                return connection
            self._drop(address)
        parts = urlsplit(address)
        connection = HTTPSConnection(parts.hostname or "", parts.port, timeout=CONNECT_S, context=self.context)
        known[address] = connection
        self._every.append(connection)
        connection.connect()
        connection.sock.settimeout(self.answer_s)
        return connection

    def _drop(self, address: str) -> None:
        connection = self._local.__dict__.setdefault("known", {}).pop(address, None)
        if connection is not None:
            connection.close()
            with contextlib.suppress(ValueError):
                self._every.remove(connection)
