"""The report page: one self-contained HTML file drawn from one ledger.

Nothing is fetched when it is opened, and every value of the ledger is escaped: names of columns come from strangers'
files.
"""

from __future__ import annotations

import base64
from functools import cache
from typing import TYPE_CHECKING, Any

from blindscore.surveillance.ledger import DesignRow, Ledger, Row
from blindscore_app.report import figures
from blindscore_app.report.picture import draw_frontier

if TYPE_CHECKING:
    from jinja2 import Environment

STATUS_WORDS = {
    "documented": "documented: an official text or page says so",
    "reported": "reported: press or scholars say so",
    "article only": "article only: one article fears it; no evidence that it is done",
    "recalled": "recalled: from memory, not yet checked",
    "modelled": "modelled: our own assumption",
}


def render_page(ledger: Ledger, coalition: str = "scorer") -> str:
    """Return the whole page as HTML text.

    Raises
    ------
    ParameterError
        The ledger has no rows of this coalition.
    """
    figures.check_coalition(ledger, coalition)
    picture = base64.b64encode(draw_frontier(ledger, coalition)).decode()
    return _environment().get_template("page.html.j2").render(_context(ledger, coalition), picture=picture)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("blindscore_app.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "share": lambda value: f"{value:.2f}",
        "auc": lambda value: f"{value:.3f}",
        "points": figures.points,
        "bound": lambda value: f"{figures.rounded_up(value):.2f}",
    }
    return environment


def _context(ledger: Ledger, coalition: str) -> dict[str, Any]:
    names = figures.capabilities(ledger)
    return {
        "ledger": ledger,
        "meta": ledger.meta,
        "coalition": coalition,
        "capabilities": names,
        "synthetic": figures.is_synthetic(ledger),
        "headline": figures.headline(ledger, coalition),
        "what_stays": figures.what_stays(ledger, coalition),
        "not_shown": figures.not_shown(ledger),
        "designs": [_design(ledger, design, coalition, names) for design in ledger.designs],
        "by_coalition": [(name, ledger.find(coalition=name)) for name in figures.coalitions(ledger)],
        "orders": [row for row in ledger.rows if row.people_exposed is not None],
        "rules": [(design.design, rule) for design in ledger.designs for rule in design.rules],
        "status_words": STATUS_WORDS,
    }


def _design(ledger: Ledger, design: DesignRow, coalition: str, names: list[str]) -> dict[str, Any]:
    """Everything that the page says of one design."""
    cells: list[tuple[str, Row | None, bool]] = [
        (
            name,
            figures.worst(ledger, design.design, coalition, name),
            figures.is_removed(ledger, design.design, coalition, name),
        )
        for name in names
    ]
    return {
        "row": design,
        "cells": cells,
        "time": figures.time_words(design),
        "bytes": figures.bytes_words(design),
        "runs": figures.runs_words(design),
    }
