"""Real people from a lender's file: CSV or Parquet, with a TOML schema beside it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.errors import DataError, SchemaError
from blindscore.people.files.blocks import Ask
from blindscore.people.files.cells import numbers, words
from blindscore.people.files.file_schema import TIES, Derived, FileFeature, FileSchema, load_schema
from blindscore.people.files.lines import Place
from blindscore.people.files.tables import read_table
from blindscore.people.files.ties import ties_of
from blindscore.people.population import Population
from blindscore.people.stand_in import stand_in

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["load_people", "load_schema"]

UNKNOWN = "unknown"  # entry of a register that the file leaves empty; an empty secret is missing
MAX_CLASSES = 50  # of a secret


def load_people(path: str | Path, schema_path: str | Path, *, needs_outcome: bool = True) -> Population:
    """Read people from a file under a schema file.

    Parameters
    ----------
    path : str or Path
        ``.csv`` or ``.tsv`` (UTF-8, header row; also ``.gz``, ``.zst``), ``.parquet`` or ``.feather``.
    schema_path : str or Path
        See :mod:`blindscore.people.files.file_schema`.
    needs_outcome : bool
        Refuse a schema without [target]; else such people get a stand-in (:mod:`blindscore.people.stand_in`).

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
    if plan.target is None and needs_outcome:
        raise SchemaError(
            f"{schema_path}: table [target] is missing; name the outcome's column and which values are bad"
        )
    ask = Ask(tuple(plan.columns), missing=plan.missing, delimiter=plan.delimiter)
    table, digest = read_table(path, ask)
    file = _File(table, plan, Place(path, ask.kind(path)))
    ids = _legal_ids(file)
    friends = None if plan.friends is None else plan.friends.load(path, ids, plan.delimiter)
    people = {f.feature.name: _feature(file, f) for f in plan.features}
    if not people and friends is not None:
        people[TIES.name] = ties_of(friends, len(table))
    features = pd.DataFrame(people)
    default = stand_in(features, str(path)) if plan.target is None else _outcome(file, plan.target)
    sensitive = {d.name: _derived(file, d) for d in plan.sensitive}
    for name, column in sensitive.items():
        classes = column.nunique()
        if not 2 <= classes <= MAX_CLASSES:
            raise DataError(
                f"{path}: secret {name!r} has {classes} classes, needed are 2 to {MAX_CLASSES}; "
                "band or label it in the schema, or leave it out"
            )
    register = {d.name: _derived(file, d).fillna(UNKNOWN) for d in plan.register}
    n = len(table)
    return Population(
        features=features,
        schema=plan.schema,
        default=default,
        sensitive=pd.DataFrame(sensitive, index=pd.RangeIndex(n)),
        register=pd.DataFrame({"legal_id": ids, **register}),
        history=_history(file, default),
        friends=friends,
        visits=None if plan.visits is None else plan.visits.load(path, ids, plan.delimiter),
        stand_in=plan.target is None,
        name=f"{path.name} (sha256 {digest[:16]})",
    )


@dataclass(frozen=True)
class _File:
    """A file's columns, what the schema says of them, and where a row stands."""

    table: pa.Table
    plan: FileSchema
    place: Place

    def texts(self, column: str, listed: tuple[str, ...] = ()) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
        """Canonical texts ("" where missing), and which are missing; the listed words never are."""
        codes, found = words(self.table[column].chunk(0), column, self.plan.missing, self.place, listed)
        return np.array([*found, ""], dtype=object)[codes], codes < 0

    def numbers(self, column: str) -> NDArray[np.float64]:
        """Finite numbers, NaN where missing."""
        values = numbers(self.table[column].chunk(0), column, self.plan.missing, self.place).astype(np.float64)
        infinite = np.isinf(values)
        if infinite.any():
            raise self.place.refuse(column, "infinite; give a number or leave it empty", infinite)
        return values


