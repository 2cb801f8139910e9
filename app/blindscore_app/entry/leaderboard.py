"""The page of archived submissions: credit quality kept, capabilities left, cost. A frontier, never one index.

A design stands on the frontier of its table where no other is at least as good in every column and better in one.
"""

from __future__ import annotations

from collections.abc import Sequence

from blindscore.surveillance.ledger import DesignRow, Ledger
from blindscore_app.entry.check import multiple
from blindscore_app.entry.submission import Submission
from blindscore_app.report.figures import cell, shown_capabilities, tried
from blindscore_app.report.markdown import SCORER, plain, table

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
    system, meta, reference = one.system, one.ledger.meta, one.reference
    seeds = meta.get("seeds", [meta.get("seed")])
    told = (
        f"`{plain(file)}`: {plain(meta['population'])}, {meta['people']:,} people, seed {meta['seed']}, marks under "
        f"{len(seeds)} seed(s); {plain(system['processor'])}, {system['cores']} cores, {system['memory_gib']} GiB, "
        f"Python {plain(system['python'])}, load {system['load_1min']}; Ed25519 verification "
        f"{reference['ed25519_verify_us']:.0f} µs, memory {reference['memory_read_gb_per_s']:.1f} GB/s. "
        f"`{plain(meta['command'])}`"
    )
    records = {design.design: _record(one, design) for design in one.ledger.designs}
    best = {name for name, own in records.items() if not any(_beats(other, own) for other in records.values())}

    def cost(design: DesignRow) -> str:
        size = design.bytes_up + design.bytes_down
        return f"{records[design.design][-2]:.3g}, {size:,} B{' ●' * (design.design in best)}"

    return "\n".join([f"## {plain(one.name)} ({one.division})", "", told, "", table(one.ledger, cost), ""])


def _record(one: Submission, design: DesignRow) -> tuple[float, ...]:
    """Return a design's columns as figures of which less is better: loss, each capability's most, time, bytes."""
    ledger: Ledger = tried(one.ledger)
    rows = [cell(ledger, design.design, SCORER, name) for name in shown_capabilities(ledger, SCORER)]
    most = [max((abs(row.advantage) for row in found), default=0.0) for found in rows]
    time = sum(multiple(design, us, one.reference) for us in design.us_per_person.values())
    return (design.auc_loss or 0.0, *most, time, float(design.bytes_up + design.bytes_down))


def _beats(other: tuple[float, ...], own: tuple[float, ...]) -> bool:
    return other != own and all(a <= b for a, b in zip(other, own, strict=True))
