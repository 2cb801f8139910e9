"""One file a submission: gzip of JSON, bounded before it is unpacked and checked before it is believed."""

from __future__ import annotations

import gzip
import hashlib
import importlib
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from blindscore.errors import DataError, ParameterError
from blindscore.surveillance.cache import code_fingerprint
from blindscore.surveillance.ledger import MAX_LEDGER_BYTES, Ledger
from blindscore_app.entry.system import describe, reference
from blindscore_app.report.checked import parse_checked
from blindscore_app.report.figures import is_synthetic

FORMAT = 1
MAX_PACKED, MAX_UNPACKED = 16 * 2**20, MAX_LEDGER_BYTES + 2**20
MAX_NAME = 60
NAME = r"^[\w][\w .+-]*$"
CLOSED, OPEN = "closed", "open"
CLOSED_PEOPLE, CLOSED_SEEDS = 20_000, 5
GROUPS = ("blindscore.designs", "blindscore.world", "blindscore.capabilities")
OWN = ("blindscore", "blindscore_crypto", "blindscore_app")

_TEXT, _NUMBER = {"type": "string", "maxLength": 200}, {"type": "number"}
SCHEMA: Mapping[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["format", "name", "division", "system", "reference", "code", "plugins", "ledger_sha256", "ledger"],
    "additionalProperties": False,
    "properties": {
        "format": {"const": FORMAT},
        "name": {"type": "string", "minLength": 1, "maxLength": MAX_NAME, "pattern": NAME},
        "division": {"enum": [CLOSED, OPEN]},
        "system": {
            "type": "object",
            "required": ["processor", "cores", "memory_gib", "kernel", "python", "libraries", "load_1min"],
            "additionalProperties": False,
            "properties": {
                "processor": _TEXT,
                "cores": {"type": "integer", "minimum": 1},
                "memory_gib": _NUMBER,
                "kernel": _TEXT,
                "python": _TEXT,
                "libraries": {"type": "object", "additionalProperties": _TEXT},
                "load_1min": _NUMBER,
            },
        },
        "reference": {
            "type": "object",
            "required": ["ed25519_verify_us", "memory_read_gb_per_s"],
            "additionalProperties": False,
            "properties": {
                "ed25519_verify_us": {"type": "number", "exclusiveMinimum": 0},
                "memory_read_gb_per_s": {"type": "number", "exclusiveMinimum": 0},
            },
        },
        "code": {"type": "object", "additionalProperties": _TEXT},
        "plugins": {"type": "object", "additionalProperties": _TEXT},
        "ledger_sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "ledger": {"type": "object"},
    },
}


@dataclass(frozen=True)
class Submission:
    """A ledger, and what is said of how it was measured."""

    name: str
    division: str  # closed or open
    system: Mapping[str, Any]  # see entry.system.describe
    reference: Mapping[str, float]  # see entry.system.reference
    code: Mapping[str, str]  # package -> SHA-256 of its sources
    plugins: Mapping[str, str]  # package that brought a design or an attack -> SHA-256 of its sources
    ledger: Ledger

    def to_bytes(self) -> bytes:
        """Return the file: the same submission, the same bytes."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)} | {"ledger": self.ledger.to_dict()}
        plain |= {"format": FORMAT, "ledger_sha256": _digest(plain["ledger"])}
        return gzip.compress(json.dumps(plain, sort_keys=True, allow_nan=False).encode(), mtime=0)


def pack(ledger: Ledger, name: str) -> Submission:
    """Return a submission of a ledger that this machine measured; takes a second or two for the reference.

    Raises
    ------
    ParameterError
        The name could not stand in a table.
    """
    if len(name) > MAX_NAME or not re.fullmatch(NAME, name):
        raise ParameterError(f"--name {name[:MAX_NAME]!r}: give up to {MAX_NAME} letters, digits, spaces, dots")
    division = CLOSED if is_closed(ledger) else OPEN
    code = {importlib.import_module(package).__name__: code_fingerprint(package) for package in OWN}
    return Submission(name, division, describe(), reference(), code, plugins(), ledger)


def is_closed(ledger: Ledger) -> bool:
    """Whether a ledger is of our society at full size, with marks put to as many seeds as by default."""
    meta = ledger.meta
    full = meta.get("people") == CLOSED_PEOPLE and len(meta.get("seeds", ())) >= CLOSED_SEEDS
    return is_synthetic(ledger) and bool(full)


def plugins() -> dict[str, str]:
    """Return the packages beyond our own that bring designs or attacks, with the fingerprint of their sources."""
    found = {}
    for group in GROUPS:
        for point in entry_points(group=group):
            package = point.module.partition(".")[0]
            if package not in OWN:
                point.load()
                found[package] = code_fingerprint(package)
    return dict(sorted(found.items()))


def read(path: Path) -> Submission:
    """Read a submission.

    Raises
    ------
    DataError
        It cannot be read, is too large packed or unpacked, is no submission, or its ledger is not the one that it says.
    """
    try:
        if path.stat().st_size > MAX_PACKED:
            raise DataError(f"{path}: over {MAX_PACKED} bytes; no submission is so large")
        with gzip.open(io.BytesIO(path.read_bytes())) as packed:
            text = packed.read(MAX_UNPACKED + 1)
        if len(text) > MAX_UNPACKED:
            raise DataError(f"{path}: unpacks to over {MAX_UNPACKED} bytes; no submission is so large")
        data = json.loads(text)
    except OSError as error:
        told = error.strerror or "it is no gzip file"
        raise DataError(f"{path}: cannot be read ({told}); give a file that `blindscore submit` wrote") from error
    except (EOFError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: no submission ({error}); give a file that `blindscore submit` wrote") from error
    try:
        return parse(data)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error


def parse(data: Any) -> Submission:
    """Return the submission of its plain form.

    Raises
    ------
    DataError
        It breaks the schema, or its ledger does.
    """
    import jsonschema

    error = next(jsonschema.Draft202012Validator(SCHEMA).iter_errors(data), None)
    if error is not None:
        place = ".".join(map(str, error.absolute_path)) or "the whole"
        raise DataError(f"{place} breaks the rule {error.validator!r} of submissions")
    if _digest(data["ledger"]) != data["ledger_sha256"]:
        raise DataError("its ledger is not the one that was packed; ask for the file again")
    kept = {f.name: data[f.name] for f in fields(Submission) if f.name != "ledger"}
    return Submission(**kept, ledger=parse_checked(data["ledger"]))


def _digest(ledger: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(ledger, sort_keys=True, allow_nan=False).encode()).hexdigest()
