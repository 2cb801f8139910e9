"""Read a ledger that somebody hands in, and refuse what no page could show."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_type_hints

from blindscore.errors import DataError
from blindscore.surveillance.ledger import DesignRow, Ledger, Row, load_ledger


def read_ledger(path: Path) -> Ledger:
    """Return the ledger of a file, each figure checked to be of its type and finite.

    Raises
    ------
    DataError
        The file cannot be read, is no ledger, has no design, or holds a value of the wrong type.
    """
    ledger = load_ledger(path)
    if not ledger.designs:
        raise DataError(f"{path}: the ledger has no design; run the frontier again")
    for name, kind, entries in (("designs", DesignRow, ledger.designs), ("rows", Row, ledger.rows)):
        hints = get_type_hints(kind)
        for k, entry in enumerate(entries):
            for key, hint in hints.items():
                if not _fits(getattr(entry, key), hint):
                    raise DataError(f"{path}: {name}[{k}].{key} is not {_words(hint)}; run the frontier again")
    known = {design.design for design in ledger.designs}
    stray = sorted({row.design for row in ledger.rows} - known)
    if stray:
        raise DataError(f"{path}: rows of designs that the ledger does not list: {', '.join(stray)}")
    return ledger


def _fits(value: Any, hint: Any) -> bool:
    text = str(hint)
    if value is None:
        return "None" in text
    if "Mapping[str, float]" in text:
        return isinstance(value, Mapping) and all(_finite(v) for v in value.values())
    if text.startswith("tuple"):
        inner = Mapping if "Mapping" in text else str
        return isinstance(value, tuple) and all(isinstance(v, inner) for v in value)
    if "Mapping" in text:
        return isinstance(value, Mapping)
    if hint is bool:
        return isinstance(value, bool)
    if "int" in text or "float" in text:
        return _finite(value)
    return isinstance(value, str)


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _words(hint: Any) -> str:
    return getattr(hint, "__name__", str(hint)).replace("collections.abc.", "").replace("typing.", "")
