"""The TOML file beside a lender's table: which columns are features, outcome, secrets and public knowledge.

::

    title = "Default of credit card clients"      # also: source, licence
    missing = ["?"]                               # besides blanks, NA, NULL, None and the like; also: delimiter = ";"
    [target]                                      # may be left out where no outcome is known
    column = "default"
    bad = ["1"]                                   # values that mean default
    good = ["0"]                                  # optional; any third value is then an error
    [[features]]
    name = "LIMIT_BAL"                            # also: plain, unit, column, source, context, kind, required,
                                                  # levels, special
    [[sensitive]]
    name = "age_band"                             # also: column, bands, labels
    column = "AGE"
    bands = [30, 40, 50]                          # below 30, 30 to below 40, 40 to below 50, 50 and above
    [[register]]                                  # what outsiders know; keys as for sensitive
    name = "sex"
    column = "SEX"
    labels = { 1 = "male", 2 = "female" }         # any other value is an error
    [history]                                     # optional; else a seeded random half
    column = "year"
    past = ["2014", "2015"]                       # or before = "2016-01", or instead of all three: seed = 1
    [friends]                                     # optional, as is [visits]; both need a legal_id
    file = "friends.csv"                          # beside the people's file: one row a tie
    ends = ["a", "b"]                             # its columns, of legal ids
    [visits]
    file = "visits.csv"                           # one row a sighting; also: person, hour, place, its columns
"""

from __future__ import annotations

import itertools
import math
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from blindscore.errors import SchemaError
from blindscore.people.files.cells import MISSING, canonical
from blindscore.people.files.kinds import DELIMITERS
from blindscore.people.files.ties import Sightings, Ties
from blindscore.people.files.toml_table import MAX_NAME, TomlTable
from blindscore.people.population import FINANCIAL, Feature, Kind, Schema

TIES = Feature("ties", "social network", "social", "people", plain="number of ties")  # of whoever has nothing else
MAX_SCHEMA_BYTES = 1 << 20


@dataclass(frozen=True)
class FileFeature:
    """A feature and the column it is read from."""

    feature: Feature
    column: str
    required: bool  # a missing value is an error
    levels: tuple[str, ...] = ()  # of a category: any other word is an error, and none of these means missing
    special: tuple[float, ...] = ()  # codes of a number that are no amounts; each gets a bin of its own


