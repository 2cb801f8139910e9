"""A real friendship graph and what its people say of themselves, for attacks that need no credit outcome.

Two files: edges (one row a tie, two columns of node ids) and attributes in long form (one row for each node, category
and code that it holds), as SNAP's ego-Facebook files come once put together (McAuley and Leskovec, NIPS 2012).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from blindscore.errors import DataError
from blindscore.people.files.blocks import Ask
from blindscore.people.files.cells import words
from blindscore.people.files.file_schema import TIES
from blindscore.people.files.lines import Place
from blindscore.people.files.tables import read_table
from blindscore.people.files.ties import pairs_of, ties_of
from blindscore.people.population import Feature, Population, Schema

MAX_FEATURES = 2_000


def load_graph(
    edges: str | Path,
    attributes: str | Path,
    secret: str,
    *,
    ends: tuple[str, str] = ("u", "v"),
    held: tuple[str, str, str] = ("node", "category", "code"),
    least: int = 20,
    seed: int = 1,
) -> Population:
    """Read people with friends: everybody who states the secret, the ties among them, and their other attributes.

    Parameters
    ----------
    edges, attributes : str or Path
        CSV, gzip-compressed CSV, or Parquet; ids, categories and codes are taken as texts.
    secret : str
        The category that becomes the one sensitive column; people who state none, or two, are left out.
    ends, held : tuples of str
        Column names of the two files.
    least : int
        An attribute becomes a 0/1 feature if at least so many people hold it. Where nobody states anything but the
        secret, the number of a person's ties is the one feature.
    seed : int
        Of the random half that counts as history.

    Returns
    -------
    Population
        Features from the context "profile" (of a bare graph: "social"), friends, no visits. There is no outcome:
        ``default`` is False throughout, so no scorecard can be fitted to these people.

    Raises
    ------
    DataError
        A file that cannot be read, a secret that nobody states or that has one class, or no tie or attribute left.
    """
    edges, attributes = Path(edges), Path(attributes)
    ties, digest = _texts(edges, ends)
    table, _ = _texts(attributes, held)
    node, category, code = held
    stated = table[table[category] == secret].drop_duplicates()
    stated = stated[~stated[node].duplicated(keep=False)].sort_values(node, kind="stable")
    if stated[code].nunique() < 2:
        classes = stated[code].nunique()
        raise DataError(
            f"{attributes}: secret {secret!r} has {classes} classes among those who state it; choose another"
        )
    row_of = pd.Series(np.arange(len(stated)), index=stated[node].to_numpy())
    others = table[table[category] != secret]
    pairs = pairs_of(*(ties[end].map(row_of).to_numpy(np.float64, na_value=np.nan) for end in ends))
    if not len(pairs):
        raise DataError(f"{edges}: no tie joins two people who state {secret!r}; do both files use the same ids?")
    n = len(stated)
    if others.empty:
        kinds: tuple[Feature, ...] = (TIES,)
        features = pd.DataFrame({TIES.name: ties_of(pairs, n)})
    else:
        features = _features(attributes, others, held, row_of, least)
        kinds = tuple(Feature(str(name), "social network", "profile", "0 or 1") for name in features)
    history = np.zeros(n, np.bool_)
    history[np.random.default_rng(seed).permutation(n)[: n // 2]] = True
    return Population(
        features=features,
        schema=Schema(kinds, (secret,)),
        default=np.zeros(n, np.bool_),
        sensitive=pd.DataFrame({secret: stated[code].reset_index(drop=True)}),
        register=pd.DataFrame({"legal_id": stated[node].reset_index(drop=True)}),
        history=history,
        friends=pairs,
        name=f"{edges.name} (sha256 {digest[:16]})",
    )


def _texts(path: Path, columns: tuple[str, ...]) -> tuple[pd.DataFrame, str]:
    """Columns of a file as texts, and its SHA-256; a row with a gap says nothing, and is left out."""
    ask = Ask(columns)
    table, digest = read_table(path, ask)
    place, out = Place(path, ask.kind(path)), {}
    for name in columns:
        codes, found = words(table[name].chunk(0), name, ask.missing, place)
        out[name] = np.array([*found, None], object)[codes]
    return pd.DataFrame(out).dropna().astype("str"), digest


def _features(
    path: Path, table: pd.DataFrame, held: tuple[str, str, str], row_of: pd.Series, least: int
) -> pd.DataFrame:
    """One 0/1 column for each (category, code) that at least `least` of the people hold, commonest first."""
    node, category, code = held
    rows = table[node].map(row_of)
    names = (table[category] + " " + table[code])[rows.notna()]
    rows = rows[rows.notna()].astype(np.int64)
    unique = pd.DataFrame({"row": rows, "name": names}).drop_duplicates()
    counts = unique["name"].value_counts()
    common = sorted(counts.index[counts >= least], key=lambda name: (-int(counts[name]), str(name)))[:MAX_FEATURES]
    if not common:
        raise DataError(f"{path}: no attribute is held by {least} people; lower `least`")
    place = unique["name"].map({name: k for k, name in enumerate(common)})
    kept = place.notna()
    out = np.zeros((len(row_of), len(common)))
    out[unique.loc[kept, "row"].to_numpy(), place[kept].to_numpy(np.int64)] = 1.0
    return pd.DataFrame(out, columns=common)
