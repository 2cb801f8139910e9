"""Page one's grid: who can do what to you, in one word a cell, by rules over the ledger's rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from blindscore.surveillance.ledger import BY_ROLE, PLAYED, REFUSES, REMOVED, DesignRow, Ledger, Row
from blindscore_app.locale import N_, _
from blindscore_app.report import figures

EVERYBODY = "all"
OUTSIDERS = ("observer", "state")  # whose a capability is on page one where the coalition itself does not try it
AS_WELL = 0.005  # AUC: a design this near to the bureau decides as well for a reader's purpose
YES, SILENT, PROVEN, TRIED, UNCLEAR, NOTHING = "yes", "silent", "proven", "tried", "unclear", "nothing"
# An answer in words, in short for a narrow screen, and what it means.
SAID = {
    YES: (N_("yes"), N_("yes"), N_("an attack works, or the design tells it.")),
    SILENT: (N_("by silence"), "…", N_("only by not answering you: no answer can be bent unnoticed.")),
    PROVEN: (N_("no, proven"), N_("no ✓"), N_("a bound excludes it, for those who keep to the protocol.")),
    TRIED: (N_("no, tried"), N_("no ~"), N_("our attacks fail; a better one may not.")),
    UNCLEAR: (N_("unclear"), "?", N_("too close to tell.")),
    NOTHING: ("–", "–", N_("nothing to try it with.")),
}
# What a reader calls the designs; one that is not listed goes by its own name.
DESIGNS = {
    "platform": N_("One company watches everything"),
    "integrated": N_("State and company join all files"),
    "bureau": N_("Credit bureau, as today"),
    "aggregator": N_("Bank account read with consent"),
    "minimal": N_("Fewest figures, and no name"),
    "private-model": N_("Rules learned under noise"),
    "encrypted": N_("Encrypted, lender learns a score"),
    "encrypted-audited": N_("Encrypted, with an auditor"),
    "encrypted-proved": N_("Encrypted, score proved"),
    "encrypted-decision": N_("Encrypted, lender learns yes or no"),
    "shared": N_("Two servers, only yes or no"),
    "sealed": N_("You prove yes or no"),
    "one-show": N_("You prove it, bank cannot trace it"),
}
PARTIES = {
    "scorer": N_("the company that scores you"),
    "lender": N_("the lender"),
    "source": N_("your bank"),
    "state": N_("the state"),
    "observer": N_("somebody on the line"),
    "lender+lender": N_("two lenders together"),
    EVERYBODY: N_("all parties together"),
}


@dataclass(frozen=True)
class Column:
    """One capability, and whose it is on page one."""

    capability: str
    question: str
    coalition: str


@dataclass(frozen=True)
class Cell:
    """The answer to one question under one design, and the row that it was read from."""

    answer: str
    row: Row | None

    @property
    def words(self) -> str:
        """The answer in the reader's language."""
        return _(SAID[self.answer][0])

    @property
    def short(self) -> str:
        """The same for a narrow screen."""
        return _(SAID[self.answer][1])


@dataclass(frozen=True)
class Line:
    """One design: its cells, and how many questions are answered yes where all parties pool what they saw."""

    design: DesignRow
    cells: tuple[Cell, ...]
    pooled: int | None  # None where pooling was not measured


def party_words(coalition: str) -> str:
    """Return what a reader calls a coalition."""
    if coalition in PARTIES:
        return _(PARTIES[coalition])
    joined = " + ".join(_(PARTIES[role]) if role in PARTIES else role for role in coalition.split("+"))
    return joined or coalition


def design_words(name: str) -> str:
    """Return what a reader calls a design."""
    return _(DESIGNS[name]) if name in DESIGNS else name.replace("-", " ").capitalize()


def answer(rows: Sequence[Row]) -> str:
    """Return one word for a capability of one coalition under one design, from its rows, one a secret.

    - *yes*: the design itself tells a secret, or an attack learns one beyond public knowledge, lower end over 0.05;
    - *silent*: not so for whoever is answered, but by not answering;
    - *proven*: every secret that was tried is ``removed``, which needs a bound under 0.05;
    - *tried*: no attack gained 0.05 beyond public knowledge, upper end, but no bound excludes a better one;
    - *unclear*: an interval reaches over the line from below;
    - *nothing*: the coalition has nothing to try it with, or nobody tried.
    """
    heard = [row for row in rows if row.adversary != REFUSES]
    if len(heard) < len(rows) and _answer(heard) in (PROVEN, TRIED) and _answer(rows) == YES:
        return SILENT
    return _answer(rows)