def _outcome(file: _File, target: str) -> NDArray[np.bool_]:
    plan, path = file.plan, file.place.path
    texts, gone = file.texts(target, (*plan.bad, *plan.good))
    if gone.any():
        raise file.place.refuse(target, "the outcome is missing; remove those people", gone)
    default = np.isin(texts.astype(str), plan.bad)
    if plan.good:
        other = ~default & ~np.isin(texts.astype(str), plan.good)
        if other.any():
            raise file.place.refuse(target, "an outcome neither bad nor good; complete [target]", other)
    if default.all() or not default.any():
        raise DataError(
            f"{path}: outcome {target!r} has one class only ({'all' if default.all() else 'none'} bad); "
            "check which values the schema's [target] calls bad"
        )
    return default


def _feature(file: _File, wanted: FileFeature) -> object:
    if wanted.feature.kind == "number":
        values = file.numbers(wanted.column)
        gone = np.isnan(values)
        out: object = values
    else:
        texts, gone = file.texts(wanted.column, wanted.levels)
        if wanted.levels:
            strange = ~gone & ~np.isin(texts.astype(str), wanted.levels)
            if strange.any():
                raise file.place.refuse(wanted.column, "a category that `levels` does not list; complete it", strange)
        out = pd.Series(texts, dtype="str").mask(gone)
    if wanted.required and gone.any():
        raise file.place.refuse(wanted.column, "required but missing", gone)
    return out


def _derived(file: _File, wanted: Derived) -> pd.Series:
    if wanted.bands:
        values = file.numbers(wanted.column)
        edges = [f"{edge:g}" for edge in wanted.bands]
        inner = [f"{low} to below {high}" for low, high in itertools.pairwise(edges)]
        names = np.array([f"below {edges[0]}", *inner, f"{edges[-1]} and above"], dtype=object)
        out = names[np.searchsorted(wanted.bands, values, side="right").clip(max=len(wanted.bands))]
        out[np.isnan(values)] = None
        return pd.Series(out, dtype="str")
    known = dict(wanted.labels)
    texts, gone = file.texts(wanted.column, tuple(known))
    if known:
        strange = ~gone & ~np.isin(texts.astype(str), list(known))
        if strange.any():
            raise file.place.refuse(wanted.column, "a code without a label; complete `labels`", strange)
        texts = np.array([known.get(text) for text in texts], dtype=object)
    return pd.Series(texts, dtype="str").mask(gone)


def _legal_ids(file: _File) -> list[str]:
    column = file.plan.legal_id
    if column is None:
        return [f"row {k}" for k in range(1, len(file.table) + 1)]
    texts, gone = file.texts(column)
    if gone.any():
        raise file.place.refuse(column, "a legal id is missing", gone)
    twice = pd.Series(texts).duplicated().to_numpy()
    if twice.any():
        raise file.place.refuse(column, "a legal id repeats; keep one row a person", twice)
    return list(texts)


def _history(file: _File, default: NDArray[np.bool_]) -> NDArray[np.bool_]:
    n, plan, path = len(default), file.plan, file.place.path
    if plan.history is None:
        past = np.zeros(n, np.bool_)
        past[np.random.default_rng(plan.seed).permutation(n)[: n // 2]] = True
    else:
        texts, gone = file.texts(plan.history, plan.past)
        past = np.isin(texts.astype(str), plan.past) if plan.before is None else _earlier(file, texts, gone)
    for what, part in (("past customers", default[past]), ("the others", default[~past])):
        if part.size == 0 or part.all() or not part.any():
            raise DataError(
                f"{path}: {what} ({part.size} people) lack bad or good outcomes; give more people or another split"
            )
    return past


def _earlier(file: _File, texts: NDArray[np.object_], gone: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whoever comes before the date or number that parts past customers from the others."""
    plan = file.plan
    assert plan.history is not None  # what the caller asks about
    assert plan.before is not None
    if gone.any():
        raise file.place.refuse(plan.history, "missing, so nobody can say whether it is past", gone)
    try:
        limit = float(plan.before)
    except ValueError:
        return np.asarray(texts.astype(str) < plan.before)
    return np.asarray(file.numbers(plan.history) < limit)
