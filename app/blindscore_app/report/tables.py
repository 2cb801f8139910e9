"""The ledger as tables for a terminal or a log, readable from 80 columns on."""

from __future__ import annotations

import textwrap

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from blindscore.surveillance.ledger import DesignRow, Ledger, Row
from blindscore_app.locale import _
from blindscore_app.report import figures, grid, sentences
from blindscore_app.report.naming import naming_table

LOG_WIDTH = 80  # columns where no terminal says how wide it is
AUC_WIDTH = 6
STYLES = {grid.YES: "red", grid.PROVEN: "green"}
MAX_CELL = 24  # characters; names come from strangers' files


def print_ledger(
    ledger: Ledger, coalition: str = "scorer", console: Console | None = None, *, details: bool = False
) -> None:
    """Print the reading and then the grid of page one, on which it ends; with ``details`` every table before it.

    Raises
    ------
    ParameterError
        The ledger has no such coalition.
    """
    figures.check_coalition(ledger, coalition)
    whole, ledger = ledger, figures.tried(ledger)
    console = console or Console()
    if not console.is_terminal:
        console.width = LOG_WIDTH
    if details:
        _print_details(whole, ledger, coalition, console)
    if figures.is_synthetic(ledger):
        console.print(Text(_("SYNTHETIC SOCIETY, not a country: these people are made up."), style="bold"))
    for sentence in grid.lead(whole, coalition):
        console.print(Text(clean(sentence, 400)))
    for note in sentences.notes(whole):
        console.print(Text(clean(note, 600)))
    console.print()
    asked = _("Beyond what anybody can look up, can {who}:").format(who=grid.party_words(coalition))
    console.print(Text(asked, style="bold"))
    for column in grid.columns(whole, coalition):
        by = "" if column.coalition == coalition else f" ({grid.party_words(column.coalition)})"
        console.print(Text(f"  {clean(column.capability)}: {clean(column.question, 60)}?{by}"))
    for table in grid_tables(whole, coalition, console.width):
        console.print()
        console.print(table)


def grid_tables(ledger: Ledger, coalition: str, width: int) -> list[Table]:
    """Return page one's grid, a word a cell, in as many tables as the width needs."""
    asked, lines = grid.columns(ledger, coalition), grid.lines(ledger, coalition)
    first = max([len(clean(line.design.design)) for line in lines] + [len("design")]) + 1
    chunks: list[list[int]] = [[]]
    room = width - first - AUC_WIDTH
    for k, column in enumerate(asked):
        need = max([len(clean(column.capability)), *(len(line.cells[k].words) for line in lines)]) + 1
        if chunks[-1] and need > room:
            chunks.append([])
            room = width - first
        chunks[-1].append(k)
        room -= need
    tables = []
    for number, chunk in enumerate(chunks):
        table = _empty()
        table.add_column(_("design"), no_wrap=True, style="bold")
        if number == 0:
            table.add_column("AUC", no_wrap=True)
        for k in chunk:
            table.add_column(clean(asked[k].capability), no_wrap=True)
        for line in lines:
            cells = [Text(clean(line.design.design))]
            if number == 0:
                cells.append(Text(decimals(line.design.auc, 3)))
            cells += [Text(line.cells[k].words, style=STYLES.get(line.cells[k].answer, "")) for k in chunk]
            table.add_row(*cells)
        tables.append(table)
    return tables


def _print_details(whole: Ledger, ledger: Ledger, coalition: str, console: Console) -> None:
    """Print every figure: quality, cost, capabilities with intervals and bounds, other coalitions, limits."""
    for table in main_tables(ledger, coalition, console):
        console.print(table)
    console.print(Text(_legend(coalition), style="dim"))
    if against := sentences.adversaries(ledger):
        console.print(Text(clean(against, 600), style="dim"))
    others = figures.other_coalitions(ledger, coalition)
    if others:
        for table in other_tables(ledger, others, console.width):
            console.print()
            console.print(table)
        console.print(Text("Other coalitions. r: removed; b: a bound stands behind it; -: not tried.", style="dim"))
    if (named := naming_table(ledger, coalition)) is not None:
        console.print(named)
    console.print()
    console.print(Text(sentences.headline(ledger, coalition), style="bold"))
    if weak := sentences.weak_spot(ledger, coalition):
        console.print(Text(weak, style="bold"))
    for sentence in sentences.what_stays(ledger, coalition):
        console.print(Padding(Text(clean(sentence, 400)), (0, 0, 0, 2)))
    console.print(Text("What this does not show:", style="bold"))
    for limit in sentences.not_shown(whole):
        console.print(Padding(Text(limit), (0, 0, 0, 2)))
    console.print(Text(clean(f"Again: {ledger.meta.get('command', '')}", 400)))
    console.print()


def _legend(coalition: str) -> str:
    return (
        f"Capabilities of the {coalition}, the secret that it learns most of beyond the public: advantage of the best "
        "attack from 0 (no better than without any view) to 1 (perfect), its 95% interval, and the largest bound of "
        "all the cell's secrets: on people like these, a confidence limit, and in brackets on exactly these. Public: "
        "what the same attack gets from the public register alone. AUC loss is against the best "
        "design of the run, on the same applicants."
    )


