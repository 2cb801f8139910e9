"""``score``: everybody of a file, or of many."""

from __future__ import annotations

import json
import sys
from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from blindscore.errors import ParameterError
from blindscore_app.commands.engine import Certificate, EngineName, Scheduler, Where, Workers, choose_engine
from blindscore_app.commands.options import AsJson, CardFile, Delimiter, Language, MissingWords, SchemaFile
from blindscore_app.files.safely import check_directory, check_file, replacing
from blindscore_app.locale import _, bin_words, speaking

if TYPE_CHECKING:
    from blindscore_app.files.people import Wanted
    from blindscore_app.files.score_file import Columns
    from blindscore_app.scale.tasks import Engine

STREAM = "-"  # standard input, or output


class Kind(StrEnum):
    """Kinds of result, by ending."""

    PARQUET = "parquet"
    FEATHER = "feather"
    CSV = "csv"
    CSV_GZ = "csv.gz"
    CSV_ZST = "csv.zst"
    TSV = "tsv"


def score(
    card: CardFile,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="INPUT",
            help="CSV, TSV (also .gz, .zst), Parquet or Feather; a folder of such files, a quoted pattern, or - .",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            help="A file of such a kind, scores.csv for example; - for standard output; a folder for many files.",
            show_default=False,
        ),
    ],
    keep: Annotated[
        str, typer.Option("--id", help="A column to carry over, such as a customer number.", show_default=False)
    ] = "",
    probability: Annotated[bool, typer.Option("--probability", help="Add the probability of default.")] = False,
    threshold: Annotated[
        int | None, typer.Option(help="Add a decision: approve from this score on.", show_default=False)
    ] = None,
    reasons: Annotated[int, typer.Option(min=0, help="Add so many reasons why the score is not higher.")] = 0,
    schema: SchemaFile = None,
    missing: MissingWords = None,
    delimiter: Delimiter = "",
    language: Language = "en",
    to: Annotated[Kind, typer.Option(help="What the results of many files are.")] = Kind.PARQUET,
    engine: EngineName = Where.LOCAL,
    workers: Workers = 0,
    scheduler: Scheduler = "",
    tls_ca: Certificate = None,
    tls_cert: Certificate = None,
    tls_key: Certificate = None,
    as_json: AsJson = False,
) -> None:
    """Score every person of a file, or of many: columns row and score, in file order, and what else is asked for.

    Many files give one result each and a manifest in the folder OUT; run again, it does what is missing or changed.
    """
    from blindscore.scorecard.forms.json import load_card
    from blindscore_app.files.people import wanted
    from blindscore_app.files.score_file import Columns, check_request, kind_of_result
    from blindscore_app.scale.score import is_many

    chosen = choose_engine(engine, workers, scheduler, tls_ca, tls_cert, tls_key)
    want = wanted(load_card(card), schema, keep or None, missing or [], delimiter)
    with speaking(language):  # now: many files are scored in other processes
        want = replace(want, plain={feature: _(name) for feature, name in want.plain.items()})
        columns = Columns(probability, threshold, reasons, bin_words())
    check_request(want, columns)
    piped = STREAM in (str(file), str(out))
    if not is_many(file):
        if str(out) != STREAM:
            check_file(out, card, file, schema)
        kind_of_result(out)
    if piped and (is_many(file) or engine is not Where.LOCAL):
        raise ParameterError("- stands for one stream in this process: give files for --engine, and a folder for many")
    if not is_many(file) and engine is Where.LOCAL:
        said = _score_one(file, want, out, columns)
    else:
        said = _score_many(file, want, out, to, columns, chosen)
    said["fingerprint"] = want.card.fingerprint
    to_stderr = str(out) == STREAM  # scores alone go there
    if as_json:
        typer.echo(json.dumps(said), err=to_stderr)
        return
    many = f" in {said['files']} files, {said['kept']} of them as before" if "files" in said else ""
    typer.echo(f"Written: {out} ({said['people']} people{many}, card {want.card.fingerprint[:16]})", err=to_stderr)
    for feature, count in said["unknown"].items():
        typer.echo(f"{feature}: {count} people have a category that the card does not list", err=to_stderr)


def _score_one(given: Path, want: Wanted, out: Path, columns: Columns) -> dict[str, Any]:
    from blindscore.people.files.blocks import rows_of
    from blindscore_app.files.score_file import kind_of_result, score_file
    from blindscore_app.files.streams import as_file
    from blindscore_app.progress import bar

    with ExitStack() as stack:
        file = stack.enter_context(as_file(given))
        total = rows_of(file, want.ask.kind(file))
        progress = stack.enter_context(bar())
        into = sys.stdout.buffer if str(out) == STREAM else stack.enter_context(replacing(out))
        progress("scoring", 0, total)
        kind = kind_of_result(out)
        people, unknown = score_file(file, want, into, kind, columns, lambda n: progress("scoring", n, total))
    return {"written": str(out), "people": people, "unknown": dict(unknown)}


def _score_many(given: Path, want: Wanted, out: Path, to: Kind, columns: Columns, engine: Engine) -> dict[str, Any]:
    from blindscore_app.progress import bar
    from blindscore_app.scale.score import UNKNOWN, is_many, partitions, score_task, score_tasks
    from blindscore_app.scale.tasks import hash_of_all, run

    if not is_many(given):
        tasks, manifest = [score_task(given, want, out, out.name, columns)], out.with_name(f"{out.name}.manifest.json")
    else:
        root, files = partitions(given)
        if out.resolve() == root.resolve() or root.resolve() in out.resolve().parents:
            raise ParameterError(
                f"{out}: results among the files that are read would be read as people; give another --out"
            )
        check_directory(out)
        tasks, manifest = score_tasks(root, files, want, out, f".{to.value}", columns), out / "manifest.json"
        out.mkdir(parents=True, exist_ok=True)
    with bar() as progress:
        ran = run(tasks, engine, manifest, progress, "scoring")
    counts: Counter[str] = sum((Counter(done.facts) for done in ran.results), Counter())
    return {
        "written": str(out),
        "people": counts["people"],
        "unknown": {name.removeprefix(UNKNOWN): n for name, n in counts.items() if name.startswith(UNKNOWN)},
        "files": len(ran.results),
        "kept": ran.kept,
        "sha256": hash_of_all({done.name: done.sha256 for done in ran.results}),
        "manifest": str(manifest),
    }
