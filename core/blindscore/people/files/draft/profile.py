"""Facts of each column of a file, read once, without asking anybody: what it holds, how often, how varied."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from blindscore.errors import DataError
from blindscore.people.files.blocks import Ask, blocks, column_names
from blindscore.people.files.cells import MISSING, canonical, words
from blindscore.people.files.kinds import DELIMITERS, FileKind, csv_header, kind_of_file
from blindscore.people.files.lines import Place

if TYPE_CHECKING:
    import pyarrow as pa

ROWS = 200_000  # that are looked at; what comes after them may differ
MOST = 50_000  # different values of a column that are counted one by one
DATES = re.compile(
    r"\d{4}[-/.]\d{1,2}([-/.]\d{1,2})?([T ].*)?|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}([T ].*)?|"
    r"(?i:\d{1,2}[- ])?(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[- ,]+(\d{1,2}[, ]+)?\d{2,4}"
)
NO_VALUE = frozenset(("?", ".", "-", "--", "*", "unknown", "Unknown", "UNKNOWN", "missing", "Missing", "not available"))
NUMERIC = 0.95  # share of given cells that must be numbers, the rest being words for "missing"


@dataclass(frozen=True)
class Profile:
    """What one column holds, in the rows that were looked at."""

    name: str
    kind: Literal["number", "category", "date"]
    rows: int
    missing: int  # cells that say nothing, words of `gone` included
    values: Counter[str]  # of a category: each spelling and its cells; of a number: each value's shortest text
    distinct: int  # different values; a lower limit once over 50,000
    whole: bool  # a number without decimals throughout
    rising: bool  # a number that grows from row to row
    gone: tuple[str, ...] = ()  # words that mean "missing" here, beside the usual ones

    @property
    def given(self) -> int:
        """Cells that say something."""
        return self.rows - self.missing

    def numbers(self) -> list[tuple[float, int]]:
        """Values of a number and their cells, ascending."""
        return sorted((float(text), count) for text, count in self.values.items())


def find_delimiter(path: Path) -> str | None:
    """What parts the cells of a text file, where its ending tells wrong; None: as the ending says."""
    kind = kind_of_file(path)
    if kind.form != "csv":
        return None
    best, most = kind.delimiter, len(csv_header(path, kind))
    for other in DELIMITERS:
        n = len(csv_header(path, FileKind("csv", other, kind.packed)))
        if n > most and most == 1:
            best, most = other, n
    return None if best == kind.delimiter else best


def profile_file(
    path: Path, delimiter: str | None = None, progress: Callable[[int], None] | None = None
) -> list[Profile]:
    """Look at the first 200,000 rows of every column.

    Raises
    ------
    DataError
        The file cannot be read, or has no rows.
    """
    names = column_names(path, Ask((), delimiter=delimiter))
    ask = Ask(tuple(names), delimiter=delimiter)
    kind, rows = ask.kind(path), 0
    columns = {name: _Column(name) for name in names}
    for block in blocks(path, ask):
        part = block.slice(0, ROWS - rows)
        for name, column in columns.items():
            column.add(part.column(name), Place(path, kind, rows))
        rows += len(part)
        if progress is not None:
            progress(rows)
        if rows >= ROWS:
            break
    if rows == 0:
        raise DataError(f"{path}: a header but no people; give at least one row")
    return [column.profile(rows) for column in columns.values()]


class _Column:
    """Counts of one column while its blocks are read."""

    def __init__(self, name: str) -> None:
        self.name, self.counts, self.missing, self.rising = name, Counter[str](), 0, True
        self.overflow, self.dated, self.last = 0, False, -np.inf

    def add(self, column: pa.Array, place: Place) -> None:
        import pyarrow as pa

        if pa.types.is_temporal(column.type):
            self.dated = True
            column = column.cast(pa.string())
        codes, found = words(column, self.name, MISSING, place)
        counts = np.bincount(codes[codes >= 0], minlength=len(found))
        self.missing += int((codes < 0).sum())
        for text, count in zip(found, counts.tolist(), strict=True):
            if text in self.counts or len(self.counts) < MOST:
                self.counts[text] += count
            else:
                self.overflow += 1
        self._follow(codes, found)

    def _follow(self, codes: np.ndarray, found: list[str]) -> None:
        """Keep track of whether numbers only ever grow."""
        if self.rising and len(codes):
            values = np.array([_number(text) for text in found] + [np.nan])[codes]
            self.rising = not np.isnan(values).any() and values[0] > self.last and bool((np.diff(values) > 0).all())
            self.last = values[-1]

    def profile(self, rows: int) -> Profile:
        given = sum(self.counts.values())
        numeric = {text: count for text, count in self.counts.items() if not np.isnan(_number(text))}
        rest = {text: count for text, count in self.counts.items() if text not in numeric}
        dates = sum(count for text, count in rest.items() if DATES.fullmatch(text))
        kind: Literal["number", "category", "date"] = "category"
        gone: tuple[str, ...] = ()
        values = self.counts
        if self.dated or (rest and dates >= NUMERIC * given):
            kind = "date"
        elif numeric and not rest:
            kind = "number"
        elif numeric and sum(numeric.values()) >= NUMERIC * given and rest.keys() <= NO_VALUE:
            kind, gone, values = "number", tuple(sorted(rest)), Counter(numeric)
        elif rest.keys() & {"?"}:
            gone, values = ("?",), Counter({text: count for text, count in values.items() if text != "?"})
        return Profile(
            name=self.name,
            kind=kind,
            rows=rows,
            missing=rows - sum(values.values()) - self.overflow,
            values=values,
            distinct=len(values) + self.overflow,
            whole=kind == "number" and all(canonical(text).lstrip("+-").isdigit() for text in numeric),
            rising=kind == "number" and self.rising and rows > 1,
            gone=gone,
        )


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return np.nan
    return value if np.isfinite(value) and "_" not in text else np.nan
