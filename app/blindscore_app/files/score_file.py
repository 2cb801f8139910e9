"""Score a file into a file, batch by batch, in memory that does not grow with the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blindscore.errors import DataError, ParameterError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from blindscore.scorecard.card import Card, Characteristic
    from blindscore_app.files.people import Wanted

Counted = Callable[[int], None]
Score = Callable[["Mapping[str, NDArray[Any]]"], "NDArray[np.int16]"]


def check_request(out: Path, want: Wanted) -> None:
    """Refuse a result of unknown kind, or a kept column that would clash with a column of the result."""
    from blindscore_app.files.blocks import is_parquet

    if not is_parquet(out) and out.suffix.lower() != ".csv":
        raise ParameterError(f"{out}: write scores to a file that ends in .csv or .parquet")
    if want.keep in ("row", "score"):
        raise ParameterError(f"--id {want.keep} would clash with a column of the result; rename the column")


def score_file(file: Path, want: Wanted, out: Path, parquet: bool, counted: Counted | None = None) -> int:
    """Write row, kept column and score of every person of a file; return how many there are.

    Parameters
    ----------
    out
        Written in place: give a temporary path and move it when this has returned.
    parquet
        Write Parquet instead of CSV.
    counted
        Called with the people done so far.

    Raises
    ------
    DataError
        The file cannot be used; names the file, and the column and row where there is one.
    """
    import pyarrow as pa
    from pyarrow import csv as arrow_csv
    from pyarrow import parquet as arrow_parquet

    kept = [] if want.keep is None else [(want.keep, pa.string())]
    schema = pa.schema([("row", pa.int64()), *kept, ("score", pa.int16())])
    people = 0
    with out.open("wb") as raw:
        if not parquet:
            raw.write((",".join(_quoted(name) for name in schema.names) + "\n").encode())
        plain = arrow_csv.WriteOptions(include_header=False)
        writer = (
            arrow_parquet.ParquetWriter(
                raw, schema, use_dictionary=["score"], column_encoding={"row": "DELTA_BINARY_PACKED"}
            )
            if parquet
            else arrow_csv.CSVWriter(raw, schema, write_options=plain)
        )
        with writer as into:
            for batch in _scored(file, want, schema):
                into.write_batch(batch)
                people += len(batch)
                if counted is not None:
                    counted(people)
    return people


def _quoted(name: str) -> str:
    return f'"{name.replace(chr(34), chr(34) * 2)}"' if any(c in name for c in ',"\r\n') else name


def _scored(file: Path, want: Wanted, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    import numpy as np
    import pyarrow as pa

    from blindscore_app.files.people import batches

    score = scorer(want.card)
    for batch in batches(file, want):
        start = batch.start
        try:
            scores = score(batch.columns)
        except DataError as error:
            where = f", counted from row {start} on" if start else ""
            raise DataError(f"{file}{where}: {error}") from error
        rows = pa.array(np.arange(start, start + len(batch)))
        yield pa.record_batch([rows, *([] if batch.kept is None else [batch.kept]), pa.array(scores)], schema=schema)


def scorer(card: Card) -> Score:
    """Return a function that scores columns by name as the card does, through the kernel.

    A category enters the kernel as the number of its bin, so that one loop serves every card.
    """
    import numpy as np
    import pandas as pd

    from blindscore.scorecard.binning import bin_column
    from blindscore.scorecard.kernel.kernels import score_columns, steps_of

    steps = steps_of(replace(card, characteristics=tuple(map(_numbered, card.characteristics))))

    def column(c: Characteristic, values: NDArray[Any]) -> NDArray[np.floating]:
        if c.groups is None:
            return values  # floats already, and the kernel itself refuses infinities
        bins = bin_column(c, pd.Series(values, name=c.feature))
        return np.where(bins == c.n_bins - 1, np.float32(np.nan), bins.astype(np.float32))

    return lambda people: score_columns(steps, [column(c, people[c.feature]) for c in card.characteristics])


def _numbered(c: Characteristic) -> Characteristic:
    """Return a category's characteristic over the numbers of its bins: bin b becomes the number b."""
    if c.groups is None:
        return c
    return replace(c, groups=None, edges=tuple(float(b) for b in range(1, len(c.points) - 1)))
