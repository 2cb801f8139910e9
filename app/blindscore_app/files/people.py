"""Read people from CSV or Parquet in batches, with only the columns that a scorecard needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blindscore.errors import DataError
from blindscore_app.files.blocks import NO_NUMBER, blocks

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from blindscore.scorecard.card import Card


@dataclass(frozen=True)
class Wanted:
    """What to read: the card's features, the column of each, and one more column as text."""

    card: Card
    column_of: dict[str, str]  # feature -> column of the file
    missing: tuple[str, ...] = ("",)  # texts that mean a missing value
    keep: str | None = None

    @property
    def categories(self) -> frozenset[str]:
        """Features that are categories."""
        return frozenset(c.feature for c in self.card.characteristics if c.groups is not None)

    @property
    def numbers(self) -> list[str]:
        """Columns of the file that are read as numbers and as nothing else."""
        texts = {self.column_of[name] for name in self.categories} | {self.keep}
        return [name for name in self.columns if name not in texts]

    @property
    def columns(self) -> list[str]:
        """Columns of the file to read, each once."""
        names = [*self.column_of.values(), *([self.keep] if self.keep is not None else [])]
        return list(dict.fromkeys(names))


@dataclass(frozen=True)
class Batch:
    """Some people of a file, in file order."""

    start: int  # number of the first; rows count from 0 over the file
    columns: dict[str, NDArray[Any]]  # feature -> (n,): float32, float64 (NaN where missing), or texts and None
    kept: pa.Array | None  # one more column, as text

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))


def wanted(card: Card, schema: Path | None = None, keep: str | None = None) -> Wanted:
    """Say which columns a card needs; a schema file tells other column names and texts for missing values.

    Raises
    ------
    SchemaError
        The schema file is malformed.
    DataError
        The schema file lacks a feature of the card.
    """
    if schema is None:
        return Wanted(card, {name: name for name in card.features}, keep=keep)
    from blindscore.people.files.loaders import load_schema

    plan = load_schema(schema)
    columns = {f.feature.name: f.column for f in plan.features}
    lacking = [name for name in card.features if name not in columns]
    if lacking:
        raise DataError(f"{schema}: the schema lacks features of the scorecard: {', '.join(lacking)}")
    return Wanted(card, {name: columns[name] for name in card.features}, plan.missing, keep)


def batches(path: Path, want: Wanted) -> Iterator[Batch]:
    """Yield everybody in file order, with the features of the card.

    Columns are found by name, in whatever order the file has them; columns that the card does not need are not decoded.

    Raises
    ------
    DataError
        The file cannot be read, has no rows, lacks a column, names a column twice, or a number is none.
    """
    rows = 0
    for raw in blocks(path, want):
        if len(raw) == 0:
            continue
        kept = None if want.keep is None else _texts(raw.column(want.keep))
        yield Batch(rows, _features(path, raw, want, rows), kept)
        rows += len(raw)
    if rows == 0:
        raise DataError(f"{path}: no rows; give at least one person")


def _features(path: Path, raw: pa.RecordBatch, want: Wanted, start: int) -> dict[str, NDArray[Any]]:
    columns: dict[str, NDArray[Any]] = {}
    categories = want.categories
    for name, column in want.column_of.items():
        values = raw.column(column)
        if name in categories:
            columns[name] = _category(path, values, column, want.missing)
        else:
            columns[name] = _number(path, values, column, want.missing, start)
    return columns


def _texts(column: pa.Array) -> pa.Array:
    """Return a kept column as text."""
    import pyarrow as pa

    if pa.types.is_string(column.type):
        return column
    gone = column.to_pandas().isna()
    texts = [None if lost else str(value) for value, lost in zip(column.to_pandas(), gone, strict=True)]
    return pa.array(texts, pa.string())


def _category(path: Path, column: pa.Array, name: str, missing: tuple[str, ...]) -> NDArray[np.object_]:
    """Return one spelling a category, None where missing: each different text is looked at once."""
    import numpy as np
    import pandas as pd

    from blindscore.people.files.file_schema import canonical

    try:
        codes, found = pd.factorize(column.to_pandas().astype("string"))
    except (TypeError, ValueError) as error:
        raise DataError(f"{path}: column {name!r}: categories (text) needed, found {column.type}") from error
    texts = [canonical(str(text)) for text in found]
    spelt = np.array([None if text in missing else text for text in texts] + [None], object)
    return np.asarray(spelt[codes], object)  # code -1, missing, reads the last


def _number(path: Path, column: pa.Array, name: str, missing: tuple[str, ...], start: int) -> NDArray[Any]:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    if pa.types.is_float32(column.type) or pa.types.is_float64(column.type):
        # Arrow puts NaN into its gaps four times as fast as NumPy does.
        return np.asarray(column.fill_null(np.nan) if column.null_count else column)
    if pa.types.is_floating(column.type) or pa.types.is_integer(column.type) or pa.types.is_boolean(column.type):
        values = np.asarray(column.to_numpy(zero_copy_only=False))
        if values.dtype == object:  # true and false with gaps
            return np.array([np.nan if value is None else float(value) for value in values])
        return values if values.dtype in (np.float32, np.float64) else values.astype(np.float64)
    if pa.types.is_nested(column.type) or pa.types.is_temporal(column.type):
        raise DataError(f"{path}: column {name!r}: numbers needed, found {column.type}; convert it first")
    text = column.to_pandas().astype("string").str.strip()
    text = text.mask(text.isin([*missing, *NO_NUMBER]))
    found = pd.to_numeric(text, errors="coerce").astype("float64").to_numpy()
    given = text.notna().to_numpy(bool)
    wrong = np.isnan(found) & given
    if wrong.any():
        raise DataError(f"{path}: column {name!r}, row {start + int(wrong.argmax())}: not a number; rows count from 0")
    found[given] = text[given].astype(object).map(float)  # the nearest double, as the typed reader finds it
    return found
