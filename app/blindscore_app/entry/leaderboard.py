"""The page of archived submissions: credit quality kept, capabilities left, cost. A frontier, never one index.

A design stands on the frontier of its table where no other is at least as good in every column and better in one.
"""

from __future__ import annotations

from collections.abc import Sequence

from blindscore.surveillance.ledger import DesignRow, Ledger
from blindscore_app.entry.check import multiple
from blindscore_app.entry.submission import Submission
from blindscore_app.report.figures import (
    cell,
    cell_bound,
    fixed,
    public_words,
    rounded_up,
    shown_capabilities,
    tried,
    worst,
)

SCORER = "scorer"


HEAD = """# Submissions

Made by `blindscore leaderboard` from the files named. What the *scorer* can still do: advantage of the best attack on
the secret that it learns most of beyond public knowledge; after `≤` the largest bound, where each secret has one. Times
in Ed25519 verifications (cryptographic designs) or kilobytes of memory read (others) of the submitter's machine. **●**:
no other design of the table is at least as good in every column and better in one. Designs are not ranked: which column
matters is the reader's to say.
"""


def page(submissions: Sequence[tuple[str, Submission]]) -> str:
    """Return the page, Markdown: one table a submission, the closed division first."""
    ordered = sorted(submissions, key=lambda pair: (pair[1].division, pair[1].name))
    return "\n".join([HEAD, *(_section(file, one) for file, one in ordered)])


def _section(file: str, one: Submission) -> str:
    system, meta = one.system, one.ledger.meta
    ledger = tried(one.ledger)
    capabilities = shown_capabilities(ledger, SCORER)
    head = ["", "design", "AUC loss", *capabilities, "time", "bytes"]
    records = [_record(one, ledger, design, capabilities) for design in ledger.designs]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for design, record in zip(ledger.designs, records, strict=True):
        best = not any(_beats(other, record) for other in records)
        cells = [_cell(ledger, design.design, name) for name in capabilities]
        size = design.bytes_up + design.bytes_down
        loss = f"{design.auc_loss:.3f} [{design.auc_loss_low:.3f}, {design.auc_loss_high:.3f}]"
        shown = ["●" * best, f"`{_said(design.design)}`", loss, *cells, f"{record[-2]:.3g}", f"{size:,}"]
        lines.append(f"| {' | '.join(shown)} |")
    seeds = meta.get("seeds", [meta.get("seed")])
    return "\n".join(
        [
            f"## {one.name} ({one.division})",
            "",
            f"`{_said(file)}`: {_said(meta['population'])}, {meta['people']:,} people, seed {meta['seed']}, marks "
            f"under {len(seeds)} seed(s); {_said(system['processor'])}, {system['cores']} cores, "
            f"{system['memory_gib']} GiB, Python {_said(system['python'])}, load {system['load_1min']}; Ed25519 "
            f"verification {one.reference['ed25519_verify_us']:.0f} µs, memory "
            f"{one.reference['memory_read_gb_per_s']:.1f} GB/s. `{_said(meta['command'])}`",
            "",
            *lines,
            "",
        ]
    )


def _said(text: str) -> str:
    """Return a stranger's words so that they can neither mark up the page nor leave their cell."""
    return "".join(c if c.isprintable() and c not in "|`<>[]\\*" else "?" for c in text)[:200]


def _record(one: Submission, ledger: Ledger, design: DesignRow, capabilities: Sequence[str]) -> tuple[float, ...]:
    """Return a design's columns as figures of which less is better: loss, each capability's most, time, bytes."""
    most = [max((abs(r.advantage) for r in cell(ledger, design.design, SCORER, c)), default=0.0) for c in capabilities]
    time = sum(multiple(design, us, one.reference) for us in design.us_per_person.values())
    return (design.auc_loss, *most, time, float(design.bytes_up + design.bytes_down))


def _beats(other: tuple[float, ...], own: tuple[float, ...]) -> bool:
    return other != own and all(a <= b for a, b in zip(other, own, strict=True))


def _cell(ledger: Ledger, design: str, capability: str) -> str:
    """Return a capability's worst secret beyond public knowledge, as the printed table does, and the cell's bound."""
    rows, row = cell(ledger, design, SCORER, capability), worst(ledger, design, SCORER, capability)
    if row is None:
        return "·"
    words = [fixed(row.advantage), f"({said})" if (said := public_words(row)) else ""]
    bound = cell_bound(rows)
    words += [f"≤ {rounded_up(bound[0]):.2f}" if bound else "", "**removed**" * all(r.removed for r in rows)]
    return " ".join(word for word in words if word)
