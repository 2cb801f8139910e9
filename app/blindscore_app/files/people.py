"""Read people from a file in batches, with only the columns that a scorecard needs, ready to be scored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blindscore.errors import DataError, ParameterError
from blindscore.people.files.blocks import Ask, blocks
from blindscore.people.files.cells import MISSING, canonical, numbers, words
from blindscore.people.files.kinds import DELIMITERS
from blindscore.people.files.lines import Place

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from blindscore.scorecard.card import Card, Characteristic


NAMED = {"comma": ",", "tab": "\t", "\\t": "\t"}  # delimiters that a shell is better spared


@dataclass(frozen=True)
class Wanted:
    """What to read: the card's features, the column of each, and one more column that is carried over."""

    card: Card
    column_of: dict[str, str]  # feature -> column of the file
    missing: frozenset[str] = MISSING  # texts that mean a missing value
    delimiter: str | None = None  # between cells of text files; None: as the file's ending says
    keep: str | None = None
    plain: Mapping[str, str] = field(default_factory=dict)  # feature -> what a reader calls it, where the schema says

    def called(self, feature: str) -> str:
        """Return what a reader calls a feature: its plain name, or its own where the schema says none."""
        return self.plain.get(feature, feature)

    @property
    def ask(self) -> Ask:
        """Columns of the file to read, and those of them that are numbers and nothing else."""
        kept = [] if self.keep is None else [self.keep]
        numeric = {self.column_of[c.feature] for c in self.card.characteristics if c.groups is None}
        texts = {self.column_of[c.feature] for c in self.card.characteristics if c.groups is not None} | set(kept)
        columns = tuple(dict.fromkeys([*self.column_of.values(), *kept]))
        return Ask(columns, tuple(c for c in columns if c in numeric - texts), self.missing, self.delimiter)


@dataclass(frozen=True)
class Batch:
    """Some people of a file, in file order."""

    place: Place
    columns: dict[str, NDArray[Any]]  # feature -> (n,): float32 or float64, NaN where missing; of a category, its bin
    kept: pa.Array | None  # one more column, in the type that the file gives it
    column_of: dict[str, str]  # feature -> column of the file

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def bins(self, card: Card, rows: NDArray[np.integer[Any]] | slice = slice(None)) -> NDArray[np.uint8]:
        """Bin of each person in each characteristic, (n, d), of all or of the rows named.

        Raises
        ------
        DataError
            A number is infinite.
        """
        import numpy as np
        import pandas as pd

        from blindscore.scorecard.binning import bin_column

        self.check_finite()
        parts = []
        for c in card.characteristics:
            own = self.columns[c.feature][rows]
            parts.append(own if c.groups is not None else bin_column(c, pd.Series(own, name=c.feature)))
        return np.column_stack(parts)

    def check_finite(self) -> None:
        """Refuse infinite numbers; the kernel does so too, but does not know where in the file they stand."""
        import numpy as np

        for feature, values in self.columns.items():
            infinite = np.isinf(values)
            if infinite.any():
                what = "infinity, or too large for a float; correct it or leave the cell empty"
                raise self.place.refuse(self.column_of[feature], what, infinite)


def wanted(
    card: Card, schema: Path | None = None, keep: str | None = None, missing: Sequence[str] = (), delimiter: str = ""
) -> Wanted:
    """Say which columns a card needs; a schema file tells other column names, words for missing, and the delimiter.

    Parameters
    ----------
    missing
        Words that mean missing, besides the usual ones and the schema's.
    delimiter
        Between cells, as a sign or by name; goes before the schema's. Empty: as schema or ending say.

    Raises
    ------
    SchemaError
        The schema file is malformed.
    DataError
        The schema file lacks a feature of the card.
    ParameterError
        No such delimiter.
    """
    between = NAMED.get(delimiter, delimiter) or None
    if between not in (None, *DELIMITERS):
        raise ParameterError("--delimiter: give comma, ';', tab or '|'")
    words = frozenset(map(canonical, missing))
    if schema is None:
        return Wanted(card, {name: name for name in card.features}, MISSING | words, between, keep)
    from blindscore.people.files.loaders import load_schema

    plan = load_schema(schema)
    columns = {f.feature.name: f.column for f in plan.features}
    lacking = [name for name in card.features if name not in columns]
    if lacking:
        raise DataError(f"{schema}: the schema lacks features of the scorecard: {', '.join(lacking)}")
    named = {name: columns[name] for name in card.features}
    plain = {f.feature.name: f.feature.plain for f in plan.features if f.feature.plain}
    return Wanted(card, named, plan.missing | words, between or plan.delimiter, keep, plain)


def batches(path: Path, want: Wanted, unknown: Counter[str] | None = None) -> Iterator[Batch]:
    """Yield everybody in file order, with the features of the card.

    Columns are found by name, in whatever order the file has them; columns that the card does not need are not decoded.

    Parameters
    ----------
    unknown
        Counts, a feature, the people whose category the card does not list and who are scored all the same.

    Raises
    ------
    DataError
        The file cannot be read, has no rows, lacks a column, names a column twice, a number is none, or a category is
        unknown to a card that refuses such.
    """
    rows, kind = 0, want.ask.kind(path)
    counts = Counter() if unknown is None else unknown
    for raw in blocks(path, want.ask):
        if len(raw) == 0:
            continue
        place = Place(path, kind, rows)
        columns: dict[str, NDArray[Any]] = {}
        for c in want.card.characteristics:
            name = want.column_of[c.feature]
            values = raw.column(name)
            if c.groups is None:
                columns[c.feature] = numbers(values, name, want.missing, place)
            else:
                columns[c.feature] = _bins(c, values, name, want.missing, place, counts)
        kept = None if want.keep is None else _single(raw.column(want.keep), want.keep, place)
        yield Batch(place, columns, kept, want.column_of)
        rows += len(raw)
    if rows == 0:
        raise DataError(f"{path}: no rows; give at least one person")


def _bins(
    c: Characteristic, column: pa.Array, name: str, missing: frozenset[str], place: Place, unknown: Counter[str]
) -> NDArray[np.uint8]:
    """Bins of a category, (n,): each different word is looked up once."""
    import numpy as np
    import pandas as pd

    from blindscore.scorecard.binning import bin_column

    listed = {level for group in c.groups or () for level in group}
    codes, found = words(column, name, missing, place, listed)
    strange = np.array([*(word not in listed for word in found), False])[codes]
    if strange.any():
        if c.other is None:
            raise place.refuse(
                name, "a category that the scorecard does not know; fit it with people who have it", strange
            )
        unknown[c.feature] += int(strange.sum())
    return bin_column(c, pd.Series([*found, None], dtype=object, name=c.feature))[codes]


def _single(column: pa.Array, name: str, place: Place) -> pa.Array:
    """Return a column that is carried over: in its own type, without a batch's own dictionary."""
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_string_view(column.type):
        column = column.cast(pa.string())
    if pa.types.is_nested(column.type) or isinstance(column.type, pa.BaseExtensionType):
        raise place.refuse(name, f"one value a person needed, found {str(column.type)[:80]}; name another column")
    return column