def _answer(rows: Sequence[Row]) -> str:
    played = [row for row in rows if row.kind == PLAYED]
    if any(row.kind == BY_ROLE for row in rows) or any(row.beyond_public(row.low) > REMOVED for row in played):
        return YES
    if not played:
        return NOTHING
    if all(row.removed for row in played):
        return PROVEN
    return TRIED if all(row.beyond_public(row.high) < REMOVED for row in played) else UNCLEAR


def columns(ledger: Ledger, coalition: str) -> tuple[Column, ...]:
    """Return the capabilities in order, each with the coalition where any design lets it try, else who first can."""
    asked = figures.questions(ledger)
    found = []
    for name in figures.capabilities(ledger):
        able = dict.fromkeys(row.coalition for row in ledger.rows if row.capability == name and row.kind == PLAYED)
        if able:
            whose = next((who for who in (coalition, *OUTSIDERS) if who in able), next(iter(able)))
            found.append(Column(name, _(asked.get(name, name)), whose))
    return tuple(found)


def lines(ledger: Ledger, coalition: str) -> tuple[Line, ...]:
    """Return the grid, a line a design."""
    asked = columns(ledger, coalition)
    together = EVERYBODY in figures.coalitions(ledger)

    def cell(design: str, whose: str, capability: str) -> Cell:
        rows = ledger.find(design=design, coalition=whose, capability=capability)
        return Cell(answer(rows), figures.worst(ledger, design, whose, capability))

    found = []
    for design in ledger.designs:
        pooled = sum(cell(design.design, EVERYBODY, c.capability).answer == YES for c in asked) if together else None
        cells = tuple(cell(design.design, c.coalition, c.capability) for c in asked)
        found.append(Line(design, cells, pooled))
    return tuple(found)


def pairs(auc: float | None) -> int | str:
    """Return an AUC as a reader's figure: of 100 pairs of a good and a bad payer, how many are ranked rightly."""
    return figures.UNKNOWN if auc is None else math.floor(100 * auc + 0.5)


def learns_one_bit(design: DesignRow) -> bool:
    """Say whether the parties that score and lend read the decision and nothing else."""
    views = [view for view in design.sees if view["role"] in ("scorer", "lender")]
    return bool(views) and all(set(view["fields"]) == {"approved"} for view in views)


def lead(ledger: Ledger, coalition: str) -> list[str]:
    """Return what page one says first, from the figures alone: what is possible, what it costs, what it leaves."""
    told = {line.design.design: line for line in lines(ledger, coalition)}
    blind = [design for design in ledger.designs if learns_one_bit(design)]
    if not blind:
        return [_("In none of the designs measured here does the lender learn one yes or no and nothing else.")]
    best = figures.best_quality(ledger)
    own = figures.most_removing(Ledger(ledger.meta, tuple(blind), ledger.rows), coalition)
    bureau = next((design for design in ledger.designs if design.design == "bureau"), None)
    rival = None if bureau is None else bureau.auc
    if own.auc is not None and rival is not None and own.auc >= rival - AS_WELL:
        first = _("A lender can decide as well as today's bureau while learning one yes or no.")
    else:
        first = _("A lender can decide while learning one yes or no and nothing else of you.")
    line = told[own.design]
    yes = sum(cell.answer == YES for cell in line.cells)
    said = [first]
    if own.auc is not None:
        said.append(
            _(
                "Of 100 pairs of a good and a bad payer it ranks {own} rightly; the best design here, “{best}”, "
                "ranks {most}."
            ).format(own=pairs(own.auc), best=design_words(best.design), most=pairs(best.auc))
        )
    said.append(
        _(
            "Under “{design}”, {who} can do {yes} of the {n} things below, and provably not {proven} of them; "
            "of the rest we cannot say."
        ).format(
            design=design_words(own.design),
            who=party_words(coalition),
            n=len(line.cells),
            yes=yes,
            proven=sum(cell.answer == PROVEN for cell in line.cells),
        )
    )
    if line.pooled:
        every = all(other.pooled for other in told.values())
        said.append(
            _("If all parties pool what they hold, {n} can be done; no design here brings that to none.")
            if every
            else _("If all parties pool what they hold, {n} can be done.")
        )
        said[-1] = said[-1].format(n=line.pooled)
    return said


def key_words() -> list[tuple[str, str, str, str]]:
    """Return the key under the grid: each answer, in words and in short, and what it means."""
    return [(answer, _(words), _(short), _(meaning)) for answer, (words, short, meaning) in SAID.items()]
