"""Campaign: many sequences, and the seeds of those in which something did not hold.

Sequences alternate between the sealed and the one-show form, two without a relay and two with one; every tenth lies on
SQLite files, or in PostgreSQL, the others in memory.
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

from blindscore_app.town.storm.on_disk import on_disk
from blindscore_app.town.storm.village import Village
from blindscore_app.town.storm.weather import play
from blindscore_crypto.channel.signatures import VerifyingKey

ON_DISK = 10  # every so manieth sequence


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


def campaign(
    seeds: Sequence[int],
    villages: Sequence[Village] | None = None,
    tick: Callable[[int], None] = lambda _: None,
    database: str = "",
) -> Outcome:
    """Play one sequence a seed.

    Parameters
    ----------
    villages
        Whose parties play; by default a sealed and a one-show one.
    tick
        Called after each, with how many were played.
    database
        How libpq reaches a PostgreSQL server, in the place of SQLite; its schemas ``storm_...`` are the campaign's own.
    """
    villages = villages or (Village(blind=False), Village(blind=True))
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
            outcome.decisions += len(weather.said.decisions)
            if broken:
                outcome.broken[seed] = broken
            tick(outcome.sequences)
    return outcome


@contextmanager
def checks_remembered() -> Iterator[None]:
    """Check each signature once for as long as the block lasts."""
    with patch.object(VerifyingKey, "accepts", lru_cache(maxsize=1 << 16)(VerifyingKey.accepts)):
        yield
