"""Standard input as a file: kept in the temporary directory while it is read, since some files are read twice."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from blindscore.errors import DataError
from blindscore_app.files.safely import tidy_when_ended

MAGIC = {b"PAR1": ".parquet", b"ARROW1": ".feather", b"\x1f\x8b": ".csv.gz", b"\x28\xb5\x2f\xfd": ".csv.zst"}


@contextmanager
def as_file(given: Path) -> Iterator[Path]:
    """Give the path itself, or for ``-`` that of a copy of standard input, whose first bytes say its kind."""
    if str(given) != "-":
        yield given
        return
    stream = sys.stdin.buffer
    first = stream.read(max(map(len, MAGIC)))
    end = next((end for magic, end in MAGIC.items() if first.startswith(magic)), ".csv")
    with tidy_when_ended(), tempfile.TemporaryDirectory(prefix="blindscore-") as folder:
        path = Path(folder) / f"stdin{end}"
        with path.open("wb") as copy:
            copy.write(first)
            shutil.copyfileobj(stream, copy)
        try:
            yield path
        except DataError as error:
            raise DataError(str(error).replace(str(path), "standard input")) from error
