"""``conclusions``: what is concluded, under every run that is given, the worst first."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from blindscore.errors import ParameterError
from blindscore_app.files.safely import check_file


def conclusions(
    ledgers: Annotated[
        list[str], typer.Argument(help="NAME=ledger.json of each run, or a ledger.json alone.", show_default=False)
    ],
    out: Annotated[Path | None, typer.Option(help="Write the table there as well.", show_default=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Say the table as JSON.")] = False,
) -> None:
    """Hold the conclusions of this project to several runs: a line each, the run that is worst for people first."""
    from blindscore.whole_files import write_whole
    from blindscore_app.report.checked import read_ledger
    from blindscore_app.report.conclusions import CONCLUSIONS, table

    places = dict(_named(given) for given in ledgers)
    if len(places) < len(ledgers):
        raise ParameterError("two ledgers go by one name; give each a name of its own, NAME=ledger.json")
    if out is not None:
        check_file(out, *places.values())
    runs = {name: read_ledger(path) for name, path in places.items()}
    text = table(runs)
    if out is not None:
        write_whole(out, (text + "\n").encode())
    if as_json:
        told = [
            {"conclusion": one.sentence, "run": name, "words": figure.words, "worse": figure.worse}
            for one in CONCLUSIONS
            for name, figure in ((name, one.of(ledger)) for name, ledger in runs.items())
        ]
        typer.echo(json.dumps(told, indent=1))
    else:
        typer.echo(text)


def _named(given: str) -> tuple[str, Path]:
    name, equals, path = given.partition("=")
    return (name, Path(path)) if equals and name and path else (Path(given).parent.name or given, Path(given))
