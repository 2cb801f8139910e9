"""Further seeds: a mark that one society or one attacker's luck gave is taken back.

The first seed is measured whole. Under every further one only the rows that still carry a mark are played, over people
(for a real file: over attackers' knowledge) of that seed, with one real run a cryptographic design: a mark is kept
where it is earned under all of them. Figures and bounds that are printed are the first seed's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from blindscore.designs.design import Design
from blindscore.designs.parameters import sampled
from blindscore.people.population import Population
from blindscore.scorecard.scorecard import Scorecard
from blindscore.surveillance.cache import Cache
from blindscore.surveillance.capability import Capability
from blindscore.surveillance.frontier import measure
from blindscore.surveillance.ledger import Ledger
from blindscore.surveillance.marks import held, key_of


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
    rows, played = list(ledger.rows), [int(ledger.meta["seed"])]
    for seed in seeds:
        if tell is not None:
            tell(seed)
        played.append(seed)
        wanted = {key_of(row) for row in rows if row.removed and not row.same_as}
        left = [sampled(design, 1) for design in designs if any(key[0] == design.name for key in wanted)]
        if not left:
            continue
        again = measure(
            people_of(seed),
            left,
            scorecard,
            seed=seed,
            command="",
            capabilities=capabilities,
            cache=cache,
            wanted=wanted,
            elsewhere=elsewhere,
        )
        rows = held(rows, [again.rows])
    return replace(ledger, meta={**ledger.meta, "seeds": played}, rows=tuple(rows))
