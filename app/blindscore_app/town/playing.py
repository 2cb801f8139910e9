"""Playing: a wallet is told something by its person, and its messages go out until nothing is left to say."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from blindscore.errors import DataError
from blindscore.parties.message import Message
from blindscore.parties.party import Party
from blindscore_app.town.lines import Lines

MAX_STEPS = 256


def tell(wallet: Party, lines: Lines, command: str) -> None:
    """Play one command of a person; returns when the wallet has nothing more to say.

    Raises
    ------
    DataError
        An institution does not answer, or the exchange does not end.
    """
    lines.begin()
    waiting = deque([Message(wallet.name, command, b"")])
    for _ in range(MAX_STEPS):
        if not waiting:
            return
        for message in wallet.handle(waiting.popleft()):
            waiting.extend(replace(answer, to=wallet.name) for answer in lines.send(message))
    raise DataError(f"{command}: the exchange does not end")
