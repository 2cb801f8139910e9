"""Captured rows as a Markdown table: what orders found in the files of parties that ran, and taps on their lines.

One line a design that was run as a town. A row counts a few people, or some thousand exchanges; it bounds nobody's
other attack and carries no mark.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from blindscore.surveillance.ledger import Ledger, Row
from blindscore_app.report.figures import fixed, rounded_up
from blindscore_app.report.markdown import plain

ORDERED = ("lender", "helper", "auditor", "source")
LINKS = ("lan", "dsl", "mobile")
UNDEFENDED = ("none", "equal work", "schedule alone")  # the decision is the reply: what the others are compared with
_DECISION = re.compile(r"decision \((?P<defence>.+), (?P<link>\w+), (?P<lines>[\w ]+) at once\)")


def captured_table(ledger: Ledger) -> str:
    """Return one line a design: who an order on each party exposes, and what an observer of a line reads of decisions.

    Of several campaigns on one link the one with the highest upper end is shown.
    """
    head = [
        *(f"files of its {role}" for role in ORDERED),
        *(f"line, {link}" for link in LINKS),
        "line where the reply is the decision",
    ]
    lines = [f"| design | {' | '.join(head)} |", f"|{'---|' * (len(head) + 1)}"]
    for design in dict.fromkeys(row.design for row in ledger.captured):
        own = [row for row in ledger.captured if row.design == design]
        orders = [_worst(r for r in own if r.capability == "disclose" and r.coalition == role) for role in ORDERED]
        heard = [(found, row) for row in own if (found := _DECISION.fullmatch(row.secret))]
        guarded = [
            _worst(row for found, row in heard if found["link"] == link and found["defence"] not in UNDEFENDED)
            for link in LINKS
        ]
        control = _worst(row for found, row in heard if found["defence"] in UNDEFENDED)
        cells = [_words(row) for row in (*orders, *guarded, control)]
        lines.append(f"| `{plain(design)}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def _worst(rows: Iterable[Row]) -> Row | None:
    return max(rows, key=lambda row: row.high, default=None)


def _words(row: Row | None) -> str:
    if row is None:
        return "·"
    return f"{fixed(row.advantage)} [{fixed(row.low)}, {rounded_up(row.high):.2f}]"
