"""What tables, pictures and pages pick from a ledger: each rule of choice stands here once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from blindscore.designs.design import NO_CONDUCT
from blindscore.errors import ParameterError
from blindscore.people.population import FINANCIAL
from blindscore.surveillance.ledger import (
    ABSENT,
    BY_ROLE,
    FALSE_SOURCE,
    PLAYED,
    REFUSES,
    REMOVED,
    DesignRow,
    Ledger,
    Row,
)
from blindscore_app.locale import _

SYNTHETIC = "synthetic society"
INSIDE = {FINANCIAL, "register", "decision"}  # contexts that are no conduct outside finance
UNKNOWN = "–"  # in the place of a figure that nobody can know
NOTEWORTHY_CONTROL = 0.05  # public knowledge that achieves less is not shown beside an attack


def is_synthetic(ledger: Ledger) -> bool:
    """Say whether the people of the run are made up."""
    return bool(ledger.meta.get("synthetic", str(ledger.meta.get("population", "")).startswith(SYNTHETIC)))


def _in_order(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def tried(ledger: Ledger) -> Ledger:
    """Return the ledger with the rows of attacks that were played, and without those of coalitions that lack the means.

    Tables and pictures are drawn from these; :func:`not_tried` says what was left out.
    """
    return replace(ledger, rows=tuple(row for row in ledger.rows if row.kind == PLAYED))


def not_tried(ledger: Ledger) -> str:
    """Say how many rows no attack stands behind, and where to find them; empty if there is none."""
    absent = sum(row.kind == ABSENT for row in ledger.rows)
    told = sum(row.kind == BY_ROLE for row in ledger.rows)
    if not absent + told:
        return ""
    return _(
        "{all} rows more stand in ledger.csv and in no table: {absent} of coalitions that lack the means of an attack, "
        "with what is missing, and {told} of coalitions that the design itself tells the decision."
    ).format(all=absent + told, absent=absent, told=told)


def capabilities(ledger: Ledger) -> list[str]:
    """Names of the measured capabilities, in ledger order."""
    return _in_order(row.capability for row in ledger.rows)


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
    return _in_order(row.coalition for row in ledger.rows)


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
    (:func:`beyond_every_bound`).
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


def adversaries(ledger: Ledger) -> str:
    """Say against whom the bounds of each capability hold."""
    held: dict[str, list[str]] = {}
    for row in ledger.rows:
        names = held.setdefault(row.adversary, [])
        if row.kind == PLAYED and row.bound is not None and row.capability not in names:
            names.append(row.capability)
    said = [f"{', '.join(names)}: who is {adversary}" for adversary, names in held.items() if names]
    return f"Against whom bounds hold. {'; '.join(said)}. Against others none is claimed." if said else ""


def beyond_every_bound(ledger: Ledger) -> list[str]:
    """Say what no design of the run keeps: who does not answer, and a source that lies."""
    said = []
    for adversary, who in ((REFUSES, "Who does not answer"), (FALSE_SOURCE, "A source that vouches for false figures")):
        rows = [row for row in ledger.rows if row.kind == PLAYED and row.adversary == adversary]
        if rows:
            least, most = min(row.advantage for row in rows), max(row.advantage for row in rows)
            said.append(
                f"{who} refuses a person under every design, and no bound holds ({adversary}): "
                f"{fixed(least)} to {fixed(most)} of those whom the score approves."
            )
    return said


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
    tried = {row.capability for row in ledger.rows if row.coalition == coalition}
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


def notes(ledger: Ledger) -> list[str]:
    """Say what these people do not let one conclude: the mild society, no outcome, and designs that were skipped."""
    said = []
    if ledger.meta.get("population") == SYNTHETIC:
        said.append(
            _(
                "In this society money tells nothing of people's secrets, by construction: that a score tells little "
                "of them is an input, no finding. Where groups differ as published (`--society disparate`) a yes or "
                "no tells more; of the two take the worse."
            )
        )
    if ledger.meta.get("outcome") == "stand-in":
        said.append(
            _(
                "No outcome is known of these people: credit quality and the attack on who taught the card are not "
                "measured, and score and decision follow a stand-in (what people's figures have in common), which says "
                "how nobody pays."
            )
        )
    said += [
        _("Not run on these people: {design} ({reason})").format(design=one["design"], reason=one["reason"])
        for one in ledger.meta.get("skipped", [])
    ]
    return said


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


def loss_words(design: DesignRow) -> str:
    """Return the loss of AUC with its interval, in points."""
    return _("{loss} points of AUC [{low} to {high}]").format(
        loss=points(design.auc_loss), low=points(design.auc_loss_low), high=points(design.auc_loss_high)
    )


def headline(ledger: Ledger, coalition: str) -> str:
    """Say in one sentence what the strongest design of this run costs and removes, from the figures alone."""
    top, best = most_removing(ledger, coalition), best_quality(ledger)
    gone, of = removed(ledger, top.design, coalition), measured(ledger, top.design, coalition)
    if not gone:
        return _("No design of this run removes any of the {n} measured capabilities of the {coalition}.").format(
            n=len(of), coalition=coalition
        )
    if top.auc is None:
        cost = _("says nothing of credit quality here, since no outcome is known")
    elif top.design == best.design:
        cost = _("has the best credit quality of this run")
    else:
        cost = _("costs {loss} against {best}").format(loss=loss_words(top), best=best.design)
    outside = _("leaves out everything outside finance, ") if _leaves_out(ledger, top) else ""
    return _(
        "{design} {outside}{cost}, and removes {gone} of {measured} measured capabilities of the {coalition} ({named})."
    ).format(
        design=top.design,
        outside=outside,
        cost=cost,
        gone=len(gone),
        measured=len(of),
        coalition=coalition,
        named=", ".join(gone),
    )


def _leaves_out(ledger: Ledger, design: DesignRow) -> bool:
    """Say whether a design leaves out what some design of this run reads; with financial columns alone none does."""
    read = {context for other in ledger.designs for view in other.sees for context in view["contexts"]}
    return NO_CONDUCT in design.enforces and bool(read - INSIDE)


def weak_spot(ledger: Ledger, coalition: str) -> str:
    """Say in one sentence which parties, pooling their views, undo most of the headline; empty if none does.

    A party alone that merely keeps its own records is no such case: only coalitions of several are looked at.
    """
    top = most_removing(ledger, coalition).design
    own = len(removed(ledger, top, coalition))
    others = [name for name in pooled(ledger) if name != coalition and measured(ledger, top, name)]
    if not others:
        return ""
    weakest = min(others, key=lambda name: len(removed(ledger, top, name)))
    gone, of = removed(ledger, top, weakest), measured(ledger, top, weakest)
    if len(gone) >= own:
        return ""
    works = [_named(ledger, top, weakest, c, "works") for c in of if finding(ledger, top, weakest, c) == "works"]
    left = (
        _("attacks work for {named}").format(named=", ".join(works))
        if works
        else _("of the rest no attack works, but none is excluded")
    )
    who = _("all parties") if weakest == "all" else weakest.replace("+", _(" and "))
    return _("Where {who} pool what they saw, {design} removes {gone} of {measured}; {left}.").format(
        who=who, design=top, gone=len(gone), measured=len(of), left=left
    )


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


FINDINGS = {
    "works": "can still",
    "uncertain": "unclear",
    "none found": "none found, not excluded",
    "removed": "removed",
}


def what_stays(ledger: Ledger, coalition: str) -> list[str]:
    """One sentence a design on what it leaves to the coalition; failures are named like successes."""
    said = []
    for design in ledger.designs:
        parts = []
        for word, words in FINDINGS.items():
            named = [
                _named(ledger, design.design, coalition, capability, word)
                for capability in capabilities(ledger)
                if finding(ledger, design.design, coalition, capability) == word
            ]
            if named:
                parts.append(f"{words}: {', '.join(named)}")
        said.append(f"{design.design}: {coalition} {'; '.join(parts) or 'not measured'}.")
    return said


def _named(ledger: Ledger, design: str, coalition: str, capability: str, word: str) -> str:
    row = worst(ledger, design, coalition, capability)
    if row is None or word == "removed":
        return capability
    public = public_words(row) if word in ("none found", "uncertain") else ""
    return f"{capability} {fixed(row.advantage)}{f' ({public})' if public else ''}"


def failing(ledger: Ledger, coalition: str) -> dict[str, Any] | None:
    """Return the cryptographic design that removes least from the coalition, in words; None if no attack on it works.

    A page that shows what works must show as plainly what does not: hiding data by itself need not remove a
    capability.
    """
    private = [d for d in ledger.designs if d.real_runs] or list(ledger.designs)
    least = min(private, key=lambda d: len(removed(ledger, d.design, coalition)))
    gone, of = removed(ledger, least.design, coalition), measured(ledger, least.design, coalition)
    works = [c for c in of if finding(ledger, least.design, coalition, c) == "works"]
    if not works:
        return None
    words = ", ".join(_named(ledger, least.design, coalition, c, "works") for c in works)
    return {"design": least.design, "summary": least.summary, "removed": len(gone), "measured": len(of), "words": words}


def not_shown(ledger: Ledger) -> list[str]:
    """What the figures do not say: limits of every run, and those of this one."""
    played = tried(ledger).rows
    open_rows = sum(row.bound is None for row in played)
    limits = []
    if is_synthetic(ledger):
        limits.append(_("The people are a synthetic society, no country: figures of real people will differ."))
    if open_rows:
        limits.append(
            _(
                "{n} of {all} rows have no bound: there the advantage is the best attack tried, and a better one may "
                "do more."
            ).format(n=open_rows, all=len(played))
        )
    if left_out := not_tried(ledger):
        limits.append(left_out)
    limits += beyond_every_bound(ledger)
    seeds = ledger.meta.get("seeds", [])
    limits += [
        _(
            "Removed means: the advantage lies within {line} on both sides (Holm's correction over all rows), and so "
            "does the bound on people like these, under {seeds} seed(s); not that nothing is left. Unclear means: the "
            "attack is no surer than public knowledge alone, but its interval does not exclude more."
        ).format(line=f"{REMOVED:.2f}", seeds=len(seeds) or 1),
        _("Measured coalitions are {coalitions}; any other may do more.").format(
            coalitions=", ".join(coalitions(ledger))
        ),
        _(
            "Not covered: side channels of the machines, malware on a person's device, sources that lie about their "
            "own records, and forcing a person to show a score."
        ),
        _(
            "The cryptography is a research prototype that nobody has audited, and rests on problems that are believed "
            "hard today; the elliptic-curve parts would fall to a large quantum computer."
        ),
    ]
    return limits


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
