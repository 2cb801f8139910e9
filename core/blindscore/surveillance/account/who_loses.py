"""Who loses: approval and errors of one run by group, so that what a design costs is seen where it falls.

Measured on people who did not train the card. Intervals: Wilson (1927), "Probable inference, the law of succession,
and statistical inference".
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.designs.design import Run
from blindscore.designs.plain import LEGAL_ID
from blindscore.people.population import FINANCIAL, Population

FEWEST = 30  # people in a group; smaller ones are left out, their figures would be noise
MOST_GROUPS = 10  # classes of a column
THIN = 0.3  # a file counts as thin when more than this share of a person's financial features is missing
Z95 = 1.959963984540054


def who_loses(population: Population, run: Run) -> tuple[dict[str, Any], ...]:
    """Return approval and errors of each group.

    Returns
    -------
    tuple of dict
        ``by`` (column), ``group``, ``people``, and three shares with 95% intervals (``_low``, ``_high``):
        ``approved``; ``good_refused``, of those who repaid; ``bad_approved``, of those who defaulted. A share of
        nobody is None, and so are both errors where no outcome is known.
    """
    fresh = ~population.history
    approved, default = run.decisions[fresh], population.default[fresh]
    known = not population.stand_in
    rows = []
    for by, classes in _groupings(population).items():
        labels = classes[fresh]
        names = np.unique(labels)
        if not 2 <= len(names) <= MOST_GROUPS:
            continue
        for name in names:
            inside = labels == name
            if inside.sum() < FEWEST:
                continue
            rows.append(
                {
                    "by": by,
                    "group": str(name),
                    "people": int(inside.sum()),
                    **_share("approved", approved[inside]),
                    **_share("good_refused", ~approved[inside & ~default & known]),
                    **_share("bad_approved", approved[inside & default & known]),
                }
            )
    return tuple(rows)


def _groupings(population: Population) -> dict[str, NDArray[Any]]:
    found: dict[str, NDArray[Any]] = {"credit file": thin_files(population)}
    for table in (population.register, population.sensitive):
        for name in table.columns:
            if name != LEGAL_ID and name not in found and table[name].nunique() <= MOST_GROUPS:
                found[str(name)] = table[name].astype("str").fillna("unknown").to_numpy()
    return found


def thin_files(population: Population) -> NDArray[Any]:
    """Return "thin" or "full" for each person: thin where over 30% of the financial features are missing."""
    money = population.features[population.schema.names(contexts=(FINANCIAL,))]
    thin = np.asarray(pd.isna(money)).mean(axis=1) > THIN if money.shape[1] else np.zeros(len(money), bool)
    return np.where(thin, "thin", "full")


def _share(name: str, hits: NDArray[np.bool_]) -> dict[str, float | None]:
    n = len(hits)
    if n == 0:
        return {name: None, f"{name}_low": None, f"{name}_high": None}
    share = float(hits.mean())
    low, high = wilson(share, n)
    return {name: share, f"{name}_low": low, f"{name}_high": high}


def wilson(share: float, n: int, z: float = Z95) -> tuple[float, float]:
    """Return the Wilson interval of a share of n people."""
    spread = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    middle, scale = share + z * z / (2 * n), 1 + z * z / n
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)
