"""How often a printed bound of one bit lies under the population's own value.

For each of so many societies a card is fitted, everybody is told one bit, and the bound on each secret is printed as
the ledger does it: exact on these people, and the limit for people like these. The population's value is that of the
same card on fresh people, a great many. The exact figure is an estimate, so that about half of them may lie under it;
of the limits none should, but one table in twenty.

Run: ``python benchmarks/bench_bounds.py [--societies 10] [--people 20000] [--fresh 400000] [--json]``.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import numpy as np

from blindscore.designs.plain import financial, score_in_clear
from blindscore.people.society import make_society
from blindscore.scorecard.scorecard import Scorecard
from blindscore.surveillance.inference.bound import finite_view_bound, finite_view_bounds
from blindscore.surveillance.truth import auxiliary_people, classes_of

FRESH_SEED = 2**31  # far from those of the societies


def measure(societies: int, people: int, fresh: int) -> dict[str, Any]:
    """Return how many one-bit bounds there are, and how many lie under what the fresh people give."""
    everybody = make_society(people=fresh, seed=FRESH_SEED)
    right = {name: classes_of(column) for name, column in everybody.sensitive.items()}
    exact, limits, widest = [], [], []
    for seed in range(1, societies + 1):
        society = make_society(people=people, seed=seed)
        scored = score_in_clear(society, Scorecard(), financial(society), 0.75)
        targets = ~auxiliary_people(society, seed)
        bit = (scored.scores >= scored.threshold).astype(np.int64)[targets]
        told = (scored.card.scores(scored.card.bins(everybody.features)) >= scored.threshold).astype(np.int64)
        for name, codes in right.items():
            bound = finite_view_bounds(bit, classes_of(society.sensitive[name])[targets], 2)
            true = finite_view_bound(told, codes)
            exact.append(bound.these < true)
            limits.append(bound.alike < true)
            widest.append(bound.alike - true)
    return {
        "bounds": len(limits),
        "exact_under_the_population": sum(exact),
        "limits_under_the_population": sum(limits),
        "limit_above_the_population_median": round(float(np.median(widest)), 4),
        "limit_above_the_population_most": round(float(np.max(widest)), 4),
        "people": people,
        "fresh": fresh,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--societies", type=int, default=10)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--fresh", type=int, default=400_000)
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    given = parser.parse_args()
    figures = measure(given.societies, given.people, given.fresh)
    if given.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:36} {value}")
