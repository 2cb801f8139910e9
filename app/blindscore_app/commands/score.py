"""``score``: everybody of a file, or of many."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from blindscore.errors import ParameterError
from blindscore_app.commands.engine import Certificate, EngineName, Scheduler, Where, Workers, choose_engine
from blindscore_app.commands.options import AsJson, CardFile, SchemaFile
from blindscore_app.files.safely import check_directory, check_file, replacing

if TYPE_CHECKING:
    from blindscore_app.files.people import Wanted
    from blindscore_app.scale.tasks import Engine


class Kind(StrEnum):
    """Kinds of result."""

    PARQUET = "parquet"
    CSV = "csv"


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
    schema: SchemaFile = None,
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
