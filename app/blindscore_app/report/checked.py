"""Read a ledger that somebody hands in, and refuse what no page could show."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_type_hints

from blindscore.errors import DataError
from blindscore.scorecard.reasons import REASONS
from blindscore.surveillance.account.one_person import NO_REASON
from blindscore.surveillance.ledger import FORMAT, DesignRow, Ledger, Row, load_ledger, parse_ledger

_TEXT, _NUMBER, _TRUTH = {"type": "string"}, {"type": "number"}, {"type": "boolean"}
_TEXTS = {"type": "array", "items": _TEXT}
_NUMBERS = {"type": "array", "items": _NUMBER, "minItems": 1}
_SHARE = {"type": ["number", "null"]}


def _record(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


# The parts of a ledger that its dataclasses leave open.
SEES = _record(
    role=_TEXT,
    party=_TEXT,
    keyed_by=_TEXT,
    fields=_TEXTS,
    contexts=_TEXTS,
    stored=_TEXTS,
    friends=_TRUTH,
    visits=_TRUTH,
    opaque_bytes={"type": "integer"},
    record={"type": "object", "additionalProperties": _TEXT},
    wire=_TEXT,
    wire_bytes={"type": "integer", "minimum": 0},
)
SEES["properties"]["keep_days"] = {  # ledgers of before lack it
    "type": "object",
    "additionalProperties": {"type": "integer", "minimum": 0},
}
GROUP = _record(
    by=_TEXT,
    group=_TEXT,
    people={"type": "integer"},
    **{
        f"{name}{end}": _SHARE for name in ("approved", "good_refused", "bad_approved") for end in ("", "_low", "_high")
    },
)
CROWDS = _record(
    role=_TEXT,
    keyed_by=_TEXT,
    columns=_NUMBER,
    people=_NUMBER,
    crowds=_NUMBER,
    smallest=_NUMBER,
    alone=_NUMBER,
    few=_NUMBER,
    secrets={"type": "array", "items": _record(secret=_TEXT, least=_NUMBER, told=_NUMBER)},
)
RULE = _record(text=_TEXT, status=_TEXT, source=_TEXT)
PART = _record(feature=_TEXT, slider={"type": ["string", "null"]}, best=_NUMBER, bins=_TEXTS, points=_NUMBERS)
PERSON = _record(
    threshold=_NUMBER,
    low=_NUMBER,
    high=_NUMBER,
    base=_NUMBER,
    parts={"type": "array", "items": PART},
    scores=_TEXT,
    reasons=_TEXT,
)
SLIDER = _record(
    feature=_TEXT,
    context=_TEXT,
    unit=_TEXT,
    positions=_NUMBERS,
    start={"type": "integer", "minimum": 0},
    along=_TEXTS,
)
META = {
    "type": "object",
    "required": ["version", "seed", "people", "population", "command"],
    "properties": {
        "version": _TEXT,
        "seed": {"type": "integer"},
        "people": {"type": "integer"},
        "population": _TEXT,
        "command": _TEXT,
        "person": {"type": "object", "properties": {"sliders": {"type": "array", "items": SLIDER}}},
    },
}


def read_ledger(path: Path) -> Ledger:
    """Return the ledger of a file, each figure checked to be of its type and finite.

    Raises
    ------
    DataError
        The file cannot be read, is no ledger, has no design, or holds a value of the wrong type.
    """
    ledger = load_ledger(path)
    try:
        return _checked(ledger)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error


def parse_checked(data: Any) -> Ledger:
    """Return the ledger of its plain form, checked as :func:`read_ledger` does.

    Raises
    ------
    DataError
        As there.
    """
    return _checked(parse_ledger(data))


def _checked(ledger: Ledger) -> Ledger:
    if not ledger.designs:
        raise DataError("the ledger has no design; run the frontier again")
    rows = {"rows": ledger.rows, "outside": ledger.outside, "captured": ledger.captured}
    parts = (("designs", DesignRow, ledger.designs), *((name, Row, entries) for name, entries in rows.items()))
    for name, kind, entries in parts:
        hints = get_type_hints(kind)
        for k, entry in enumerate(entries):
            for key, hint in hints.items():
                if not _fits(getattr(entry, key), hint):
                    raise DataError(f"{name}[{k}].{key} is not {_words(hint)}; run the frontier again")
    known = {design.design for design in ledger.designs}
    stray = sorted({row.design for entries in rows.values() for row in entries} - known)
    if stray:
        raise DataError(f"rows of designs that the ledger does not list: {', '.join(stray)}")
    if len(known) < len(ledger.designs):
        raise DataError("the ledger lists a design twice; run the frontier again")
    _check_open_parts(ledger)
    return ledger


def _check_open_parts(ledger: Ledger) -> None:
    plain = ledger.to_dict()
    _check("meta", plain["meta"], META)
    sliders = plain["meta"].get("person", {}).get("sliders", [])
    for k, slider in enumerate(sliders):
        if slider["start"] >= len(slider["positions"]):
            raise DataError(f"meta.person.sliders[{k}].start is beyond its positions; run the frontier again")
    combinations = math.prod(len(slider["positions"]) for slider in sliders)
    for k, design in enumerate(plain["designs"]):
        for key, schema in (("sees", SEES), ("groups", GROUP), ("crowds", CROWDS), ("rules", RULE)):
            _check(f"designs[{k}].{key}", design[key], {"type": "array", "items": schema})
        person = design["person"]
        if person:
            _check(f"designs[{k}].person", person, PERSON)
            _check_person(f"designs[{k}].person", person, sliders, combinations)


def _check(where: str, value: Any, schema: Mapping[str, Any]) -> None:
    import jsonschema

    error = next(jsonschema.Draft202012Validator(schema).iter_errors(value), None)
    if error is not None:
        place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
        raise DataError(f"{where}{place} breaks the rule {error.validator!r}; run the frontier again")


def _check_person(where: str, person: Mapping[str, Any], sliders: list[dict[str, Any]], combinations: int) -> None:
    positions = {slider["feature"]: len(slider["positions"]) for slider in sliders}
    for part in person["parts"]:
        settings = positions.get(part["slider"], 0) if part["slider"] is not None else 1
        if not len(part["points"]) == len(part["bins"]) == settings:
            raise DataError(f"{where}: points of {part['feature']!r} do not fit the sliders; run the frontier again")
    scores, reasons = (_bytes(f"{where}.{key}", person[key]) for key in ("scores", "reasons"))
    for key, found, each in (("scores", scores, 2), ("reasons", reasons, REASONS)):
        if len(found) != each * combinations:
            raise DataError(f"{where}.{key}: {len(found)} bytes do not fit the sliders; run the frontier again")
    if any(place != NO_REASON and place >= len(person["parts"]) for place in reasons):
        raise DataError(f"{where}.reasons: a part that is not there; run the frontier again")


def _bytes(where: str, text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise DataError(f"{where}: not base64; run the frontier again") from error


def ledger_schema() -> dict[str, Any]:
    """Return the JSON Schema of a ledger file of this format, as it stands in ``docs/ledger.schema.json``."""
    open_parts = {"sees": SEES, "groups": GROUP, "crowds": CROWDS, "rules": RULE}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"blindscore ledger, format {FORMAT}",
        "type": "object",
        "required": ["format", "meta", "designs", "rows"],
        "properties": {
            "format": {"const": FORMAT},
            "meta": META,
            "designs": {"type": "array", "minItems": 1, "items": _of_kind(DesignRow, open_parts)},
            "rows": {"type": "array", "items": _of_kind(Row, {})},
            "outside": {"type": "array", "items": _of_kind(Row, {})},
            "captured": {"type": "array", "items": _of_kind(Row, {})},
        },
    }


def _of_kind(kind: Any, open_parts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of a dataclass by the hints that :func:`read_ledger` holds its values to."""
    properties = {}
    for key, hint in get_type_hints(kind).items():
        found: dict[str, Any] = {"type": "object"} if "Mapping" in str(hint) else _TEXT
        if "Mapping[str, float]" in str(hint):
            found = {"type": "object", "additionalProperties": _NUMBER}
        elif str(hint).startswith("tuple"):
            found = {"type": "array", "items": open_parts.get(key, _TEXT)}
        elif hint is bool:
            found = _TRUTH
        elif "int" in str(hint) or "float" in str(hint):
            found = _SHARE if "None" in str(hint) else _NUMBER
        properties[key.replace("0_001", "0.001")] = found
    return {"type": "object", "required": list(properties), "properties": properties}


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
