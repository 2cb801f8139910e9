"""Write and read a card as JSON with its fingerprint; hostile files are refused before they are believed.

The file is the card's canonical form plus ``"fingerprint"``, the SHA-256 of that form. The fingerprint tells damage
and careless edits, not malice: whoever may rewrite the file may rewrite the fingerprint too, so a lender publishes it
elsewhere and :func:`load_card` takes the expected one.
"""

from __future__ import annotations

import hmac
import json
import os
from pathlib import Path
from typing import Any, NoReturn

from blindscore.errors import CardError
from blindscore.scorecard.card import MAX_BINS, MAX_CHARACTERISTICS, MAX_POINTS, Card, Characteristic, Scale
from blindscore.whole_files import write_whole

FORMAT_VERSION = 2
MAX_BYTES = 16 * 1024 * 1024  # a card with 4,096 features of 17 bins stays under it
_NAME = {"type": "string", "minLength": 1, "maxLength": 512}
_NUMBERS = {"type": "array", "items": {"type": "number"}, "maxItems": MAX_BINS + 1}

CARD_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": f"blindscore card, version {FORMAT_VERSION}",
    "type": "object",
    "additionalProperties": False,
    "required": ["format", "version", "scale", "base", "characteristics", "fingerprint"],
    "properties": {
        "format": {"const": "blindscore-card"},
        "version": {"const": FORMAT_VERSION},
        "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "base": {"type": "integer"},
        "scale": {
            "type": "object",
            "additionalProperties": False,
            "required": ["base_score", "base_odds", "pdo", "low", "high"],
            "properties": {
                "base_score": {"type": "number"},
                "base_odds": {"type": "number", "exclusiveMinimum": 0},
                "pdo": {"type": "number", "exclusiveMinimum": 0},
                "low": {"type": "integer"},
                "high": {"type": "integer"},
            },
        },
        "characteristics": {
            "type": "array",
            "minItems": 1,
            "maxItems": MAX_CHARACTERISTICS,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["feature", "edges", "groups", "points", "woe", "other"],
                "properties": {
                    "feature": _NAME,
                    "edges": _NUMBERS,
                    "groups": {
                        "type": ["array", "null"],
                        "maxItems": MAX_BINS,
                        "items": {"type": "array", "items": {"type": "string", "maxLength": 512}},
                    },
                    "points": {
                        "type": "array",
                        "minItems": 2,
                        "maxItems": MAX_BINS + 1,
                        "items": {"type": "integer", "minimum": -MAX_POINTS, "maximum": MAX_POINTS},
                    },
                    "woe": {"oneOf": [{"type": "null"}, _NUMBERS]},
                    # bin of categories that no group lists; null: they are refused
                    "other": {"type": ["integer", "null"], "minimum": 0, "maximum": MAX_BINS},
                },
            },
        },
    },
}


def card_to_json(card: Card) -> str:
    """Return the card as JSON text, fingerprint included."""
    return json.dumps({**card.to_dict(), "fingerprint": card.fingerprint}, indent=1, allow_nan=False) + "\n"


def card_from_json(text: str | bytes, *, where: str = "card", expected: str | None = None) -> Card:
    """Return the card that JSON text holds.

    Parameters
    ----------
    text : JSON, at most ``MAX_BYTES`` bytes
    where : what to call the text in messages, such as its file name
    expected : fingerprint known from elsewhere; the card must have it

    Raises
    ------
    CardError
        Too large, not JSON, not of the schema, inconsistent, or not the card that its fingerprint (or `expected`)
        names.
    """
    if len(text) > MAX_BYTES:
        raise CardError(f"{where}: larger than {MAX_BYTES} bytes; no scorecard is so large")
    try:
        plain = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_no_key_twice)
    except (ValueError, RecursionError) as error:
        raise CardError(f"{where}: not readable as JSON; give a file that `save_card` wrote") from error
    _check_schema(plain, where)
    try:
        card = _from_dict(plain)
    except CardError as error:
        raise CardError(f"{where}: {error}") from error
    except (OverflowError, TypeError) as error:
        raise CardError(f"{where}: a number outside its range") from error
    if not hmac.compare_digest(card.fingerprint, plain["fingerprint"]):
        raise CardError(f"{where}: content does not match its fingerprint; the file was damaged or changed")
    if expected is not None and not hmac.compare_digest(card.fingerprint.encode(), expected.encode()):
        raise CardError(f"{where}: a sound card, but not the expected one (its fingerprint differs)")
    return card


def save_card(card: Card, path: str | os.PathLike[str]) -> None:
    """Write the card as JSON, whole or not at all (temporary file, then rename)."""
    write_whole(Path(path), card_to_json(card).encode())


def load_card(path: str | os.PathLike[str], *, expected: str | None = None) -> Card:
    """Read a card from a JSON file; see :func:`card_from_json` for what is refused.

    Raises
    ------
    CardError
        Also where the file cannot be opened.
    """
    try:
        with open(path, "rb") as file:
            text = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise CardError(f"{path}: cannot be read ({error.strerror or type(error).__name__})") from error
    return card_from_json(text, where=str(path), expected=expected)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    if len(plain) != len(pairs):
        raise ValueError("a key occurs twice")
    return plain


def _check_schema(plain: Any, where: str) -> None:
    import jsonschema  # slow to import, and only files need it

    if isinstance(plain, dict) and plain.get("format") == "blindscore-card" and plain.get("version") != FORMAT_VERSION:
        raise CardError(f"{where}: another version of the card format; this release reads version {FORMAT_VERSION}")
    error = next(jsonschema.Draft202012Validator(CARD_SCHEMA).iter_errors(plain), None)
    if error is not None:
        place = "/".join(str(part) for part in error.absolute_path) or "top level"
        raise CardError(f"{where}: not a scorecard: {place} breaks the rule {error.validator!r}")


def _from_dict(plain: dict[str, Any]) -> Card:
    scale = plain["scale"]
    return Card(
        characteristics=tuple(
            Characteristic(
                feature=c["feature"],
                points=tuple(_whole(p) for p in c["points"]),
                edges=tuple(float(e) for e in c["edges"]),
                groups=None if c["groups"] is None else tuple(tuple(g) for g in c["groups"]),
                woe=None if c["woe"] is None else tuple(float(w) for w in c["woe"]),
                other=None if c["other"] is None else _whole(c["other"]),
            )
            for c in plain["characteristics"]
        ),
        base=_whole(plain["base"]),
        scale=Scale(
            float(scale["base_score"]),
            float(scale["base_odds"]),
            float(scale["pdo"]),
            _whole(scale["low"]),
            _whole(scale["high"]),
        ),
    )


def _whole(number: int | float) -> int:
    """JSON schema calls 3.0 an integer; so does this."""
    return int(number)
