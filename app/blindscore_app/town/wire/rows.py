"""Rows: what campaigns on the wire found, as captured rows of ``intercept`` in the ledger.

A campaign says what the attackers of this package heard, and an interval of that. It bounds nobody else's attack, on
this link or another, so a row of it carries no bound and no mark, however low its upper end: "attack only".
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from blindscore.errors import DataError
from blindscore.surveillance.ledger import CAPTURED, Row

OBSERVER = "observer"
LONGEST = 1 << 24  # bytes of a file
STREET = "street"
SHUFFLED, PLANTED = "shuffled labels", "planted"  # the attackers' own controls: of no secret, of no defence
TOLD: Mapping[str, type | tuple[type, ...]] = {
    "design": str,
    "defence": str,
    "link": str,
    "secret": str,
    "at_once": str,
    "exchanges": int,
    "load": (int, float),
    "upper": (int, float),
}
HEARD: Mapping[str, type | tuple[type, ...]] = {"attack": str, "advantage": (int, float), "low": (int, float)}


def wire_rows(judged: Sequence[Mapping[str, Any]]) -> tuple[Row, ...]:
    """Return one row a campaign and secret: the attacker with the largest advantage, and the largest upper end of any.

    What was planted, or asked of shuffled labels, says what attackers hear and nothing of a design: it has no row.

    Parameters
    ----------
    judged
        As :meth:`~blindscore_app.town.wire.judge.Judged.as_dict` gives them.

    Raises
    ------
    DataError
        An entry lacks something, or says the impossible.
    """
    return tuple(_row(one) for one in judged if not _is_control(one))


def read_judged(path: Path) -> list[dict[str, Any]]:
    """Read what ``bench_wire.py judge --json`` printed.

    Raises
    ------
    DataError
        The file is absent, too large, or something else.
    """
    try:
        if path.stat().st_size > LONGEST:
            raise DataError(f"{path}: over {LONGEST} bytes; this is no judgement of campaigns")
        found = json.loads(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None
    except ValueError:
        raise DataError(f"{path}: not JSON; give what bench_wire.py judge --json prints") from None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise DataError(f"{path}: no list of judgements; give what bench_wire.py judge --json prints")
    return found


def _is_control(one: Mapping[str, Any]) -> bool:
    return one.get("secret") == SHUFFLED or PLANTED in str(one.get("defence"))


def _row(one: Mapping[str, Any]) -> Row:
    best = one.get("best")
    if not isinstance(best, Mapping) or not (_has(one, TOLD) and _has(best, HEARD)):
        raise DataError("a judgement lacks a key, or has one of another kind; judge the campaign again")
    if not -1.0 <= best["low"] <= best["advantage"] <= one["upper"] <= 1.0:
        raise DataError("a judgement's interval does not hold its advantage; judge the campaign again")
    where = f"{one['defence']}, {one['link']}, {one['at_once']} at once"
    design = one["design"]
    if design.startswith(STREET):  # several lenders, told from one of sealed
        design, where = "sealed", f"{design}, {where}"
    campaign = f"captured: {one['exchanges']} exchanges, machine's load {one['load']:.0f}"
    return Row(
        design,
        OBSERVER,
        "intercept",
        f"{one['secret']} ({where})",
        best["attack"],
        float(best["advantage"]),
        float(best["low"]),
        float(one["upper"]),
        control=0.0,
        reason=f"attack only: no campaign bounds what another attacker hears; {campaign}",
        kind=CAPTURED,
        basis="observed",
    )


def _has(one: Mapping[str, Any], wanted: Mapping[str, type | tuple[type, ...]]) -> bool:
    return all(isinstance(one.get(key), kind) and not isinstance(one[key], bool) for key, kind in wanted.items())
