"""Score a file into a file, batch by batch, in memory that does not grow with the file."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from blindscore.errors import DataError, ParameterError
from blindscore.people.files.kinds import KINDS, FileKind, ending_of
from blindscore.scorecard.bin_words import ENGLISH, BinWords

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from blindscore.scorecard.card import Card, Characteristic
    from blindscore_app.files.people import Batch, Wanted

Counted = Callable[[int], None]
Score = Callable[["Mapping[str, NDArray[Any]]"], "NDArray[np.int16]"]
APPROVE, REFUSE = "approve", "refuse"


@dataclass(frozen=True)
class Columns:
    """What a result tells of each person besides row and score."""

    probability: bool = False  # of default, from the total before clipping
    threshold: int | None = None  # decision: approve from this score on, else refuse
    reasons: int = 0  # the costliest features: number on the card (from 1), and name and bin
    words: BinWords = ENGLISH  # of the bins of reasons

    def fields(self) -> list[pa.Field]:
        """Return the result's further columns."""
        import pyarrow as pa

        found = [pa.field("probability", pa.float64())] if self.probability else []
        found += [] if self.threshold is None else [pa.field("decision", pa.string())]
        for k in range(1, self.reasons + 1):
            found += [pa.field(f"reason_{k}_code", pa.int16()), pa.field(f"reason_{k}", pa.string())]
        return found

    def check(self, card: Card) -> None:
        """Refuse a threshold that nobody can miss or reach, and more reasons than the card has features."""
        scale = card.scale
        if self.threshold is not None and not scale.low < self.threshold <= scale.high:
            raise ParameterError(f"--threshold must be above {scale.low} and at most {scale.high}, as scores are")
        if not 0 <= self.reasons <= len(card.characteristics):
            raise ParameterError(f"--reasons must be 0 to {len(card.characteristics)}: the card has so many features")


SCORE_ALONE = Columns()


def kind_of_result(out: Path) -> FileKind:
    """Return the kind of result that a file's name asks for; ``-``, standard output, is CSV.

    Raises
    ------
    ParameterError
        The name has none of the known endings.
    """
    end = ".csv" if str(out) == "-" else ending_of(out)
    if end is None:
        raise ParameterError(f"{out}: write scores to a file that ends in {', '.join(KINDS)}, or to -")
    return KINDS[end]


def check_request(want: Wanted, columns: Columns) -> None:
    """Refuse a kept column that would clash with a column of the result, and columns that the card cannot give."""
    columns.check(want.card)
    if want.keep in ("row", "score", *(field.name for field in columns.fields())):
        raise ParameterError(f"--id {want.keep} would clash with a column of the result; rename the column")


def score_file(
    file: Path,
    want: Wanted,
    out: Path | IO[bytes],
    kind: FileKind,
    columns: Columns = SCORE_ALONE,
    counted: Counted | None = None,
) -> tuple[int, Counter[str]]:
    """Write row, kept column, score and what else is asked for of every person of a file.

    Parameters
    ----------
    out
        Written in place: give a temporary path and move it when this has returned.
    counted
        Called with the people done so far.

    Returns
    -------
    people, unknown
        How many there are, and how many of them, a feature, have a category that the card does not list.

    Raises
    ------
    DataError
        The file cannot be used; names the file, and the column and place where there is one.
    """
    people, unknown = 0, Counter[str]()
    parts = _scored(file, want, columns, unknown)
    first = next(parts)  # it says the type of the kept column
    with ExitStack() as stack:
        raw = stack.enter_context(out.open("wb")) if isinstance(out, Path) else out
        into = stack.enter_context(_writer(raw, kind, first.schema))
        for part in chain([first], parts):
            into.write_batch(part)
            people += len(part)
            if counted is not None:
                counted(people)
    return people, unknown


