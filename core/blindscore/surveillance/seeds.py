"""Further seeds: a mark that one society or one attacker's luck gave is taken back.

The first seed is measured whole. Under every further one only the rows that still carry a mark are played, over people
(for a real file: over attackers' knowledge) of that seed, with one real run a cryptographic design: a mark is kept
where it is earned under all of them. Figures and bounds that are printed are the first seed's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from threadpoolctl import threadpool_limits

from blindscore.designs.design import Design
from blindscore.designs.parameters import sampled
from blindscore.people.population import Population
from blindscore.scorecard.scorecard import Scorecard
from blindscore.surveillance.cache import Cache
from blindscore.surveillance.capability import Capability
from blindscore.surveillance.frontier import measure
from blindscore.surveillance.ledger import Ledger, Row
from blindscore.surveillance.marks import Key, held, key_of, marked
from blindscore.threads import each

TOGETHER = 2  # seeds played side by side; more would hold more people in memory


def hold(
    ledger: Ledger,
    designs: Sequence[Design],
    scorecard: Scorecard,
    seeds: Iterable[int],
    people_of: Callable[[int], Population],
    *,
    capabilities: Sequence[Capability] | None = None,
    cache: Cache | None = None,
    tell: Callable[[int], None] | None = None,
    elsewhere: Population | None = None,
) -> Ledger:
    """Return a ledger whose marks hold under further seeds too.

    Parameters
    ----------
    ledger
        Of a first seed, measured whole.
    designs, scorecard, capabilities, cache, elsewhere
        As it was measured with.
    seeds
        The further ones.
    people_of
        The people of a seed.
    tell
        Called with each seed before it is played.
    """
    rows, first = list(ledger.rows), int(ledger.meta["seed"])
    further = list(seeds)
    for start in range(0, len(further), TOGETHER):
        some = further[start : start + TOGETHER]
        if tell is not None:
            for seed in some:
                tell(seed)
        wanted = _marked(rows)
        left = [sampled(design, 1) for design in designs if any(key[0] == design.name for key in wanted)]
        if not left:
            continue

        def play(seed: int, left: list[Design] = left, wanted: frozenset[Key] = wanted) -> Sequence[Row]:
            return measure(
                people_of(seed),
                left,
                scorecard,
                seed=seed,
                command="",
                capabilities=capabilities,
                cache=cache,
                wanted=wanted,
                elsewhere=elsewhere,
            ).rows

        with threadpool_limits(1):  # else the seed that is through first would lift the limit of the other
            found = each(play, some)
        for again in found:
            # As if the seeds had been played one by one: Holm's correction is over the rows that still carry a mark.
            still = _marked(rows)
            rows = held(rows, [marked([row for row in again if key_of(row) in still], None)])
    return replace(ledger, meta={**ledger.meta, "seeds": [first, *further]}, rows=tuple(rows))


def _marked(rows: Iterable[Row]) -> frozenset[Key]:
    """Return which rows carry a mark of their own."""
    return frozenset(key_of(row) for row in rows if row.removed and not row.same_as)
