"""Put values into bins: the one rule that training, scoring and every private variant share.

A number x falls into bin ``#{edges <= x}``, a category into the bin whose group lists it, else into the bin that the
card keeps for every other, a missing value (NaN, None, ``pd.NA``) into the last bin. Messages name the column and the
first offending row, never the value. pandas is loaded by what takes its columns, and not by what bins one value: a
party of a protocol that holds a card needs none.
"""

from __future__ import annotations

import math
import sys
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from numbers import Real
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from blindscore.errors import DataError
from blindscore.scorecard.bin_words import ENGLISH, BinWords

if TYPE_CHECKING:
    import pandas as pd

    from blindscore.scorecard.card import Characteristic

Kind = Literal["number", "category"]


def check_columns(names: Sequence[str], people: pd.DataFrame) -> None:
    """Raise :class:`DataError` unless every named column is there exactly once; other columns do not matter."""
    missing = [name for name in names if name not in people.columns]
    if missing:
        raise DataError(f"columns missing for this scorecard: {', '.join(map(str, missing))}")
    if not people.columns.is_unique:
        twice = sorted({str(name) for name in people.columns[people.columns.duplicated()]} & {str(n) for n in names})
        if twice:
            raise DataError(f"columns occur twice: {', '.join(twice)}; keep one of each")


def kind_of(column: pd.Series[Any]) -> Kind:
    """Say whether a column holds numbers or categories.

    Numbers are float, integer or boolean columns (NumPy, nullable or Arrow backed) and object columns of real
    numbers only; categories are str, object or category columns.
    """
    from pandas.api import types

    if types.is_numeric_dtype(column.dtype) or types.is_bool_dtype(column.dtype):
        return "number"
    if types.is_object_dtype(column.dtype):
        values = column[column.notna()]
        return "number" if len(values) and all(isinstance(value, Real) for value in values) else "category"
    return "category"


def _first(rows: NDArray[np.bool_]) -> int:
    return int(np.argmax(rows))


def numbers(column: pd.Series[Any]) -> NDArray[Any]:
    """Return a numeric column as float32 (if it is so already) or float64, missing values as NaN.

    Raises
    ------
    DataError
        The column is not numeric, or holds infinity.
    """
    import pandas as pd
    from pandas.api import types

    dtype = column.dtype
    numeric = types.is_numeric_dtype(dtype) or types.is_bool_dtype(dtype)
    if numeric and not types.is_complex_dtype(dtype) and not isinstance(dtype, pd.CategoricalDtype):
        if dtype == np.float32 or dtype == np.float64:
            values = column.to_numpy()
        else:
            values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    elif column.isna().all():
        return np.full(len(column), np.nan)
    elif types.is_object_dtype(dtype):
        missing = column.isna().to_numpy()
        wrong = np.array([not (lost or isinstance(value, Real)) for value, lost in zip(column, missing, strict=True)])
        if wrong.any():
            raise DataError(f"column {column.name!r}, row {_first(wrong)}: not a number; rows count from 0")
        values = np.array([np.nan if lost else _to_float(v) for v, lost in zip(column, missing, strict=True)])
    else:
        raise DataError(f"column {column.name!r}: numbers needed, found {dtype}; convert it first")
    infinite = np.isinf(values)
    if infinite.any():
        where = f"column {column.name!r}, row {_first(infinite)}"
        raise DataError(f"{where}: infinity or a value too large for float; correct it or leave the cell empty")
    return values


def _to_float(value: Real) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf")


