"""linking: what two lenders, a lender and the issuer, or a look-up of a status join, by size of batch and of crowd."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from blindscore.parties.observe import joined, windows_of
from blindscore.parties.view import View
from blindscore.people.population import Population
from blindscore.scorecard.scorecard import Scorecard
from blindscore.surveillance.coalitions import shared_handles
from blindscore_crypto.designs.executed import fit
from blindscore_crypto.world.credential import Kept, play
from blindscore_crypto.world.parties import NONCE
from blindscore_crypto.world.run import in_pairs
from blindscore_crypto.world.scheme import Scheme

FOUR = ("lender", "second lender", "third lender", "fourth lender")


@dataclass(frozen=True)
class Linked:
    """Shares of people, 0..1, over all pairs of lenders to whom each person shows once."""

    batch: int
    lenders: float  # a pair of lenders joined by a string
    issuer: float  # a lender and the issuer
    looked_up: float  # one number's status was asked for at the issuer, which knows whose number it is


def linked(
    kept: Kept,
    population: Population,
    scorecard: Scorecard,
    batches: Sequence[int],
    sample: int = 8,
    seed: int = 1,
    *,
    lenders: tuple[str, ...] = FOUR,
    look_up: bool = False,
) -> list[Linked]:
    """Play a sample before the lenders for each size of batch, and count the joins that are found in what all held."""
    fitted = fit(population, scorecard, 0.75)
    chosen = in_pairs(fitted.scores, sample, np.random.default_rng(seed))
    found = []
    for batch in batches:
        done = play(kept, population, fitted, chosen, batch, lenders=lenders, look_up=look_up)
        pairs = [len(joined(done.seen[a], done.seen[b])) for a, b in combinations(lenders, 2)]
        issuer = [len(joined(done.seen["source"], done.seen[name])) for name in lenders]
        tape = done.table.tape.passages
        asked = {p.person for p in tape if p.receiver == "source" and p.kind == "status" and p.body != b"list"}
        n = len(chosen)
        found.append(Linked(batch, float(np.mean(pairs)) / n, float(np.mean(issuer)) / n, len(asked) / n))
    return found


def known_again(scheme: Scheme, people: int = 8) -> tuple[float, float]:
    """Return of how many people, 0..1, two presentations of a credential share a string that is nobody else's.

    Both at one lender; then one at each of two lenders. The credentials say yes of everybody.
    """
    shown = []
    for _ in range(people):
        holder = scheme.holding()
        credential = scheme.issuing.issue(holder.ask(), {"approved": True})
        to = ("lender", "lender", "second lender")
        shown.append(
            [windows_of([holder.present(credential, ("approved",), secrets.token_bytes(NONCE), name)]) for name in to]
        )
    again = apart = 0
    for i, (first, *later) in enumerate(shown):
        others = np.concatenate(
            [np.empty(0, np.uint64), *(w for j, all_of in enumerate(shown) if j != i for w in all_of)]
        )
        own = np.setdiff1d(first, others)
        again += bool(np.intersect1d(own, later[0]).size)
        apart += bool(np.intersect1d(own, later[1]).size)
    return again / people, apart / people


def found_in_crowd(view: View, other: View | None, crowd: int, draws: int = 200, seed: int = 1) -> float:
    """Return how often a record of ``view`` is put to the right person among so many, 0..1.

    By a handle that the other party holds too, else by its values alone, for somebody who knows everybody's: the
    mean of one over the number of people of the crowd who look alike.

    Parameters
    ----------
    view
        One record a person.
    other
        Of the party that joins its records to it; None counts values only.
    crowd
        People among whom the person is, drawn afresh each time.
    """
    if other is not None and shared_handles(view, other):
        return 1.0
    if not view.values:
        return 1.0 / crowd
    rows = view.clear[view.values].groupby(view.values, dropna=False, sort=False).ngroup().to_numpy()
    rng, hits = np.random.default_rng(seed), []
    for _ in range(draws):
        drawn = rows[rng.choice(len(rows), crowd, replace=False)]
        hits.append(len(np.unique(drawn)) / crowd)  # the mean over people of 1 / size of their class
    return float(np.mean(hits))
