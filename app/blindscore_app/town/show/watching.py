"""Watching: a wallet's lines that keep what went over them, beside what the receiver's own log says of it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from blindscore.parties.message import Message
from blindscore_app.town.bundle import pack
from blindscore_app.town.lines import Lines

SHOWN_BYTES = 96  # of a body or a packet
SHOWN_LAST = 12  # exchanges and connections in a window


@dataclass(frozen=True)
class Exchange:
    """One request that a party received, and that it answered."""

    at: float  # seconds since 1970-01-01 UTC; 0 = no wallet of this page sent it, and its body is not known
    to: str
    kind: str
    login: str  # legal id that the party's login stands for; "" where nobody logs in
    body: bytes  # of the request, whole
    answered: int  # bytes of the answer's messages
    logged: dict[str, Any]  # the line that the receiver's log has of it; empty where it has none


@dataclass
class LogTail:
    """Reads what is added to a party's log from now on."""

    path: Path

    def __post_init__(self) -> None:
        self._at = self.path.stat().st_size if self.path.exists() else 0

    def added(self) -> list[dict[str, Any]]:
        """Return the whole lines that were added since the last call; a line that is not JSON is passed over."""
        if not self.path.exists():
            return []
        with self.path.open("rb") as file:
            file.seek(self._at)
            fresh = file.read()
        whole = fresh[: fresh.rfind(b"\n") + 1]
        self._at += len(whole)
        found = []
        for line in whole.splitlines():
            try:
                read = json.loads(line)
            except ValueError:
                continue
            if isinstance(read, dict):
                found.append(read)
        return found


@dataclass
class Heard:
    """All that one party's own log says that it received, whoever sent it."""

    tail: LogTail
    _lines: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._reading = threading.Lock()

    def with_bodies(self, exchanges: Sequence[Exchange]) -> list[Exchange]:
        """Return what was received, the oldest first: of what this page's wallets sent with its body, else without.

        Parameters
        ----------
        exchanges
            Those with this party.
        """
        with self._reading:
            self._lines += [line for line in self.tail.added() if "bytes" in line]
            lines = list(self._lines)
        left, found = list(exchanges), []
        for line in lines:
            mine = next((one for one in left if one.logged == line), None)
            if mine is not None:
                left.remove(mine)
            found.append(mine or Exchange(0.0, "", str(line.get("kind")), "", b"", 0, line))
        return [*found, *left]


@dataclass
class Watched(Lines):
    """Lines of one wallet; each request is noted when its answer is there.

    Parameters
    ----------
    login
        The person's legal id, which the sources' logins stand for.
    tails
        Of the log of each institution, by name.
    note
        Takes what was noted.
    """

    login: str = ""
    tails: dict[str, LogTail] = field(default_factory=dict)
    note: Callable[[Exchange], None] = lambda _: None

    def send(self, message: Message) -> list[Message]:
        """See :meth:`~blindscore_app.town.lines.Lines.send`."""
        to, body, at = message.to, pack([message]), time.time()
        self._added(to)  # what others had it log meanwhile
        answers = super().send(message)
        same = [line for line in self._added(to) if (line.get("kind"), line.get("bytes")) == (message.kind, len(body))]
        login = self.login if to in self.tokens else ""
        size = sum(len(answer.body) for answer in answers)
        self.note(Exchange(at, to, message.kind, login, body, size, same[0] if same else {}))
        return answers

    def _added(self, name: str) -> list[dict[str, Any]]:
        tail = self.tails.get(name)
        return tail.added() if tail is not None else []


def latest(received: list[Exchange]) -> list[dict[str, Any]]:
    """Return the last requests, the latest first, in values that JSON has; one said again at once stands once."""
    runs: list[list[Exchange]] = []
    for one in reversed(received):
        if runs and one.body and (one.kind, one.body) == (runs[-1][0].kind, runs[-1][0].body):
            runs[-1].append(one)
        else:
            runs.append([one])
    return [{**_plain(run[0]), "times": len(run)} for run in runs[:SHOWN_LAST]]


def _plain(one: Exchange) -> dict[str, Any]:
    return {
        "at": time.strftime("%H:%M:%S", time.localtime(one.at)) if one.at else "",
        "kind": one.kind,
        "login": one.login,
        "bytes": len(one.body) or one.logged.get("bytes", 0),
        "answered": one.answered,
        "body": dump(one.body),
        "logged": json.dumps(one.logged) if one.logged else "",
    }


def dump(data: bytes) -> str:
    """Return the first bytes in hexadecimal, in groups of four."""
    more = " ..." if len(data) > SHOWN_BYTES else ""
    return data[:SHOWN_BYTES].hex(" ", -4) + more
