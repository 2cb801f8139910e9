"""linking: how often two lenders, or a lender and the issuer, hold a common string of one person, by size of batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from blindscore.parties.observe import joined
from blindscore.people.population import Population
from blindscore.scorecard.scorecard import Scorecard
from blindscore_crypto.designs.executed import fit
from blindscore_crypto.world.credential import Kept, play
from blindscore_crypto.world.run import in_pairs

FOUR = ("lender", "second lender", "third lender", "fourth lender")


@dataclass(frozen=True)
class Linked:
    """Shares of people, 0..1, over all pairs of four lenders to whom each person shows once."""

    batch: int
    lenders: float  # a pair of lenders joined by a string
    issuer: float  # a lender and the issuer
    looked_up: bool  # whether a question about one person's status reached the issuer


def linked(
    kept: Kept, population: Population, scorecard: Scorecard, batches: Sequence[int], sample: int = 8, seed: int = 1
) -> list[Linked]:
    """Play a sample before four lenders for each size of batch, and count the joins that are found in what all held."""
    fitted = fit(population, scorecard, 0.75)
    chosen = in_pairs(fitted.scores, sample, np.random.default_rng(seed))
    found = []
    for batch in batches:
        done = play(kept, population, fitted, chosen, batch, lenders=FOUR)
        pairs = [len(joined(done.seen[a], done.seen[b])) for a, b in combinations(FOUR, 2)]
        issuer = [len(joined(done.seen["source"], done.seen[name])) for name in FOUR]
        asked = {p.body for p in done.table.tape.passages if p.receiver == "source" and p.kind == "status"}
        n = len(chosen)
        found.append(Linked(batch, float(np.mean(pairs)) / n, float(np.mean(issuer)) / n, bool(asked - {b"list"})))
    return found
