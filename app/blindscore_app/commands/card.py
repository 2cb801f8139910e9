"""``fit``, ``score`` and ``explain``: a scorecard on somebody's own file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from blindscore_app.output import check_file, replacing

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from blindscore_app.tables_in import Wanted

AsJson = Annotated[bool, typer.Option("--json", help="Say the result as JSON, and nothing else, on stdout.")]
CardFile = Annotated[Path, typer.Argument(metavar="CARD", help="A card.json of `fit`.", show_default=False)]
Schema = Annotated[
    Path | None, typer.Option(help="Schema of `fit`, where it renames columns or missing values.", show_default=False)
]
People = Annotated[Path, typer.Argument(metavar="FILE", help="CSV or Parquet, one row a person.", show_default=False)]


def fit(
    file: People,
    schema: Annotated[Path, typer.Option(help="TOML file that says what each column is.", show_default=False)],
    out: Annotated[Path, typer.Option(help="Where the scorecard goes.")] = Path("card.json"),
    as_json: AsJson = False,
) -> None:
    """Fit a scorecard to people whose outcome is known, and say how well it does on people it has not seen."""
    check_file(out)
    from blindscore.designs.plain import declared, fit_card
    from blindscore.people.loaders import load_people
    from blindscore.scorecard.exchange import save_card
    from blindscore.scorecard.quality import auc_interval
    from blindscore.scorecard.scorecard import Scorecard

    people = load_people(file, schema)
    past, unseen = people.history, ~people.history
    trial = fit_card(people, Scorecard(), list(people.features.columns))
    reached = auc_interval(people.default[unseen], trial.score_points(people.features[unseen]))
    card = Scorecard().fit(declared(people.features), people.default).card_
    save_card(card, out)
    said: dict[str, Any] = {
        "written": str(out),
        "fingerprint": card.fingerprint,
        "people": len(people),
        "features": card.features,
        "auc_unseen": reached[0],
        "auc_unseen_low": reached[1],
        "auc_unseen_high": reached[2],
    }
    if as_json:
        typer.echo(json.dumps(said))
        return
    typer.echo(
        f"Written: {out} ({len(card.features)} features of {len(people)} people)\nFingerprint: {card.fingerprint}\n"
        f"AUC {reached[0]:.3f} [{reached[1]:.3f}, {reached[2]:.3f}] of a card fitted on the {int(past.sum())} past "
        f"customers, on the {int(unseen.sum())} others; the card written here is fitted on all."
    )


def score(
    card: CardFile,
    file: People,
    out: Annotated[Path, typer.Option(help="scores.csv or scores.parquet.", show_default=False)],
    keep: Annotated[
        str, typer.Option("--id", help="A column to carry over, such as a customer number.", show_default=False)
    ] = "",
    schema: Schema = None,
    as_json: AsJson = False,
) -> None:
    """Score every person of a file: columns row and score, in file order."""
    check_file(out)
    from blindscore.errors import ParameterError
    from blindscore.scorecard.exchange import load_card
    from blindscore_app.tables_in import is_parquet, wanted

    if not is_parquet(out) and out.suffix.lower() != ".csv":
        raise ParameterError(f"{out}: write scores to a file that ends in .csv or .parquet")
    if keep in ("row", "score"):
        raise ParameterError(f"--id {keep} would clash with a column of the result; rename the column")
    want = wanted(load_card(card), schema, keep or None)
    with replacing(out) as temporary:
        people = (_write_parquet if is_parquet(out) else _write_csv)(temporary, file, want)
    if as_json:
        typer.echo(json.dumps({"written": str(out), "people": people, "fingerprint": want.card.fingerprint}))
    else:
        typer.echo(f"Written: {out} ({people} people, card {want.card.fingerprint[:16]})")


def _scored(file: Path, want: Wanted) -> Iterator[pd.DataFrame]:
    """Yield the result in batches."""
    import pandas as pd

    from blindscore.errors import DataError
    from blindscore_app.tables_in import batches

    for people, kept in batches(file, want):
        start = int(people.index[0])
        try:
            scores = want.card.scores(want.card.bins(people))
        except DataError as error:
            where = f", counted from row {start} on" if start else ""
            raise DataError(f"{file}{where}: {error}") from error
        columns: dict[str, Any] = {"row": people.index.to_numpy("int64")}
        if want.keep is not None:
            columns[want.keep] = kept
        yield pd.DataFrame(columns | {"score": scores})


def _write_csv(temporary: Path, file: Path, want: Wanted) -> int:
    people = 0
    with temporary.open("w", encoding="utf-8", newline="") as out:
        for batch in _scored(file, want):
            batch.to_csv(out, index=False, header=people == 0, lineterminator="\n")
            people += len(batch)
    return people


def _write_parquet(temporary: Path, file: Path, want: Wanted) -> int:
    import pyarrow as pa
    from pyarrow import parquet

    kept = [] if want.keep is None else [(want.keep, pa.string())]
    schema = pa.schema([("row", pa.int64()), *kept, ("score", pa.int16())])
    people = 0
    with parquet.ParquetWriter(temporary, schema) as out:
        for batch in _scored(file, want):
            out.write_table(pa.Table.from_pandas(batch, schema=schema, preserve_index=False))
            people += len(batch)
    return people


def explain(
    card: CardFile,
    file: People,
    row: Annotated[int, typer.Option(min=0, help="Which person; rows count from 0.", show_default=False)],
    schema: Schema = None,
    as_json: AsJson = False,
) -> None:
    """Show one person's points, characteristic by characteristic, against the best that it could have."""
    from blindscore.scorecard.exchange import load_card
    from blindscore_app.tables_in import wanted

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
    from blindscore.errors import DataError
    from blindscore.scorecard.binning import bin_labels
    from blindscore_app.tables_in import batches

    card = want.card
    rows = 0
    for people, _ in batches(file, want):
        rows += len(people)
        if row >= rows:
            continue
        try:
            bins = card.bins(people.loc[[row]])
        except DataError as error:
            raise DataError(f"{file}, counted from row {row} on: {error}") from error
        total = int(card.totals(bins)[0])
        parts = [
            {
                "feature": c.feature,
                "bin": bin_labels(c)[b],
                "points": c.points[b],
                "best": max(c.points),
                "lost": max(c.points) - c.points[b],
            }
            for c, b in zip(card.characteristics, bins[0], strict=True)
        ]
        parts.sort(key=lambda part: -part["lost"])
        return {
            "row": row,
            "score": int(card.scores(bins)[0]),
            "base": card.base,
            "total": total,
            "characteristics": parts,
            "fingerprint": card.fingerprint,
        }
    raise DataError(f"{file}: row {row} does not exist; the file has rows 0 to {rows - 1}")
