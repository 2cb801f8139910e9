"""What tables, pictures and pages pick from a ledger: each rule of choice stands here once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from blindscore.errors import ParameterError
from blindscore.surveillance.ledger import FALSE_SOURCE, PLAYED, REFUSES, REMOVED, DesignRow, Ledger, Row
from blindscore_app.locale import _

SYNTHETIC = "synthetic society"
UNKNOWN = "–"  # in the place of a figure that nobody can know
NOTEWORTHY_CONTROL = 0.05  # public knowledge that achieves less is not shown beside an attack


def is_synthetic(ledger: Ledger) -> bool:
    """Say whether the people of the run are made up."""
    return bool(ledger.meta.get("synthetic", str(ledger.meta.get("population", "")).startswith(SYNTHETIC)))


def tried(ledger: Ledger) -> Ledger:
    """Return the ledger with the rows of attacks that were played, and without those of coalitions that lack the means.

    Tables and pictures are drawn from these; :func:`.sentences.not_tried` says what was left out.
    """
    return replace(ledger, rows=tuple(row for row in ledger.rows if row.kind == PLAYED))


def capabilities(ledger: Ledger) -> list[str]:
    """Names of the measured capabilities, in ledger order."""
    return ledger.names("capability")


def questions(ledger: Ledger) -> dict[str, str]:
    """What each capability does to people, in plain words, by name."""
    told = ledger.meta.get("questions", {})
    return {str(name): str(words) for name, words in told.items()} if isinstance(told, dict) else {}


def label(ledger: Ledger, column: str) -> str:
    """Return what a reader calls a column."""
    return _(str(_told(ledger, column).get("plain") or column.replace("_", " ")))


def unit(ledger: Ledger, column: str) -> str:
    """Return a column's unit; empty where none is stated."""
    return _(str(_told(ledger, column).get("unit", "")))


def _told(ledger: Ledger, column: str) -> Mapping[str, Any]:
    columns = ledger.meta.get("features")
    told = columns.get(column) if isinstance(columns, Mapping) else None
    return told if isinstance(told, Mapping) else {}


def coalitions(ledger: Ledger) -> list[str]:
    """Names of the measured coalitions, in ledger order."""
    return ledger.names("coalition")


def pooled(ledger: Ledger) -> list[str]:
    """Names of the coalitions in which several parties pool what they saw."""
    return [name for name in coalitions(ledger) if "+" in name or name == "all"]


def check_coalition(ledger: Ledger, name: str) -> None:
    """Raise :class:`ParameterError` unless the ledger has rows of this coalition."""
    if ledger.rows and name not in coalitions(ledger):
        raise ParameterError(f"no coalition is called {name!r}; this run measured {', '.join(coalitions(ledger))}")


def cell(ledger: Ledger, design: str, coalition: str, capability: str) -> list[Row]:
    """Return the rows that a table's cell stands for: attacks that were played, one a secret.

    Who refuses to serve and who vouches for false figures has no bound under any design, and a sentence of its own
    (:func:`.sentences.beyond_every_bound`).
    """
    rows = ledger.find(design=design, coalition=coalition, capability=capability)
    return [row for row in rows if row.kind == PLAYED and row.adversary not in (REFUSES, FALSE_SOURCE)]


def cell_bound(rows: Iterable[Row]) -> tuple[float, float] | None:
    """Return a cell's bound, on people like these and on exactly these: its secrets' largest, or None."""
    found = [(row.bound, row.bound if row.bound_these is None else row.bound_these) for row in rows]
    limits = [(alike, these) for alike, these in found if alike is not None and these is not None]
    if not found or len(limits) < len(found):
        return None
    return max(alike for alike, _ in limits), max(these for _, these in limits)


def worst(ledger: Ledger, design: str, coalition: str, capability: str) -> Row | None:
    """Return the row of the secret that this coalition most certainly learns, or None if nothing was measured.

    Chosen by what lies beyond public knowledge, at the interval's lower end: what everybody can infer is no harm of
    the design, and the largest of many noisy figures would be noise.
    """
    rows = cell(ledger, design, coalition, capability)
    return max(rows, key=lambda row: (row.beyond_public(row.low), row.low, row.advantage)) if rows else None


def drawn(ledger: Ledger, design: str, coalition: str, capability: str) -> Row | None:
    """Return the row that a chart shows of a cell, with the cell's bound: a tick beside it holds for every secret."""
    row = worst(ledger, design, coalition, capability)
    limit = cell_bound(cell(ledger, design, coalition, capability))
    return row and replace(row, bound=limit and limit[0], bound_these=limit and limit[1])


def comparable(ledger: Ledger, design: str, coalition: str, capability: str) -> Row | None:
    """Return this coalition's row of the secret that any coalition most certainly learns under a design.

    Figures of several coalitions side by side are of one secret: else two parties could seem to know more than all.
    """
    rows = ledger.find(design=design, coalition=coalition, capability=capability)
    most = max(
        (row for row in ledger.find(design=design, capability=capability)),
        key=lambda row: (row.beyond_public(row.low), row.low, row.advantage),
        default=None,
    )
    return next((row for row in rows if most is not None and row.secret == most.secret), None) or worst(
        ledger, design, coalition, capability
    )


def public_words(row: Row) -> str:
    """Say what public knowledge alone achieves, where that is worth saying; the control of ``repeat`` is another."""
    if row.capability == "repeat":  # its control is one application under the same design
        return ""
    if row.control is None or row.control < NOTEWORTHY_CONTROL:
        return ""
    return _("public {control}").format(control=f"{row.control:.2f}")


