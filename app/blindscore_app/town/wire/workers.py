"""Workers: the processes of a campaign: services, relays, whoever watches. They end with their block."""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from blindscore.errors import DataError
from blindscore_app.town.wire.link import Link
from blindscore_app.town.wire.namespaces import Lab
from blindscore_app.town.wire.observer import watch
from blindscore_app.town.wire.relay import carry

UP_S = 300.0  # a busy machine lets them wait
DOWN_S = 2.0
_FORK = multiprocessing.get_context("fork")  # a party with its keys and prepared messages is handed on as it is


@dataclass
class Workers:
    """Processes, each with a pipe to it.

    Parameters
    ----------
    stop
        Set when the block ends, or when all has been played; those who watch and carry heed it.
    """

    stop: Any = field(default_factory=_FORK.Event)
    _processes: list[Any] = field(default_factory=list)

    @classmethod
    @contextlib.contextmanager
    def running(cls) -> Iterator[Workers]:
        """Yield an empty set of workers, and end them all when the block ends."""
        made = cls()
        try:
            yield made
        finally:
            made.stop.set()
            for process in made._processes:
                process.join(DOWN_S)
                if process.is_alive():
                    process.kill()
                    process.join()

    def start(self, work: Callable[..., None], *more: Any) -> Any:
        """Start a process; return this end of its pipe once it has said that it is up.

        Raises
        ------
        DataError
            It says nothing in time.
        """
        here, there = _FORK.Pipe()
        process = _FORK.Process(target=work, args=(there, *more), daemon=True)
        process.start()
        self._processes.append(process)
        if not here.poll(UP_S):
            raise DataError(f"{work.__name__} does not come up")
        return here

    def observe(self, place: Lab, link: Link, seed: int) -> Any:
        """Carry packets between two namespaces as a link does, and watch; return the observer's pipe."""
        observer = self.start(_watch, place.lender_cable, self.stop)
        observer.recv()
        self.start(_carry, place.wallet_cable, place.lender_cable, link, seed, self.stop)
        return observer


def _carry(pipe: Any, wallet_side: str, lender_side: str, link: Link, seed: int, stop: Any) -> None:
    pipe.send("up")
    carry(wallet_side, lender_side, link, seed, stop.is_set)


def _watch(pipe: Any, interface: str, stop: Any) -> None:
    pipe.send(watch(interface, lambda: pipe.send("up"), stop.is_set))
