"""Turn what a caller hands in (pandas, Polars, Arrow, NumPy) into named columns and a two-class outcome."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.errors import DataError


def as_frame(people: Any, names: list[str] | None = None) -> pd.DataFrame:
    """Return people as a DataFrame with unique column names, at least one row and one column.

    Parameters
    ----------
    people : DataFrame of any kind that narwhals reads, or (n, d) array
    names : column names for an array; default x0, x1, ...

    Raises
    ------
    DataError
        No rows, no columns, duplicate columns, or not a table.
    """
    if not isinstance(people, pd.DataFrame):
        people = _to_pandas(people, names)
    if people.shape[0] == 0:
        raise DataError("no people: the table has 0 rows; give at least one")
    if people.shape[1] == 0:
        raise DataError("no features: the table has 0 columns; give at least one")
    if not people.columns.is_unique:
        twice = sorted({str(name) for name in people.columns[people.columns.duplicated()]})
        raise DataError(f"columns occur twice: {', '.join(twice)}; keep one of each")
    return people


def _to_pandas(people: Any, names: list[str] | None) -> pd.DataFrame:
    if hasattr(people, "__dataframe__") or hasattr(people, "__arrow_c_stream__"):
        import narwhals as nw  # reads Polars, Arrow, DuckDB and others alike

        return nw.from_native(people, eager_only=True).to_pandas()
    array = np.asarray(people)
    if array.ndim != 2:
        raise DataError(f"people must be a table of 2 dimensions, found {array.ndim}; reshape one person to (1, d)")
    names = names if names is not None else [f"x{j}" for j in range(array.shape[1])]
    if len(names) != array.shape[1]:
        raise DataError(f"{array.shape[1]} columns without names, but the scorecard has {len(names)} features")
    return pd.DataFrame(array, columns=names)


def as_outcome(y: Any, n: int) -> tuple[NDArray[np.bool_], NDArray[Any]]:
    """Return (bad, classes): bad is (n,) bool, True where y is the greater of the two classes.

    Raises
    ------
    DataError
        Wrong length, missing values, or not exactly two classes.
    """
    values = np.asarray(y)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.shape != (n,):
        raise DataError(f"target: {n} outcomes needed, one a person, found shape {values.shape}")
    missing = np.asarray(pd.isna(values))
    if missing.any():
        raise DataError(f"target, row {int(np.argmax(missing))}: missing outcome; rows count from 0")
    try:
        classes = np.unique(values)
    except TypeError as error:
        raise DataError("target: outcomes of one type needed; found a mixture") from error
    if len(classes) != 2:
        what = "one class only" if len(classes) == 1 else f"{len(classes)} classes"
        raise DataError(f"target: two classes needed (good and bad), found {what}")
    return values == classes[1], classes
