"""House: the designs that can be chosen, one town each; one of them is on stage at a time and the others are down."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from blindscore.errors import ParameterError
from blindscore_app.town.board import prepare
from blindscore_app.town.parts import PARTS
from blindscore_app.town.show.stage import Stage, staged
from blindscore_app.town.standing import Town

DESIGNS = tuple(PARTS)  # every one that a town plays
Found = Callable[[str], tuple[Town, str]]  # design -> its town, and the passphrase of its keys; "" = it is up already


@dataclass
class House:
    """Keeps one stage.

    Parameters
    ----------
    designs
        That can be chosen.
    found
        Founds the town of a design; called once for each.
    """

    designs: tuple[str, ...]
    found: Found
    _towns: dict[str, tuple[Town, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._changing = threading.Lock()
        self._open = ExitStack()
        self._stage: Stage | None = None
        self.design = ""

    def __enter__(self) -> House:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    @property
    def stage(self) -> Stage:
        """What is on stage.

        Raises
        ------
        ParameterError
            Nothing is, since a design is being started.
        """
        if self._stage is None:
            raise ParameterError("the parties are starting; ask again in a few seconds")
        return self._stage

    def choose(self, design: str) -> None:
        """Put a design on stage; what its people did before is still in its parties' databases.

        Raises
        ------
        ParameterError
            No such design, or somebody is acting.
        """
        if design not in self.designs:
            raise ParameterError(f"this page plays {' or '.join(self.designs)}, not {design[:40]!r}")
        with self._changing:
            if design == self.design:
                return
            if self._stage is not None and self._stage.busy:
                raise ParameterError("somebody is applying; choose another design afterwards")
            self._stage, self.design = None, ""
            self._open.close()
            if design not in self._towns:
                self._towns[design] = self.found(design)
            self._stage = self._open.enter_context(staged(*self._towns[design]))
            self.design = design


def fresh_house(folder: Path, people: int, seed: int) -> House:
    """Return a house whose towns are founded in a folder when they are chosen."""

    def found(design: str) -> tuple[Town, str]:
        town, passphrase, _ = prepare(folder / design, design, people, seed, relay=False)
        return town, passphrase

    return House(DESIGNS, found)


def house_of(town: Town) -> House:
    """Return a house around a town that is up."""
    return House((str(town.public["design"]),), lambda _: (town, ""))
