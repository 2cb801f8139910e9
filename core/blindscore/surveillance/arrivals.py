"""What each party is shown of people's arrivals, whatever their messages say: hour, how often, and whose signature."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from blindscore.designs.design import Run
from blindscore.people.population import Population
from blindscore.surveillance.coalitions import OBSERVER, is_empty, shared_handles, view_of

MONTHS = 12  # over which applications are counted
HOUR, BANK, TIMES = "hour", "bank", "times"


def arrivals_of(population: Population) -> pd.DataFrame:
    """Return hour and signing bank of each person's application, and how many it makes in twelve months, (n, 3)."""
    found = population.applications(MONTHS)
    first = found[found["month"] == 0].sort_values("person", kind="stable").reset_index(drop=True)
    times = np.bincount(found["person"].to_numpy(), minlength=len(population))
    return pd.DataFrame({HOUR: first["hour"], BANK: first["bank"], TIMES: times})


def shown(run: Run, roles: Sequence[str]) -> list[str]:
    """Return the columns of :func:`arrivals_of` that parties of these roles have.

    Whoever reads anything of people sees when it comes. Whoever knows a person by name or pseudonym can count, and so
    can an observer, by address. A signature names the bank to the bank itself, to whoever scores, to a lender that is
    one party with it, and to whoever shares with the source a string that it signed. Logs of times are taken as kept.
    """
    told: set[str] = set()
    for role in roles:
        view = view_of(run, role)
        if is_empty(view):
            continue
        told.add(HOUR)
        if view.keyed_by != "one-time" or role == OBSERVER:
            told.add(TIMES)
        scores = run.party_of(role) == run.party_of("scorer")
        signed = scores or bool(shared_handles(view, view_of(run, "source")))
        if role != OBSERVER and (role == "source" or signed):
            told.add(BANK)
    return [name for name in (HOUR, BANK, TIMES) if name in told]


def values_of(table: pd.DataFrame) -> int:
    """Return how many different rows of such columns are possible: hours of a day, the banks there are, and months."""
    most = {HOUR: 24, BANK: int(table[BANK].nunique()) if BANK in table else 1, TIMES: MONTHS}
    return math.prod(most[str(name)] for name in table)