def is_removed(ledger: Ledger, design: str, coalition: str, capability: str) -> bool:
    """Say whether every secret of this capability carries the mark; see :mod:`blindscore.surveillance.marks`."""
    rows = cell(ledger, design, coalition, capability)
    return bool(rows) and all(row.removed for row in rows)


def removed(ledger: Ledger, design: str, coalition: str) -> list[str]:
    """Capabilities that this design takes from this coalition."""
    return [c for c in capabilities(ledger) if is_removed(ledger, design, coalition, c)]


def measured(ledger: Ledger, design: str, coalition: str) -> list[str]:
    """Capabilities that were measured for this design and coalition."""
    return [c for c in capabilities(ledger) if cell(ledger, design, coalition, c)]


def shown_capabilities(ledger: Ledger, coalition: str) -> list[str]:
    """Capabilities that this coalition tried under any design, in ledger order."""
    tried = {row.capability for row in ledger.find(coalition=coalition)}
    return [name for name in capabilities(ledger) if name in tried]


def other_coalitions(ledger: Ledger, coalition: str) -> list[str]:
    """Coalitions worth a second table: those that pool views, and those that alone try some capability."""
    missing = set(capabilities(ledger)) - set(shown_capabilities(ledger, coalition))
    alone = [n for n in coalitions(ledger) if missing & set(shown_capabilities(ledger, n))]
    own = {row.coalition for row in ledger.rows if not row.same_as}  # the others are named with what they equal
    return [n for n in coalitions(ledger) if n != coalition and n in own and (n in alone or n in pooled(ledger))]


def label_place(row: Row, width: float) -> float:
    """Where a label of some width may begin, in advantage: behind the interval, bound and control that stand there."""
    place = row.high
    for mark in sorted(m for m in (row.bound, row.control if public_words(row) else None) if m is not None):
        if place - 0.02 <= mark < place + width:
            place = mark
    return place


def best_quality(ledger: Ledger) -> DesignRow:
    """Return the design with the highest AUC."""
    return max(ledger.designs, key=lambda design: design.auc or 0.0)


def quality(ledger: Ledger) -> list[tuple[float, float, float]] | None:
    """Return AUC, its lower and its upper limit, a design each; None where no outcome is known."""
    found = [
        (design.auc, design.auc_low, design.auc_high)
        for design in ledger.designs
        if design.auc is not None and design.auc_low is not None and design.auc_high is not None
    ]
    return found if len(found) == len(ledger.designs) else None


def most_removing(ledger: Ledger, coalition: str) -> DesignRow:
    """Return the design that takes most capabilities from the coalition.

    Of equals, the one that leaves fewest working attacks to parties that pool what they saw; of these, the one that
    costs least AUC.
    """

    def rank(design: DesignRow) -> tuple[int, int, float]:
        found = [finding(ledger, design.design, name, c) for name in pooled(ledger) for c in capabilities(ledger)]
        return len(removed(ledger, design.design, coalition)), -found.count("works"), -(design.auc_loss or 0.0)

    return max(ledger.designs, key=rank)


def rounded_up(bound: float, places: int = 2) -> float:
    """Return a bound for reading: rounded up, never down, so that what is printed still holds."""
    step = 10**places
    ceiling: float = math.ceil(bound * step - 1e-9) / step
    return ceiling


def fixed(value: float, places: int = 2) -> str:
    """Return a number with so many decimals, and no minus before a zero."""
    text = f"{value:.{places}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def points(value: float | None) -> str:
    """Return a difference of AUC in points (hundredths), for reading; a dash where no outcome is known."""
    return UNKNOWN if value is None else fixed(100 * value, 1)


def finding(ledger: Ledger, design: str, coalition: str, capability: str) -> str:
    """Say in one word or two what was found of a capability.

    "removed" (every secret carries the mark), "works" (the attack beats chance and what the public
    register alone gives), "uncertain" (its interval reaches that), "none found" (interval under 0.05, but no bound
    excludes a better attack), "not measured".
    """
    row = worst(ledger, design, coalition, capability)
    if row is None:
        return "not measured"
    if is_removed(ledger, design, coalition, capability):
        return "removed"
    rows = cell(ledger, design, coalition, capability)
    if all(r.beyond_public(r.high) < REMOVED for r in rows):
        return "none found"
    return "works" if row.beyond_public(row.low) > 0 else "uncertain"


def quantity(value: float, units: tuple[str, ...], step: float = 1000.0) -> str:
    """Return a number with the unit that keeps it short; each unit is ``step`` times the one before."""
    for unit in units[:-1]:
        if abs(value) < step:
            return f"{value:.3g} {unit}" if value < 100 else f"{value:.0f} {unit}"
        value /= step
    return f"{value:.3g} {units[-1]}" if value < 100 else f"{value:.0f} {units[-1]}"


def time_words(design: DesignRow) -> str:
    """Return compute time a person over all roles; "-" where the design states none."""
    total = sum(design.us_per_person.values())
    return quantity(total, ("µs", "ms", "s")) if total else "-"


def bytes_words(design: DesignRow) -> str:
    """Return bytes a person, both directions; "-" where the design states none."""
    total = design.bytes_up + design.bytes_down
    return quantity(total, ("B", "kB", "MB", "GB")) if total else "-"


def runs_words(design: DesignRow) -> str:
    """Return how many real runs stand behind a row: "64/64 real runs agree", or "clear" without cryptography."""
    if not design.real_runs:
        return _("clear computation")
    return _("{agree}/{runs} real runs agree").format(agree=design.real_agree, runs=design.real_runs)
