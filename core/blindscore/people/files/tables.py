"""Read a CSV (also gzip-compressed) or Parquet file into columns, with bounds, before anything is made of them."""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
import io
import zlib
from pathlib import Path
from typing import Any

import pandas as pd

from blindscore.errors import DataError

MAX_BYTES = 2 << 30  # of a CSV file once decompressed
MAX_HEADER_BYTES = 1 << 20
MAX_COLUMNS = 10_000
MAX_ROWS = 50_000_000
_BLOCK = 1 << 24  # bytes parsed at a time; no row may be longer
MAX_CELLS = 2_000_000_000  # rows times columns read


def read_table(path: Path, columns: list[str]) -> tuple[pd.DataFrame, str]:
    """Return the named columns and the file's SHA-256 (hexadecimal).

    CSV columns come as text, Parquet columns as the file has them.

    Raises
    ------
    DataError
        Not readable, empty, not UTF-8, oversized, malformed, a column missing or named twice.
    """
    if path.name.lower().endswith((".parquet", ".pq")):
        return _read_parquet(path, columns)
    if path.name.lower().endswith((".csv", ".csv.gz")):
        return _read_csv(path, columns)
    raise DataError(f"{path}: unknown kind of file; give .csv, .csv.gz or .parquet")


def _bytes(path: Path, *, packed: bool) -> bytes:
    try:
        with gzip.open(path) if packed else path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise DataError(f"{path}: damaged gzip file; make or fetch it again") from None
    except OSError as error:
        raise DataError(f"{path}: cannot read the file ({error.strerror}); check the path") from None
    if len(raw) > MAX_BYTES:
        raise DataError(f"{path}: over {MAX_BYTES:,} bytes decompressed; convert it to Parquet")
    if not raw.strip():
        raise DataError(f"{path}: empty file; give a header row and at least one person")
    return raw


def _read_csv(path: Path, columns: list[str]) -> tuple[pd.DataFrame, str]:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    packed = path.name.lower().endswith(".gz")
    raw = _bytes(path, packed=packed)
    digest = hashlib.sha256(raw).hexdigest()
    names = _header(path, raw)
    _check_text(path, raw)
    check_columns(path, names, columns)
    odd: list[tuple[int | None, int, int]] = []

    def keep(row: Any) -> str:
        odd.append((row.number, row.actual_columns, row.expected_columns))
        return "skip"

    try:
        table = arrow_csv.read_csv(
            io.BytesIO(raw),
            read_options=arrow_csv.ReadOptions(use_threads=False, block_size=_BLOCK),
            parse_options=arrow_csv.ParseOptions(invalid_row_handler=keep, newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=columns,
                column_types={name: pa.string() for name in columns},
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid:
        # The library's message may quote a row, and a row is somebody's data: leave it out.
        raise DataError(f"{path}: malformed CSV (an unclosed quote, or a row over 16 MB); export it again") from None
    if odd:
        row, got, expected = odd[0]
        raise DataError(
            f"{path}: row {row} has {got} cells where the header has {expected} "
            f"({len(odd)} such rows); mend or remove them"
        )
    if table.num_rows == 0:
        raise DataError(f"{path}: a header but no people; give at least one row")
    # The file's own notes to pandas are somebody else's bytes: leave them unread.
    return table.replace_schema_metadata(None).to_pandas(ignore_metadata=True), digest


def _header(path: Path, raw: bytes) -> list[str]:
    head = raw[: MAX_HEADER_BYTES + 1]
    first = head.splitlines()[0]
    if len(first) > MAX_HEADER_BYTES:
        raise DataError(f"{path}: the header row is over {MAX_HEADER_BYTES:,} bytes; is this a table of people?")
    try:
        line = first.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 at byte {error.start} of the header; save the file as UTF-8") from None
    try:
        return next(csv.reader([line], strict=True))
    except csv.Error:
        raise DataError(f"{path}: malformed header row (a quote is not closed); mend the first line") from None


def _check_text(path: Path, raw: bytes) -> None:
    """Refuse bytes that are not UTF-8, a block at a time."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(raw), _BLOCK):
        try:
            decoder.decode(raw[start : start + _BLOCK], final=start + _BLOCK >= len(raw))
        except UnicodeDecodeError:
            row = raw.count(b"\n", 0, start) + 1
            raise DataError(f"{path}: not UTF-8, at or after row {row}; save the file as UTF-8") from None


def check_columns(path: Path, names: list[str], wanted: list[str]) -> None:
    """Refuse oversized headers, columns named twice, and files that lack a wanted column."""
    if len(names) > MAX_COLUMNS:
        raise DataError(f"{path}: {len(names):,} columns, allowed are {MAX_COLUMNS:,}; is this a table of people?")
    seen = set(names)
    twice = [name for name in seen if names.count(name) > 1] if len(seen) < len(names) else []
    if twice:
        raise DataError(f"{path}: column {min(twice)[:200]!r} appears twice; rename or remove one")
    lacking = [name for name in wanted if name not in seen]
    if lacking:
        raise DataError(
            f"{path}: columns missing that the schema names: {', '.join(lacking[:10])}"
            f"{' ...' if len(lacking) > 10 else ''}; correct the schema or the file"
        )


def _read_parquet(path: Path, columns: list[str]) -> tuple[pd.DataFrame, str]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path}: cannot read the file ({error.strerror}); check the path") from None
    try:
        with parquet.ParquetFile(path) as file:
            meta = file.metadata
            check_columns(path, file.schema_arrow.names, columns)
            if meta.num_rows == 0:
                raise DataError(f"{path}: no people; give at least one row")
            if meta.num_rows > MAX_ROWS or meta.num_rows * len(columns) > MAX_CELLS:
                raise DataError(f"{path}: {meta.num_rows:,} rows are too many at once; split the file")
            table = file.read(columns=columns, use_threads=False)
        table.validate(full=True)  # text that is not UTF-8, indices out of range
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path}: not a readable Parquet file; make or fetch it again") from None
    for name in columns:
        kind = table.schema.field(name).type
        if pa.types.is_nested(kind) or pa.types.is_temporal(kind) or pa.types.is_binary(kind):
            raise DataError(f"{path}: column {name!r} has type {str(kind)[:80]}; give numbers, texts or booleans")
    # The file's own notes to pandas are somebody else's bytes: leave them unread.
    return table.replace_schema_metadata(None).to_pandas(ignore_metadata=True), digest
