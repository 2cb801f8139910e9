"""How many people share what a party reads: singling out, k-anonymity and l-diversity of each view.

Singling out: Article 29 Working Party, Opinion 05/2014 (WP216), section 2.2. k-anonymity: Sweeney, "k-anonymity: a
model for protecting privacy" (2002). l-diversity, in its distinct form: Machanavajjhala et al., "l-Diversity: privacy
beyond k-anonymity" (2007).

A crowd is everybody of this run whose values are the same. Figures are exact for these people and speak of no others:
of more people, more share a value.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.designs.design import Run
from blindscore.parties.view import Kind, View
from blindscore.people.population import Population

# Join keys single out by design, which `keyed_by` says; times and sizes on the wire are the capability `intercept`.
COUNTED: tuple[Kind, ...] = ("feature", "register", "score", "total", "decision")
FEW = 5  # people; a crowd of fewer counts as small


def crowds(population: Population, run: Run) -> tuple[dict[str, Any], ...]:
    """Return the crowds of each role that reads a value.

    Returns
    -------
    tuple of dict
        ``role``, ``keyed_by``, ``columns`` (how many values make a crowd), ``people`` (of whom it has a record),
        ``crowds`` (how many there are), ``smallest`` (k: people in the smallest one), ``alone`` (share of people whom
        nobody shares the values with), ``few`` (share who stand among fewer than five, themselves included) and
        ``secrets``: for each its name (``secret``), ``least`` (l: the fewest different values within a crowd, among
        those who state one) and ``told`` (share of those people in whose crowd everybody who states one states the
        same: to find the crowd is to learn the secret).
    """
    return tuple(found for view in run.views.values() if (found := _of_view(population, view)) is not None)


def _of_view(population: Population, view: View) -> dict[str, Any] | None:
    names = view.of(*COUNTED)
    if not names or not len(view.clear):
        return None
    person, crowd = _crowd_of_each(view, names)
    sizes = np.bincount(crowd)
    shared = sizes[crowd]
    return {
        "role": view.role,
        "keyed_by": view.keyed_by,
        "columns": len(names),
        "people": len(person),
        "crowds": len(sizes),
        "smallest": int(sizes.min()),
        "alone": float((shared == 1).mean()),
        "few": float((shared < FEW).mean()),
        "secrets": [
            {"secret": str(name), **told}
            for name in population.sensitive.columns
            if (told := _diversity(population.sensitive[name].iloc[person], crowd)) is not None
        ],
    }


def _crowd_of_each(view: View, names: list[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the people of whom there is a record, each once, and the crowd of each.

    Somebody with several records is taken by all of them together, in whatever order: whoever links them can.
    """
    values = pd.util.hash_pandas_object(view.clear[names], index=False).to_numpy(np.uint64)
    person, place = np.unique(view.person, return_inverse=True)
    together = np.zeros(len(person), np.uint64)
    np.add.at(together, place, values)  # wraps around, which a hash may
    return person, np.unique(together, return_inverse=True)[1]


def _diversity(secret: pd.Series, crowd: NDArray[np.int64]) -> dict[str, float | int] | None:
    """Return how varied a secret is within crowds; None if nobody states it."""
    stated = secret.notna().to_numpy()
    if not stated.any():
        return None
    each = pd.Series(secret.to_numpy()[stated]).groupby(crowd[stated]).transform("nunique").to_numpy()
    return {"least": int(each.min()), "told": float((each == 1).mean())}
