"""Turn what the kernels computed into the tables of a population."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.people.counter_draws import labels
from blindscore.people.device import device
from blindscore.people.friends import Edges, friends_mean
from blindscore.people.latents import Floats
from blindscore.people.money import MONTHS, money
from blindscore.people.names import NAMES, names
from blindscore.people.variables import (
    AGE,
    AREA,
    CONDUCT_NAMES,
    DEVICE_NAMES,
    DEVICES,
    HOSTS,
    MONEY_NAMES,
    N_CONDUCT,
    OS,
    SEX,
    SOCIAL_NAMES,
)

_BANDS = ((18, "18-24"), (25, "25-34"), (35, "35-44"), (45, "45-54"), (55, "55-64"), (65, "65+"))


def lasting_features(seed: int, root: Floats) -> pd.DataFrame:
    """Features that no conduct reaches: the ledger's and the device's."""
    columns: dict[str, object] = dict(zip(MONEY_NAMES, money(seed, root, MONTHS).T, strict=True))
    codes = device(seed, root)
    for k, name in enumerate(DEVICE_NAMES):
        words = (DEVICES, OS, HOSTS)[k] if k < 3 else None
        columns[name] = codes[:, k].astype(np.float64) if words is None else texts(words, codes[:, k])
    return pd.DataFrame(columns)


def texts(words: tuple[str, ...], codes: NDArray[np.integer[Any]]) -> pd.Series:
    """Texts of small codes."""
    return pd.Series(list(words), dtype="str").take(codes.astype(np.int64)).reset_index(drop=True)


def feature_table(
    lasting: pd.DataFrame, doings: Floats, edges: Edges, plans: Floats, plan: NDArray[np.int32]
) -> pd.DataFrame:
    """All feature columns in schema order, from the lasting ones, conduct, and the graph.

    plans : (p, N_CONDUCT + 3) float64, interventions; the last columns replace what is seen of the friends, NaN = no
    plan  : (n,) int32, which of the plans a person is under
    """
    n = len(lasting)
    social = (
        np.bincount(edges.ravel(), minlength=n).astype(np.float64),
        friends_mean(edges, n, lasting["arrears_months"].to_numpy(np.float64)),
        friends_mean(edges, n, np.ascontiguousarray(doings[:, CONDUCT_NAMES.index("post_opposition")])),
    )
    fixed = plans[:, N_CONDUCT:][plan]
    seen = np.where(np.isnan(fixed), np.column_stack(social), fixed)
    columns = pd.DataFrame(np.column_stack([doings, seen]), columns=[*CONDUCT_NAMES, *SOCIAL_NAMES])
    return pd.concat([lasting[[*MONEY_NAMES, *DEVICE_NAMES]], columns], axis=1)


def register_table(seed: int, root: Floats, *, named: bool = False) -> pd.DataFrame:
    """What outsiders know; with the given name if so asked."""
    starts = [start for start, _ in _BANDS]
    areas = tuple(f"area {k:04d}" for k in range(int(root[:, AREA].max()) + 1))
    table = pd.DataFrame(
        {
            "legal_id": pd.Series([f"{word:016x}" for word in labels(seed, len(root)).tolist()], dtype="str"),
            "age_band": texts(
                tuple(name for _, name in _BANDS), np.searchsorted(starts, root[:, AGE], side="right") - 1
            ),
            "sex": texts(("male", "female"), root[:, SEX].astype(np.int64)),
            "region": texts(areas, root[:, AREA].astype(np.int64)),
        }
    )
    return table.assign(name=texts(NAMES, names(seed, root))) if named else table
