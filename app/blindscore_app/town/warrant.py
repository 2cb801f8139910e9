"""Warrant: a standing order. A party must copy all that arrives at it from now on, and may be forbidden to tell.

::

    TOWN/<party>/orders/<number>.json   the order's record: whom it is after, since when, whether it may be told
    TOWN/<party>/orders/<number>.copy   one line a message: time, what the line showed of the sender, kind, body

Both are files of the party's own, which the state reads and the person cannot. What may be told is told by ``/health``:
how many orders stand. Of an order that forbids to tell nothing stands there, nor in the log, nor in any answer.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from blindscore.errors import DataError, ParameterError
from blindscore.parties.message import Message

ORDERS = "orders"


@dataclass(frozen=True)
class Warrant:
    """A standing order.

    Parameters
    ----------
    person
        Legal id of whom it is after; "" = everybody.
    gag
        It forbids to tell that it stands.
    placed
        Seconds since 1970.
    """

    person: str
    gag: bool
    placed: float


def place(folder: Path, person: str, *, gag: bool) -> Path:
    """Place a standing order on the party whose folder this is; return its record. A running service heeds it.

    Raises
    ------
    DataError
        No party's folder.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no party's folder lies here")
    orders = folder / ORDERS
    orders.mkdir(mode=0o700, exist_ok=True)
    record = orders / f"{len(list(orders.glob('*.json')))}.json"
    fresh = record.with_suffix(".new")
    fresh.write_text(json.dumps(asdict(Warrant(person, gag, time.time()))), "utf-8")
    fresh.replace(record)
    return record


def standing(folder: Path) -> dict[Path, Warrant]:
    """Return the standing orders on a party, by the file that holds each's copy.

    Raises
    ------
    ParameterError
        A record is not one.
    """
    found = {}
    for record in sorted((folder / ORDERS).glob("*.json")):
        try:
            found[record.with_suffix(".copy")] = Warrant(**json.loads(record.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            raise ParameterError(f"{record}: no record of an order; remove it, or place the order again") from None
    return found


@dataclass
class Heeded:
    """What a service does about the orders on its party: it copies, and says how many may be told."""

    folder: Path

    def note(self, messages: Sequence[Message]) -> None:
        """Copy what has arrived, for each order that is after it, before anybody answers."""
        for copy, warrant in standing(self.folder).items():
            wanted = [m for m in messages if warrant.person in ("", m.sender)]
            if wanted:
                _append(copy, wanted)

    def told(self) -> int:
        """Return how many orders stand of which the party may tell."""
        return sum(not warrant.gag for warrant in standing(self.folder).values())


def copied(copy: Path) -> list[tuple[str, str, bytes]]:
    """Return what an order has copied so far: what the line showed of the sender, kind, body."""
    if not copy.exists():
        return []
    lines = [json.loads(line) for line in copy.read_text("utf-8").splitlines()]
    return [(line["from"], line["kind"], bytes.fromhex(line["body"])) for line in lines]


def _append(copy: Path, messages: Iterable[Message]) -> None:
    lines = [
        json.dumps({"at": time.time(), "from": m.sender, "kind": m.kind, "body": m.body.hex()}) + "\n" for m in messages
    ]
    with os.fdopen(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8") as file:
        file.writelines(lines)