@dataclass(frozen=True)
class Derived:
    """A column of secrets or of public knowledge: banded, relabelled, or as it stands."""

    name: str
    column: str
    bands: tuple[float, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class FileSchema:
    """A parsed schema file."""

    path: str
    title: str
    source: str
    licence: str
    missing: frozenset[str]  # texts that mean a missing value
    delimiter: str | None  # between cells; None: as the file's ending says
    target: str | None  # column of the outcome, or None = no outcome is known
    bad: tuple[str, ...]
    good: tuple[str, ...]  # empty = everything that is not bad
    features: tuple[FileFeature, ...]
    sensitive: tuple[Derived, ...]
    register: tuple[Derived, ...]
    legal_id: str | None  # column, or None = row labels
    history: str | None  # column, or None = seeded half
    past: tuple[str, ...]
    before: str | None  # past customers come before it: as numbers where it is one, else as texts, such as ISO dates
    seed: int
    friends: Ties | None = None
    visits: Sightings | None = None

    @property
    def schema(self) -> Schema:
        """The population schema that the file's columns make up; of a bare graph, how many ties each person has."""
        features = tuple(f.feature for f in self.features) or (TIES,)
        return Schema(
            features,
            tuple(d.name for d in self.sensitive),
            tuple(d.name for d in self.register),
        )

    @property
    def columns(self) -> list[str]:
        """Every column that the schema reads, each once, in order of first use."""
        wanted = [f.column for f in self.features]
        wanted += [d.column for d in (*self.sensitive, *self.register)]
        wanted += [c for c in (self.target, self.legal_id, self.history) if c is not None]
        return list(dict.fromkeys(wanted))


def load_schema(path: str | Path) -> FileSchema:
    """Read a schema file.

    Raises
    ------
    SchemaError
        Not readable, over a megabyte, not UTF-8, not TOML, an unknown or missing key, a wrong type, a name twice,
        or the outcome listed among the features.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_SCHEMA_BYTES + 1)
    except OSError as error:
        raise SchemaError(f"{path}: cannot read the schema file ({error.strerror}); check the path") from None
    if len(raw) > MAX_SCHEMA_BYTES:
        raise SchemaError(f"{path}: over {MAX_SCHEMA_BYTES:,} bytes; a schema file names columns, it holds no data")
    try:
        table = tomllib.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise SchemaError(f"{path}: not UTF-8 at byte {error.start}; save the schema as UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SchemaError(f"{path}: not valid TOML: {str(error)[:200]}") from None
    return _build(TomlTable(str(path), "", table))


def _build(top: TomlTable) -> FileSchema:
    top.only(
        "title", "source", "licence", "missing", "delimiter", "legal_id", "target", "features", "sensitive",
        "register", "history", "friends", "visits",
    )  # fmt: skip
    if top.values.get("delimiter") not in (None, *DELIMITERS):
        raise top.fail("'delimiter' must be a comma, a semicolon, a tab or |")
    target, bad, good = _target(top.table("target"))
    features = tuple(_feature(table) for table in top.tables("features"))
    friends, visits = Ties.read(top.table("friends")), Sightings.read(top.table("visits"))
    legal_id = top.text("legal_id") if "legal_id" in top.values else None
    if (friends or visits) and legal_id is None:
        raise top.fail("[friends] and [visits] name people by their legal id; say which column holds it: legal_id")
    if not features and friends is None:
        raise top.fail("no [[features]]; a scorecard needs at least one, or a table of [friends] to count")
    sensitive = tuple(_derived(table) for table in top.tables("sensitive"))
    register = tuple(_derived(table) for table in top.tables("register"))
    for what, names in (
        ("features", [f.feature.name for f in features]),
        ("sensitive", [d.name for d in sensitive]),
        ("register", [d.name for d in register]),
    ):
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise top.fail(f"[[{what}]] names {', '.join(twice)} twice; keep one entry each")
    if target in {f.column for f in features}:
        raise top.fail(f"the outcome {target!r} is also listed as a feature; remove it from [[features]]")
    history, past, before, seed = _history(top.table("history"))
    return FileSchema(
        path=top.where,
        title=top.text("title", ""),
        source=top.text("source", ""),
        licence=top.text("licence", ""),
        missing=MISSING | set(top.texts("missing", ())),
        delimiter=top.values.get("delimiter"),
        target=target,
        bad=bad,
        good=good,
        features=features,
        sensitive=sensitive,
        register=register,
        legal_id=legal_id,
        history=history,
        past=past,
        before=before,
        seed=seed,
        friends=friends,
        visits=visits,
    )


def _target(table: TomlTable | None) -> tuple[str | None, tuple[str, ...], tuple[str, ...]]:
    """Return the outcome's column, and which of its values are bad and good."""
    if table is None:
        return None, (), ()
    table.only("column", "bad", "good")
    bad, good = table.texts("bad"), table.texts("good", ())
    if set(bad) & set(good):
        raise table.fail("a value is listed both as bad and as good")
    return table.text("column"), bad, good


def _feature(table: TomlTable) -> FileFeature:
    table.only("name", "column", "source", "context", "unit", "plain", "kind", "required", "levels", "special")
    name = table.text("name")
    kind = table.text("kind", "number")
    if kind not in ("number", "category"):
        raise table.fail('\'kind\' must be "number" or "category"')
    required = table.values.get("required", False)
    if not isinstance(required, bool):
        raise table.fail("'required' must be true or false")
    levels = table.texts("levels", ())
    if levels and kind != "category":
        raise table.fail("'levels' are those of a category: say kind = \"category\"")
    if len(set(levels)) < len(levels):
        raise table.fail("'levels' names a category twice")
    special = table.values.get("special", [])
    if not isinstance(special, list) or any(
        isinstance(code, bool) or not isinstance(code, int | float) for code in special
    ):
        raise table.fail("'special' must be a list of numbers")
    if special and kind != "number":
        raise table.fail("'special' codes are those of a number; a category's have bins already")
    context, source = table.text("context", FINANCIAL), table.text("source", "lender")
    feature = Feature(name, source, context, table.text("unit", ""), cast(Kind, kind), table.text("plain", ""))
    return FileFeature(feature, table.text("column", name), required, levels, tuple(map(float, special)))


def _derived(table: TomlTable) -> Derived:
    table.only("name", "column", "bands", "labels")
    name = table.text("name")
    if name == "legal_id":
        raise table.fail("'legal_id' is set by the top-level key of that name; choose another name here")
    bands = table.values.get("bands", [])
    if not isinstance(bands, list) or any(isinstance(b, bool) or not isinstance(b, int | float) for b in bands):
        raise table.fail("'bands' must be a list of numbers")
    if not all(math.isfinite(b) for b in bands) or any(a >= b for a, b in itertools.pairwise(bands)):
        raise table.fail("'bands' must be finite and increasing")
    labels = table.values.get("labels", {})
    if not isinstance(labels, dict) or any(
        not isinstance(v, str) or not v or len(v) > MAX_NAME for v in labels.values()
    ):
        raise table.fail("'labels' must map codes to texts")
    if bands and labels:
        raise table.fail("give 'bands' or 'labels', not both")
    pairs = tuple((canonical(code), word) for code, word in labels.items())
    return Derived(name, table.text("column", name), tuple(map(float, bands)), pairs)


def _history(table: TomlTable | None) -> tuple[str | None, tuple[str, ...], str | None, int]:
    if table is None:
        return None, (), None, 1
    table.only("column", "past", "before", "seed")
    if "column" in table.values:
        if "seed" in table.values or {"past", "before"} <= table.values.keys():
            raise table.fail("give 'column' and 'past', or 'column' and 'before', or 'seed'")
        if "before" in table.values:
            return table.text("column"), (), table.text("before"), 1
        return table.text("column"), table.texts("past"), None, 1
    if table.values.keys() & {"past", "before"}:
        raise table.fail("'past' and 'before' need 'column': name the column that tells past customers")
    seed = table.values.get("seed", 1)
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
        raise table.fail("'seed' must be a whole number, 0 or more")
    return None, (), None, seed
