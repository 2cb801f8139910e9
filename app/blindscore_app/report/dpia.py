"""A data protection impact assessment of one design, filled from a ledger: one self-contained HTML file, in English.

Headings: CNIL, Privacy Impact Assessment, templates (February 2018 edition); ICO, sample DPIA template (version of
9 February 2018). Every figure is marked with the place in ``ledger.json`` where it stands (``data-from``), so that who
signs can hold it against the file. What no ledger can say (lawful basis, consultation, signatures) is left open and
named. No level of severity or likelihood is given: that is the controller's to judge.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from blindscore.errors import ParameterError
from blindscore.extras import needs
from blindscore.surveillance.frameworks import Norm, labels_of, norms
from blindscore.surveillance.ledger import ABSENT, BY_ROLE, CURIOUS, FALSE_SOURCE, PLAYED, REFUSES, Ledger, Row
from blindscore_app.report import figures

if TYPE_CHECKING:
    from markupsafe import Markup

PLACES = re.compile(r"[^.\[\]]+")  # of a path such as rows[3].advantage


@dataclass(frozen=True)
class Risk:
    """What one coalition can do with one capability: the row of the secret that it most certainly learns."""

    coalition: str
    capability: str
    question: str
    row: int  # its place in the ledger
    bound: int | None  # place of the row with the cell's largest bound; None = some secret has none
    adversaries: tuple[str, ...]  # against whom the bounds hold
    finding: str
    labels: Mapping[str, list[str]]


def render_dpia(ledger: Ledger, design: str) -> str:
    """Return the assessment of one design as HTML text.

    Raises
    ------
    ParameterError
        The ledger has no such design.
    """
    names = [row.design for row in ledger.designs]
    if design not in names:
        raise ParameterError(f"the ledger has no design {design[:40]!r}; --design takes one of {', '.join(names)}")
    with needs("review"):
        from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("blindscore_app.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    quote = Quote(ledger.to_dict())
    environment.globals |= {"fig": quote.figure, "said": quote.words, "name": quote.name, "bound": quote.bound}
    return environment.get_template("dpia.html.j2").render(_context(ledger, names.index(design)))


@dataclass(frozen=True)
class Quote:
    """Values of a ledger, each marked with where it stands in the file."""

    plain: Mapping[str, Any]

    def at(self, path: str) -> Any:
        """Return the value that stands at a path such as ``rows[3].advantage``."""
        found: Any = self.plain
        for place in PLACES.findall(path):
            found = found[int(place)] if isinstance(found, list) else found[place]
        return found

    def figure(self, path: str, places: int = 2) -> Markup:
        """Return a figure, with so many decimals where it is no whole number; "not stated" where there is none."""
        from markupsafe import Markup

        value = self.at(path)
        if value is None:
            return Markup("not stated")
        shown = f"{value:,}" if isinstance(value, int) else figures.fixed(value, places)
        return Markup('<data value="{}" data-from="{}">{}</data>').format(value, path, shown)

    def bound(self, path: str) -> Markup:
        """Return a bound, rounded up, never down."""
        from markupsafe import Markup

        value = self.at(path)
        shown = f"{figures.rounded_up(value):.2f}"
        return Markup('at most <data value="{}" data-from="{}" data-rounded="up">{}</data>').format(value, path, shown)

    def words(self, path: str) -> Markup:
        """Return a text of the ledger."""
        return self.name(path, str(self.at(path)))

    def name(self, path: str, text: str) -> Markup:
        """Return a name that stands somewhere under a path."""
        from markupsafe import Markup

        return Markup('<span data-from="{}">{}</span>').format(path, text)


def _context(ledger: Ledger, place: int) -> dict[str, Any]:
    design = ledger.designs[place]
    mine = [(k, row) for k, row in enumerate(ledger.rows) if row.design == design.design]
    risks = _risks(ledger, design.design, mine)
    others = [k for k in range(len(ledger.designs)) if k != place]
    reads = [_reads(ledger, k) for k in range(len(ledger.designs))]
    return {
        "d": f"designs[{place}]",
        "design": design,
        "synthetic": figures.is_synthetic(ledger),
        "optional": [key for key in ("seeds", "default_rate", "auxiliary_people") if ledger.meta.get(key) is not None],
        "seeds": range(len(ledger.meta.get("seeds", []))),
        "flows": _flows(ledger, place),
        "views": range(len(design.sees)),
        "reads": reads,
        "others": others,
        "known": figures.quality(ledger) is not None,
        "best": ledger.designs.index(figures.best_quality(ledger)),
        "left_out": sorted({context for k in others for context in reads[k]} - set(reads[place])),
        "groups": range(len(design.groups)),
        "crowds": design.crowds,
        "risks": risks,
        "working": [risk for risk in risks if risk.finding == "works"],
        "open": [risk for risk in risks if risk.finding in ("uncertain", "none found")],
        "gone": [risk for risk in risks if risk.finding == "removed"],
        "beyond": [(k, row) for k, row in mine if row.kind == PLAYED and row.adversary in (REFUSES, FALSE_SOURCE)],
        "by_role": [(k, row) for k, row in mine if row.kind == BY_ROLE],
        "absent": _lacking([(k, row) for k, row in mine if row.kind == ABSENT]),
        "outside": [(k, row) for k, row in enumerate(ledger.outside) if row.design == design.design],
        "equal": list({row.coalition: (k, row) for k, row in mine if row.same_as}.values()),
        "enforces": range(len(design.enforces)),
        "rules": range(len(design.rules)),
    }


def _risks(ledger: Ledger, design: str, mine: list[tuple[int, Row]]) -> list[Risk]:
    place = {id(row): k for k, row in mine}
    labels = {**labels_of(figures.capabilities(ledger)), **ledger.meta.get("frameworks", {})}
    words, found = figures.questions(ledger), []
    for coalition in dict.fromkeys(row.coalition for _, row in mine if not row.same_as):
        for capability in figures.capabilities(ledger):
            cell = figures.cell(ledger, design, coalition, capability)
            worst = figures.worst(ledger, design, coalition, capability)
            if worst is None:
                continue
            bounded = [row for row in cell if row.bound is not None]
            largest = max(bounded, key=lambda row: row.bound or 0.0) if len(bounded) == len(cell) else None
            found.append(
                Risk(
                    coalition=coalition,
                    capability=capability,
                    question=words.get(capability, ""),
                    row=place[id(worst)],
                    bound=None if largest is None else place[id(largest)],
                    adversaries=tuple(dict.fromkeys(row.adversary for row in bounded)) or (CURIOUS,),
                    finding=figures.finding(ledger, design, coalition, capability),
                    labels=labels[capability],
                )
            )
    return found


def _flows(ledger: Ledger, place: int) -> tuple[Norm, ...]:
    return norms(ledger.designs[place].sees, ledger.meta.get("sources", {}))


def _reads(ledger: Ledger, place: int) -> list[str]:
    """Parts of life of which any party reads something under a design."""
    return list(dict.fromkeys(context for view in ledger.designs[place].sees for context in view["contexts"]))


def _lacking(rows: list[tuple[int, Row]]) -> dict[tuple[str, str], list[int]]:
    """Rows of coalitions that lack the means, one a coalition, by capability and what is missing."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for k, row in rows:
        found.setdefault((row.capability, row.reason), {}).setdefault(row.coalition, k)
    return {key: list(places.values()) for key, places in found.items()}
