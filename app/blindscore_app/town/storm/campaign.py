"""Campaign: many sequences, and the seeds of those in which something did not hold.

Sequences play the designs in turn, some without a relay and some with one; every eleventh lies on SQLite files, or in
PostgreSQL, the others in memory.
Signatures are checked once each and remembered: a check is a pure function, and parties that come up anew would spend
nine tenths of the time on those of a log that they have read before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from unittest.mock import patch

from blindscore.errors import ParameterError
from blindscore.parties.store import Store
from blindscore_app.town.parts import PARTS
from blindscore_app.town.storm.blind_village import EXTRA, BlindVillage
from blindscore_app.town.storm.blind_weather import BlindWeather
from blindscore_app.town.storm.on_disk import on_disk
from blindscore_app.town.storm.sealed_weather import SealedWeather
from blindscore_app.town.storm.village import Village
from blindscore_app.town.storm.weather import Weather
from blindscore_crypto.channel.signatures import VerifyingKey

ON_DISK = 11  # every so manieth sequence


@dataclass
class Outcome:
    """What a campaign saw."""

    sequences: int = 0
    operations: Counter[str] = field(default_factory=Counter)
    crashes: int = 0
    decisions: int = 0
    broken: dict[int, list[str]] = field(default_factory=dict)  # seed -> what did not hold

    def text(self) -> str:
        """Return it in a few lines; seeds of broken sequences first."""
        lines = [f"seed {seed}: {breach}" for seed, said in self.broken.items() for breach in said]
        count = f"{self.sequences} sequences, {sum(self.operations.values())} operations, {self.crashes} crashes at a "
        lines.append(count + f"step, {self.decisions} decisions; {len(self.broken)} sequences broke an invariant")
        return "\n".join(lines)


AnyVillage = Village | BlindVillage


def village_of(design: str) -> AnyVillage:
    """Return a village of a design.

    Raises
    ------
    ParameterError
        No town plays it.
    """
    if design not in PARTS:
        raise ParameterError(f"the storm plays {', '.join(PARTS)}, not {design!r}")
    return BlindVillage(design) if design in EXTRA else Village(blind=design == "one-show")


def play(village: AnyVillage, seed: int, make: Callable[[str], Store] | None = None) -> tuple[list[str], Weather]:
    """Play one sequence; return what does not hold, and the sequence."""
    weather: Weather
    if isinstance(village, BlindVillage):
        weather = BlindWeather(village, seed, make)
    else:
        weather = SealedWeather(village, seed, make)
    try:
        for _ in range(weather.random.randint(*weather.steps)):
            weather.step()
        weather.calm()
        return list(weather.breaches()), weather
    finally:
        weather.close()


def campaign(
    seeds: Sequence[int],
    villages: Sequence[AnyVillage] | None = None,
    tick: Callable[[int], None] = lambda _: None,
    database: str = "",
) -> Outcome:
    """Play one sequence a seed.

    Parameters
    ----------
    villages
        Whose parties play, in turn; by default one of each design.
    tick
        Called after each, with how many were played.
    database
        How libpq reaches a PostgreSQL server, in the place of SQLite; its schemas ``storm_...`` are the campaign's own.
    """
    villages = villages or [village_of(design) for design in PARTS]
    outcome = Outcome()
    with checks_remembered():
        for seed in seeds:
            village = villages[seed % len(villages)]
            if seed % ON_DISK == ON_DISK - 1:
                with on_disk(database) as make:
                    broken, weather = play(village, seed, make)
            else:
                broken, weather = play(village, seed)
            outcome.sequences += 1
            outcome.operations.update(weather.trail)
            outcome.crashes += weather.crashes
            outcome.decisions += weather.decisions
            if broken:
                outcome.broken[seed] = broken
            tick(outcome.sequences)
    return outcome


@contextmanager
def checks_remembered() -> Iterator[None]:
    """Check each signature once for as long as the block lasts."""
    with patch.object(VerifyingKey, "accepts", lru_cache(maxsize=1 << 16)(VerifyingKey.accepts)):
        yield
