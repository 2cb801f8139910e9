"""A ledger's main table as Markdown: README and the page of submissions show it, and a test holds them to it."""

from __future__ import annotations

from collections.abc import Callable

from blindscore.surveillance.ledger import REFUSES, DesignRow, Ledger
from blindscore_app.report.figures import (
    UNKNOWN,
    bytes_words,
    cell,
    cell_bound,
    fixed,
    public_words,
    rounded_up,
    shown_capabilities,
    time_words,
    tried,
    worst,
)
from blindscore_app.report.tables import clean

SCORER = "scorer"
MARKS = frozenset("|`<>[]\\*")


def table(ledger: Ledger, cost: Callable[[DesignRow], str] | None = None, coalition: str = SCORER) -> str:
    """Return one line a design: quality kept, what a coalition can still do, cost.

    Parameters
    ----------
    cost
        Words for a design's cost; time and bytes a person if left out.
    """
    cost = cost or (lambda design: f"{time_words(design)}, {bytes_words(design)}")
    shown = tried(ledger)
    capabilities = shown_capabilities(shown, coalition)
    lines = [f"| design | AUC loss [95%] | {' | '.join(capabilities)} | cost a person |"]
    lines.append(f"|{'---|' * (len(capabilities) + 3)}")
    for design in shown.designs:
        losses = (design.auc_loss, design.auc_loss_low, design.auc_loss_high)
        told = [UNKNOWN if loss is None else f"{loss:.3f}" for loss in losses]
        loss = f"{told[0]} [{told[1]}, {told[2]}]"
        cells = [words(shown, design.design, name, coalition) for name in capabilities]
        lines.append(f"| {' | '.join([f'`{plain(design.design)}`', loss, *cells, cost(design)])} |")
    return "\n".join(lines)


def words(ledger: Ledger, design: str, capability: str, coalition: str = SCORER) -> str:
    """Return a cell: the secret that is learnt most of beyond public knowledge, the cell's bound, and its mark."""
    rows, row = cell(ledger, design, coalition, capability), worst(ledger, design, coalition, capability)
    if row is None:
        return "·"
    bound, public = cell_bound(rows), public_words(row)
    said = [fixed(row.advantage), f"({public})" * bool(public), f"≤ {rounded_up(bound[0]):.2f}" if bound else ""]
    said.append("**removed**" * all(one.removed for one in rows))
    silent = ledger.find(design=design, coalition=coalition, capability=capability, adversary=REFUSES)
    if silent and row.advantage < max(one.advantage for one in silent):
        said.append(f"; by silence {fixed(max(one.advantage for one in silent))}")
    return " ".join(part for part in said if part).replace(" ;", ";")


def plain(text: str) -> str:
    """Return a stranger's words so that they can neither mark up the page nor leave their cell."""
    return "".join("?" if c in MARKS else c for c in clean(text, 200))
