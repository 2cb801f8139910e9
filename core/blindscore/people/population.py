"""Population and Schema: people, what is known of them, and by whom.

A :class:`Schema` says for every feature which *source* holds it, from which *context* of life it
comes (contextual integrity: Nissenbaum, "Privacy as Contextual Integrity", 2004) and in which unit.
A :class:`Population` is n people under such a schema.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.errors import DataError, ParameterError, SchemaError

Kind = Literal["number", "category"]
FINANCIAL = "financial"
MAX_MONTHS = 24  # of applications


@dataclass(frozen=True)
class Feature:
    """One column that a scorecard may use."""

    name: str
    source: str  # who holds it: "bank", "bureau", "shop", "browser", "social network", ...
    context: str = FINANCIAL  # "financial", "shopping", "browsing", "posts", "social", "device", ...
    unit: str = ""
    kind: Kind = "number"
    plain: str = ""  # what a reader calls it: "months in arrears"; empty = the column's name

    @property
    def label(self) -> str:
        """What to show a reader: the plain name, else the column's name with spaces."""
        return self.plain or self.name.replace("_", " ")


@dataclass(frozen=True)
class Schema:
    """Which columns a population has, who holds each, and which of them nobody should learn."""

    features: tuple[Feature, ...]
    sensitive: tuple[str, ...] = ()
    register: tuple[str, ...] = ()  # quasi-identifiers that outsiders know, by column name

    def __post_init__(self) -> None:
        names = [feature.name for feature in self.features]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise SchemaError(f"schema names these features twice: {', '.join(twice)}; keep one entry each")

    def __getitem__(self, name: str) -> Feature:
        for feature in self.features:
            if feature.name == name:
                return feature
        raise SchemaError(f"schema has no feature {name!r}; it has {', '.join(self.names())}")

    def names(self, *, contexts: tuple[str, ...] | None = None, sources: tuple[str, ...] | None = None) -> list[str]:
        """Feature names, of the given contexts and sources only, in schema order."""
        return [
            feature.name
            for feature in self.features
            if (contexts is None or feature.context in contexts) and (sources is None or feature.source in sources)
        ]

    def only(self, names: list[str]) -> Schema:
        """Return the schema reduced to the named features, in the order given."""
        return replace(self, features=tuple(self[name] for name in names))


def check_months(months: int) -> None:
    """Raise :class:`ParameterError` unless so many months of applications can be asked for."""
    if not 1 <= months <= MAX_MONTHS:
        raise ParameterError(f"months must be 1 to {MAX_MONTHS}, got {months}")


@dataclass(frozen=True)
class Population:
    """n people under one schema; row i is the same person in every table.

    Attributes
    ----------
    features : DataFrame, (n, d)
        One column a feature, missing values allowed; numbers are float, categories are str.
    schema : Schema
    default : (n,) bool
        Outcome to predict; True = defaulted.
    sensitive : DataFrame, (n, s)
        What nobody should learn (politics, religion, health, ...), as small integer or str classes.
    register : DataFrame, (n, r)
        Legal id (column ``legal_id``) and the quasi-identifiers that outsiders know.
    history : (n,) bool
        True = a past customer: outcome known to lenders, used to train scorecards. Quality is measured on the others.
    friends : (m, 2) int32, or None
        Undirected edges, each once, first < second.
    visits : DataFrame with columns person, hour, place, or None
    name : str
        "synthetic society", or the file's name and fingerprint.
    stand_in : bool
        No outcome is known: ``default`` is a stand-in (:mod:`blindscore.people.stand_in`), which says how nobody paid.
    """

    features: pd.DataFrame
    schema: Schema
    default: NDArray[np.bool_]
    sensitive: pd.DataFrame
    register: pd.DataFrame
    history: NDArray[np.bool_]
    friends: NDArray[np.int32] | None = None
    visits: pd.DataFrame | None = None
    name: str = "unnamed"
    synthetic: bool = field(default=False)
    stand_in: bool = False

    def __post_init__(self) -> None:
        n = len(self.features)
        if n == 0:
            raise DataError(f"{self.name}: no people; give at least one row")
        for what, length in (
            ("default", len(self.default)),
            ("sensitive", len(self.sensitive)),
            ("register", len(self.register)),
            ("history", len(self.history)),
        ):
            if length != n:
                raise DataError(f"{self.name}: {what} has {length} rows, features have {n}; they must agree")
        if list(self.features.columns) != self.schema.names():
            raise DataError(f"{self.name}: feature columns differ from the schema's; order both alike")
        if self.default.dtype != np.bool_ or self.history.dtype != np.bool_:
            raise DataError(f"{self.name}: default and history must be boolean arrays")

    def __len__(self) -> int:
        return len(self.features)

    def applications(self, months: int = 1) -> pd.DataFrame:
        """Who applies when, and which bank signs: person, month, day (0..29), hour (0..23), bank; one row a time.

        Of a file nothing of this is known: everybody applies once, at an hour between 8 and 21 that says nothing of the
        person, with one bank. A synthetic society knows more (:mod:`blindscore.people.applying`).

        Raises
        ------
        ParameterError
            Fewer than 1 month, or more than 24.
        """
        check_months(months)
        n = len(self)
        return pd.DataFrame(
            {
                "person": np.arange(n, dtype=np.int32),
                "month": np.zeros(n, np.int32),
                "day": np.zeros(n, np.int32),
                "hour": np.random.default_rng([n, 0x77]).integers(8, 22, n).astype(np.int32),
                "bank": pd.Series(["bank"] * n, dtype="str"),
            }
        )

    def banks(self) -> pd.DataFrame:
        """Which banks a person has: bank and second_bank (missing = none), one row a person; one bank for a file."""
        n = len(self)
        return pd.DataFrame(
            {"bank": pd.Series(["bank"] * n, dtype="str"), "second_bank": pd.Series([None] * n, dtype="str")}
        )

    @property
    def fingerprint(self) -> str:
        """SHA-256 over features, outcomes, secrets, friends and visits; equal people give equal fingerprints."""
        digest = hashlib.sha256(b"blindscore/population/v1")
        for table in (self.features, self.sensitive, self.register):
            digest.update("\x1f".join(map(str, table.columns)).encode() + b"\x1e")
            digest.update(pd.util.hash_pandas_object(table, index=False).to_numpy().tobytes())
        digest.update(np.packbits(self.default).tobytes() + np.packbits(self.history).tobytes())
        if self.friends is not None:
            digest.update(np.ascontiguousarray(self.friends).tobytes())
        if self.visits is not None:
            digest.update(pd.util.hash_pandas_object(self.visits, index=False).to_numpy().tobytes())
        return digest.hexdigest()
