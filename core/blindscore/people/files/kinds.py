"""Kinds of file by the ending of their name, how each is opened, and whether its header has the wanted columns."""

from __future__ import annotations

import csv
import difflib
import gzip
import io
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from blindscore.errors import DataError

MAX_HEADER_BYTES = 1 << 20
MAX_COLUMNS = 10_000
DELIMITERS = {",": "a comma", ";": ";", "\t": "a tab", "|": "|"}


BinaryFile = io.BufferedReader | gzip.GzipFile


@dataclass(frozen=True)
class FileKind:
    """What a file is."""

    form: Literal["csv", "parquet", "feather"]
    delimiter: str = ","
    packed: Literal["", "gz", "zst"] = ""


KINDS = {
    f".{end}{packed}": FileKind("csv", delimiter, packed[1:])  # type: ignore[arg-type]
    for end, delimiter in (("csv", ","), ("tsv", "\t"))
    for packed in ("", ".gz", ".zst")
} | {
    ".parquet": FileKind("parquet"),
    ".pq": FileKind("parquet"),
    ".feather": FileKind("feather"),
    ".arrow": FileKind("feather"),
}


def ending_of(path: Path) -> str | None:
    """Return the ending of a file's name that says its kind; None where none does."""
    return next((end for end in sorted(KINDS, key=len, reverse=True) if path.name.lower().endswith(end)), None)


def kind_of_file(path: Path, delimiter: str | None = None) -> FileKind:
    """Return what a file is by its name; a delimiter given replaces that of the ending.

    Raises
    ------
    DataError
        The name has none of the known endings.
    """
    end = ending_of(path)
    if end is None:
        raise DataError(f"{path}: unknown kind of file; give one that ends in {', '.join(KINDS)}")
    return KINDS[end] if delimiter is None else replace(KINDS[end], delimiter=delimiter)


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn what opening and unpacking a file may raise into one message."""
    if path.is_dir():
        raise DataError(f"{path}: is a directory; give a file")
    try:
        yield
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{path}: damaged gzip file; make or fetch it again") from error
    except OSError as error:
        if error.errno is None:  # the unpacker's own
            raise DataError(f"{path}: damaged compressed file; make or fetch it again") from error
        raise DataError(f"{path}: cannot be read ({error.strerror or error}); check the path") from error


def open_unpacked(path: Path, kind: FileKind) -> BinaryFile:
    """Open a text file's bytes as they were before compression."""
    if kind.packed == "gz":
        return gzip.open(path)
    if kind.packed == "zst":
        import pyarrow as pa

        return io.BufferedReader(_Unpacked(pa.CompressedInputStream(pa.OSFile(str(path)), "zstd")))
    return path.open("rb")


class _Unpacked(io.RawIOBase):
    """Arrow's stream as one of Python's, which can be read line by line."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self.stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self.stream.close()
        super().close()


def csv_header(path: Path, kind: FileKind) -> list[str]:
    """Return the column names in the first row of a text file.

    Raises
    ------
    DataError
        Empty, not UTF-8, too long, or an unclosed quote.
    """
    with readable(path), open_unpacked(path, kind) as file:
        head = file.read(MAX_HEADER_BYTES + 1)
    if not head.strip():
        raise DataError(f"{path}: empty file; give a header row and at least one person")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(f"{path}: not UTF-8 on line 1; it looks like UTF-16: save the file as UTF-8")
    whole = len(head) <= MAX_HEADER_BYTES
    lines = head.split(b"\n")
    if not whole:
        if len(lines) == 1:
            raise DataError(f"{path}: the header row is over {MAX_HEADER_BYTES:,} bytes; is this a table of people?")
        lines.pop()  # cut, perhaps inside a character
    texts = (_decoded(path, number, line) + "\n" for number, line in enumerate(lines, 1))
    try:
        names = next(csv.reader(texts, delimiter=kind.delimiter, strict=True), [])
    except csv.Error as error:
        raise DataError(f"{path}: malformed header row (a quote is not closed); mend the first line") from error
    if not names:
        raise DataError(f"{path}: the first line is blank; the header row belongs there")
    return names


def _decoded(path: Path, number: int, line: bytes) -> str:
    try:
        return line.removesuffix(b"\r").decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 on line {number}; save the file as UTF-8") from error


def check_columns(path: Path, kind: FileKind, names: Sequence[str], wanted: Sequence[str]) -> None:
    """Refuse an oversized header, and one that lacks a wanted column or names it twice; guess what was meant.

    Raises
    ------
    DataError
        As said; the message names the columns, and near names or another delimiter where there is one.
    """
    if len(names) > MAX_COLUMNS:
        raise DataError(f"{path}: {len(names):,} columns, allowed are {MAX_COLUMNS:,}; is this a table of people?")
    counts = Counter(names)
    twice = [name for name in wanted if counts[name] > 1]
    if twice:
        raise DataError(f"{path}: columns occur twice: {', '.join(twice)}; keep one of each")
    lacking = [name for name in wanted if name not in counts]
    if lacking:
        listed = ", ".join(map(_with_hint(names), lacking[:10])) + (" ..." if len(lacking) > 10 else "")
        raise DataError(
            f"{path}: columns missing: {listed}; "
            + (
                _other_delimiter(kind, names, wanted)
                or "name them so in the file, or let a schema say which column each is"
            )
        )


def _with_hint(names: Sequence[str]) -> Any:
    by_plain = {name.strip().casefold(): name for name in names}

    def hint(name: str) -> str:
        near = difflib.get_close_matches(name.strip().casefold(), list(by_plain), 1, 0.75)
        return f"{name} (did you mean {by_plain[near[0]][:100]!r}?)" if near else name

    return hint


def _other_delimiter(kind: FileKind, names: Sequence[str], wanted: Sequence[str]) -> str:
    """Guess from the header that its names are parted by something else."""
    line = kind.delimiter.join(names)
    for other, word in DELIMITERS.items():
        if other != kind.delimiter and kind.form == "csv" and set(line.split(other)) & set(wanted):
            return (
                f"did you mean {word} between cells? Then say `delimiter = {other!r}` in the schema, give --delimiter, "
                f"or export the file with {DELIMITERS[kind.delimiter]}"
            )
    return ""
