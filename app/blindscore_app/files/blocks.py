"""Rows of a CSV or Parquet file as Arrow's batches, with only the columns that are asked for, in bounded memory."""

from __future__ import annotations

import csv
import gzip
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blindscore.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

    from blindscore_app.files.people import Wanted

BATCH_ROWS = 100_000  # of Parquet held in memory at once
SPAN_ROWS = 10 * BATCH_ROWS  # of Parquet's row groups that are open at once, or one larger group
READ_AHEAD = 2**20  # of each Parquet column: without it a whole row group is held
BATCH_BYTES = 16 * 2**20  # of CSV held in memory at once; also the longest row
BLOCKS_AHEAD = 3  # of CSV that may be read before they are asked for
PATIENCE = 1.0  # seconds that such a read waits at most
PARQUET = (".parquet", ".pq")
NO_NUMBER = ("nan", "NaN")  # texts that other programs write for a missing number


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


def blocks(path: Path, want: Wanted) -> Iterator[pa.RecordBatch]:
    """Yield the wanted columns of everybody in file order, some people at a time.

    Raises
    ------
    DataError
        The file cannot be read, lacks a column, or names a column twice.
    """
    with _readable(path):
        yield from _parquet(path, want) if is_parquet(path) else _csv(path, want)


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
        raise DataError(
            f"{path}: columns missing for this scorecard: {', '.join(lacking)}; "
            "name them so, with commas between names, or give --schema if `fit` had other names"
        )
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
        _open(path) as opened,
        _paced(opened) as file,
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
        for batch in reader:
            file.ahead.release()
            yield batch


class _Paced(io.RawIOBase):
    """A file that is read a few blocks ahead at most; Arrow's own thread would go 32 ahead, half a gigabyte."""

    def __init__(self, file: Any) -> None:
        self.file, self.ahead = file, threading.Semaphore(BLOCKS_AHEAD)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> Any:
        self.ahead.acquire(timeout=PATIENCE)  # then it goes on: a block without a row would never be asked for
        return self.file.read(size)


@contextmanager
def _paced(file: Any) -> Iterator[_Paced]:
    paced = _Paced(file)
    try:
        yield paced
    finally:
        paced.ahead.release(64)  # nobody is to wait for a reader that has gone


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
        for groups in _spans([file.metadata.row_group(g).num_rows for g in range(file.num_row_groups)]):
            yield from file.iter_batches(BATCH_ROWS, groups, want.columns, use_threads=False)


def _spans(rows: list[int]) -> Iterator[list[int]]:
    """Yield numbers of row groups, ten batches' worth at a time: Arrow frees none until a call's last has been read."""
    span: list[int] = []
    people = 0
    for group, count in enumerate(rows):
        span.append(group)
        people += count
        if people >= SPAN_ROWS:
            yield span
            span, people = [], 0
    if span:
        yield span
