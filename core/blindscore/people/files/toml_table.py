"""One table of a TOML file, read with checks that say where in the file something is wrong."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any

from blindscore.errors import SchemaError
from blindscore.people.files.cells import canonical

MAX_NAME = 200  # characters in a name or label


@dataclass(frozen=True)
class TomlTable:
    """One TOML table, read with checks; `where` is the file and `at` the place inside it."""

    where: str
    at: str
    values: dict[str, Any]

    def fail(self, what: str) -> SchemaError:
        """Return the error that says what is wrong here."""
        return SchemaError(f"{self.where}: {self.at or 'top level'}: {what}")

    def only(self, *keys: str) -> None:
        """Refuse keys that nobody asks for."""
        for key in self.values:
            if key not in keys:
                near = difflib.get_close_matches(key, keys, 1)
                hint = f"did you mean {near[0]!r}?" if near else f"allowed are {', '.join(keys)}"
                raise self.fail(f"unknown key {key[:MAX_NAME]!r}; {hint}")

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text; without a default it must be there."""
        value = self.values.get(key, default)
        if value is None:
            raise self.fail(f"key {key!r} is missing; add it")
        if not isinstance(value, str) or len(value) > MAX_NAME or (default is None and not value):
            raise self.fail(f"{key!r} must be a text of 1 to {MAX_NAME} characters")
        return value

    def texts(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """Return a list of texts or numbers, as texts; without a default it must be there."""
        value = self.values.get(key, default)
        if value is None:
            raise self.fail(f"key {key!r} is missing; add it")
        if not isinstance(value, list | tuple) or (default is None and not value):
            raise self.fail(f'{key!r} must be a list of texts or numbers, such as ["1"]')
        if any(not isinstance(v, str | int | float) for v in value):
            raise self.fail(f'{key!r} must be a list of texts or numbers, such as ["1"]')
        return tuple(canonical(str(v)) for v in value)

    def table(self, key: str) -> TomlTable | None:
        """Return the table of that name, if there is one."""
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self.fail(f"{key!r} must be a table: write [{key}]")
        return TomlTable(self.where, f"[{key}]", value)

    def tables(self, key: str) -> list[TomlTable]:
        """Return all tables of that name."""
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
            raise self.fail(f"{key!r} must be a list of tables: write [[{key}]]")
        return [TomlTable(self.where, f"[[{key}]] number {k}", v) for k, v in enumerate(value, 1)]
