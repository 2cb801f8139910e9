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
    frame: pd.DataFrame = people
    return frame


def _to_pandas(people: Any, names: list[str] | None) -> pd.DataFrame:
    if hasattr(people, "__dataframe__") or hasattr(people, "__arrow_c_stream__"):
        import narwhals as nw  # reads Polars, Arrow, DuckDB and others alike

        frame: pd.DataFrame = nw.from_native(people, eager_only=True).to_pandas()
        return frame
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


# Words that say which of two outcomes is default; compared without case, hyphens and underscores being blanks. Numbers
# as words order as numbers do.
BAD_WORDS = frozenset(
    [
        "1",
        "two",
        "true",
        "yes",
        "y",
        "bad",
        "b",
        "default",
        "defaulted",
        "in default",
        "charged off",
        "chargeoff",
        "delinquent",
        "past due",
        "late",
        "bankrupt",
        "loss",
        "written off",
        "not paid",
        "not repaid",
        "unpaid",
        "non performing",
        "nonperforming",
        "high risk",
    ]
)
GOOD_WORDS = frozenset(
    [
        "0",
        "one",
        "zero",
        "false",
        "no",
        "n",
        "good",
        "g",
        "current",
        "paid",
        "fully paid",
        "paid off",
        "repaid",
        "performing",
        "no default",
        "non default",
        "not default",
        "low risk",
        "in good standing",
    ]
)


def as_outcome(y: Any, n: int, bad: Any = None) -> tuple[NDArray[np.bool_], NDArray[Any]]:
    """Return (bad, classes): bad is (n,) bool, True = defaulted; classes are the two labels, the bad one second.

    Parameters
    ----------
    bad : the label that means default; None: True, the greater of two numbers, or the one that two words tell

    Raises
    ------
    DataError
        Wrong length, missing values, not exactly two classes, or words that do not tell which of them is default.
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
    at = _bad_one(classes, bad)
    return values == classes[at], classes[[1 - at, at]]


def _bad_one(classes: NDArray[Any], bad: Any) -> int:
    """Place of the bad one of two classes."""
    if bad is not None:
        found = [k for k, label in enumerate(classes) if label == bad]
        if len(found) != 1:
            raise DataError(f"target: the label given as bad, {bad!r}, is none of the two outcomes")
        return found[0]
    if not isinstance(classes[0], str):
        return 1
    words = [" ".join(str(label).lower().replace("-", " ").replace("_", " ").split()) for label in classes]
    told = [(word in BAD_WORDS) - (word in GOOD_WORDS) for word in words]
    if told[0] == told[1]:
        raise DataError("target: the two outcomes are words that do not tell which is default; say it with bad=...")
    return int(told[1] > told[0])


def as_flags(bad: Any) -> NDArray[np.bool_]:
    """Return known outcomes, (n,), as booleans: True, 1 = defaulted.

    Raises
    ------
    DataError
        A missing outcome, or one that is neither 0 nor 1; names the first row.
    """
    values = np.asarray(bad)
    if values.dtype == bool:
        return values
    wrong = np.asarray(pd.isna(values))
    if wrong.any():
        raise DataError(f"outcomes, row {int(np.argmax(wrong))}: missing; leave people without an outcome out")
    wrong = ~np.isin(values, (0, 1))
    if wrong.any():
        raise DataError(f"outcomes, row {int(np.argmax(wrong))}: neither 0 (good) nor 1 (bad); rows count from 0")
    return values.astype(bool)


def as_weights(sample_weight: Any, bad: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return for how many people each row stands, (n,); ones where nothing is said.

    Raises
    ------
    DataError
        Wrong shape, a weight that is negative or not finite, or no weight left on the goods or on the bads.
    """
    if sample_weight is None:
        return np.ones(len(bad))
    weight = np.asarray(sample_weight, np.float64)
    if weight.ndim == 0:
        weight = np.full(len(bad), float(weight))
    if weight.shape != bad.shape:
        raise DataError(f"sample_weight: {len(bad)} weights needed, one a person, found shape {weight.shape}")
    wrong = ~(np.isfinite(weight) & (weight >= 0))
    if wrong.any():
        raise DataError(f"sample_weight, row {int(np.argmax(wrong))}: weights must be finite and 0 or more")
    if not weight.any():
        raise DataError("sample_weight: every weight is zero; somebody must count")
    if not weight[bad].sum() > 0 or not weight[~bad].sum() > 0:
        raise DataError("target: two classes needed (good and bad), found one class only among rows with weight")
    return weight
