"""Read people from CSV or Parquet in batches, with only the columns that a scorecard needs."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blindscore.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

    from blindscore.scorecard.card import Card

BATCH_ROWS = 100_000  # of Parquet held in memory at once
BATCH_BYTES = 16 * 2**20  # of CSV held in memory at once; also the longest row
PARQUET = (".parquet", ".pq")


@dataclass(frozen=True)
class Wanted:
    """What to read: the card's features, the column of each, and one more column as text."""

    card: Card
    column_of: dict[str, str]  # feature -> column of the file
    missing: tuple[str, ...] = ("",)  # texts that mean a missing value
    keep: str | None = None

    @property
    def columns(self) -> list[str]:
        """Columns of the file to read, each once."""
        names = [*self.column_of.values(), *([self.keep] if self.keep is not None else [])]
        return list(dict.fromkeys(names))


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
    from blindscore.people.loaders import load_schema

    plan = load_schema(schema)
    columns = {f.feature.name: f.column for f in plan.features}
    lacking = [name for name in card.features if name not in columns]
    if lacking:
        raise DataError(f"{schema}: the schema lacks features of the scorecard: {', '.join(lacking)}")
    return Wanted(card, {name: columns[name] for name in card.features}, plan.missing, keep)


def is_parquet(path: Path) -> bool:
    """Say whether a file's name ends like a Parquet file's."""
    return path.suffix.lower() in PARQUET


def batches(path: Path, want: Wanted) -> Iterator[tuple[pd.DataFrame, list[str | None] | None]]:
    """Yield (features of the card, kept column as text) in file order; the index counts rows from 0 over the file.

    Raises
    ------
    DataError
        The file cannot be read, has no rows, lacks a column, names a column twice, or a number is none.
    """
    if path.is_dir():
        raise DataError(f"{path}: is a directory; give a CSV or Parquet file")
    rows = 0
    try:
        for raw in _parquet(path, want.columns) if is_parquet(path) else _csv(path, want.columns):
            if len(raw) == 0:
                continue
            raw.index = _count(rows, len(raw))
            rows += len(raw)
            kept = None if want.keep is None else _texts(raw[want.keep])
            yield _features(path, raw, want), kept
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}); check the path") from error
    if rows == 0:
        raise DataError(f"{path}: no rows; give at least one person")


def _texts(column: pd.Series[Any]) -> list[str | None]:
    gone = column.isna()
    return [None if lost else str(value) for value, lost in zip(column, gone, strict=True)]


def _count(start: int, rows: int) -> pd.RangeIndex:
    import pandas as pd

    return pd.RangeIndex(start, start + rows)


def _check_names(path: Path, names: list[str], columns: list[str]) -> None:
    lacking = [name for name in columns if name not in names]
    if lacking:
        raise DataError(f"{path}: columns missing for this scorecard: {', '.join(lacking)}")
    twice = sorted({name for name in columns if names.count(name) > 1})
    if twice:
        raise DataError(f"{path}: columns occur twice: {', '.join(twice)}; keep one of each")


def _open(path: Path) -> Any:
    return gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb")


def _csv(path: Path, columns: list[str]) -> Iterator[pd.DataFrame]:
    """Yield text columns: a category "01" stays "01", and a bad number can be named by its row."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    try:
        with _open(path) as file:
            first = file.readline(BATCH_BYTES).decode("utf-8-sig")
            names = next(csv.reader([first], strict=True), [])
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text; save it as UTF-8") from error
    except (csv.Error, EOFError) as error:
        raise DataError(f"{path}: the header row is damaged ({error})") from error
    if not names:
        raise DataError(f"{path}: empty; give a CSV file with a header")
    _check_names(path, names, columns)
    try:
        with (
            _open(path) as file,
            arrow_csv.open_csv(
                file,
                read_options=arrow_csv.ReadOptions(use_threads=False, block_size=BATCH_BYTES),
                parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
                convert_options=arrow_csv.ConvertOptions(
                    include_columns=columns,
                    column_types={name: pa.string() for name in columns},
                    strings_can_be_null=False,
                ),
            ) as reader,
        ):
            for batch in reader:
                yield batch.to_pandas()
    except (pa.ArrowException, EOFError) as error:
        # The library's message may quote a row, and a row is somebody's data.
        raise DataError(f"{path}: not UTF-8, or rows of different length; export it again as CSV") from error


def _parquet(path: Path, columns: list[str]) -> Iterator[pd.DataFrame]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            _check_names(path, file.schema_arrow.names, columns)
            for batch in file.iter_batches(BATCH_ROWS, columns=columns):
                yield batch.to_pandas()
    except pa.ArrowException as error:
        raise DataError(f"{path}: not a Parquet file that can be read") from error


def _features(path: Path, raw: pd.DataFrame, want: Wanted) -> pd.DataFrame:
    import pandas as pd

    categories = {c.feature for c in want.card.characteristics if c.groups is not None}
    columns = {}
    for name, column in want.column_of.items():
        read = _category if name in categories else _number
        columns[name] = read(path, raw[column], want.missing)
    return pd.DataFrame(columns, index=raw.index)


def _category(path: Path, column: pd.Series[Any], missing: tuple[str, ...]) -> pd.Series[Any]:
    from blindscore.people.file_schema import canonical

    text = column.astype("string").map(canonical, na_action="ignore")
    return text.mask(text.isin(missing)).astype(object)


def _number(path: Path, column: pd.Series[Any], missing: tuple[str, ...]) -> pd.Series[Any]:
    import pandas as pd
    from pandas.api import types

    if types.is_numeric_dtype(column.dtype):
        return column
    text = column.astype("string").str.strip()
    text = text.mask(text.isin([*missing, "nan", "NaN"]))
    found = pd.to_numeric(text, errors="coerce").astype("float64")
    wrong = (found.isna() & text.notna()).to_numpy(bool)
    if wrong.any():
        row = column.index[int(wrong.argmax())]
        raise DataError(f"{path}: column {column.name!r}, row {row}: not a number; rows count from 0")
    return found
