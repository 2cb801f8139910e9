"""The TOML file beside a lender's table: which columns are features, outcome, secrets and public knowledge.

::

    title = "Default of credit card clients"      # also: source, licence
    missing = ["?"]                               # besides blanks, NA, NULL, None and the like; also: delimiter = ";"
    [target]
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
"""

from __future__ import annotations

import difflib
import itertools
import math
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from blindscore.errors import SchemaError
from blindscore.people.files.cells import MISSING, canonical
from blindscore.people.files.kinds import DELIMITERS
from blindscore.people.population import FINANCIAL, Feature, Kind, Schema

MAX_SCHEMA_BYTES = 1 << 20
MAX_NAME = 200  # characters in a name or label


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
    target: str
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

    @property
    def schema(self) -> Schema:
        """The population schema that the file's columns make up."""
        return Schema(
            tuple(f.feature for f in self.features),
            tuple(d.name for d in self.sensitive),
            tuple(d.name for d in self.register),
        )

    @property
    def columns(self) -> list[str]:
        """Every column that the schema reads, each once, in order of first use."""
        wanted = [self.target, *(f.column for f in self.features)]
        wanted += [d.column for d in (*self.sensitive, *self.register)]
        wanted += [c for c in (self.legal_id, self.history) if c is not None]
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
    return _build(_Table(str(path), "", table))


@dataclass(frozen=True)
class _Table:
    """One TOML table, read with checks; `where` is the file and `at` the place inside it."""

    where: str
    at: str
    values: dict[str, Any]

    def fail(self, what: str) -> SchemaError:
        return SchemaError(f"{self.where}: {self.at or 'top level'}: {what}")

    def only(self, *keys: str) -> None:
        for key in self.values:
            if key not in keys:
                near = difflib.get_close_matches(key, keys, 1)
                hint = f"did you mean {near[0]!r}?" if near else f"allowed are {', '.join(keys)}"
                raise self.fail(f"unknown key {key[:MAX_NAME]!r}; {hint}")

    def text(self, key: str, default: str | None = None) -> str:
        value = self.values.get(key, default)
        if value is None:
            raise self.fail(f"key {key!r} is missing; add it")
        if not isinstance(value, str) or len(value) > MAX_NAME or (default is None and not value):
            raise self.fail(f"{key!r} must be a text of 1 to {MAX_NAME} characters")
        return value

    def texts(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        value = self.values.get(key, default)
        if value is None:
            raise self.fail(f"key {key!r} is missing; add it")
        if not isinstance(value, list | tuple) or (default is None and not value):
            raise self.fail(f'{key!r} must be a list of texts or numbers, such as ["1"]')
        if any(not isinstance(v, str | int | float) for v in value):
            raise self.fail(f'{key!r} must be a list of texts or numbers, such as ["1"]')
        return tuple(canonical(str(v)) for v in value)

    def table(self, key: str) -> _Table | None:
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self.fail(f"{key!r} must be a table: write [{key}]")
        return _Table(self.where, f"[{key}]", value)

    def tables(self, key: str) -> list[_Table]:
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
            raise self.fail(f"{key!r} must be a list of tables: write [[{key}]]")
        return [_Table(self.where, f"[[{key}]] number {k}", v) for k, v in enumerate(value, 1)]


def _build(top: _Table) -> FileSchema:
    top.only(
        "title", "source", "licence", "missing", "delimiter", "legal_id", "target", "features", "sensitive",
        "register", "history",
    )  # fmt: skip
    if top.values.get("delimiter") not in (None, *DELIMITERS):
        raise top.fail("'delimiter' must be a comma, a semicolon, a tab or |")
    target = top.table("target")
    if target is None:
        raise top.fail("table [target] is missing; name the outcome's column and which values are bad")
    target.only("column", "bad", "good")
    bad, good = target.texts("bad"), target.texts("good", ())
    if set(bad) & set(good):
        raise target.fail("a value is listed both as bad and as good")
    features = tuple(_feature(table) for table in top.tables("features"))
    if not features:
        raise top.fail("no [[features]]; a scorecard needs at least one")
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
    column = target.text("column")
    if column in {f.column for f in features}:
        raise top.fail(f"the outcome {column!r} is also listed as a feature; remove it from [[features]]")
    history, past, before, seed = _history(top.table("history"))
    return FileSchema(
        path=top.where,
        title=top.text("title", ""),
        source=top.text("source", ""),
        licence=top.text("licence", ""),
        missing=MISSING | set(top.texts("missing", ())),
        delimiter=top.values.get("delimiter"),
        target=column,
        bad=bad,
        good=good,
        features=features,
        sensitive=sensitive,
        register=register,
        legal_id=top.text("legal_id") if "legal_id" in top.values else None,
        history=history,
        past=past,
        before=before,
        seed=seed,
    )


def _feature(table: _Table) -> FileFeature:
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


def _derived(table: _Table) -> Derived:
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


def _history(table: _Table | None) -> tuple[str | None, tuple[str, ...], str | None, int]:
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
