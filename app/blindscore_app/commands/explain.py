"""``explain``: where a person's points come from."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from blindscore_app.commands.options import AsJson, CardFile, People, SchemaFile

if TYPE_CHECKING:
    from blindscore_app.files.people import Wanted


def explain(
    card: CardFile,
    file: People,
    row: Annotated[int, typer.Option(min=0, help="Which person; rows count from 0.", show_default=False)],
    schema: SchemaFile = None,
    as_json: AsJson = False,
) -> None:
    """Show one person's points, characteristic by characteristic, against the best that it could have."""
    from blindscore.scorecard.forms.json import load_card
    from blindscore_app.files.people import wanted

    reasons = explain_row(file, wanted(load_card(card), schema), row)
    if as_json:
        typer.echo(json.dumps(reasons))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from blindscore_app.report.tables import clean

    table = Table(title=f"Row {row} of {clean(file.name, 60)}", title_justify="left")
    table.add_column("characteristic")
    table.add_column("bin")
    for name in ("points", "best", "lost"):
        table.add_column(name, justify="right")
    table.add_row("(base)", "everybody", str(reasons["base"]), str(reasons["base"]), "0")
    for part in reasons["characteristics"]:
        figures = (str(part[key]) for key in ("points", "best", "lost"))
        table.add_row(Text(clean(part["feature"], 40)), Text(clean(part["bin"], 40)), *figures)
    console = Console()
    if not console.is_terminal:
        console.width = 120
    console.print(table)
    clipped = "" if reasons["score"] == reasons["total"] else f", kept within the scale: {reasons['score']}"
    console.print(f"Base and points sum to {reasons['total']}{clipped}. Score: {reasons['score']}.", highlight=False)


def explain_row(file: Path, want: Wanted, row: int) -> dict[str, Any]:
    """Return one person's score, base, total before clipping, and points a characteristic, costliest first.

    Raises
    ------
    DataError
        The file cannot be used, or has no such row.
    """
    import pandas as pd

    from blindscore.errors import DataError
    from blindscore.scorecard.reasons import parts
    from blindscore_app.files.people import batches

    card = want.card
    rows = 0
    for batch in batches(file, want):
        rows += len(batch)
        if row >= rows:
            continue
        person = {name: values[[row - batch.start]] for name, values in batch.columns.items()}
        try:
            bins = card.bins(pd.DataFrame(person))
        except DataError as error:
            raise DataError(f"{file}, counted from row {row} on: {error}") from error
        total = int(card.totals(bins)[0])
        return {
            "row": row,
            "score": int(card.scores(bins)[0]),
            "base": card.base,
            "total": total,
            "characteristics": [asdict(part) for part in parts(card, bins)[0]],
            "fingerprint": card.fingerprint,
        }
    raise DataError(f"{file}: row {row} does not exist; the file has rows 0 to {rows - 1}")
