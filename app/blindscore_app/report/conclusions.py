"""What this project concludes, held to several runs at once: two societies and files of real people.

A conclusion stands where every run bears it out; each line therefore shows first the run that is worst for the people
who are scored, and then all runs. Where a file cannot speak to a line, the cell says why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from blindscore.errors import ParameterError
from blindscore.surveillance.ledger import REFUSES, Ledger, Row
from blindscore_app.report.figures import cell, cell_bound, fixed, points, public_words, rounded_up, worst
from blindscore_app.report.markdown import plain
from blindscore_app.report.sentences import reads_conduct

PLACES = 2  # of a figure as it is printed: less than that makes no run worse than another
BITS = "one-show"  # the design whose lender reads one bit and whom no coalition of two joins: what is left is least


@dataclass(frozen=True)
class Figure:
    """One run's figure for one conclusion."""

    words: str
    worse: float | None = None  # larger is worse for the people who are scored; None = the run cannot speak to it


@dataclass(frozen=True)
class Conclusion:
    """A sentence without its figure, and where a ledger has it."""

    sentence: str
    of: Callable[[Ledger], Figure]


def _attack(
    design: str, coalition: str, capability: str, secret: str | None = None, *, nameless: bool = False
) -> Callable[[Ledger], Figure]:
    """Return the picker of the worst secret of a cell, or of one secret, beside public knowledge.

    ``nameless``: the coalition knows no name to look a person up by, so what it is told counts whole, also where
    public knowledge would tell more.
    """

    def pick(ledger: Ledger) -> Figure:
        if design not in {row.design for row in ledger.designs}:
            return Figure("not run on these people")
        rows = [row for row in cell(ledger, design, coalition, capability) if secret in (None, row.secret)]
        if nameless:
            row = max(rows, key=lambda row: (row.low, row.advantage), default=None)
        else:
            row = worst(ledger, design, coalition, capability) if secret is None else next(iter(rows), None)
        if row is None:
            return Figure("nothing to measure")
        shown = f"{row.secret} " if secret is None and capability in ("profile", "choose", "arrivals") else ""
        public = public_words(row)
        return Figure(
            f"{plain(shown)}{_interval(row)}{f' ({public})' if public else ''}",
            row.low if nameless else row.beyond_public(row.low),
        )

    return pick


def _interval(row: Row) -> str:
    return f"{fixed(row.advantage)} [{fixed(row.low)}, {fixed(row.high)}]"


def _bound(design: str, coalition: str, capability: str) -> Callable[[Ledger], Figure]:
    def pick(ledger: Ledger) -> Figure:
        limit = cell_bound(cell(ledger, design, coalition, capability))
        return Figure("none") if limit is None else Figure(f"{rounded_up(limit[0]):.2f}", limit[0])

    return pick


def _silence(design: str) -> Callable[[Ledger], Figure]:
    def pick(ledger: Ledger) -> Figure:
        rows = ledger.find(design=design, coalition="scorer", capability="steer", adversary=REFUSES)
        return Figure(_interval(rows[0]), rows[0].low) if rows else Figure("nothing to measure")

    return pick


def _conduct(ledger: Ledger) -> Figure:
    """Return what a card of finance alone loses against the best design of the run."""
    held = [row for row in ledger.designs if row.design == "bureau"]
    if not held or held[0].auc_loss is None or not reads_conduct(ledger):
        return Figure("no conduct outside finance in the file")
    row = held[0]
    told = f"{points(row.auc_loss)} [{points(row.auc_loss_low)}, {points(row.auc_loss_high)}]"
    return Figure(told, row.auc_loss_high)


def _ordered(design: str, coalition: str) -> Callable[[Ledger], Figure]:
    def pick(ledger: Ledger) -> Figure:
        rows = ledger.find(design=design, coalition=coalition, capability="disclose")
        counts = [row.people_exposed for row in rows if row.people_exposed is not None]
        people = ledger.meta.get("people")
        if not counts or not people:
            return Figure("nothing to measure")
        return Figure(f"{max(counts):,} of {people:,}", max(counts) / people)

    return pick


CONCLUSIONS = (
    Conclusion("points of AUC that leaving out conduct outside finance costs", _conduct),
    Conclusion("`platform`'s scorer guesses a secret", _attack("platform", "scorer", "profile")),
    Conclusion("`bureau`'s scorer puts a name to a record", _attack("bureau", "scorer", "link")),
    Conclusion("`bureau`'s scorer guesses a secret", _attack("bureau", "scorer", "profile")),
    Conclusion("one bit tells a secret (`one-show`, scorer)", _attack(BITS, "scorer", "profile", nameless=True)),
    Conclusion("... and no attack tells more than", _bound(BITS, "scorer", "profile")),
    Conclusion("a public card that the lender chooses makes it tell", _attack(BITS, "scorer", "choose", nameless=True)),
    Conclusion("`one-show`'s scorer puts a name to a record", _attack(BITS, "scorer", "link")),
    Conclusion("lender and source join records of `minimal`", _attack("minimal", "lender+source", "link", "join")),
    Conclusion("... of `encrypted`", _attack("encrypted", "lender+source", "link", "join")),
    Conclusion("... of `sealed`", _attack("sealed", "lender+source", "link", "join")),
    Conclusion("... of `one-show`", _attack(BITS, "lender+source", "link", "join")),
    Conclusion("a secret card refuses a named person (`encrypted`)", _attack("encrypted", "scorer", "steer")),
    Conclusion("a public card does (`sealed`)", _attack("sealed", "scorer", "steer")),
    Conclusion("whoever does not answer refuses a named person (`sealed`)", _silence("sealed")),
    Conclusion("a watcher of the line reads `minimal`'s decision", _attack("minimal", "observer", "intercept")),
    Conclusion("... `one-show`'s", _attack(BITS, "observer", "intercept")),
    Conclusion("an order to the source exposes (`one-show`)", _ordered(BITS, "source")),
    Conclusion("who was trained on is told (`private-model`)", _attack("private-model", "scorer", "remember")),
)


def table(runs: Mapping[str, Ledger]) -> str:
    """Return a Markdown table: a line a conclusion, the worst run first, then every run.

    Which run is worst goes by the lower end of the interval, as printed: beyond what public knowledge alone gives, but
    where the attacker knows no name.

    Parameters
    ----------
    runs
        Ledgers by the name of their people.

    Raises
    ------
    ParameterError
        There is no run.
    """
    if not runs:
        raise ParameterError("no ledger was given; name at least one")
    names = [plain(name) for name in runs]
    lines = [f"| conclusion | worst | {' | '.join(names)} |", f"|{'---|' * (len(names) + 2)}"]
    for conclusion in CONCLUSIONS:
        found = [conclusion.of(ledger) for ledger in runs.values()]
        pairs = zip(found, names, strict=True)
        spoken = [(round(figure.worse, PLACES), name) for figure, name in pairs if figure.worse is not None]
        most = max((worse for worse, _ in spoken), default=None)
        worst_of = [name for worse, name in spoken if worse == most]
        first = "·" if not spoken else "all alike" if len(worst_of) == len(spoken) > 1 else ", ".join(worst_of)
        lines.append(f"| {conclusion.sentence} | {first} | {' | '.join(figure.words for figure in found)} |")
    return "\n".join(lines)
