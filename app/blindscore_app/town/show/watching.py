"""Watching: a wallet's lines that keep what went over them, beside what the receiver's own log says of it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from blindscore.parties.message import Message
from blindscore_app.town.bundle import pack
from blindscore_app.town.lines import Lines


@dataclass(frozen=True)
class Exchange:
    """One request that a party received, and that it answered."""

    at: float  # seconds since 1970-01-01 UTC
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
