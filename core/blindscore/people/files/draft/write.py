"""The draft as TOML, with a comment wherever somebody should look twice; `fit` takes it as it stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from blindscore.errors import DataError
from blindscore.people.files.draft.names import context_of, plain_name, unit_of
from blindscore.people.files.draft.roles import Role


def draft_schema(title: str, roles: Sequence[Role], delimiter: str | None = None) -> str:
    """Return the schema's text.

    Raises
    ------
    DataError
        No column looks like an outcome, or none like a feature.
    """
    import tomlkit

    target = next((role for role in roles if role.part == "outcome"), None)
    features = [role for role in roles if role.part == "feature"]
    if target is None:
        raise DataError(
            "no column looks like an outcome (two values, nobody without one); name it with --target COLUMN"
        )
    if not features:
        raise DataError("no column looks like a feature; a scorecard needs at least one")
    out = tomlkit.document()
    out.add(tomlkit.comment("Drafted from the file alone: read it through, above all [target] and [[sensitive]]."))
    out.add("title", title)
    if delimiter is not None:
        out.add("delimiter", delimiter)
    gone = sorted({word for role in roles for word in role.column.gone})
    if gone:
        out.add("missing", gone)
    out.add("target", _target(target))
    left = [role for role in roles if role.part == "left out"]
    if left:
        out.add(tomlkit.nl())
        out.add(tomlkit.comment("Left out:"))
        for role in left:
            out.add(tomlkit.comment(f"{_one_line(role.column.name)}: {role.why}"))
    _add(out, "features", [_feature(role) for role in features])
    _add(out, "sensitive", [_sensitive(role) for role in roles if role.part == "sensitive"])
    return tomlkit.dumps(out)


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:100]


def _add(out: Any, name: str, tables: list[Any]) -> None:
    import tomlkit

    if tables:
        listed = tomlkit.aot()
        for table in tables:
            listed.append(table)
        out.add(name, listed)


def _target(role: Role) -> Any:
    import tomlkit

    table = tomlkit.table()
    table.add("column", role.column.name)
    bad = tomlkit.item(list(role.bad))
    if role.why:
        bad.comment(role.why)
    table.add("bad", bad)
    table.add("good", list(role.good))
    return table


def _feature(role: Role) -> Any:
    import tomlkit

    c = role.column
    table = tomlkit.table()
    table.comment(f"{_one_line(plain_name(c.name))}: {c.distinct} values, {c.missing / c.rows:.0%} missing")
    table.add("name", c.name)
    table.add("kind", c.kind)
    if context_of(c.name) != "financial":
        table.add("context", context_of(c.name))
    if c.kind == "number" and unit_of(c.name):
        table.add("unit", unit_of(c.name))
    if role.special:
        special = tomlkit.item([int(code) if code == int(code) else code for code in role.special])
        special.comment("codes, not amounts? each gets a bin of its own")
        table.add("special", special)
    return table


def _sensitive(role: Role) -> Any:
    import tomlkit

    c = role.column
    table = tomlkit.table()
    table.comment("sensitive by its name: for checks of fairness, not for the score")
    table.add("name", c.name)
    if role.bands:
        table.add("bands", list(role.bands))
    return table
