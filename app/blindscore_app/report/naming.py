"""Who can be named: on the mean, in a crowd of a thousand, and who stands worst; also with an outside register."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.table import Table

from blindscore.surveillance.ledger import PLAYED, Ledger, Row


def naming_table(ledger: Ledger, coalition: str) -> Table | None:
    """Return a line for each design and each register that the coalition brings along; None where nobody was named.

    Naming was played on these people: the mean chance beyond guessing with its interval, the same in a crowd of 1,000,
    the chance of whoever was found most surely, the limit of that, and how many stand among fewer than five alike.
    """
    rows = [
        row
        for row in (*ledger.rows, *ledger.outside)
        if (row.coalition, row.capability, row.secret, row.kind) == (coalition, "link", "name", PLAYED)
        and row.worst is not None
    ]
    if not rows:
        return None
    table = Table(box=SIMPLE_HEAD, pad_edge=False, title=f"Naming a record, by the {coalition}", title_justify="left")
    for head in ("design", "register", "named", "of 1,000", "worst", "limit", "few"):
        table.add_column(head, no_wrap=True)
    order = {design.design: k for k, design in enumerate(ledger.designs)}
    for row in sorted(rows, key=lambda row: order[row.design]):
        table.add_row(row.design[:17], row.outside[:15] or "public", *_figures(row))
    return table


def _figures(row: Row) -> tuple[str, ...]:
    mean = f"{row.advantage:.3f} [{row.low:.3f}, {row.high:.3f}]"
    rest = (f"{value:.3f}" if value is not None else "-" for value in (row.in_crowd, row.worst, row.worst_bound))
    return (mean, *rest, str(row.few))
