"""Real people and what they did, from two long tables: purchases, ratings or check-ins, and the people who made them.

One row of the first file is a deed: who, what (a product group, a film, a place) and, if there is one, an amount. One
row of the second is a person with what it says of itself. It serves inference attacks that need no credit outcome.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from blindscore.errors import DataError
from blindscore.people.files.blocks import Ask
from blindscore.people.files.cells import numbers, words
from blindscore.people.files.lines import Place
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
    done, digest = _read(deeds, (who, what), amount)
    known, _ = _read(people, tuple(dict.fromkeys((who, *secrets, *register))))
    _unique(people, who, known[who])
    known = known[known[who].isin(set(done[who].dropna()))].reset_index(drop=True)
    if not len(known):
        raise DataError(f"{deeds}: nobody of {people.name} did anything; do both files use the same ids?")
    row_of = pd.Series(np.arange(len(known)), index=known[who].to_numpy())
    done["row"] = done[who].map(row_of)
    if groups is not None:
        done[what] = _grouped(Path(groups[0]), done[what], what, groups[1])
    done = done.dropna(subset=["row", what])
    table = _totals(deeds, done, what, len(known), least)
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
        sensitive=pd.DataFrame({name: known[name] for name in secrets}),
        register=pd.DataFrame({"legal_id": known[who], **{name: known[name] for name in register}}),
        history=history,
        name=f"{deeds.name} (sha256 {digest[:16]})",
    )


def _read(path: Path, texts: tuple[str, ...], amount: str | None = None) -> tuple[pd.DataFrame, str]:
    """Columns as texts (None = a gap), the amounts as column ``size`` (1 if there are none), and the file's SHA-256."""
    ask = Ask(tuple(dict.fromkeys((*texts, *((amount,) if amount else ())))), (amount,) if amount else ())
    table, digest = read_table(path, ask)
    place, out = Place(path, ask.kind(path)), {}
    for name in texts:
        codes, found = words(table[name].chunk(0), name, ask.missing, place)
        out[name] = np.array([*found, None], object)[codes]
    size = np.ones(table.num_rows)
    if amount:
        size = numbers(table[amount].chunk(0), amount, ask.missing, place).astype(np.float64)
        bad = ~np.isfinite(size)
        if bad.any():
            raise DataError(f"{path}: column {amount!r}, data row {int(bad.argmax()) + 1}: no finite number; mend it")
    return pd.DataFrame(out).assign(size=size), digest


def _unique(path: Path, column: str, names: pd.Series) -> None:
    bad = names.duplicated() | names.isna()
    if bad.any():
        raise DataError(f"{path}: column {column!r}, data row {int(bad.argmax()) + 1}: empty, or stands twice; mend it")


def _grouped(path: Path, thing: pd.Series, what: str, group: str) -> pd.Series:
    """The group of each thing; missing where there is none."""
    table, _ = _read(path, (what, group))
    _unique(path, what, table[what])
    return thing.map(table.set_index(what)[group])


def _totals(path: Path, done: pd.DataFrame, what: str, n: int, least: int) -> pd.DataFrame:
    """One column a thing that at least `least` people did, commonest first, (n, things)."""
    doers = done[["row", what]].drop_duplicates()[what].value_counts()
    common = sorted(doers.index[doers >= least], key=lambda name: (-int(doers[name]), str(name)))[:MAX_THINGS]
    if not common:
        raise DataError(f"{path}: nothing was done by {least} people; lower `least`")
    place = done[what].map({name: k for k, name in enumerate(common)})
    kept = place.notna().to_numpy()
    out = np.zeros((n, len(common)))
    rows, columns = (values[kept].to_numpy(np.int64) for values in (done["row"], place))
    np.add.at(out, (rows, columns), done["size"].to_numpy()[kept])
    return pd.DataFrame(out, columns=common)
