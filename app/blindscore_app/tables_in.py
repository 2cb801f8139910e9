"""Read people from CSV or Parquet in batches, with only the columns that a scorecard needs."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blindscore.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from blindscore.scorecard.card import Card

BATCH_ROWS = 100_000  # of Parquet held in memory at once
READ_AHEAD = 2**20  # of each Parquet column: without it a whole row group is held
BATCH_BYTES = 16 * 2**20  # of CSV held in memory at once; also the longest row
PARQUET = (".parquet", ".pq")
NO_NUMBER = ("nan", "NaN")  # texts that other programs write for a missing number


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
    columns: dict[
        str, NDArray[Any]
    ]  # feature -> (n,): float32 or float64, NaN where missing; a category's texts, or None
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


def rows_of(path: Path) -> int:
    """Return the number of rows that a file says it has; 0 where only reading it would tell."""
    if not is_parquet(path) or path.is_dir():
        return 0
    with _readable(path), _parquet_file(path) as file:
        return int(file.metadata.num_rows)


def check_header(path: Path, want: Wanted) -> None:
    """Refuse a file that lacks a column or names one twice, without reading its rows.

    Raises
    ------
    DataError
        As said, or the file cannot be read at all.
    """
    with _readable(path):
        if is_parquet(path):
            with _parquet_file(path) as file:
                _check_names(path, file.schema_arrow.names, want.columns)
        else:
            _check_names(path, _csv_names(path), want.columns)


def batches(path: Path, want: Wanted) -> Iterator[Batch]:
    """Yield everybody in file order, with the features of the card.

    Columns are found by name, in whatever order the file has them; columns that the card does not need are not decoded.

    Raises
    ------
    DataError
        The file cannot be read, has no rows, lacks a column, names a column twice, or a number is none.
    """
    rows = 0
    with _readable(path):
        for raw in _parquet(path, want) if is_parquet(path) else _csv(path, want):
            if len(raw) == 0:
                continue
            kept = None if want.keep is None else _texts(raw.column(want.keep))
            yield Batch(rows, _features(path, raw, want, rows), kept)
            rows += len(raw)
    if rows == 0:
        raise DataError(f"{path}: no rows; give at least one person")


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    if path.is_dir():
        raise DataError(f"{path}: is a directory; give a CSV or Parquet file")
    try:
        yield
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}); check the path") from error


def _check_names(path: Path, names: list[str], columns: list[str]) -> None:
    lacking = [name for name in columns if name not in names]
    if lacking:
        raise DataError(f"{path}: columns missing for this scorecard: {', '.join(lacking)}")
    twice = sorted({name for name in columns if names.count(name) > 1})
    if twice:
        raise DataError(f"{path}: columns occur twice: {', '.join(twice)}; keep one of each")


def _open(path: Path) -> Any:
    return gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb")


def _csv_names(path: Path) -> list[str]:
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
    return names


def _csv(path: Path, want: Wanted) -> Iterator[pa.RecordBatch]:
    """Yield numbers as the reader parses them; from the first batch that it cannot parse, everything as text.

    Text spares cells with blanks around them, and lets a bad number be named by its row.
    """
    import pyarrow as pa

    _check_names(path, _csv_names(path), want.columns)
    rows = 0
    try:
        for batch in _csv_typed(path, want, want.numbers):
            yield batch
            rows += len(batch)
        return
    except (pa.ArrowException, EOFError):
        pass
    try:
        for batch in _csv_typed(path, want, []):
            known = min(rows, len(batch))  # rows that came as numbers already
            rows -= known
            yield batch.slice(known)
    except (pa.ArrowException, EOFError) as error:
        # The library's message may quote a row, and a row is somebody's data.
        raise DataError(f"{path}: not UTF-8, or rows of different length; export it again as CSV") from error


def _csv_typed(path: Path, want: Wanted, numbers: list[str]) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    types = dict.fromkeys(want.columns, pa.string()) | dict.fromkeys(numbers, pa.float64())
    with (
        _open(path) as file,
        arrow_csv.open_csv(
            file,
            read_options=arrow_csv.ReadOptions(use_threads=False, block_size=BATCH_BYTES),
            parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=want.columns,
                column_types=types,
                null_values=[*want.missing, *NO_NUMBER],
                strings_can_be_null=False,
            ),
        ) as reader,
    ):
        yield from reader


@contextmanager
def _parquet_file(path: Path) -> Iterator[Any]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path, buffer_size=READ_AHEAD) as file:
            yield file
    except pa.ArrowException as error:
        raise DataError(f"{path}: not a Parquet file that can be read") from error


def _parquet(path: Path, want: Wanted) -> Iterator[pa.RecordBatch]:
    with _parquet_file(path) as file:
        _check_names(path, file.schema_arrow.names, want.columns)
        yield from file.iter_batches(BATCH_ROWS, columns=want.columns, use_threads=False)


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

    from blindscore.people.file_schema import canonical

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
