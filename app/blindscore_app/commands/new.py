"""``new``: a package to begin with, for whoever brings a design, an attack, or a dataset."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from blindscore_app.entry.new import What
from blindscore_app.files.safely import write_all


def new(
    what: Annotated[What, typer.Argument(help="What to begin.", show_default=False)],
    name: Annotated[str, typer.Argument(help="Lower-case letters, digits and hyphens.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option(help="Directory; named like the package if left out.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Say as JSON what was written.")] = False,
) -> None:
    """Write a package that works as it is, passes the contract, and is meant to be changed."""
    from blindscore.errors import DataError
    from blindscore_app.entry.new import files_of

    files = files_of(what, name)
    folder = Path(name) if out is None else out
    there = sorted(file for file in files if (folder / file).exists())
    if there:
        raise DataError(f"{folder}: {', '.join(there)} stands there already; give another place with --out")
    write_all(folder, files)
    if as_json:
        typer.echo(json.dumps({"written": [str(folder / file) for file in files]}))
    else:
        typer.echo(f"Written to {folder}: {', '.join(files)}")