def categories(column: pd.Series[Any]) -> tuple[NDArray[np.int64], list[str]]:
    """Return a categorical column as (codes, names): code -1 is missing, else an index into the names.

    A pandas category column keeps its declared categories, whether they occur or not.

    Raises
    ------
    DataError
        The column is not categorical, or holds a value that is not text.
    """
    import pandas as pd
    from pandas.api import types

    where = f"column {column.name!r}"
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes = np.asarray(column.cat.codes, np.int64)
        names: list[Any] = list(column.cat.categories)
    elif column.isna().all():
        return np.full(len(column), -1, np.int64), []
    elif types.is_object_dtype(column.dtype) or types.is_string_dtype(column.dtype):
        try:
            raw_codes, uniques = pd.factorize(column)
        except TypeError as error:
            raise DataError(f"{where}: categories must be text") from error
        codes, names = np.asarray(raw_codes, np.int64), list(uniques)
    else:
        raise DataError(f"{where}: categories (text) needed, found {column.dtype}; convert with astype(str)")
    wrong = [k for k, name in enumerate(names) if not isinstance(name, str)]
    if wrong:
        rows = np.isin(codes, wrong)
        at = f", row {_first(rows)}" if rows.any() else ""
        raise DataError(f"{where}{at}: categories must be text; convert with astype(str); rows count from 0")
    return codes, names


def bin_column(
    characteristic: Characteristic, column: pd.Series[Any], unknown: Counter[str] | None = None
) -> NDArray[np.uint8]:
    """Bin of every person in one characteristic, shape (n,), the missing bin being the last.

    Parameters
    ----------
    unknown : counts, under the feature's name, the people whose category no group lists

    Raises
    ------
    DataError
        Infinity, a wrong type, or an unknown category where the card refuses them; names the column and the first
        offending row.
    """
    missing = characteristic.n_bins - 1
    if characteristic.groups is None:
        values = numbers(column)
        bins = np.searchsorted(np.asarray(characteristic.edges, np.float64), values, side="right")
        return np.where(np.isnan(values), missing, bins).astype(np.uint8)
    codes, names = categories(column)
    bin_of = {name: number for number, group in enumerate(characteristic.groups) for name in group}
    lookup = np.array([bin_of.get(name, -1) for name in names] + [missing], np.int64)  # code -1 reads the last entry
    found = lookup[codes]
    lost = found < 0
    if lost.any():
        if characteristic.other is None:
            where = f"column {column.name!r}, row {_first(lost)}"
            raise DataError(f"{where}: a category that the scorecard does not know; rows count from 0")
        if unknown is not None:
            unknown[characteristic.feature] += int(lost.sum())
        found = np.where(lost, characteristic.other, found)
    return found.astype(np.uint8)


def bin_value(characteristic: Characteristic, value: object) -> int:
    """Bin of one value in one characteristic: what :func:`bin_column` gives for a column of it, many times faster.

    Raises
    ------
    DataError
        Infinity, a wrong type, or an unknown category; names the column, never the value.
    """
    where = f"column {characteristic.feature!r}"
    if value is None or value is _na() or value != value:  # NaN
        return characteristic.n_bins - 1
    if characteristic.groups is None:
        if not isinstance(value, Real) or not math.isfinite(value):
            raise DataError(f"{where}: a finite number needed, or a missing value")
        return bisect_right(characteristic.edges, _to_float(value))
    for number, group in enumerate(characteristic.groups):
        if value in group:
            return number
    if characteristic.other is not None and isinstance(value, str):
        return characteristic.other
    raise DataError(f"{where}: a category that the scorecard does not know, or no text")


def _na() -> object:
    """Return ``pd.NA`` where pandas is loaded; where it is not, nobody can hold one."""
    pandas = sys.modules.get("pandas")
    return getattr(pandas, "NA", None)


def bin_labels(characteristic: Characteristic, words: BinWords = ENGLISH) -> list[str]:
    """Readable name of every bin, the missing bin last."""
    if characteristic.groups is not None:
        names = [", ".join(group) for group in characteristic.groups] + [words.missing]
        if characteristic.other is not None:
            own = names[characteristic.other]
            names[characteristic.other] = f"{own}, {words.other}" if own else words.other
        return names
    edges = [f"{edge:.10g}" for edge in characteristic.edges]
    if not edges:
        return [words.any_value, words.missing]
    codes = characteristic.codes
    middle = [
        f"{codes[k]:.10g}" if k in codes else words.between.format(low=a, high=b)
        for k, (a, b) in enumerate(pairwise(edges), start=1)
    ]
    return [f"< {edges[0]}", *middle, f">= {edges[-1]}", words.missing]
