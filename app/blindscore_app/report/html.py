"""The report page: one self-contained HTML file drawn from one ledger.

Nothing is fetched when it is opened, its only script is allowed by hash, and every value of the ledger is escaped:
names of columns come from strangers' files.
"""

from __future__ import annotations

import base64
import hashlib
import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from blindscore.extras import needs
from blindscore.surveillance.ledger import PLAYED, DesignRow, Ledger
from blindscore_app.report import charts, figures

if TYPE_CHECKING:
    from jinja2 import Environment

STATUS_WORDS = {
    "documented": "documented: an official text or page says so",
    "reported": "reported: press or scholars say so",
    "article only": "article only: one article fears it; no evidence that it is done",
    "recalled": "recalled: from memory, not yet checked",
    "modelled": "modelled: our own assumption",
}
CELL_WORDS = {"works": "yes", "uncertain": "unclear"}
CONTENTS = (
    ("sees", "Who sees what"),
    ("order", "Serve an order"),
    ("frontier", "The frontier"),
    ("person", "One person"),
    ("groups", "Who loses"),
    ("limits", "What this does not show"),
    ("law", "Law crosswalk"),
    ("rules", "Rules and sources"),
    ("again", "Get these figures again"),
)
CONTEXT_ORDER = ("register", "financial", "shopping", "browsing", "posts", "social", "device", "decision")
CHARTED_GROUPS = 3  # groups of one column that a chart can tell apart


def render_page(ledger: Ledger, coalition: str = "scorer", *, live: bool = False) -> str:
    """Return the whole page as HTML text; with ``live``, it asks the explorer that serves it for scores.

    Raises
    ------
    ParameterError
        The ledger has no rows of this coalition.
    """
    figures.check_coalition(ledger, coalition)
    scripts = [_resource(f"templates/{name}.js") for name in (("page", "live") if live else ("page",))]
    digests = " ".join(f"'sha256-{_digest(script)}'" for script in scripts)
    connect = "; connect-src 'self'" if live else ""
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src {digests}{connect}"
    template = _environment().get_template("page.html.j2")
    return template.render(_context(ledger, coalition), scripts=scripts, policy=policy, live=live)


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _resource(name: str) -> str:
    return files("blindscore_app.report").joinpath(name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    with needs("review"):
        from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("blindscore_app.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "share": figures.fixed,
        "auc": lambda value: f"{value:.3f}",
        "bits": lambda value: f"{value:.1f}",
        "points": figures.points,
        "bound": lambda value: f"{figures.rounded_up(value):.2f}",
        "quantity": lambda value: f"{value:.3g}",
        "duration": lambda value: figures.quantity(value, ("µs", "ms", "s")),
    }
    return environment


def _context(ledger: Ledger, coalition: str) -> dict[str, Any]:
    with needs("review"):
        from markupsafe import Markup

    whole, ledger = ledger, figures.tried(ledger)
    names = figures.coalitions(ledger) or [coalition]
    numbered = [(k, row) for k, row in enumerate(whole.rows) if row.kind == PLAYED]
    return {
        "plain": _for_script(ledger),
        "meta": ledger.meta,
        "coalition": coalition,
        "capabilities": figures.shown_capabilities(ledger, coalition),
        "words_of": figures.questions(ledger),
        "synthetic": figures.is_synthetic(ledger),
        "contents": CONTENTS,
        "headline": figures.headline(ledger, coalition),
        "weak_spot": figures.weak_spot(ledger, coalition),
        "not_shown": figures.not_shown(whole),
        "failing": figures.failing(ledger, coalition),
        "designs": [_design(ledger, design, coalition) for design in ledger.designs],
        "contexts": _contexts(ledger),
        "quality": Markup(charts.quality_panel(ledger)),
        "panels": {name: _panels(ledger, name) for name in names},
        "rows_of": {name: [(k, row) for k, row in numbered if row.coalition == name] for name in names},
        "orders": [row for row in ledger.rows if row.people_exposed is not None],
        "order_coalitions": list(dict.fromkeys(r.coalition for r in ledger.rows if r.people_exposed is not None)),
        "sliders": ledger.meta.get("person", {}).get("sliders", []),
        "groups": _groups(ledger),
        "rules": [(design.design, rule) for design in ledger.designs for rule in design.rules],
        "status_words": STATUS_WORDS,
        "laws": tomllib.loads(_resource("law.toml"))["entry"],
    }


def _for_script(ledger: Ledger) -> dict[str, Any]:
    """Return what the page's script looks up: orders and what they give away, the person, and the logs."""
    plain = ledger.to_dict()
    kept = ("design", "coalition", "capability", "secret", "advantage", "low", "high", "control", "bound", "reason")
    return {
        "meta": {"people": plain["meta"]["people"], "person": plain["meta"].get("person", {})},
        "designs": [
            {
                "design": design["design"],
                "person": design["person"],
                "sees": [
                    {key: view[key] for key in ("role", "stored", "opaque_bytes", "record")} for view in design["sees"]
                ],
            }
            for design in plain["designs"]
        ],
        "rows": [
            {key: row[key] for key in (*kept, "people_exposed")}
            for row in plain["rows"]
            if row["capability"] in ("disclose", "profile", "link")
        ],
    }


def _design(ledger: Ledger, design: DesignRow, coalition: str) -> dict[str, Any]:
    """Everything that the page says of one design, apart from its charts."""
    cells = []
    for name in figures.shown_capabilities(ledger, coalition):
        found = figures.finding(ledger, design.design, coalition, name)
        row = figures.worst(ledger, design.design, coalition, name)
        number = "" if row is None else figures.fixed(row.advantage)
        cells.append({"finding": found, "words": CELL_WORDS.get(found, found), "number": number})
    return {"row": design, "cells": cells, "runs": figures.runs_words(design)}


def _contexts(ledger: Ledger) -> list[str]:
    """Parts of life that any party reads under any design, the usual ones first."""
    seen = dict.fromkeys(c for design in ledger.designs for view in design.sees for c in view["contexts"])
    return [c for c in CONTEXT_ORDER if c in seen] + [c for c in seen if c not in CONTEXT_ORDER]


def _panels(ledger: Ledger, coalition: str) -> list[dict[str, Any]]:
    with needs("review"):
        from markupsafe import Markup

    return [
        {
            "name": name,
            "words": figures.questions(ledger).get(name, ""),
            "svg": Markup(charts.capability_panel(ledger, coalition, name)),
        }
        for name in figures.capabilities(ledger)
        if ledger.find(coalition=coalition, capability=name)
    ]


def _groups(ledger: Ledger) -> list[dict[str, Any]]:
    with needs("review"):
        from markupsafe import Markup

    found = []
    for by in dict.fromkeys(g["by"] for design in ledger.designs for g in design.groups):
        rows = [(design.design, g) for design in ledger.designs for g in design.groups if g["by"] == by]
        names = {g["group"] for _, g in rows}
        told = not any(name.isdigit() for name in names)  # a bare code in a legend tells a reader nothing
        charted = told and len(names) <= CHARTED_GROUPS and any(g["good_refused"] for _, g in rows)
        svg = Markup(charts.groups_panel(ledger, by)) if charted else ""
        found.append({"by": by, "rows": rows, "svg": svg})
    return found
