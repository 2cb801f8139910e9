"""Rows of a file as Arrow's batches, with only the columns that are asked for, in bounded memory."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from blindscore.errors import DataError
from blindscore.people.files.cells import BLANKS, MISSING, SLOW
from blindscore.people.files.kinds import FileKind, check_columns, csv_header, kind_of_file, open_unpacked, readable
from blindscore.people.files.lines import trouble

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 100_000  # of Parquet held in memory at once
SPAN_ROWS = 10 * BATCH_ROWS  # of Parquet's row groups that are open at once, or one larger group
READ_AHEAD = 2**20  # of each Parquet column: without it a whole row group is held
BATCH_BYTES = 16 * 2**20  # of CSV held in memory at once; also the longest row
BLOCKS_AHEAD = 3  # of CSV that may be read before they are asked for
PATIENCE = 1.0  # seconds that such a read waits at most


@dataclass(frozen=True)
class Ask:
    """What to read of a file."""

    columns: tuple[str, ...]  # each once
    numbers: tuple[str, ...] = ()  # of them, those that are read as numbers and as nothing else
    missing: frozenset[str] = MISSING  # texts that mean a missing value
    delimiter: str | None = None  # None: as the file's ending says

    def kind(self, path: Path) -> FileKind:
        """Return what a file is."""
        return kind_of_file(path, self.delimiter)


def rows_of(path: Path, kind: FileKind) -> int:
    """Return the number of rows that a file says it has; 0 where only reading it would tell."""
    if kind.form != "parquet":
        return 0
    with readable(path), _parquet_file(path) as file:
        return int(file.metadata.num_rows)


def check_header(path: Path, ask: Ask) -> None:
    """Refuse a file that lacks a column or names one twice, without reading its rows.

    Raises
    ------
    DataError
        As said, or the file cannot be read at all.
    """
    check_columns(path, ask.kind(path), column_names(path, ask), ask.columns)


def column_names(path: Path, ask: Ask) -> list[str]:
    """Return all columns that a file has, in its order."""
    kind = ask.kind(path)
    if kind.form == "csv":
        return csv_header(path, kind)
    with readable(path), (_parquet_file if kind.form == "parquet" else _feather_file)(path) as file:
        return list((file.schema_arrow if kind.form == "parquet" else file.schema).names)


def blocks(path: Path, ask: Ask) -> Iterator[pa.RecordBatch]:
    """Yield the wanted columns of everybody in file order, some people at a time.

    Raises
    ------
    DataError
        The file cannot be read, lacks a column, or names a column twice.
    """
    kind = ask.kind(path)
    check_header(path, ask)
    with readable(path):
        if kind.form == "csv":
            yield from _csv(path, kind, ask)
        elif kind.form == "parquet":
            yield from _parquet(path, ask)
        else:
            yield from _feather(path, ask)


def _csv(path: Path, kind: FileKind, ask: Ask) -> Iterator[pa.RecordBatch]:
    """Yield numbers as the reader parses them; from the first batch that it cannot parse, everything as text.

    Text lets a bad number be named by its line.
    """
    import pyarrow as pa

    one = len(csv_header(path, kind)) == 1
    rows = 0
    try:
        for batch in _csv_typed(path, kind, ask, ask.numbers, one):
            yield batch
            rows += len(batch)
        return
    except (pa.ArrowException, EOFError):
        pass
    try:
        for batch in _csv_typed(path, kind, ask, (), one):
            known = min(rows, len(batch))  # rows that came as numbers already
            rows -= known
            yield batch.slice(known)
    except (pa.ArrowException, EOFError) as error:
        # The library's message may quote a row, and a row is somebody's data.
        what = trouble(path, kind) or "malformed, or a row over 16 MB; export it again as CSV"
        raise DataError(f"{path}: {what}") from error


def _csv_typed(
    path: Path, kind: FileKind, ask: Ask, numbers: tuple[str, ...], one_column: bool
) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    types = dict.fromkeys(ask.columns, pa.string()) | dict.fromkeys(numbers, pa.float64())
    with (
        open_unpacked(path, kind) as opened,
        _paced(opened) as file,
        arrow_csv.open_csv(
            file,
            read_options=arrow_csv.ReadOptions(use_threads=False, block_size=BATCH_BYTES),
            # A blank line of one column is somebody with a gap; of several columns it is nobody.
            parse_options=arrow_csv.ParseOptions(
                delimiter=kind.delimiter, newlines_in_values=True, ignore_empty_lines=not one_column
            ),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=list(ask.columns),
                column_types=types,
                null_values=[*sorted(ask.missing - SLOW), *BLANKS],  # of numbers; texts keep theirs
                strings_can_be_null=False,
            ),
        ) as reader,
    ):
        for batch in reader:
            file.ahead.release()
            yield batch
    # Arrow takes what follows a quote that is never closed for one long cell: people would be lost without a word.
    if file.quotes % 2 and (what := trouble(path, kind)):
        raise DataError(f"{path}: {what}")


class _Paced(io.RawIOBase):
    """A file that is read a few blocks ahead at most; Arrow's own thread would go 32 ahead, half a gigabyte."""

    def __init__(self, file: Any) -> None:
        self.file, self.ahead = file, threading.Semaphore(BLOCKS_AHEAD)
        self.quotes = 0  # read so far

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> Any:
        self.ahead.acquire(timeout=PATIENCE)  # then it goes on: a block without a row would never be asked for
        data = self.file.read(size)
        if b'"' in data:  # most blocks of numbers hold none, which is quick to say
            self.quotes += int(np.count_nonzero(np.frombuffer(data, np.uint8) == ord('"')))
        return data


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
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a readable Parquet file; make or fetch it again") from error


def _parquet(path: Path, ask: Ask) -> Iterator[pa.RecordBatch]:
    with _parquet_file(path) as file:
        for groups in _spans([file.metadata.row_group(g).num_rows for g in range(file.num_row_groups)]):
            for batch in file.iter_batches(BATCH_ROWS, groups, list(ask.columns), use_threads=False):
                batch.validate(full=True)  # text that is not UTF-8, indices out of range
                yield batch


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


@contextmanager
def _feather_file(path: Path, columns: tuple[str, ...] = ()) -> Iterator[Any]:
    import pyarrow as pa

    try:
        with pa.OSFile(str(path)) as raw:
            with pa.ipc.open_file(raw) as file:
                places = [file.schema.get_field_index(name) for name in columns]
            with pa.ipc.open_file(
                raw, options=pa.ipc.IpcReadOptions(included_fields=places, use_threads=False)
            ) as file:
                yield file
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a readable Feather file (version 2); make or fetch it again") from error


def _feather(path: Path, ask: Ask) -> Iterator[pa.RecordBatch]:
    with _feather_file(path, ask.columns) as file:
        for number in range(file.num_record_batches):
            batch = file.get_batch(number)
            batch.validate(full=True)
            for start in range(0, len(batch), BATCH_ROWS):
                yield batch.slice(start, BATCH_ROWS)
