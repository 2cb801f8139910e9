"""``fit``, ``score`` and ``explain``: a scorecard on somebody's own file."""

from __future__ import annotations

import json
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from blindscore.errors import ParameterError
from blindscore_app.commands.engine import Certificate, EngineName, Scheduler, Where, Workers, choose_engine
from blindscore_app.commands.special import Special, special_codes
from blindscore_app.files.safely import check_directory, check_file, replacing

if TYPE_CHECKING:
    from blindscore_app.files.people import Wanted
    from blindscore_app.scale.tasks import Engine


class Kind(StrEnum):
    """Kinds of result."""

    PARQUET = "parquet"
    CSV = "csv"


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
    special: Special = None,
    as_json: AsJson = False,
) -> None:
    """Fit a scorecard to people whose outcome is known, and say how well it does on people it has not seen."""
    check_file(out, file, schema)
    from blindscore.designs.plain import declared, fit_card
    from blindscore.people.files.loaders import load_people
    from blindscore.scorecard.forms.json import save_card
    from blindscore.scorecard.quality import auc_interval
    from blindscore.scorecard.scorecard import Scorecard

    people = load_people(file, schema)
    codes = special_codes(special or [], people.features)
    past, unseen = people.history, ~people.history
    trial = fit_card(people, Scorecard(special=codes), list(people.features.columns))
    reached = auc_interval(people.default[unseen], trial.score_points(people.features[unseen]))
    card = Scorecard(special=codes).fit(declared(people.features), people.default).card_
    save_card(card, out)
    said: dict[str, Any] = {
        "written": str(out),
        "fingerprint": card.fingerprint,
        "people": len(people),
        "features": card.features,
        "special": codes,
        "auc_unseen": reached[0],
        "auc_unseen_low": reached[1],
        "auc_unseen_high": reached[2],
    }
    if as_json:
        typer.echo(json.dumps(said))
        return
    listed = "".join(f"; special in {name}: {', '.join(f'{c:g}' for c in own)}" for name, own in codes.items())
    typer.echo(
        f"Written: {out} ({len(card.features)} features of {len(people)} people{listed})\n"
        f"Fingerprint: {card.fingerprint}\n"
        f"AUC {reached[0]:.3f} [{reached[1]:.3f}, {reached[2]:.3f}] of a card fitted on the {int(past.sum())} past "
        f"customers, on the {int(unseen.sum())} others; the card written here is fitted on all."
    )


def score(
    card: CardFile,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="INPUT", help="CSV or Parquet, a folder of such files, or a quoted pattern.", show_default=False
        ),
    ],
    out: Annotated[
        Path, typer.Option(help="scores.csv or scores.parquet; a folder for many files.", show_default=False)
    ],
    keep: Annotated[
        str, typer.Option("--id", help="A column to carry over, such as a customer number.", show_default=False)
    ] = "",
    schema: Schema = None,
    to: Annotated[Kind, typer.Option(help="What the results of many files are.")] = Kind.PARQUET,
    engine: EngineName = Where.LOCAL,
    workers: Workers = 0,
    scheduler: Scheduler = "",
    tls_ca: Certificate = None,
    tls_cert: Certificate = None,
    tls_key: Certificate = None,
    as_json: AsJson = False,
) -> None:
    """Score every person of a file, or of many: columns row and score, in file order.

    Many files give one result each and a manifest in the folder OUT; run again, it does what is missing or changed.
    """
    from blindscore.scorecard.forms.json import load_card
    from blindscore_app.files.blocks import is_parquet, rows_of
    from blindscore_app.files.people import wanted
    from blindscore_app.files.score_file import check_request, score_file
    from blindscore_app.progress import bar
    from blindscore_app.scale.score import is_many

    chosen = choose_engine(engine, workers, scheduler, tls_ca, tls_cert, tls_key)
    want = wanted(load_card(card), schema, keep or None)
    if not is_many(file):
        check_file(out, card, file, schema)
        check_request(out, want)
    if not is_many(file) and engine is Where.LOCAL:
        total = rows_of(file)
        with bar() as progress, replacing(out) as temporary:
            progress("scoring", 0, total)
            people = score_file(file, want, temporary, is_parquet(out), lambda n: progress("scoring", n, total))
        said: dict[str, Any] = {"written": str(out), "people": people}
    else:
        said = _score_many(file, want, out, to is Kind.PARQUET, chosen)
    said["fingerprint"] = want.card.fingerprint
    if as_json:
        typer.echo(json.dumps(said))
    else:
        many = f" in {said['files']} files, {said['kept']} of them as before" if "files" in said else ""
        typer.echo(f"Written: {out} ({said['people']} people{many}, card {want.card.fingerprint[:16]})")


def _score_many(given: Path, want: Wanted, out: Path, parquet: bool, engine: Engine) -> dict[str, Any]:
    from blindscore_app.files.score_file import check_request
    from blindscore_app.progress import bar
    from blindscore_app.scale.score import is_many, partitions, score_task, score_tasks
    from blindscore_app.scale.tasks import hash_of_all, run

    if not is_many(given):
        tasks, manifest = [score_task(given, want, out, out.name)], out.with_name(f"{out.name}.manifest.json")
    else:
        check_request(out / "all.csv", want)
        root, files = partitions(given)
        if out.resolve() == root.resolve() or root.resolve() in out.resolve().parents:
            raise ParameterError(
                f"{out}: results among the files that are read would be read as people; give another --out"
            )
        check_directory(out)
        tasks, manifest = score_tasks(root, files, want, out, parquet), out / "manifest.json"
        out.mkdir(parents=True, exist_ok=True)
    with bar() as progress:
        ran = run(tasks, engine, manifest, progress, "scoring")
    return {
        "written": str(out),
        "people": sum(done.facts["people"] for done in ran.results),
        "files": len(ran.results),
        "kept": ran.kept,
        "sha256": hash_of_all({done.name: done.sha256 for done in ran.results}),
        "manifest": str(manifest),
    }


def explain(
    card: CardFile,
    file: People,
    row: Annotated[int, typer.Option(min=0, help="Which person; rows count from 0.", show_default=False)],
    schema: Schema = None,
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
