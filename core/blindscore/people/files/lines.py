"""Where something stands in a text file, and what is wrong with one that Arrow could not read.

Arrow knows rows; a reader of the file knows lines. They differ by the header, by blank lines, and by line breaks
inside quotes, so a message's line is found by going through the file once more.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blindscore.errors import DataError
from blindscore.people.files.kinds import FileKind, open_unpacked, readable

MAX_LINE = 16 << 20  # bytes


class _BadText(Exception):
    """A line that is not UTF-8; its number."""


class _BadQuote(Exception):
    """A row with a quote that is not closed, or a cell too long; its first line."""


def _lines(path: Path, kind: FileKind) -> Iterator[str]:
    with readable(path), open_unpacked(path, kind) as file:
        number = 0
        while line := file.readline(MAX_LINE):
            number += 1
            try:
                yield line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError:
                raise _BadText(number) from None


def _records(path: Path, kind: FileKind) -> Iterator[tuple[int, int]]:
    """Yield (first line, number of cells) of each row, the header first, as Arrow counts rows."""
    reader = csv.reader(_lines(path, kind), delimiter=kind.delimiter, strict=True)
    start, columns = 1, 0
    try:
        for cells in reader:
            if cells or columns == 1:
                columns = columns or len(cells)
                yield start, max(len(cells), 1)
            start = reader.line_num + 1
    except csv.Error:
        raise _BadQuote(start) from None


def trouble(path: Path, kind: FileKind) -> str | None:
    """Say what is wrong with a text file, at which line, and what to do, if anything is; values are not repeated."""
    columns = 0
    try:
        for start, cells in _records(path, kind):
            columns = columns or cells
            if cells != columns:
                return f"line {start} has {cells} cells where the header has {columns}; mend or remove it"
    except _BadText as error:
        return f"not UTF-8 on line {error}; save the file as UTF-8"
    except _BadQuote as error:
        return f"a quote is not closed, or a cell is too long, in the row on line {error}; export it again as CSV"
    return None


@dataclass(frozen=True)
class Place:
    """Some rows of a file: says where one of them stands."""

    path: Path
    kind: FileKind
    start: int = 0  # rows of the file before these

    def row(self, row: int) -> str:
        """Say where a row stands: the line of a text file, else the row, counted from 0."""
        if self.kind.form != "csv":
            return f"row {self.start + row}"
        try:
            for number, (line, _) in enumerate(_records(self.path, self.kind), start=-1):
                if number == self.start + row:
                    return f"line {line}"
        except (_BadText, _BadQuote, DataError):
            pass
        return f"row {self.start + row}"  # the file changed meanwhile

    def first(self, rows: NDArray[np.bool_]) -> str:
        """Say where the first marked row stands, and how many more there are."""
        more = int(rows.sum()) - 1
        return self.row(int(np.argmax(rows))) + (f" (and {more} more)" if more else "")

    def refuse(self, column: str, what: str, rows: NDArray[Any] | None = None) -> DataError:
        """Return the error that says what is wrong with a column."""
        at = "" if rows is None else f", {self.first(rows)}"
        return DataError(f"{self.path}: column {column!r}{at}: {what}")
