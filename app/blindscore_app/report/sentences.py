"""What tables and pages say of a run in whole sentences, each from the figures that :mod:`.figures` picks."""

from __future__ import annotations

from typing import Any

from blindscore.designs.design import NO_CONDUCT
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
)
from blindscore_app.locale import _
from blindscore_app.report.figures import (
    SYNTHETIC,
    best_quality,
    capabilities,
    coalitions,
    finding,
    fixed,
    is_synthetic,
    measured,
    most_removing,
    points,
    pooled,
    public_words,
    removed,
    tried,
    worst,
)

INSIDE = {FINANCIAL, "register", "decision"}  # contexts that are no conduct outside finance
FINDINGS = {
    "works": "can still",
    "uncertain": "unclear",
    "none found": "none found, not excluded",
    "removed": "removed",
}


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


def loss_words(design: DesignRow) -> str:
    """Return the loss of AUC with its interval, in points."""
    return _("{loss} points of AUC [{low} to {high}]").format(
        loss=points(design.auc_loss), low=points(design.auc_loss_low), high=points(design.auc_loss_high)
    )


def _leaves_out(ledger: Ledger, design: DesignRow) -> bool:
    """Say whether a design leaves out what some design of this run reads; with financial columns alone none does."""
    return NO_CONDUCT in design.enforces and reads_conduct(ledger)


def reads_conduct(ledger: Ledger) -> bool:
    """Say whether any design of this run reads conduct outside finance; none does where a file holds none."""
    read = {context for design in ledger.designs for view in design.sees for context in view["contexts"]}
    return bool(read - INSIDE)


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
