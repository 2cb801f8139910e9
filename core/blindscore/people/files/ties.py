"""Friends and visits of people in a file: two tables beside it, which name people by their legal id.

Ties of, and sightings of, people who are not in the people's file are left out: whoever is not asked about has no row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.errors import DataError
from blindscore.people.files.blocks import Ask
from blindscore.people.files.cells import MISSING, numbers, words
from blindscore.people.files.lines import Place
from blindscore.people.files.tables import read_table
from blindscore.people.files.toml_table import TomlTable

MOST_HOURS = 1_000_000  # of sightings, from the first Monday on: over a hundred years


@dataclass(frozen=True)
class Ties:
    """Where friendships stand."""

    file: str  # beside the people's file
    ends: tuple[str, str] = ("a", "b")  # columns of legal ids

    @classmethod
    def read(cls, table: TomlTable | None) -> Ties | None:
        """Return what a schema's [friends] says; None without one.

        Raises
        ------
        SchemaError
            A key is missing, unknown or of another kind than it must be.
        """
        if table is None:
            return None
        table.only("file", "ends")
        ends = table.texts("ends", cls.ends)
        if len(ends) != 2 or ends[0] == ends[1]:
            raise table.fail("'ends' must be two columns, one for each end of a tie")
        return cls(_beside(table), (ends[0], ends[1]))

    def load(self, people: Path, ids: Sequence[str], delimiter: str | None) -> NDArray[np.int32]:
        """Return the ties among people, (m, 2), each once, smaller row first.

        Parameters
        ----------
        people
            Their file, beside which this one lies.
        ids
            Legal ids in the order of their rows.

        Raises
        ------
        DataError
            The file cannot be read, or no tie joins two of these people.
        """
        path = people.parent / self.file
        table, place = _read(path, self.ends, delimiter)
        rows = _rows_of(ids)
        pairs = pairs_of(*(rows.reindex(_texts(table, end, place)).to_numpy(np.float64) for end in self.ends))
        if not len(pairs):
            raise DataError(f"{path}: no tie joins two people of {people.name}; do both use the same legal ids?")
        return pairs


@dataclass(frozen=True)
class Sightings:
    """Where visits stand."""

    file: str
    person: str = "person"  # legal id
    hour: str = "hour"  # whole hours from some Monday, midnight, on
    place: str = "place"  # any name of one

    @classmethod
    def read(cls, table: TomlTable | None) -> Sightings | None:
        """Return what a schema's [visits] says; None without one.

        Raises
        ------
        SchemaError
            A key is missing, unknown or of another kind than it must be.
        """
        if table is None:
            return None
        table.only("file", "person", "hour", "place")
        named = [table.text(key, key) for key in ("person", "hour", "place")]
        if len(set(named)) < len(named):
            raise table.fail("person, hour and place stand in three columns")
        return cls(_beside(table), *named)

    def load(self, people: Path, ids: Sequence[str], delimiter: str | None) -> pd.DataFrame:
        """Return sightings: person (row number), hour, place (a number for each name), by person and hour.

        Raises
        ------
        DataError
            The file cannot be read, an hour is no whole number from 0 on, a cell is empty, or nobody is seen.
        """
        path = people.parent / self.file
        table, place = _read(path, (self.person, self.hour, self.place), delimiter)
        hour = numbers(table[self.hour].chunk(0), self.hour, MISSING, place).astype(np.float64)
        wrong = ~((hour >= 0) & (hour < MOST_HOURS) & (hour == np.floor(hour)))
        if wrong.any():
            raise place.refuse(self.hour, "whole hours from some Monday on needed, 0 or more", wrong)
        codes, _ = words(table[self.place].chunk(0), self.place, MISSING, place)
        if (codes < 0).any():
            raise place.refuse(self.place, "a place is missing; remove that sighting", codes < 0)
        row = _rows_of(ids).reindex(_texts(table, self.person, place)).to_numpy(np.float64)
        known = ~np.isnan(row)
        if not known.any():
            raise DataError(f"{path}: sees nobody of {people.name}; do both use the same legal ids?")
        seen = pd.DataFrame(
            {
                "person": row[known].astype(np.int32),
                "hour": hour[known].astype(np.int32),
                "place": codes[known].astype(np.int32),
            }
        )
        return seen.sort_values(["person", "hour"], kind="stable").reset_index(drop=True)


def pairs_of(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.int32]:
    """Return the ties between people, (m, 2), each once, smaller row first.

    Parameters
    ----------
    first, second : (rows,) each tie's ends, as row numbers; NaN for whoever is none of the people
    """
    ends = np.column_stack([first, second])
    pairs = np.sort(ends[~np.isnan(ends).any(axis=1)].astype(np.int32), axis=1)
    return np.asarray(np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0), np.int32)


def ties_of(pairs: NDArray[np.int32], people: int) -> NDArray[np.float64]:
    """Return how many ties each of so many people has."""
    return np.bincount(pairs.ravel(), minlength=people).astype(np.float64)


def _beside(table: TomlTable) -> str:
    name = table.text("file")
    if PurePosixPath(name).name != name or "\\" in name or name in (".", ".."):
        raise table.fail("'file' is the name of a file beside the people's, without a folder")
    return name


def _read(path: Path, columns: tuple[str, ...], delimiter: str | None) -> tuple[pd.DataFrame, Place]:
    ask = Ask(columns, delimiter=delimiter)
    table, _ = read_table(path, ask)
    return table, Place(path, ask.kind(path))


def _texts(table: pd.DataFrame, column: str, place: Place) -> NDArray[np.object_]:
    codes, found = words(table[column].chunk(0), column, MISSING, place)
    return np.array([*found, None], dtype=object)[codes]


def _rows_of(ids: Sequence[str]) -> pd.Series:
    return pd.Series(np.arange(len(ids)), index=list(ids))
