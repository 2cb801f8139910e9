"""Real people from a lender's file: CSV or Parquet, with a TOML schema beside it."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.errors import DataError
from blindscore.people.files.file_schema import Derived, FileFeature, FileSchema, canonical, load_schema
from blindscore.people.files.tables import read_table
from blindscore.people.population import Population

__all__ = ["load_people", "load_schema"]

UNKNOWN = "unknown"  # class of a secret that the file leaves empty
MAX_CLASSES = 50  # of a secret


def load_people(path: str | Path, schema_path: str | Path) -> Population:
    """Read people from a file under a schema file.

    Parameters
    ----------
    path : str or Path
        ``.csv``, ``.csv.gz`` (UTF-8, header row, commas) or ``.parquet``.
    schema_path : str or Path
        See :mod:`blindscore.people.files.file_schema`.

    Returns
    -------
    Population
        Named by file and fingerprint; empty cells are missing values.

    Raises
    ------
    SchemaError
        The schema file is malformed.
    DataError
        The file cannot be used as the schema says; the message names file, row and column, never the value.
    """
    path = Path(path)
    plan = load_schema(schema_path)
    table, digest = read_table(path, plan.columns)
    default = _outcome(path, table[plan.target], plan)
    people = {f.feature.name: _feature(path, table[f.column], f, plan.missing) for f in plan.features}
    sensitive = {d.name: _derived(path, table[d.column], d, plan.missing) for d in plan.sensitive}
    for name, column in sensitive.items():
        classes = column.nunique()
        if not 2 <= classes <= MAX_CLASSES:
            raise DataError(
                f"{path}: secret {name!r} has {classes} classes, needed are 2 to {MAX_CLASSES}; "
                "band or label it in the schema, or leave it out"
            )
    register = {d.name: _derived(path, table[d.column], d, plan.missing) for d in plan.register}
    n = len(table)
    return Population(
        features=pd.DataFrame(people),
        schema=plan.schema,
        default=default,
        sensitive=pd.DataFrame(sensitive, index=pd.RangeIndex(n)),
        register=pd.DataFrame({"legal_id": _legal_ids(path, table, plan), **register}),
        history=_history(path, table, plan, default),
        name=f"{path.name} (sha256 {digest[:16]})",
    )


def _row(bad: NDArray[np.bool_]) -> str:
    """Where the first bad value stands, counted as a reader of the data would: the first person is data row 1."""
    more = int(bad.sum())
    return f"data row {int(np.argmax(bad)) + 1}" + (f" (and {more - 1} more)" if more > 1 else "")


def _texts(column: pd.Series, missing: tuple[str, ...]) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
    """Canonical texts and which of them are missing."""
    gone = column.isna().to_numpy()
    if pd.api.types.is_bool_dtype(column.dtype):
        column = column.astype(int)
    words, codes = np.unique(column.astype(str).to_numpy(dtype=object)[~gone].astype(str), return_inverse=True)
    tidy = np.array([canonical(word) for word in words.tolist()], dtype=object)
    out = np.full(len(column), "", dtype=object)
    if tidy.size:
        out[~gone] = tidy[codes]
        gone = gone | np.isin(out.astype(str), missing)
    return out, gone


def _outcome(path: Path, column: pd.Series, plan: FileSchema) -> NDArray[np.bool_]:
    words, gone = _texts(column, plan.missing)
    if gone.any():
        raise DataError(f"{path}: outcome {plan.target!r} is missing in {_row(gone)}; remove those people")
    default = np.isin(words.astype(str), plan.bad)
    if plan.good:
        other = ~default & ~np.isin(words.astype(str), plan.good)
        if other.any():
            raise DataError(
                f"{path}: outcome {plan.target!r} is neither bad nor good in {_row(other)}; complete [target]"
            )
    if default.all() or not default.any():
        raise DataError(
            f"{path}: outcome {plan.target!r} has one class only ({'all' if default.all() else 'none'} bad); "
            "check which values the schema's [target] calls bad"
        )
    return default


def _numbers(path: Path, column: pd.Series, missing: tuple[str, ...]) -> NDArray[np.float64]:
    if pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype):
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        blank = np.isnan(values)
    else:
        text = column.astype(str).str.strip()
        blank = (column.isna() | text.isin([*missing, "nan", "NaN"])).to_numpy()
        values = pd.to_numeric(text.where(~blank, "nan"), errors="coerce").to_numpy(np.float64)
    wrong = np.isnan(values) & ~blank
    if wrong.any():
        raise DataError(
            f"{path}: column {column.name!r}, {_row(wrong)}: not a number; mend the file, "
            'or declare the column kind = "category" or the text as missing'
        )
    infinite = np.isinf(values)
    if infinite.any():
        raise DataError(f"{path}: column {column.name!r}, {_row(infinite)}: infinite; give a number or leave it empty")
    return values


def _feature(path: Path, column: pd.Series, wanted: FileFeature, missing: tuple[str, ...]) -> object:
    if wanted.feature.kind == "number":
        values = _numbers(path, column, missing)
        gone = np.isnan(values)
        out: object = values
    else:
        words, gone = _texts(column, missing)
        out = pd.Series(words, dtype="str").mask(gone)
    if wanted.required and gone.any():
        raise DataError(f"{path}: column {column.name!r} is required but missing in {_row(gone)}")
    return out


def _derived(path: Path, column: pd.Series, wanted: Derived, missing: tuple[str, ...]) -> pd.Series:
    if wanted.bands:
        values = _numbers(path, column, missing)
        edges = [f"{edge:g}" for edge in wanted.bands]
        inner = [f"{low} to below {high}" for low, high in itertools.pairwise(edges)]
        names = np.array([f"below {edges[0]}", *inner, f"{edges[-1]} and above"], dtype=object)
        out = names[np.searchsorted(wanted.bands, values, side="right").clip(max=len(wanted.bands))]
        out[np.isnan(values)] = UNKNOWN
        return pd.Series(out, dtype="str")
    words, gone = _texts(column, missing)
    if wanted.labels:
        known = dict(wanted.labels)
        strange = ~gone & ~np.isin(words.astype(str), list(known))
        if strange.any():
            raise DataError(
                f"{path}: column {column.name!r}, {_row(strange)}: a code without a label; complete 'labels'"
            )
        words = np.array([known.get(word, UNKNOWN) for word in words], dtype=object)
    return pd.Series(np.where(gone, UNKNOWN, words), dtype="str")


def _legal_ids(path: Path, table: pd.DataFrame, plan: FileSchema) -> list[str]:
    if plan.legal_id is None:
        return [f"row {k}" for k in range(1, len(table) + 1)]
    words, gone = _texts(table[plan.legal_id], plan.missing)
    if gone.any():
        raise DataError(f"{path}: legal id {plan.legal_id!r} is missing in {_row(gone)}")
    twice = pd.Series(words).duplicated().to_numpy()
    if twice.any():
        raise DataError(f"{path}: legal id {plan.legal_id!r} repeats in {_row(twice)}; keep one row a person")
    return list(words)


def _history(path: Path, table: pd.DataFrame, plan: FileSchema, default: NDArray[np.bool_]) -> NDArray[np.bool_]:
    n = len(table)
    if plan.history is None:
        past = np.zeros(n, np.bool_)
        past[np.random.default_rng(plan.seed).permutation(n)[: n // 2]] = True
    else:
        past = np.isin(_texts(table[plan.history], plan.missing)[0].astype(str), plan.past)
    for what, part in (("past customers", default[past]), ("the others", default[~past])):
        if part.size == 0 or part.all() or not part.any():
            raise DataError(
                f"{path}: {what} ({part.size} people) lack bad or good outcomes; give more people or another split"
            )
    return past
