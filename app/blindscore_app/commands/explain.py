"""``explain``: where people's points come from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from blindscore.errors import DataError, ParameterError
from blindscore_app.commands.options import AsJson, CardFile, Delimiter, Language, MissingWords, People, SchemaFile
from blindscore_app.locale import _, bin_words, speaking

if TYPE_CHECKING:
    from blindscore_app.files.people import Wanted

MAX_ROWS = 10_000_000  # that may be named one by one
SHOWN = 4  # reasons a person in the table of many


def explain(
    card: CardFile,
    file: People,
    row: Annotated[
        str, typer.Option(metavar="ROWS", help="Which people: 7, or 3,8,10-19, or all; rows count from 0.")
    ] = "0",
    schema: SchemaFile = None,
    missing: MissingWords = None,
    delimiter: Delimiter = "",
    language: Language = "en",
    as_json: AsJson = False,
) -> None:
    """Show people's points, characteristic by characteristic, against the best that each could have.

    With --json, one object a line; without it, a table of one person, or a line for each of many.
    """
    from blindscore.scorecard.forms.json import load_card
    from blindscore_app.files.people import wanted
    from blindscore_app.files.streams import as_file

    rows, want = _rows(row), wanted(load_card(card), schema, None, missing or [], delimiter)
    with as_file(file) as path, speaking(language):
        found = explain_rows(path, want, rows)
        if as_json:
            for person in found:
                typer.echo(json.dumps(person))
        elif rows is not None and len(rows) == 1:
            _show_one(file.name, next(found))
        else:
            _show_many(file.name, found)


def _rows(text: str) -> list[int] | None:
    """Return the rows that a text names, in order; None for all."""
    if text == "all":
        return None
    rows: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or not (last if dash else first).isdecimal():
            raise ParameterError(f"--row {text}: give rows such as 7, or 3,8,10-19, or all; they count from 0")
        low, high = int(first), int(last if dash else first)
        if high < low or high - low + len(rows) >= MAX_ROWS:
            raise ParameterError(f"--row {text}: give a range from less to more, of at most {MAX_ROWS:,} rows")
        rows.update(range(low, high + 1))
    return sorted(rows)


def explain_rows(file: Path, want: Wanted, rows: list[int] | None) -> Iterator[dict[str, Any]]:
    """Yield people's score, base, total before clipping, and points a characteristic, costliest first.

    Bins, and the schema's plain names beside the features', are said in the language that is spoken now.

    Raises
    ------
    DataError
        The file cannot be used, or has no such row.
    """
    import numpy as np

    from blindscore.scorecard.reasons import parts
    from blindscore_app.files.people import batches

    card, people, done = want.card, 0, 0
    for batch in batches(file, want):
        start, people = people, people + len(batch)
        chosen = np.arange(start, people) if rows is None else np.array([r for r in rows[done:] if r < people], int)
        done += len(chosen)
        if len(chosen):
            bins = batch.bins(card, chosen - start)
            for row, total, score, own in zip(
                chosen, card.totals(bins), card.scores(bins), parts(card, bins, bin_words()), strict=True
            ):
                yield {
                    "row": int(row),
                    "score": int(score),
                    "base": card.base,
                    "total": int(total),
                    "characteristics": [{**asdict(part), "name": _(want.called(part.feature))} for part in own],
                    "fingerprint": card.fingerprint,
                }
        if rows is not None and done == len(rows):
            return
    if rows is not None:
        raise DataError(f"{file}: row {rows[done]} does not exist; the file has rows 0 to {people - 1}")


def _show_one(name: str, person: dict[str, Any]) -> None:
    from rich.table import Table
    from rich.text import Text

    from blindscore_app.report.tables import clean

    title = _("Row {row} of {file}").format(row=person["row"], file=clean(name, 60))
    table = Table(title=title, title_justify="left")
    table.add_column(_("characteristic"))
    table.add_column(_("bin"))
    for head in (_("points"), _("best"), _("lost")):
        table.add_column(head, justify="right")
    table.add_row(_("(base)"), _("everybody"), str(person["base"]), str(person["base"]), "0")
    for part in person["characteristics"]:
        figures = (str(part[key]) for key in ("points", "best", "lost"))
        table.add_row(Text(clean(part["name"], 40)), Text(clean(part["bin"], 40)), *figures)
    console = _console()
    console.print(table)
    said = _("Base and points sum to {total}. Score: {score}.")
    if person["score"] != person["total"]:
        said = _("Base and points sum to {total}, kept within the scale: {score}. Score: {score}.")
    console.print(said.format(total=person["total"], score=person["score"]), highlight=False)


def _show_many(name: str, people: Iterator[dict[str, Any]]) -> None:
    from rich.table import Table
    from rich.text import Text

    from blindscore_app.report.tables import clean

    table = Table(title=_("People of {file}").format(file=clean(name, 60)), title_justify="left")
    for head in (_("row"), _("score")):
        table.add_column(head, justify="right")
    table.add_column(_("what costs most (feature: bin, points lost)"))
    for person in people:
        costly = [part for part in person["characteristics"] if part["lost"] > 0][:SHOWN]
        said = (f"{clean(part['name'], 40)}: {clean(part['bin'], 40)}, {part['lost']}" for part in costly)
        table.add_row(str(person["row"]), str(person["score"]), Text("; ".join(said)))
    _console().print(table)


def _console() -> Any:
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        console.width = 120
    return console