def main_tables(ledger: Ledger, coalition: str, console: Console) -> list[Table]:
    """Return quality, capabilities and cost of every design: one table where it fits, else as many as it needs."""

    def fits(table: Table) -> bool:
        return Measurement.get(console, console.options.update(width=10_000), table).maximum <= console.width

    names = figures.shown_capabilities(ledger, coalition)
    whole = _table(ledger, coalition, names, with_quality=True)
    if fits(whole):
        return [whole]
    tables = [_table(ledger, coalition, [], with_quality=True)]
    chunk: list[str] = []
    for name in names:
        if chunk and not fits(_table(ledger, coalition, [*chunk, name], with_quality=False)):
            tables.append(_table(ledger, coalition, chunk, with_quality=False))
            chunk = []
        chunk.append(name)
    return [*tables, _table(ledger, coalition, chunk, with_quality=False)] if chunk else tables


def _table(ledger: Ledger, coalition: str, names: list[str], *, with_quality: bool) -> Table:
    table = _empty()
    table.add_column("design", no_wrap=True, style="bold")
    if with_quality:
        table.add_column("AUC\n95%", no_wrap=True)
        table.add_column("AUC loss\n95%", no_wrap=True)
    for name in names:
        table.add_column(f"{name}\n95%\nbound", no_wrap=True)
    if with_quality:
        table.add_column("time\na person", no_wrap=True, justify="right")
        table.add_column("bytes\na person", no_wrap=True, justify="right")
        table.add_column("stands on", no_wrap=True)
    for design in ledger.designs:
        cells = [Text(clean(design.design))]
        if with_quality:
            cells += [
                Text(f"{decimals(design.auc, 3)}\n{_interval(design.auc_low, design.auc_high, 3)}"),
                Text(f"{decimals(design.auc_loss, 3)}\n{_interval(design.auc_loss_low, design.auc_loss_high, 3)}"),
            ]
        cells += [_cell(ledger, design, coalition, name) for name in names]
        if with_quality:
            cells += [
                Text(figures.time_words(design)),
                Text(figures.bytes_words(design)),
                Text(figures.runs_words(design)),
            ]
        table.add_row(*cells)
        table.add_section()
    return table


def _empty() -> Table:
    return Table(box=SIMPLE_HEAD, show_edge=False, padding=0, pad_edge=False)


def decimals(value: float | None, places: int = 2) -> str:
    """Return a share without its leading zero: ".83"; "1.00" stays; a dash where there is none."""
    if value is None:
        return figures.UNKNOWN
    text = figures.fixed(value, places)
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def _interval(low: float | None, high: float | None, places: int = 2) -> str:
    return f"{decimals(low, places)}–{decimals(high, places)}"


def _cell(ledger: Ledger, design: DesignRow, coalition: str, capability: str) -> Text:
    row = figures.worst(ledger, design.design, coalition, capability)
    if row is None:
        tried = ledger.find(design=design.design, coalition=coalition, capability=capability)
        return Text("no\nview" if tried else "not\nmeasured")
    gone = figures.is_removed(ledger, design.design, coalition, capability)
    rows = figures.cell(ledger, design.design, coalition, capability)
    lines = [decimals(row.advantage), _interval(row.low, row.high), _bound(rows)]
    if gone:
        lines.append("removed")
    elif len(rows) > 1:
        lines += textwrap.wrap(clean(row.secret), 9)[:2]
        if public := figures.public_words(row):
            lines.append(public.replace("0.", "."))
    return Text("\n".join(lines), style="green" if gone else "")


def _bound(rows: list[Row]) -> str:
    """Return a cell's bound: on people like these, and, where it differs, on exactly these in brackets."""
    found = figures.cell_bound(rows)
    if found is None:
        return "no bound"
    alike, these = (decimals(figures.rounded_up(limit)) for limit in found)
    return f"≤ {alike}" if alike == these else f"≤ {alike} ({these})"


def other_tables(ledger: Ledger, names: list[str], width: int) -> list[Table]:
    """Return the other coalitions: the advantage in each capability, and whether a bound stands behind it.

    Of several secrets a capability shows one, the same throughout its design's lines: coalitions can then be compared.
    """
    shown = figures.capabilities(ledger)
    first = 2 + max([len(clean(name)) for name in names], default=0) + max(len(clean(d.design)) for d in ledger.designs)
    chunks: list[list[str]] = [[]]
    for name in shown:
        if chunks[-1] and first + sum(max(len(clean(n)), 6) + 1 for n in [*chunks[-1], name]) > width:
            chunks.append([])
        chunks[-1].append(name)
    return [_other_table(ledger, names, chunk) for chunk in chunks]


def _other_table(ledger: Ledger, names: list[str], shown: list[str]) -> Table:
    table = _empty()
    table.add_column("coalition", no_wrap=True)
    table.add_column("design", no_wrap=True)
    for capability in shown:
        table.add_column(clean(capability), no_wrap=True)
    for name in names:
        for k, design in enumerate(d for d in ledger.designs if ledger.find(design=d.design, coalition=name)):
            cells = [Text(clean(name) if k == 0 else ""), Text(clean(design.design))]
            cells += [_brief(ledger, design, name, capability) for capability in shown]
            table.add_row(*cells)
        table.add_section()
    return table


def _brief(ledger: Ledger, design: DesignRow, coalition: str, capability: str) -> Text:
    row = figures.comparable(ledger, design.design, coalition, capability)
    if row is None:
        return Text("-")
    gone = figures.is_removed(ledger, design.design, coalition, capability)
    bound = figures.cell_bound(figures.cell(ledger, design.design, coalition, capability))
    mark = " r" if gone else ("" if bound is None else " b")
    return Text(f"{decimals(row.advantage)}{mark}", style="green" if gone else "")


def clean(name: str, most: int = MAX_CELL) -> str:
    """Return a stranger's name without control characters, cut to ``most`` characters."""
    visible = "".join(c if c.isprintable() else "?" for c in name)
    return visible if len(visible) <= most else visible[: most - 1] + "…"
