"""Real people and what they did, from two long tables: purchases, ratings or check-ins, and the people who made them.

One row of the first file is a deed: who, what (a product group, a film, a place) and, if there is one, an amount. One
row of the second is a person with what it says of itself. It serves inference attacks that need no credit outcome.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.errors import DataError
from blindscore.people.files.tables import read_table
from blindscore.people.population import Feature, Population, Schema

MAX_THINGS = 2_000


def load_deeds(
    deeds: str | Path,
    people: str | Path,
    secrets: tuple[str, ...],
    *,
    who: str,
    what: str,
    amount: str | None = None,
    groups: tuple[str | Path, str] | None = None,
    register: tuple[str, ...] = (),
    context: str = "shopping",
    unit: str = "times",
    least: int = 20,
    seed: int = 1,
) -> Population:
    """Read people with the total of each thing that they did: one feature a thing.

    Parameters
    ----------
    deeds, people : str or Path
        CSV, gzip-compressed CSV, or Parquet. Both have the column `who`.
    secrets, register : tuples of str
        Columns of `people` that nobody should learn, and that outsiders know. An empty cell stays empty.
    who, what, amount : str
        Columns of `deeds`: the person, the thing, and the number to add up (None = count the rows).
    groups : (str or Path, str), or None
        A third file with the column `what`, and its column that names the group of a thing: the features are then
        groups. A thing that the file lacks, or gives no group, is left out.
    context, unit : str
        Of the features; the source is "shop" where the context is "shopping", else "platform".
    least : int
        A thing becomes a feature if at least so many people did it; at most 2,000 things, commonest first.
    seed : int
        Of the random half that counts as history.

    Returns
    -------
    Population
        Everybody in `people` who did something. There is no outcome: ``default`` is False throughout, so no scorecard
        can be fitted to these people.

    Raises
    ------
    DataError
        A file that cannot be read, a person who stands twice, an amount that is no number, or nothing left.
    """
    deeds, people = Path(deeds), Path(people)
    done, digest = read_table(deeds, [who, what, *([amount] if amount else [])])
    known, _ = read_table(people, list(dict.fromkeys([who, *secrets, *register])))
    ids = known[who].astype(str)
    if ids.duplicated().any():
        raise DataError(
            f"{people}: {who!r} repeats in data row {int(ids.duplicated().argmax()) + 1}; keep one row a person"
        )
    person = done[who].astype(str)
    known = known[ids.isin(set(person))].reset_index(drop=True)
    if not len(known):
        raise DataError(f"{deeds}: nobody of {people.name} did anything; do both files use the same ids?")
    ids = known[who].astype(str)
    row = person.map(pd.Series(np.arange(len(ids)), index=ids.to_numpy())).to_numpy(np.float64, na_value=np.nan)
    here = ~np.isnan(row)
    thing = done[what].astype("str")
    if groups is not None:
        thing = _grouped(Path(groups[0]), thing, what, groups[1])
    size = _amounts(deeds, done, amount)
    here &= thing.notna().to_numpy()
    table = _totals(deeds, row[here].astype(np.int64), thing.to_numpy()[here], size[here], len(known), least)
    source = "shop" if context == "shopping" else "platform"
    n = len(known)
    history = np.zeros(n, np.bool_)
    history[np.random.default_rng(seed).permutation(n)[: n // 2]] = True
    return Population(
        features=table,
        schema=Schema(
            tuple(Feature(str(name), source, context, unit, plain=str(name).lower()) for name in table),
            secrets,
            register,
        ),
        default=np.zeros(n, np.bool_),
        sensitive=pd.DataFrame({name: _stated(known[name]) for name in secrets}),
        register=pd.DataFrame({"legal_id": ids, **{name: _stated(known[name]) for name in register}}),
        history=history,
        name=f"{deeds.name} (sha256 {digest[:16]})",
    )


def _stated(column: pd.Series) -> pd.Series:
    """Texts, with empty cells missing."""
    words = column.astype("str").str.strip()
    return words.mask(column.isna() | (words == ""))


def _unique(path: Path, column: str, names: pd.Series) -> None:
    twice = names.duplicated()
    if twice.any():
        raise DataError(f"{path}: column {column!r} repeats in data row {int(twice.argmax()) + 1}; keep one row each")


def _grouped(path: Path, thing: pd.Series, what: str, group: str) -> pd.Series:
    """The group of each thing; missing where there is none."""
    table, _ = read_table(path, [what, group])
    names = table[what].astype("str")
    if names.duplicated().any():
        raise DataError(
            f"{path}: {what!r} repeats in data row {int(names.duplicated().argmax()) + 1}; keep one row each"
        )
    return thing.map(pd.Series(_stated(table[group]).to_numpy(), index=names.to_numpy()))


def _amounts(path: Path, done: pd.DataFrame, amount: str | None) -> NDArray[np.float64]:
    if amount is None:
        return np.ones(len(done))
    size = pd.to_numeric(done[amount], errors="coerce").to_numpy(np.float64)
    bad = ~np.isfinite(size)
    if bad.any():
        first = int(bad.argmax()) + 1
        raise DataError(
            f"{path}: column {amount!r}, data row {first} ({int(bad.sum())} rows): no finite number; mend it"
        )
    return size


def _totals(
    path: Path, row: NDArray[np.int64], thing: NDArray[np.object_], size: NDArray[np.float64], n: int, least: int
) -> pd.DataFrame:
    """One column a thing that at least `least` people did, commonest first, (n, things)."""
    doers = pd.DataFrame({"row": row, "thing": thing}).drop_duplicates()["thing"].value_counts()
    common = sorted(doers.index[doers >= least], key=lambda name: (-int(doers[name]), str(name)))[:MAX_THINGS]
    if not common:
        raise DataError(f"{path}: nothing was done by {least} people; lower `least`")
    place = pd.Series(thing).map({name: k for k, name in enumerate(common)})
    kept = place.notna().to_numpy()
    out = np.zeros((n, len(common)))
    np.add.at(out, (row[kept], place[kept].to_numpy(np.int64)), size[kept])
    return pd.DataFrame(out, columns=common)
