"""Turn what a caller hands in (pandas, Polars, Arrow, NumPy) into named columns and a two-class outcome."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.exceptions import DataConversionWarning

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
        raise DataError("no people: the table has 0 rows, that is 0 sample(s); give at least one")
    if people.shape[1] == 0:
        shape = f"0 feature(s) (shape={people.shape}) while a minimum of 1 is required"
        raise DataError(f"no features: the table has 0 columns, that is {shape}; give at least one")
    if not all(isinstance(name, str) for name in people.columns):
        people = people.set_axis([str(name) for name in people.columns], axis=1)
    if not people.columns.is_unique:
        twice = sorted({str(name) for name in people.columns[people.columns.duplicated()]})
        raise DataError(f"columns occur twice: {', '.join(twice)}; keep one of each")
    return people


def _to_pandas(people: Any, names: list[str] | None) -> pd.DataFrame:
    if hasattr(people, "__dataframe__") or hasattr(people, "__arrow_c_stream__"):
        import narwhals as nw  # reads Polars, Arrow, DuckDB and others alike

        return nw.from_native(people, eager_only=True).to_pandas()
    if hasattr(people, "toarray"):
        raise DataError("sparse input is not supported; call toarray() first")
    array = np.asarray(people)
    if np.iscomplexobj(array):
        raise DataError("Complex data not supported: a feature is a real number or a category")
    if array.ndim != 2:
        raise DataError(
            f"people must be a table of 2 dimensions, found {array.ndim}; Reshape your data, one person to (1, d)"
        )
    names = names if names is not None else [f"x{j}" for j in range(array.shape[1])]
    if len(names) != array.shape[1]:
        raise DataError(f"X has {array.shape[1]} features, but Scorecard is expecting {len(names)} features as input")
    return pd.DataFrame(array, columns=names)


def as_outcome(y: Any, n: int) -> tuple[NDArray[np.bool_], NDArray[Any]]:
    """Return (bad, classes): bad is (n,) bool, True where y is the greater of the two classes.

    Raises
    ------
    DataError
        Wrong length, missing values, or not exactly two classes.
    """
    if y is None:
        raise DataError("a scorecard requires y to be passed, but the target y is None")
    values = np.asarray(y)
    if values.ndim == 2 and values.shape[1] == 1:
        warnings.warn("A column-vector y was passed when a 1d array was expected", DataConversionWarning, stacklevel=3)
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
        if values.dtype.kind == "f" and (classes != np.rint(classes)).any():
            raise DataError("target: two classes needed (good and bad). Unknown label type: continuous")
        if len(classes) > 2:
            why = "Only binary classification is supported. The type of the target is multiclass"
            raise DataError(f"target: two classes needed (good and bad), found {len(classes)} classes. {why}")
        raise DataError("target: two classes needed (good and bad), found one class only")
    return values == classes[1], classes