@contextmanager
def _writer(raw: IO[bytes], kind: FileKind, schema: pa.Schema) -> Iterator[Any]:
    """Give what record batches are written to, in the form that is asked for."""
    import pyarrow as pa
    from pyarrow import csv, parquet

    if kind.form == "parquet":
        given = {"row": "DELTA_BINARY_PACKED"}
        with parquet.ParquetWriter(raw, schema, use_dictionary=_repeating(schema), column_encoding=given) as writer:
            yield writer
        return
    if kind.form == "feather":
        with pa.ipc.new_file(raw, schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
            yield writer
        return
    with ExitStack() as stack:
        if kind.packed == "gz":  # no time and no name in it: equal scores are equal bytes
            raw = cast(IO[bytes], stack.enter_context(gzip.GzipFile("", "wb", fileobj=raw, mtime=0)))
        elif kind.packed == "zst":
            raw = stack.enter_context(pa.CompressedOutputStream(pa.PythonFile(raw, "w"), "zstd"))
        raw.write((kind.delimiter.join(_quoted(name) for name in schema.names) + "\n").encode())
        options = csv.WriteOptions(include_header=False, delimiter=kind.delimiter)
        yield stack.enter_context(csv.CSVWriter(raw, schema, write_options=options))


def _repeating(schema: pa.Schema) -> list[str]:
    return [name for name in schema.names if name == "score" or name.startswith(("decision", "reason_"))]


def _quoted(name: str) -> str:
    return f'"{name.replace(chr(34), chr(34) * 2)}"' if any(c in name for c in ',\t"\r\n') else name


def _scored(file: Path, want: Wanted, columns: Columns, unknown: Counter[str]) -> Iterator[pa.RecordBatch]:
    import numpy as np
    import pyarrow as pa

    from blindscore_app.files.people import batches

    score, schema = scorer(want.card), None
    for batch in batches(file, want, unknown):
        try:
            scores = score(batch.columns)
        except DataError as error:
            batch.check_finite()
            raise DataError(f"{file}: {error}") from error
        more = _more(want, batch, scores, columns)
        start = batch.place.start
        arrays = [pa.array(np.arange(start, start + len(batch))), pa.array(scores), *more]
        if batch.kept is not None:
            arrays.insert(1, batch.kept)
        if schema is None:
            kept = [] if batch.kept is None else [pa.field(want.keep, batch.kept.type)]
            schema = pa.schema([pa.field("row", pa.int64()), *kept, pa.field("score", pa.int16()), *columns.fields()])
        yield pa.record_batch(arrays, schema=schema)


def _more(want: Wanted, batch: Batch, scores: NDArray[np.int16], columns: Columns) -> list[pa.Array]:
    import numpy as np
    import pyarrow as pa
    from scipy.special import expit

    from blindscore.scorecard.binning import bin_labels
    from blindscore.scorecard.reasons import costliest, lost_points

    found: list[pa.Array] = []
    card = want.card
    bins = batch.bins(card) if columns.probability or columns.reasons else None
    if columns.probability and bins is not None:
        totals = card.totals(bins).astype(np.float64)
        found.append(pa.array(expit((card.scale.offset - totals) / card.scale.factor)))
    if columns.threshold is not None:
        found.append(pa.array([REFUSE, APPROVE]).take(pa.array((scores >= columns.threshold).astype(np.int8))))
    if columns.reasons and bins is not None:
        lost = lost_points(card, bins)
        words = [
            pa.array([f"{want.called(c.feature)}: {label}" for label in bin_labels(c, columns.words)])
            for c in card.characteristics
        ]
        starts = np.cumsum([0, *(len(w) for w in words)])
        every = pa.concat_arrays(words)
        for places in costliest(lost, columns.reasons).T:
            own = np.arange(len(places))
            none = lost[own, places] == 0
            found.append(pa.array((places + 1).astype(np.int16), mask=none))
            found.append(every.take(pa.array(starts[places] + bins[own, places], mask=none)))
    return found


def scorer(card: Card) -> Score:
    """Return a function that scores columns by name as the card does, through the kernel.

    A category enters the kernel as the number of its bin, so that one loop serves every card.
    """
    import numpy as np

    from blindscore.scorecard.kernel.kernels import score_columns, steps_of

    steps = steps_of(replace(card, characteristics=tuple(map(_numbered, card.characteristics))))

    def column(c: Characteristic, values: NDArray[Any]) -> NDArray[np.floating]:
        if c.groups is None:
            return values  # floats already, and the kernel itself refuses infinities
        return np.where(values == c.n_bins - 1, np.float32(np.nan), values.astype(np.float32))

    return lambda people: score_columns(steps, [column(c, people[c.feature]) for c in card.characteristics])


def _numbered(c: Characteristic) -> Characteristic:
    """Return a category's characteristic over the numbers of its bins: bin b becomes the number b."""
    if c.groups is None:
        return c
    return replace(c, groups=None, other=None, edges=tuple(float(b) for b in range(1, len(c.points) - 1)))
